"""Names that are not bound, or bound to different things on different paths."""
# ruff: noqa

import numpy as np

from srcad import SrcadError, TypeMismatch, UnsupportedSyntax
from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


@refused(UnsupportedSyntax, 1.0)
def undefined_name(x):
    return x * gravity


@refused(UnsupportedSyntax, 1.0)
def read_before_assignment(x):
    y = x * z
    z = 2.0
    return y


@refused(UnsupportedSyntax, 1.0)
def read_after_delete(x):
    y = x * x
    del y
    return y


@refused(UnsupportedSyntax, 1.0)
def update_before_assignment(x):
    total += x
    return total


@refused(UnsupportedSyntax, 1.0)
def shadowed_builtin(x):
    y = abs(x)
    abs = 2.0
    return y * abs


@refused(UnboundLocalError, 1.0)
def bound_on_one_path_only(x):
    if x > 2.0:
        y = x * x
    return y * x


@refused(UnboundLocalError, 1.0, 0)
def bound_in_a_loop_only(x, n):
    for i in range(n):
        y = x * i
    return y


@refused(UnboundLocalError, 1.0, 0)
def loop_variable_of_an_empty_loop(x, n):
    for i in range(n):
        x = x * 2.0
    return x * i


@refused(TypeMismatch, vector)
def scalar_or_array(a):
    if a[0] > 1.0:
        y = a
    else:
        y = a[0]
    return np.sum(y * a)


@refused(TypeMismatch, 1.0)
def number_or_tuple(x):
    if x > 0.0:
        y = x
    else:
        y = (x, x)
    return y


@refused(TypeError, 0.2)
def number_or_none(x):
    y = None
    if x > 0.5:
        y = x * x
    return y * 2.0


@refused(TypeMismatch, 1.0, 3)
def kind_changes_in_a_loop(x, n):
    y = x
    for i in range(n):
        y = (y, x)
    return y[0]


@refused(TypeMismatch, vector)
def ranks_differ(a):
    if a[0] > 0.2:
        b = a
    else:
        b = np.zeros((3, 3))
    return np.sum(b)


@refused(TypeMismatch, 1.0)
def tuples_of_different_length(x):
    if x > 0.0:
        t = (x, x)
    else:
        t = (x, x, x)
    return t[0]


@refused(TypeMismatch, 1.0)
def returns_number_or_tuple(x):
    if x > 0.0:
        return x
    return x, x


@refused(TypeMismatch, 1.0)
def sometimes_returns_none(x):
    if x > 0.0:
        return x * x
    return None


@refused(TypeError, -1.0)
def sometimes_does_not_return(x):
    if x > 0.0:
        return x * x


@refused(SrcadError, 2.0)
def recursion_without_end(x):
    return recursion_without_end(x * 0.5) + x


def alternate(x, n):
    if n == 0:
        return x
    if n == 1:
        return (x, x)
    return alternate(x * 0.5, n - 1)


@refused(TypeMismatch, 1.0, 5)
def recursion_with_different_results(x, n):
    return alternate(x, n)


def deeper(t, n):
    if n == 0:
        return 1.0
    return deeper((t, t), n - 1)


@refused(UnsupportedSyntax, 1.0, 3)
def recursion_with_growing_argument(x, n):
    return x * deeper(x, n)


@refused(TypeMismatch, 1.0)
def list_of_different_structures(x):
    xs = [x]
    xs.append((x, x))
    return xs[0]


@refused(TypeMismatch, vector)
def list_of_numbers_and_arrays(a):
    xs = []
    for i in range(2):
        xs.append(a[i])
    xs.append(a)
    return xs[0]


@refused(TypeMismatch, 1.0, 2)
def import_over_a_variable(x, n):
    r = x
    for i in range(n):
        from math import sin as r
    return r * x


@refused(UnsupportedSyntax, 1.0, 2)
def identity_of_numbers(x, n):
    m = 2
    if n is m:
        return x
    return x * x
