"""Division by zero in functions that were compiled with ``error_model="numpy"``, and in others."""

import math

import numba
import numpy as np
import pytest

import srcad


@numba.njit(error_model="numpy")
def like_numpy(x, n):
    def inner(y):
        return y / (x * n)

    return inner(1.0) + n // 2 // (n + 1)


@numba.njit
def like_python(x, n):
    return 1.0 / (x * n)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_function_says_how_it_divides(backend):
    """As the function itself: infinite, or an error; through callers and local functions."""
    with srcad.using(backend=backend):
        assert srcad.value_and_grad(like_numpy)(2.0, 1) == (0.5, -0.25)
        value, slope = srcad.value_and_grad(like_numpy)(0.0, 1)
        assert value == like_numpy(0.0, 1) == math.inf and slope == -math.inf
        assert srcad.differentiable(like_numpy)(2.0, -1) == like_numpy(2.0, -1)
        with pytest.raises(ZeroDivisionError):
            srcad.value_and_grad(like_python)(0.0, 1)


def test_callers_keep_their_own():
    """Each division is that of the function it stands in."""

    def calls(x):
        return np.arctan(like_numpy(x, 1)) * 2.0

    def divides(x):
        return like_numpy(x, 1) + 1.0 / x

    def inside(x):
        return srcad.jvp(like_numpy, (x, 1), (1.0, None))[0]

    with srcad.using(backend="reference"):
        assert srcad.differentiable(calls)(0.0) == pytest.approx(math.pi)
        assert srcad.differentiable(inside)(0.0) == math.inf
        with pytest.raises(ZeroDivisionError):
            srcad.grad(divides)(0.0)
