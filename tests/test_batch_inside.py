"""``batch`` inside differentiated functions: objects, made on the spot, closures, nested maps.

What is compared with is the same function written as a loop, or by broadcasting.
"""

import numpy as np
import pytest

import srcad

RNG = np.random.default_rng(5)
X, W = RNG.normal(size=(4, 3)), RNG.normal(size=3)


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference", verify=True):
        yield


def loss(x, w):
    """One sample's loss."""
    s = 0.0
    for i in range(len(x)):
        s += w[i] * np.sin(x[i]) ** 2
    return s * s


def same(got, want, rtol=1e-12):
    """Equal numbers, arrays, or tuples of them."""
    for a, b in zip(*(x if isinstance(x, tuple) else (x,) for x in (got, want)), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-13)


PER = srcad.batch(loss, (0, None))


def loop(x, w):
    """The sum of squared losses, as a loop."""
    s = 0.0
    for k in range(len(x)):
        s += loss(x[k], w) ** 2
    return s


def of_an_object(x, w):
    return np.sum(PER(x, w) ** 2)


def made_inside(x, w):
    return np.sum(srcad.batch(loss, (0, None))(x, w) ** 2)


def of_a_closure(x, w):
    return np.sum(srcad.batch(lambda v: loss(v, w))(x) ** 2)


def of_a_gradient(x, w):
    """Half the squares again: the derivative of s**2 is 2 s, of ``loss`` itself known."""
    half = srcad.batch(srcad.grad(lambda v: 0.5 * v * v))
    return np.sum(half(PER(x, w)) ** 2)


def under_a_gradient(x, w):
    """The gradient in a factor that all samples share."""
    return srcad.grad(lambda s: np.sum(srcad.batch(lambda v: s * loss(v, w) ** 2)(x)))(1.0)


@pytest.mark.parametrize(
    "f", [of_an_object, made_inside, of_a_closure, of_a_gradient, under_a_gradient]
)
def test_inside_differentiable_functions(f):
    """As objects, made on the spot, over closures, around and under gradients."""
    same(f(X, W) if f is of_an_object else srcad.differentiable(f)(X, W), loop(X, W))
    same(srcad.grad(f, (0, 1))(X, W), srcad.grad(loop, (0, 1))(X, W))
    same(srcad.hessian(f, 1)(X, W), srcad.hessian(loop, 1)(X, W), 1e-9)


def test_inside_two_axes_and_structures():
    """Nested maps, structures and several axes, inside."""

    def plane(x, w):
        def one(p, b):
            return {"y": p["a"] * b**2, "z": p["a"] * 3.0}

        inner = srcad.batch(one, ({"a": None}, 0))
        out = srcad.batch(inner, ({"a": 0}, None), 1)({"a": x}, w)
        return np.sum(out["y"] * np.sin(out["z"]))

    x = RNG.normal(size=2)
    same(srcad.grad(plane, (0, 1))(x, W), srcad.grad(by_hand, (0, 1))(x, W))


def by_hand(x, w):
    """``plane`` by broadcasting."""
    return np.sum(x[None, :] * w[:, None] ** 2 * np.sin(3.0 * x[None, :]))


def test_refused_inside():
    """Samples that are integers; sparse matrices."""

    def integers(x):
        return np.sum(srcad.batch(lambda v, k: v * k)(x, np.array([1, 2, 3])))

    with pytest.raises(srcad.UnsupportedSyntax, match="over integers"):
        srcad.grad(integers)(W)
    for make in (srcad.sparse_jacobian, srcad.sparse_hessian, srcad.audit):

        def inside(x, make=make):
            return make(loss)(x, W)

        with pytest.raises(srcad.SrcadError, match="cannot be called in a differentiated function"):
            srcad.grad(inside)(W)
