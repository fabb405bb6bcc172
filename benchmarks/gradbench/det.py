"""det: determinant by recursive expansion by minors, and its gradient.

Deliberately the slow way, of n! products: the eval measures scalar code and recursion.
"""

from __future__ import annotations

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def minor(a, size, following):
    """Determinant of the last ``size`` rows of ``a`` in the columns still there.

    ``following[j]`` is the next column still there after j; the first is ``following[n]``.  Columns
    are taken out and put back in place.
    """
    n = len(a)
    row = n - size
    if size == 1:
        return a[row, following[n]]
    total = 0.0
    sign = 1.0
    before = n
    for _ in range(size):
        column = following[before]
        following[before] = following[column]
        total += sign * a[row, column] * minor(a, size - 1, following)
        following[before] = column
        before = column
        sign = -sign
    return total


@njit
def determinant(a):
    """Determinant of a square matrix."""
    n = len(a)
    following = np.empty(n + 1, np.int64)
    for j in range(n):
        following[j] = j + 1
    following[n] = 0
    return minor(a, n, following)


def read(given):
    """The matrix."""
    n = int(given["ell"])
    return (np.array(given["A"], dtype=np.float64).reshape(n, n),)


def write(gradient):
    """The gradient row by row."""
    return gradient.ravel().tolist()


FUNCTIONS = {
    "primal": Function(read, determinant),
    "gradient": Function(read, srcad.grad(determinant), write),
}
EXAMPLES = ({"ell": 2, "A": [1.0, 2.0, 3.0, 5.0]},)
