"""The oracle against plain CPython and central differences, on every program of the zoo.

Derivatives are those of one scalar: random weights times the result plus random weights times the
arguments on exit, so that what a program writes into its arguments is checked as well.
"""

import contextlib
import io

import numpy as np
import pytest

from tests import oracle
from tests.programs import PROGRAMS

SMOOTH = [p for p in PROGRAMS if not p.tags & {"kink"}]
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=str)
every_smooth_program = pytest.mark.parametrize("program", SMOOTH, ids=str)


def entries(tree):
    """All float entries of a tree as a vector."""
    return np.array([c for x in oracle.leaves(tree) for c in oracle.components(x)], float)


def discrete(tree):
    """All other entries."""
    other = (x for x in oracle.leaves(tree) if not oracle.is_float_leaf(x) and not callable(x))
    return [v for x in other for v in np.asarray(x).ravel().tolist()]


def plainly(program, args):
    """The plain call: (result, arguments on exit), nothing printed."""
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        return program.fn(*args, **program.kwargs), list(args)


def filled(leaf, values):
    """Float leaf with entries drawn from ``values``, written in place to keep its layout."""
    if not oracle.is_float_leaf(leaf):
        return leaf
    if not isinstance(leaf, np.ndarray):
        return float(next(values))
    if leaf.dtype == np.float32:
        leaf = leaf.astype(float)
    writeable, leaf.flags.writeable = leaf.flags.writeable, True
    for key in np.ndindex(leaf.shape):
        leaf[key] = next(values)
    leaf.flags.writeable = writeable
    return leaf


class Scalar:
    """A program as a function from the vector of its differentiated entries to one scalar."""

    def __init__(self, program):
        self.program = program
        rng = np.random.default_rng(7)
        out, exit_args = plainly(program, program.args())
        self.weights = oracle.random_like(out, rng)
        self.exit_weights = oracle.random_like(exit_args, rng)
        if not np.all(np.isfinite(entries(exit_args))):
            self.exit_weights = None
        self.point = entries([program.args()[k] for k in program.wrt])
        self.direction = rng.standard_normal(len(self.point))

    def args(self, point):
        values = iter(point)
        fresh = [self.program.args()[k] for k in range(len(self.program.args()))]
        return [
            oracle.map_tree(lambda x: filled(x, values), a) if k in self.program.wrt else a
            for k, a in enumerate(fresh)
        ]

    def value(self, point):
        args = self.args(point)
        if "float32" in self.program.tags:  # too coarse for differences; the oracle is float64
            out, exit_args = oracle.run(self.program.fn, args, self.program.kwargs)
        else:
            out, exit_args = plainly(self.program, args)
        total = entries(self.weights) @ entries(out)
        if self.exit_weights is not None:
            total += entries(self.exit_weights) @ entries(exit_args)
        return total

    def options(self):
        return {
            "weights": self.weights,
            "exit_weights": self.exit_weights,
            "kwargs": self.program.kwargs,
        }

    def gradient(self, point):
        args = self.args(point)
        return entries(oracle.gradient(self.program.fn, args, self.program.wrt, **self.options()))

    def tangents(self):
        values = iter(self.direction)
        args = self.program.args()
        return [oracle.map_tree(lambda x: like(x, values), args[k]) for k in self.program.wrt]

    def hvp(self, point):
        args, wrt = self.args(point), self.program.wrt
        return entries(oracle.hvp(self.program.fn, args, wrt, self.tangents(), **self.options()))


def like(leaf, values):
    """A tangent for a leaf."""
    if not oracle.is_float_leaf(leaf):
        return None
    if not isinstance(leaf, np.ndarray):
        return float(next(values))
    return np.array([next(values) for _ in range(leaf.size)]).reshape(leaf.shape)


def central(function, point, step, h=1e-5):
    """The central difference quotient of ``function`` along ``step``."""
    return (function(point + h * step) - function(point - h * step)) / (2.0 * h)


def assert_close(actual, expected, tolerance):
    scale = max(1.0, np.max(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)


@every_program
def test_plain_run(program):
    expected, expected_exit = plainly(program, program.args())
    given = program.args()
    before = entries(given)
    actual, actual_exit = oracle.run(program.fn, given, program.kwargs)
    tolerance = 1e-4 if "float32" in program.tags else 1e-12
    for got, want in ((actual, expected), (actual_exit, expected_exit)):
        np.testing.assert_allclose(entries(got), entries(want), rtol=tolerance, atol=tolerance)
        assert discrete(got) == discrete(want)
    np.testing.assert_array_equal(entries(given), before)


@every_smooth_program
def test_gradient(program):
    scalar = Scalar(program)
    differences = [central(scalar.value, scalar.point, e) for e in np.eye(len(scalar.point))]
    assert_close(scalar.gradient(scalar.point), np.array(differences), 1e-6)


@every_smooth_program
def test_forward_agrees_with_gradient(program):
    scalar = Scalar(program)
    args = scalar.args(scalar.point)
    _, out_t, _, exit_t = oracle.jvp(
        program.fn, args, program.wrt, scalar.tangents(), program.kwargs, with_exit=True
    )
    total = entries(scalar.weights) @ entries(out_t)
    if scalar.exit_weights is not None:
        total += entries(scalar.exit_weights) @ entries(exit_t)
    assert_close(total, scalar.gradient(scalar.point) @ scalar.direction, 1e-10)


@every_smooth_program
def test_second_order(program):
    scalar = Scalar(program)
    difference = central(scalar.gradient, scalar.point, scalar.direction)
    assert_close(scalar.hvp(scalar.point), difference, 1e-5)


@pytest.mark.parametrize("program", SMOOTH[::4], ids=str)
def test_third_order(program):
    scalar = Scalar(program)
    v = scalar.tangents()
    third = oracle.third(
        program.fn, scalar.args(scalar.point), program.wrt, v, v, v, **scalar.options()
    )
    difference = central(scalar.hvp, scalar.point, scalar.direction) @ scalar.direction
    assert_close(third, difference, 1e-4)
