"""The oracle itself: against JAX, against derivatives known in closed form, and its refusals."""

import dataclasses
import functools
import math
from typing import NamedTuple

import numba
import numpy as np
import pytest

from tests import oracle
from tests.oracle_dual import Dual
from tests.oracle_numpy import ELEMENTWISE


def close(actual, expected, tolerance=1e-12):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


# --- against JAX --------------------------------------------------------------------------------


def elementary(x):
    s = np.sum(np.sin(x) * np.exp(-x) + np.tanh(x) / np.cosh(x) + np.arctan2(x, 2.0))
    s += np.sum(np.log1p(x) * np.sqrt(x) + np.expm1(x) ** 1.5 + np.power(x, 0.3))
    s += np.sum(np.arcsin(x / 9) * np.arccos(x / 9) + np.arctan(x) + np.arcsinh(x))
    return s + np.sum(np.arctanh(x / 9) + np.arccosh(x + 2.0) + np.logaddexp(x, 0.3) + np.cbrt(x))


def linear_algebra(x):
    m = np.outer(x, x) + np.eye(3) * 2.0 + np.diag(np.sin(x))
    s = np.sum(np.linalg.solve(m, x)) + np.linalg.det(m) + np.trace(np.linalg.inv(m))
    sign, logdet = np.linalg.slogdet(m)
    return s + np.linalg.norm(m @ x) + sign * logdet + np.sum(np.linalg.cholesky(m @ m.T))


def reductions(x):
    m = x.reshape(3, 1) * x
    s = np.prod(x) + np.max(x) * np.min(x) + np.mean(m) * np.sum(m, axis=0)[1] + np.std(x)
    s += np.sum(np.cumsum(x) ** 2) + np.var(m) + np.sum(np.max(m, axis=1)) + np.sum(np.diff(x))
    return s + np.sum(np.where(x > 1.0, x * x, 3.0 * x)) + np.sum(np.clip(x, 0.6, 1.5) ** 2)


def shaping(x):
    a = np.concatenate((x, np.flip(x) * 2.0, np.roll(x, 1)))
    b = np.stack((x, x * x)).T.reshape(2, 3)
    return np.sum(np.triu(b) @ x) + a[3] * a[-1] + np.sum(np.hstack((a, x)) ** 3) + b[1, 1]


def scalars(x):
    y, z, w = x[0], x[1], x[2]
    return y**z + z**3 - 1.0 / w + abs(y - z) + y % 0.2 + (y * z) ** -1.5 + 2.0**w


@pytest.mark.parametrize("fn", [elementary, linear_algebra, reductions, shaping, scalars])
def test_against_jax(fn):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        x, v = np.array([0.7, 1.3, 0.4]), np.array([0.3, -0.8, 0.5])
        value_and_grad = jax.jit(jax.value_and_grad(_with_numpy(fn, jax.numpy)))
        value, gradient = value_and_grad(x)
        close(oracle.run(fn, (x,))[0], value)
        close(oracle.gradient(fn, (x,), (0,))[0], gradient, 1e-11)
        difference = (value_and_grad(x + 1e-5 * v)[1] - value_and_grad(x - 1e-5 * v)[1]) / 2e-5
        close(oracle.hvp(fn, (x,), (0,), [v])[0], difference, 1e-6)


def test_third_order_against_jax():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        x, v = np.array([0.7, 1.3, 0.4]), np.array([0.3, -0.8, 0.5])
        hessian = jax.hessian(_with_numpy(scalars, jax.numpy))
        value, along = jax.jit(lambda t: jax.jvp(hessian, (t,), (v,)))(x)
        close(oracle.hessian(scalars, (x,), (0,)), value, 1e-11)
        close(oracle.third(scalars, (x,), (0,), [v], [v], [v]), v @ along @ v, 1e-11)


def _with_numpy(fn, module):
    """The same function with another module called ``np``."""
    return type(fn)(fn.__code__, {**fn.__globals__, "np": module}, fn.__name__)


