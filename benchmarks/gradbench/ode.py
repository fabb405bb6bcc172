"""ode: a chain of linear reactions solved by Runge-Kutta, and the gradient of its last unknown."""

from __future__ import annotations

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def slopes(x, y, out):
    """dy_0/dt = x_0, dy_i/dt = x_i y_(i-1)."""
    out[0] = x[0]
    for i in range(1, len(x)):
        out[i] = x[i] * y[i - 1]


@njit
def solve(x, steps):
    """y(2) from y(0) = 0, by the classic method of fourth order."""
    n = len(x)
    h = 2.0 / steps
    y = np.zeros(n)
    at = np.empty(n)
    k1 = np.empty(n)
    k2 = np.empty(n)
    k3 = np.empty(n)
    k4 = np.empty(n)
    for _ in range(steps):
        slopes(x, y, k1)
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k1[i]
        slopes(x, at, k2)
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k2[i]
        slopes(x, at, k3)
        for i in range(n):
            at[i] = y[i] + h * k3[i]
        slopes(x, at, k4)
        for i in range(n):
            y[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0
    return y


@njit
def last(x, steps):
    """What the gradient is of: the last entry of the solution."""
    return solve(x, steps)[len(x) - 1]


def read(given):
    """Rates, and the number of steps."""
    return np.array(given["x"], dtype=np.float64), int(given["s"])


FUNCTIONS = {"primal": Function(read, solve), "gradient": Function(read, srcad.grad(last))}
EXAMPLES = ({"x": [0.1, 0.2], "s": 2},)
