"""Pullbacks and linearised functions as functions that are transformed, called, and pickled."""

import pickle

import numpy as np
import pytest

import srcad
from tests.product_objects import D, X, many

W = np.array([0.5, -1.0, 2.0])


@pytest.fixture(autouse=True)
def interpreted():
    with srcad.using(backend="reference", verify=True):
        yield


def test_their_derivative_is_the_map():
    """Both are linear: the tangent is the map of the tangent, the cotangent its transpose."""
    jacobian = srcad.jacobian(many)(X)
    pull, push = srcad.vjp(many, X)[1], srcad.linearize(many, X)[1]
    assert np.allclose(srcad.jacrev(push)(W), jacobian)
    assert np.allclose(srcad.jacfwd(pull)(W)[0], jacobian.T)
    out, tangent = srcad.jvp(push, (W,), (D,))
    assert np.allclose(out, jacobian @ W) and np.allclose(tangent, jacobian @ D)
    (out,), back = srcad.vjp(pull, W)
    assert np.allclose(out, W @ jacobian) and np.allclose(back((D,))[0], jacobian @ D)

    def both(w):
        return np.sum(pull(w)[0] * push(w))

    form = jacobian @ jacobian  # w J J w
    assert np.allclose(srcad.grad(both)(W), (form + form.T) @ W)
    assert np.allclose(srcad.hessian(both)(W), form + form.T)


@srcad.differentiable
def structures(d, n, *rest):
    return d["a"] * n * rest[0], d["b"] * d["b"]


def test_structures_and_pickles():
    """The point and the cotangent may be structures; integers have none."""
    args = {"a": X, "b": 2.0}, 3, X
    pull = srcad.vjp(structures, *args)[1]
    found = srcad.jvp(pull, ((D, 1.0),), ((W, 0.5),))[1]
    assert np.allclose(found[0]["a"], 3 * W * X) and found[0]["b"] == 2.0
    assert found[1] is None and np.allclose(found[2], 3 * W * X)
    again = pickle.loads(pickle.dumps(pull))
    assert np.allclose(again((D, 1.0))[0]["a"], pull((D, 1.0))[0]["a"])


SCALE = np.array([1.0, 2.0, 3.0])


def captures(x):
    return x * SCALE * x


def draws(x):
    return x * np.random.random()


def test_refused_where_the_map_would_be_another():
    """Captured arrays that changed, random numbers."""
    pull = srcad.vjp(captures, X)[1]
    before = pull(D)[0]
    SCALE[0] = 5.0
    assert np.array_equal(pull(D)[0], before)
    for f in (pull, srcad.vjp(draws, X)[1], srcad.linearize(draws, X)[1]):
        f(D)
        with pytest.raises(srcad.NoDerivative, match="as a function to transform"):
            srcad.jvp(f, (X,), (D,))
        with pytest.raises(srcad.NoDerivative, match="as a function to transform"):
            srcad.jacrev(lambda w, f=f: f(w))(X)
    SCALE[0] = 1.0
