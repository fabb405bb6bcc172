"""Sums of floats that are the same in every order: exact, in long accumulators of integers.

An accumulator is a row of 64-bit integers: digits to the base 2**32, the lowest first, then the
numbers of positive infinities, negative infinities and NaNs that were added.  A float is a whole
number of at most 53 bits at some position, so it touches three digits; additions of integers
commute, so neither threads nor their order make a difference.  A row takes 71 words for float64, 14
for float32, and holds 2**31 additions.

Reference: U. W. Kulisch, Computer Arithmetic and Validity (2008), chapter 8.

Plain functions; the printer of kernels copies their source, with ``srcad_device_word`` for
``srcad_word``.  Limits: the value is rounded more than once (an error of a unit in the last place).

>>> import numpy as np
>>> row = np.zeros((1, WORDS["f8"]), np.int64)
>>> for v in (1e300, 1.0, -1e300, 2.0**-1074):
...     srcad_exact_add(row, 0, v)
>>> srcad_exact_value(row, 0)
1.0
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

WORDS = {"f8": 71, "f4": 14}


def srcad_word(acc: Any, at: int, k: int, d: int) -> None:
    """Add to a word; nobody else does so at the same time."""
    acc[at, k] += d


def srcad_device_word(acc: Any, at: int, k: int, d: int) -> None:
    """Add to a word that other threads add to as well."""
    cuda.atomic.add(acc, (at, k), d)  # type: ignore[name-defined]  # noqa: F821


def srcad_exact_add(acc: Any, at: int, v: float) -> None:
    """Add a number to row ``at``."""
    last = acc.shape[1] - 3
    if v - v != 0.0:
        srcad_word(acc, at, last if v > 0.0 else last + 1 if v < 0.0 else last + 2, 1)
    elif v != 0.0:
        part, e = math.frexp(abs(v))
        whole = int(part * 9007199254740992.0)  # 2**53
        place = e + (1073 if last > 20 else 148)
        k = place >> 5
        low = (whole & 4294967295) << (place & 31)
        high = (whole >> 32) << (place & 31)
        high += low >> 32
        sign = 1 if v > 0.0 else -1
        srcad_word(acc, at, k, sign * (low & 4294967295))
        srcad_word(acc, at, k + 1, sign * (high & 4294967295))
        srcad_word(acc, at, k + 2, sign * (high >> 32))


def srcad_exact_value(acc: Any, at: int) -> float:
    """The sum in row ``at``."""
    last = acc.shape[1] - 3
    up, down, other = acc[at, last], acc[at, last + 1], acc[at, last + 2]
    if other > 0 or up > 0 and down > 0:
        return math.nan
    if up > 0 or down > 0:
        return math.inf if up > 0 else -math.inf
    carry = 0
    for k in range(last):
        carry = (acc[at, k] + carry) >> 32
    sign = -1 if carry < 0 else 1
    total, top, carry = 0.0, 0, 0
    for k in range(last):
        word = sign * acc[at, k] + carry
        digit = word & 4294967295
        carry = word >> 32
        if digit != 0:
            total = digit + math.ldexp(total, -32 * min(k - top, 60))
            top = k
    return sign * math.ldexp(total, 32 * top - (1126 if last > 20 else 201))


def srcad_exact_clear(acc: Any, at: int) -> None:
    """Row ``at`` is zero."""
    for k in range(acc.shape[1]):
        acc[at, k] = 0


EXACT_HELPERS: dict[str, Callable[..., Any]] = {
    name: f for name, f in globals().items() if name.startswith("srcad_")
}
ON_DEVICE = {"srcad_word": "srcad_device_word"}
