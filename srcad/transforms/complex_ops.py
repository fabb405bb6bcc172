"""What the complex primitives compute, as arithmetic of real and imaginary parts.

In: the parts of the operands as expressions (``rules.expr``).  Out: the parts of the result, or
one real expression.  These are the primal formulas only: derivatives of every order come from the
real rules of what stands here, so a formula must be differentiable wherever the function is (no
``abs`` where the sign matters, no branch whose sides differ to second order).

Signs of zeros are those of Numba, which makes ``r + 0j`` of a real operand: they decide the side of
a branch cut.  Sources: Kahan, "Branch cuts for complex elementary functions" (1987); Smith,
"Algorithm 116: complex division" (1962).
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from srcad.rules.expr import (
    Function,
    absolute,
    atan2,
    copysign,
    cos,
    cosh,
    cpow_im,
    cpow_re,
    exp,
    expm1,
    hypot,
    log,
    log1p,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    where,
)

asinh_real = Function("asinh")
isnan, isinf, isfinite = map(Function, ("isnan", "isinf", "isfinite"))

Formula = Callable[..., Any]
OPS: dict[str, Formula] = {}


class Pair:
    """A complex number: its real and its imaginary part."""

    def __init__(self, re: Any, im: Any) -> None:
        self.re, self.im = re, im

    def __add__(self, o: Pair) -> Pair:
        return Pair(self.re + o.re, self.im + o.im)

    def __sub__(self, o: Pair) -> Pair:
        return Pair(self.re - o.re, self.im - o.im)

    def __mul__(self, o: Pair) -> Pair:
        return Pair(self.re * o.re - self.im * o.im, self.re * o.im + self.im * o.re)

    def __neg__(self) -> Pair:
        return Pair(-self.re, -self.im)

    @property
    def conj(self) -> Pair:
        """The conjugate."""
        return Pair(self.re, -self.im)

    @property
    def times_i(self) -> Pair:
        """``1j`` times it."""
        return Pair(-self.im, self.re)

    @property
    def over_i(self) -> Pair:
        """``-1j`` times it."""
        return Pair(self.im, -self.re)

    def scaled(self, r: Any) -> Pair:
        """A real number times it."""
        return Pair(r * self.re, r * self.im)


def op(*names: str) -> Callable[[Formula], Formula]:
    """Declare what primitives compute."""

    def add(f: Formula) -> Formula:
        for name in names:
            OPS[name] = f
        return f

    return add


# arithmetic
OPS["add"] = lambda x, y: x + y
OPS["sub"] = lambda x, y: x - y
OPS["mul"] = lambda x, y: x * y
OPS["neg"] = lambda z: -z
OPS["positive"] = lambda z: z
OPS["square"] = lambda z: z * z
OPS["reciprocal"] = lambda z: divide(Pair(z.re.number(1.0), z.re.number(0.0)), z)
OPS["select"] = lambda c, x, y: Pair(where(c, x.re, y.re), where(c, x.im, y.im))


@op("truediv")
def divide(x, y):
    """Smith's quotient: scaled by the larger part of the divisor, so that nothing overflows."""
    if y.im.is_const and y.im.value == 0:  # a real divisor
        ratio = y.im / y.re
        if y.re.is_const:
            ratio = y.re.number(math.copysign(0.0, y.re.value))
        return Pair((x.re + x.im * ratio) / y.re, (x.im - x.re * ratio) / y.re)
    flat = absolute(y.re) >= absolute(y.im)
    large, small = where(flat, y.re, y.im), where(flat, y.im, y.re)
    ratio = small / large
    scale = large + small * ratio
    re = where(flat, x.re + x.im * ratio, x.re * ratio + x.im)
    im = where(flat, x.im - x.re * ratio, x.im * ratio - x.re)
    return Pair(re / scale, im / scale)


def whole_power(z, n):
    """``z ** n`` for an integer ``n`` known at compile time, by repeated squaring."""
    one = Pair(z.re.number(1.0), z.re.number(0.0))
    out, square, left = None, z, abs(n)
    while left:
        if left & 1:
            out = square if out is None else out * square
        left >>= 1
        square = square * square if left else square
    if out is None:
        return one
    return out if n > 0 else divide(one, out)


@op("pow", "fpow")
def power(z, w):
    """``z ** w``: products where the exponent is a whole constant, else by the real power of the
    modulus, times the turn that the imaginary part of the exponent makes."""
    if w.im.is_const and w.im.value == 0 and w.re.is_const and w.re.value == int(w.re.value):
        if abs(w.re.value) <= 64:
            return whole_power(z, int(w.re.value))
    out = Pair(cpow_re(z.re, z.im, w.re), cpow_im(z.re, z.im, w.re))
    if w.im.is_const and w.im.value == 0:
        return out
    r = hypot(z.re, z.im)
    at_zero = where(w.im == 0, 0.0, w.im.number(math.nan))
    size = where(r == 0, at_zero, log(where(r == 0, 1.0, r)))
    shrink, turn = exp(-(w.im * atan2(z.im, z.re))), w.im * size
    return out * Pair(shrink * cos(turn), shrink * sin(turn))


# exponentials and logarithms
@op("exp")
def exponential(z):
    """e^x (cos y + i sin y)."""
    size = exp(z.re)
    return Pair(size * cos(z.im), size * sin(z.im))


