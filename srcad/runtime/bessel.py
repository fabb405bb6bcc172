"""Bessel functions of whole order, J and I, so that their derivatives have a closed form.

Plain numeric functions whose source is copied into generated code (see ``special``).  Orders
are small, n >= 0: functions start at 0 and 1, a derivative adds 1.
"""

from __future__ import annotations

import math


def srcad_bessel_j(n: int, x: float) -> float:
    """Bessel's function J of order ``n``; accurate to 1e-15 of its amplitude.

    The power series up to 2; then the recurrence downwards (Miller); from 25 + n^2 / 2 on
    Hankel's asymptotic series.
    """
    z = abs(1.0 * x)
    sign = -1.0 if x < 0.0 and n % 2 == 1 else 1.0
    if not z < math.inf:
        return math.nan if z != z else 0.0
    if z <= 2.0:
        term = 1.0
        for k in range(1, n + 1):
            term *= 0.5 * z / k
        total, square = term, -0.25 * z * z
        for k in range(1, 15):
            term *= square / (k * (k + n))
            total += term
        return sign * total
    if z < 25.0 + 0.5 * n * n:
        after, here, wanted, even = 0.0, 1e-280, 0.0, 0.0
        double = 2.0 / z
        for k in range(2 * ((max(n, int(z)) + 36 + int(z) // 3) // 2), -1, -1):
            if k == n:
                wanted = here
            if k % 2 == 0:
                even += here if k == 0 else 2.0 * here
            after, here = here, k * double * here - after
            if abs(here) > 1e200:
                after, here = after * 1e-250, here * 1e-250
                wanted, even = wanted * 1e-250, even * 1e-250
        return sign * wanted / even
    # sqrt(2 / (pi z)) (p cos(z - (2 n + 1) pi / 4) - q sin(...)), the terms of p and q in turn
    p, q, term = 1.0, 0.0, 1.0
    for k in range(1, 50):
        term *= (4.0 * n * n - (2.0 * k - 1.0) ** 2) / (8.0 * k * z)
        if k % 2 == 1:
            q += term if k % 4 == 1 else -term
        else:
            p += term if k % 4 == 0 else -term
        if abs(term) < 1e-18:
            break
    c, s = math.cos(z), math.sin(z)
    cosine, sine = c + s, s - c
    if n % 2 == 1:
        cosine, sine = sine, -cosine
    if n % 4 >= 2:
        cosine, sine = -cosine, -sine
    return sign * (p * cosine - q * sine) / math.sqrt(math.pi * z)


def srcad_bessel_i_scaled(n: int, x: float) -> float:
    """``exp(-|x|)`` times the modified Bessel function I of order ``n``.

    The power series, of positive terms; from 30 + n^2 on the asymptotic one.
    """
    z = abs(1.0 * x)
    sign = -1.0 if x < 0.0 and n % 2 == 1 else 1.0
    if z != z or z == math.inf:
        return math.nan if z != z else 0.0
    total, term = 1.0, 1.0
    if z >= 30.0 + n * n:
        for k in range(1, 40):
            term *= ((2.0 * k - 1.0) ** 2 - 4.0 * n * n) / (8.0 * k * z)
            total += term
            if abs(term) < 1e-17:
                break
        return sign * total / math.sqrt(2.0 * math.pi * z)
    for k in range(1, n + 1):
        term *= 0.5 * z / k
    total, square = term, 0.25 * z * z
    k = 1
    while term > 1e-17 * total:
        term *= square / (k * (k + n))
        total += term
        k += 1
    return sign * math.exp(-z) * total


def srcad_bessel_i(n: int, x: float) -> float:
    """The modified Bessel function I of order ``n``."""
    z = abs(1.0 * x)
    if z > 720.0:
        size = math.inf
        return -size if x < 0.0 and n % 2 == 1 else size
    half = math.exp(0.5 * z)  # the whole may overflow where the result does not
    return half * srcad_bessel_i_scaled(n, x) * half
