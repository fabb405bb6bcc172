"""Loops: over ranges, arrays, tuples, zip, enumerate, reversed; empty, ragged and nested ones."""

import math

import numba
import numpy as np

from tests.zoo.registry import add, mat, vec


def range_steps(a):
    s = 0.0
    for i in range(1, len(a), 2):
        s += a[i] * i
    for i in range(len(a) - 1, -1, -1):
        s = s * 0.5 + a[i]
    for i in range(5, 0, -2):
        s += math.sin(a[i] * s)
    for i in range(-3, 3, 3):
        s += a[i] * s
    return s


add(range_steps, lambda: (vec(6),), (0,), "for")


def computed_step(a, k):
    s = 1.0
    for i in range(0, len(a), k):
        s += a[i] * s
    for i in range(len(a) - 1, 0, -k):
        s *= a[i]
    step = 1 if k > 5 else -1
    for i in range(3 if step < 0 else 0, 0 if step < 0 else 3, step):
        s += a[i] ** 2 * s
    return s


add(computed_step, lambda: (vec(5), 2), (0,), "for")


def triangular_loops(a):
    n = len(a)
    s = 0.0
    for i in range(n):
        for j in range(i):
            for k in range(j, i + 1):
                s += a[i] * a[j] * math.cos(a[k] + s)
    return s


add(triangular_loops, lambda: (vec(4),), (0,), "for nested")


def empty_ranges(x, n):
    s = x
    for i in range(n):
        s *= 2.0 + i
    for i in range(5, 2):
        s = 0.0 * i
    for i in range(2, 5, -1):
        s = 0.0 * i
    for i in range(3):
        for j in range(i, 1):
            s += x * (j + 1)
    return s * x


add(empty_ranges, lambda: (0.7, 0), (0,), "for empty", jit=True)


def loop_variable_after_loop(a):
    s = 0.0
    i = 0
    for i in range(len(a)):
        if a[i] > 1.0:
            break
        s += a[i]
    for j in range(3):
        s += a[j] * i
    return s * a[i] + a[j] * i


add(loop_variable_after_loop, lambda: (np.array([0.3, 0.9, 1.3, 0.5]),), (0,), "for break")


def loop_variable_reassigned(a):
    s = 0.0
    n = len(a)
    for i in range(n):
        i = (i + 2) % n
        n = 1
        s += a[i] * (i + 1) * s + a[i]
    return s + i + n


add(loop_variable_reassigned, lambda: (vec(4),), (0,), "for shadowing", jit=True)


def prange_sum(a, w):
    s = 0.0
    out = np.zeros(len(a))
    for i in numba.prange(len(a)):
        s += a[i] * w
        out[i] = math.exp(-a[i]) * w
    return s + np.sum(out)


add(prange_sum, lambda: (vec(4), 0.6), (0, 1), "for prange", jit=True)


def for_over_array(a, x):
    s = x
    for v in a:
        s = s * v + math.sin(v)
    return s


add(for_over_array, lambda: (vec(5), 0.8), (0, 1), "for iterate")


def for_over_rows(m):
    s = 0.0
    for row in m:
        row[0] *= row[1]
        for v in row:
            s += v * v
    return s + m[0, 0]


add(for_over_rows, lambda: (mat(3, 2),), (0,), "for iterate views inplace")


def for_over_tuple(x, y):
    s = 0.0
    for v in (x, y, x * y, 2.0):
        s = s * v + v
    return s


add(for_over_tuple, lambda: (0.7, 1.3), (0, 1), "for tuple")


def for_over_mixed_tuple(x, a):
    s = x
    for v in (2, x, 3.5, True):
        s = s * x + v
    for item in (a, a[1:]):
        s += np.sum(item) * s
    return s


add(for_over_mixed_tuple, lambda: (0.7, vec(3)), (0, 1), "for tuple mixed", njit=False, jit=True)


def enumerate_array(a):
    s = 0.0
    for k, v in enumerate(a):
        s += v ** (k + 1)
    for k, v in enumerate(a, 2):
        s += v * k * s
    return s


add(enumerate_array, lambda: (vec(4),), (0,), "for enumerate", jit=True)


def zip_arrays(a, b, c):
    s = 0.0
    for u, v in zip(a, b):
        s = s * u + v
    for u, v, w in zip(a, b, c):
        s += u * v * w
    return s


add(zip_arrays, lambda: (vec(4), vec(3), vec(4, 2)), (0, 1, 2), "for zip", jit=True)


def zip_strict(a, b, p):
    s = 0.0
    for u, v in zip(a, b, strict=True):
        s += u * v * v
    for u, v in zip(p, (0.5, 2.0), strict=True):
        s += v * s * u
    return s


add(zip_strict, lambda: (vec(3), vec(3, 1), (0.7, 1.3)), (0, 1, 2), "for zip tuple", njit=False)


def enumerate_zip(a, b):
    s = 0.0
    for i, (u, v) in enumerate(zip(a, b)):
        if i % 2 == 0:
            continue
        s += u * v + i * u
    return s


add(enumerate_zip, lambda: (vec(5), vec(5, 1)), (0, 1), "for zip enumerate continue", jit=True)


def reversed_things(a, x):
    s = x
    for i in reversed(range(len(a))):
        s = s * x + a[i] * i
    for v in a[::-1]:
        s = math.sin(s) + v
    return s


add(reversed_things, lambda: (vec(4), 0.8), (0, 1), "for reversed", njit=False)


def reversed_array(a):
    s = 1.0
    for v in reversed(a):
        s = s * v + 0.5
    for v in reversed((a[0], s)):
        s += v * s
    return s


add(reversed_array, lambda: (vec(4),), (0,), "for reversed", njit=False)
