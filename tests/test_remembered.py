"""Recursions in reverse with a record of calls: the same bits as without, in linear time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcad
from srcad.analyses.summaries import reachable
from srcad.backends.reference import run
from srcad.compiler import finished
from srcad.ir.nodes import Function
from srcad.storage import frames, remembered

REFERENCE: dict[str, Any] = {"backend": "reference", "verify": True}


def chain(x: np.ndarray, i: int) -> float:
    return x[0] if i == 0 else math.sin(chain(x, i - 1)) * x[i] + 0.1 * x[i]


def chained(x: np.ndarray) -> float:
    return chain(x, len(x) - 1)


def product(x: np.ndarray, low: int, high: int) -> float:
    if high - low == 1:
        return x[low]
    middle = (low + high) // 2
    return product(x, low, middle) * product(x, middle, high)


def products(x: np.ndarray) -> float:
    return product(x, 0, len(x))


def fib(x: float, n: int) -> float:
    """Calls with the same arguments again and again."""
    if n < 2:
        return x * (n + 1)
    return math.sin(fib(x, n - 1)) + 0.5 * fib(x, n - 2) * x


def even(x: float, n: int) -> float:
    return x if n == 0 else odd(x, n - 1) * 1.01


def odd(x: float, n: int) -> float:
    return x * x if n == 0 else math.sin(even(x, n - 1)) + x


def minor(a: np.ndarray, row: int, used: int) -> float:
    """Calls in a loop, some left out."""
    total, sign = 0.0, 1.0
    for j in range(len(a)):
        if used & (1 << j) == 0:
            below = 1.0
            if row + 1 < len(a):
                below = minor(a, row + 1, used | (1 << j))
            total += sign * a[row, j] * below
            sign = -sign
    return total


def determinant(a: np.ndarray) -> float:
    return minor(a, 0, 0)


def several(x: float, y: float, up: bool, n: int) -> tuple[float, int, bool]:
    """Numbers of all kinds, in and out; what is called depends on results."""
    if n == 0:
        return x * y, 1, x > y
    a, k, b = several(x * 0.9, y + 0.1, not up, n - 1)
    if b and up:
        a, m, b = several(a, y, up, n // 2)
        k += m
    return math.tanh(a) * x + k * y, k + 1, b


def mixed(x: float, y: float, n: int) -> float:
    a, k, b = several(x, y, True, n)
    return a * k if b else a - k * x


def steps(x: float, n: int) -> float:
    """Calls in a loop of unknown length, and none in some activations."""
    total, k = x, n
    while k > 0:
        k //= 2
        total = math.cos(total * steps(x * 1.1, k)) + x
    return total


def inverse(x: float, n: int) -> float:
    """Zero and minus zero are different arguments."""
    if n == 0:
        return math.atan(1.0 / x) if x != 0.0 else math.copysign(1.5, x)
    return inverse(x * 0.0, n - 1) * inverse(x * -0.0, n - 1) * x + inverse(x, n - 1)


def fraction(x: np.ndarray, i: int) -> float:
    """Checks: of the reverse version they are left out."""
    return x[i] + (1.0 / fraction(x, i + 1) if i + 1 < len(x) else 0.0)


def continued(x: np.ndarray) -> float:
    return fraction(x, 0)


def held(x: np.ndarray, n: int) -> float:
    """Each level has an array of its own: not recorded."""
    if n == 0:
        return np.sum(x * x)
    y = np.sin(x)
    return held(y, n - 1) * held(x, n - 1) + y[0]


X = np.linspace(0.7, 1.3, 7)
A = np.array([[1.0, 0.3, 2.0], [0.5, -1.0, 0.7], [0.2, 0.9, 1.5]])
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...], bool]] = {
    "chain": (chained, (X,), True),
    "products": (products, (X,), True),
    "fib": (fib, (0.7, 6), True),
    "mutual": (even, (0.7, 5), True),
    "minors": (determinant, (A,), True),
    "mixed": (mixed, (0.8, 0.3, 5), True),
    "steps": (steps, (0.4, 6), True),
    "inverse": (inverse, (0.5, 2), True),
    "continued": (continued, (X,), True),
    "held": (held, (X, 3), False),
}


def set_to(monkeypatch: Any, levels: int, full: int | None = None) -> None:
    """From which depth on calls are recorded, and how many numbers."""
    monkeypatch.setattr(remembered, "worth", lambda fn: levels)
    if full is not None:
        monkeypatch.setattr(frames, "FULL", full)
        monkeypatch.setattr(remembered, "ROOM", full + 200)


def final(g: Any, *args: Any) -> Function:
    return finished(g.program(g.specs(g.bind(args, {}))))


def fires(fn: Function) -> bool:
    return any(name.endswith("_shared") for name in reachable(fn))


@pytest.mark.parametrize("name", CASES)
def test_same_bits(name: str, monkeypatch: Any) -> None:
    """Recorded, not recorded, recorded in part: the same; and right."""
    f, args, expected = CASES[name]
    set_to(monkeypatch, 1 << 30)
    plain = srcad.value_and_grad(f, **REFERENCE)(*args)
    assert plain[0] == f(*args)
    x, e = np.asarray(args[0]), 1e-6
    along = np.cos(np.arange(x.size, dtype=float)).reshape(x.shape)
    up, down = (
        f(type(args[0])(x + s * e * along) if x.ndim == 0 else x + s * e * along, *args[1:])
        for s in (1, -1)
    )
    assert np.sum(plain[1] * along) == pytest.approx((up - down) / (2 * e), rel=1e-6, abs=1e-8)
    for full in (None, 300, 60, 20, 0):
        set_to(monkeypatch, 0, full)
        g = srcad.value_and_grad(f, **REFERENCE)
        assert fires(final(g, *args)) == expected
        value, gradient = g(*args)
        assert value == plain[0]
        np.testing.assert_array_equal(gradient, plain[1])


@pytest.mark.parametrize("name", ["chain", "products", "mutual"])
def test_higher_orders(name: str, monkeypatch: Any) -> None:
    """Derivatives of derivatives are made before calls are recorded."""
    f, args, _ = CASES[name]
    args = (args[0][:4],) if len(args) == 1 else (args[0], 3)
    found = []
    for levels in (1 << 30, 0):
        set_to(monkeypatch, levels)
        found.append(srcad.hessian(f, **REFERENCE)(*args))
        found.append(srcad.jacrev(srcad.grad(f, **REFERENCE))(*args))
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], found[3])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-10, atol=1e-12)


def test_linear(monkeypatch: Any) -> None:
    """Twice as deep, about twice the calls; without a record four times."""

    def calls(n: int) -> int:
        count = [0]

        def observe(*_: Any) -> None:
            count[0] += 1

        x = np.linspace(0.5, 1.5, n)
        run(final(srcad.grad(chained, **REFERENCE), x), (x,), observe=observe)
        return count[0]

    set_to(monkeypatch, 1 << 30)
    assert calls(40) > 3.5 * calls(20)
    set_to(monkeypatch, 0)
    assert calls(40) < 2.3 * calls(20)


def test_depth() -> None:
    """Calls are recorded where a recursion is deep; a large function sooner."""
    fn = final(srcad.grad(chained, **REFERENCE), X)
    assert remembered.worth(fn.callees["chain"]) == remembered.DEEP
    small = final(srcad.grad(products, **REFERENCE), X)
    assert remembered.worth(small.callees["product"]) == remembered.DEEP
    large = final(srcad.grad(worker, **REFERENCE), 0.5, 3)
    assert remembered.worth(large.callees["worker"]) == remembered.SHALLOW


def worker(x: float, n: int) -> float:
    if n == 0:
        return x
    s = worker(x, n - 1)
    for i in range(100):
        s += math.sin(s * x) * math.exp(-s) * (i + 1.0) + math.log(2.0 + s * s)
    return s


def test_compiled() -> None:
    """A deep recursion, compiled: the record, and its end."""
    x = np.linspace(0.5, 1.5, 200)
    g = srcad.grad(chained)
    want = srcad.grad(looped, **REFERENCE)(x)
    for _ in range(2):
        np.testing.assert_allclose(g(x), want, rtol=1e-9)
    np.testing.assert_allclose(g(x[:5]), srcad.grad(looped, **REFERENCE)(x[:5]), rtol=1e-12)


def looped(x: np.ndarray) -> float:
    s = x[0]
    for i in range(1, len(x)):
        s = math.sin(s) * x[i] + 0.1 * x[i]
    return s
