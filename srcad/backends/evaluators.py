"""Fast and total versions of the scalar primitives' meaning, for the reference backend.

``evaluator(op, args, result)`` gives a function on Python numbers whose result is a number of
the result's type: float32 rounded (and kept as a Python float), integers of 64 bits, bools.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import Type

LOWEST = -(1 << 63)
_MASK = (1 << 64) - 1


def wrap(n: int) -> int:
    """An integer in 64 bits, two's complement."""
    return n if LOWEST <= n < -LOWEST else ((n - LOWEST) & _MASK) + LOWEST


def round_f4(x: float) -> float:
    """The nearest float32, as a Python float."""
    with np.errstate(over="ignore"):
        return float(np.float32(x))


def to_int(x: float | int) -> int:
    """A number cut to an integer; what the hardware makes of it where it does not fit."""
    if isinstance(x, int):
        return wrap(int(x))
    return int(x) if -9.3e18 < x < 9.2e18 else LOWEST


CASTS: dict[str, Callable[[Any], Any]] = {"f8": float, "f4": round_f4, "i8": to_int, "b1": bool}


def _truediv(a: Any, b: Any) -> float:
    try:
        return float(a / b)
    except ZeroDivisionError:
        a = float(a)
        if a == 0.0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, float(b))
    except OverflowError:  # of integers
        return float(a) / float(b)


def _int_power(a: int, b: int) -> int:
    if b >= 0:
        return wrap(pow(int(a), int(b), 1 << 64))
    return LOWEST if a == 0 else 1 if a == 1 else (1 - 2 * (b % 2) if a == -1 else 0)


def _guarded(fast: Callable[..., float], slow: Callable[..., float]) -> Callable[..., float]:
    """``math``'s function where it does not raise, NumPy's (IEEE results) where it does."""

    def f(*args: Any) -> float:
        try:
            return fast(*args)
        except (ValueError, OverflowError, ZeroDivisionError):
            return slow(*args)

    return f


_INTEGER: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: wrap(a + b),
    "sub": lambda a, b: wrap(a - b),
    "mul": lambda a, b: wrap(a * b),
    "pow": _int_power,
    "lshift": lambda a, b: wrap(a << (b & 63)),
    "rshift": lambda a, b: a >> (b & 63),
}
_FLOAT: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": _truediv,
    "steep_div": _truediv,
    "neg": operator.neg,
    "abs": abs,
    "positive": operator.pos,
    "square": lambda a: a * a,
}
_SAME_IN_MATH = (
    "sqrt",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "atan",
    "atan2",
    "hypot",
    "erf",
    "erfc",
)
for _name in _SAME_IN_MATH:
    _FLOAT[_name] = _guarded(getattr(math, _name), PRIMITIVES[_name].evaluate)
_COMPARISON: dict[str, Callable[..., Any]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}


def evaluator(op: str, args: tuple[Type, ...], result: Type) -> Callable[..., Any]:
    """The meaning of a primitive for operands of the given types."""
    kind = str(result)
    if op in CASTS:
        return CASTS[op]
    if op in _COMPARISON:
        return _COMPARISON[op]
    if kind in ("f8", "f4") and op in _FLOAT:
        f = _FLOAT[op]
        plain = kind == "f8" and all(str(a) in ("f8", "f4") for a in args)
        return f if plain else _casting(f, kind)
    if kind == "i8" and op in _INTEGER:
        return _INTEGER[op]
    return _casting(_total(PRIMITIVES[op].evaluate), kind)


def _total(f: Callable[..., Any]) -> Callable[..., Any]:
    """What does not fit an integer becomes the lowest one, as on x86."""

    def g(*args: Any) -> Any:
        try:
            return f(*args)
        except (OverflowError, ValueError):
            return LOWEST

    return g


def _casting(f: Callable[..., Any], kind: str) -> Callable[..., Any]:
    cast = CASTS[kind]
    return lambda *args: cast(f(*args))
