"""Derivatives leave the process: standalone modules, pickles, threads.

An exported module is run by a Python in which importing srcad fails.  Pickled objects are used by a
spawned process.  Threads call objects of mixed kinds at once; each result has one right value.
"""

import concurrent.futures
import multiprocessing
import pickle
import runpy
import subprocess
import sys
import threading
from collections import namedtuple
from dataclasses import dataclass

import cloudpickle
import numba
import numpy as np
import pytest

import srcad
from tests import oracle

Params = namedtuple("Params", "w b")


@dataclass
class Model:
    """A structure of arguments."""

    w: np.ndarray
    scale: float


def square(x):
    """Sum of squares, overwritten in place."""
    x *= x
    s = 0.0
    for v in x:
        s += v
    return s


TABLE = np.array([1.0, np.inf, 3.0])


def mixed(p, model, k, kind="short"):
    """Structures, integers, a string, a captured array."""
    s = 0.0
    for i in range(k):
        s += p.w[i] * model.w[i] ** 2 * min(TABLE[i], 2.0)
    return s * model.scale + p.b["c"]


def arguments():
    """Arguments of ``mixed``."""
    return Params(np.array([1.0, 2.0, 3.0]), {"c": 4.0}), Model(np.array([0.5, 1.0, 1.5]), 2.0), 3


DRIVER = """
import sys
sys.modules["srcad"] = None  # importing it fails
from collections import namedtuple
from types import SimpleNamespace
import numpy as np
{body}
"""


def alone(folder, body):
    """What a script prints that runs beside an exported module, without srcad."""
    script = folder / "driver.py"
    script.write_text(DRIVER.format(body=body))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_exported_modules_stand_alone(tmp_path):
    """Values, checks of arguments, provenance; importing srcad is impossible there."""
    name = srcad.export(
        srcad.value_and_grad(mixed, ("p", "model")), tmp_path / "mixed_b.py", *arguments()
    )
    second = srcad.export(srcad.hessian(square), str(tmp_path / "square_h.py"), np.ones(2))
    text = (tmp_path / "mixed_b.py").read_text()
    head = text.split('"""')[1]
    for word in ("mixed", "test_shipping.py", srcad.__version__, "SHA-256", "f8[:]C"):
        assert word in head
    assert "import srcad" not in text and "adjoint of line" in text
    body = f"""
import mixed_b, square_h
Params = namedtuple("Params", "w b")
p = Params(np.array([1.0, 2.0, 3.0]), {{"c": 4.0}})
m = SimpleNamespace(w=np.array([0.5, 1.0, 1.5]), scale=2.0)
value, (p_b, m_b) = mixed_b.{name}(p, m, 3)
print(value, p_b.w.tolist(), p_b.b, m_b.w.tolist(), m_b.scale)
x = np.array([3.0, 4.0])
print(square_h.{second}(x).tolist(), x.tolist())
for wrong in ((p, m, 3, "long"), (p, m, 3.5), (p._replace(w=p.w.astype("f4")), m, 3)):
    try:
        mixed_b.{name}(*wrong)
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)
try:
    square_h.{second}(np.arange(8.0)[::2])
except TypeError as e:
    print(e)
print("srcad.api" in sys.modules)
"""
    lines = alone(tmp_path, body).splitlines()
    with srcad.using(backend="reference"):
        value, (p_b, m_b) = srcad.value_and_grad(mixed, ("p", "model"))(*arguments())
    want = f"{value} {p_b.w.tolist()} {p_b.b} {m_b.w.tolist()} {m_b.scale}"
    assert lines[0] == want
    assert lines[1] == "[[2.0, 0.0], [0.0, 2.0]] [9.0, 16.0]"
    assert "made for kind = 'short' only" in lines[2]
    assert "k must be a number of type int" in lines[3]
    assert "p['w']" in lines[4] or "p[0]" in lines[4]
    assert "is written to, and must be contiguous" in lines[5]
    assert lines[6] == "False"


def test_what_cannot_stand_alone(tmp_path):
    """Solvers of this process, functions as arguments, large arrays, sparse matrices."""
    root = srcad.implicit_root(lambda x, a: x * x - a, lambda x, a: np.sqrt(a))
    big = np.ones(20_000)
    cases = [
        (root, (1.0, 4.0), "solver"),
        (lambda x, f: f(x), (1.0, abs), "cannot be written down"),
        (lambda x: x * big[0], (1.0,), "20000 elements"),
        (srcad.sparse_jacobian(lambda x: x * x), (np.ones(2),), "sparse matrix"),
    ]
    for g, args, words in cases:
        with pytest.raises(srcad.SrcadError, match=words):
            srcad.export(g, tmp_path / "never.py", *args)
    assert not (tmp_path / "never.py").exists()


