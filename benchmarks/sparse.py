"""Sparse against dense Jacobians and Hessians at n = 1000.

    python -m benchmarks.sparse

The 2-D Brusselator (``examples/brusselator.py``), the residuals of bundle adjustment on random data
in the shape of ADBench's, and the Hessian of a chain.  Prints colours, times, and their ratio; the
entries are compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

import srcad
from examples import brusselator
from examples.adbench import project
from examples.brusselator import seconds


@njit
def residuals(cameras, points, weights, seen, measured):
    """The residuals of bundle adjustment: two of every observation, then one of every weight."""
    shifted, turned = np.empty(3), np.empty(3)
    p = len(weights)
    out = np.empty(3 * p)
    for k in range(p):
        u, v = project(cameras[seen[k, 0]], points[seen[k, 1]], turned, shifted)
        out[2 * k] = weights[k] * (u - measured[k, 0])
        out[2 * k + 1] = weights[k] * (v - measured[k, 1])
        out[2 * p + k] = 1.0 - weights[k] * weights[k]
    return out


@njit
def rosenbrock(x):
    """The chained Rosenbrock function."""
    total = 0.0
    for i in range(len(x) - 1):
        a, b = x[i + 1] - x[i] * x[i], 1.0 - x[i]
        total += 100.0 * a * a + b * b
    return total


def views(cameras: int, points: int, observations: int, seed: int = 0) -> tuple[Any, ...]:
    """Random arguments of ``residuals``."""
    rng = np.random.default_rng(seed)
    position = rng.normal(size=(points, 3)) + np.array([0.0, 0.0, 10.0])
    k = np.arange(observations)
    seen = np.stack([k % cameras, k % points], axis=1)
    return (
        0.1 * rng.normal(size=(cameras, 11)),
        position,
        rng.uniform(0.5, 1.5, observations),
        seen,
        rng.normal(size=(observations, 2)),
    )


def compare(name: str, sparse: Any, dense: Any, arguments: tuple[Any, ...]) -> None:
    """One line of the table."""
    want = dense(*arguments)
    blocks = want if isinstance(want, tuple) else (want,)
    matrix = np.concatenate([b.reshape(len(b), -1) for b in blocks], axis=1)
    got = sparse(*arguments)
    error = np.max(np.abs(got.toarray() - matrix)) / np.max(np.abs(matrix))
    fast, slow = seconds(lambda: sparse(*arguments)), seconds(lambda: dense(*arguments))
    plan = sparse.plan(*arguments)
    print(
        f"{name:14} {got.shape[0]:6} x {got.shape[1]:<6} {got.nnz:8} {plan.colours:8} "
        f"{1e3 * fast:10.3f} {1e3 * slow:10.3f} {slow / fast:8.1f} {error:10.1e}"
    )


def main() -> None:
    """Print the table."""
    print(
        f"{'':14} {'size':>15} {'nonzeros':>8} {'colours':>8} {'sparse ms':>10} {'dense ms':>10} "
        f"{'ratio':>8} {'error':>10}"
    )
    grid = (brusselator.start(20, 25), 20, 25, 0.1)
    reaction = brusselator.reaction
    compare("brusselator", srcad.sparse_jacobian(reaction), srcad.jacobian(reaction), grid)
    ba = views(10, 170, 380)
    wrt = (0, 1, 2)
    compare("ba", srcad.sparse_jacobian(residuals, wrt), srcad.jacobian(residuals, wrt), ba)
    x = (np.linspace(-1.0, 1.0, 1000),)
    compare("rosenbrock", srcad.sparse_hessian(rosenbrock), srcad.hessian(rosenbrock), x)


if __name__ == "__main__":
    main()
