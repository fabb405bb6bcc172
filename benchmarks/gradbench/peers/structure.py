"""What array tools are given beforehand: index arrays, which the plain loops do without."""

from __future__ import annotations

import itertools

import numpy as np


def permutations(n: int) -> tuple[np.ndarray, np.ndarray]:
    """All permutations of n columns, one a row, and their signs."""
    rows = np.array(list(itertools.permutations(range(n))))
    later = np.triu_indices(n, 1)
    inversions = np.sum(rows[:, later[0]] > rows[:, later[1]], axis=1)
    return rows, 1.0 - 2.0 * (inversions % 2)


def lower_scatter(d: int) -> np.ndarray:
    """Where entries packed by columns stand in a strictly lower triangular matrix (p, row, col)."""
    columns, rows = np.triu_indices(d, 1)
    out = np.zeros((len(rows), d, d))
    out[np.arange(len(rows)), rows, columns] = 1.0
    return out


def joint_scatter(bones: int) -> np.ndarray:
    """Which joint angle (bone, axis) each of the 20 parameters of the fingers is."""
    out = np.zeros((20, bones, 3))
    for finger in range(5):
        first = 2 + 4 * finger
        places = [(first, 0), (first, 2), (first + 1, 0), (first + 2, 0)]
        for k, (bone, axis) in enumerate(places):
            out[4 * finger + k, bone, axis] = 1.0
    return out


def wishart_constant(d: int, k: int, gamma: float, m: int) -> float:
    """The terms of the mixture's log posterior without parameters of the components."""
    import math

    freedom = d + m + 1
    constant = freedom * d * math.log(gamma / math.sqrt(2.0)) - 0.25 * d * (d - 1) * math.log(
        math.pi
    )
    return k * (constant - sum(math.lgamma(0.5 * (freedom - i)) for i in range(d)))
