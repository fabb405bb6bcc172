"""gmm: log posterior of a Gaussian mixture with a Wishart prior, and its gradient."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.lse import log_sum_exp
from benchmarks.gradbench.protocol import Function


@njit
def whiten(point, mean, scales, lower, out):
    """out = L (point - mean), L lower triangular: diagonal ``scales``, below packed by columns."""
    d = len(point)
    for i in range(d):
        out[i] = scales[i] * (point[i] - mean[i])
    p = 0
    for column in range(d):
        shift = point[column] - mean[column]
        for row in range(column + 1, d):
            out[row] += lower[p] * shift
            p += 1


@njit
def square_sum(v):
    """Sum of squares."""
    total = 0.0
    for i in range(len(v)):
        total += v[i] * v[i]
    return total


@njit
def log_posterior(alpha, mu, q, l, x, gamma, m):
    """Log posterior, by the unnormalised weights, means and factors of the precisions.

    The precision of component k is the product of a lower triangular factor with its transpose;
    ``q[k]`` holds the logarithms of the factor's diagonal, ``l[k]`` what is below, by columns.
    """
    n, d = x.shape
    components = len(alpha)
    scales = np.empty((components, d))
    log_dets = np.zeros(components)
    prior = 0.0
    for k in range(components):
        for i in range(d):
            scales[k, i] = math.exp(q[k, i])
            log_dets[k] += q[k, i]
        squares = square_sum(scales[k]) + square_sum(l[k])
        prior += 0.5 * gamma * gamma * squares - m * log_dets[k]
    white = np.empty(d)
    logs = np.empty(components)
    likelihood = 0.0
    for sample in range(n):
        for k in range(components):
            whiten(x[sample], mu[k], scales[k], l[k], white)
            logs[k] = alpha[k] + log_dets[k] - 0.5 * square_sum(white)
        likelihood += log_sum_exp(logs)
    freedom = d + m + 1
    constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    for i in range(d):
        constant -= math.lgamma(0.5 * (freedom - i))
    likelihood -= 0.5 * n * d * math.log(2.0 * math.pi) + n * log_sum_exp(alpha)
    return likelihood + components * constant - prior


def read(given):
    """Parameters, data, and the prior's two numbers."""
    k, d = given["k"], given["d"]
    shapes = {"alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    shapes["x"] = (given["n"], d)
    arrays = (np.array(given[name], dtype=np.float64).reshape(s) for name, s in shapes.items())
    return *arrays, float(given["gamma"]), int(given["m"])


def write(gradient):
    """The parts by name."""
    return {n: g.tolist() for n, g in zip(("alpha", "mu", "q", "l"), gradient, strict=True)}


FUNCTIONS = {
    "objective": Function(read, log_posterior),
    "jacobian": Function(read, srcad.grad(log_posterior, argnums=("alpha", "mu", "q", "l")), write),
}
EXAMPLES = (
    {
        "d": 2,
        "k": 2,
        "n": 2,
        "alpha": [0.1, 0.2],
        "mu": [[0.1, 0.2], [0.3, 0.4]],
        "q": [[0.1, 0.2], [0.3, 0.4]],
        "l": [[0.1], [0.2]],
        "x": [[0.1, 0.2], [0.3, 0.4]],
        "m": 0,
        "gamma": 1.0,
    },
)
