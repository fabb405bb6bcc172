"""Elementwise functions at zeros of either sign, ends of domains, infinities and NaN.

Values are NumPy's or SciPy's; both modes give the same derivative; zero cotangents and tangents
give zero wherever operands are finite.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import srcad
from tests import elementwise
from tests.elementwise import Layout, Row
from tests.test_elementwise import directional, evaluate

OPTIONS = {"backend": "reference"}
FINITE = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5)
POINTS = (*FINITE, math.inf, -math.inf, math.nan)
# values next to poles, where SciPy's sign and NaN follow no rule (tests/test_special.py)
OTHERWISE = {"beta", "betaln"}
UNSIGNED = {"minimum", "maximum", "fmin", "fmax"}  # of zeros NumPy gives either


def rows(arity: int) -> list[Row]:
    """The functions for arrays with a derivative."""
    found = elementwise.rows(arrays=True, aliases=False)
    return [r for r in found if max(len(r.domain), 1) == arity and r.name != "select"]


def grid(arity: int, points: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """All operands, for each function the same."""
    n = len(rows(arity))
    pairs = np.array(list(itertools.product(points, repeat=arity)))
    both = (pairs[:, 0], pairs[:, -1])
    return np.tile(both[0], (n, 1)), np.tile(both[1], (n, 1))


def program(arity: int, points: tuple[float, ...]) -> Any:
    """All functions on vectors of these operands."""
    layout = Layout(f"special {arity} {len(points)}", (len(points) ** arity,))
    return elementwise.program(rows(arity), layout, layout)


@pytest.mark.parametrize("arity", [1, 2])
def test_values(arity: int) -> None:
    """What NumPy gives, with the sign of zeros; what SciPy gives, up to rounding."""
    f, (x, y) = program(arity, POINTS), grid(arity, POINTS)
    found = srcad.differentiable(f, **OPTIONS)(x, y)
    for r, a, b in zip(rows(arity), found, evaluate(f, x, y), strict=True):
        if r.name in OTHERWISE:
            continue
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-300, err_msg=r.name)
        if r.name in UNSIGNED:
            continue
        if "scipy" not in str(r.f) and r.f.__class__ is np.ufunc and hasattr(np, r.f.__name__):
            zeros = (b == 0) & (a == 0)
            assert np.array_equal(np.signbit(a[zeros]), np.signbit(b[zeros])), r.name


@pytest.mark.parametrize("arity", [1, 2])
def test_zeros_and_modes(arity: int) -> None:
    """Zero gives zero in both modes, and these agree, at all finite operands."""
    f, (x, y) = program(arity, FINITE), grid(arity, FINITE)
    values, pullback = srcad.vjp(f, x, y, **OPTIONS)
    zero = pullback(tuple(np.zeros_like(v) for v in values))
    one = pullback(tuple(np.ones_like(v) for v in values))
    _, still = srcad.jvp(f, (x, y), (np.zeros_like(x), np.zeros_like(y)), **OPTIONS)
    for i, r in enumerate(rows(arity)):
        assert not np.any(zero[0][i]) and not np.any(zero[1][i]), r.name
        assert not np.any(still[i]), r.name
    for k in range(arity):
        for r, a, b in zip(rows(arity), one[k], directional(f, x, y, k), strict=True):
            np.testing.assert_array_equal(a, b, err_msg=r.name)
