"""Loops over ``numba.prange``: what threads share, and what they must not."""

import math

import numba
import numpy as np

from tests.zoo.registry import add, mat, vec


def swapped_grids(u, k):
    a, b = u.copy(), u.copy()
    n, m = u.shape
    for _ in range(3):
        for i in numba.prange(1, n - 1):
            for j in range(1, m - 1):
                b[i, j] = a[i, j] + k * a[i, j] * (a[i - 1, j] + a[i + 1, j] - 2.0 * a[i, j - 1])
        a, b = b, a
    return np.sum(a * a)


add(swapped_grids, lambda: (mat(14, 4), 0.1), (0, 1), "for prange swap")


def shared_bins(x, w, bins):
    out = np.zeros(len(w))
    for i in numba.prange(len(x)):
        k = bins[i]
        out[k] += x[i] * w[k] / (1.0 + x[i])
    return np.sum(out * out)


add(shared_bins, lambda: (vec(9), vec(3), np.arange(9) % 3), (0, 1), "for prange gather")


def own_scratch(x, w):
    total = 0.0
    for i in numba.prange(len(x)):
        row = np.empty(len(w))
        for j in range(len(w)):
            row[j] = math.sin(x[i] * w[j])
        for j in range(1, len(w)):
            row[j] += row[j - 1] * row[j]
        total += row[-1]
    return total


add(own_scratch, lambda: (vec(7), vec(4)), (0, 1), "for prange scratch")


def flat_rows(x, m):
    n = len(x) // m
    out = np.zeros(n * m)
    for i in numba.prange(n):
        for j in range(m):
            out[i * m + j] = x[i * m + j] ** 2
            if j > 0:
                out[i * m + j] *= out[i * m + j - 1]
    return np.sum(out)


add(flat_rows, lambda: (vec(12), 3), (0,), "for prange")


def folded(x):
    product = 1.0
    top = -1.0
    low = 10.0
    count = 0
    for i in numba.prange(len(x)):
        product *= x[i]
        top = max(top, x[i] * x[i])
        low = min(low, math.cos(x[i]))
        count += 2
    return product * top + low * count


add(folded, lambda: (vec(8),), (0,), "for prange")


def pranges_in_pranges(x):
    n = len(x)
    out = np.zeros((n, n))
    for i in numba.prange(n):
        for j in numba.prange(n):
            out[i, j] = x[i] * math.sin(x[j])
    return np.sum(out * out)


add(pranges_in_pranges, lambda: (vec(5),), (0,), "for prange")


def one_after_the_other(x):
    y = x.copy()
    last = 0.0
    for i in numba.prange(1, len(x)):  # no loop for threads, whatever it says
        y[i] = y[i - 1] * x[i]
        last = y[i] + 0.5 * last
    return last


add(one_after_the_other, lambda: (vec(6),), (0,), "for prange", njit=False)


def in_steps_of_two(x, w):
    out = np.zeros(len(x) + 2)
    for i in numba.prange(len(x) - 1, 0, -2):
        out[i] += x[i] * w
        out[i + 2] += x[i] * x[i - 1]
    return np.sum(out * out)


add(in_steps_of_two, lambda: (vec(11), 0.7), (0, 1), "for prange")
