"""Results of calls that nobody uses: not computed; what a call does besides stays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import srcad
from srcad.analyses.summaries import reachable
from srcad.compiler import finished
from srcad.ir.nodes import Call, Function
from srcad.ir.walk import statements
from srcad.storage.unused import only_used

REFERENCE: dict[str, Any] = {"backend": "reference", "verify": True}


def simpson(a: float, b: float, k: float, depth: int) -> float:
    m = (a + b) / 2
    if depth == 0:
        return (b - a) / 6 * (math.sin(k * a) + 4 * math.sin(k * m) + math.sin(k * b))
    return simpson(a, m, k, depth - 1) + simpson(m, b, k, depth - 1)


def integral(k: float, depth: int) -> float:
    return simpson(0.0, 1.0, k, depth)


def power(x: float, n: int) -> float:
    """Its value is needed on the way back."""
    return 1.0 if n == 0 else math.sin(power(x, n - 1)) * x


def fill(y: np.ndarray, x: float, n: int) -> float:
    """Writes; its value is not always used."""
    if n == 0:
        return x
    y[n - 1] = x * n
    return fill(y, x * 1.1, n - 1) + y[n - 1]


def filled(x: float) -> float:
    y = np.zeros(3)
    fill(y, x, 3)
    return y[0] * y[1] * y[2]


def positive(x: float, n: int) -> float:
    if x < 0.0:
        raise ValueError("negative")
    return x if n == 0 else positive(x - 1.0, n - 1)


def checked(x: float) -> float:
    positive(x, 2)
    return x * x


def pair(x: float, n: int) -> tuple[float, float]:
    if n == 0:
        return x, x * x
    a, b = pair(x * 0.9, n - 1)
    return a + 0.5 * b, math.sin(b)


def second(x: float) -> float:
    return pair(x, 4)[1]


def called(fn: Function) -> list[str]:
    family = (fn, *reachable(fn).values())
    return [s.fn for f in family for s in statements(f.body) if isinstance(s, Call)]


def final(g: Any, *args: Any) -> Function:
    bound = g.bind(args, {})
    return finished(g.program(g.specs(bound)))


@pytest.mark.parametrize("transform", [srcad.grad, srcad.value_and_grad])
def test_sums_of_calls(transform: Any) -> None:
    """One run of a recursion that is linear in its calls, and one for the value."""
    g = transform(integral, **REFERENCE)
    names = called(final(g, 3.0, 4))
    assert names.count("simpson") == 3 * (transform is srcad.value_and_grad)
    want = (integral(3.0 + 1e-6, 4) - integral(3.0 - 1e-6, 4)) / 2e-6
    got = g(3.0, 4)
    if transform is srcad.value_and_grad:
        assert got[0] == integral(3.0, 4)
        got = got[1]
    assert got == pytest.approx(want, rel=1e-8)
    h = srcad.grad(srcad.grad(integral, **REFERENCE))(3.0, 2)
    want = (srcad.grad(integral)(3.0 + 1e-5, 2) - srcad.grad(integral)(3.0 - 1e-5, 2)) / 2e-5
    assert h == pytest.approx(want, rel=1e-6)


def test_one_of_several_results() -> None:
    """The first result is of no use."""
    f = srcad.differentiable(second, **REFERENCE)
    fn = final(f, 0.7)
    assert [len(fn.callees[n].body.yields) for n in {*called(fn)}] == [1]
    assert f(0.7) == second(0.7)
    want = (second(0.7 + 1e-6) - second(0.7 - 1e-6)) / 2e-6
    assert f.grad(0.7) == pytest.approx(want, rel=1e-8)


def test_values_that_are_needed() -> None:
    """A product of calls needs them, and so does the user."""
    g = srcad.grad(power, **REFERENCE)
    assert "power" in called(final(g, 0.7, 5))
    assert g(0.7, 5) == pytest.approx(
        (power(0.7 + 1e-6, 5) - power(0.7 - 1e-6, 5)) / 2e-6, rel=1e-8
    )
    f = srcad.differentiable(power, **REFERENCE)
    assert f(0.7, 5) == power(0.7, 5)


def test_what_calls_do() -> None:
    """Arrays are written and errors raised, whether the result is used or not."""
    for f in (filled, checked):
        g = srcad.grad(f, **REFERENCE)
        assert srcad.differentiable(f, **REFERENCE)(3.0) == f(3.0)
        assert g(3.0) == pytest.approx((f(3.0 + 1e-6) - f(3.0 - 1e-6)) / 2e-6, rel=1e-7)
    for g in (srcad.grad(checked, **REFERENCE), srcad.differentiable(checked, **REFERENCE)):
        with pytest.raises(ValueError, match="negative"):
            g(1.5)


def test_nothing_to_do() -> None:
    """Programs without calls are the same objects."""
    fn = final(srcad.grad(square, **REFERENCE), 2.0)
    assert only_used(fn) is fn


def square(x: float) -> float:
    return x * x
