"""lse: log(sum(exp(x))) of a vector, and its gradient."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def log_sum_exp(x):
    """log(sum(exp(x))); the largest entry is taken out, so that nothing overflows."""
    top = x[0]
    for i in range(1, len(x)):
        if x[i] > top:
            top = x[i]
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i] - top)
    return top + math.log(total)


def read(given):
    """The vector."""
    return (np.array(given["x"], dtype=np.float64),)


FUNCTIONS = {
    "primal": Function(read, log_sum_exp),
    "gradient": Function(read, srcad.grad(log_sum_exp)),
}
EXAMPLES = ({"x": [0.0, 1.0, 0.5]},)
