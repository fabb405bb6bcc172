"""Shadowed names, dead and inactive code, NaN and inf, kinks, long loops."""

import math
from math import exp as e_to_the

import numpy as xp
from numpy import cos, exp

from tests.zoo.registry import add, vec


def shadowed_names(x, max, list):
    sum = 0.0
    len = 3
    for range_ in range(len):
        abs = x * range_
        sum = sum * max + abs
    float = sum * list
    return float + sum


add(shadowed_names, lambda: (0.7, 1.3, 0.4), (0, 1, 2), "names", jit=True)


def aliases_of_modules(x):
    return xp.sin(x) * cos(x) + exp(x) * e_to_the(-0.5 * x) + xp.linalg.norm(xp.array([x, 2.0]))


add(aliases_of_modules, lambda: (0.7,), (0,), "imports", jit=True)


def dead_code(x, n):
    if False:
        x = 100.0 * x
    while False:
        x = math.nan
    unused = x * x
    for _ in range(n):
        unused = unused * x
    if True:
        y = x * 2.0
    else:
        y = x * 3.0
    return y * x
    return unused


add(dead_code, lambda: (0.7, 2), (0,), "dead", jit=True)


def inactive_arrays(x, n):
    table = xp.arange(n) * 0.5
    table[0] = 2.0
    counts = xp.zeros(n)
    s = 0.0
    for i in range(n):
        counts[i] += table[i - 1]
        s += x * counts[i]
        table[i] = s
    counts[:] = 1.0
    return s * counts[0] + table[1]


add(inactive_arrays, lambda: (0.7, 3), (0,), "inactive inplace")


def becomes_active_late(a, x, n):
    """Nothing is active before the second trip."""
    s = 1.0
    t = xp.ones(3)
    for i in range(n):
        s = s * t[0] + i
        t[0] = t[1] * 0.5
        t[1] = t[2]
        t[2] = a[0] if i > 0 else 2.0
        if i == 2:
            s *= x
    return s * t[0]


add(becomes_active_late, lambda: (vec(2), 0.7, 5), (0, 1), "inactive loops")


def skips_nan(a):
    s = 0.0
    for v in a:
        if math.isnan(v) or math.isinf(v):
            continue
        s += v * v
    return s


add(skips_nan, lambda: (xp.array([0.7, xp.nan, 1.3, xp.inf]),), (0,), "nan special", jit=True)


def infinite_bound(x, high):
    y = min(x * x, high)
    low = -high
    for i in range(3):
        if y > low:
            low = y * 0.5
    return y * low


add(infinite_bound, lambda: (0.7, math.inf), (0,), "inf special", jit=True)


def zero_adjoint_at_singularity(a):
    """The branch not taken has an infinite partial: the derivative is 0, not NaN."""
    b = xp.where(a > 0.0, xp.sqrt(a), 0.5)
    return xp.sum(b * b) + xp.sum(xp.abs(a) * 0.0)


add(zero_adjoint_at_singularity, lambda: (xp.array([0.0, 0.7]),), (0,), "kink special", jit=True)


def absolute_at_zero(x, y):
    return abs(x) + y * abs(x) + abs(y - 1.3) * y


add(absolute_at_zero, lambda: (0.0, 1.3), (0, 1), "kink special", jit=True)


def numpy_integers(x, n, k):
    s = 0.0
    for i in range(n):
        s += x**i * k
        k = k // 2 + n
    return s


add(numpy_integers, lambda: (0.7, xp.int64(3), xp.int32(5)), (0,), "int promotion")


def long_loop(x, n):
    s = x
    for i in range(n):
        s = s * 0.999 + 0.001 * math.sin(s + x)
    return s


add(long_loop, lambda: (0.7, 5000), (0,), "long", jit=True)


def long_search(x, a):
    s, k = x, 0
    while k < 100000:
        s += 0.001 * a[k % 2] * (2.0 - s)
        k += 1
        if s > 1.7 or a[0] > s:
            break
    return s * a[1]


add(long_search, lambda: (0.7, vec(2)), (0, 1), "long while break", jit=True)
