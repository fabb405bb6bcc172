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
    assert "u_tape = np.empty((max(steps, 0) + 1, n))" in source and "append" not in source
    assert "[np.uint64(i - 2)]" in source
    value, slope = g(u, 3)
    other = srcad.value_and_grad(smoothed, backend="reference")(u, 3)
    np.testing.assert_allclose(slope, other[1], rtol=1e-14)
    np.testing.assert_allclose(value, other[0], rtol=1e-14)


def diffused(x, steps, c):
    """Two states in two dimensions; the one that is read is overwritten in the next step."""
    a, b = x.copy(), x.copy()
    for _ in range(steps):
        for i in range(1, len(x) - 1):
            for j in range(1, x.shape[1] - 1):
                around = a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1]
                b[i, j] = a[i, j] + c * a[i, j] * a[i, j] * (around - 4.0 * a[i, j])
        for i in range(len(x)):
            for j in range(x.shape[1]):
                a[i, j] = b[i, j]
    return np.sum(a * b)


def only_if(x, steps, c):
    """The state is read in branches, through a view too, and twice before it is overwritten."""
    a = x.copy()
    for k in range(steps):
        second, total = a[1], 0.0
        for i in range(len(x)):
            for j in range(x.shape[1]):
                if a[i, j] > 0.5:
                    total += a[i, j] * a[i, j] * second[j]
                else:
                    total += c * a[i, j] * a[i, j - 1]
        for i in range(len(x)):
            for j in range(x.shape[1]):
                a[i, j] = np.sin(a[i, j] * total) + k * a[i, j] * a[i, j]
    return np.sum(a)


def inner_sum(x, steps, c):
    """What is read of the state is carried by an inner loop, and recorded."""
    a, b = x.copy(), np.zeros(x.shape)
    for _ in range(steps):
        for i in range(len(x)):
            left = a[i, 0]
            for j in range(x.shape[1]):
                b[i, j] = left * a[i, j] * c + a[i, j] * a[i, j]
                left = a[i, j]
        a[:] = b
        a[0] = 0.5
    return np.sum(a)


@pytest.mark.parametrize("f", [diffused, only_if, inner_sum], ids=lambda f: f.__name__)
def test_a_copy_that_only_the_reverse_sweep_reads(f):
    """It has the values; the adjoint goes to the array itself, so the copy has none."""
    source = srcad.source(srcad.grad(f, backend="cpu"), np.ones((5, 5)), 2, 0.1)
    assert ("a_row" in source) == (f is not inner_sum) and "a_row_b" not in source
    g = srcad.grad(f, argnums=(0, 2), backend="reference")
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for n, m, steps in ((3, 3, 1), (4, 3, 2), (3, 4, 0)):
        args = np.random.default_rng(n + m).uniform(0.2, 0.9, (n, m)), steps, 0.1
        for found, expected in zip(g(*args), forward(*args), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def spread(x, c):
    """Rows of one array in the adjoint; the primal writes another array than it reads."""
    out = np.zeros(x.shape)
    for i in range(1, len(x) - 1):
        for j in range(x.shape[1]):
            out[i, j] = c * (x[i - 1, j] + x[i + 1, j]) + x[i, j]
    total = 0.0
    for i in range(len(x)):
        for j in range(x.shape[1]):
            total += out[i, j] * out[i, j]
    return total


def test_the_counter_is_hidden_where_rows_of_one_array_meet():
    """LLVM would test once for all rows whether they overlap, find that they do, and give up."""
    source = srcad.source(srcad.grad(spread, backend="cpu"), np.ones((5, 5)), 0.1)
    forward, reverse = source.split("# adjoint of", 1)
    assert "opaque" in reverse and "opaque" not in forward
    x = np.random.default_rng(0).uniform(0.2, 0.9, (6, 5))
    slope = srcad.grad(spread, backend="reference")(x, 0.1)
    np.testing.assert_allclose(srcad.grad(spread, backend="cpu")(x, 0.1), slope, rtol=1e-13)


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
