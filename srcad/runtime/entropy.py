"""Products with logarithms, as SciPy has them: zero times the logarithm of anything is zero.

Plain numeric functions whose source is copied into generated code (see ``special``).
"""

from __future__ import annotations

import math


def srcad_xlogy(x: float, y: float) -> float:
    """``x log(y)``, 0 where x = 0."""
    x, y = 1.0 * x, 1.0 * y
    if x == 0.0 and y == y:
        return 0.0
    if y <= 0.0:
        return -math.inf * x if y == 0.0 else math.nan
    return x * math.log(y)


def srcad_xlog1py(x: float, y: float) -> float:
    """``x log(1 + y)``, 0 where x = 0."""
    x, y = 1.0 * x, 1.0 * y
    if x == 0.0 and y == y:
        return 0.0
    if y <= -1.0:
        return -math.inf * x if y == -1.0 else math.nan
    return x * math.log1p(y)


def srcad_entr(x: float) -> float:
    """``-x log(x)``, 0 where x = 0, -inf where x < 0."""
    x = 1.0 * x
    if x > 0.0:
        return -x * math.log(x)
    return -math.inf if x < 0.0 else x * 0.0


def srcad_log_ratio(x: float, y: float) -> float:
    """``log(x / y)`` of positive numbers; near 1 without the rounding of the quotient."""
    x, y = 1.0 * x, 1.0 * y
    ratio = x / y
    if 0.5 < ratio < 2.0:
        return math.log1p((x - y) / y)
    if 1e-300 < ratio < math.inf:  # smaller ones have fewer digits
        return math.log(ratio)
    return math.log(x) - math.log(y)


def srcad_rel_entr(x: float, y: float) -> float:
    """``x log(x / y)``, 0 where x = 0 and y >= 0, else inf."""
    x, y = 1.0 * x, 1.0 * y
    if x != x or y != y:
        return math.nan
    if x > 0.0 and y > 0.0:
        return x * srcad_log_ratio(x, y)
    return 0.0 if x == 0.0 and y >= 0.0 else math.inf


def srcad_kl_div(x: float, y: float) -> float:
    """``x log(x / y) - x + y``, y where x = 0 and y >= 0, else inf; near x = y a series."""
    x, y = 1.0 * x, 1.0 * y
    if x != x or y != y:
        return math.nan
    if x > 0.0 and y > 0.0:
        d = (x - y) / y
        if abs(d) > 0.1:
            return x * srcad_log_ratio(x, y) - (x - y)
        # y ((1 + d) log(1 + d) - d) = y (d^2 / 2 - d^3 / 6 + d^4 / 12 - ...)
        total = 0.0
        for k in range(16, 1, -1):
            total = 1.0 / (k * (k - 1.0)) - d * total
        return y * (d * d) * total
    return y if x == 0.0 and y >= 0.0 else math.inf
