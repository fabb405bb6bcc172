"""The error function's relatives and the logistic function: values without cancellation.

Plain numeric functions whose source is copied into generated code (see ``special``); relative
accuracy is some 1e-15.
"""

from __future__ import annotations

import math


def srcad_expit(x: float) -> float:
    """``1 / (1 + exp(-x))``, accurate in both tails."""
    x = 1.0 * x
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def srcad_log_expit(x: float) -> float:
    """The logarithm of ``expit``."""
    x = 1.0 * x
    if x >= 0.0:
        return -math.log1p(math.exp(-x))
    return x - math.log1p(math.exp(x))


def srcad_logit(x: float) -> float:
    """``log(x / (1 - x))``; near 1/2 without the rounding of the quotient."""
    x = 1.0 * x
    if x <= 0.0 or x >= 1.0:
        return -math.inf if x == 0.0 else math.inf if x == 1.0 else math.nan
    if 0.3 < x < 0.65:
        s = 2.0 * (x - 0.5)
        return math.log1p(s) - math.log1p(-s)
    return math.log(x / (1.0 - x))


def srcad_erfcx(x: float) -> float:
    """``exp(x^2) erfc(x)``; the square with twice the digits, from 25 on by the series."""
    x = 1.0 * x
    if x < -26.6287:
        return math.inf
    if x > 25.0:
        s = 0.5 / (x * x)
        series = 1.0 - 5.0 * s * (1.0 - 7.0 * s * (1.0 - 9.0 * s * (1.0 - 11.0 * s)))
        return (1.0 - s * (1.0 - 3.0 * s * series)) / x * 0.5641895835477563
    c = 134217729.0 * x
    high = c - (c - x)
    low = x - high
    return math.exp(high * high) * math.exp(low * (x + high)) * math.erfc(x)


def srcad_erfc_integral(n: int, x: float) -> float:
    """``exp(x^2)`` times the ``n``-th repeated integral of ``erfc`` from ``x`` on, ``n >= 0``.

    By the recurrence 2 n E(n) = E(n - 2) - 2 x E(n - 1), which starts at E(-1) = 2 / sqrt(pi):
    upwards where that cancels nothing, else downwards from where any start will do.
    """
    x = 1.0 * x
    if x != x:
        return math.nan
    if n == 0:
        return srcad_erfcx(x)
    if x < 1.0:
        before, here = 1.1283791670955126, srcad_erfcx(x)
        for k in range(1, n + 1):
            before, here = here, (before - 2.0 * x * here) / (2.0 * k)
        return here
    if x > 1e9 * (n + 2.0):  # the first term of the expansion is all there is
        here = 1.1283791670955126
        for _ in range(n + 1):
            here *= 0.5 / x
        return here
    after, here, wanted = 0.0, 1e-280, 0.0
    # E(k - 1) / E(k) grows with k and x: the sizes cannot overflow
    for k in range(n + 20 + int((171.0 + 40.0 * n) / (x * x)), -1, -1):
        if k == n:
            wanted = here
        after, here = here, 2.0 * ((k + 1.0) * after + x * here)
        if here > 1e200:
            after, here, wanted = after * 1e-250, here * 1e-250, wanted * 1e-250
    return 1.1283791670955126 * (wanted / here)


def srcad_log_ndtr(x: float) -> float:
    """The logarithm of the normal distribution function."""
    x = 1.0 * x
    if x > -1.0:
        return math.log1p(-0.5 * math.erfc(x * 0.7071067811865476))
    if x < -1e100:
        return -math.inf if x == -math.inf else -0.5 * x * x
    return math.log(0.5 * srcad_erfcx(-0.7071067811865476 * x)) - 0.5 * x * x


def srcad_ndtri(p: float) -> float:
    """The ``p``-quantile of the normal distribution."""
    p = 1.0 * p
    return srcad_normal_quantile(p - 0.5, p if p < 0.5 else 1.0 - p)


def srcad_erfinv(y: float) -> float:
    """The inverse of ``erf``."""
    y = 1.0 * y
    tail = 0.5 * (1.0 - y) if y > 0.0 else 0.5 * (1.0 + y)
    return srcad_normal_quantile(0.5 * y, tail) * 0.7071067811865476


def srcad_erfcinv(y: float) -> float:
    """The inverse of ``erfc``."""
    y = 1.0 * y
    tail = 0.5 * y if y < 1.0 else 1.0 - 0.5 * y
    return srcad_normal_quantile(0.5 * (1.0 - y), tail) * 0.7071067811865476


def srcad_normal_quantile(center: float, tail: float) -> float:
    """The quantile of probability ``0.5 + center``, whose smaller side is ``tail``.

    Wichura's algorithm AS 241, the version of 16 digits.
    """
    if not tail > 0.0:
        return math.copysign(math.inf, center) if tail == 0.0 else math.nan
    if abs(center) <= 0.425:
        r = 0.180625 - center * center
        p = 3.3430575583588128105e4 + r * 2.5090809287301226727e3
        p = 4.5921953931549871457e4 + r * (6.7265770927008700853e4 + r * p)
        p = 1.9715909503065514427e3 + r * (1.3731693765509461125e4 + r * p)
        p = 3.3871328727963666080e0 + r * (1.3314166789178437745e2 + r * p)
        q = 2.8729085735721942674e4 + r * 5.2264952788528545610e3
        q = 2.1213794301586595867e4 + r * (3.9307895800092710610e4 + r * q)
        q = 6.8718700749205790830e2 + r * (5.3941960214247511077e3 + r * q)
        q = 1.0 + r * (4.2313330701600911252e1 + r * q)
        return center * p / q
    r = math.sqrt(-math.log(tail))
    if r <= 5.0:
        r -= 1.6
        p = 2.27238449892691845833e-2 + r * 7.74545014278341407640e-4
        p = 1.27045825245236838258e0 + r * (2.41780725177450611770e-1 + r * p)
        p = 5.76949722146069140550e0 + r * (3.64784832476320460504e0 + r * p)
        p = 1.42343711074968357734e0 + r * (4.63033784615654529590e0 + r * p)
        q = 5.47593808499534494600e-4 + r * 1.05075007164441684324e-9
        q = 1.48103976427480074590e-1 + r * (1.51986665636164571966e-2 + r * q)
        q = 1.67638483018380384940e0 + r * (6.89767334985100004550e-1 + r * q)
        q = 1.0 + r * (2.05319162663775882187e0 + r * q)
    else:
        r -= 5.0
        p = 2.71155556874348757815e-5 + r * 2.01033439929228813265e-7
        p = 2.65321895265761230930e-2 + r * (1.24266094738807843860e-3 + r * p)
        p = 1.78482653991729133580e0 + r * (2.96560571828504891230e-1 + r * p)
        p = 6.65790464350110377720e0 + r * (5.46378491116411436990e0 + r * p)
        q = 1.42151175831644588870e-7 + r * 2.04426310338993978564e-15
        q = 7.86869131145613259100e-4 + r * (1.84631831751005468180e-5 + r * q)
        q = 1.36929880922735805310e-1 + r * (1.48753612908506148525e-2 + r * q)
        q = 1.0 + r * (5.99832206555887937690e-1 + r * q)
    return math.copysign(p / q, center)
