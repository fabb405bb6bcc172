"""Derivatives inside differentiated functions, against closed forms, differences and JAX's values.

Programs run through the reference backend unless the test is about compiled code.
"""

import functools
import math
from dataclasses import dataclass

import numba
import numpy as np
import pytest

import srcad
from tests.nested_programs import GRADIENT, particle, saddle

X = np.array([1.0, 2.0, 3.0])


@pytest.fixture(autouse=True)
def interpreted():
    """Fast, and verified after every pass."""
    with srcad.using(backend="reference", verify=True):
        yield


def slope(f, x, h=1e-6):
    """Central difference of a function of one float, run by srcad without differentiating."""
    g = srcad.differentiable(f)
    return (g(x + h) - g(x - h)) / (2 * h)


def both_ways(f, x, expected):
    """First derivative by both modes."""
    assert srcad.grad(f)(x) == pytest.approx(expected, rel=1e-12)
    assert srcad.jvp(f, (x,), (1.0,))[1] == pytest.approx(expected, rel=1e-12)


# perturbation confusion
def cube(x):
    return x**3


def confusing(x):
    return x * srcad.grad(lambda y: x + y)(1.0)


def confusing_forward(x):
    return x * srcad.jvp(lambda y: x + y, (1.0,), (1.0,))[1]


def captured_by_two(x):
    def outer(y):
        def inner(z):
            return x * y * y * z * z * z

        return srcad.grad(inner)(y)

    return srcad.grad(outer)(x)  # d/dy 3 x y^4 at y = x: 12 x^4


