"""Transforms applied to functions, or with choices, that do not fit them."""
# ruff: noqa

import numpy as np

import srcad
from srcad import TypeMismatch
from tests.error_cases.registry import failing, refused


def vector():
    return np.array([0.5, 1.0, 1.5])


def squares(a):
    return a * a


def square_sum(a):
    return np.sum(a * a)


def product(x, y):
    return x * y


def weighted(p, x):
    return p["w"] * x + p["b"][0]


R = {"backend": "reference"}


@refused(TypeMismatch, vector)
def result_is_an_array(a):
    return a * 2.0


@refused(TypeMismatch, 1.0)
def result_is_a_tuple(x):
    return x, x * x


@refused(TypeMismatch, 1.0)
def result_is_nothing(x):
    y = x * x


@refused(TypeMismatch, 1.0)
def result_is_an_int(x):
    return int(x)


@refused(TypeMismatch, 1.0)
def result_is_a_bool(x):
    return x > 0.0


@refused(TypeMismatch, 1.0)
def result_is_a_string(x):
    return "done"


@refused(TypeMismatch, 1.0)
def result_is_a_list(x):
    return [x, x * x]


@refused(TypeMismatch, 1.0)
def result_is_a_function(x):
    return lambda y: x * y


@refused(TypeMismatch, 1.0, has_aux=True)
def aux_without_a_pair(x):
    return x * x


@refused(TypeMismatch, vector, has_aux=True)
def aux_with_an_array_first(a):
    return a, 1.0


@failing(TypeMismatch)
def argnums_beyond_the_arguments():
    srcad.grad(product, argnums=2, **R)(1.0, 2.0)


@failing(TypeMismatch)
def argnums_unknown_name():
    srcad.grad(product, argnums="z", **R)(1.0, 2.0)


@failing(TypeMismatch)
def argnums_unknown_path():
    srcad.grad(weighted, argnums="p['c']", **R)({"w": 1.0, "b": (2.0,)}, 3.0)


@failing(TypeMismatch)
def argnums_path_that_cannot_be_read():
    srcad.grad(weighted, argnums="p->w", **R)({"w": 1.0, "b": (2.0,)}, 3.0)


@failing(TypeMismatch)
def argnums_of_a_wrong_type():
    srcad.grad(product, argnums=1.0, **R)(1.0, 2.0)


@failing(TypeMismatch)
def argnums_true():
    srcad.grad(product, argnums=True, **R)(1.0, 2.0)


@failing(TypeMismatch)
def argnums_of_nothing():
    srcad.grad(product, argnums=(), **R)(1.0, 2.0)


@failing(TypeMismatch, located=False)
def grad_of_a_number():
    srcad.grad(square_sum(np.ones(2)))


@failing(TypeMismatch, located=False)
def unknown_option():
    srcad.grad(square_sum, fast=True)


@failing(TypeMismatch, located=False)
def unknown_backend():
    srcad.grad(square_sum, backend="gpu")


@failing(TypeMismatch)
def jvp_tangent_of_another_shape():
    srcad.jvp(squares, (np.ones(3),), (np.ones(2),), **R)


@failing(TypeMismatch)
def jvp_tangent_of_a_number_is_an_array():
    srcad.jvp(product, (1.0, 2.0), (np.ones(2), 1.0), **R)


@failing(TypeMismatch)
def jvp_with_a_tangent_too_few():
    srcad.jvp(product, (1.0, 2.0), (1.0,), **R)


@failing(TypeMismatch, located=False)
def jvp_of_arguments_that_are_no_tuple():
    srcad.jvp(squares, np.ones(3), np.ones(3), **R)


@failing(TypeMismatch)
def jvp_tangent_of_another_structure():
    srcad.jvp(weighted, ({"w": 1.0, "b": (2.0,)}, 3.0), ({"w": 1.0}, None), **R)


@failing(TypeMismatch)
def jvp_tangent_that_is_no_number():
    srcad.jvp(product, (1.0, 2.0), ("one", 1.0), **R)


@failing(TypeMismatch)
def vjp_seed_of_another_shape():
    _, pullback = srcad.vjp(squares, np.ones(3), **R)
    pullback(np.ones(2))


@failing(TypeMismatch)
def vjp_seed_of_a_number_is_an_array():
    _, pullback = srcad.vjp(square_sum, np.ones(3), **R)
    pullback(np.ones(3))


def two_results(x):
    return x, x * x


@failing(TypeMismatch)
def vjp_seed_with_a_part_too_few():
    _, pullback = srcad.vjp(two_results, 2.0, **R)
    pullback((1.0,))


@failing(TypeMismatch)
def vjp_seed_that_is_no_tuple():
    _, pullback = srcad.vjp(two_results, 2.0, **R)
    pullback(1.0)


@failing(TypeMismatch, located=False)
def jacobian_of_unknown_mode():
    srcad.jacobian(squares, mode="backward")


def count(x):
    return int(x)


@failing(TypeMismatch)
def jacobian_of_an_int():
    srcad.jacobian(count, **R)(1.0)


@failing(TypeMismatch)
def hessian_of_an_array():
    srcad.hessian(squares, **R)(np.ones(2))


@failing(TypeMismatch, located=False)
def hvp_of_ints_only():
    srcad.hvp(product, (1, 2), (None, None), **R)


@failing(TypeMismatch)
def hvp_of_a_function_with_an_array():
    srcad.hvp(squares, (np.ones(2),), (np.ones(2),), **R)


@failing(TypeMismatch)
def value_and_grad_of_an_array():
    srcad.value_and_grad(squares, **R)(np.ones(2))


@failing(TypeMismatch)
def adjoint_without_a_shadow():
    srcad.adjoint(product, **R)(1.0, np.zeros(1), 2.0)


@failing(TypeMismatch)
def adjoint_with_a_shadow_of_another_shape():
    srcad.adjoint(squares, **R)(np.ones(3), np.zeros(2), np.zeros(3))


@failing(TypeMismatch)
def adjoint_without_the_shadow_of_the_result():
    srcad.adjoint(square_sum, **R)(np.ones(3), np.zeros(3))


@failing(TypeMismatch, located=False)
def check_grads_of_ints():
    srcad.check_grads(product, (1, 2), **R)


@failing(TypeMismatch, located=False)
def check_grads_of_unknown_mode():
    srcad.check_grads(product, (1.0, 2.0), modes=("sideways",), **R)
