"""The table of ``docs/conventions.md``, line by line: derivatives at kinks and singular points."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special

import srcad

OPTIONS = {"backend": "reference"}
TEXT = (Path(__file__).resolve().parents[1] / "docs" / "conventions.md").read_text()
ROWS = re.findall(r"^\| `(.*)` \| `(.*)` \| `(.*)` \|$", TEXT, re.MULTILINE)


def norm_or_zero(v):
    n = np.sqrt(v[0] ** 2 + v[1] ** 2)
    return np.where(n > 0, v / n, 0.0).sum()


def through_storage(v):
    q = np.empty(len(v))
    for i in range(len(v)):
        q[i] = v[i] * np.log(v[i])
    return np.where(v > 0, q, 0.0).sum()


PROGRAMS: dict[str, Callable[..., Any]] = {
    "max(x, y)": lambda x, y: max(x, y),
    "min(x, y)": lambda x, y: min(x, y),
    "np.maximum(x, y)": lambda x, y: np.maximum(x, y),
    "np.minimum(x, y)": lambda x, y: np.minimum(x, y),
    "np.fmax(x, y)": lambda x, y: np.fmax(x, y),
    "max(x, 0.0)": lambda x: max(x, 0.0),
    "max(0.0, x)": lambda x: max(0.0, x),
    "np.max(v)": lambda v: np.max(v),
    "np.min(v)": lambda v: np.min(v),
    "v.max(axis=0).sum()": lambda v: v.max(axis=0).sum(),
    "np.clip(x, lo, hi)": lambda x, lo, hi: np.clip(x, lo, hi),
    "np.sort(v) @ [1, 2, 3]": lambda v: np.sort(v) @ np.array([1.0, 2.0, 3.0]),
    "np.median(v)": lambda v: np.median(v),
    "x * x if x > 0 else -x": lambda x: x * x if x > 0 else -x,
    "abs(x)": lambda x: abs(x),
    "np.copysign(x, y)": lambda x, y: np.copysign(x, y),
    "np.sign(x) * x": lambda x: np.sign(x) * x,
    "np.floor(x)": lambda x: np.floor(x),
    "np.heaviside(x, h)": lambda x, h: np.heaviside(x, h),
    "x % y": lambda x, y: x % y,
    "np.fmod(x, y)": lambda x, y: np.fmod(x, y),
    "np.linalg.norm(v)": lambda v: np.linalg.norm(v),
    "np.linalg.norm(v, 1)": lambda v: np.linalg.norm(v, 1),
    "np.linalg.norm(v, 3)": lambda v: np.linalg.norm(v, 3),
    "np.linalg.norm(v, np.inf)": lambda v: np.linalg.norm(v, np.inf),
    "np.std(v)": lambda v: np.std(v),
    "np.nanstd(v)": lambda v: np.nanstd(v),
    "np.hypot(x, y)": lambda x, y: np.hypot(x, y),
    "np.arctan2(x, y)": lambda x, y: np.arctan2(x, y),
    "math.dist(p, q)": lambda p, q: math.dist(p, q),
    "scipy.special.i0e(x)": lambda x: scipy.special.i0e(x),
    "np.sqrt(x)": lambda x: np.sqrt(x),
    "np.cbrt(x)": lambda x: np.cbrt(x),
    "np.log(x)": lambda x: np.log(x),
    "np.arcsin(x)": lambda x: np.arcsin(x),
    "np.arccos(x)": lambda x: np.arccos(x),
    "np.arctanh(x)": lambda x: np.arctanh(x),
    "x**y": lambda x, y: x**y,
    "x**0.5": lambda x: x**0.5,
    "x**0": lambda x: x**0,
    "x**1": lambda x: x**1,
    "scipy.special.xlogy(x, y)": lambda x, y: scipy.special.xlogy(x, y),
    "scipy.special.entr(x)": lambda x: scipy.special.entr(x),
    "scipy.special.rel_entr(x, y)": lambda x, y: scipy.special.rel_entr(x, y),
    "scipy.special.kl_div(x, y)": lambda x, y: scipy.special.kl_div(x, y),
    "np.reciprocal(x)": lambda x: np.reciprocal(x),
    "scipy.special.ndtri(x)": lambda x: scipy.special.ndtri(x),
    "scipy.special.erfinv(x)": lambda x: scipy.special.erfinv(x),
    "scipy.special.logit(x)": lambda x: scipy.special.logit(x),
    "0.0 * np.sqrt(x * x)": lambda x: 0.0 * np.sqrt(x * x),
    "(0.0 * (1 / v)).sum()": lambda v: (0.0 * (1 / v)).sum(),
    "0.0 * np.sqrt(x)": lambda x: 0.0 * np.sqrt(x),
    "0.0 * np.log(x)": lambda x: 0.0 * np.log(x),
    "np.where(x > 0, np.sqrt(x), 0.5)": lambda x: np.where(x > 0, np.sqrt(x), 0.5),
    "np.where(x > 0, x * np.log(x), 0.0)": lambda x: np.where(x > 0, x * np.log(x), 0.0),
    "np.where(v != 0, np.sin(v) / v, 1.0).sum()": lambda v: np.where(
        v != 0, np.sin(v) / v, 1.0
    ).sum(),
    "np.where(v > 0, 1 / v, 0.0).sum()": lambda v: np.where(v > 0, 1 / v, 0.0).sum(),
    "np.where(n > 0, v / n, 0.0).sum()": norm_or_zero,
    "np.where(v > 0, q, 0.0).sum()": through_storage,
}


def numbers(text: str) -> tuple[Any, ...]:
    """What a cell of the table says: floats, and lists as arrays, one per argument."""
    names = {"inf": math.inf, "nan": math.nan}
    value = eval(compile(ast.parse(text, mode="eval"), "table", "eval"), {}, names)
    items = value if isinstance(value, tuple) else (value,)
    return tuple(np.array(x, dtype=float) if isinstance(x, list) else float(x) for x in items)


def close(found: Any, expected: Any) -> None:
    """Equal, shape and signs of infinities included."""
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("function", "at", "derivative"), ROWS)
def test_first_order(function: str, at: str, derivative: str) -> None:
    """Both modes give what the table says."""
    arguments, expected = numbers(at), numbers(derivative)
    every = tuple(range(len(arguments)))
    for transform in (srcad.grad, srcad.jacfwd):
        found = transform(PROGRAMS[function], argnums=every, **OPTIONS)(*arguments)
        for f, e in zip(found, expected, strict=True):
            close(f, e)


WHERE = [pytest.param(f, a, id=f) for f, a, _ in ROWS if "np.where" in f or "0.0 *" in f]


@pytest.mark.parametrize(("function", "at"), WHERE)
def test_second_order(function: str, at: str) -> None:
    """Zero times infinity is zero in all four pairs of modes."""
    for inner in (srcad.grad, srcad.jacfwd):
        for outer in (srcad.jacrev, srcad.jacfwd):
            transform = outer(inner(PROGRAMS[function], **OPTIONS), **OPTIONS)
            assert not np.any(transform(*numbers(at))), (inner.__name__, outer.__name__)


def test_the_table_is_complete() -> None:
    """Every line is tested, every program is in the table."""
    assert {f for f, _, _ in ROWS} == set(PROGRAMS)
    assert len(ROWS) == sum(line.startswith("| `") for line in TEXT.splitlines())


# functions of a vector at points where a slope is infinite or NaN, or an operand of 0/0
SINGULAR: list[tuple[Callable[..., Any], Any]] = [
    (lambda v: (np.sqrt(v), np.sqrt(v * v), np.cbrt(v), np.sqrt(np.sum(v * v))), [0, 0]),
    (lambda v: (np.log(v), np.log2(v), np.log10(v), np.log1p(v - 1)), [0, 0]),
    (lambda v: (1 / v, v / v, np.divide(v, v), np.reciprocal(v), np.nan_to_num(1 / v)), [0, 0]),
    (lambda v: (v / np.linalg.norm(v), v / np.sqrt(np.sum(v * v)), np.exp(-1 / v)), [0, 0]),
    (lambda v: (v % v, np.mod(v, v), np.fmod(v, v), np.floor_divide(v, v)), [0, 0]),
    (lambda v: (v**0.5, v**v, v**-1.0, v**-1, np.float_power(v, 0.3), np.power(v, -v)), [0, 0]),
    (lambda v: (np.hypot(v, v), np.arctan2(v, v), math.dist(v, v)), [0, 0]),
    (lambda v: (np.arcsin(v), np.arccos(v), np.arctanh(v), np.arccosh(v)), [1, 1]),
    (lambda v: (np.linalg.norm(v), np.linalg.norm(v, 1), np.linalg.norm(v, 0.5)), [0, 0]),
    (lambda v: (np.linalg.norm(v, 3), np.linalg.norm(v, -1), np.linalg.norm(v, -np.inf)), [0, 0]),
    (lambda v: (np.std(v), v.std(), np.nanstd(v), np.std(v, ddof=2), np.var(v, ddof=2)), [2, 2]),
    (lambda v: (np.linalg.norm(v), np.linalg.norm(v, 2), np.linalg.norm(v, "nuc")), [[0, 0]] * 2),
    (lambda v: (scipy.special.gamma(v), scipy.special.gammaln(v), scipy.special.psi(v)), [0, -1]),
    (lambda v: (scipy.special.beta(v, v), scipy.special.betaln(v, 1 + v)), [0, 0]),
    (lambda v: (scipy.special.xlogy(v, v), scipy.special.entr(v), scipy.special.logit(v)), [0, 0]),
    (lambda v: (scipy.special.rel_entr(v, v), scipy.special.kl_div(v, v)), [0, 0]),
    (lambda v: (scipy.special.ndtri(v), scipy.special.erfcinv(v)), [0, 0]),
    (lambda v: (scipy.special.logsumexp(v), np.logaddexp(v, v)), [-math.inf, -math.inf]),
    (lambda v: (np.prod(v), np.cumprod(v), np.mean(v[:0]), np.where(v > 0, v / v, v)), [0, 0]),
]


def like(out: Any, number: float) -> Any:
    """A number in the structure of a result."""
    if isinstance(out, tuple):
        return tuple(like(x, number) for x in out)
    return np.full(np.shape(out), number)[()]


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("k", range(len(SINGULAR)))
def test_zero_yields_zero(k: int) -> None:
    """Zero cotangents and zero tangents give zero."""
    f, at = SINGULAR[k]
    v = np.array(at, dtype=float)
    out, pullback = srcad.vjp(f, v, **OPTIONS)
    (cotangent,) = pullback(like(out, 0.0))
    _, tangents = srcad.jvp(f, (v,), (np.zeros_like(v),), **OPTIONS)
    assert not np.any(cotangent)
    assert not any(np.any(t) for t in tangents)


def test_infinite_cotangents_are_not_taken_out() -> None:
    """What the last paragraph of the page says."""
    f = lambda x: np.sqrt(x * x)  # noqa: E731
    assert math.isnan(srcad.grad(f, **OPTIONS)(0.0)) and srcad.jacfwd(f, **OPTIONS)(0.0) == 0.0


@pytest.mark.parametrize("f", [lambda a: np.linalg.det(a), lambda a: np.linalg.slogdet(a)[1]])
def test_singular_matrices_are_refused(f: Callable[..., Any]) -> None:
    """By both modes, when the derivative is computed; the value is NumPy's."""
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert srcad.differentiable(f, **OPTIONS)(a) == f(a)
    for transform in (srcad.grad, srcad.jacfwd):
        with pytest.raises(np.linalg.LinAlgError, match=r"[Ss]ingular"):
            transform(f, **OPTIONS)(a)
