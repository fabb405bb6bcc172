"""The primitives that take complex numbers, and those that make or take them apart.

What each computes stands in ``transforms.complex_ops`` as arithmetic of real pairs; here are the
names and the result types.  A primitive that is not here refuses complex operands
(``primitives_base.real_or_declared``), so nothing written for reals is ever applied to them.
"""

from __future__ import annotations

from srcad.ir.primitives_base import (
    COMPLEX,
    always,
    complex_kind,
    define,
    joined,
    part_kind,
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
        define(name, 1, joined, _never, f"{name}({{0}})")
    define("complex", 2, _from_parts, _never, "complex({0}, {1})")
    define("c16", 1, always(C16), _never, "np.complex128({0})")
    define("c8", 1, always(C8), _never, "np.complex64({0})")


def _from_parts(re: Type, im: Type) -> Scalar:
    return C8 if re == im == F4 else C16


def _never(*args: object) -> object:
    raise AssertionError("complex numbers are pairs of reals before anything is evaluated")
