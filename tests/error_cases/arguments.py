"""Arguments that no program can take, and calls that do not fit."""
# ruff: noqa

import warnings
from dataclasses import dataclass

import numba
import numpy as np

import srcad
from srcad import TypeMismatch
from tests.error_cases.registry import failing, refused


def square_sum(a):
    return np.sum(a * a)


def product(x, n):
    return x * n


def gradient(f, *args, **options):
    return srcad.grad(f, backend="reference", **options)(*args)


@numba.experimental.jitclass([("value", numba.float64)])
class Compiled:
    """A jitclass."""

    def __init__(self, value):
        self.value = value


@failing(TypeMismatch)
def int_is_not_differentiated():
    gradient(product, 3, 2)


@failing(TypeMismatch)
def bool_is_not_differentiated():
    gradient(product, True, 2)


@failing(TypeMismatch)
def integer_array_is_not_differentiated():
    gradient(square_sum, np.array([1, 2, 3]))


@failing(TypeMismatch)
def string_is_not_differentiated():
    gradient(product, "three", 2)


@failing(TypeMismatch)
def none_is_not_differentiated():
    gradient(product, None, 2)


@failing(TypeMismatch)
def tuple_of_ints_is_not_differentiated():
    gradient(product, (1, 2), 2)


@failing(TypeMismatch)
def complex_number():
    gradient(product, 1j, 2)


@failing(TypeMismatch)
def complex_array():
    gradient(square_sum, np.array([1j, 2.0]))


@failing(TypeMismatch)
def object_array():
    gradient(square_sum, np.array([1.0, None]))


@failing(TypeMismatch)
def string_array():
    gradient(square_sum, np.array(["a", "b"]))


@failing(TypeMismatch)
def uint64_array():
    gradient(square_sum, np.array([1, 2], np.uint64))


@failing(TypeMismatch)
def float16_array():
    gradient(square_sum, np.array([1.0, 2.0], np.float16))


@failing(TypeMismatch)
def big_endian_array():
    gradient(square_sum, np.array([1.0, 2.0], ">f8"))


@failing(TypeMismatch)
def array_in_a_tuple():
    gradient(product, (1.0, np.array([1.0], np.float16)), 2)


@failing(TypeMismatch)
def structured_array():
    gradient(square_sum, np.zeros(2, [("x", "f8"), ("y", "f8")]))


@failing(TypeMismatch)
def datetime_scalar():
    gradient(product, np.datetime64("2020-01-01"), 2)


@failing(TypeMismatch)
def integer_beyond_64_bits():
    gradient(product, 1.0, 2**70)


@failing(TypeMismatch)
def typed_list():
    xs = numba.typed.List()
    xs.append(1.0)
    gradient(square_sum, xs)


@failing(TypeMismatch)
def typed_dict():
    d = numba.typed.Dict.empty(numba.types.int64, numba.types.float64)
    gradient(square_sum, d)


@failing(TypeMismatch)
def jitclass_instance():
    gradient(product, Compiled(1.0), 2)


@failing(TypeMismatch)
def masked_array():
    gradient(square_sum, np.ma.masked_array([1.0, 2.0], [True, False]))


@failing(TypeMismatch)
def matrix():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = np.matrix([[1.0, 2.0]])
    gradient(square_sum, m)


def first(*values):
    return values[0] * values[1]


@failing(TypeMismatch)
def one_of_the_star_arguments_is_an_int():
    gradient(first, 1.0, 2, argnums=1)


@failing(TypeMismatch)
def dict_with_tuple_keys():
    gradient(square_sum, {(0, 1): 1.0})


@failing(TypeMismatch)
def too_few_arguments():
    gradient(product, 1.0)


@failing(TypeMismatch)
def too_many_arguments():
    gradient(product, 1.0, 2, 3)


@failing(TypeMismatch)
def unknown_keyword():
    srcad.grad(product, backend="reference")(1.0, m=2)


def scale(a, b):
    for i in range(len(a)):
        a[i] = a[i] * b[i]
    return np.sum(a)


@failing(TypeMismatch)
def overlapping_arguments():
    a = np.arange(6.0)
    gradient(scale, a[:4], a[2:])


@failing(TypeMismatch)
def the_same_array_twice():
    a = np.arange(6.0)
    gradient(scale, a, a)


@failing(TypeMismatch)
def argument_that_overlaps_itself():
    def doubled(a):
        a[0] *= 2.0
        return a[0] * a[1]

    gradient(doubled, np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,)))


@failing(TypeMismatch)
def overlapping_arguments_of_vjp():
    a = np.arange(6.0)
    _, pullback = srcad.vjp(scale, a[:4], a[2:], backend="reference")
    pullback(1.0)


def double_in_place(x):
    shared[0] = 0.0
    return x * shared[0]


shared = np.ones(2)


@refused(TypeMismatch, 1.0)
def writes_a_module_array(x):
    return double_in_place(x)


@dataclass
class Settings:
    """A dataclass with a field that is no number."""

    rate: float
    name: object


def with_settings(s):
    return s.rate * s.name


@failing(TypeMismatch)
def object_field_used_as_a_number():
    gradient(with_settings, Settings(1.0, object()))
