"""Shadows of array results that do not fit the result are refused before they are read."""

import numpy as np
import pytest

import srcad


def squares(x, n):
    """An array whose size is known only at run time, and a number."""
    y = np.empty(n)
    for i in range(n):
        y[i] = x[i] * x[i]
    return y, y[0]


def given_back(x, y):
    """An argument as a result."""
    y[:] = x**2
    return y


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_sizes(backend):
    """The right size works, smaller and larger ones raise; nothing is read out of bounds."""
    adjoint = srcad.adjoint(squares, backend=backend, verify=True)
    x, x_b = np.array([1.0, 2.0, 3.0]), np.zeros(3)
    adjoint(x, x_b, 3, np.ones(3), np.ones(1))
    np.testing.assert_allclose(x_b, [4.0, 4.0, 6.0])
    for n in (2, 4):
        with pytest.raises(ValueError, match="another shape than the result"):
            adjoint(x, x_b, 3, np.ones(n), np.ones(1))


@pytest.mark.parametrize("wrong", [np.ones((3, 1)), np.ones(3, np.float32), 1.0])
def test_kinds(wrong):
    """Another rank or dtype, or a number."""
    with pytest.raises(srcad.TypeMismatch, match="the shadow of result 0"):
        srcad.adjoint(squares, backend="reference")(np.ones(3), np.zeros(3), 3, wrong, np.ones(1))


def test_a_result_that_is_an_argument():
    """Its size is checked on entry."""
    adjoint = srcad.adjoint(given_back, backend="reference", verify=True)
    x, x_b = np.array([1.0, 2.0]), np.zeros(2)
    with pytest.raises(ValueError, match="another shape than the result"):
        adjoint(x, x_b, np.zeros(2), np.zeros(2), np.ones(3))
    assert not x_b.any()
