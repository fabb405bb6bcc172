"""Helpers: called often, mutating arrays, several returns, recursion, arguments of every kind."""

import math

import numba
import numpy as np

from tests.zoo.registry import add, mat, vec


def square(x):
    return x * x


def called_many_times(x, n):
    s = square(x)
    for i in range(n):
        s = square(s * 0.5) + square(square(x)) * i
    return square(s) + square(2.0)


add(called_many_times, lambda: (0.7, 3), (0,), "helper")


def piecewise(x, y):
    if x > 1.0:
        return y * x
    if y > 1.0:
        for i in range(5):
            x += y
            if x > 3.0:
                return x * i
    return x - y


def helper_with_returns(a, y):
    s = 0.0
    for v in a:
        s += piecewise(v, y) * piecewise(y, v)
    return s


add(helper_with_returns, lambda: (vec(5), 1.2), (0, 1), "helper return")


def scale_in_place(a, x):
    for i in range(len(a)):
        a[i] *= x + i


def mutating_helper(a, x):
    s = a[0] * a[1]
    scale_in_place(a, x)
    s += a[0] * a[1]
    scale_in_place(a, s)
    scale_in_place(a[1:], a[0])
    return np.sum(a) * s


add(mutating_helper, lambda: (vec(3), 0.7), (0, 1), "helper mutate inplace")


def mutate_row(row, x):
    row[0] = row[-1] * x
    row[1:] *= row[0]
    return row[0] + x


def mutates_views(m, x):
    s = x
    for i in range(m.shape[0]):
        s = mutate_row(m[i], s)
    s += mutate_row(m[:, 1], x)
    s += mutate_row(m.T[0], s)
    return s + np.sum(m * m)


add(mutates_views, lambda: (mat(3, 3), 0.7), (0, 1), "helper mutate alias inplace")


def copy_into(target, source, x):
    for i in range(len(source)):
        target[i] = source[i] * x
        x += target[i]
    return x


def helper_writes_output(a, x):
    out = np.zeros(len(a))
    x = copy_into(out, a, x)
    x = copy_into(a, out, x)
    return x * np.sum(out * a)


add(helper_writes_output, lambda: (vec(3), 0.7), (0, 1), "helper mutate inplace")


def middle(a):
    return a[1:-1]


def choose(a, b, x):
    if x > 0.5:
        return a
    return b


def helper_returns_view(a, b, x):
    v = middle(a)
    v[0] *= x
    c = choose(a, b, x)
    c[1] += v[0] * v[1]
    d = choose(a, b, 0.0)
    d *= c
    return np.sum(a * a) + np.sum(b * b)


add(helper_returns_view, lambda: (vec(4), vec(4, 1), 0.7), (0, 1, 2), "helper alias inplace")


def stats(a):
    total = np.sum(a)
    return total, total / len(a), (a[0], a[-1] * total)


def helper_returns_tuple(a, x):
    total, average, (first, last) = stats(a)
    result = stats(a * x)
    return total * average + first * last + result[0] * result[2][1]


add(helper_returns_tuple, lambda: (vec(3), 0.7), (0, 1), "helper tuple")


def make_grid(x, n):
    g = np.empty(n)
    for i in range(n):
        g[i] = x**i
    return g


def helper_allocates(x, n):
    s = 0.0
    for k in range(1, n):
        g = make_grid(x + s, k)
        h = make_grid(g[-1], 2)
        s += np.sum(g) * h[1]
    return s


add(helper_allocates, lambda: (0.7, 4), (0,), "helper allocation", jit=True)


@numba.njit
def compiled_helper(x, y):
    if x > y:
        return math.sin(x) * y
    return x * y


@numba.njit
def compiled_mutator(a, k):
    a[k] *= a[k - 1]
    return a[k]


def calls_compiled_helpers(a, x):
    s = x
    for i in range(len(a)):
        s += compiled_helper(a[i], s) * compiled_mutator(a, i)
    return s * a[0]


add(calls_compiled_helpers, lambda: (vec(3), 0.7), (0, 1), "helper njit inplace", jit=True)


def softplus(x):
    return math.log1p(math.exp(x))


def normalise(a):
    t = np.sum(a)
    a /= t
    return t


def layer(w, b, x, out):
    for i in range(len(out)):
        s = b[i]
        for j in range(len(x)):
            s += w[i, j] * x[j]
        out[i] = softplus(s)
    return normalise(out)


def helper_chain(w, b, x):
    h = np.zeros(len(b))
    t = layer(w, b, x, h)
    t += layer(w, h, x, b)
    return t * np.sum(h * b)


add(helper_chain, lambda: (mat(3, 2), vec(3), vec(2)), (0, 1, 2), "helper mutate inplace")


def step_or_stop(a, i, limit):
    """Mutates, then reports by an early return whether to go on."""
    a[i] += a[i - 1] * 0.5
    if a[i] > limit:
        return False
    a[i] *= a[i]
    return True


def helper_decides(a, limit):
    i = 0
    while i < len(a) and step_or_stop(a, i, limit):
        i += 1
    return np.sum(a) * (i + 1)


add(helper_decides, lambda: (vec(5), 1.3), (0,), "helper mutate while inplace")


def same_array_twice(a, b):
    a[0] = a[1] * b[2]
    b[1] = a[0] * b[0]
    return a[1]


def helper_gets_overlapping_views(a):
    s = same_array_twice(a[:3], a[3:])
    s += same_array_twice(a[1:4], a[2:5])
    return s * np.sum(a)


add(helper_gets_overlapping_views, lambda: (vec(6),), (0,), "helper alias overlap inplace")


def unused_results(x, a):
    square(x)
    piecewise(x, 2.0)
    scale_in_place(a, x)
    _, mean, _ = stats(a)
    return mean * x


add(unused_results, lambda: (0.7, vec(3)), (0, 1), "helper inplace")
