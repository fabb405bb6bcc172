"""The programs of ``benchmarks.parallel``: ordinary functions whose outer loop is a ``prange``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange

from examples.adbench import log_sum_exp, project, whiten
from examples.parallel_options import asian_call


def mixture(weights, means, log_scales, lower, points):
    """Log likelihood of a Gaussian mixture; every sample has scratch arrays of its own."""
    n, d = points.shape
    k = len(weights)
    scales = np.exp(log_scales)
    dets = np.zeros(k)
    for c in range(k):
        for i in range(d):
            dets[c] += log_scales[c, i]
    total = 0.0
    for sample in prange(n):
        white, logs = np.empty(d), np.empty(k)
        for c in range(k):
            whiten(points[sample], means[c], scales[c], lower[c], white)
            square = 0.0
            for i in range(d):
                square += white[i] * white[i]
            logs[c] = weights[c] + dets[c] - 0.5 * square
        total += log_sum_exp(logs)
    return total - n * log_sum_exp(weights)


def bundle(cameras, points, weights, seen, measured):
    """Squared residuals of bundle adjustment: observations share cameras and points."""
    total = 0.0
    for k in prange(len(weights)):
        turned, shifted = np.empty(3), np.empty(3)
        u, v = project(cameras[seen[k, 0]], points[seen[k, 1]], turned, shifted)
        a = weights[k] * (u - measured[k, 0])
        b = weights[k] * (v - measured[k, 1])
        total += a * a + b * b + (1.0 - weights[k] * weights[k]) ** 2
    return total


@njit
def conductivity(u):
    """How well heat flows where the temperature is u."""
    return 1.0 / (1.0 + math.exp(-u))


def diffusion(u, target, steps, dt):
    """Nonlinear heat flow on a grid, two arrays in turn; the misfit at the end."""
    n, m = u.shape
    now, new = u.copy(), u.copy()
    for _ in range(steps):
        for i in prange(1, n - 1):
            for j in range(1, m - 1):
                here = now[i, j]
                flow = conductivity(0.5 * (here + now[i - 1, j])) * (now[i - 1, j] - here)
                flow += conductivity(0.5 * (here + now[i + 1, j])) * (now[i + 1, j] - here)
                flow += conductivity(0.5 * (here + now[i, j - 1])) * (now[i, j - 1] - here)
                flow += conductivity(0.5 * (here + now[i, j + 1])) * (now[i, j + 1] - here)
                new[i, j] = here + dt * flow
        now, new = new, now
    total = 0.0
    for i in prange(n):
        for j in range(m):
            total += (now[i, j] - target[i, j]) ** 2
    return total


@dataclass(frozen=True)
class Case:
    """A program, what it is differentiated with respect to, and its arguments."""

    name: str
    f: Callable[..., float]
    wrt: tuple[int, ...]
    args: tuple[Any, ...]
    size: str


def cases(scale: float = 1.0) -> list[Case]:
    """The programs on random data; ``scale`` shortens their outer loops."""
    rng = np.random.default_rng(0)
    n, d, k = int(4000 * scale), 16, 10
    gmm = (
        rng.normal(size=k),
        rng.normal(size=(k, d)),
        0.1 * rng.normal(size=(k, d)),
        0.1 * rng.normal(size=(k, d * (d - 1) // 2)),
        rng.normal(size=(n, d)),
    )
    seen_by, p = 40, int(100_000 * scale)
    count = p // 8 + 1
    at = np.arange(p)
    ba = (
        0.1 * rng.normal(size=(seen_by, 11)),
        rng.normal(size=(count, 3)) + np.array([0.0, 0.0, 10.0]),
        rng.uniform(0.5, 1.5, p),
        np.stack([at % seen_by, rng.permutation(at) % count], axis=1),
        rng.normal(size=(p, 2)),
    )
    paths = int(20_000 * scale)
    options = (100.0, 0.2, 0.05, 100.0, 1.0, rng.standard_normal((paths, 64)))
    g = int(250 * scale) + 8
    heat = (rng.random((g, 250)), rng.random((g, 250)), 10, 0.1)
    large = (rng.random((4 * g, 1000)), rng.random((4 * g, 1000)), 4, 0.1)
    return [
        Case("GMM", mixture, (0, 1, 2, 3), gmm, f"{n} samples, d = {d}, K = {k}"),
        Case("BA", bundle, (0, 1, 2), ba, f"{p} observations, {count} points"),
        Case("Monte Carlo", asian_call, (0, 1, 2), options, f"{paths} paths of 64 steps"),
        Case("2-D stencil", diffusion, (0,), heat, f"{g} x 250, 10 steps"),
        Case("2-D stencil, large", diffusion, (0,), large, f"{4 * g} x 1000, 4 steps"),
    ]
