"""Derivatives of arithmetic: operators, powers, remainders, extrema, choice and casts."""
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
import operator

import numpy as np

from srcad.rules.declare import scalar_rule
from srcad.rules.expr import atan2, copysign, cpow_im, cpow_re, hypot, log, rint, sign, sqrt, where
from srcad.rules.expr import guarded_div as _guarded_div
from srcad.rules.expr import steep_div as _steep_div


@scalar_rule("add", operator.add, np.add)
def add(x, y):
    """d(x + y) = dx + dy."""
    return 1, 1


@scalar_rule("sub", operator.sub, np.subtract)
def sub(x, y):
    """d(x - y) = dx - dy."""
    return 1, -1


@scalar_rule("mul", operator.mul, np.multiply)
def mul(x, y):
    """d(x y) = y dx + x dy."""
    return y, x


@scalar_rule("guarded_mul", guard=True)
def guarded_mul(x, y):
    """d(x y) = y dx + x dy, where both products are zero if their factor dx, x is.

    The transforms emit it where a partial y may be infinite and the (co)tangent x zero.  As a
    primitive it is closed under differentiation; a choice ``0 if x == 0 else x * y`` would lose
    ``y dx`` at x = 0.
    """
    return y, x


@scalar_rule("truediv", operator.truediv, np.divide, domain=(0.3, 3))
def truediv(x, y, out):
    """d(x / y) = dx / y - (x/y) dy / y, of numbers: Python raises where y = 0, so no guard is
    needed (elements of arrays are divided by ``steep_div``)."""
    inverse = 1 / y.value if y.is_const and y.value else 1 / y
    return inverse, -(out * inverse)


@scalar_rule("steep_div", domain=(0.3, 3), guard=True)
def steep_div(x, y, out):
    """d(x / y) = dx / y - (x/y) dy / y, each zero where dx or dy is.

    The quotient of elements of arrays; rules divide by it where the divisor may be zero: zero
    cotangents stay zero in the second order as well.
    """
    return _steep_div(1, y), -_steep_div(out, y)


@scalar_rule("guarded_div", domain=(0.3, 3), guard=True)
def guarded_div(x, y, out):
    """d(x / y) = dx / y - (x/y) dy / y; the quotient is zero where x is, so 0/0 = 0."""
    return _steep_div(1, y), -_guarded_div(out, y)


@scalar_rule("neg", operator.neg, np.negative)
def neg(x):
    """d(-x) = -dx."""
    return -1


@scalar_rule("positive", operator.pos, np.positive)
def positive(x):
    """d(+x) = dx."""
    return 1


@scalar_rule("square", np.square)
def square(x):
    """d(x^2) = 2 x dx."""
    return 2 * x


@scalar_rule("reciprocal", np.reciprocal, domain=(0.3, 3), guard=True)
def reciprocal(x, out):
    """d(1/x) = -dx / x^2; -inf at 0."""
    return -(out * out)


@scalar_rule("abs", abs, operator.abs, np.abs)
def absolute(x):
    """d|x| = sign(x) dx; 0 at 0."""
    return sign(x)


@scalar_rule("fabs", math.fabs, np.fabs)
def fabs(x):
    """d|x| = sign(x) dx; 0 at 0."""
    return sign(x)


@scalar_rule("copysign", math.copysign, np.copysign)
def copy_sign(x, y):
    """d(|x| sign(y)) = sign(x) sign(y) dx; 0 at x = 0; no derivative through the sign of y."""
    return sign(x) * copysign(1, y), 0


@scalar_rule("mod", operator.mod, np.remainder, domain=((-9, 9), (0.7, 3)), guard=True)
def mod(x, y, out):
    """d(x - y floor(x/y)) = dx - floor(x/y) dy; the right-sided derivative at the jumps."""
    return 1, -rint(x / y - out / y)


@scalar_rule("fmod", math.fmod, np.fmod, domain=((-9, 9), (0.7, 3)), guard=True)
def fmod(x, y, out):
    """d(x - y trunc(x/y)) = dx - trunc(x/y) dy."""
    return 1, -rint((x - out) / y)


def _steep(x, y):
    """Whether a partial can be infinite: not if the exponent is a constant 0 or at least 1."""
    return not (y.is_const and (y.value == 0 or y.value >= 1))


