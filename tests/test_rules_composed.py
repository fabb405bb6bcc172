"""Rules of the user inside other constructs, against the same program without a rule."""

import numpy as np
import pytest

import srcad
from tests.product_transforms import exported
from tests.test_custom_rules import plain_wave, wave


@pytest.fixture(autouse=True)
def interpreted():
    """Fast, and verified after every pass."""
    with srcad.using(backend="reference", verify=True):
        yield


def drawing(x, k, f):
    """Recursion, random numbers, and a rule."""
    z = np.random.random()
    if k <= 0:
        return x
    return drawing(f(x, x * 0.5), k - 1, f) * z + f(x, drawing(2.0, k - 3, f) * z)


def test_in_recursion():
    """A function that is not expanded: its rules are used when it is run again."""

    def ruled(x):
        return drawing(x, 4, wave)

    def plain(x):
        return drawing(x, 4, plain_wave)

    for transform in (srcad.grad, srcad.jacfwd, srcad.hessian):
        found = []
        for f in (ruled, plain):
            np.random.seed(5)
            found += [transform(f)(0.7), np.random.random()]
        assert found[:2] == pytest.approx(found[2:], rel=1e-12)


def test_exported():
    """The function, the helper made of it, and the exported one have names of their own."""
    with srcad.using(verify=False):
        made = exported(wave, 0.3, 1.2)
        assert made(0.3, 1.2) == wave(0.3, 1.2)
        slope = exported(srcad.grad(wave), 0.3, 1.2)
    assert slope(0.3, 1.2) == pytest.approx(srcad.grad(plain_wave)(0.3, 1.2), rel=1e-14)


SCALE = np.array([2.0, 3.0])


@srcad.custom_vjp
def scaled(x):
    """Sees no array; its rule does."""
    return 2.0 * x[0] + 3.0 * x[1]


scaled.defvjp(lambda x: (scaled(x), None), lambda residuals, out_b: (SCALE * out_b,))


def test_a_rule_may_capture_arrays():
    """That the function itself does not see."""
    x = np.array([0.5, 0.7])
    np.testing.assert_array_equal(srcad.grad(lambda x: scaled(x) ** 2)(x), 2 * scaled(x) * SCALE)


def area(*sides):
    """Of any number of arguments."""
    return sides[0] * sides[1] ** 2


def test_star_arguments():
    """One cotangent and one tangent for each argument, also inside."""
    assert srcad.vjp(area, 2.0, 3.0)[1](1.0) == (9.0, 12.0)
    assert srcad.grad(lambda x: srcad.vjp(area, 2.0, x)[1](1.0)[1])(3.0) == 4.0
    assert srcad.grad(lambda x: srcad.jvp(area, (x, 3.0), (1.0, 1.0))[1])(2.0) == 6.0
    assert srcad.grad(lambda x: srcad.linearize(area, x, 3.0)[1](1.0, 1.0))(2.0) == 6.0
