"""The logarithm of gamma and the beta function, accurate where their terms cancel.

Plain numeric functions whose source is copied into generated code (see ``special``).
"""

from __future__ import annotations

import math


def srcad_gammaln(x: float) -> float:
    """``log |gamma(x)|``; relative accuracy at the zeros 1 and 2 as well.

    Stirling's series from 10 on; else by recurrence to [1, 2], where
    ``gammaln(z) = (z - 1) (z - 2) p(z - 3/2)`` with a polynomial ``p``.
    """
    x = 1.0 * x
    if x != x or x == math.inf or x == -math.inf:
        return x
    offset, side = 0.0, 1.0
    if x <= 0.0:
        fraction = abs(x - math.floor(x + 0.5))
        if fraction == 0.0:
            return math.inf
        offset = 1.1447298858494002 - math.log(math.sin(math.pi * fraction))
        side, x = -1.0, 1.0 - x
    if x >= 10.0:
        return offset + side * (
            (x - 0.5) * (math.log(x) - 1.0) + (0.4189385332046727 + srcad_stirling(x))
        )
    left, right = x, x - 1.0
    if x < 1.0:
        offset -= side * math.log(x)
    elif x <= 2.0:
        left, right = x - 1.0, x - 2.0
    else:
        product = 1.0
        while x > 3.0:
            x -= 1.0
            product *= x
        left, right = x - 2.0, x - 3.0
        offset += side * math.log(product * (x - 1.0))
    t = right + 0.5
    p = 1.2140008083973407e-05 + t * -7.760660152513446e-06
    p = 1.3186019073996835e-05 + t * (-8.355075869795273e-06 + t * p)
    p = 4.30276814976503e-05 + t * (-2.7201673025504752e-05 + t * p)
    p = 0.00010535512483785591 + t * (-6.614136022346414e-05 + t * p)
    p = 0.00027131373861446925 + t * (-0.0001689178215524898 + t * p)
    p = 0.000711519067515296 + t * (-0.00043799307479613914 + t * p)
    p = 0.0019229163127905161 + t * (-0.0011644145847310124 + t * p)
    p = 0.005446457839126065 + t * (-0.0032120740737152814 + t * p)
    p = 0.01679709863127416 + t * (-0.009425622448525798 + t * p)
    p = 0.06291140107456439 + t * (-0.031308487501010646 + t * p)
    p = 0.4831289505409809 + t * (-0.14595989591430608 + t * p)
    return offset + side * (left * right * p)


def srcad_stirling(x: float) -> float:
    """``gammaln(x)`` less Stirling's formula, ``(x - 1/2) log(x) - x + log(2 pi) / 2``; x >= 10."""
    z = 1.0 / (x * x)
    p = 1 / 156 - z * (3617 / 122400)
    p = 1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * (691 / 360360 - z * p)))
    return (1 / 12 - z * (1 / 360 - z * p)) / x


def srcad_gamma_quotient(a: float, b: float) -> float:
    """``log(gamma(b) / gamma(a + b))`` for b >= 10, a >= 0, without cancellation."""
    fixed = a * (1.0 - math.log(b)) + (srcad_stirling(b) - srcad_stirling(a + b))
    return fixed - (a + b - 0.5) * math.log1p(a / b)


def srcad_betaln(a: float, b: float) -> float:
    """``log |beta(a, b)|``."""
    if not (-math.inf < a and -math.inf < b):
        return math.nan
    a, b = 1.0 * min(a, b), 1.0 * max(a, b)
    if b <= 0.0 and b == math.floor(b):
        return math.inf
    if a <= 0.0 and a == math.floor(a):
        # a pole, but for an integer b with which the denominator has one as well
        if b != math.floor(b) or a + b > 0.0:
            return math.inf
        a, b = min(b, 1.0 - a - b), max(b, 1.0 - a - b)
    if b < 10.0 or a <= 0.0:
        return srcad_gammaln(a) + srcad_gammaln(b) - srcad_gammaln(a + b)
    if b == math.inf:
        return -math.inf
    if a < 10.0:
        return srcad_gammaln(a) + srcad_gamma_quotient(a, b)
    rest = srcad_stirling(a) + (srcad_stirling(b) - srcad_stirling(a + b))
    power = (a - 0.5) * math.log(a / (a + b)) - b * math.log1p(a / b)
    return power - 0.5 * math.log(b) + (0.9189385332046727 + rest)


def srcad_beta(a: float, b: float) -> float:
    """``gamma(a) gamma(b) / gamma(a + b)``; inf at its poles."""
    if not (-math.inf < a and -math.inf < b):
        return math.nan
    a, b = 1.0 * min(a, b), 1.0 * max(a, b)
    if 0.0 < a < 1e-300:
        return 1.0 / a + 1.0 / b
    if (a <= 0.0 and a == math.floor(a)) or (b <= 0.0 and b == math.floor(b)):
        size = srcad_betaln(a, b)
        if size > 709.7:
            return math.inf
        return math.exp(size) if b % 2.0 == 0.0 else -math.exp(size)
    if abs(a) < 80.0 and abs(b) < 80.0:
        if a + b <= 0.0 and a + b == math.floor(a + b):
            return 0.0
        return math.gamma(a) * (math.gamma(b) / math.gamma(a + b))
    if 0.0 < a < 10.0 and b < math.inf:
        return math.gamma(a) * math.exp(srcad_gamma_quotient(a, b))
    size = math.exp(min(srcad_betaln(a, b), 709.7))
    turns = 0.0
    for x in (a, b, a + b):
        turns += math.floor(x) if x < 0.0 else 0.0
    return size if turns % 2.0 == 0.0 else -size