@op("expm1")
def exponential_minus_1(z):
    """e^z - 1 without cancellation near 0: e^x cos y - 1 = expm1(x) cos y - 2 sin(y/2)^2."""
    half = sin(0.5 * z.im)
    return Pair(expm1(z.re) * cos(z.im) - 2.0 * (half * half), exp(z.re) * sin(z.im))


@op("log")
def logarithm(z):
    """log|z| + i angle."""
    return Pair(log(hypot(z.re, z.im)), atan2(z.im, z.re))


@op("log1p")
def logarithm_1_plus(z):
    """log(1 + z); near 0 the modulus by log1p(x (2 + x) + y^2) / 2."""
    near = hypot(z.re, z.im) < 0.5
    x, y = where(near, z.re, 0.0), where(near, z.im, 0.0)
    far = hypot(where(near, 1.0, 1.0 + z.re), where(near, 0.0, z.im))
    modulus = where(near, 0.5 * log1p(x * (2.0 + x) + y * y), log(far))
    return Pair(modulus, atan2(z.im, 1.0 + z.re))


OPS["exp2"] = lambda z: exponential(z.scaled(math.log(2)))
OPS["log2"] = lambda z: logarithm(z).scaled(1 / math.log(2))
OPS["log10"] = lambda z: logarithm(z).scaled(1 / math.log(10))


@op("sqrt")
def root(z):
    """The root in the right half plane, from the one part of it that is a sum of positive terms;
    it has the sign of the imaginary part, that of a zero included."""
    right = z.re >= 0
    side = copysign(1.0, z.im)
    u = sqrt(0.5 * (hypot(z.re, z.im) + where(right, z.re, -z.re)))
    zero = u == 0
    v = where(zero, z.im, (0.5 * z.im) / where(zero, 1.0, u))
    return Pair(where(right, u, side * v), where(right, v, side * u))


# circular and hyperbolic functions
OPS["sinh"] = lambda z: Pair(sinh(z.re) * cos(z.im), cosh(z.re) * sin(z.im))
OPS["cosh"] = lambda z: Pair(cosh(z.re) * cos(z.im), sinh(z.re) * sin(z.im))
OPS["sin"] = lambda z: Pair(sin(z.re) * cosh(z.im), cos(z.re) * sinh(z.im))
OPS["cos"] = lambda z: Pair(cos(z.re) * cosh(z.im), -(sin(z.re) * sinh(z.im)))


@op("tanh")
def hyperbolic_tangent(z):
    """(t (1 + s^2) + i s / cosh(x)^2) / (1 + (t s)^2) with t = tanh(x), s = tan(y)."""
    small = absolute(z.re) < 350.0
    c = cosh(where(small, z.re, 0.0))
    t, s = tanh(z.re), tan(z.im)
    scale = 1.0 + (t * s) * (t * s)
    return Pair(t * (1.0 + s * s) / scale, where(small, s / (c * c), 0.0 * s) / scale)


@op("asin")
def arc_sine(z):
    """Kahan's formula; 1 - z is taken part by part, to keep the sign of a zero."""
    minus, plus = around_one(z)
    return Pair(atan2(z.re, (minus * plus).re), asinh_real((minus.conj * plus).im))


@op("acos")
def arc_cosine(z):
    """Kahan's formula."""
    minus, plus = around_one(z)
    return Pair(2.0 * atan2(minus.re, plus.re), asinh_real((plus.conj * minus).im))


def around_one(z):
    """The roots of 1 - z and of 1 + z."""
    return root(Pair(1.0 - z.re, -z.im)), root(Pair(1.0 + z.re, z.im))


@op("acosh")
def area_cosine(z):
    """Kahan's formula."""
    minus, plus = root(Pair(z.re - 1.0, z.im)), root(Pair(z.re + 1.0, z.im))
    return Pair(asinh_real((minus.conj * plus).re), 2.0 * atan2(minus.im, plus.re))


@op("atanh")
def area_tangent(z):
    """log((1 + z) / (1 - z)) / 2, on the side where the logarithm is of a number above 1."""
    side = copysign(1.0, z.re)
    x, y = side * z.re, z.im
    re = log1p(4.0 * x / ((1.0 - x) * (1.0 - x) + y * y))
    im = atan2(2.0 * y, (1.0 - x) * (1.0 + x) - y * y)
    return Pair(side * (0.25 * re), 0.5 * im)


OPS["tan"] = lambda z: hyperbolic_tangent(z.times_i).over_i
OPS["asinh"] = lambda z: arc_sine(z.times_i).over_i
OPS["atan"] = lambda z: area_tangent(z.times_i).over_i

# parts and tests
OPS["complex"] = lambda re, im: Pair(re.re, im.re)
OPS["c16"] = OPS["c8"] = lambda z: z
OPS["real"] = lambda z: z.re
OPS["imag"] = lambda z: z.im
OPS["conj"] = lambda z: z.conj
OPS["abs"] = lambda z: hypot(z.re, z.im)
OPS["angle"] = lambda z: atan2(z.im, z.re)
OPS["eq"] = lambda x, y: (x.re == y.re) & (x.im == y.im)
OPS["ne"] = lambda x, y: (x.re != y.re) | (x.im != y.im)
OPS["isnan"] = lambda z: isnan(z.re) | isnan(z.im)
OPS["isinf"] = lambda z: isinf(z.re) | isinf(z.im)
OPS["isfinite"] = lambda z: isfinite(z.re) & isfinite(z.im)
OPS["b1"] = lambda z: (z.re != 0) | (z.im != 0)
OPS["not"] = OPS["logical_not"] = lambda z: (z.re == 0) & (z.im == 0)
