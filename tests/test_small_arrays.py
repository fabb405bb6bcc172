"""Small arrays as scalars: the same results, and no array where none is needed."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import srcad
from srcad.ir.nodes import Alloc
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.transforms import scalarise
from tests.small_array_programs import program
from tests.test_passes import observe


def arrays(fn):
    """Allocations in a function."""
    return sum(isinstance(s, Alloc) for s in statements(fn.body))


@pytest.mark.parametrize("block", range(4))
def test_random_programs_behave_the_same(block):
    before = after = 0
    for seed in range(block * 50, block * 50 + 50):
        fn, args = program(seed)
        verify(fn)
        less = scalarise.run(fn)
        verify(less)
        assert observe(less, args) == observe(fn, args), seed
        before, after = before + arrays(fn), after + arrays(less)
    assert after < 0.7 * before


def rays(camera, points):
    """A rotation matrix and vectors, in NumPy's way."""
    c, s = math.cos(camera[0]), math.sin(camera[0])
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    total = 0.0
    for k in range(len(points)):
        y = np.zeros(3)
        for i in range(3):
            for j in range(3):
                y[i] += turn[i, j] * (points[k, j] - camera[j])
        total += y[0] / y[2] + y[1] / y[2]
    return total


def springs(start, steps):
    """State vectors that are made anew in every step."""
    p, q = np.array([start[0], start[1]]), np.zeros(2)
    for _ in range(steps):
        q = q - 0.1 * p
        p = p + 0.1 * q
    return np.sum(p * q)


def kept(start, steps):
    """A vector that is written after it was handed on: it must stay an array."""
    p = np.array([start[0], start[1]])
    best = p
    for _ in range(steps):
        p[0] *= 1.5
        if p[0] > 2.0:
            best = p
    return best[0] + p[1]


@pytest.mark.parametrize(
    ("f", "args", "left"),
    [
        (rays, (np.array([0.3, 0.1, 0.2]), np.arange(12.0).reshape(4, 3) + 1), 1),
        (springs, (np.array([1.0, 0.5]), 4), 1),
        (kept, (np.array([1.0, 0.5]), 3), 9),
    ],
)
def test_derivatives(f, args, left):
    """Right, in both modes; no array is left but the result."""
    with srcad.options.using(backend="reference"):
        g = srcad.grad(f)
        step = 1e-6
        unit = np.eye(len(args[0]))
        numeric = [
            (f(args[0] + step * e, *args[1:]) - f(args[0] - step * e, *args[1:])) / (2 * step)
            for e in unit
        ]
        np.testing.assert_allclose(g(*args), numeric, rtol=1e-6)
        np.testing.assert_allclose(srcad.jacfwd(f)(*args), numeric, rtol=1e-6)
    plain = srcad.grad(f, backend="python")  # for the machine loops go in strips, which have rows
    made = re.findall(r"= np\.(empty|zeros)", srcad.source(plain, *args))
    assert len(made) <= left
