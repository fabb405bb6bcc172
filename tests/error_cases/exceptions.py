"""Exceptions of the program itself: they come out as themselves."""
# ruff: noqa

import math

import numpy as np

from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


@refused(ZeroDivisionError, 0.0)
def division_by_zero(x):
    return 1.0 / x


@refused(ZeroDivisionError, 1.0, 0)
def integer_division_by_zero(x, n):
    return x * (7 // n)


@refused(ZeroDivisionError, 1.0, 0)
def modulo_zero(x, n):
    return x * (7 % n)


@refused(ValueError, -1.0)
def own_value_error(x):
    if x < 0.0:
        raise ValueError("x must be positive")
    return x**0.5


@refused(RuntimeError, -1.0)
def own_error_with_two_arguments(x):
    if x < 0.0:
        raise RuntimeError("bad state", 7)
    return x


@refused(AssertionError, -1.0)
def failed_assertion(x):
    assert x > 0.0, "x must be positive"
    return x


@refused(AssertionError, -1.0)
def failed_bare_assertion(x):
    assert x > 0.0
    return x


@refused(IndexError, vector, 5)
def list_index_out_of_range(a, k):
    xs = [v for v in a]
    return xs[k]


@refused(IndexError, 1.0, 5)
def tuple_index_out_of_range(x, k):
    t = (x, x * x)
    return t[k]


@refused(IndexError, 1.0)
def pop_from_an_empty_list(x):
    xs = [x]
    xs.pop()
    return xs.pop()


@refused(ValueError, 1.0, 0)
def range_with_step_zero(x, k):
    for i in range(0, 5, k):
        x = x * 2.0
    return x


@refused(ValueError, lambda: np.ones(0))
def maximum_of_nothing(a):
    return np.max(a)


@refused(ValueError, vector)
def reshape_to_another_size(a):
    return a.reshape(2, 2)[0, 0]


@refused(ValueError, vector)
def unpack_another_number_of_values(a):
    x, y = a
    return x * y


@refused(RuntimeError, 1.5)
def list_that_grows_under_its_loop(x):
    xs = [x]
    s = 0.0
    for v in xs:
        s += v
        if len(xs) < 4:
            xs.append(v * 2.0)
    return s


@refused(ValueError, vector, lambda: np.ones(2))
def rows_of_different_length(a, b):
    return np.sum(np.array([a, b]))


@refused(IndexError, 1.0, 3)
def range_index_out_of_range(x, n):
    return x * range(n)[n]


@refused(ZeroDivisionError, 2.0, 1.0)
def logarithm_to_base_one(x, base):
    return math.log(x, base)


@refused(RecursionError, 1.0)
def recursion_too_deep(x):
    return descend(x, 100000)


def descend(x, n):
    if n == 0:
        return x
    return descend(x, n - 1) * 1.0


@refused(IndexError, vector, 7, debug=True)
def debug_names_the_line_of_a_bad_index(a, k):
    s = a[0] * 2.0
    s += a[k]
    return s


@refused(IndexError, vector, 7, debug=True)
def debug_names_the_line_of_a_bad_store(a, k):
    b = a * 2.0
    b[k] = 1.0
    return b[0]


@refused(FloatingPointError, -1.0, debug=True)
def debug_names_the_line_of_the_first_nan(x):
    y = x * 2.0
    z = np.sqrt(y)
    return z * z


@refused(FloatingPointError, 0.0, 2.0, debug=True)
def debug_names_the_line_of_a_nan_in_reverse(x, y):
    z = np.sqrt(x) * y
    return np.sqrt(z * z)
