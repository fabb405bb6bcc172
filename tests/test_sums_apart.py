"""Sums in loops of their own (``fastmath="all"``): where that is right, and where it is not."""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from tests.test_relaxed import X, module


def powers(x, t):
    """A polynomial; the powers are kept."""
    r, p, kept = 1.0, 1.0, np.zeros(x.shape[0])
    for j in range(x.shape[0]):
        kept[j] = p
        r -= x[j] * p
        p *= t
    return r * r + p, kept


def overwritten(x, t):
    """What is kept is changed again, in the same loop."""
    r, p, kept = 1.0, 1.0, np.zeros(x.shape[0])
    for j in range(x.shape[0] - 1):
        kept[j] = p
        r -= x[j] * p
        p *= t
        kept[j + 1] = 3.0
    return r * r + p, kept


def together(x, t):
    """The recurrence depends on the sum."""
    r, p, kept = 1.0, 1.0, np.zeros(x.shape[0])
    for j in range(x.shape[0]):
        kept[j] = p
        r -= x[j] * p
        p *= t + r * 1e-3
    return r * r + p, kept


def summed_in_place(x, t):
    """What is summed is read from the array that the loop writes."""
    r, p, kept = 1.0, 1.0, np.zeros(x.shape[0])
    for j in range(1, x.shape[0]):
        kept[j] = p
        r -= kept[j - 1] * p
        p *= t
    return r * r + p, kept


def from_both_ends(x, t):
    """Subscripts that count from the end come back to what was kept before."""
    half = x.shape[0] // 2
    r, p, kept = 1.0, 1.0, np.zeros(half)
    for j in range(-half, half):
        kept[j] = p
        r -= x[j + half] * p
        p *= t
    return r * r + p, kept


def twice_around(x, t):
    """The same, by what is subtracted."""
    half = x.shape[0] // 2
    r, p, kept = 1.0, 1.0, np.zeros(half)
    for j in range(2 * half):
        kept[j - half] = p
        r -= x[j] * p
        p *= t
    return r * r + p, kept


FOUND = [powers, overwritten, together, summed_in_place, from_both_ends, twice_around]


@pytest.mark.parametrize("n", [0, 1, 5])
@pytest.mark.parametrize("f", FOUND)
def test_sums_apart(f, n):
    """Two loops where that is right; the interpreter gives the same bits."""
    a = srcad.differentiable(f, backend="reference")(X[:n], 0.9)
    g = srcad.differentiable(f, backend="reference", fastmath="all", verify=True)
    b = g(X[:n], 0.9)
    assert a[0] == b[0]
    np.testing.assert_array_equal(a[1], b[1])
    loops = module(g, X[:n], 0.9).source.count("for ")
    assert loops == (2 if f is powers else 1)
