"""Loops on several threads that add to one array atomically, where that was asked for."""

from __future__ import annotations

import re

import numba
import numpy as np
import pytest

import srcad
from srcad.errors import TypeMismatch
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Accumulate, Block, Function, Load
from srcad.ir.types import ArrayT
from srcad.ir.walk import statements
from srcad.runtime import atomic
from srcad.storage.parallel import parallelised
from srcad.storage.sums import summed
from tests.programs import BY_NAME, select
from tests.zoo.parallel import shared_bins, swapped_grids

RNG = np.random.default_rng(4)


def gathered(x, w, at):
    """Each iteration reads, and its adjoint adds to, several places of a vector and a matrix."""
    total = 0.0
    for i in numba.prange(x.shape[0]):
        for j in range(x.shape[1]):
            total += x[i, j] * w[at[i], j] * w[at[i] - 3, 1]
    return total


def arguments(dtype=np.float64, n=2000):
    x, w = RNG.uniform(0.5, 1.5, (n, 3)).astype(dtype), RNG.uniform(size=(7, 3)).astype(dtype)
    return x, w, RNG.integers(0, 7, n)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_compiled(dtype):
    """The gradients of one thread up to rounding, no copies, many threads in few elements."""
    args = arguments(dtype)
    g = srcad.value_and_grad(gathered, argnums=(0, 1), atomics=True, cache=False)
    text = srcad.source(g, *args)
    assert re.search(r"atomic\.add\(w_b\w*, \(a, j\), ", text) and "_copies" not in text
    expected = srcad.value_and_grad(gathered, argnums=(0, 1), backend="reference")(*args)
    eps = np.finfo(dtype).eps
    for _ in range(3):
        value, grads = g(*args)
        assert abs(value - expected[0]) < 100 * eps * abs(value)
        for a, b in zip(grads, expected[1], strict=True):
            assert a.dtype == dtype
            np.testing.assert_allclose(a, b, rtol=0, atol=300 * eps * np.max(np.abs(b)))


@pytest.mark.parametrize("name", [p.name for p in select("parallel")])
@pytest.mark.parametrize("backend", ["reference", "python"])
def test_atomics_change_nothing(name, backend):
    """Value and gradient of the zoo's ``prange`` programs."""
    p = BY_NAME[name]
    made = []
    for options in ({"atomics": True}, {"parallel": False}):
        with srcad.using(backend=backend, verify=True, cache=False, **options):
            value, gradient = srcad.value_and_grad(p.fn, argnums=p.wrt)(*p.args())
            made.append((value, *gradient))
    for x, y in zip(*made, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)


def test_only_where_threads_meet():
    """What is owned, or meets near by, is added to as ever; copies only by default."""
    args = BY_NAME["swapped_grids"].args()
    assert "atomic" not in srcad.source(srcad.grad(swapped_grids, atomics=True), *args)
    args = BY_NAME["shared_bins"].args()
    g = srcad.grad(shared_bins, argnums=(0, 1), atomics=True)
    text = srcad.source(g, *args)
    assert sorted(re.findall(r"atomic\.add\((w_b|out)\w*,", text)) == ["out", "w_b"]
    assert text.count("atomic.add") == 2
    assert re.search(r"x_b\w*\[.*\] \+?= ", text)  # owned
    assert "atomic" not in srcad.source(srcad.grad(shared_bins, argnums=(0, 1)), *args)
    primal, adjoint = srcad.explain(g, *args).parallel
    assert (primal.atomic, adjoint.atomic) == (("out",), ("w_b",))
    assert not (primal.private or adjoint.private or primal.private_bytes or adjoint.private_bytes)
    assert "atomic additions to w_b" in str(adjoint)


def deciding(x, at):
    """The sums decide: they must be the same whenever they are made."""
    hits, sums = np.zeros(3), np.zeros(3)
    for i in numba.prange(len(x)):
        hits[at[i]] += x[i]
        sums[at[i]] += x[i] * x[i]
    s = 0.0
    for k in range(3):
        if hits[k] > 1.0:
            s += sums[k] * sums[k]
    return s


