"""Every operation of the tape: derivatives of first, second and third order, and Jacobians.

The n-th order is compared with central differences of the (n-1)-th, which tests each pullback
and that enclosing tapes record it.  Jacobians, which pull all rows back at once, are compared
with gradients of single elements, to second order.
"""

from __future__ import annotations

import sys
import types
from collections import Counter
from zlib import crc32

import numpy as np
import pytest

import srcad.tf as tf
from srcad.rules import RULES
from srcad.tape.elementwise import VOCABULARY
from tests.tape_cases import CASES, WITHOUT_DERIVATIVE

STEP = 1e-5


def _weights(case, shape, order):
    rng = np.random.default_rng(crc32(f"{case.name}{order}".encode()))
    return rng.uniform(0.5, 1.5, size=shape)


def derivative(case, order, values):
    """The function's ``order``-th derivative along fixed weights: arrays like the operands.

    Order 0 is the value itself, a list of one array.
    """
    sources = [tf.constant(v) for v in values]
    return _tensors(case, order, sources)


def _tensors(case, order, sources):
    if order == 0:
        return [case.f(*sources)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        parts = _tensors(case, order - 1, sources)
        total = sum(tf.reduce_sum(p * _weights(case, p.shape, order)) for p in parts)
    return tape.gradient(total, sources, unconnected_gradients="zero")


def _differences(case, order, values):
    """Central differences of the weighted sum of the derivative one order below."""
    out = []
    for k, v in enumerate(values):
        grad = np.zeros(np.shape(v))
        for index in np.ndindex(np.shape(v)):
            sums = []
            for sign in (1, -1):
                moved = [np.array(x) for x in values]
                moved[k][index] += sign * STEP
                parts = derivative(case, order - 1, moved)
                weighted = [p.numpy() * _weights(case, p.shape, order) for p in parts]
                sums.append(sum(w.sum() for w in weighted))
            grad[index] = (sums[0] - sums[1]) / (2 * STEP)
        out.append(grad)
    return out


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", list(CASES))
def test_orders(name, order):
    """A derivative is the difference quotient of the one below."""
    case = CASES[name]
    values = case.draw(np.random.default_rng(crc32(name.encode())))
    found = derivative(case, order, values)
    expected = _differences(case, order, values)
    for f, e in zip(found, expected, strict=True):
        scale = max(1.0, float(np.max(np.abs(e), initial=0.0)))
        assert f.shape == e.shape
        np.testing.assert_allclose(f.numpy(), e, atol=2e-6 * scale)


def _facade():
    """Every function of the facade that computes, and its names."""
    found = {}
    places = {"": tf, "math.": tf.math, "linalg.": tf.linalg, "nn.": tf.nn}
    for prefix, place in places.items():
        for name, f in vars(place).items():
            public = not name.startswith("_") and name not in HELPERS
            if public and isinstance(f, types.FunctionType) and f.__module__.startswith("srcad."):
                found.setdefault(f, []).append(prefix + name)
    return found


HELPERS = {"missing", "math_operations", "top_operations", "select"}


def _executed():
    """The code that the cases run."""
    codes = set()

    def note(frame, event, argument):
        if event == "call":
            codes.add(frame.f_code)

    for case in CASES.values():
        sources = [tf.constant(v) for v in case.draw(np.random.default_rng(0))]
        sys.setprofile(note)
        try:
            case.f(*sources)
        finally:
            sys.setprofile(None)
    return codes


def test_every_operation_is_covered():
    """Each function of the facade is in the generated tests, or is known to have no derivative."""
    facade, executed = _facade(), _executed()
    primitives = {f: name for name, f in VOCABULARY.items()}
    uses = Counter(f.__code__ for f in facade)
    uncovered = {}
    for f, names in facade.items():
        short = {n.rpartition(".")[2] for n in names}
        if f in primitives and primitives[f] in RULES:
            covered = primitives[f] in CASES or RULES[primitives[f]].zero
        elif f in primitives or uses[f.__code__] > 1:  # one code for several functions
            covered = short & (set(CASES) | TESTS)
        else:
            covered = f.__code__ in executed
        if not covered and not short & WITHOUT_DERIVATIVE:
            uncovered[names[0]] = names
    assert not uncovered
    assert len(facade) > 200


TESTS = {"equal", "not_equal", "is_finite", "is_inf", "is_nan"} | {
    *("greater", "greater_equal", "less", "less_equal"),
    *("logical_and", "logical_or", "logical_not", "logical_xor"),
}


def _by_rows(f, sources, of):
    """The Jacobian from one gradient per element."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(sources)
        flat = tf.reshape(f(*sources), [-1])
        elements = tf.unstack(flat)
    rows = [tape.gradient(e, sources[of], unconnected_gradients="zero") for e in elements]
    return np.array([r.numpy() for r in rows])


@pytest.mark.parametrize("name", list(CASES))
def test_jacobians(name):
    """All rows at once are what single gradients are; so for the gradient's Jacobian."""
    case = CASES[name]
    values = case.draw(np.random.default_rng(crc32(name.encode())))
    sources = [tf.constant(v) for v in values]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = case.f(*sources)
    found = tape.jacobian(y, sources, unconnected_gradients="zero")
    for k, j in enumerate(found):
        assert j.shape == y.shape + sources[k].shape
        expected = _by_rows(case.f, sources, k).reshape(j.shape)
        np.testing.assert_allclose(j.numpy(), expected, rtol=1e-12, atol=1e-12)

    def gradient(*xs):
        return _tensors(case, 1, list(xs))[0]

    with tf.GradientTape() as tape:
        tape.watch(sources)
        g = gradient(*sources)
    second = tape.jacobian(g, sources[-1], unconnected_gradients="zero")
    expected = _by_rows(gradient, sources, len(sources) - 1).reshape(second.shape)
    np.testing.assert_allclose(second.numpy(), expected, rtol=1e-9, atol=1e-9)
