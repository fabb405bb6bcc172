"""The shape of generated loops and tapes that makes them fast: what is printed, what it gives."""

from __future__ import annotations

import numpy as np

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
    g, u = srcad.value_and_grad(smoothed, backend="cpu"), np.linspace(0.1, 0.9, 9)
    source = srcad.source(g, u, 3)
    assert "row_tape = np.empty((max(steps, 0), n))" in source and "append" not in source
    assert "[np.uint64(i - 2)]" in source
    value, slope = g(u, 3)
    other = srcad.value_and_grad(smoothed, backend="reference")(u, 3)
    np.testing.assert_allclose(slope, other[1], rtol=1e-14)
    np.testing.assert_allclose(value, other[0], rtol=1e-14)
