"""Recursion, keywords, star arguments, function arguments, partials, methods, globals."""

import functools
import math

import numpy as np

from tests.zoo.functions import square
from tests.zoo.registry import add, vec

RATE = 0.3
TABLE = (0.5, 1.5, 2.5)
WEIGHTS = np.array([0.2, 0.4, 0.8])


def power_sum(x, n):
    if n == 0:
        return 1.0
    return 1.0 + x * power_sum(x, n - 1)


def recursion(x, n):
    return power_sum(x, n) * power_sum(x * x, 2)


add(recursion, lambda: (0.7, 4), (0,), "recursion")


def fibonacci(n, x, y):
    if n == 0:
        return x
    if n == 1:
        return y
    return fibonacci(n - 1, x, y) + 0.5 * fibonacci(n - 2, x, y) * x


add(fibonacci, lambda: (5, 0.7, 1.3), (1, 2), "recursion")


def even_step(x, n):
    if n == 0:
        return x
    return odd_step(math.sin(x), n - 1) * x


def odd_step(x, n):
    if n == 0:
        return x * x
    return even_step(x + 0.5, n - 1) + x


def mutual_recursion(x, n):
    return even_step(x, n) + odd_step(x, n)


add(mutual_recursion, lambda: (0.7, 4), (0,), "recursion mutual", jit=True)


def deepest(v, n):
    if n == 0:
        return v[0] * v[1], 0, v > 0.5
    y, k, large = deepest(v, n - 1)
    if y > 0.9:
        k += 1
    return y * v[n] + 0.3, k + n, large


def recursion_with_integers(x):
    s = 0.0
    for n in range(3):
        y, k, large = deepest(x, n + 1)
        s += y * x[k % 4]
        if large[n]:
            s *= y
    return s


add(recursion_with_integers, lambda: (vec(4),), (0,), "recursion int bool tuple")


def merge_halves(a, low, high):
    if high - low == 1:
        a[low] *= 1.5
        return a[low]
    mid = (low + high) // 2
    left = merge_halves(a, low, mid)
    right = merge_halves(a, mid, high)
    a[low] += right
    return left * right + a[mid]


def recursive_mutation(a):
    return merge_halves(a, 0, len(a)) * a[0]


add(recursive_mutation, lambda: (vec(5),), (0,), "recursion mutate inplace")


def scaled_downwards(v, n):
    if n > 0:
        v[n] *= v[n - 1]
        return scaled_downwards(v, n - 1)
    return v


def returned_arguments_carried(x):
    u = x.copy()
    w = np.zeros(4)
    for k in range(3):
        t = u
        u = scaled_downwards(w, k)
        w = scaled_downwards(t, 2)
        u[k] += w[1] * x[k]
    return np.sum(u) + w[0] * u[1]


add(returned_arguments_carried, lambda: (vec(4),), (0,), "recursion mutate inplace alias", jit=True)


def data_recursion(x, depth):
    if x > 2.0 or depth > 6:
        return x * x
    return data_recursion(x * 1.4, depth + 1) + data_recursion(x + 0.6, depth + 2)


add(data_recursion, lambda: (0.7, 0), (0,), "recursion")


