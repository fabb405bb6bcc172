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


WHERE = [pytest.param(f, a, id=f) for f, a, _ in ROWS if "np.where" in f or f.startswith("0.0 *")]


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
