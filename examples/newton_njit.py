"""A million Kepler equations, each solved by Halley's method, in one compiled loop.

Run ``python -m examples.newton_njit``.

The mean anomaly ``M`` of an orbit of eccentricity ``e`` gives its eccentric anomaly ``E`` by
``E - e sin E = M``.  The loop over orbits and the iteration in it are njit functions; the first and
second derivative of the residual are srcad's, called inside them like any other function.
"""

import time

import numpy as np
from numba import njit, prange

import srcad


def residual(E, e, M):
    """Zero at the eccentric anomaly."""
    return E - e * np.sin(E) - M


value_and_slope = srcad.value_and_grad(residual)
curvature = srcad.grad(srcad.grad(residual))


@njit
def solve(e, M):
    """Halley's method: cubic convergence, from a start that is never far."""
    E = M + 0.85 * e * np.sign(np.sin(M))
    for _ in range(20):
        f, f1 = value_and_slope(E, e, M)
        if abs(f) < 1e-14 * (1.0 + abs(M)):
            break
        f2 = curvature(E, e, M)
        E -= 2.0 * f * f1 / (2.0 * f1 * f1 - f * f2)
    return E


@njit(parallel=True)
def solve_all(e, M):
    """One solve per orbit, on all cores."""
    E = np.empty_like(M)
    for i in prange(len(M)):
        E[i] = solve(e[i], M[i])
    return E


@njit
def sensitivity(e, M):
    """How the anomaly moves with the eccentricity, by the implicit function theorem."""
    E = solve(e, M)
    by_E, by_e = srcad.grad(residual_njit, (0, 1))(E, e, M)
    return -by_e / by_E


residual_njit = njit(residual)


def main(n: int = 1_000_000) -> None:
    """Solve, check, and say how long it took."""
    rng = np.random.default_rng(0)
    e, M = rng.uniform(0.0, 0.95, n), rng.uniform(0.0, 2 * np.pi, n)
    solve_all(e[:10], M[:10])  # compile
    start = time.perf_counter()
    E = solve_all(e, M)
    elapsed = time.perf_counter() - start
    print(f"{n} orbits in {elapsed:.2f} s, {1e9 * elapsed / n:.0f} ns each")
    print(f"largest residual {np.max(np.abs(residual(E, e, M))):.1e}")
    print(f"dE/de at e = 0.5, M = 1: {sensitivity(0.5, 1.0):.6f}")


if __name__ == "__main__":
    main()
