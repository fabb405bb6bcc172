"""Questions about storage that are answered when a program runs.

>>> import numpy as np
>>> x = np.zeros(9)
>>> srcad_apart(x[:4], x[4:]), srcad_apart(x[::-1], x[8:])
(True, False)
"""

from __future__ import annotations

from typing import Any


def srcad_apart(a: Any, b: Any) -> bool:
    """Whether one of two arrays begins in memory where the other has ended."""
    if a.size == 0 or b.size == 0:
        return True
    low_a = a.ctypes.data
    high_a = low_a + a.itemsize
    for k in range(a.ndim):
        reach = (a.shape[k] - 1) * a.strides[k]
        low_a += min(reach, 0)
        high_a += max(reach, 0)
    low_b = b.ctypes.data
    high_b = low_b + b.itemsize
    for k in range(b.ndim):
        reach = (b.shape[k] - 1) * b.strides[k]
        low_b += min(reach, 0)
        high_b += max(reach, 0)
    return high_a <= low_b or high_b <= low_a