def test_decisions_are_the_same_in_every_run():
    """What is compared is added up in order, by copies."""
    primal, _ = srcad.explain(
        srcad.grad(deciding, atomics=True), np.ones(6), np.arange(6) % 3
    ).parallel
    assert primal.private == ("hits",) and primal.atomic == ("sums",)


def test_together_with_other_options():
    """A fixed order cannot be had at the same time."""
    with pytest.raises(TypeMismatch, match="atomics=True with deterministic=True"):
        srcad.grad(gathered, atomics=True, deterministic=True)(*arguments())
    with srcad.using(deterministic=True), pytest.raises(TypeMismatch, match="no fixed order"):
        srcad.grad(gathered, atomics=True)


def test_exported_modules_take_copies(tmp_path):
    """They use nothing of srcad."""
    g = srcad.grad(gathered, argnums=1, atomics=True)
    srcad.export(g, tmp_path / "slope.py", *arguments())
    text = (tmp_path / "slope.py").read_text()
    assert "_copies" in text and "atomic" not in text.split('"""')[2]


def named(atomic, at):
    """A variable of the name of the module."""
    out = np.zeros(3)
    for i in numba.prange(len(atomic)):
        out[at[i]] += atomic[i] * atomic[i]
    return np.sum(out * out)


def test_names():
    """The generated code uses the name for the module."""
    x, at = np.linspace(0.5, 1.5, 7), np.arange(7) % 3
    found = srcad.grad(named, atomics=True, backend="python")(x, at)
    np.testing.assert_allclose(found, srcad.grad(named, parallel=False)(x, at), rtol=1e-13)


def test_sums_through_inner_loops():
    """One atomic addition after the loop, of what a local has begun at zero."""
    b = Builder(Namer())
    x, a = b.var("x", ArrayT("f8", 1)), b.var("a", ArrayT("f8", 1))
    with b.loop(const(0), b.dim(x, 0)) as i:
        b.emit(Accumulate(a, (const(1),), b.load(x, i), atomic=True))
    made = summed(Function("f", (x, a), Block(tuple(b.stack[0]))))
    touching = [s for s in statements(made.body) if getattr(s, "array", None) == a]
    assert [type(s) for s in touching] == [Accumulate] and touching[0].atomic
    assert not any(isinstance(s, Load) and s.array == a for s in statements(made.body))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
def test_every_addition_counts(dtype):
    """All numbers are in the sums, whatever the layout; subscripts from the end too."""

    @numba.njit(parallel=True)
    def add_all(a, m, at):
        for k in numba.prange(len(at)):
            atomic.add(a, at[k], 1.0)
            atomic.add(m, (at[k], np.uint64(1)), 2)

    at = RNG.integers(-3, 3, 20000)
    counts = np.bincount(at % 5, minlength=5)
    for m in (
        np.zeros((5, 2), dtype),
        np.zeros((2, 5), dtype).T,
        np.zeros((10, 6), dtype)[::2, ::3],
    ):
        a = np.zeros(5, dtype)
        add_all(a, m, at)
        np.testing.assert_array_equal(a, counts)
        np.testing.assert_array_equal(m[:, 1], 2 * counts)
        assert not m[:, 0].any()


def test_parts_of_called_functions():
    """Of what they add up it is not known whether it decides something: copies."""
    p = BY_NAME["shared_bins"]
    g = srcad.grad(p.fn, argnums=p.wrt)
    fn = g.program(g.specs(g.bind(p.args(), {}))).fn
    assert any(r.atomic for r in parallelised(fn, None, True)[1])
    inside = Function("whole", fn.params, fn.body, {"whole": fn, **fn.callees})
    assert not any(r.atomic for r in parallelised(inside, False, True)[1])
