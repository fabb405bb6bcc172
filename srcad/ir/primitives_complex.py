"""The primitives that take complex numbers, and those that make or take them apart.

What each computes stands in ``transforms.complex_ops`` as arithmetic of real pairs; here are the
names and the result types.  A primitive that is not here refuses complex operands
(``primitives_base.real_or_declared``), so nothing written for reals is ever applied to them.
"""

from __future__ import annotations

from collections.abc import Callable

from srcad.ir.primitives_base import (
    COMPLEX,
    OF_PAIRS,
    Primitive,
    always,
    complex_kind,
    joined,
    part_kind,
    real_or_declared,
    second,
)
from srcad.ir.types import B1, C8, C16, F4, Scalar, Type

ANALYTIC = (  # holomorphic: a complex number from complex ones
    *("add", "sub", "mul", "truediv", "neg", "positive", "square", "reciprocal", "pow", "fpow"),
    *("exp", "log", "log2", "log10", "sqrt", "expm1", "log1p", "exp2"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh"),
    *("asin", "acos", "atan", "asinh", "acosh", "atanh"),
)
TESTS = ("eq", "ne", "isnan", "isinf", "isfinite", "b1", "logical_not", "not")


def define_all() -> None:
    """Add them to the tables."""
    for name in ANALYTIC:
        COMPLEX[name] = complex_kind
    for name in TESTS:
        COMPLEX[name] = always(B1)
    for name in ("abs", "real", "imag", "angle"):
        COMPLEX[name] = part_kind
    COMPLEX["conj"] = complex_kind
    COMPLEX["select"] = second
    COMPLEX["c16"], COMPLEX["c8"] = always(C16), always(C8)
    for name in ("real", "imag", "angle", "conj"):
        _of_pairs(name, 1, joined)
    _of_pairs("complex", 2, _from_parts)
    _of_pairs("c16", 1, always(C16))
    _of_pairs("c8", 1, always(C8))


def _of_pairs(name: str, arity: int, real: Callable[..., Scalar]) -> None:
    kind = real_or_declared(name, real)
    OF_PAIRS[name] = Primitive(name, arity, kind, _never, name)


def _from_parts(re: Type, im: Type) -> Scalar:
    return C8 if re == im == F4 else C16


def _never(*args: object) -> object:
    raise AssertionError("complex numbers are pairs of reals before anything is evaluated")