# --- every listed function ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ELEMENTWISE))
def test_elementwise_function(name):
    """First and second derivative by differences, on a scalar and on an array."""
    real = getattr(np, name)  # the oracle replaces it by its own
    start, others = (1.7, ()) if name == "arccosh" else (0.6, (1.3,) * (real.nin - 1))

    def slope(x):
        return oracle.gradient(lambda t: real(t, *others), (x,), (0,))[0]

    h = 1e-5
    assert oracle.run(lambda t: real(t, *others), (start,))[0] == real(start, *others)
    difference = (real(start + h, *others) - real(start - h, *others)) / (2 * h)
    close(slope(start), difference, 1e-8)
    curvature = oracle.hessian(lambda t: real(t, *others), (start,), (0,))[0, 0]
    close(curvature, (slope(start + h) - slope(start - h)) / (2 * h), 1e-8)
    point = np.array([start, start + 0.1])
    close(oracle.gradient(lambda t: np.sum(real(t, *others)), (point,), (0,))[0][0], slope(start))
    if others:
        other = oracle.gradient(lambda t: real(start, t), others, (0,))[0]
        difference = (real(start, others[0] + h) - real(start, others[0] - h)) / (2 * h)
        close(other, difference, 1e-8)


# --- closed forms -------------------------------------------------------------------------------


def test_mixed_levels_are_kept_apart():
    def fn(x, y):
        return math.exp(x * y) * y

    x, y = 0.7, 1.3
    e = math.exp(x * y)
    assert oracle.gradient(fn, (x, y), (0, 1)) == pytest.approx([e * y * y, e * (x * y + 1)])
    expected = [[e * y**3, e * (x * y * y + 2 * y)], [e * (x * y * y + 2 * y), e * x * (x * y + 2)]]
    close(oracle.hessian(fn, (x, y), (0, 1)), expected)
    third = oracle.third(fn, (x, y), (0, 1), [1.0, None], [None, 1.0], [1.0, None])
    assert third == pytest.approx(e * (x * y**3 + 3 * y * y))


def test_special_functions():
    def fn(x):
        return math.lgamma(x) + math.erf(x) * math.erfc(x)

    euler = 0.57721566490153286
    bell = 2.0 / math.sqrt(math.pi) * math.exp(-1.0)
    expected = -euler + bell * (math.erfc(1.0) - math.erf(1.0))
    assert oracle.gradient(fn, (1.0,), (0,))[0] == pytest.approx(expected, rel=1e-12)
    trigamma = oracle.hessian(lambda x: math.lgamma(x), (1.0,), (0,))[0, 0]
    assert trigamma == pytest.approx(math.pi**2 / 6.0, rel=1e-11)


def test_overlapping_and_duplicate_writes_are_numpys():
    def shifted(a):
        a[1:] += a[:-1]
        return np.sum(a * np.array([1.0, 10.0, 100.0]))

    assert oracle.gradient(shifted, (np.ones(3),), (0,))[0].tolist() == [11.0, 110.0, 100.0]

    def scattered(a, v, idx):
        a[idx] += v
        return np.sum(a)

    args = (np.ones(2), np.ones(3), np.array([1, 1, 0]))
    assert [g.tolist() for g in oracle.gradient(scattered, args, (0, 1))] == [[1, 1], [0, 1, 1]]


def test_layout_decides_between_view_and_copy():
    def fn(m):
        flat = m.ravel()
        flat[0] = 0.0
        return np.sum(m)

    contiguous, strided = np.ones((2, 2)), np.ones((2, 4))[:, ::2]
    assert oracle.gradient(fn, (contiguous,), (0,))[0][0, 0] == 0.0
    assert oracle.gradient(fn, (strided,), (0,))[0][0, 0] == 1.0
    assert oracle.gradient(fn, (np.asfortranarray(contiguous),), (0,))[0][0, 0] == 1.0
    assert oracle.gradient(fn, (strided[::-1, ::-1],), (0,))[0][0, 0] == 1.0


def test_exit_arguments_and_weights():
    def fn(a, x):
        a[0] *= x
        return a, x * x

    a = np.array([2.0, 3.0])
    out, exit_args = oracle.run(fn, (a, 5.0))
    assert exit_args[0].tolist() == out[0].tolist() == [10.0, 3.0]
    assert a.tolist() == [2.0, 3.0]
    by_result = oracle.gradient(fn, (a, 5.0), (0, 1), weights=([1.0, 0.5], 2.0))
    assert by_result[0].tolist() == [5.0, 0.5] and by_result[1] == 2.0 + 20.0
    by_exit = oracle.gradient(fn, (a, 5.0), (1,), exit_weights=([1.0, 0.0], None))
    assert by_exit == [2.0]
    tangents = oracle.jvp(fn, (a, 5.0), (0, 1), ([1.0, 1.0], None), with_exit=True)
    assert tangents[1][0].tolist() == tangents[3][0].tolist() == [5.0, 1.0]