@scalar_rule("float_power", np.float_power, domain=((0.3, 3), (-2, 3)), guard=_steep)
@scalar_rule("fpow", math.pow, domain=((0.3, 3), (-2, 3)), guard=_steep)
@scalar_rule("pow", operator.pow, pow, np.power, domain=((0.3, 3), (-2, 3)), guard=_steep)
def power(x, y, out):
    """d(x^y) = y x^(y-1) dx + x^y log(x) dy.

    With respect to x it is 0 where y = 0, with respect to y 0 where x = 0 and y >= 0, and NaN
    where x < 0 (the power exists for isolated y only).  Constant exponents take short forms.
    An integer exponent never becomes -1, for which Numba raises ``ZeroDivisionError`` at x = 0.
    """
    if y.is_const:
        slope = _constant_power(x, y.value, out)
    elif y.is_int:
        slope = y * x ** where(y == 0, 0, y - 1)
    else:
        slope = where((x == 0) & (y == 0), 0, y * x ** (y - 1))
    if x.is_const and x.value > 0:
        return slope, out * math.log(x.value)
    return slope, out * log(where(x == 0, 1, x))


def _constant_power(x, n, out):
    """The derivative of x^n for a number n, without calling pow where possible."""
    short = {
        0: lambda: 0,
        1: lambda: 1,
        2: lambda: 2 * x,
        3: lambda: 3 * (x * x),
        4: lambda: 4 * (x * x * x),
        -1: lambda: -(out * out),
        0.5: lambda: _steep_div(0.5, out),
        1.5: lambda: 1.5 * sqrt(x),
    }
    if n in short:
        return short[n]()
    if n % 1 == 0 and abs(n) <= 64:
        return n * x ** (int(n) - 1)
    return n * x ** (n - 1.0)


@scalar_rule("min", min)
def minimum_of_two(x, y):
    """The derivative of the operand returned: the first on ties."""
    other = y < x
    return where(other, 0, 1), where(other, 1, 0)


@scalar_rule("max", max)
def maximum_of_two(x, y):
    """The derivative of the operand returned: the first on ties."""
    other = y > x
    return where(other, 0, 1), where(other, 1, 0)


@scalar_rule("minimum", np.minimum)
def minimum(x, y):
    """The derivative of the operand returned: the first on ties, and where one is NaN."""
    other = y < x
    return where(other, 0, 1), where(other, 1, 0)


@scalar_rule("maximum", np.maximum)
def maximum(x, y):
    """The derivative of the operand returned: the first on ties, and where one is NaN."""
    other = y > x
    return where(other, 0, 1), where(other, 1, 0)


@scalar_rule("fmin", np.fmin)
def fmin(x, y):
    """The derivative of the operand returned: the first on ties, the other where one is NaN."""
    other = (y < x) | (x != x)
    return where(other, 0, 1), where(other, 1, 0)


@scalar_rule("fmax", np.fmax)
def fmax(x, y):
    """The derivative of the operand returned: the first on ties, the other where one is NaN."""
    other = (y > x) | (x != x)
    return where(other, 0, 1), where(other, 1, 0)


@scalar_rule("select", np.where)
def select(c, x, y):
    """The derivative of the operand chosen (transforms select tangents, they do not multiply)."""
    return None, where(c, 1, 0), where(c, 0, 1)


@scalar_rule("f8", float, np.float64)
def to_float64(x):
    """A cast passes the derivative on."""
    return 1


@scalar_rule("f4", np.float32)
def to_float32(x):
    """A cast passes the derivative on (rounded to float32 by the transform)."""
    return 1


@scalar_rule("cpow_re", domain=((0.3, 3), (-3, 3), (-2, 3)))
def complex_power_real(x, y, a, out):
    """Re d z^a = Re(a z^(a-1) dz + z^a log(z) da), z = x + iy; with respect to a, 0 where z = 0."""
    less = where(a == 0, 0, a - 1)  # the derivative of z^0 is 0, also at 0
    return (
        a * cpow_re(x, y, less),
        -(a * cpow_im(x, y, less)),
        _of_exponent(x, y, out, -cpow_im(x, y, a)),
    )


@scalar_rule("cpow_im", domain=((0.3, 3), (-3, 3), (-2, 3)))
def complex_power_imaginary(x, y, a, out):
    """Im d z^a, see ``cpow_re``."""
    less = where(a == 0, 0, a - 1)
    return (
        a * cpow_im(x, y, less),
        a * cpow_re(x, y, less),
        _of_exponent(x, y, out, cpow_re(x, y, a)),
    )


def _of_exponent(x, y, same, other):
    r = hypot(x, y)
    modulus = log(where(r == 0, 1, r))
    return where(r == 0, 0, same * modulus + other * atan2(y, x))
