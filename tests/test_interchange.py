"""Loops that change places before derivatives are made: where they do, where they must not.

Programs are run by the interpreter before and after, and as plain Python: the same bits.  Random
nests are swapped wherever that is found legal, whether it is worth it or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import srcad
from srcad import compiler
from srcad.backends.reference import run
from srcad.ir.nodes import For, Function
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.interchange import along_rows, interchanged, swapped
from srcad.storage.interchange.nests import Nests
from srcad.storage.interchange.swap import with_instead
from tests.interchange_programs import ALONG, AS_WRITTEN, FIRE, MATRIX, STAY, VECTOR, drawn, powers


def lowered(f, args, monkeypatch) -> Function:
    """The primal as it is without the pass."""
    monkeypatch.setattr(compiler, "interchanged", lambda fn: fn)
    g = srcad.differentiable(f, backend="reference", cache=False)
    fn = g.program(g.specs(g.bind(args, {}))).fn
    monkeypatch.undo()
    return fn


def outcome(fn: Any, args: tuple[Any, ...]) -> list[Any]:
    """Results, and the arguments afterwards."""
    mine = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
    with np.errstate(all="ignore"):
        got = run(fn, mine) if isinstance(fn, Function) else fn(*mine)
    return [*(got if isinstance(got, tuple) else (got,)), *mine]


def alike(one: list[Any], two: list[Any]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True))


def order(fn: Function) -> list[str]:
    """The counters of all loops, outer ones first."""
    return [s.index.name for s in statements(fn.body) if isinstance(s, For)]


@pytest.mark.parametrize("f", FIRE)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_states_become_numbers(f, n, monkeypatch):
    args = (VECTOR, MATRIX, n)
    fn = lowered(f, args, monkeypatch)
    after = swapped(fn)
    verify(after)
    assert order(after) != order(fn)
    assert alike(outcome(fn, args), outcome(after, args))
    if n:  # NumPy's pow and sin are not Numba's to the last bit, products and sums are
        np.testing.assert_allclose(outcome(after, args)[0], outcome(f, args)[0], rtol=1e-13)


@pytest.mark.parametrize("f", STAY)
def test_these_stay(f, monkeypatch):
    args = (VECTOR, MATRIX, 5)
    fn = lowered(f, args, monkeypatch)
    assert order(swapped(fn)) == order(fn)


@pytest.mark.parametrize("f", ALONG)
@pytest.mark.parametrize("n", [0, 3])
def test_rows_go_inside(f, n, monkeypatch):
    args = (VECTOR, MATRIX, n)
    fn = lowered(f, args, monkeypatch)
    after = along_rows(fn)
    verify(after)
    assert order(after) != order(fn)
    assert alike(outcome(fn, args), outcome(after, args))
    np.testing.assert_allclose(outcome(after, args)[0], outcome(f, args)[0], rtol=1e-13)


@pytest.mark.parametrize("f", AS_WRITTEN)
def test_these_keep_their_order(f, monkeypatch):
    fn = lowered(f, (VECTOR, MATRIX, 5), monkeypatch)
    assert order(along_rows(fn)) == order(fn)


def test_overlapping_arguments_stay(monkeypatch):
    """``a`` is written and may be ``b``."""

    def f(a, b):
        for _ in range(3):
            for i in range(1, a.shape[0]):
                a[i] = a[i] * 0.5 + b[i - 1]
        return a[1]

    fn = lowered(f, (VECTOR, VECTOR), monkeypatch)
    assert order(swapped(fn)) == order(fn)


@pytest.mark.parametrize("f", FIRE + ALONG)
def test_gradients_are_those_of_the_program_as_written(f, monkeypatch):
    args = (VECTOR, MATRIX, 6)

    def gradient():
        g = srcad.value_and_grad(f, argnums=(0, 1), backend="reference", cache=False)
        return g(*(a.copy() if isinstance(a, np.ndarray) else a for a in args))

    value, (dx, dz) = gradient()
    monkeypatch.setattr(compiler, "interchanged", lambda fn: fn)
    other, (ex, ez) = gradient()
    assert value == other
    np.testing.assert_allclose(dx, ex, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dz, ez, rtol=1e-12, atol=1e-14)


def test_what_is_recorded_is_one_iteration():
    g = srcad.value_and_grad(powers)
    assert srcad.explain(g, np.ones(100), np.zeros((1, 1)), 1000).tape_bytes == 800


def test_random_nests(monkeypatch):
    rng = np.random.default_rng(0)
    legal = fired = 0
    for seed in range(SEEDS):
        args = (rng.uniform(-1, 1, 14), rng.uniform(-1, 1, (14, 14)), seed % 5)
        f = drawn(seed)
        fn = lowered(f, args, monkeypatch)
        nests = Nests(fn)
        expected = None
        for s in [t for t in statements(fn.body) if isinstance(t, For)]:
            nest = nests.of(s)
            if nest is None:
                continue
            legal += 1
            other = replace(fn, body=with_instead(fn.body, s, nest.swapped()))
            verify(other)
            expected = expected or outcome(fn, args)
            assert alike(expected, outcome(other, args)), seed
        after = interchanged(fn)
        if order(after) != order(fn):
            fired += 1
            verify(after)
            assert alike(outcome(fn, args), outcome(after, args)), seed
    assert legal > SEEDS // 12 and fired > SEEDS // 40


SEEDS = 120


def gates(x, z, n):
    """Layers inside of time: elementary functions over all elements of a layer are vectors."""
    u, total = x.copy(), 0.0
    for _ in range(n):
        for k in range(z.shape[0]):
            for i in range(x.shape[0]):
                u[i] = np.tanh(u[i] * z[k, i])
        total += u[0]
    return total


def test_vector_functions_within_loops_stay(monkeypatch):
    fn = lowered(gates, (VECTOR, MATRIX, 3), monkeypatch)
    assert order(interchanged(fn)) == order(fn)
