"""What generated CUDA code calls: functions that neither ``math`` nor Numba has for that target.

Plain functions of float64 (those of integers say so), self-contained as ``runtime.special``'s;
the printer copies their source.  ``srcad_mark_*`` fill arrays with NaN: a device function has no
exceptions, so that is how it says that a check has failed (``backends.cuda``).

Invariant: on float64 the values are those of the primitives' evaluators, to 2 units in the last
place (``tests/test_cuda_device.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def srcad_min(a: Any, b: Any) -> Any:
    """Python's ``min``."""
    return b if b < a else a


def srcad_max(a: Any, b: Any) -> Any:
    """Python's ``max``."""
    return b if b > a else a


def srcad_cbrt(x: float) -> float:
    """Real cube root: a power, and one step of Newton's method."""
    if x == 0.0 or x - x != 0.0:
        return x
    y = abs(x) ** (1 / 3)
    y -= (y - abs(x) / (y * y)) / 3.0
    return math.copysign(y, x)


def srcad_rint(x: float) -> float:
    """Nearest integer, halves to even."""
    if abs(x) >= 4503599627370496.0 or x != x:
        return x
    y = abs(x)
    whole = y - y % 1.0
    rest = y - whole
    if rest > 0.5 or (rest == 0.5 and whole % 2.0 == 1.0):
        whole += 1.0
    return math.copysign(whole, x)


def srcad_sign(x: float) -> float:
    """-1, 0 or 1; NaN of NaN."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else x


def srcad_isign(n: int) -> int:
    """-1, 0 or 1, of an integer."""
    return 1 if n > 0 else -1 if n < 0 else 0


def srcad_heaviside(x: float, h: float) -> float:
    """0, ``h`` at zero, or 1; NaN of NaN."""
    return h if x == 0.0 else 1.0 if x > 0.0 else 0.0 if x < 0.0 else x


def srcad_ireciprocal(n: int) -> int:
    """1 / n of an integer, towards zero."""
    return n if n == 1 or n == -1 else 0


def srcad_logaddexp(x: float, y: float) -> float:
    """log(exp(x) + exp(y))."""
    if x == y:
        return x + 0.6931471805599453
    if x > y:
        return x + math.log1p(math.exp(y - x))
    return y + math.log1p(math.exp(x - y)) if x < y else x + y


def srcad_logaddexp2(x: float, y: float) -> float:
    """log2(2**x + 2**y)."""
    if x == y:
        return x + 1.0
    if x > y:
        return x + 1.4426950408889634 * math.log1p(2.0 ** (y - x))
    return y + 1.4426950408889634 * math.log1p(2.0 ** (x - y)) if x < y else x + y


def srcad_sinc(x: float) -> float:
    """sin(pi x) / (pi x), 1 at zero."""
    if x == 0.0:
        return 1.0
    y = math.pi * x
    return math.sin(y) / y


def srcad_gcd(a: int, b: int) -> int:
    """Greatest common divisor of integers."""
    a, b = abs(a), abs(b)
    while b != 0:
        a, b = b, a % b
    return a


def srcad_lcm(a: int, b: int) -> int:
    """Least common multiple of integers."""
    if a == 0 or b == 0:
        return 0
    return abs(a // srcad_gcd(a, b) * b)


def srcad_mark_0(a: Any) -> None:
    """Fill an array of rank 0."""
    a[()] = math.nan


def srcad_mark_1(a: Any) -> None:
    """Fill a vector."""
    for i in range(a.shape[0]):
        a[i] = math.nan


def srcad_mark_2(a: Any) -> None:
    """Fill a matrix."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] = math.nan


def srcad_mark_3(a: Any) -> None:
    """Fill an array of rank 3."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            for k in range(a.shape[2]):
                a[i, j, k] = math.nan


def srcad_mark_4(a: Any) -> None:
    """Fill an array of rank 4."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            for k in range(a.shape[2]):
                for m in range(a.shape[3]):
                    a[i, j, k, m] = math.nan


DEVICE_HELPERS: dict[str, Callable[..., Any]] = {
    name: f for name, f in globals().items() if name.startswith("srcad_")
}
