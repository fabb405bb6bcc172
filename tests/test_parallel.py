"""Loops on several threads: which, how, and that they give what one thread gives.

Most run on the reference backend, whose three "threads" come in the wrong order.
"""

import json
import re
import runpy
from pathlib import Path

import numba
import numpy as np
import pytest

import srcad
from srcad.analyses.ownership import Touches
from srcad.backends.reference import run
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, For, Function, Loc
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import statements
from srcad.storage.parallel import emit, parallelised
from srcad.storage.parallel.plan import Planner
from srcad.storage.vectors import vectorised
from srcad.transforms import accumulate
from tests.programs import BY_NAME, select
from tests.zoo.parallel import flat_rows, own_scratch, shared_bins, swapped_grids


def loops(f, args, argnums=0, **options):
    """What became of the loops of a gradient."""
    return srcad.explain(srcad.grad(f, argnums=argnums, cache=False, **options), *args).parallel


def close(found, expected, rtol=1e-12):
    """Equal up to the order of sums."""
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("name", [p.name for p in select("parallel")])
def test_threads_change_nothing(name):
    """Value, gradient, tangent and product with the Hessian of the zoo's ``prange`` programs."""
    p = BY_NAME[name]
    made = []
    for parallel in (None, False):
        with srcad.using(backend="reference", parallel=parallel, verify=True, cache=False):
            f = srcad.value_and_grad(p.fn, argnums=p.wrt)
            value, gradient = f(*p.args())
            product = srcad.hvp(p.fn, p.args(), tuple(map(ones, p.args())))
            made.append((value, *gradient, *(x for x in product if x is not None)))
    close(*made)


def ones(x):
    """A tangent for an argument, if it is one of floats."""
    return None if np.asarray(x).dtype.kind != "f" else np.ones_like(x) if np.ndim(x) else 1.0


def narrow_sums(x, at):
    """Numbers of other types are added to float64."""
    sums = np.zeros(3)
    for i in numba.prange(len(x)):
        sums[at[i]] += x[i] * x[i]
        sums[at[i]] = at[i] + sums[at[i]]
    return np.sum(sums * sums)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_sums_of_other_types(kind):
    """They are sums too, with the same bits as ever on one thread."""
    x, at = np.linspace(0.5, 1.5, 10).astype(kind), np.arange(10) % 3
    assert not any(r.serial for r in loops(narrow_sums, (x, at)))
    with srcad.using(backend="reference", cache=False):
        value, slope = srcad.value_and_grad(narrow_sums, parallel=False)(x, at)
        assert value == numba.njit(narrow_sums)(x, at)
        close([slope], [srcad.grad(narrow_sums)(x, at)], 1e-6 if kind == "f4" else 1e-12)
    wide = x.astype(float)
    step = [1e-6 * np.eye(10)[k] for k in range(10)]
    expected = [(narrow_sums(wide + h, at) - narrow_sums(wide - h, at)) / 2e-6 for h in step]
    np.testing.assert_allclose(slope, expected, rtol=1e-6)


# which loops
def test_what_is_shared_is_told():
    """Owned elements, windows of a stencil, copies, partial results: each where it belongs."""
    args = BY_NAME["swapped_grids"].args()
    regions = loops(swapped_grids, args)
    assert {r.role for r in regions} == {"primal", "adjoint"}
    for r in regions:  # each grid has its turn
        assert not (r.private or r.reductions or r.serial)
        assert r.window == (2 if r.role == "adjoint" else 0)
    primal, adjoint = loops(shared_bins, BY_NAME["shared_bins"].args(), (0, 1))
    assert primal.private == ("out",) and adjoint.private == ("w_b",)
    assert adjoint.private_bytes >= 3 * 8
    (both,) = loops(own_scratch, BY_NAME["own_scratch"].args(), (0, 1))
    assert both.private == ("w_b",) and not both.serial  # forwards and backwards at once
    assert "w_b" in str(both) and "line" in str(both)
    assert both.recorded_bytes == 3 * 8 and "tapes of one iteration (24 B" in str(both)


def racing(x, to):
    out = np.zeros(len(x))
    for i in numba.prange(len(x)):
        out[to[i]] = x[i]
    return np.sum(out * out)


def printing(x):
    total = 0.0
    for i in numba.prange(len(x)):
        print("at", i)
        total += x[i]
    return total


def leaving(x):
    total = 0.0
    for i in numba.prange(len(x)):
        if x[i] > 2.0:
            break
        total += x[i]
    return total


def chained(x):
    s = 1.0
    for i in numba.prange(len(x)):
        s = np.sin(s) + x[i]
    return s


def before_the_first(x):
    out = np.zeros(len(x))
    for i in numba.prange(len(x)):
        out[i - 1] = x[i]  # of i = 0 the last
        out[len(x) - 2] = x[0]
    return np.sum(out * out)


