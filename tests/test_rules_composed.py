"""Rules of the user inside other constructs, against the same program without a rule."""

import numpy as np
import pytest

import srcad
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
