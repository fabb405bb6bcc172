"""Two-dimensional convolution and pooling, on ``(batch, height, width, channels)``.

A convolution gathers its windows (a linear operation with a pullback) and multiplies matrices;
pooling reduces the windows.  Slower than a library of kernels, and differentiable to any order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.indexing import gather
from srcad.tape.linear import matmul
from srcad.tape.reductions import reduce_max, reduce_mean
from srcad.tape.shaping import dims, pad, reshape, transpose
from srcad.tape.tensor import Tensor


def both(value: Any) -> tuple[int, int]:
    """One number for two axes, two, or those in the middle of four."""
    if isinstance(value, int):
        return value, value
    first, second = value if len(value) == 2 else value[1:3]
    return int(first), int(second)


def windows(
    x: Tensor, size: tuple[int, int], strides: tuple[int, int], padding: str, fill: float = 0.0
) -> Tensor:
    """All windows: ``(batch, rows, columns, height, width, channels)``."""
    if padding.lower() == "same":
        margins = [_margin(n, k, s) for n, k, s in zip(dims(x)[1:3], size, strides, strict=True)]
        x = pad(x, [[0, 0], *margins, [0, 0]], constant_values=fill)
    for axis, (k, s) in zip((1, 3), zip(size, strides, strict=True), strict=True):
        count = (dims(x)[axis] - k) // s + 1
        index = np.arange(count)[:, None] * s + np.arange(k)
        x = gather(x, index, axis=axis)
    return transpose(x, [0, 1, 3, 2, 4, 5])


def _margin(n: int, k: int, s: int) -> list[int]:
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return [total // 2, total - total // 2]


def conv2d(
    input: Any, filters: Any, strides: Any = 1, padding: str = "VALID", name: str | None = None
) -> Tensor:
    """Windows times a kernel ``(height, width, channels, filters)``."""
    x, w = to_tensor(input), to_tensor(filters)
    h, k, channels, count = dims(w)
    found = windows(x, (h, k), both(strides), padding)
    flat = reshape(found, [*dims(found)[:3], h * k * channels])
    return matmul(flat, reshape(w, [h * k * channels, count]))


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: str = "VALID", name: str | None = None
) -> Tensor:
    """The largest value of every window."""
    found = windows(to_tensor(input), both(ksize), both(strides), padding, -np.inf)
    return reduce_max(found, [3, 4])


def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: str = "VALID", name: str | None = None
) -> Tensor:
    """The mean of every window (of its part inside of the image)."""
    x = to_tensor(input)
    size, steps = both(ksize), both(strides)
    mean = reduce_mean(windows(x, size, steps, padding), [3, 4])
    if padding.lower() != "same":
        return mean
    ones = Tensor(np.ones(dims(x), x._value.dtype))
    inside = reduce_mean(windows(ones, size, steps, padding), [3, 4])
    return VOCABULARY["truediv"](mean, inside)
