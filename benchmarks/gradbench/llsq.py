"""llsq: least squares fit of a polynomial to the sign function, and its gradient."""

from __future__ import annotations

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def misfit(x, n):
    """Half the sum of (sign(t) - x_0 - x_1 t - x_2 t^2 - ...)^2 over n points t in [-1, 1]."""
    total = 0.0
    for i in range(n):
        t = -1.0 + 2.0 * i / (n - 1)
        if t > 0.0:
            residual = 1.0
        elif t < 0.0:
            residual = -1.0
        else:
            residual = 0.0
        power = 1.0
        for j in range(len(x)):
            residual -= x[j] * power
            power *= t
        total += residual * residual
    return 0.5 * total


def read(given):
    """Coefficients, and the number of points."""
    return np.array(given["x"], dtype=np.float64), int(given["n"])


FUNCTIONS = {"primal": Function(read, misfit), "gradient": Function(read, srcad.grad(misfit))}
EXAMPLES = ({"x": [0.1, 0.2], "n": 4},)
