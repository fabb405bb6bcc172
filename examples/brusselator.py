"""A stiff reaction and diffusion in the plane, integrated implicitly with a sparse Jacobian.

    python examples/brusselator.py

The Brusselator (Prigogine & Lefever 1968; in the plane as in Hairer & Wanner, "Solving ODEs II",
section IV.10) on a grid with periodic boundary.  Its right-hand side is a plain loop; from it
``srcad.sparse_jacobian`` gets the pattern of the Jacobian, colours its columns, and evaluates it
with a dozen tangents where the dense Jacobian takes one for every unknown.  SciPy's BDF method then
takes the steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from scipy.integrate import solve_ivp

import srcad


@njit
def reaction(state, rows, cols, diffusion):
    """Rates of change of both concentrations, one after the other in ``state``."""
    n = rows * cols
    rate = np.empty(2 * n)
    scale = diffusion * rows * cols
    for i in range(rows):
        for j in range(cols):
            k = i * cols + j
            north, south = (i - 1) % rows * cols + j, (i + 1) % rows * cols + j
            west, east = i * cols + (j - 1) % cols, i * cols + (j + 1) % cols
            u, v = state[k], state[n + k]
            spread_u = state[north] + state[south] + state[west] + state[east] - 4.0 * u
            spread_v = (
                state[n + north] + state[n + south] + state[n + west] + state[n + east] - 4.0 * v
            )
            rate[k] = 1.0 + u * u * v - 4.4 * u + scale * spread_u
            rate[n + k] = 3.4 * u - u * u * v + scale * spread_v
    return rate


JACOBIAN = srcad.sparse_jacobian(reaction)


def start(rows: int, cols: int) -> np.ndarray:
    """Smooth initial concentrations."""
    y, x = np.meshgrid(np.arange(rows) / rows, np.arange(cols) / cols, indexing="ij")
    u = 22.0 * (y * (1.0 - y)) ** 1.5
    v = 27.0 * (x * (1.0 - x)) ** 1.5
    return np.concatenate([u.ravel(), v.ravel()])


def integrate(rows: int, cols: int, end: float = 3.0) -> Any:
    """The solution at some times, by SciPy's BDF method."""
    return solve_ivp(
        lambda t, y: reaction(y, rows, cols, 0.1),
        (0.0, end),
        start(rows, cols),
        method="BDF",
        jac=lambda t, y: JACOBIAN(y, rows, cols, 0.1),
        rtol=1e-6,
        t_eval=np.linspace(0.0, end, 7),
    )


def seconds(call: Callable[[], Any]) -> float:
    """Shortest of a few runs, the first (which compiles) not counted."""
    call()
    times = []
    for _ in range(5):
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return min(times)


def main(rows: int = 20, cols: int = 25) -> Any:
    """Print the plan of the Jacobian, what it saves, and the solution."""
    state = start(rows, cols)
    print(f"grid {rows} x {cols}: {JACOBIAN.plan(state, rows, cols, 0.1)}")
    dense = srcad.jacobian(reaction)
    sparse_time = seconds(lambda: JACOBIAN(state, rows, cols, 0.1))
    dense_time = seconds(lambda: dense(state, rows, cols, 0.1))
    print(f"Jacobian: sparse {1e3 * sparse_time:.3f} ms, dense {1e3 * dense_time:.3f} ms")
    solution = integrate(rows, cols)
    print(f"BDF: {solution.t.size} times, {solution.nfev} rates, {solution.njev} Jacobians")
    n = rows * cols
    for t, y in zip(solution.t, solution.y.T, strict=True):
        print(f"t = {t:.1f}   mean u {y[:n].mean():.4f}   mean v {y[n:].mean():.4f}")
    return solution


if __name__ == "__main__":
    main()