# --- everything a program can reach -------------------------------------------------------------

GAINS = np.array([2.0, 3.0])


@numba.njit
def compiled(x):
    return x * x


class Pair(NamedTuple):
    """A structure."""

    left: float
    right: np.ndarray


@dataclasses.dataclass(frozen=True)
class Curve:
    """A structure with a method."""

    slope: float
    degree: int

    def at(self, x):
        return self.slope * x**self.degree


def test_structures():
    def fn(pair, table):
        curve, (k, x) = table["curve"], table["rest"]
        return curve.at(x) * k + pair.left * pair.right[1] + spread(*pair.right, scale=x)

    def spread(*values, scale):
        return sum(values) * scale

    args = (Pair(2.0, np.array([3.0, 4.0])), {"curve": Curve(1.5, 2), "rest": (2, 5.0)})
    pair, table = oracle.gradient(fn, args, (0, 1))
    assert isinstance(pair, Pair) and pair.left == 4.0 and pair.right.tolist() == [5.0, 7.0]
    assert table["curve"].slope == 50.0 and table["curve"].degree is None
    assert table["rest"] == (None, 2 * 1.5 * 2 * 5.0 + 7.0)


def test_surroundings():
    def fn(f, x):
        return f(x) + compiled(x) * GAINS[1] + local(x) + float(x) + np.float64(x)

    power = 3

    def local(t, bias=0.5):
        return t**power + bias * t

    partial = functools.partial(local, bias=4.0)
    assert oracle.gradient(fn, (partial, 2.0), (1,)) == pytest.approx([16.0 + 12.0 + 12.5 + 2.0])
    assert oracle.gradient(Curve(1.5, 2).at, (2.0,), (0,)) == [6.0]


def test_the_same_array_twice_is_two_variables():
    def fn(a, b):
        return np.sum(a * a * b)

    a = np.array([2.0, 3.0])
    left, right = oracle.gradient(fn, (a, a), (0, 1))
    close(left, 2.0 * a * a)
    close(right, a * a)


# --- conventions and refusals -------------------------------------------------------------------


def test_conventions():
    assert oracle.gradient(lambda x: abs(x), (0.0,), (0,)) == [0.0]
    assert oracle.gradient(lambda x: x**0 + x**2, (0.0,), (0,)) == [0.0]
    assert oracle.gradient(lambda x, y: math.sqrt(x) + y, (0.0, 1.0), (1,)) == [1.0]
    assert math.isnan(oracle.run(lambda x: math.sqrt(x), (-1.0,))[0])
    assert oracle.run(lambda x: math.log(x), (0.0,))[0] == -math.inf
    assert oracle.run(lambda a: a / 0.0, (np.array([1.0]),))[0].tolist() == [math.inf]
    with pytest.raises(ZeroDivisionError):
        oracle.gradient(lambda x: x / (x - x), (1.0,), (0,))


def test_refusals():
    with pytest.raises(TypeError, match="silently converted"):
        float(Dual(1.0, 1.0, 1))
    with pytest.raises(AttributeError, match="eig"):
        oracle.run(lambda m: np.linalg.eig(m), (np.eye(2),))
    with pytest.raises(IndexError):
        oracle.gradient(lambda a, x: a[x], (np.ones(3), 1.0), (0, 1))

    def writes(a):
        a[0] = 1.0

    frozen = np.ones(2)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        oracle.gradient(writes, (frozen,), (0,), exit_weights=([1.0, 1.0],))


def test_integers_stay_integers():
    def fn(k, n, x):
        k[0] += int(3.7 * x)
        return x * k[0] // 1, n // 2, k

    out, exit_args = oracle.run(fn, (np.array([1, 2]), 7, 1.0))
    assert out[1] == 3 and out[2].dtype == np.int64 and exit_args[0].tolist() == [4, 2]
