"""Scratch arrays that an iteration fills itself are made there: which are, and which must not be.

Gradients of those that are and of those that look like them are compared with forward mode, which
knows nothing of this, for loops of no trip, one and several.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad import compiler
from srcad.compiler import lowered
from srcad.ir.nodes import Alloc, For, While
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.transforms.inward import inward


@pytest.fixture(autouse=True)
def states_stay(monkeypatch):
    """Most of these states would be made anew before derivatives are (``test_renew``)."""
    monkeypatch.setattr(compiler, "renewed", lambda fn: fn)


def copied(u, steps, c):
    """The state of the step before."""
    u, old = u.copy(), np.empty(len(u))
    for _ in range(steps):
        for i in range(len(u)):
            old[i] = u[i]
        for i in range(1, len(u) - 1):
            u[i] = old[i] - c * old[i] * (old[i + 1] - old[i - 1])
    return np.sum(u * u)


def nested(u, steps, c):
    """Filled in the inner one of two loops over time."""
    u, old = u.copy(), np.empty(len(u))
    for _ in range(steps):
        for _ in range(2):
            for i in range(len(u)):
                old[i] = c * u[i]
            for i in range(1, len(u)):
                u[i] = old[i] * old[i - 1] + old[i]
    return np.sum(u)


def sometimes(u, steps, c):
    """A step that is not always made fills the array first, too."""
    u, old = u.copy(), np.empty(len(u))
    for k in range(steps):
        if k % 2 == 0:
            old[:] = u
            for i in range(1, len(u)):
                u[i] = old[i] * old[i - 1] - c * old[i] * old[i]
    return np.sum(u)


def again(u, steps, c):
    """Changed in place after it was read, and read once more."""
    u, old = u.copy(), np.empty(len(u))
    for _ in range(steps):
        old[:] = u
        for i in range(1, len(u)):
            u[i] = old[i] * old[i - 1] + c * old[i]
        for i in range(1, len(u)):
            old[i] = u[i] * old[i - 1]
        for i in range(1, len(u)):
            u[i] = u[i] + c * old[i] * old[i - 1]
    return np.sum(u)


def until(u, steps, c):
    """In a loop whose trips are not known."""
    u, old, k = u.copy(), np.empty(len(u)), 0
    while k < steps and u[1] < 9.0:
        old[:] = u
        for i in range(1, len(u)):
            u[i] = old[i] * old[i - 1] + c * old[i]
        k += 1
    return np.sum(u)


INWARD = (copied, nested, sometimes, again, until)


def handed_on(u, steps, c):
    """One element is what the iteration before has left there."""
    u, old = u.copy(), np.ones(len(u))
    for _ in range(steps):
        for i in range(1, len(u)):
            old[i] = u[i]
        for i in range(1, len(u)):
            u[i] = old[i] * old[i - 1] - c * old[i] * old[i]
        old[0] = 0.5 * u[1]
    return np.sum(u)


def read_after(u, steps, c):
    """What the last iteration has left is read behind the loop."""
    u, old = u.copy(), np.ones(len(u))
    for _ in range(steps):
        old[:] = u
        for i in range(1, len(u)):
            u[i] = old[i] * old[i - 1] - c * old[i] * old[i]
    return np.sum(u) + np.sum(old * old)


def filled_once(u, steps, c):
    """Filled in the first iteration only."""
    u, old = u.copy(), np.zeros(len(u))
    for k in range(steps):
        if k == 0:
            old[:] = u
        for i in range(1, len(u)):
            u[i] = u[i] + old[i] * old[i - 1] - c * u[i] * u[i]
    return np.sum(u)


def half_filled(u, steps, c):
    """The second half stays as it was two iterations ago."""
    u, old = u.copy(), np.ones(len(u))
    for k in range(steps):
        for i in range(len(u) // 2):
            old[i] = u[i]
        for i in range(1, len(u)):
            u[i] = old[i] * old[i - 1] - c * old[i] * old[i]
        old[len(u) - 1] = u[0] * k
    return np.sum(u)


def seen_elsewhere(u, steps, c):
    """A view sees what the iteration before has left."""
    u, old = u.copy(), np.ones(len(u))
    tail, total = old[2:], 0.0
    for _ in range(steps):
        total += tail[0] * u[0]
        old[:] = u
        for i in range(1, len(u)):
            u[i] = old[i] * old[i - 1] - c * old[i] * old[i]
    return np.sum(u) + total


OTHERS = (handed_on, read_after, filled_once, half_filled, seen_elsewhere)


def moved(f):
    """The primal and, if there is one, the version with its scratch array further in."""
    g, args = srcad.grad(f), (np.linspace(0.2, 0.7, 6), 3, 0.3)
    fn = lowered(f, g.specs(g.bind(args, {})), srcad.options.Options()).fn
    return fn, inward(fn, {s.target.name for s in statements(fn.body) if isinstance(s, Alloc)})


@pytest.mark.parametrize("f", INWARD, ids=lambda f: f.__name__)
def test_scratch_arrays_are_made_in_the_iteration(f):
    """In the innermost loop that can have them, as verified IR, and only once."""
    _, found = moved(f)
    assert found is not None
    verify(found[0])
    made = {
        s.target.name
        for loop in statements(found[0].body)
        if isinstance(loop, (For, While))
        for s in loop.body.stmts
        if isinstance(s, Alloc)
    }
    assert found[1] == made and inward(found[0], made) is None


@pytest.mark.parametrize("f", OTHERS, ids=lambda f: f.__name__)
def test_other_arrays_stay(f):
    """What an iteration hands to the next one, or to what follows the loop."""
    assert moved(f)[1] is None


@pytest.mark.parametrize("f", [*INWARD, *OTHERS], ids=lambda f: f.__name__)
def test_gradients_are_right(f):
    """Also for loops of no trip, and arrays too short for their formulas."""
    g = srcad.grad(f, argnums=(0, 2), backend="reference")
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for n, steps in ((3, 2), (5, 0), (5, 1), (5, 4)):
        args = np.linspace(0.2, 0.7, n), steps, 0.3
        for x, y in zip(g(*args), forward(*args), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14)


def test_the_array_itself_is_kept():
    """Nothing is copied to a tape, and one state a step is kept."""
    args = np.linspace(0.2, 0.7, 7), 5, 0.3
    g = srcad.grad(copied, backend="cpu")
    assert srcad.source(g, *args).count("old") and "old_row" not in srcad.source(g, *args)
    assert srcad.explain(g, *args).tape_bytes == 5 * 7 * 8
