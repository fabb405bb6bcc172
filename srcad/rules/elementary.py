"""Derivatives of the elementary functions: roots, exponentials, logarithms, trigonometry.

Formulas reuse the result where that saves a transcendental function.  Functions whose slope is
infinite at an end of their domain are guarded: a zero cotangent stays zero there.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
import sys

import numpy as np
import scipy.special

from srcad.rules.declare import scalar_rule
from srcad.rules.expr import cos, cosh, exp, expit, hypot, sin, sinh, sqrt, steep_div, where

LN2, LN10 = math.log(2), math.log(10)


@scalar_rule("sqrt", math.sqrt, np.sqrt, domain=(0.1, 9), guard=True)
def square_root(x, out):
    """d sqrt(x) = dx / (2 sqrt(x)); inf at 0."""
    return steep_div(0.5, out)


@scalar_rule(
    "cbrt",
    *([math.cbrt] if sys.version_info >= (3, 11) else []),
    np.cbrt,
    scipy.special.cbrt,
    domain=(0.1, 9),
    guard=True,
)
def cube_root(x, out):
    """d cbrt(x) = dx / (3 cbrt(x)^2); inf at 0."""
    return steep_div(1, 3 * (out * out))


@scalar_rule("exp", math.exp, np.exp)
def exponential(x, out):
    """d e^x = e^x dx."""
    return out


@scalar_rule(
    "exp2", *([math.exp2] if sys.version_info >= (3, 11) else []), np.exp2, scipy.special.exp2
)
def exponential2(x, out):
    """d 2^x = 2^x log(2) dx."""
    return LN2 * out


@scalar_rule("expm1", math.expm1, np.expm1, scipy.special.expm1)
def exponential_minus_1(x):
    """d(e^x - 1) = e^x dx (1 + the result has no correct digit for x < -37)."""
    return exp(x)


@scalar_rule("log", math.log, np.log, domain=(0.1, 9), guard=True)
def logarithm(x):
    """d log(x) = dx / x."""
    return steep_div(1, x)


@scalar_rule("log2", math.log2, np.log2, domain=(0.1, 9), guard=True)
def logarithm2(x):
    """d log2(x) = dx / (x log(2))."""
    return steep_div(1 / LN2, x)


@scalar_rule("log10", math.log10, np.log10, domain=(0.1, 9), guard=True)
def logarithm10(x):
    """d log10(x) = dx / (x log(10))."""
    return steep_div(1 / LN10, x)


@scalar_rule("log1p", math.log1p, np.log1p, scipy.special.log1p, domain=(-0.9, 9), guard=True)
def logarithm_of_1_plus(x):
    """d log(1 + x) = dx / (1 + x)."""
    return steep_div(1, 1 + x)


@scalar_rule("logaddexp", np.logaddexp, guard=True)
def log_add_exp(x, y):
    """d log(e^x + e^y) = (e^x dx + e^y dy) / (e^x + e^y); NaN where both are infinite."""
    return expit(x - y), expit(y - x)


@scalar_rule("logaddexp2", np.logaddexp2, guard=True)
def log_add_exp2(x, y):
    """d log2(2^x + 2^y) = (2^x dx + 2^y dy) / (2^x + 2^y); NaN where both are infinite."""
    return expit(LN2 * (x - y)), expit(LN2 * (y - x))


@scalar_rule("sin", math.sin, np.sin)
def sine(x):
    """d sin = cos."""
    return cos(x)


@scalar_rule("cos", math.cos, np.cos)
def cosine(x):
    """d cos = -sin."""
    return -sin(x)


@scalar_rule("tan", math.tan, np.tan, domain=(-1.4, 1.4))
def tangent(x, out):
    """d tan = 1 + tan^2."""
    return 1 + out * out


@scalar_rule("asin", math.asin, np.arcsin, domain=(-0.95, 0.95), guard=True)
def arc_sine(x):
    """d asin = 1 / sqrt(1 - x^2); inf at the ends."""
    return steep_div(1, sqrt((1 - x) * (1 + x)))


@scalar_rule("acos", math.acos, np.arccos, domain=(-0.95, 0.95), guard=True)
def arc_cosine(x):
    """d acos = -1 / sqrt(1 - x^2); -inf at the ends."""
    return steep_div(-1, sqrt((1 - x) * (1 + x)))


@scalar_rule("atan", math.atan, np.arctan)
def arc_tangent(x):
    """d atan = 1 / (1 + x^2)."""
    return 1 / (1 + x * x)


@scalar_rule("atan2", math.atan2, np.arctan2)
def arc_tangent2(y, x):
    """d atan2(y, x) = (x dy - y dx) / (x^2 + y^2); 0 at the origin.

    Divided twice by the radius: its square is zero, or infinite, where it is not itself.
    """
    radius = hypot(x, y)
    zero = radius == 0
    divisor = where(zero, 1, radius)
    return where(zero, 0, x / divisor / divisor), where(zero, 0, -(y / divisor / divisor))


@scalar_rule("hypot", math.hypot, np.hypot)
def hypotenuse(x, y, out):
    """d sqrt(x^2 + y^2) = (x dx + y dy) / sqrt(x^2 + y^2); 0 at the origin (a subgradient)."""
    zero = out == 0
    divisor = where(zero, 1, out)
    return where(zero, 0, x / divisor), where(zero, 0, y / divisor)


@scalar_rule("sinh", math.sinh, np.sinh)
def hyperbolic_sine(x):
    """d sinh = cosh."""
    return cosh(x)


@scalar_rule("cosh", math.cosh, np.cosh)
def hyperbolic_cosine(x):
    """d cosh = sinh."""
    return sinh(x)


@scalar_rule("tanh", math.tanh, np.tanh)
def hyperbolic_tangent(x, out):
    """d tanh = 1 - tanh^2, of the result, which costs no exponential; absolute accuracy only."""
    return 1 - out * out


@scalar_rule("asinh", math.asinh, np.arcsinh)
def area_sine(x):
    """d asinh = 1 / sqrt(1 + x^2)."""
    return 1 / hypot(1, x)


@scalar_rule("acosh", math.acosh, np.arccosh, domain=(1.1, 9), guard=True)
def area_cosine(x):
    """d acosh = 1 / sqrt(x^2 - 1); inf at 1."""
    return steep_div(1, sqrt(x - 1) * sqrt(x + 1))


@scalar_rule("atanh", math.atanh, np.arctanh, domain=(-0.95, 0.95), guard=True)
def area_tangent(x):
    """d atanh = 1 / (1 - x^2); inf at the ends."""
    return steep_div(1, (1 - x) * (1 + x))


@scalar_rule("deg2rad", np.deg2rad, np.radians, math.radians)
def degrees_to_radians(x):
    """d(x pi/180) = pi/180 dx."""
    return math.pi / 180


@scalar_rule("rad2deg", np.rad2deg, np.degrees, math.degrees)
def radians_to_degrees(x):
    """d(x 180/pi) = 180/pi dx."""
    return 180 / math.pi
