"""Every function that the compiler lowers itself: value against plain Python, derivatives.

Generated from ``tests.compiled``, which must name every function of the compiler's table.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

import srcad
import srcad.compiler  # fills the tables
from srcad.frontend.calls import full_name
from srcad.frontend.core import CALLS
from srcad.library import LIBRARY
from srcad.rules import FUNCTIONS
from tests.compiled import COMPILED, Case
from tests.sample_checks import Subject, check_first_order, check_second_order, close, joined
from tests.test_library import same

OPTIONS = {"backend": "reference"}
CASES = [
    pytest.param(case, id=f"{full_name(f)}-{k}")
    for f, cases in COMPILED.items()
    for k, case in enumerate(cases)
]


def test_every_function_is_here() -> None:
    """Whatever the compiler lowers itself has programs (not what only the library may call)."""
    public = {f for f in CALLS if not (getattr(f, "__module__", "") or "").startswith("srcad")}
    outside = {f for f in public if (getattr(f, "__module__", "") or "").startswith("numba")}
    assert public - outside - set(LIBRARY) - set(FUNCTIONS) == set(COMPILED)


@pytest.mark.parametrize("case", CASES)
def test_value_and_derivatives(case: Case) -> None:
    """Value, shape and kind; derivatives of first order, of second in all pairs of modes."""
    want = case.f(*copy.deepcopy(case.args))
    got = srcad.differentiable(case.f, **OPTIONS)(*copy.deepcopy(case.args))
    same(got, want, 1e-12 if case.wide is None else 1e-6)
    if case.wide is not None:
        check_as_wide(Subject(case.f, case.args), Subject(case.wide, case.args))
    elif case.smooth:
        subject = Subject(case.f, case.args)
        check_first_order(subject, case.args)
        check_second_order(subject, case.args)
    elif any(isinstance(a, (float, np.ndarray)) for a in case.args) and _has_float(want):
        (cotangent,) = srcad.vjp(case.f, *copy.deepcopy(case.args), **OPTIONS)[1](_ones(got))
        assert not np.any(cotangent)


def check_as_wide(s: Subject, wide: Subject) -> None:
    """Derivatives of first order are those without rounding, to the accuracy of float32."""
    rng = np.random.default_rng(0)
    x = s.leaves(s.args)
    u, w = s.inputs(rng, s.args), s.outputs(rng, s.value(x))
    close("tangents", joined(s.tangent([*x, *u])), joined(wide.tangent([*x, *u])), 1e-6)
    close("cotangents", joined(s.pullback([*x, *w])), joined(wide.pullback([*x, *w])), 1e-6)


def _has_float(out: object) -> bool:
    parts = out if isinstance(out, tuple) else (out,)
    return any(np.asarray(p).dtype.kind == "f" for p in parts)


def _ones(out: object) -> object:
    if isinstance(out, tuple):
        return tuple(map(_ones, out))
    return np.ones(np.shape(out))[()] if np.asarray(out).dtype.kind == "f" else None  # type: ignore[arg-type]


def test_arithmetic_of_bools() -> None:
    """Sums and products of arrays of bools are bools, as NumPy has them; differences are none."""
    a, b = np.array([True, True, False]), np.array([True, False, False])
    for f in (
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: np.sum(a + b),
        lambda a, b: abs(a),
    ):
        same(srcad.differentiable(f, **OPTIONS)(a, b), f(a, b), 0.0)
    with pytest.raises(srcad.TypeMismatch, match="difference of arrays of bools"):
        srcad.differentiable(lambda a, b: a - b, **OPTIONS)(a, b)


def test_integers_stay() -> None:
    """Rounding and ``np.fmod`` of integers give integers."""
    a, b = np.array([7, -7, 5]), np.array([3, 3, -3])
    for f in (lambda a, b: np.round(a), lambda a, b: np.fmod(a, b)):
        same(srcad.differentiable(f, **OPTIONS)(a, b), f(a, b), 0.0)


def test_elements_by_number() -> None:
    """``item`` with one number counts in row-major order."""
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    f = srcad.differentiable(lambda x, k: x.item(k) ** 2, **OPTIONS)
    for k in (0, 4, -1, -6):
        assert f(x, k) == x.item(k) ** 2
        assert srcad.grad(f)(x, k).item(k) == 2 * x.item(k)
    with pytest.raises(IndexError, match="out of bounds"):
        f(x, 6)
