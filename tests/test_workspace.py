"""Memory that is used again: the same numbers, no result touched, nothing read unwritten."""

from __future__ import annotations

import copy
import ctypes
import gc
import math
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import srcad
from srcad.runtime.pool_code import FIELDS
from srcad.runtime.workspace import LARGE

N = LARGE // 8 + 100  # elements of a large array


def chain(x: np.ndarray) -> float:
    """A tape of numbers, one of decisions."""
    s, top = 1.0, x[0]
    for i in range(len(x)):
        if x[i] > top:
            top = x[i]
        s = math.sin(s * x[i]) + top
    return s


def steps(u0: np.ndarray, n: int) -> float:
    """Arrays overwritten in place, a row a step recorded; sums into zeros."""
    u = u0.copy()
    for _ in range(n):
        v = np.zeros(len(u))
        for i in range(1, len(u)):
            v[i] += u[i] * u[i - 1]
            v[i - 1] -= u[i] ** 2
        u = u + 0.1 * v
    return np.sum(u * u)


def halves(x: np.ndarray, low: int, high: int) -> float:
    """A sum by halves, which allocates on every level."""
    if high - low < 2000:
        return float(np.sum(np.sin(x[low:high] * 2.0)))
    middle = (low + high) // 2
    y = x * 0.5
    return halves(x, low, middle) * 1.01 + halves(y, middle, high)


def tree(x: np.ndarray) -> float:
    return halves(x, 0, len(x))


def scaled(x: np.ndarray, k: float) -> np.ndarray:
    """Raises in the middle."""
    y = x * k
    if y[0] < 0.0:
        raise ValueError("negative")
    return y * y


def kept_blocks(w: Any) -> Iterator[tuple[int, int]]:
    """Addresses and sizes of what waits for the next call."""
    word = ctypes.c_int64.from_address
    block = word(w.address + 8 * FIELDS.index("head")).value
    while block:
        yield block + 32, word(block + 8).value
        block = word(block).value


def spoil(w: Any) -> None:
    """Make NaN of all numbers in what waits for the next call."""
    for address, size in kept_blocks(w):
        ctypes.memset(address, 0xFF, size)