REASONS = {
    racing: ((np.ones(4), np.arange(4)), "may meet in the same elements of 'out'"),
    printing: ((np.ones(2),), "it prints"),
    leaving: ((np.ones(3),), "may end early"),
    chained: ((np.ones(3),), "needs 's' of the one before"),
    before_the_first: ((np.ones(5),), "may meet in the same elements of 'out'"),
}


@pytest.mark.parametrize("f", REASONS, ids=lambda f: f.__name__)
def test_why_not(f, capsys):
    """What cannot be proved runs on one thread, says so in the source, and is right."""
    args, reason = REASONS[f]
    found = loops(f, args)
    assert reason in found[0].serial and "one thread" in str(found[0])
    text = srcad.source(srcad.grad(f, cache=False), *args)
    assert re.search(r"# line \d+ on one thread: .*" + re.escape(reason), text)
    with srcad.using(backend="reference", cache=False):
        expected = srcad.grad(f, parallel=False)(*args)
        np.testing.assert_array_equal(srcad.grad(f)(*args), expected)


# arrays that may be one
def added_from(a, b):
    for i in numba.prange(1, len(a)):
        a[i] += b[i - 1] * b[i - 1]


def through_names(x, same):
    a = x.copy()
    b = a if same else x.copy()
    added_from(a, b)
    return np.sum(a * a)


@pytest.mark.parametrize("same", [True, False])
def test_one_array_by_two_names(same):
    """Whether two names are one array is asked when the loop is reached."""
    x = np.linspace(0.5, 1.5, 9)
    with srcad.using(backend="reference", cache=False):
        found = srcad.value_and_grad(through_names)(x, same)
        expected = srcad.value_and_grad(through_names, parallel=False)(x, same)
    close(found, expected, 1e-13)
    assert "srcad_apart" in srcad.source(srcad.grad(through_names), x, same)


def both_near(a, b, x):
    for i in numba.prange(len(x)):
        a[i] += x[i]
        a[i + 1] += x[i]
        b[i + 4] += x[i]
        b[i + 5] += x[i]


def near_and_far(a, b, x, at):
    for i in numba.prange(len(x)):
        a[i] += x[i]
        a[i + 1] += x[i]
        b[at[i]] += x[i]


@pytest.mark.parametrize("f", [both_near, near_and_far])
def test_sums_that_may_be_in_one_array(f):
    """How near iterations meet in each of two arrays says nothing if the two are one."""
    args = (np.zeros(12), np.zeros(12), np.ones(6), np.arange(6) * 2)[: f.__code__.co_argcount]
    g = srcad.differentiable(f)
    fn = accumulate.run(g.program(g.specs(g.bind(args, {}))).fn, integers=True)
    (plan,) = (Planner(fn).plan(s) for s in statements(fn.body) if isinstance(s, For))
    assert {(a.hint, b.hint) for a, b in plan.apart} >= {("a", "x"), ("a", "b")}


# exceptions
def dividing(x, y):
    total = 0.0
    for i in numba.prange(len(x)):
        if x[i] > 5.0:
            raise ValueError("too large", i, x[i])
        total += x[i] / y[i]
    return total


@pytest.mark.parametrize(
    ("places", "error"),
    [
        ({2: (1.0, 0.0), 7: (9.0, 1.0)}, ZeroDivisionError("division by zero")),
        ({7: (9.0, 1.0), 8: (1.0, 0.0)}, ValueError("too large", 7, 9.0)),
        ({8: (7.5, 0.0)}, ValueError("too large", 8, 7.5)),
    ],
)
@pytest.mark.parametrize("backend", ["reference", "python"])
def test_the_first_error_is_raised(places, error, backend):
    """The one that a loop on one thread would raise, with the numbers of its message."""
    x, y = np.ones(10), np.ones(10)
    for k, (a, b) in places.items():
        x[k], y[k] = a, b
    f = srcad.value_and_grad(dividing, argnums=(0, 1), backend=backend, cache=False)
    assert not any(r.serial for r in loops(dividing, (np.ones(10), np.ones(10)), (0, 1)))
    with pytest.raises(type(error)) as raised:
        f(x, y)
    assert raised.value.args == error.args


# unmarked loops
def unmarked(x, w):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = np.sin(x[i] * w)
    return np.sum(out)


