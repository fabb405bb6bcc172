"""Calls of the user's own functions, of builtins, and of functions srcad does not know."""
# ruff: noqa

import math
import random
from collections import deque, namedtuple

import numpy as np

from srcad import NoDerivative, TypeMismatch, UnknownFunction, UnsupportedSyntax
from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


def helper(x, power=2):
    return x**power


Pair = namedtuple("Pair", ["first", "second"])


class Recorder:
    """A plain class."""

    def __init__(self, value):
        self.value = value


@refused(TypeMismatch, 1.0)
def too_many_arguments(x):
    return helper(x, 2, 3)


@refused(TypeMismatch, 1.0)
def missing_argument(x):
    return helper(power=3) * x


@refused(TypeMismatch, 1.0)
def unknown_keyword(x):
    return helper(x, exponent=3)


@refused(TypeMismatch, 1.0)
def two_values_for_one(x):
    return helper(x, x=2.0)


@refused(UnsupportedSyntax, 1.0)
def try_in_a_helper_of_a_helper(x):
    def inner(v):
        return guarded(v)

    return inner(x)


def guarded(v):
    try:
        return 1.0 / v
    except ZeroDivisionError:
        return 0.0


@refused(TypeMismatch, 1.0)
def namedtuple_with_a_field_too_few(x):
    return Pair(x).first


@refused(UnsupportedSyntax, 1.0)
def object_made_inside(x):
    r = Recorder(x)
    return r.value


@refused(UnsupportedSyntax, 1.0)
def deque_made_inside(x):
    d = deque()
    return x


@refused(UnknownFunction, 1.0)
def random_library(x):
    return x * random.random()


@refused(UnknownFunction, 1.0)
def numpy_random(x):
    return x * np.random.vonmises(0.0, 1.0)


@refused(UnknownFunction, vector)
def iterator(a):
    return next(iter(a))


@refused(UnknownFunction, 1.0)
def string_of_a_number(x):
    return x * len(str(x))


@refused(UnknownFunction, vector)
def map_builtin(a):
    return sum(map(abs, a))


@refused(NoDerivative, 1.0)
def nextafter(x):
    return np.nextafter(x, 2.0)


@refused(NoDerivative, 1.0)
def distance_to_the_next_float(x):
    ulp = math.ulp(x)
    return ulp


@refused(TypeMismatch, vector)
def math_function_of_an_array(a):
    return math.sin(a)[0]


@refused(TypeMismatch, vector)
def float_of_an_array(a):
    return float(a)


@refused(TypeMismatch, 1.0)
def sqrt_of_two_numbers(x):
    return math.sqrt(x, 2.0)


@refused(TypeMismatch, 1.0)
def len_of_a_number(x):
    return x * len(x)


@refused(UnsupportedSyntax, 1.0)
def power_with_modulus(x):
    return x * pow(3, 4, 5)


@refused(UnsupportedSyntax, vector)
def min_with_a_key(a):
    return min(a[0], a[1], key=abs)


@refused(UnsupportedSyntax, vector)
def tuple_of_an_array(a):
    return tuple(a)[0]


@refused(UnsupportedSyntax, 1.0)
def print_to_a_file(x):
    print("x", file=2)
    return x


@refused(UnsupportedSyntax, vector)
def reverse_of_a_list(a):
    xs = [v for v in a]
    xs.reverse()
    return xs[0]


@refused(UnsupportedSyntax, 1.0)
def keywords_of_unknown_names(x):
    return helper(x, **x)


@refused(UnknownFunction, 1.0, lambda: np.random.default_rng(1))
def random_generator(x, rng):
    return x * rng.normal()


@refused(NoDerivative, 1.0)
def random_counts(x):
    return x * np.random.poisson(x)


@refused(TypeMismatch, 1.0)
def random_choice_with_p(x):
    return x * np.random.choice(3, p=[0.2, 0.3, 0.5])
