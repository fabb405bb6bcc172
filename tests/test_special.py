"""The special functions that generated code carries with it, against mpmath."""

from __future__ import annotations

import inspect
import math
import random
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numba as nb
import pytest

from srcad.ir.primitives import PRIMITIVES
from srcad.runtime import RUNTIME_HELPERS
from srcad.runtime.special import srcad_digamma, srcad_polygamma

ROOT = 1.4616321449683623  # digamma's positive root


def test_digamma_is_accurate() -> None:
    """Relative accuracy 1e-14 for positive arguments, at the root as well."""
    rnd = random.Random(1)
    xs = [rnd.uniform(1e-3, 30) for _ in range(300)]
    with mpmath.workdps(40):
        for x in [*xs, ROOT, 1.4616, 1.0, 2.0, 9.9999, 10.0, 1e10, 1e-300]:
            exact = mpmath.digamma(mpmath.mpf(x))
            assert abs(srcad_digamma(x) - exact) <= 1e-14 * abs(exact), x
        for x in [-1e-20, -0.3, -0.5, -0.75, -3.3, -17.25, -9.999]:
            exact = mpmath.digamma(mpmath.mpf(x))
            assert abs(srcad_digamma(x) - exact) <= 1e-12 * abs(exact), x


@pytest.mark.parametrize("n", [1, 2, 3, 6, 10])
def test_polygamma_is_accurate(n: int) -> None:
    """Relative accuracy 1e-13, also left of zero."""
    rnd = random.Random(n)
    xs = [rnd.uniform(1e-3, 40) for _ in range(60)] + [-0.5, -3.3, -7.75]
    with mpmath.workdps(40):
        for x in xs:
            exact = mpmath.polygamma(n, mpmath.mpf(x))
            assert abs(srcad_polygamma(n, x) - exact) <= 1e-13 * abs(exact), x


def test_poles_and_infinities() -> None:
    """What the docstrings say."""
    assert math.isnan(srcad_digamma(0.0)) and math.isnan(srcad_digamma(-3.0))
    assert srcad_digamma(math.inf) == math.inf and math.isnan(srcad_digamma(-math.inf))
    assert srcad_polygamma(1, 0.0) == math.inf and srcad_polygamma(2, -1.0) == -math.inf
    assert srcad_polygamma(1, math.inf) == 0.0 and math.isnan(srcad_polygamma(0, 1.0))
    assert math.isnan(srcad_polygamma(1, -1e7)) and math.isnan(srcad_polygamma(1, math.nan))


@pytest.mark.parametrize("name", RUNTIME_HELPERS)
def test_helpers_are_self_contained(name: str) -> None:
    """The source compiles with nothing but ``math`` around it, and primitives name it."""
    scope: dict[str, Any] = {"math": math}
    exec("from __future__ import annotations\n" + inspect.getsource(RUNTIME_HELPERS[name]), scope)
    arguments = (2, 0.75) if name == "srcad_polygamma" else (0.75,)
    assert nb.njit(scope[name])(*arguments) == pytest.approx(
        RUNTIME_HELPERS[name](*arguments), rel=1e-14
    )
    assert [p for p in PRIMITIVES.values() if p.helper == name and name in p.template]
