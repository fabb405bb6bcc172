"""The scalar primitives that are functions: elementary, special, rounding, tests, ufuncs.

``math.`` is preferred in templates where Numba supports both spellings: its result types do not
depend on NumPy's one-byte integers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special

from srcad.ir import primitives_special
from srcad.ir.primitives_base import (
    always,
    arith,
    define,
    int_aware,
    keep_int,
    quiet,
    rounded,
    true_float,
    ufunc_float,
    ufunc_joined,
    unless_int,
)
from srcad.ir.types import B1, F4, F8, I8, Scalar, Type


def define_all() -> None:
    """Add every function to the table."""
    _elementary()
    _binary()
    _special()
    primitives_special.define_all()
    _rounding()
    _tests()


def _elementary() -> None:
    for name in (
        "sqrt",
        "exp",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
    ):
        define(
            name,
            1,
            true_float,
            quiet(getattr(np, name)),
            f"math.{name}({{0}})",
            4 if name == "sqrt" else 20,
        )
    for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh"):
        define(name, 1, true_float, quiet(getattr(np, "arc" + name[1:])), f"math.{name}({{0}})", 20)
    define("fabs", 1, true_float, quiet(np.fabs), "math.fabs({0})")
    define("exp2", 1, ufunc_float, quiet(np.exp2), "np.exp2({0})", 20)
    define("cbrt", 1, ufunc_float, quiet(np.cbrt), "np.cbrt({0})", 20)
    define("deg2rad", 1, ufunc_float, quiet(np.deg2rad), "np.deg2rad({0})")
    define("rad2deg", 1, ufunc_float, quiet(np.rad2deg), "np.rad2deg({0})")
    define(
        "reciprocal",
        1,
        arith,
        unless_int(np.reciprocal, lambda a: int(1 / a) if a else 0),
        "np.reciprocal({0})",
        4,
    )


def _binary() -> None:
    define("atan2", 2, true_float, quiet(np.arctan2), "math.atan2({0}, {1})", 20)
    define("hypot", 2, true_float, quiet(np.hypot), "math.hypot({0}, {1})", 8)
    define("copysign", 2, ufunc_float, quiet(np.copysign), "np.copysign({0}, {1})")
    # one operand is a float: Numba's np.fmod of integers is unsigned (0.68)
    define("fmod", 2, ufunc_float, quiet(np.fmod), "np.fmod({0}, {1})", 8)
    # powers that are floats even of integers
    define("fpow", 2, true_float, _power, "math.pow({0}, {1})", 20)
    define("float_power", 2, always(F8), _power, "np.float_power({0}, {1})", 20)
    define("logaddexp", 2, ufunc_float, quiet(np.logaddexp), "np.logaddexp({0}, {1})", 40)
    define("logaddexp2", 2, ufunc_float, quiet(np.logaddexp2), "np.logaddexp2({0}, {1})", 40)
    define("ldexp", 2, lambda x, n: F4 if x == F4 else F8, _ldexp, "math.ldexp({0}, {1})", 4)
    # parts of a complex number to a real power
    for name, f in (("re", "cos"), ("im", "sin")):
        define(
            f"cpow_{name}",
            3,
            lambda x, y, a: true_float(x, y, a) if F4 in (x, y) else F8,
            quiet(_power_part(getattr(np, f))),
            f"math.hypot({{0}}, {{1}}) ** {{2}} * math.{f}({{2}} * math.atan2({{1}}, {{0}}))",
            60,
        )
    # NumPy's extrema: maximum and minimum hand NaN on, fmax and fmin avoid it
    for name in ("maximum", "minimum", "fmax", "fmin"):
        ufunc = getattr(np, name)
        define(
            name,
            2,
            ufunc_joined,
            unless_int(ufunc, max if "max" in name else min),
            f"np.{name}({{0}}, {{1}})",
        )


def _power_part(f: Any) -> Any:
    return lambda x, y, a: np.power(np.hypot(x, y), a) * f(a * np.arctan2(y, x))


def _ldexp(x: float, n: int) -> float:
    return float(np.ldexp(np.float64(x), np.int64(n)))


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # a pole, or beyond the largest float
        return math.inf


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (ValueError, OverflowError):  # NumPy has another value for (-inf) ** 0.5
        return quiet(np.power)(x, y)  # type: ignore[no-any-return]


def _special() -> None:
    define("erf", 1, true_float, quiet(scipy.special.erf), "math.erf({0})", 20)
    define("erfc", 1, true_float, quiet(scipy.special.erfc), "math.erfc({0})", 20)
    define("gamma", 1, true_float, quiet(scipy.special.gamma), "math.gamma({0})", 20)
    define("lgamma", 1, true_float, _lgamma, "math.lgamma({0})", 20)
    define(
        "digamma",
        1,
        always(F8),
        quiet(scipy.special.digamma),
        "srcad_digamma({0})",
        40,
        "srcad_digamma",
    )
    define(
        "polygamma",
        2,
        always(F8),
        quiet(scipy.special.polygamma),
        "srcad_polygamma({0}, {1})",
        60,
        "srcad_polygamma",
    )
    define("sinc", 1, always(F8), quiet(np.sinc), "np.sinc({0})", 20)
    define(
        "heaviside",
        2,
        always(F8),
        quiet(np.heaviside),
        "({1} if {0} == 0 else 0.5 * np.sign({0}) + 0.5)",
        2,
    )


def _same_int(t: Type) -> Scalar:
    return F8 if t == I8 else ufunc_float(t)


def _sign(a: int | float) -> int | float:
    return (a > 0) - (a < 0) if isinstance(a, int) else float(np.sign(a))


def _rounding() -> None:
    for name in ("floor", "ceil", "trunc"):
        define(name, 1, rounded, keep_int(getattr(np, name)), f"np.{name}({{0}})", 2)
    define("ifloor", 1, always(I8), math.floor, "math.floor({0})", 2)
    define("iceil", 1, always(I8), math.ceil, "math.ceil({0})", 2)
    define("rint", 1, _same_int, quiet(np.rint), "np.rint({0})", 2)
    define("iround", 1, always(I8), round, "round({0})", 2)
    define("sign", 1, arith, int_aware(_sign), "np.sign({0})", 2)


def _tests() -> None:
    for name in ("isnan", "isinf", "isfinite"):
        define(name, 1, always(B1), getattr(math, name), f"math.{name}({{0}})")
    define("signbit", 1, always(B1), lambda a: bool(np.signbit(a)), "np.signbit({0})")
    for name, f in [
        ("and", lambda a, b: bool(a) and bool(b)),
        ("or", lambda a, b: bool(a) or bool(b)),
        ("xor", lambda a, b: bool(a) != bool(b)),
    ]:
        define("logical_" + name, 2, always(B1), f, f"np.logical_{name}({{0}}, {{1}})")
    define("logical_not", 1, always(B1), lambda a: not a, "np.logical_not({0})")
    define("gcd", 2, always(I8), math.gcd, "math.gcd({0}, {1})", 20)
    define("lcm", 2, always(I8), int_aware(math.lcm), "np.lcm({0}, {1})", 20)
