"""Special functions that neither ``math`` nor Numba has: digamma, polygamma, an exponent.

Plain numeric functions whose source is copied into generated code: they use nothing but
``math`` and their arguments, so that Numba compiles them as they stand.  Relative accuracy is
some 1e-14 for positive arguments (for negative ones relative to the size of the terms).
"""

from __future__ import annotations

import math


def srcad_digamma(x: float) -> float:
    """Derivative of ``log(gamma(x))``; NaN at the poles 0, -1, -2, ...

    Asymptotic series from 10 on; below, recurrence into [1, 2].
    """
    if x != x or x == math.inf:
        return 1.0 * x
    if x == -math.inf:
        return math.nan
    x = 1.0 * x  # float64, also of float32
    result = 0.0
    if x <= 0.0:
        fraction = x if x > -0.5 else x % 1.0
        if fraction == 0.0:
            return math.nan
        if fraction > 0.5:
            fraction -= 1.0
        result = -math.pi / math.tan(math.pi * fraction)
        x = 1.0 - x
    if x >= 10.0:
        return result + srcad_digamma_series(x)
    while x > 2.0:
        x -= 1.0
        result += 1.0 / x
    while x < 1.0:
        result -= 1.0 / x
        x += 1.0
    return result + srcad_digamma_unit(x)


def srcad_digamma_series(x: float) -> float:
    """``digamma`` from 10 on: the asymptotic series (Abramowitz and Stegun 1964, 6.3.18)."""
    z = 1.0 / (x * x)
    tail = 1 / 132 - z * (691 / 32760 - z * (1 / 12 - z * (3617 / 8160)))
    tail = 1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * tail)))
    return math.log(x) - 0.5 / x - z * tail


def srcad_digamma_unit(x: float) -> float:
    """``digamma`` from 1 to 2: the rational approximation around the root 1.46163...

    Of Boost.Math (digamma.hpp, 53 bits); the root in three parts.
    """
    g = (x - 1569415565 / 1073741824) - 381566830 / 1073741824 / 1073741824
    g -= 0.9016312093258695918615325266959189453125e-19
    t = x - 1.0
    p = -0.28919126444774784 + t * (-0.045251321448739056 + t * -0.0020713321167745952)
    p = -0.32555031186804491 + t * (-0.65031853770896507 + t * p)
    p = 0.25479851061131551 + t * p
    q = 0.0021284987017821144 + t * -0.55789841321675513e-6
    q = 0.43593529692665969 + t * (0.054151797245674225 + t * q)
    q = 1.0 + t * (2.0767117023730469 + t * (1.4606242909763515 + t * q))
    return g * 0.99558162689208984 + g * (p / q)


def srcad_polygamma(n: int, x: float) -> float:
    """The ``n``-th derivative of digamma, ``n >= 1``; infinite at 0, -1, -2, ...

    (-1)^(n+1) n! zeta(n+1, x) with Hurwitz' zeta by Euler and Maclaurin's formula.  Negative
    arguments are summed up to positive ones one by one; below -1e6 the result is NaN.
    """
    if x != x or x < -1e6 or n < 1:
        return math.nan
    s = n + 1.0
    a = 1.0 * x
    if a <= 0.0 and a == math.floor(a):
        return math.inf if n % 2 == 1 else -math.inf
    total = 0.0
    while a < 12.0 + n:
        total += (1.0 / a) ** (n + 1)
        a += 1.0
    if a == math.inf:
        return 0.0
    inverse = 1.0 / a
    power = inverse**n
    total += power / n + 0.5 * power * inverse
    # B(2j) / (2j)!
    bernoulli = (
        1 / 12,
        -1 / 720,
        1 / 30240,
        -1 / 1209600,
        1 / 47900160,
        -691 / 1307674368000,
        1 / 74724249600,
        -3617 / 10670622842880000,
        43867 / 5109094217170944000,
        -174611 / 802857662698291200000,
    )
    square = inverse * inverse
    term = s * power * square
    for j in range(10):
        total += bernoulli[j] * term
        term *= (s + 2 * j + 1) * (s + 2 * j + 2) * square
    for k in range(2, n + 1):
        total *= k
    return total if n % 2 == 1 else -total


def srcad_exponent(x: float) -> int:
    """The exponent ``e`` of ``x = m 2^e``, 1/2 <= |m| < 1; 0 where there is none."""
    if x - x != 0.0:
        return 0
    return int(math.frexp(1.0 * x)[1])
