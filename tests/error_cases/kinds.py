"""Operators and subscripts on things that do not have them."""
# ruff: noqa

import math

import numpy as np

from srcad import TypeMismatch, UnsupportedSyntax
from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


def matrix():
    return np.array([[0.5, 1.0], [1.5, 2.0]])


@refused(TypeMismatch, 1.0)
def number_plus_string(x):
    return x + "1"


@refused(TypeMismatch, 1.0)
def list_times_float(x):
    return ([x] * x)[0]


@refused(TypeMismatch, 1.0)
def bitwise_on_floats(x):
    return (x & 1) * 1.0


@refused(TypeMismatch, vector)
def bitwise_on_float_array(a):
    return np.sum(a ^ 1)


@refused(TypeMismatch, 1.0)
def negated_tuple(x):
    return -(x, x)


@refused(TypeMismatch, 1.0)
def compared_with_tuple(x):
    if x < (1.0, 2.0):
        return x
    return x * x


@refused(TypeMismatch, vector)
def truth_of_an_array(a):
    if a > 0.0:
        return a[0]
    return a[1]


@refused(TypeMismatch, vector)
def float_index(a):
    return a[1.0] * 2.0


@refused(TypeMismatch, vector)
def computed_float_index(a):
    return a[len(a) / 2]


@refused(TypeMismatch, vector)
def bool_index(a):
    return a[a[0] > 1.0]


@refused(TypeMismatch, vector)
def float_array_as_index(a):
    return np.sum(a[a])


@refused(TypeMismatch, vector)
def too_many_indices(a):
    return a[0, 1]


@refused(TypeMismatch, 1.0)
def index_of_a_number(x):
    return x[0]


@refused(TypeMismatch, 1.0)
def tuple_index_out_of_range(x):
    t = (x, 2.0 * x)
    return t[2]


@refused(TypeMismatch, 1.0, 1)
def tuple_of_mixed_kinds_by_index(x, k):
    t = (x, (x, x))
    return t[k]


@refused(TypeMismatch, 1.0)
def string_index(x):
    pair = (x, x)
    return pair["first"]


@refused(TypeMismatch, 1.0)
def unpack_too_few(x):
    a, b, c = (x, x)
    return a


@refused(TypeMismatch, 1.0)
def unpack_a_number(x):
    a, b = x
    return a


@refused(TypeMismatch, 1.0)
def iterate_over_a_number(x):
    for v in x:
        x += v
    return x


@refused(TypeMismatch, 1.0)
def call_a_number(x):
    return x(2.0)


@refused(TypeMismatch, 1.0)
def float_bound_of_range(x):
    s = 0.0
    for i in range(x):
        s += i
    return s


@refused(UnsupportedSyntax, vector)
def unknown_array_method(a):
    return a.tolist()[0]


@refused(UnsupportedSyntax, 1.0)
def method_of_a_number(x):
    return x.hex()


@refused(UnsupportedSyntax, 1.0)
def missing_module_attribute(x):
    return math.sine(x)


@refused(TypeMismatch, vector)
def store_tuple_of_strings(a):
    a[0] = "one"
    return a[0]


@refused(TypeMismatch, vector)
def array_into_element(a):
    b = np.zeros(3)
    b[0] = a
    return b[0]


@refused(TypeMismatch, vector)
def float_into_integer_array(a):
    counts = np.zeros(3, dtype=np.int64)
    counts += a
    return np.sum(counts) * a[0]


def frozen():
    a = vector()
    a.flags.writeable = False
    return a


@refused(TypeMismatch, frozen)
def read_only_argument_written(a):
    a[0] = 2.0
    return a[0]


table = np.array([1.0, 2.0])


@refused(TypeMismatch, 1.0)
def captured_array_written(x):
    table[0] = x
    return table[0]


@refused(ValueError, vector, matrix)
def shapes_do_not_broadcast(a, m):
    return np.sum(a * m)


@refused(ValueError, vector)
def assignment_does_not_fit(a):
    b = np.zeros(2)
    b[:] = a
    return b[0]


@refused(TypeMismatch, vector, matrix)
def matmul_of_a_number(a, m):
    return np.sum(m @ a[0])


@refused(TypeMismatch, vector)
def list_elements_as_array(a):
    xs = []
    for i in range(3):
        xs.append((a[i], i))
    return np.sum(np.array(xs))


@refused(UnsupportedSyntax, vector)
def iterator_kept_in_a_name(a):
    pairs = zip(a, a[1:])
    s = 0.0
    for u, v in pairs:
        s += u * v
    return s


@refused(TypeMismatch, vector)
def reshape_of_a_strided_view(a):
    b = np.outer(a, a)
    return b[:, ::2].reshape(2, 3)[0, 0]


@refused(UnsupportedSyntax, matrix)
def flat_of_a_transpose(m):
    s = 0.0
    for v in m.T.flat:
        s += v
    return s


@refused(UnsupportedSyntax, 1.0, 3)
def tuple_repeated_by_a_variable(x, n):
    return ((x, 2.0) * n)[0]


@refused(TypeMismatch, vector)
def number_into_a_bool_array(a):
    mask = a > 0.7
    mask += 1
    return np.sum(a[mask])
