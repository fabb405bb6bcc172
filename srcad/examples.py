"""Three small functions for the doctests (a doctest's own functions have no source file)."""

import numpy as np


def square_sum(x):
    """Sum of squares, as a loop."""
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


def squares(x):
    """Squares, as an array expression."""
    return x * x


def fixed_steps(x, n):
    """``n`` steps of an in-place iteration."""
    u = np.ones(3)
    for _ in range(n):
        u[1:] += x * u[:-1]
    return u[2]
