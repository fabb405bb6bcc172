"""What is measured: objectives as plain loops, their data, and hand-written adjoints of some.

The ADBench objectives are those of ``examples/adbench.py``, on its files where a folder is given
and on random data of the same shape otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from examples import adbench


@njit
def burgers(start, steps, advection, viscosity):
    """Viscous Burgers equation, explicit, overwritten in place; half the energy at the end."""
    u = start.copy()
    n = len(u)
    for _ in range(steps):
        left = u[0]
        for i in range(1, n - 1):
            here = u[i]
            u[i] += viscosity * (u[i + 1] - 2.0 * here + left) - advection * here * (here - left)
            left = here
    total = 0.0
    for i in range(n):
        total += u[i] * u[i]
    return 0.5 * total


@njit
def burgers_by_hand(start, steps, advection, viscosity):
    """Value and gradient of ``burgers`` in ``start``, with one saved row a step."""
    n = len(start)
    rows = np.empty((steps + 1, n))
    rows[0] = start
    for k in range(steps):
        rows[k + 1, 0] = rows[k, 0]
        rows[k + 1, n - 1] = rows[k, n - 1]
        for i in range(1, n - 1):
            left, here, right = rows[k, i - 1], rows[k, i], rows[k, i + 1]
            rows[k + 1, i] = here + (
                viscosity * (right - 2.0 * here + left) - advection * here * (here - left)
            )
    total = 0.0
    for i in range(n):
        total += rows[steps, i] * rows[steps, i]
    b, new = rows[steps].copy(), np.empty(n)
    for k in range(steps - 1, -1, -1):
        new[:] = 0.0
        new[0], new[n - 1] = b[0], b[n - 1]
        for i in range(1, n - 1):
            left, here, w = rows[k, i - 1], rows[k, i], b[i]
            new[i - 1] += w * (viscosity + advection * here)
            new[i] += w * (1.0 - 2.0 * viscosity - advection * (2.0 * here - left))
            new[i + 1] += w * viscosity
        b, new = new, b
    return 0.5 * total, b


@njit
def log_sum_exp_by_hand(x):
    """Value and gradient of ``log_sum_exp``: the softmax."""
    top = x[0]
    for i in range(1, len(x)):
        if x[i] > top:
            top = x[i]
    b = np.empty(len(x))
    total = 0.0
    for i in range(len(x)):
        b[i] = math.exp(x[i] - top)
        total += b[i]
    for i in range(len(x)):
        b[i] /= total
    return top + math.log(total), b


@njit
def derivatives(y, rate, out):
    """A chain of reactions."""
    out[0] = rate[0]
    for i in range(1, len(y)):
        out[i] = rate[i] * y[i - 1]


@njit
def reactions(rate, steps):
    """The sum of the concentrations at time 2, by classic Runge-Kutta."""
    n = len(rate)
    h = 2.0 / steps
    y, at = np.zeros(n), np.empty(n)
    k1, k2, k3, k4 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for _ in range(steps):
        derivatives(y, rate, k1)
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k1[i]
        derivatives(at, rate, k2)
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k2[i]
        derivatives(at, rate, k3)
        for i in range(n):
            at[i] = y[i] + h * k3[i]
        derivatives(at, rate, k4)
        for i in range(n):
            y[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0
    total = 0.0
    for i in range(n):
        total += y[i]
    return total


@njit
def roots(x):
    """Sum of the cube roots by Newton's method: a loop whose length depends on the data."""
    total = 0.0
    for i in range(len(x)):
        r = 1.0
        while abs(r * r * r - x[i]) > 1e-12 * x[i]:
            r -= (r * r * r - x[i]) / (3.0 * r * r)
        total += r
    return total


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    objective: Callable[..., float]
    arguments: tuple[Any, ...]
    argnums: tuple[int, ...] = (0,)
    by_hand: Callable[..., Any] | None = None


def random_adbench() -> list[Case]:
    """Random data of the shapes of ADBench's middle files."""
    r = np.random.default_rng(0)
    d, k, n = 10, 25, 1000
    mixture = (
        r.normal(size=k),
        r.uniform(size=(k, d)),
        0.3 * r.normal(size=(k, d)),
        0.3 * r.normal(size=(k, d * (d - 1) // 2)),
        r.normal(size=(n, d)),
        1.0,
        0,
    )
    cameras = np.tile([0.1, 0.2, -0.1, 0.5, 0.2, 0.1, 500.0, 1.0, 2.0, 0.01, 0.001], (49, 1))
    points = r.normal(size=(7776, 3)) + np.array([0.0, 0.0, 8.0])
    i = np.arange(31843)
    views = (
        cameras,
        points,
        np.full(len(i), 0.7),
        np.stack([i % 49, i % 7776], axis=1),
        50.0 * r.normal(size=(len(i), 2)),
    )
    text = (
        r.random((4, 56)),
        r.random((3, 14)),
        r.random((4, 14)),
        r.integers(0, 2, size=(1024, 14)).astype(float),
    )
    return [
        Case("gmm d10 K25 n1000", adbench.gmm, mixture, (0, 1, 2, 3)),
        Case("ba n49 m7776 p31843", adbench.bundle, views, (0, 1, 2)),
        Case("lstm l2 c1024", adbench.lstm, text, (0, 1)),
    ]


def cases(data: Path | None = None) -> list[Case]:
    """All cases; the ADBench ones on the files of a folder, if given."""
    r = np.random.default_rng(0)
    problems = [adbench.load(p) for p in adbench.files(data, largest=True)] if data else []
    found = [Case(p.name, p.objective, p.arguments, p.argnums) for p in problems]
    wave = 1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(1000) / 1000)
    return [
        *(found or random_adbench()),
        Case("burgers n1000 t1000", burgers, (wave, 1000, 0.2, 0.2), by_hand=burgers_by_hand),
        Case(
            "log_sum_exp n100000",
            adbench.log_sum_exp,
            (r.random(100_000),),
            by_hand=log_sum_exp_by_hand,
        ),
        Case("reactions n1000 s100", reactions, (r.random(1000), 100)),
        Case("roots n10000", roots, (r.uniform(0.5, 2.0, 10_000),)),
    ]
