"""Loops that end when the data say so: rays, Monte Carlo paths, iterations."""

import math

import numpy as np
from numba import cuda

from tests.kernels.case import Case


@cuda.jit(device=True)
def distance(x, y, radius):
    return math.sqrt(x * x + y * y) - radius


def ray_marcher(origin, direction, radius, depth):
    i = cuda.grid(1)
    if i >= depth.shape[0]:
        return
    t = 0.0
    for _ in range(12):
        d = distance(origin[i, 0] + t * direction[i, 0], origin[i, 1] + t * direction[i, 1], radius)
        if d < 1e-3:
            break
        if t > 6.0:
            t = 6.0
            break
        t += d
    depth[i] = t


def absorption(rays, density, out):
    """Front to back, until nothing shines through."""
    i = cuda.grid(1)
    if i < rays.shape[0]:
        through = 1.0
        colour = 0.0
        k = 0
        while k < density.shape[0] and through > 0.05:
            a = 1.0 - math.exp(-density[k] * rays[i])
            colour += through * a * k
            through *= 1.0 - a
            k += 1
        out[i] = colour


def asian_option(draws, s0, sigma, strike, payoff):
    i = cuda.grid(1)
    if i < draws.shape[0]:
        s = s0
        total = 0.0
        n = draws.shape[1]
        for k in range(n):
            s *= math.exp(-0.5 * sigma * sigma / n + sigma * math.sqrt(1.0 / n) * draws[i, k])
            total += s
        gain = total / n - strike
        payoff[i] = gain if gain > 0.0 else 0.0


def barrier_option(draws, s0, sigma, barrier, total):
    """Paths that are knocked out stop early."""
    i = cuda.grid(1)
    if i < draws.shape[0]:
        s = s0
        alive = True
        for k in range(draws.shape[1]):
            s += sigma * s * draws[i, k]
            if s > barrier:
                alive = False
                break
        if alive:
            cuda.atomic.add(total, 0, s / draws.shape[0])


def newton(a, root):
    i = cuda.grid(1)
    if i < a.shape[0]:
        x = a[i]
        for _ in range(30):
            step = (x * x - a[i]) / (2.0 * x)
            x -= step
            if abs(step) < 1e-12:
                break
        root[i] = x


def escape(c, scale, out):
    i = cuda.grid(1)
    if i < c.shape[0]:
        x = 0.0
        y = 0.0
        for _ in range(8):
            x, y = x * x - y * y + scale * c[i, 0], 2.0 * x * y + scale * c[i, 1]
            if x * x + y * y > 4.0:
                break
        out[i] = math.log(1.0 + x * x + y * y)


def nested_breaks(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        v = x[i]
        for a in range(4):
            for b in range(a + 1):
                v = math.sin(v) + 0.3 * b
                if v > 0.9:
                    break
            if v < 0.0:
                break
        out[i] = v


def table_lookup(x, table, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        low = 0
        high = table.shape[0] - 1
        for _ in range(6):
            mid = (low + high) // 2
            if table[mid, 0] <= x[i]:
                low = mid
            else:
                high = mid
            if high - low <= 1:
                break
        w = (x[i] - table[low, 0]) / (table[high, 0] - table[low, 0])
        out[i] = (1.0 - w) * table[low, 1] + w * table[high, 1]


CASES = [
    Case(
        ray_marcher,
        (1, 4),
        lambda g: (
            g.normal(size=(4, 2)) * 0.2 - np.array([3.0, 0.0]),
            np.array([[1.0, 0.1], [0.8, 0.0], [1.0, -0.1], [0.1, 1.0]]),
            1.0,
            np.zeros(4),
        ),
        rtol=1e-4,
    ),
    Case(absorption, (1, 4), lambda g: (g.uniform(0.5, 2, 4), g.uniform(0, 2, 7), np.zeros(4))),
    Case(
        asian_option,
        (2, 2),
        lambda g: (g.normal(size=(4, 5)), 1.0, 0.3, 0.95, np.zeros(4)),
        second=True,
    ),
    Case(barrier_option, (2, 2), lambda g: (g.normal(size=(4, 6)), 1.0, 0.2, 1.4, np.zeros(1))),
    Case(newton, (1, 4), lambda g: (g.uniform(1, 5, 4), np.zeros(4)), plain=("a_b",)),
    Case(escape, (1, 4), lambda g: (g.normal(size=(4, 2)), 0.9, np.zeros(4)), plain=("c_b",)),
    Case(nested_breaks, (1, 4), lambda g: (g.normal(size=4), np.zeros(4)), plain=("x_b",)),
    Case(
        table_lookup,
        (1, 6),
        lambda g: (
            g.uniform(0, 6, 5),
            np.column_stack([np.arange(8.0), g.normal(size=8)]),
            np.zeros(5),
        ),
    ),
]
