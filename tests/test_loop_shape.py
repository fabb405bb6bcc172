"""The shape of generated loops and tapes that makes them fast: what is printed, what it gives."""

from __future__ import annotations

import numpy as np
import pytest

import srcad


def smoothed(u, steps):
    """A stencil over the old state, whose rows are saved."""
    u, old = u.copy(), np.empty_like(u)
    for _ in range(steps):
        for i in range(len(u)):
            old[i] = u[i]
        for i in range(2, len(u) - 2):
            u[i] = old[i - 2] * old[i + 2] + np.sin(old[i])
    return np.sum(u * u)


def test_rows_of_a_counted_loop_are_one_matrix():
    """Compiled, one allocation holds what each step saves; subscripts from 2 on are unsigned."""
    g = srcad.value_and_grad(smoothed, backend="cpu", vector_math=False)
    u = np.linspace(0.1, 0.9, 9)
    source = srcad.source(g, u, 3)
    assert "old_tape = np.empty((max(steps, 0), n))" in source and "append" not in source
    assert "[np.uint64(i - 2)]" in source
    value, slope = g(u, 3)
    other = srcad.value_and_grad(smoothed, backend="reference")(u, 3)
    np.testing.assert_allclose(slope, other[1], rtol=1e-14)
    np.testing.assert_allclose(value, other[0], rtol=1e-14)


def scaled(x, out, width):
    """Divides by what the loop does not change, after it has written an argument, or before."""
    total = 0.0
    for i in range(len(x)):
        total += x[i] / width
        out[i] = total
    return total


def marked(x, out, width):
    """The same, but the caller sees the first write before the exception."""
    total = 0.0
    for i in range(len(x)):
        out[i] = x[i]
        total += x[i] / width
    return total


def test_invariant_checks_are_made_once():
    """Before the loop, if it is entered, and not before what the caller can see."""
    x = np.array([1.0, 2.0])
    with srcad.options.using(backend="reference"):
        for f, seen in ((scaled, 0.0), (marked, 1.0)):
            source, out = srcad.source(srcad.grad(f), x, np.zeros(2), 2.0), np.zeros(2)
            assert (source.index("raise") < source.index("for i")) == (f is scaled)
            with pytest.raises(ZeroDivisionError):
                srcad.grad(f)(x, out, 0.0)
            assert out[0] == seen
            assert srcad.grad(f)(x[:0], out[:0], 0.0).shape == (0,)
            np.testing.assert_allclose(srcad.grad(f)(x, out, 2.0), 0.5)
