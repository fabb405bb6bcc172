"""Copies at the end of an iteration become exchanges: which do, that it is right, which must not.

What is compiled for a gradient is run by the reference interpreter, before and after, and compared
with forward mode; single loops are compared on small integers, whose sums are exact.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import srcad
from srcad import compiler
from srcad.backends.reference import run
from srcad.compiler import finished
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Function, Loc
from srcad.ir.types import ArrayT
from srcad.ir.verify import verify
from srcad.storage.exchange import exchanged

VECTOR = ArrayT("f8", 1)


@pytest.fixture(autouse=True)
def states_stay(monkeypatch):
    """Most of these states would be made anew before derivatives are (``test_renew``)."""
    monkeypatch.setattr(compiler, "renewed", lambda fn: fn)


def burgers(x, steps, c):
    """The ends stay."""
    u, old = x.copy(), np.empty(len(x))
    for _ in range(steps):
        for i in range(len(x)):
            old[i] = u[i]
        for i in range(1, len(x) - 1):
            u[i] = old[i] - c * old[i] * (old[i] - old[i - 1]) + c * old[i + 1]
    return np.sum(u * u)


def one_end(x, steps, c):
    """The first three elements stay, and one of them is read in each step."""
    u, total = x.copy(), 0.0
    for _ in range(steps):
        old = u.copy()
        for i in range(3, len(x)):
            u[i] = old[i] * old[i - 1] + c * old[i - 3]
        total += u[0] * old[1]
    return np.sum(u * u) + total


def until(x, steps, c):
    """In a loop whose trips are not known."""
    u, k = x.copy(), 0
    while k < steps and u[1] < 9.0:
        old = u.copy()
        for i in range(1, len(x) - 1):
            u[i] = old[i] * old[i - 1] + c * old[i + 1] * old[i + 1]
        k += 1
    return np.sum(u * u)


def used_in_between(x, steps, c):
    """The state is looked at in each step, after it was made."""
    u, total = x.copy(), 0.0
    for _ in range(steps):
        old = u.copy()
        for i in range(1, len(x) - 1):
            u[i] = old[i] * old[i - 1] + c * old[i + 1] * old[i]
        for i in range(len(x)):
            total += c * u[i] * u[i]
    return total


def compiled(f, args):
    """What is compiled for a gradient, as IR."""
    g = srcad.grad(f, backend="cpu", vector_math=False, argnums=(0, 2))
    return finished(g.program(g.specs(g.bind(args, {}))))


def changing(fn):
    """How many loops hand on arrays in each other's place."""
    again = exchanged(replace(fn))
    return str(again).count("Carried") - str(fn).count("Carried")


@pytest.mark.parametrize("f", [burgers, one_end, until, used_in_between], ids=lambda f: f.__name__)
def test_gradients_are_right(f):
    """For no step, and for arrays too short for their formulas."""
    fn = compiled(f, (np.ones(5), 3, 0.3))
    assert "u_b, old_b = old_b, u_b" in srcad.source(srcad.grad(f), np.ones(5), 3, 0.3)
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for n in (1, 2, 3, 4, 5, 9):
        for steps in (0, 1, 3, 4):
            if n < 3 and f in (until, one_end):
                continue
            args = 0.3 + 0.2 * np.sin(np.arange(float(n))), steps, 0.3
            for found, expected in zip(run(fn, args), forward(*args), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def loop(n, trips, *, first=1, last=1, adds=True, role="adjoint", before=(), between=(), size=None):
    """Iterations that fill one array from another, and add to that at the end."""
    b = Builder(Namer(), Loc("f.py", 1, role=role))
    u = b.alloc(VECTOR, (const(n),), False, "u")
    w = b.alloc(VECTOR, (const(n if size is None else size),), True, "w")
    with b.loop(const(0), const(n)) as i:
        b.store(u, (i,), b.op("f8", b.op("add", i, const(1))))
    with b.loop(const(0), const(trips)):
        for emit in before:
            emit(b, u, w)
        with b.loop(const(0), const(n)) as i:
            b.store(w, (i,), b.op("mul", b.load(u, i), const(2.0)))
        if adds:
            with b.loop(const(first), const(n - last)) as i:
                b.store(u, (i,), const(0.0))
        for emit in between:
            emit(b, u, w)
        with b.loop(const(0), const(n)) as i:
            b.accumulate(u, (i,), b.load(w, i)) if adds else b.store(u, (i,), b.load(w, i))
    fn = Function("f", (), Block(tuple(b.stack[0]), (u,)))
    verify(fn)
    return fn


@pytest.mark.parametrize("adds", [True, False])
@pytest.mark.parametrize(("first", "last"), [(1, 1), (0, 0), (2, 0), (0, 3), (4, 5)])
def test_ranges_that_are_cleared(first, last, adds):
    """Of all elements, of none, and of more than there are."""
    for n in range(6):
        fn = loop(n, 3, first=first, last=last, adds=adds)
        after = exchanged(fn)
        verify(after)
        assert after is not fn and changing(fn) == 2
        np.testing.assert_array_equal(run(after, ())[0], run(fn, ())[0])


def reads(b, u, w):
    """What the iteration before has left in the second array."""
    b.accumulate(u, (const(0),), b.load(w, const(1)))


def sees(b, u, w):
    """A view of the first."""
    b.view(u, "index", (("slice", const(1), None, None),), ArrayT("f8", 1, "A"))


OTHERS = [
    {"before": [reads]},
    {"between": [reads]},
    {"before": [sees]},
    {"role": "primal"},
    {"size": 6},
]


@pytest.mark.parametrize("how", OTHERS, ids=lambda how: "-".join(how))
def test_others_stay(how):
    """What is in the second array counts, or somebody else could tell."""
    fn = loop(5, 3, **how)
    assert changing(fn) == 0


def test_arrays_of_an_outer_loop_stay():
    """What changes places in an inner loop would have to in the outer one."""
    b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
    inner = loop(5, 3)
    made, filled, steps = inner.body.stmts[:2], inner.body.stmts[2:-1], inner.body.stmts[-1]
    b.namer.taken |= {"t_9"}
    with b.loop(const(0), const(2), hint="outer"):
        b.emit(steps)
    fn = replace(inner, body=Block((*made, *filled, *b.stack[0]), inner.body.yields))
    verify(fn)
    assert changing(fn) == 0
