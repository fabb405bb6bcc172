"""Constructs outside the language."""
# ruff: noqa

import math

import numpy as np

from srcad import TypeMismatch, UnsupportedSyntax
from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


@refused(UnsupportedSyntax, 1.0)
def try_except(x):
    try:
        y = 1.0 / x
    except ZeroDivisionError:
        y = 0.0
    return y


@refused(UnsupportedSyntax, 1.0)
def with_block(x):
    with np.errstate(all="ignore"):
        y = np.log(x)
    return y


@refused(UnsupportedSyntax, 1.0)
def set_display(x):
    s = {x, 2.0 * x}
    return sum(s)


@refused(UnsupportedSyntax, vector)
def set_comprehension(a):
    return sum({v * v for v in a})


@refused(UnsupportedSyntax, vector)
def generator_function(a):
    for v in a:
        yield v * 0.5


@refused(UnsupportedSyntax, vector)
def yield_from(a):
    yield from a


@refused(UnsupportedSyntax, vector)
def generator_expression(a):
    return np.sum(v * v for v in a)


@refused(UnsupportedSyntax, vector)
def generator_kept(a):
    squares = (v * v for v in a)
    return sum(squares)


@refused(UnsupportedSyntax, vector)
def dict_comprehension(a):
    d = {i: a[i] for i in range(3)}
    return d[0]


counter = 0.0


@refused(UnsupportedSyntax, 1.0)
def global_statement(x):
    global counter
    counter = counter + x
    return counter


@refused(UnsupportedSyntax, 1.0)
def nonlocal_statement(x):
    total = 0.0

    def add(v):
        nonlocal total
        total += v

    add(x)
    return total


@refused(UnsupportedSyntax, 1.0)
def class_inside(x):
    class Point:
        scale = 2.0

    return x * Point.scale


@refused(UnsupportedSyntax, 1.0, 2)
def match_statement(x, k):
    match k:
        case 1:
            return x
        case _:
            return x * x


@refused(UnsupportedSyntax, 1.0)
async def async_function(x):
    return x * x


@refused(UnsupportedSyntax, 1.0)
def async_inside(x):
    async def wait():
        return 1.0

    return x


@refused(TypeMismatch, 1.0)
def complex_order(x):
    return x if x * 1j < 2.0 else -x


@refused(UnsupportedSyntax, 1.0)
def complex_in_a_message(x):
    raise ValueError("bad", x * 1j)


@refused(TypeMismatch, 1.0)
def complex_print(x):
    print(x * 1j)
    return x


@refused(TypeMismatch, 1.0)
def complex_remainder(x):
    return abs(x * 1j % 2.0)


@refused(UnsupportedSyntax, 1.0)
def complex_part_of_a_number(x):
    z = x * 1j
    z.real = 2.0
    return z.imag


@refused(UnsupportedSyntax, 1.0)
def bytes_literal(x):
    return x * len(b"abc")


@refused(UnsupportedSyntax, 1.0)
def formatted_string(x):
    label = f"x = {x}"
    return x * len(label)


@refused(UnsupportedSyntax, vector)
def delete_element(a):
    del a[0]
    return a[0]


@refused(UnsupportedSyntax, vector)
def starred_assignment(a):
    first, *rest = a
    return first


@refused(UnsupportedSyntax, 1.0)
def huge_integer(x):
    return x * 10000000000000000000000


class Box:
    """Something with an attribute."""

    size = 2.0


box = Box()


@refused(UnsupportedSyntax, 1.0)
def attribute_assignment(x):
    box.size = x
    return box.size * x


@refused(UnsupportedSyntax, 1.0)
def attribute_update(x):
    box.size += x
    return box.size


@refused(UnsupportedSyntax, 1.0)
def dict_mutation(x):
    d = {"a": x}
    d["a"] = 2.0 * x
    return d["a"]


@refused(UnsupportedSyntax, 1.0, 2)
def dict_with_computed_key(x, k):
    d = {k: x}
    return d[2]


@refused(UnsupportedSyntax, 1.0, 1)
def dict_read_with_computed_key(x, k):
    d = {0: x, 1: 2.0 * x}
    return d[k]


@refused(UnsupportedSyntax, 1.0)
def dict_without_the_key(x):
    d = {"mass": x}
    return d["speed"]


@refused(UnsupportedSyntax, vector)
def membership_in_array(a):
    if 1.0 in a:
        return a[0]
    return a[1]


@refused(UnsupportedSyntax, vector, vector)
def identity_of_arrays(a, b):
    if a is b:
        return a[0]
    return b[0]


@refused(UnsupportedSyntax, vector)
def star_args_of_unknown_length(a):
    return math.hypot(*a)


@refused(UnsupportedSyntax, vector)
def starred_list(a):
    xs = [v for v in a]
    t = (*xs, 1.0)
    return t[0]


@refused(UnsupportedSyntax, 1.0)
def raise_without_exception(x):
    if x < 0.0:
        raise
    return x


class Trouble(ValueError):
    """An exception of the user."""


@refused(UnsupportedSyntax, 1.0)
def raise_own_exception(x):
    if x < 0.0:
        raise Trouble("negative")
    return x


@refused(UnsupportedSyntax, 1.0)
def import_of_nothing(x):
    import no_such_module_at_all

    return x


@refused(UnsupportedSyntax, vector)
def print_of_array(a):
    print(a)
    return a[0]


@refused(UnsupportedSyntax, vector)
def slice_of_list(a):
    xs = [v for v in a]
    return sum(xs[1:])


@refused(TypeMismatch, 1.0)
def tuple_item_assignment(x):
    t = (x, 2.0 * x)
    t[0] = 3.0
    return t[0]


@refused(UnsupportedSyntax, 1.0)
def lambda_in_default_and_try(x):
    def helper(v):
        try:
            return v * v
        finally:
            pass

    return helper(x)
