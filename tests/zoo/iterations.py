"""Loops whose iterations are independent: what ``transforms.fusion`` runs once."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def sum_over_rows(x, w):
    n, d = x.shape
    s = 0.0
    t = np.empty(d)
    for i in range(n):
        for j in range(d):
            t[j] = math.sin(x[i, j] * w[j])
        q = 1.0
        for j in range(d):
            q *= t[j] + 1.5
        if q > 1.0:
            s += q * w[0]
    return 2.0 * s


add(sum_over_rows, lambda: (mat(4, 3), vec(3)), (0, 1), "loops inplace", jit=True)


def sum_used_twice(x):
    s = 0.0
    for i in range(len(x)):
        q = x[i]
        for _ in range(3):
            q = q * q * 0.5 + x[i]
        s += q
    return s * s


add(sum_used_twice, lambda: (vec(4),), (0,), "loops")


def sum_of_pairs(p, cutoff):
    energy = 0.0
    for i in range(len(p)):
        for j in range(i):
            r = p[i] - p[j]
            r2 = r * r + 0.1
            if r2 < cutoff:
                energy += 1.0 / r2 - math.exp(-r2)
    return energy


add(sum_of_pairs, lambda: (vec(5), 0.8), (0,), "loops if")


def results_of_rows(x, out):
    for i in range(x.shape[0]):
        q = 0.3
        for j in range(x.shape[1]):
            q = q * x[i, j] + math.sin(q)
        out[i] = q
        out[i] *= x[i, 0]


add(results_of_rows, lambda: (mat(3, 4), vec(3)), (0, 1), "loops inplace exit")


def rows_through_views(x, out):
    s = 0.0
    for i in range(x.shape[0]):
        row = x[i]
        to = out[i]
        q = 1.0
        for j in range(len(row)):
            q *= row[j]
            to[j] = q * q
        s += q
    return s - 3.0 * np.sum(out)


add(
    rows_through_views, lambda: (mat(3, 4), mat(3, 4)), (0, 1), "loops views inplace exit", jit=True
)


def in_place_map(x):
    for i in range(len(x)):
        for _ in range(2):
            x[i] = x[i] * x[i] + 0.1 * x[i]
    return np.sum(x)


add(in_place_map, lambda: (vec(4),), (0,), "loops inplace exit")


def histogram_of_squares(x, bins):
    h = np.zeros(4)
    for i in range(len(x)):
        q = x[i]
        for _ in range(2):
            q *= q + 0.5
        h[bins[i]] += q
    return h[0] * h[1] + h[2] - h[3]


add(histogram_of_squares, lambda: (vec(6), np.array([0, 1, 1, 2, 3, 0])), (0,), "loops scatter")


def divides_by_each(x, out):
    s = 0.0
    for i in range(len(x)):
        q = 1.0
        for _ in range(2):
            q = q / x[i] + 1.0
        out[i] = q
        s += q * q
    return s


add(divides_by_each, lambda: (vec(4), vec(4)), (0,), "loops inplace exit")


def scratch_partly_written(x):
    t = np.zeros(4)
    s = 0.0
    for i in range(len(x)):
        for j in range(i % 3):
            t[j] = x[i] * (j + 1)
        q = 1.0
        for j in range(4):
            q *= 1.0 + t[j]
        s += q
    return s


add(scratch_partly_written, lambda: (vec(5),), (0,), "loops inplace")


def scratch_by_constants(x):
    k = np.zeros(3)
    s = 0.0
    for i in range(len(x) - 1):
        k[0] = x[i] * x[i + 1]
        k[1] = math.exp(k[0])
        k[2] = k[1] * k[0]
        for j in range(3):
            k[j] = k[j] * k[j]
        s += k[0] - k[1] + k[2]
    return s


add(scratch_by_constants, lambda: (vec(5),), (0,), "loops inplace")


def scratch_read_afterwards(x):
    t = np.empty(2)
    s = 0.0
    for i in range(len(x)):
        t[0] = x[i] * x[i]
        t[1] = t[0] * x[i]
        for _ in range(2):
            t[1] *= t[0]
        s += t[1]
    return s * t[0]


add(scratch_read_afterwards, lambda: (vec(4),), (0,), "loops inplace")


def two_loops_of_sums(x, y):
    s, r = 0.0, 0.0
    for i in range(len(x)):
        q = x[i]
        for j in range(3):
            q *= y[j]
        s += q
    for i in range(len(y)):
        q = y[i]
        for j in range(2):
            q = q * x[j] + q * q
        r -= q
    for i in range(len(x)):
        x[i] = 0.0
    return s + 2.0 * r


add(two_loops_of_sums, lambda: (vec(4), vec(3)), (0, 1), "loops exit")


def array_read_after_its_loop(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        q = x[i]
        for _ in range(2):
            q = q * q + x[i]
        out[i] = q
    s = 0.0
    for i in range(len(x)):
        s += out[i] * out[len(x) - 1 - i]
    return s


add(array_read_after_its_loop, lambda: (vec(4),), (0,), "loops inplace")


def counts_on_the_way(x):
    s, k, big = 0.0, 0, False
    for i in range(len(x)):
        q = x[i] * (k + 1)
        for _ in range(2):
            q *= q + 0.5
        if q > 0.6:
            k += 2
            big = True
        s += q if big else -q
    return s + k


add(counts_on_the_way, lambda: (vec(6),), (0,), "loops if")
