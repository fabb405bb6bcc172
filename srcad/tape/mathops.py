"""Elementwise operations that are more than one primitive, or a primitive under conditions.

Division of integers, casts, rounding, clipping, ``where``.  Derivatives follow from the
operations they consist of.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.convert import beside, is_tensor_like, pair, to_tensor
from srcad.tape.dtypes import as_dtype
from srcad.tape.elementwise import VOCABULARY, select
from srcad.tape.emit import emit
from srcad.tape.indexing import where_indices
from srcad.tape.reductions import reduce_sum
from srcad.tape.tensor import Tensor, wrap

_v = VOCABULARY
_divide = VOCABULARY["truediv"]


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y``; integers become floats first (64 bits from 32)."""
    if type(x) is not Tensor or type(y) is not Tensor:
        x, y = (
            (to_tensor(x), beside(y, to_tensor(x))) if is_tensor_like(x) else pair(x, y, "RealDiv")
        )
    kind = x._value.dtype
    if kind != y._value.dtype:
        raise TypeError(f"`x` and `y` must have the same dtype, got {x.dtype!r} != {y.dtype!r}.")
    if kind.kind in "iu":
        wide = "float32" if kind.itemsize < 4 else "float64"
        x, y = cast(x, wide), cast(y, wide)
    return _divide(x, y)


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Converted to another element type; derivatives pass between float types."""
    kind = as_dtype(dtype)._np
    given = x if is_tensor_like(x) else _unconverted(x)
    t = to_tensor(given)
    have = t._value.dtype
    if have == kind:
        return t
    with np.errstate(all="ignore"):
        value = t._value.astype(kind)
    if kind.kind != "f" or have.kind != "f":
        return wrap(value)
    return emit(value, (t,), lambda g, i, inputs, out, lead: cast(g, have))


def _unconverted(x: Any) -> Any:
    """Python floats keep 64 bits until they are cast."""
    return np.asarray(x) if isinstance(x, float) else x


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Converted, values out of range clipped to it."""
    kind = as_dtype(dtype)
    x = to_tensor(value)
    low, high = kind.limits
    return cast(wrap(np.clip(x._value, low, high)), kind)


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x * y``, zero where ``y`` is zero, whatever ``x``."""
    return _v["guarded_mul"](y, x)


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y``, zero where ``y`` is zero."""
    x, y = pair(x, y, "DivNoNan")
    zero = _v["eq"](y, 0)
    quotient = _v["truediv"](x, select(zero, 1.0 if x.dtype.is_floating else 1, y))
    return select(zero, _v["zeros_like"](quotient), quotient)


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``(x - y)^2``."""
    return _v["square"](_v["sub"](x, y))


def rsqrt(x: Any, name: str | None = None) -> Tensor:
    """``1 / sqrt(x)``."""
    x = to_tensor(x)
    return _v["truediv"](1.0, _v["sqrt"](x))


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Elements of ``x`` or ``y``; without them, the indices where the condition holds."""
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    return where_indices(condition) if x is None else select(condition, x, y)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str = "") -> Tensor:
    """Limited to an interval."""
    return _v["maximum"](_v["minimum"](t, clip_value_max), clip_value_min)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Scaled down such that the norm (along axes) is at most ``clip_norm``."""
    t = to_tensor(t)
    squares = reduce_sum(_v["mul"](t, t), axes, keepdims=True)
    positive = _v["gt"](squares, 0)
    root = _v["sqrt"](select(positive, squares, _v["add"](_v["zeros_like"](squares), 1)))
    length = select(positive, root, squares)
    scaled = _v["mul"](t, clip_norm)
    result = _v["truediv"](scaled, _v["maximum"](length, clip_norm))
    return result if result._value.shape == t._value.shape else result[0]


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """The norm of all tensors together."""
    squares = [reduce_sum(_v["square"](t)) for t in t_list if t is not None]
    total = squares[0]
    for s in squares[1:]:
        total = _v["add"](total, s)
    return _v["sqrt"](total)


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """All tensors scaled down such that their common norm is at most ``clip_norm``."""
    norm = global_norm(t_list) if use_norm is None else to_tensor(use_norm)
    limit = beside(clip_norm, norm)
    inverse = _v["minimum"](_v["truediv"](1.0, norm), _v["truediv"](1.0, limit))
    scale = _v["mul"](limit, inverse)
    return [None if t is None else _v["mul"](t, scale) for t in t_list], norm


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of tensors of one shape."""
    total = to_tensor(inputs[0])
    for x in inputs[1:]:
        total = _v["add"](total, x)
    return total


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """A polynomial by Horner's rule, highest coefficient first."""
    x = to_tensor(x)
    total = beside(coeffs[0], x)
    for c in coeffs[1:]:
        total = _v["add"](_v["mul"](total, x), c)
    return total
