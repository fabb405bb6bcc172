"""Programs that a stage of compiled code once could not take, interpreted with all stages."""

import math

import numpy as np
import pytest

import srcad
from tests import oracle
from tests.all_stages import as_compiled


def the_same_for_all(x, y):
    """Each iteration hands on what does not depend on it, made behind an inner loop."""
    s = 0.3
    for _ in range(x.shape[0]):
        s = 0.8 * s + 0.5 * (math.cos(s) + math.cos(y))
        y = math.sin(np.max(x))
    return s + 0.5 * y


def from_the_end(x, y):
    """States made anew, read at a subscript that is an operation of one integer."""
    k = len(x) // 2
    s = y
    for i in range(1, len(x)):
        s = 0.2 * math.sin(x[-k]) + s
        x = np.cos(x) ** 3
        x[i] = s * x[0]
    return s * np.sum(x)


def replaced(x, y):
    """What each step replaces counts for nothing, so its adjoint is zero, and stays so."""
    a = x.copy()
    for _ in range(x.shape[0]):
        x = a.copy()
    return np.sum(x * x) * y


def beside_the_loop(x, y):
    """The argument itself is the first state, and a view of it goes on."""
    tail = x[1:]
    for _ in range(3):
        x = np.arctan(x)
    return np.sum(tail * tail) + y


def copied_in_rounds(x, y):
    """An inner loop hands on arrays that only the outer one knows."""
    u = x * y
    for k in range(2):
        v = x * (k + 1.0)
        for _ in range(2):
            v = v.copy()
            w = v.copy()
            for i in range(len(x)):
                u[i] *= w[i]
            for i in range(len(x)):
                v[i] = w[i]
    return np.sum(u)


PROGRAMS = [the_same_for_all, from_the_end, replaced, beside_the_loop, copied_in_rounds]


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_values_and_derivatives(f):
    """Both modes, both orders."""
    x, y = np.array([0.3, 0.9, 0.5, 0.7]), 0.4
    expected = oracle.gradient(f, (x, y), (0, 1))
    with as_compiled(), srcad.using(backend="reference", vector_math=False, verify=True):
        value, found = srcad.value_and_grad(f, argnums=(0, 1))(x, y)
        forward = srcad.jacfwd(f, argnums=(0, 1))(x, y)
        second = srcad.hessian(f)(x, y)
    assert value == pytest.approx(f(x, y), rel=1e-13)
    for a, b, c in zip(found, forward, expected, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-11)
        np.testing.assert_allclose(b, c, rtol=1e-11)
    np.testing.assert_allclose(second, second.T, rtol=1e-11, atol=1e-13)