def slice_recursion(a):
    n = len(a)
    if n == 1:
        return a[0] ** 2
    a[0] *= a[-1]
    return slice_recursion(a[: n // 2]) * slice_recursion(a[n // 2 :]) + a[0]


add(slice_recursion, lambda: (vec(5),), (0,), "recursion alias inplace")


def with_defaults(x, scale=2.0, n=3, *, shift=0.5, power=2):
    for i in range(n):
        x = (x * scale) ** power * 0.1 + shift
    return x


def keyword_arguments(x, y):
    s = with_defaults(x) + with_defaults(x, y)
    s += with_defaults(x, n=2) + with_defaults(x, shift=y, scale=x)
    return s * with_defaults(scale=y, x=s, n=1, power=3)


add(keyword_arguments, lambda: (0.7, 1.3), (0, 1), "keywords", njit=False, jit=True)


def positional_defaults(x, scale=2.0, n=3):
    for i in range(n):
        x = x * scale * 0.3 + i
    return x


def default_arguments(x, y):
    return positional_defaults(x, n=2) + positional_defaults(x, y) * positional_defaults(y)


add(default_arguments, lambda: (0.7, 1.3), (0, 1), "keywords")
add(positional_defaults, lambda: (0.7,), (0,), "keywords", name="defaults_at_entry")
add(
    positional_defaults,
    lambda: (0.7, 1.3),
    (0, 1),
    "keywords",
    name="keyword_at_entry",
    kwargs={"n": 2},
)
add(
    with_defaults,
    lambda: (0.7, 1.3),
    (0, 1),
    "keywords",
    name="keyword_only_at_entry",
    kwargs={"shift": 0.25, "n": 2},
    njit=False,
)


def total(first, *rest):
    s = first
    for v in rest:
        s = s * v + first
    return s + len(rest)


def star_arguments(x, y, z):
    pair = (x, y)
    return total(x, y, z) * total(*pair) + total(z, *pair)


add(star_arguments, lambda: (0.7, 1.3, 0.4), (0, 1, 2), "star", jit=True)
add(total, lambda: (0.7, 1.3, 0.4), (0, 1, 2), "star", name="star_at_entry", jit=True)
add(total, lambda: (0.7,), (0,), "star empty", name="star_empty", njit=False)


def apply_twice(f, x):
    return f(f(x))


def half_sine(x):
    return 0.5 * math.sin(x)


def function_arguments(x, y):
    return apply_twice(half_sine, x) * apply_twice(square, y) + apply_twice(math.cos, x)


add(function_arguments, lambda: (0.7, 1.3), (0, 1), "function_argument")


def integrate(f, low, high, n):
    h = (high - low) / n
    s = 0.5 * (f(low) + f(high))
    for i in range(1, n):
        s += f(low + i * h)
    return s * h


add(
    integrate,
    lambda: (half_sine, 0.2, 1.3, 4),
    (1, 2),
    "function_argument",
    name="function_at_entry",
    jit=True,
)


def chosen_function(x, flag):
    f = square if flag else half_sine
    g = half_sine
    s = f(x)
    for h in (square, half_sine):
        s += h(s) * g(x)
    return s


add(chosen_function, lambda: (0.7, True), (0,), "function_value", njit=False)


def polynomial(c0, c1, c2, x):
    return c0 + c1 * x + c2 * x * x


add(
    functools.partial(polynomial, 0.5, 1.5),
    lambda: (0.7, 1.3),
    (0, 1),
    "partial functions",
    name="partial_at_entry",
    njit=False,
    jit=True,
)

quadratic = functools.partial(polynomial, 0.5, c2=2.0)


def calls_partial(x, y):
    return quadratic(x, x=y) * quadratic(c1=y, x=x)


add(calls_partial, lambda: (0.7, 1.3), (0, 1), "partial", njit=False)


class Oscillator:
    """A plain class: its methods are functions with a captured object."""

    def __init__(self, stiffness, mass):
        self.stiffness = stiffness
        self.masses = np.array([mass, 2.0 * mass])

    def force(self, x):
        return -self.stiffness * x - 0.1 * x**3

    def energy(self, x, v):
        e = 0.0
        for i in range(3):
            a = self.force(x) / self.masses[i % 2]
            v += 0.1 * a
            x += 0.1 * v
            e += 0.5 * self.stiffness * x * x + 0.5 * self.masses[0] * v * v
        return e


add(
    Oscillator(1.3, 0.8).energy,
    lambda: (0.7, 0.2),
    (0, 1),
    "method functions",
    name="bound_method",
    njit=False,
    jit=True,
)


def uses_globals(x):
    s = x * RATE
    for i in range(len(TABLE)):
        s += TABLE[i] * x ** (i + 1) * WEIGHTS[i]
    for t in TABLE:
        s *= 1.0 + t * x
    return s + np.sum(WEIGHTS * x)


add(uses_globals, lambda: (0.7,), (0,), "globals", jit=True)
