"""Adjoints written by hand: what a patient person gets out of Numba, the limit of the table.

Each has the arguments of its objective in ``benchmarks/objectives.py`` and gives the value and the
tuple of gradients.  They are plain functions: ``strict`` and ``fast`` compile them, the latter with
the flags that a careful person allows (sums may be reordered, products contracted; division by
zero gives infinity).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit


def strict(f: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled as written."""
    return njit(f)


def fast(f: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled with sums and products free to be rearranged, and zeros without a sign."""
    return njit(f, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy")


def log_sum_exp(x):
    """The softmax."""
    n = len(x)
    top = x[0]
    for i in range(1, n):
        top = max(top, x[i])
    b = np.empty_like(x)
    total = 0.0
    for i in range(n):
        e = math.exp(x[i] - top)
        b[i] = e
        total += e
    scale = 1.0 / total
    for i in range(n):
        b[i] *= scale
    return top + math.log(total), (b,)


def misfit(x, n):
    """The powers of a point first: the sums over them then wait for no product."""
    m = len(x)
    b = np.zeros_like(x)
    powers = np.empty_like(x)
    total = 0.0
    for i in range(n):
        t = -1.0 + 2.0 * i / (n - 1)
        residual = 1.0 if t > 0.0 else (-1.0 if t < 0.0 else 0.0)
        power = 1.0
        for j in range(m):
            powers[j] = power
            power *= t
        for j in range(m):
            residual -= x[j] * powers[j]
        total += residual * residual
        for j in range(m):
            b[j] -= residual * powers[j]
    return 0.5 * total, (b,)


def chain(rate, steps):
    """One state a step is kept; the stages are computed again, their adjoints gathered."""
    n = len(rate)
    h = 2.0 / steps
    half = 0.5 * h
    states = np.zeros((steps + 1, n), rate.dtype)
    p, q, r = np.empty_like(rate), np.empty_like(rate), np.empty_like(rate)
    for k in range(steps):
        stages(states[k], rate, h, p, q, r)
        y, new = states[k], states[k + 1]
        new[0] = y[0] + h * rate[0]
        for i in range(1, n):
            slope = y[i - 1] + 2.0 * p[i - 1] + 2.0 * q[i - 1] + r[i - 1]
            new[i] = y[i] + h / 6.0 * rate[i] * slope
    total = 0.0
    for i in range(n):
        total += states[steps, i]
    b, y_b = np.zeros_like(rate), np.ones_like(rate)
    r_b, q_b, p_b, new_b = (
        np.zeros_like(rate), np.zeros_like(rate), np.zeros_like(rate), np.empty_like(rate),
    )  # fmt: skip
    for k in range(steps - 1, -1, -1):
        y = states[k]
        stages(y, rate, h, p, q, r)
        # each stage: the adjoint of its input at i - 1 is that of the slope at i, times the rate
        for i in range(1, n):
            r_b[i - 1] = h / 6.0 * rate[i] * y_b[i]
        for i in range(1, n):
            q_b[i - 1] = rate[i] * (h / 3.0 * y_b[i] + h * r_b[i])
        for i in range(1, n):
            p_b[i - 1] = rate[i] * (h / 3.0 * y_b[i] + half * q_b[i])
        for i in range(1, n):
            k1 = h / 6.0 * y_b[i] + half * p_b[i]
            k2 = h / 3.0 * y_b[i] + half * q_b[i]
            k3 = h / 3.0 * y_b[i] + h * r_b[i]
            k4 = h / 6.0 * y_b[i]
            b[i] += k1 * y[i - 1] + k2 * p[i - 1] + k3 * q[i - 1] + k4 * r[i - 1]
            new_b[i - 1] = y_b[i - 1] + p_b[i - 1] + q_b[i - 1] + r_b[i - 1] + k1 * rate[i]
        b[0] += h * y_b[0] + half * p_b[0] + half * q_b[0] + h * r_b[0]
        new_b[n - 1] = y_b[n - 1]
        y_b, new_b = new_b, y_b
    return total, (b,)


@njit
def stages(y, rate, h, p, q, r):
    """Where the second, third and fourth slope are taken."""
    n = len(y)
    p[0] = y[0] + 0.5 * h * rate[0]
    q[0] = p[0]
    r[0] = y[0] + h * rate[0]
    for i in range(1, n):
        p[i] = y[i] + 0.5 * h * rate[i] * y[i - 1]
    for i in range(1, n):
        q[i] = y[i] + 0.5 * h * rate[i] * p[i - 1]
    for i in range(1, n):
        r[i] = y[i] + h * rate[i] * q[i - 1]


def burgers(start, steps, advection, viscosity):
    """One row a step is kept; each adjoint gathers from three neighbours."""
    n = len(start)
    c, nu = advection, viscosity
    rows = np.empty((steps + 1, n), start.dtype)
    rows[0] = start
    for k in range(steps):
        u, new = rows[k], rows[k + 1]
        new[0] = u[0]
        new[n - 1] = u[n - 1]
        for i in range(1, n - 1):
            new[i] = u[i] - c * u[i] * (u[i] - u[i - 1]) + nu * (u[i + 1] - 2.0 * u[i] + u[i - 1])
    total = 0.0
    for i in range(n):
        total += rows[steps, i] * rows[steps, i]
    b, new_b = rows[steps].copy(), np.empty_like(start)
    for k in range(steps - 1, -1, -1):
        u = rows[k]
        first, last = b[0], b[n - 1]
        b[0] = 0.0
        b[n - 1] = 0.0  # the ends are not moved by the formula
        new_b[0] = first + b[1] * (c * u[1] + nu)
        for i in range(1, n - 1):
            here = 1.0 - 2.0 * nu - c * (2.0 * u[i] - u[i - 1])
            new_b[i] = b[i] * here + b[i + 1] * (c * u[i + 1] + nu) + b[i - 1] * nu
        new_b[n - 1] = last + b[n - 2] * nu
        b, new_b = new_b, b
    return 0.5 * total, (b,)


def rosenbrock(x):
    """Each term gives to two neighbours."""
    n = len(x)
    b = np.zeros_like(x)
    total = 0.0
    for i in range(n - 1):
        p = x[i + 1] - x[i] * x[i]
        q = 1.0 - x[i]
        total += 100.0 * p * p + q * q
        b[i] -= 400.0 * p * x[i] + 2.0 * q
        b[i + 1] = 200.0 * p
    return total, (b,)


def wave(x):
    """Sine and cosine."""
    s = math.sin(x)
    return s * x, (s + x * math.cos(x),)


def roots(x):
    """The steps are stored and walked back, as an adjoint of the iteration has to."""
    b = np.empty_like(x)
    path = np.empty(100, x.dtype)
    total = 0.0
    for i in range(len(x)):
        r = 1.0
        count = 0
        while abs(r * r * r - x[i]) > 1e-12 * x[i]:
            path[count] = r
            count += 1
            r -= (r * r * r - x[i]) / (3.0 * r * r)
        total += r
        r_b, x_b = 1.0, 0.0
        for k in range(count - 1, -1, -1):
            s = path[k]
            cube, square = s * s * s, 3.0 * s * s
            x_b += r_b / square
            r_b *= 2.0 * (cube - x[i]) / (s * square)
        b[i] = x_b
    return total, (b,)
