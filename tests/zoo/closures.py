"""Nested functions and lambdas, closing over constants, arrays and active values."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def nested_function(x, y):
    def inner(t):
        return t * t + 1.0

    return inner(x) * inner(inner(y))


add(nested_function, lambda: (0.7, 1.3), (0, 1), "nested")


def closure_over_active(x, y):
    z = x * y

    def inner(t):
        return t * z + x

    return inner(2.0) * inner(y)


add(closure_over_active, lambda: (0.7, 1.3), (0, 1), "active")


def closure_over_array(a, x):
    def weighted(k):
        return a[k] * a[k - 1] + x

    s = 0.0
    for i in range(len(a)):
        s += weighted(i) * s + weighted(0)
    return s


add(closure_over_array, lambda: (vec(3), 0.7), (0, 1), "active array", jit=True)


def closure_mutates(a, x):
    def bump(k):
        a[k] = a[k] * x + a[k - 1]

    for i in range(len(a)):
        bump(i)
    a[0] *= 2.0
    bump(1)
    return np.sum(a * a)


add(closure_mutates, lambda: (vec(3), 0.7), (0, 1), "active mutate inplace")


def lambdas(x, y):
    f = lambda t: t * x
    g = lambda t, u=2.0: math.sin(t) * u + y
    return f(y) + g(f(x)) + (lambda t: t**2)(y)


add(lambdas, lambda: (0.7, 1.3), (0, 1), "lambda active")


def lambda_in_loop(a):
    s = 1.0
    for i in range(len(a)):
        scaled = a[i] * 2.0
        f = lambda t: t * scaled + 1.0
        s = f(s) * 0.5
    return s


add(lambda_in_loop, lambda: (vec(3),), (0,), "lambda active")


def two_levels(x, y):
    def outer(t):
        k = t * x

        def inner(u):
            return u * k + y

        return inner(t) * inner(k)

    return outer(y) + outer(0.5)


add(two_levels, lambda: (0.7, 1.3), (0, 1), "active nested")


def compose(f, g, x):
    return f(g(x)) - g(x)


def closures_as_arguments(x, y):
    def scale(t):
        return t * y

    return compose(scale, math.sin, x) + compose(lambda t: t + x, scale, y)


add(closures_as_arguments, lambda: (0.7, 1.3), (0, 1), "function_argument active", njit=False)


def newton_root(f, df, x, n):
    for _ in range(n):
        x = x - f(x) / df(x)
    return x


def implicit_by_closures(c, x):
    def f(t):
        return t**3 + c * t - x

    def df(t):
        return 3.0 * t * t + c

    return newton_root(f, df, 1.0, 5)


add(
    implicit_by_closures,
    lambda: (0.7, 1.3),
    (0, 1),
    "function_argument active",
    njit=False,
    jit=True,
)


def make_scaled(k, table):
    def scaled(x, n):
        s = 0.0
        for i in range(n):
            s += k * x**i * table[i]
        return s

    return scaled


add(
    make_scaled(1.7, (0.5, 1.5, 2.0)), lambda: (0.7, 3), (0,), "captured", name="captured_constants"
)
add(make_scaled(1.7, vec(3, 5)), lambda: (0.7, 3), (0,), "captured", name="captured_array")


def make_composed(f, depth):
    def composed(x):
        for _ in range(depth):
            x = f(x) * 0.5 + x
        return x

    return composed


def cubic(x):
    return x**3 - x


add(
    make_composed(cubic, 3),
    lambda: (0.7,),
    (0,),
    "captured function_value",
    name="captured_function",
    jit=True,
)
add(
    make_composed(lambda t: math.cos(t) * t, 2),
    lambda: (0.7,),
    (0,),
    "captured lambda",
    name="captured_lambda",
    jit=True,
)
add(
    lambda x, y: x * y + math.sin(x) ** 2,
    lambda: (0.7, 1.3),
    (0, 1),
    "lambda",
    name="lambda_at_entry",
    jit=True,
)


def branch_in_closure(a, x):
    limit = x * 1.5

    def clip(v):
        if v > limit:
            return limit
        if v < 0.5:
            return v * v
        return v

    s = 0.0
    for v in a:
        s += clip(v) * clip(s)
    return s


add(branch_in_closure, lambda: (vec(5), 0.7), (0, 1), "active return")


def closure_sees_later_value(x):
    k = x

    def inner(t):
        return t * k

    first = inner(x)
    k = k * 2.0
    return first + inner(x) * 3.0


add(closure_sees_later_value, lambda: (0.7,), (0,), "active late_binding", jit=True)


def closure_default(x, y):
    def inner(t, scale=3.0, n=2):
        for i in range(n):
            t = t * scale + y
        return t

    return inner(x) * inner(y, 0.5) + inner(x, n=1)


add(closure_default, lambda: (0.7, 1.3), (0, 1), "active keywords", njit=False, jit=True)


def stepper_closure(m, state, h):
    def rhs(s):
        return m @ s - s * s

    def step(s):
        k1 = rhs(s)
        k2 = rhs(s + 0.5 * h * k1)
        return s + h * k2

    for _ in range(3):
        state = step(state)
    return np.sum(state * state)


add(stepper_closure, lambda: (mat(2, 2), vec(2), 0.1), (0, 1, 2), "active nested")
