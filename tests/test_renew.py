"""Copied and swapped states made anew: which are, and that nothing else changes."""

from unittest import mock

import numpy as np
import pytest

import srcad
from srcad import compiler
from srcad.ir.nodes import Alloc, For, Function, While
from srcad.ir.text import text
from srcad.ir.types import ArrayT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.transforms.renew import renewed
from tests import oracle
from tests.all_stages import as_compiled
from tests.renew_programs import ANEW, STAY, interior, plane


def lowered(f) -> Function:
    """The program before differentiation."""
    g = srcad.differentiable(f)
    return g.program(g.specs(g.bind((np.ones(5), 3), {}))).fn


def states(fn: Function) -> int:
    """How many arrays loops carry and make."""
    found = 0
    for s in statements(fn.body):
        if isinstance(s, (For, While)):
            made = {t.target for t in s.body.stmts if isinstance(t, Alloc)}
            found += sum(isinstance(y.type, ArrayT) and y in made for y in s.body.yields)
    return found


@pytest.mark.parametrize("f", ANEW, ids=lambda f: f.__name__)
def test_they_are_made_anew(f):
    """And nothing is copied any more, but what a step leaves alone."""
    fn = lowered(f)
    verify(fn)
    assert states(fn) == (2 if f.__name__ == "two_states" else 1), text(fn)
    assert renewed(fn).body == fn.body


@pytest.mark.parametrize("f", STAY, ids=lambda f: f.__name__)
def test_others_stay(f):
    """Where a load could see something else."""
    assert not states(lowered(f))


@pytest.mark.parametrize("f", [*ANEW, *STAY], ids=lambda f: f.__name__)
def test_values_and_gradients(f):
    """The bits of the program as it was; with all stages of compiled code, and without."""

    def total(x, steps):
        return np.sum(f(x, steps))

    with srcad.using(backend="reference", cache=False, verify=True):
        value, plain = srcad.differentiable(f), srcad.differentiable(f)
        g, h = srcad.grad(total, poison=True), srcad.grad(total, vector_math=False)
        with mock.patch.object(compiler, "renewed", lambda fn: fn):
            plain(np.ones(3), 2)
        with as_compiled():
            h(np.ones(3), 2)
        for n, steps in ((0, 2), (1, 2), (2, 0), (2, 3), (3, 1), (3, 4), (5, 2), (5, 3)):
            args = 0.3 + 0.15 * np.arange(float(n)), steps
            np.testing.assert_array_equal(value(*args), plain(*args))
            np.testing.assert_allclose(value(*args), f(*args), rtol=1e-13)
            expected = oracle.gradient(total, args, (0,))[0]
            for found in (g(*args), h(*args)):
                np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_compiled():
    """By Numba: the sum in plain Python's order."""

    def f(x, steps):
        return interior(x, steps) + plane(x, steps)

    x = 0.3 + 0.1 * np.arange(9.0)
    value, found = srcad.value_and_grad(f)(x, 6)
    assert value == pytest.approx(f(x, 6), rel=1e-13)
    np.testing.assert_allclose(found, oracle.gradient(f, (x, 6), (0,))[0], rtol=1e-11)
