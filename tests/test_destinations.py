"""``out=``, ``where=`` and ``dtype=``: where results go, of which elements, of what kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import srcad
from tests.sample_checks import Subject, check_first_order, check_second_order
from tests.samples import Draw
from tests.test_library import check_value

MASK = np.array([True, False, True, True])


def into_a_view(x, y):
    a = np.zeros((2, 4))
    np.add(x, y, out=a[1])
    return a


def into_an_operand(x, y):
    a = x * 2.0
    np.multiply(a, y, out=a)
    np.subtract(a, a[::-1], a)
    return a


def masked_in_place(x, y):
    a = x + 0.0
    np.multiply(a, y, out=a, where=a > 0)
    np.log(a, out=a, where=a > 0)
    return a


def mask_of_the_target(x, y):
    a = x + 0.0
    np.add(y, 1.0, out=a, where=a[::-1] > 0)
    return a


def broadcast_mask(x, y):
    a = np.ones((3, 4))
    np.divide(x, y, out=a, where=np.array([[True], [False], [True]]))
    return a


def reductions(x, y):
    m = np.outer(x, y)
    a, b = np.empty(4), np.zeros((4, 1))
    np.sum(m, axis=0, out=a)
    m.max(1, out=b, keepdims=True)
    return a * np.mean(m, 0, None, np.empty(4)) + b


def scans_and_moves(x, y):
    a, m = np.empty(4), np.empty((4, 2))
    np.stack((x, y), axis=1, out=m)
    np.cumsum(x * y, out=a)
    return np.concatenate((np.take(x, [3, 0], out=np.zeros(2)), a, m[:, 1]), out=np.empty(10))


def as_returned(x, y):
    a = np.zeros(4)
    b = np.exp(x, out=a)
    b[0] = y[0]
    return a


def two_results(x, y):
    a, b = np.zeros(4), np.zeros(4)
    np.divmod(x, y, out=(a, b))
    return a + b * x


def of_scipy(x, y):
    return expit(x, out=np.zeros(4)) + np.exp(y, np.zeros(4), where=MASK)


PROGRAMS = [
    into_a_view,
    into_an_operand,
    masked_in_place,
    mask_of_the_target,
    broadcast_mask,
    reductions,
    scans_and_moves,
    as_returned,
    two_results,
    of_scipy,
]


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(f):
    """Value, first and second derivatives, as Python computes them."""
    d = Draw(2)
    args = (d.vec(4), d.vec(4))
    s = Subject(f, args)
    check_value(s, args)
    check_first_order(s, args)
    check_second_order(s, args)


def test_nothing_is_computed_where_the_mask_is_false():
    """What a function makes of other elements has no part in a derivative."""

    def f(x):
        return np.sum(np.log(x, out=np.zeros(3), where=x > 0) / x.sum())

    x = np.array([2.0, 0.0, -1.0])
    g = srcad.grad(f, backend="reference")(x)
    np.testing.assert_allclose(g, [0.5 - np.log(2.0), -np.log(2.0), -np.log(2.0)])


@pytest.mark.parametrize(
    ("call", "dtype"),
    [
        (lambda x, n: np.exp(x, dtype=np.float32), np.float32),
        (lambda x, n: np.add(x.astype(np.float32), 1, dtype="f8"), np.float64),
        (lambda x, n: np.power(n, n, dtype=float), np.float64),
        (lambda x, n: np.var(x, dtype=np.float32, axis=0, keepdims=True), np.float32),
        (lambda x, n: np.add.reduce(n, dtype=np.float64, keepdims=True), np.float64),
        (lambda x, n: np.sqrt(n, dtype=np.complex128), np.complex128),
    ],
)
def test_dtype(call, dtype):
    """Operands are converted first, as NumPy does."""
    x, n = np.array([0.3, 1.7]), np.array([2, 3])
    got = srcad.differentiable(call, backend="reference")(x, n)
    assert got.dtype == dtype
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(got, call(x, n), rtol=tolerance)


REFUSED = [
    (lambda x: np.exp(x, where=x > 0), "without out"),
    (lambda x: np.exp(x, out=np.zeros(3, int)), "cannot store a float"),
    (lambda x: np.sum(x, axis=0, out=np.zeros((), int)), "out= is of int64"),
    (lambda x: np.sum(x, out=np.zeros(3)), "out= has 1 axes"),
    (lambda x: np.exp(x, dtype=int), "dtype=int64"),
    (lambda x: np.less(x, 0.0, dtype=float), "not of dtype=float64"),
    (lambda x: np.exp(x, out=np.zeros(3), where=x), "where= needs bools"),
    (lambda x: np.exp(x, signature="d->d"), "'signature'"),
    (lambda x: np.divmod(x, 2.0, out=(np.zeros(3),)), "an array for each result"),
]


@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_refused(call, text):
    """What NumPy refuses too, or leaves undefined."""
    with pytest.raises(srcad.SrcadError, match=text):
        srcad.differentiable(call, backend="reference")(np.ones(3))


def test_sizes_that_do_not_fit_raise():
    """The size of ``out`` is checked when it is known."""

    def f(x, a):
        return np.cumsum(x, out=a)

    with pytest.raises(ValueError, match="not the shape"):
        srcad.differentiable(f, backend="reference")(np.ones(3), np.zeros(4))


def test_compiled():
    """The same as machine code."""

    def f(x):
        a = np.zeros((3, 2))
        np.divide(1.0, x, out=a, where=x > 0)
        np.sum(a, axis=0, out=x[0])
        return np.sum(x * x)

    x = np.array([[0.5, -1.0], [0.0, 2.0], [3.0, 0.25]])
    y = x.copy()
    got = srcad.grad(f)(x.copy())
    want = srcad.grad(f, backend="reference")(y)
    np.testing.assert_allclose(got, want, rtol=1e-13)