def test_provable_loops_where_asked(monkeypatch):
    """``parallel=True`` takes other loops too; without it none, with ``False`` not even prange."""
    x = np.linspace(0.1, 1.0, 10)
    assert "prange" not in srcad.source(srcad.grad(unmarked), x, 0.5)
    assert "numba.prange(chunks" in srcad.source(srcad.grad(unmarked, parallel=True), x, 0.5)
    args = BY_NAME["flat_rows"].args()
    alone = srcad.source(srcad.grad(flat_rows, parallel=False), *args)
    assert "numba.prange(chunks" not in alone and "parallel=True" not in alone
    monkeypatch.setattr(emit, "GRAIN", 1)
    with srcad.using(backend="reference", cache=False):
        found = srcad.grad(unmarked, argnums=(0, 1), parallel=True)(x, 0.5)
        expected = srcad.grad(unmarked, argnums=(0, 1))(x, 0.5)
    close(found, expected)


def test_memory_of_copies_is_bounded(monkeypatch):
    """Where copies for all threads would take too much there is one chunk, and no copy."""
    args = BY_NAME["shared_bins"].args()
    monkeypatch.setattr(emit, "MEMORY", 8)
    assert [r.private_bytes for r in loops(shared_bins, args, 1)] == [0, 0]


# what decides
def compared_later(x):
    y, w = np.zeros(len(x)), np.zeros(len(x))
    for i in numba.prange(len(x)):
        y[i] = np.exp(x[i])
    for i in numba.prange(len(x)):
        w[i] = np.sin(x[i])
    s = 0.0
    for i in range(len(x)):
        s += w[i] if y[i] > 1.5 else 2.0 * w[i]
    return s


def test_decisions_of_the_whole_function():
    """What another part compares is not computed in vector form, the rest is."""
    f = srcad.differentiable(compared_later)
    program = f.program(f.specs(f.bind((np.ones(4),), {})))
    fn, _ = parallelised(program.fn, None)
    made = vectorised(fn, {"exp", "sin"})
    marked = [len(c.vector) for name, c in made.callees.items() if "_chunk" in name]
    assert marked == [0, 1]


# the generated code
def test_no_atomics_and_one_line_in_parallel():
    """Only the function that calls the chunks is compiled with ``parallel=True``."""
    text = srcad.source(srcad.grad(swapped_grids), *BY_NAME["swapped_grids"].args())
    assert "atomic" not in text
    for part in text.split("@numba.njit")[1:]:
        assert ("parallel=True" in part) == ("numba.prange(chunks" in part)
    body = text.split("parallel=True")[1].split("@numba")[0]
    assert "_copies" not in text  # owned, and windows: nothing to be added up
    assert "_chunk" in body and "+=" not in body


def test_reference_order_would_notice():
    """A loop that is wrongly split gives something else: the check can fail."""
    b = Builder(Namer(), Loc("f.py", 1, role="parallel"))
    a, i = b.var("a", ArrayT("f8", 1)), b.var("i", I8)
    with b.block() as stmts:
        b.store(a, (const(0),), b.op("f8", i))
    b.for_(i, const(0), const(4), const(1), (), Block(tuple(stmts)), parallel=True)
    first = b.load(a, const(0))
    fn = Function("f", (a,), Block(tuple(b.stack[0]), (first,)))
    assert run(fn, (np.zeros(1),)) == (0.0,)  # not 3


def test_subscripts_that_wrap_are_not_owned():
    """``a[i - 3]`` may be ``a[n + i - 3]``; ``a[3 - i]`` too."""
    b = Builder(Namer())
    a = b.var("a", ArrayT("f8", 1))
    for op in (("sub", 0, 1), ("sub", 1, 0)):
        with b.loop(const(0), const(9)) as i:
            pair = (i, const(3))
            b.store(a, (b.op(op[0], pair[op[1]], pair[op[2]]),), const(0.0))
    with b.loop(const(3), const(9)) as i:
        b.store(a, (b.op("sub", i, const(3)),), const(0.0))
    fn = Function("f", (a,), Block(tuple(b.stack[0])))
    assert [Touches(fn, s).owned(a) for s in fn.body.stmts] == [False, False, True]


def test_the_document_is_true(tmp_path, capsys):
    """Its program prints what is shown."""
    text = (Path(__file__).resolve().parents[1] / "docs" / "parallel.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "energy.py"
    path.write_text(program)
    with srcad.using(backend="reference", cache=False):
        runpy.run_path(str(path))
    assert capsys.readouterr().out == shown


def test_the_table_of_times_is_the_kept_one():
    """The document shows what the benchmark has written."""
    root = Path(__file__).resolve().parents[1]
    kept = json.loads((root / "benchmarks" / "results" / "parallel.json").read_text())
    text = (root / "docs" / "parallel.md").read_text()
    for r in kept["programs"]:
        times = f"{r['adjoint_1_ms']:.1f} ms | {r['adjoint_ms']:.1f} ms"
        assert f"| {r['name']} | {r['size']} | {times} | {r['speedup_adjoint']:.2f} |" in text
        assert r["same_bits"] and r["difference"] < 1e-12
