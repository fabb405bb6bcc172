"""Hamiltonian Monte Carlo: a whole chain is one njit function that calls a gradient of srcad.

Run ``python -m examples.hmc_njit``.

The model is the "eight schools" of Rubin (1981): effects of coaching in eight schools, each
measured with its own error, around a common mean with a common spread.  The log density is written
for reading, as a loop; its gradient is taken once per leapfrog step (Neal 2011, "MCMC using
Hamiltonian dynamics", section 2).
"""

import math
import time

import numpy as np
from numba import njit

import srcad

EFFECT = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def energy(q):
    """Minus log posterior; ``q`` is the mean, the log of the spread, and eight scaled effects."""
    mean, log_spread = q[0], q[1]
    spread = math.exp(log_spread)
    total = 0.5 * (mean / 5.0) ** 2  # mean ~ normal(0, 5)
    total += math.log1p((spread / 5.0) ** 2) - log_spread  # spread ~ half-Cauchy(0, 5)
    for j in range(len(EFFECT)):
        school = mean + spread * q[2 + j]
        total += 0.5 * q[2 + j] ** 2 + 0.5 * ((EFFECT[j] - school) / ERROR[j]) ** 2
    return total


slope = srcad.value_and_grad(energy)


@njit
def chain(q, n, step, leaps, seed):
    """``n`` samples and the share of accepted proposals."""
    np.random.seed(seed)
    out = np.empty((n, len(q)))
    u, g = slope(q)
    accepted = 0
    for i in range(n):
        p = np.random.normal(0.0, 1.0, len(q))
        q_new, g_new, u_new = q, g, u
        before = u + 0.5 * np.sum(p * p)
        size = step * np.random.uniform(0.7, 1.3)
        for _ in range(leaps):
            p = p - 0.5 * size * g_new
            q_new = q_new + size * p
            u_new, g_new = slope(q_new)
            p = p - 0.5 * size * g_new
        if math.log(np.random.random()) < before - u_new - 0.5 * np.sum(p * p):
            q, u, g = q_new, u_new, g_new
            accepted += 1
        out[i] = q
    return out, accepted / n


def main(n: int = 20_000) -> None:
    """Sample, and print the posterior of the mean and the spread."""
    start = np.zeros(10)
    chain(start, 10, 0.2, 15, 1)  # compile
    clock = time.perf_counter()
    samples, accepted = chain(start, n, 0.2, 15, 1)
    elapsed = time.perf_counter() - clock
    samples = samples[n // 10 :]
    spread = np.exp(samples[:, 1])
    print(f"{n} samples, {15 * n} gradients in {elapsed:.2f} s; {accepted:.0%} accepted")
    print(f"mean   {samples[:, 0].mean():5.2f} +- {samples[:, 0].std():.2f}")
    print(f"spread {spread.mean():5.2f} +- {spread.std():.2f}")


if __name__ == "__main__":
    main()
