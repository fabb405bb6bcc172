"""An Asian option by Monte Carlo on all cores: its price and Greeks, with standard errors.

    python examples/parallel_options.py

The paths are independent, so the loop over them is a ``numba.prange``.  srcad splits it, and that
of its adjoint, over the threads: what each path adds to the price and to its derivatives is summed
by thread and then in a fixed order, so that every run gives the same bits.
"""

from __future__ import annotations

import math
import time

import numba
import numpy as np
from numba import prange

import srcad


def asian_call(spot, volatility, rate, strike, maturity, normals):
    """Discounted mean payoff of a call on the average price, over the paths of ``normals``."""
    paths, steps = normals.shape
    dt = maturity / steps
    drift = (rate - 0.5 * volatility * volatility) * dt
    noise = volatility * math.sqrt(dt)
    total = 0.0
    for path in prange(paths):
        price = spot
        mean = 0.0
        for step in range(steps):
            price *= math.exp(drift + noise * normals[path, step])
            mean += price
        total += max(mean / steps - strike, 0.0)
    return math.exp(-rate * maturity) * total / paths


GREEKS = ("delta", "vega", "rho")


def main(paths: int = 40_000, steps: int = 64) -> tuple[float, tuple[float, ...]]:
    """Print the price, its Greeks, and how long they take on one thread and on all."""
    normals = np.random.default_rng(1).standard_normal((paths, steps))
    args = (100.0, 0.2, 0.05, 100.0, 1.0, normals)
    greeks = srcad.value_and_grad(asian_call, argnums=(0, 1, 2))
    price, found = greeks(*args)
    print(f"price {price:.4f}")
    for name, x in zip(GREEKS, found, strict=True):
        print(f"{name:>5} {x:.4f}")
    again = greeks(*args)
    same = again[0] == price and again[1] == found
    print("the same bits in another run" if same else "another run differs")
    for loop in srcad.explain(greeks, *args[:-1], normals[:20]).parallel:
        print(loop)
    if numba.get_num_threads() > 1:
        alone = srcad.value_and_grad(asian_call, argnums=(0, 1, 2), parallel=False)
        alone(*args)
        seconds = [min(timed(f, args) for _ in range(5)) for f in (alone, greeks)]
        print(f"one thread {1e3 * seconds[0]:.1f} ms, {numba.get_num_threads()} threads ", end="")
        print(f"{1e3 * seconds[1]:.1f} ms")
    return price, found


def timed(f, args):
    """Seconds of one call."""
    start = time.perf_counter()
    f(*args)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
