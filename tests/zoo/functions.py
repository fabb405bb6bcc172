"""Helpers: called often, mutating arrays, several returns, recursion, arguments of every kind."""

import functools
import math

import numba
import numpy as np

from tests.zoo.registry import add, mat, vec

RATE = 0.3
TABLE = (0.5, 1.5, 2.5)
WEIGHTS = np.array([0.2, 0.4, 0.8])


def square(x):
    return x * x


def called_many_times(x, n):
    s = square(x)
    for i in range(n):
        s = square(s * 0.5) + square(square(x)) * i
    return square(s) + square(2.0)


add(called_many_times, lambda: (0.7, 3), (0,), "helper", jit=True)


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


add(helper_with_returns, lambda: (vec(5), 1.2), (0, 1), "helper return", jit=True)


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


add(mutating_helper, lambda: (vec(3), 0.7), (0, 1), "helper mutate inplace", jit=True)


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


add(mutates_views, lambda: (mat(3, 3), 0.7), (0, 1), "helper mutate alias inplace", jit=True)


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


add(helper_writes_output, lambda: (vec(3), 0.7), (0, 1), "helper mutate inplace", jit=True)


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


add(helper_returns_view, lambda: (vec(4), vec(4, 1), 0.7), (0, 1, 2), "helper alias inplace",
    jit=True)  # fmt: skip


def stats(a):
    total = np.sum(a)
    return total, total / len(a), (a[0], a[-1] * total)


def helper_returns_tuple(a, x):
    total, average, (first, last) = stats(a)
    result = stats(a * x)
    return total * average + first * last + result[0] * result[2][1]


add(helper_returns_tuple, lambda: (vec(3), 0.7), (0, 1), "helper tuple", jit=True)


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


def power_sum(x, n):
    if n == 0:
        return 1.0
    return 1.0 + x * power_sum(x, n - 1)


def recursion(x, n):
    return power_sum(x, n) * power_sum(x * x, 2)


add(recursion, lambda: (0.7, 4), (0,), "recursion", jit=True)


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


add(mutual_recursion, lambda: (0.7, 4), (0,), "recursion mutual")


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


add(recursive_mutation, lambda: (vec(5),), (0,), "recursion mutate inplace", jit=True)


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


add(keyword_arguments, lambda: (0.7, 1.3), (0, 1), "keywords", njit=False)


def positional_defaults(x, scale=2.0, n=3):
    for i in range(n):
        x = x * scale * 0.3 + i
    return x


def default_arguments(x, y):
    return positional_defaults(x, n=2) + positional_defaults(x, y) * positional_defaults(y)


add(default_arguments, lambda: (0.7, 1.3), (0, 1), "keywords", jit=True)
add(positional_defaults, lambda: (0.7,), (0,), "keywords", name="defaults_at_entry")
add(positional_defaults, lambda: (0.7, 1.3), (0, 1), "keywords", name="keyword_at_entry",
    kwargs={"n": 2})  # fmt: skip
add(with_defaults, lambda: (0.7, 1.3), (0, 1), "keywords", name="keyword_only_at_entry",
    kwargs={"shift": 0.25, "n": 2}, njit=False)  # fmt: skip


def total(first, *rest):
    s = first
    for v in rest:
        s = s * v + first
    return s + len(rest)


def star_arguments(x, y, z):
    pair = (x, y)
    return total(x, y, z) * total(*pair) + total(z, *pair)


add(star_arguments, lambda: (0.7, 1.3, 0.4), (0, 1, 2), "star")
add(total, lambda: (0.7, 1.3, 0.4), (0, 1, 2), "star", name="star_at_entry")
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


add(integrate, lambda: (half_sine, 0.2, 1.3, 4), (1, 2), "function_argument",
    name="function_at_entry")  # fmt: skip


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


add(functools.partial(polynomial, 0.5, 1.5), lambda: (0.7, 1.3), (0, 1), "partial functions",
    name="partial_at_entry", njit=False)  # fmt: skip

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


add(Oscillator(1.3, 0.8).energy, lambda: (0.7, 0.2), (0, 1), "method functions",
    name="bound_method", njit=False)  # fmt: skip


def uses_globals(x):
    s = x * RATE
    for i in range(len(TABLE)):
        s += TABLE[i] * x ** (i + 1) * WEIGHTS[i]
    for t in TABLE:
        s *= 1.0 + t * x
    return s + np.sum(WEIGHTS * x)


add(uses_globals, lambda: (0.7,), (0,), "globals", jit=True)


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


add(helper_chain, lambda: (mat(3, 2), vec(3), vec(2)), (0, 1, 2), "helper mutate inplace", jit=True)


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


add(helper_decides, lambda: (vec(5), 1.3), (0,), "helper mutate while inplace", jit=True)


def same_array_twice(a, b):
    a[0] = a[1] * b[2]
    b[1] = a[0] * b[0]
    return a[1]


def helper_gets_overlapping_views(a):
    s = same_array_twice(a[:3], a[3:])
    s += same_array_twice(a[1:4], a[2:5])
    return s * np.sum(a)


add(helper_gets_overlapping_views, lambda: (vec(6),), (0,), "helper alias overlap inplace",
    jit=True)  # fmt: skip


def unused_results(x, a):
    square(x)
    piecewise(x, 2.0)
    scale_in_place(a, x)
    _, mean, _ = stats(a)
    return mean * x


add(unused_results, lambda: (0.7, vec(3)), (0, 1), "helper inplace")