@pytest.mark.parametrize(
    ("f", "expected"),
    [(confusing, 1.0), (confusing_forward, 1.0), (captured_by_two, 48 * 1.5**3)],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_perturbations_are_not_confused(f, expected):
    """d/dx (x d/dy (x + y)) is 1, not 2; Siskind & Pearlmutter (2005)."""
    both_ways(f, 1.5, expected)


@pytest.mark.parametrize("outer", "fr")
@pytest.mark.parametrize("inner", "fr")
def test_all_four_orders(outer, inner):
    """Forward and reverse mode inside each other."""

    def g(x):
        return GRADIENT[inner](lambda y: math.sin(x * y) * y)(x * x)

    def expected(x):  # d/dx of sin(x^3) + x^3 cos(x^3)
        return 6 * x**2 * math.cos(x**3) - 3 * x**5 * math.sin(x**3)

    assert GRADIENT[outer](g)(0.7) == pytest.approx(expected(0.7), rel=1e-13)


@pytest.mark.parametrize("order", ["ff", "fr", "rf", "rr"])
def test_particle_and_saddle(order):
    """Both programs, compiled, give the published results."""
    with srcad.using(backend="cpu", verify=False):
        solve, landing = particle(*order)
        w = srcad.differentiable(solve)(np.zeros(1))
        x, y = srcad.differentiable(saddle(*order))(np.ones(2))
    assert w == pytest.approx(0.20719187464861194, rel=1e-9)
    assert np.allclose([*x, *y], 8.246324826140356e-06, rtol=1e-9, atol=0)
    if order == "rr":  # it lands at the origin
        assert srcad.differentiable(landing)(np.array([w])) < 1e-7


# what may be called
d_cube = srcad.grad(cube)
dd_cube = srcad.grad(d_cube)


@srcad.differentiable
def quartic(x):
    return x**4


@dataclass
class Spring:
    """An object with a method that uses its fields."""

    k: float

    def energy(self, x):
        return 0.5 * self.k * x * x


def by_objects(x):
    return dd_cube(x) + srcad.grad(dd_cube)(x) * x


def by_attribute(x):
    return quartic.grad(x) + quartic.value_and_grad(x)[0] + quartic.jvp((x,), (2.0,))[1]


def by_methods(x):
    s = Spring(x)
    return srcad.grad(s.energy)(3.0) + srcad.grad(lambda t: s.energy(t * t))(x)


def helper(df, x):
    return df(x) + df(2.0 * x)


def passed_on(x):
    return helper(srcad.grad(cube), x) + helper(srcad.grad(lambda t: t * t * x), x)


def in_a_loop(x):
    total = 0.0
    for i in range(4):
        df = srcad.grad(lambda t: t**3 * (i + 1))  # noqa: B023
        total += df(x)
        x = x - 0.01 * df(x)
    return total


def in_a_branch(x):
    if x > 0:
        y = srcad.grad(cube)(x)
    else:
        y = srcad.grad(quartic)(x)
    return y * y


def with_defaults(x):
    p = 2.0

    def g(a, b=0.5, *, c=3.0):
        return a * a * b * c * p

    return srcad.grad(g, argnums=1)(x) + srcad.grad(g, argnums="a")(x, c=x)


CALLABLE = [by_objects, by_attribute, by_methods, passed_on, in_a_loop, in_a_branch, with_defaults]


@pytest.mark.parametrize("f", CALLABLE, ids=lambda f: f.__name__)
def test_ways_to_name_a_derivative(f):
    """Objects, attributes, methods, arguments, closures: first derivative against differences."""
    expected = slope(f, 1.3)
    assert srcad.grad(f)(1.3) == pytest.approx(expected, rel=1e-7)
    assert srcad.jvp(f, (1.3,), (1.0,))[1] == pytest.approx(expected, rel=1e-7)
    srcad.check_grads(f, (1.3,), order=2, modes=("fwd", "rev"))


def test_values_of_these():
    """And the values themselves, by hand."""
    x = 1.3
    run = srcad.differentiable
    assert run(by_objects)(x) == pytest.approx(12 * x)
    assert run(by_attribute)(x) == pytest.approx(12 * x**3 + x**4)
    assert run(by_methods)(x) == pytest.approx(3 * x + 2 * x**4)
    assert run(passed_on)(x) == pytest.approx(15 * x**2 + 6 * x**2)
    assert run(with_defaults)(x) == pytest.approx(3 * 2 * x * x + 2 * x * 0.5 * x * 2)


def twice(f):
    @functools.wraps(f)
    def g(*args):
        return 2.0 * f(*args)

    return g


def decorated_inside(x):
    @twice
    def f(y):
        return y * y * x

    @numba.njit(cache=False)
    def g(y):
        return f(y) + y

    @srcad.differentiable
    def h(y):
        return g(y) * y

    return h.grad(x)


def test_decorators_of_inner_functions():
    """They are applied: 2 y^3 x + y^2 differentiated at y = x."""
    assert srcad.differentiable(decorated_inside)(1.5) == pytest.approx(6 * 1.5**3 + 2 * 1.5)
    both_ways(decorated_inside, 1.5, 18 * 1.5**2 + 2.0)


# every transform, of arrays and structures
def use_value_and_grad(x):
    v, (a, b) = srcad.value_and_grad(lambda p, q: np.sum(p * q * q), argnums=(0, 1))(x, x * x)
    return v + np.sum(a * b)


def use_aux(x):
    g, aux = srcad.grad(lambda p: (np.sum(p**3), p * x), has_aux=True)(x)
    return np.sum(g * aux)


def use_jacobians(x):
    forward = srcad.jacfwd(lambda p: p * p * x[0])(x)
    backward = srcad.jacrev(lambda p: np.array([np.sum(p * x), p[0] * p[1]]))(x)
    return np.sum(forward @ backward.T) + np.sum(srcad.jacobian(np_square)(x))


def np_square(p):
    return p * p


def overlapping(x):
    m = np.outer(x, x)
    j = srcad.jacobian(lambda row: row * m[0] * x[0])(m[:, 1])
    return np.sum(j) + np.sum(srcad.hessian(lambda z: np.sum(z**3 * x))(x))


def use_hessian(x):
    h = srcad.hessian(lambda p: p[0] ** 2 * p[1] * x[2])(x)
    return h[0, 0] * h[0, 1] + x @ srcad.hvp(lambda p: np.sum(p**4), (x,), (x * x,))[0]


def use_jvp(x):
    v, t = srcad.jvp(
        lambda p, n, q: (p * q[0] * n, np.sum(p)), (x, 2, (x[0], 1.0)), (x * x, None, (1.0, None))
    )
    return np.sum(v[0] * t[0]) + t[1]


def use_vjp(x):
    (out, total), pullback = srcad.vjp(
        lambda p, n, q: (p * q["a"] * n, np.sum(p)), x, 3, {"a": x[1]}
    )
    p_b, _, q_b = pullback((x * out, None))
    again = pullback((None, 2.0))[0]
    return np.sum(p_b) * q_b["a"] + total + np.sum(again * x)


def use_linearize(x):
    out, df = srcad.linearize(lambda p: p * np.sum(p), x)
    return np.sum(out * df(x * x)) + np.sum(df(out))


def writes_in_place(x):
    def energy(z):
        total = 0.0
        for i in range(1, len(z)):
            z[i] = z[i - 1] * x[i] + z[i] ** 2
            if z[i] > 3.0:
                total += z[i]
            else:
                total += z[i] ** 2
        return total

    return np.sum(srcad.grad(energy)(x.copy()) * x)


def calls_itself(x):
    def power(t, n):
        if n == 0:
            return 1.0
        return t * power(t, n - 1)

    return np.sum(np.array([srcad.grad(power)(x[i], 3) for i in range(3)]) * x)


TABLE = np.array([0.5, 0.25, 2.0])


def sees_captured(x):
    return np.sum(srcad.grad(lambda p: np.sum(TABLE * p**3))(x)) + np.sum(TABLE * x)


def written_outside(x):
    buffer = np.zeros(3)

    def fill(t):
        for i in range(3):
            buffer[i] = t * x[i] + buffer[i]
        return np.sum(buffer * buffer)

    a = srcad.grad(fill)(x[0])  # writes buffer as a plain call does
    return a + np.sum(buffer**3)


def pulled_after_change(x):
    y = x * 2.0
    out, pullback = srcad.vjp(lambda p: np.sum(p**3) * y[0], y)
    y[:] = 0.0
    return out * np.sum(pullback(1.0)[0])


ARRAYS = [
    use_value_and_grad,
    use_aux,
    use_jacobians,
    use_hessian,
    overlapping,
    use_jvp,
    use_vjp,
    use_linearize,
    writes_in_place,
    calls_itself,
    sees_captured,
    written_outside,
    pulled_after_change,
]


@pytest.mark.parametrize("f", ARRAYS, ids=lambda f: f.__name__)
def test_transforms_of_arrays(f):
    """Gradients against central differences, and forward against reverse."""
    run, g = srcad.differentiable(f), srcad.grad(f)(X.copy())
    h = 1e-6
    for k, e in enumerate(np.eye(3)):
        expected = (run(X + h * e) - run(X - h * e)) / (2 * h)
        assert g[k] == pytest.approx(expected, rel=2e-7, abs=1e-6)
        assert srcad.jvp(f, (X.copy(),), (e,))[1] == pytest.approx(g[k], rel=1e-12)


def test_values_of_transforms():
    """Values by hand."""
    run = srcad.differentiable
    assert run(use_value_and_grad)(X) == pytest.approx(np.sum(X**5) + np.sum(X**4 * 2 * X**3))
    assert run(use_aux)(X) == pytest.approx(np.sum(3 * X**2 * X**2))
    assert run(use_hessian)(X) == pytest.approx(
        (2 * X[1] * X[2]) * (2 * X[0] * X[2]) + np.sum(12 * X**5)
    )
    assert run(use_linearize)(X) == pytest.approx(
        np.sum(X * 6 * (X * X * 6 + X * 14)) + np.sum(6 * X * 6 + X * 6 * 6)
    )
    assert run(calls_itself)(X) == pytest.approx(np.sum(3 * X**3))
    assert run(pulled_after_change)(X) == pytest.approx(
        np.sum((2 * X) ** 3) * 2 * X[0] * np.sum(3 * (2 * X) ** 2) * 2 * X[0]
    )


def test_compiled_code_is_the_same():
    """The printed program and the compiled one agree with the interpreter."""
    for f in (use_vjp, writes_in_place):
        expected = srcad.grad(f)(X.copy())
        for backend in ("python", "cpu"):
            assert np.allclose(srcad.grad(f, backend=backend)(X.copy()), expected, rtol=1e-13)


def tower(x):
    return srcad.grad(lambda a: srcad.grad(lambda b: srcad.grad(lambda c: a * b * c**4)(b))(a))(x)


def test_third_order_inside():
    """d/da at x of a * d/db (4 b^4) at b = a, that is 16 a^4: 64 x^3."""
    assert srcad.differentiable(tower)(1.1) == pytest.approx(64 * 1.1**3, rel=1e-13)
    both_ways(tower, 1.1, 192 * 1.1**2)