def random(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    """The same derivative without and with a workspace."""
    return srcad.value_and_grad(chain), srcad.value_and_grad(chain, workspace=True, nogil=True)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "steps": (steps, (3,)),
    "tree": (tree, ()),
    "chain": (chain, ()),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_read_before_it_is_written(name: str) -> None:
    """Memory full of NaN gives the same bits; from the second call on no other is asked for."""
    f, rest = CASES[name]
    x = random(2 * N)
    w = srcad.Workspace()
    g = srcad.grad(f, workspace=w)
    assert g.workspace is w
    want, asked = g(x, *rest), []
    np.testing.assert_allclose(want, srcad.grad(f, backend="python")(x, *rest), rtol=1e-10)
    want = want.copy()
    for _ in range(4):
        np.testing.assert_array_equal(g(x, *rest), want)
        asked.append(w.allocations)
        assert w.lent == 0 and w.kept > 0
        assert {a % 64 for a, _ in kept_blocks(w)} == {0}
        spoil(w)
    assert asked[0] == asked[3] > 0


def test_sizes_that_change(pair: tuple[Any, Any]) -> None:
    """Up, down, too small to be kept; what is kept follows what is needed."""
    plain, g = pair
    w = g.workspace
    for n in (10, N, 3 * N, N + 7, 40 * N, 1, N // 3, 2 * N):
        x = random(n, n)
        spoil(w)
        (a, da), (b, db) = plain(x), g(x)
        assert a == b
        np.testing.assert_array_equal(da, db)
        assert w.peak >= w.bytes == w.kept + w.lent
    most = w.kept
    del da, db
    for _ in range(60):
        g(random(2 * N))
    assert w.bytes < most / 2  # the long call is forgotten


def test_results_are_the_callers(pair: tuple[Any, Any]) -> None:
    """Alive results keep their memory; it is the next call's when they are gone."""
    _, g = pair
    w, x = g.workspace, random(N)
    w.release()
    held = [g(x * k)[1] for k in range(1, 6)]
    copies = [a.copy() for a in held]
    lent = w.lent
    assert lent >= sum(a.nbytes for a in held)
    part = held[0][5:9]
    spoil(w)
    for _ in range(3):
        g(random(N))
        spoil(w)
    for a, b in zip(held, copies, strict=True):
        np.testing.assert_array_equal(a, b)
    del held, a
    gc.collect()
    spoil(w)
    np.testing.assert_array_equal(part, copies[0][5:9])  # a view keeps all of it
    assert 0 < w.lent < lent
    del part
    assert w.lent == 0


def test_out_and_release(pair: tuple[Any, Any]) -> None:
    """Results in the caller's arrays; what is kept goes back when it is asked to."""
    plain, g = pair
    x, out, w = random(N), np.empty(N), g.workspace
    for _ in range(4):
        value, got = g(x, out=(None, out))
        assert got is out and w.lent == 0
    assert value == plain(x)[0]
    np.testing.assert_array_equal(out, plain(x)[1])
    assert w.bytes > 0
    w.release()
    assert w.bytes == 0 and str(w) == "<srcad workspace: 0 bytes kept, 0 in use>"


def test_threads(pair: tuple[Any, Any]) -> None:
    """Calls at once have memory of their own."""
    plain, g = pair
    points = [random(N + 50 * k, k) for k in range(4)]
    want = [plain(x) for x in points]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(15):
            value, gradient = g(points[k])
            if value != want[k][0] or not np.array_equal(gradient, want[k][1]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and g.workspace.lent == 0


def test_exceptions() -> None:
    """A call that raises, then others."""
    f = srcad.differentiable(scaled, workspace=True)
    x = np.abs(random(N)) + 0.1
    for _ in range(3):
        with pytest.raises(ValueError, match="negative"):
            f(-x, 2.0)
        np.testing.assert_array_equal(f(x, 2.0), scaled(x, 2.0))
        spoil(f.workspace)


def test_one_for_several_functions() -> None:
    """Functions that share one use the same memory; transforms inherit it; limits hold."""
    w = srcad.Workspace(limit=3 * LARGE)
    f = srcad.differentiable(chain, workspace=w, backend="python")
    assert f.workspace is f.grad.workspace is srcad.hessian(f).workspace is w
    assert srcad.grad(f, workspace=False).workspace is None is srcad.grad(chain).workspace
    own = srcad.grad(f, workspace=True)
    assert own.workspace is own.workspace is not w
    with srcad.using(workspace=True):
        assert srcad.grad(chain, backend="python").workspace is not None
    assert pickle.loads(pickle.dumps(w)).limit == copy.copy(w).limit == w.limit
    g = srcad.grad(chain, workspace=w)
    for _ in range(2):
        g(random(8 * N))
        assert w.kept <= w.limit and w.lent == 0


def test_end() -> None:
    """Memory goes when the object does, but not that of results."""
    g = srcad.grad(scaled_sum, workspace=True)
    result = g(random(N))
    ended, expected = g.workspace._end, result.copy()
    del g
    gc.collect()
    assert not ended.alive
    np.testing.assert_array_equal(result, expected)
    del result


def scaled_sum(x: np.ndarray) -> float:
    return float(np.sum(x * x * 3.0))


@pytest.mark.parametrize("wrong", [3, "yes", None])
def test_misuse(wrong: Any) -> None:
    """What is no workspace, what is no limit."""
    with pytest.raises(srcad.TypeMismatch):
        srcad.Workspace(limit=-1 if wrong is None else "much" if wrong == 3 else 1.5)  # type: ignore[arg-type]
    if wrong is not None:
        with pytest.raises(srcad.TypeMismatch, match="workspace is True, False or"):
            srcad.grad(chain, workspace=wrong)


def test_where_nothing_is_compiled() -> None:
    """Other backends take the option, and nothing changes; nor where nothing is allocated."""
    x = random(5)
    for backend in ("reference", "python"):
        g = srcad.grad(chain, workspace=True, backend=backend)
        np.testing.assert_array_equal(g(x), srcad.grad(chain, backend="reference")(x))
    assert "workspace" not in srcad.source(srcad.grad(math_only, workspace=True), 1.0)
    assert "workspace" in srcad.source(srcad.grad(chain, workspace=True), x)


def math_only(x: float) -> float:
    return math.sin(x) * x


def test_explain() -> None:
    """The bytes that are held stand in the explanation."""
    w = srcad.Workspace()
    g = srcad.grad(scaled_sum, workspace=w)
    result = g(random(N))
    found = srcad.explain(g, random(4))
    assert found.workspace_bytes == w.bytes > result.nbytes
    assert f"workspace: {w.bytes:,} bytes" in str(found)
    assert srcad.explain(scaled_sum, random(4)).workspace_bytes is None


SCRIPT = """
import sys, numpy as np, srcad
from tests.test_workspace import chain
g = srcad.grad(chain, workspace=True)
x = np.linspace(0.1, 2.0, 20_000)
for _ in range(3):
    out = g(x)
print(out.sum().hex(), g.workspace.allocations, "srcad.compiler" in sys.modules)
"""


def test_cache(tmp_path: Any) -> None:
    """Another process takes the code from the disk, and has memory of its own."""
    env = {**os.environ, "SRCAD_CACHE": "1", "SRCAD_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True)
        for _ in range(2)
    ]
    first, second = (r.stdout.split() for r in runs)
    assert first[:2] == second[:2], runs
    assert first[2:] == ["True"] and second[2:] == ["False"]
