"""hello: the square of a number, and its derivative."""

from __future__ import annotations

from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def square(x):
    """x squared."""
    return x * x


def read(given):
    """One number."""
    return (float(given),)


FUNCTIONS = {"square": Function(read, square), "double": Function(read, srcad.grad(square))}
EXAMPLES = (2.0,)
