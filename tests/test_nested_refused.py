"""Derivatives inside differentiated functions that cannot be taken: refused by name, at a line."""

import numpy as np
import pytest

import srcad

X = np.array([1.0, 2.0, 3.0])


def cube(x):
    return x**3


def np_square(p):
    return p * p


def of_itself(x):
    if x > 1.0:
        return x
    return srcad.grad(of_itself)(x)


def through_another(x):
    return x * srcad.grad(lambda y: through_another(y) * 2.0)(x)


def of_a_value(x):
    return srcad.grad(cube(x))(x)


def moving_argnums(x, n):
    return srcad.grad(lambda a, b: a * b, argnums=n)(x, x)


def two_names(x):
    def f(z):
        z[0] = x[1] * z[0]
        return z[0] + x[0]

    return np.sum(srcad.grad(f)(x))


def vector_valued(x):
    return np.sum(srcad.grad(np_square)(x))


def of_an_integer(x):
    return x * srcad.grad(lambda n: n * 2.0)(3)


def drawing(x):
    _, pullback = srcad.vjp(lambda y: y * np.random.normal(), x)
    return pullback(1.0)[0]


def wrong_shape(x):
    return np.sum(srcad.jvp(np_square, (x,), (x[1:],))[1])


def compares(x):
    srcad.check_grads(cube, (x,))
    return x


REFUSED = [
    (of_itself, (0.5,), "takes a derivative of itself"),
    (through_another, (0.5,), "takes a derivative of itself"),
    (of_a_value, (0.5,), "pass the function itself"),
    (moving_argnums, (0.5, 1), "known only at run time"),
    (two_names, (X,), "under another name"),
    (vector_valued, (X,), "returns one float"),
    (of_an_integer, (0.5,), "which is an int"),
    (drawing, (0.5,), "draws random numbers"),
    (compares, (0.5,), "check_grads cannot be called"),
]


@pytest.mark.parametrize(
    ("f", "args", "message"), REFUSED, ids=lambda v: getattr(v, "__name__", "")
)
def test_refused_by_name(f, args, message):
    """What cannot be done says so, at a line of this file."""
    with pytest.raises(srcad.SrcadError, match=message) as caught:
        srcad.grad(f)(*args)
    assert caught.value.loc.file == __file__


def test_shapes_are_checked_when_it_runs():
    """A tangent of another size than its primal."""
    with pytest.raises(ValueError, match="another shape"):
        srcad.grad(wrong_shape)(X)