# pickles
@srcad.differentiable(backend="reference")
def decorated(x):
    """An object whose name leads to it."""
    return np.sum(x**3)


@srcad.custom_jvp(backend="reference")
def ruled(x):
    """A function with a rule."""
    return np.floor(x)


@ruled.defjvp
def ruled_rule(primals, tangents):
    """Says that the slope is five."""
    return np.floor(primals[0]), 5.0 * tangents[0]


def residual(x, a):
    """Zero at the square root."""
    return x * x - a


def solver(x, a):
    """Finds it."""
    return np.sqrt(a)


X = np.array([1.0, 2.0])
ROOT = srcad.implicit_root(residual, solver, backend="reference")
OBJECTS = {
    "grad": (srcad.grad(square, backend="reference"), (X,)),
    "value_and_grad": (srcad.value_and_grad(mixed, (0, 1), backend="reference"), arguments()),
    "hessian": (srcad.hessian(decorated), (X,)),
    "jacrev": (srcad.jacrev(lambda x: x * x, backend="reference"), (X,)),
    "decorated": (decorated, (X,)),
    "its gradient": (decorated.grad, (X,)),
    "a rule": (srcad.grad(ruled), (1.5,)),
    "batch": (srcad.batch(srcad.grad(decorated), 0), (np.ones((2, 3)),)),
    "sparse": (srcad.sparse_jacobian(srcad.grad(decorated)), (X,)),
    "sparse hessian": (srcad.sparse_hessian(decorated), (X,)),
    "implicit": (
        srcad.grad(srcad.implicit_root(residual, solver, backend="reference"), 1),
        (1, 4.0),
    ),
    "adjoint": (srcad.adjoint(decorated), (X, np.zeros(2), np.ones(1))),
}


def plain(x):
    """Results as nested lists."""
    if hasattr(x, "toarray"):
        return x.toarray().tolist()
    if isinstance(x, (tuple, list)):
        return [plain(v) for v in x]
    if isinstance(x, Model):
        return plain([x.w, x.scale])
    return x.tolist() if isinstance(x, np.ndarray) else x


def copied(args):
    """Fresh arguments."""
    return pickle.loads(pickle.dumps(args))


@pytest.mark.parametrize("name", list(OBJECTS))
@pytest.mark.parametrize("tool", [pickle, cloudpickle])
def test_objects_come_back(name, tool):
    """What comes back computes the same; lambdas need cloudpickle."""
    g, args = OBJECTS[name]
    if name == "jacrev" and tool is pickle:
        with pytest.raises((pickle.PicklingError, AttributeError)):
            pickle.dumps(g)
        return
    again = tool.loads(tool.dumps(g))
    assert type(again) is type(g)
    assert (again is g) == (name == "decorated")
    assert plain(again(*copied(args))) == plain(g(*copied(args)))


def use(g, args):
    """Runs in another process."""
    return plain(g(*args))


def test_a_spawned_process_takes_them():
    """As arguments of a worker of a pool that starts from nothing."""
    context = multiprocessing.get_context("spawn")
    picked = {k: OBJECTS[k] for k in ("grad", "its gradient", "a rule", "batch", "implicit")}
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        jobs = {k: pool.submit(use, g, copied(args)) for k, (g, args) in picked.items()}
        for k, (g, args) in picked.items():
            assert jobs[k].result(timeout=300) == plain(g(*copied(args)))


BY_VALUE = """
import cloudpickle, numpy as np, srcad
@srcad.differentiable(backend="reference")
def f(x):
    return np.sum(x ** 4)
with open({path!r}, "wb") as file:
    file.write(cloudpickle.dumps((f, srcad.grad(f), srcad.batch(f.grad))))
"""


def test_scripts_send_their_functions_by_value(tmp_path):
    """Functions of ``__main__`` with cloudpickle, where the script is not there any more."""
    script, path = tmp_path / "script.py", tmp_path / "objects.pickle"
    script.write_text(BY_VALUE.format(path=str(path)))
    subprocess.run([sys.executable, str(script)], check=True, timeout=300)
    script.unlink()
    f, g, h = pickle.loads(path.read_bytes())
    assert f(X) == 17.0 and g(X).tolist() == [4.0, 32.0]
    assert h(np.array([X])).tolist() == [[4.0, 32.0]]


