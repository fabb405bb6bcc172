"""Sorting, as programs use it."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def sorted_in_place(a, w):
    b = a * w
    b.sort()
    c = b * w
    c.partition(1)
    return np.sum(b * c * w)


add(sorted_in_place, lambda: (vec(3), vec(3)), (0, 1), "arrays inplace", njit=False)


def rows_sorted_in_place(a):
    b = a.copy()
    b.sort(axis=0)
    return np.sum(b * b[:, ::-1] * np.arange(6.0).reshape(2, 3))


add(rows_sorted_in_place, lambda: (mat(2, 3),), (0,), "arrays inplace", njit=False)


def sorted_lists(a, x):
    s = sorted(a)
    t = sorted((x, a[0], a[1]), reverse=True)
    pairs = [(a[i], a[i] * x) for i in range(len(a))]
    by_size = sorted(pairs, key=lambda p: abs(p[0]))
    s.sort(reverse=True)
    total = 0.0
    for k in range(3):
        total += s[k] * t[k] * (k + 1) + by_size[k][1] * k
    return total


add(sorted_lists, lambda: (vec(4), 0.3), (0, 1), "lists", njit=False)


def positions_used(a, b):
    order = np.argsort(a)
    rank = np.argsort(order)
    k = np.searchsorted(np.sort(a), b[0])
    return np.sum(b[order] * a * rank) + k * b[1] + np.sum(a.argsort()[::-1] * b)


add(positions_used, lambda: (vec(4), vec(4, seed=1)), (0, 1), "arrays indexing")


def nan_is_extreme(a):
    b = np.array([a[0], np.nan, a[1]])
    return a[np.argmax(b)] * a[np.argmin(b)]


add(nan_is_extreme, lambda: (vec(3),), (0,), "arrays")
