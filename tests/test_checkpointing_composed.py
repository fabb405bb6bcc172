"""Checkpointed loops and calls with the other objects of the interface inside and around them.

The same composition without the mark is the reference.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad

REFERENCE = {"backend": "reference", "verify": True}


@srcad.custom_vjp
def cube(x):
    return x * x * x


cube.defvjp(lambda x: (x * x * x, x), lambda r, g: (3 * r * r * g,))
solve = srcad.fixed_point(lambda x, p: np.cos(x) * p)


def wave(y):
    s = y
    for _ in srcad.checkpointed(range(4), snapshots=2):
        s = np.sin(s) * y
    return s


def plain_wave(y):
    s = y
    for _ in range(4):
        s = np.sin(s) * y
    return s


def rule(x):
    for _ in srcad.checkpointed(range(3), snapshots=2):
        x = np.sin(cube(x))
    return x


def plain_rule(x):
    for _ in range(3):
        x = np.sin(x * x * x)
    return x


def implicit(p):
    s = 0.0
    for _ in srcad.checkpointed(range(3), snapshots=1):
        s += solve(0.5, p + 0.1 * s)
    return s


def plain_implicit(p):
    s = 0.0
    for _ in range(3):
        s += solve(0.5, p + 0.1 * s)
    return s


def descent(x):
    for _ in srcad.checkpointed(range(3), snapshots=2):
        x = x - 0.1 * srcad.grad(wave)(x)
    return x


def plain_descent(x):
    for _ in range(3):
        x = x - 0.1 * srcad.grad(plain_wave)(x)
    return x


def batched(x):
    return np.sum(srcad.batch(wave)(np.array([x, 2 * x])))


def plain_batched(x):
    return plain_wave(x) + plain_wave(2 * x)


@srcad.checkpoint
def slope(x):
    return srcad.grad(wave)(x)


def marked_calls(x):
    return slope(x) * slope(x + 1.0)


def plain_calls(x):
    return srcad.grad(plain_wave)(x) * srcad.grad(plain_wave)(x + 1.0)


PAIRS = {
    "custom rule in a loop": (rule, plain_rule),
    "implicit function in a loop": (implicit, plain_implicit),
    "gradient of a loop in a loop": (descent, plain_descent),
    "loop in a batch": (batched, plain_batched),
    "gradient in a call": (marked_calls, plain_calls),
}


@pytest.mark.parametrize("transform", [srcad.grad, srcad.hessian, srcad.jacfwd])
@pytest.mark.parametrize("pair", PAIRS)
def test_the_mark_makes_no_difference(pair, transform):
    """First derivatives in both modes, and second ones."""
    f, g = PAIRS[pair]
    found, expected = transform(f, **REFERENCE)(0.8), transform(g, **REFERENCE)(0.8)
    np.testing.assert_allclose(found, expected, rtol=1e-11)
