"""Auditing a gradient that somebody wrote by hand: which component is wrong, and on which line.

    python examples/audit_gradient.py

A Gaussian process with a squared exponential kernel; its negative log likelihood has three terms.
The gradient below was transcribed with a slip that tests at one point with a loose tolerance may
well let through: the log-determinant was forgotten for the noise.
"""

from __future__ import annotations

import numpy as np

import srcad


def likelihood(p, x, y):
    """Minus the log likelihood of a Gaussian process; p: log length, log amplitude, log noise."""
    n = len(x)
    length, amplitude, noise = np.exp(p[0]), np.exp(p[1]), np.exp(p[2])
    k = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            gap = (x[i] - x[j]) / length
            k[i, j] = amplitude * np.exp(-0.5 * gap * gap)
    for i in range(n):
        k[i, i] += noise
    quad = y @ np.linalg.solve(k, y)
    _, logdet = np.linalg.slogdet(k)
    return 0.5 * quad + 0.5 * logdet


def by_hand(p, x, y, forget=True):
    """Its gradient: half the trace of ``(k^-1 - a a^T) dk`` for each parameter."""
    length, amplitude, noise = np.exp(p)
    square = (x[:, None] - x[None, :]) ** 2 / length**2
    smooth = amplitude * np.exp(-0.5 * square)
    inverse = np.linalg.inv(smooth + noise * np.eye(len(x)))
    a = inverse @ y
    whole = inverse - np.outer(a, a)
    third = -np.outer(a, a) if forget else whole
    slopes = (np.sum(whole * smooth * square), np.sum(whole * smooth), noise * np.trace(third))
    return 0.5 * np.array(slopes)


def sample(rng: np.random.Generator):
    """Random parameters and data."""
    x = np.sort(rng.uniform(0.0, 5.0, 6))
    return 0.5 * rng.normal(size=3), x, np.sin(x) + 0.1 * rng.normal(size=6)


def main(n: int = 100, **options: str) -> srcad.Report:
    """Audit both versions; the report of the wrong one."""
    report = srcad.audit(likelihood, by_hand, sample, n, **options)
    print(report, end="\n\n")
    print(srcad.audit(likelihood, lambda p, x, y: by_hand(p, x, y, False), sample, n, **options))
    return report


if __name__ == "__main__":
    main()
