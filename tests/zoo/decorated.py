"""Helpers that carry decorators, and functions made by other means."""

import functools

import numba
import numpy as np

from tests.zoo.registry import add, vec

try:
    from srcad import differentiable
except ImportError:  # the zoo can be used without the compiler

    def differentiable(fn):
        return fn


@differentiable
def gaussian(x, width):
    """Helper already marked differentiable."""
    return np.exp(-(x * x) / (width * width))


@differentiable
def smooth(a, width):
    """Marked helper that mutates its argument and calls another marked helper."""
    for i in range(1, len(a)):
        a[i] = a[i] * gaussian(a[i - 1], width) + a[i - 1]
    return a[-1]


def calls_marked_helpers(a, width):
    s = smooth(a, width)
    s += smooth(a[1:], s) * gaussian(s, width)
    return s * a[0]


add(calls_marked_helpers, lambda: (vec(4), 0.7), (0, 1), "marked mutate inplace", jit=True)
add(gaussian, lambda: (0.7, 1.3), (0, 1), "marked", name="marked_at_entry", jit=True)


@numba.njit
def compiled_recursion(x, n):
    if n <= 0:
        return x
    return compiled_recursion(x * x + 0.1, n - 1) * x


def calls_compiled_recursion(x):
    return compiled_recursion(x, 3) + compiled_recursion(x * x, 2)


add(calls_compiled_recursion, lambda: (0.7,), (0,), "compiled recursion")
add(compiled_recursion, lambda: (0.7, 3), (0,), "compiled", name="compiled_at_entry", jit=True)


@numba.njit(fastmath=True)
def compiled_sweep(a, out):
    for i in range(len(a)):
        out[i] = a[i] * a[i - 1]
    return out


def compiled_returns_argument(a):
    buffer = np.zeros(len(a))
    b = compiled_sweep(a, buffer)
    b[0] += a[1]
    c = compiled_sweep(b, a)
    return np.sum(buffer) * c[0] + a[1]


add(compiled_returns_argument, lambda: (vec(3),), (0,), "compiled alias mutate inplace", jit=True)


def weighted_power(x, y, weights, *, power=2):
    s = 0.0
    for w in weights:
        s += w * (x * y) ** power
    return s


class Scaler:
    """Methods as helpers and as partials."""

    def __init__(self, factor):
        self.factor = factor
        self.table = np.array([0.5, factor, 2.0])

    def scale(self, x):
        return x * self.factor

    def lookup(self, x, k):
        return self.scale(x) + self.table[k] * x * x


scaler = Scaler(1.7)


def calls_methods(x):
    return scaler.scale(x) * scaler.lookup(x, 1) + scaler.factor * x


add(calls_methods, lambda: (0.7,), (0,), "method", njit=False)
add(
    functools.partial(scaler.lookup, k=2),
    lambda: (0.7,),
    (0,),
    "method partial",
    name="partial_of_method",
    njit=False,
)
add(
    functools.partial(weighted_power, 1.3, power=3),
    lambda: (0.7, vec(2)),
    (0, 1),
    "partial",
    name="partial_with_keyword",
    njit=False,
)