# threads
def cubic(x, k):
    """Numbers or arrays, a loop."""
    s = 0.0
    for i in range(k):
        s += np.sum(x * x * x) * (i + 1)
    return s


def run_threads(work, threads=8):
    """Start at the same moment; raise what a thread raised; time out on a deadlock."""
    barrier = threading.Barrier(threads)

    def one(k):
        barrier.wait(timeout=60)
        return work(k)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return [f.result(timeout=240) for f in [pool.submit(one, k) for k in range(threads)]]


def test_threads_with_mixed_signatures():
    """Eight threads compile and call the same objects for different kinds of arguments."""
    objects = [srcad.grad(cubic), srcad.value_and_grad(cubic)]
    inputs = [0.5, np.array([1.0, 2.0]), np.ones((2, 2), order="F"), np.arange(6.0)[::2]]
    with srcad.using(backend="reference"):
        want = [[plain(g(x, 2)) for x in inputs] for g in objects]

    def work(k):
        for n in range(len(inputs) * 3):
            j = (n + k) % len(inputs)
            for i, g in enumerate(objects):
                with_compiler = (k + n) % 2 == 0
                got = g(inputs[j], 2) if with_compiler else None
                if got is not None:
                    assert plain(got) == want[i][j]
            _, t = srcad.jvp(cubic, (inputs[j], 1), (np.ones_like(inputs[j]), None), **PYTHON)
            assert t == pytest.approx(3.0 * np.sum(np.square(inputs[j])))
            assert srcad.vjp(cubic, inputs[j], 1, **PYTHON)[1](1.0)[1] is None
        return True

    PYTHON = {"backend": "python"}
    assert all(run_threads(work))


def test_threads_beside_numba_itself():
    """User functions being compiled by Numba at the same time: no deadlock of two locks."""

    def work(k):
        if k % 2:
            f = numba.njit(lambda x: x * k + 1.0)
            return f(2.0) == 2.0 * k + 1.0
        return srcad.grad(lambda x: x**2 * k)(3.0) == pytest.approx(6.0 * k)

    assert all(run_threads(work))


def test_sparse_and_batch_objects_are_shared():
    """One object, eight threads, patterns of different sizes and ways."""

    def f(x):
        y = np.zeros(len(x))
        for i in range(len(x)):
            y[i] = x[i] ** 2 if x[i] > 0.0 else x[0] * x[i - 1]
        return y

    jac = srcad.sparse_jacobian(f, backend="reference")
    many = srcad.batch(srcad.jacobian(f), backend="reference")

    def work(k):
        rng = np.random.default_rng(k)
        for _ in range(6):
            x = rng.normal(size=3 + k % 3)
            exact = srcad.jacobian(f, backend="reference")(x)
            np.testing.assert_allclose(jac(x).toarray(), exact)
            np.testing.assert_allclose(many(np.array([x]))[0], exact)
        return True

    assert all(run_threads(work))


def long_loop(x, n):
    """Takes a while."""
    for _ in range(n):
        x = x + np.sin(x) * 1e-9
    return x


def test_the_lock_is_released_where_asked():
    """While compiled code runs in one thread, another one goes on."""
    g = srcad.grad(long_loop, nogil=True)
    assert "nogil=True" not in srcad.source(srcad.grad(long_loop), 0.5, 2)
    g(0.5, 2)
    started, done = threading.Event(), threading.Event()

    def work():
        started.set()
        g(0.5, 3_000_000)
        done.set()

    thread = threading.Thread(target=work)
    turns = 0
    thread.start()
    started.wait()
    while not done.is_set():
        turns += 1
    thread.join()
    assert turns > 1000


TURNS = np.array([1.0 + 2.0j, 0.5])


def turned(z, w):
    return np.sum(np.abs(z * w * TURNS) ** 2)


def stretched(z):
    return z * z * TURNS


def test_exported_complex_numbers(tmp_path):
    """Arrays, strided ones too, and numbers; captured ones are written down."""
    z = np.array([1.0 + 2.0j, 0.0, 3.0 - 1.0j, 0.0])[::2]
    with srcad.using(backend="reference"):
        for f, args in (
            (srcad.grad(turned, argnums=(0, 1)), (z, 0.3 + 0.4j)),
            (srcad.differentiable(stretched), (z.copy(),)),
        ):
            name = srcad.export(f, tmp_path / "made.py", *args)
            made = runpy.run_path(str(tmp_path / "made.py"))[name](*args)
            for got, want in zip(oracle.leaves(made), oracle.leaves(f(*args)), strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-14)
                assert np.asarray(got).dtype == np.complex128
