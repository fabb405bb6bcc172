"""det: determinant by recursive expansion by minors, and its gradient.

Deliberately the slow way, of n! products: the eval measures scalar code and recursion.
"""

from __future__ import annotations

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def minor(a, row, used):
    """Determinant of the rows from ``row`` on, in the columns whose bit in ``used`` is not set."""
    n = len(a)
    total = 0.0
    sign = 1.0
    for column in range(n):
        if used & (1 << column) == 0:
            below = 1.0
            if row + 1 < n:
                below = minor(a, row + 1, used | (1 << column))
            total += sign * a[row, column] * below
            sign = -sign
    return total


@njit
def determinant(a):
    """Determinant of a square matrix."""
    return minor(a, 0, 0)


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
