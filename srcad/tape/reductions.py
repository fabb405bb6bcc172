"""Sums, products, extrema and what is made of them, over some axes or all.

Only ``reduce_sum``, ``reduce_max``, ``reduce_min`` and ``cumsum`` have pullbacks; everything
else is composed of recorded operations, so its derivatives of every order follow.  The cotangent
of a maximum is shared equally among ties, as TensorFlow does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY, select, zeros_like
from srcad.tape.emit import axes_from_end, axis_from_end, emit, plain
from srcad.tape.indexing import stop_gradient
from srcad.tape.shaping import along, broadcast_to, concat, dims, pad, reshape, reverse
from srcad.tape.tensor import Tensor, wrap

_v = VOCABULARY
Axis = Any


def _kept(x: Tensor, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with reduced axes of length 1."""
    return tuple(1 if a in axes else dims(x)[a] for a in range(-x.ndim, 0))


def _spread(g: Tensor, x: Tensor, axes: tuple[int, ...], lead: int) -> Tensor:
    """A reduced cotangent with the shape of the operand."""
    front = dims(g)[:lead]
    return broadcast_to(reshape(g, front + _kept(x, axes)), front + dims(x))


def reduce_sum(
    input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The sum over axes."""
    x = to_tensor(input_tensor)
    axes = axes_from_end(axis, x.ndim, "Sum")
    v = x._value
    value = np.sum(v, axis=axes, keepdims=keepdims, dtype=v.dtype) if axes else v
    return emit(value, (x,), lambda g, i, inputs, out, lead: _spread(g, x, axes, lead))


def _extremum(choose: Callable[..., Any], shown: str, sign: int) -> Callable[..., Tensor]:
    def reduce(
        input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
    ) -> Tensor:
        x = to_tensor(input_tensor)
        axes = axes_from_end(axis, x.ndim, shown)

        def pull(g: Tensor, i: int, inputs: Any, out: Tensor, lead: int) -> Tensor:
            hits = _v["eq"](x, reshape(out, _kept(x, axes)))
            ones = wrap(hits._value.astype(x._value.dtype))
            share = _v["truediv"](ones, reduce_sum(ones, list(axes), keepdims=True))
            return _v["mul"](_spread(g, x, axes, lead), share)

        v = x._value
        options: dict[str, Any] = {} if v.size else {"initial": _least(v.dtype, sign)}
        value = choose(v, axis=axes, keepdims=keepdims, **options) if axes else v
        return emit(value, (x,), pull)

    return reduce


def _least(dtype: Any, sign: int) -> Any:
    """What the extremum of nothing is: the end of the type's range."""
    if dtype.kind == "f":
        return dtype.type(-sign * np.inf)
    limits = np.iinfo(dtype)
    return limits.min if sign > 0 else limits.max


reduce_max = _extremum(np.max, "Max", 1)
reduce_min = _extremum(np.min, "Min", -1)


def reduce_mean(
    input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The mean over axes (of integers: rounded down, as TensorFlow does)."""
    x = to_tensor(input_tensor)
    axes = axes_from_end(axis, x.ndim, "Mean")
    total = reduce_sum(x, list(axes), keepdims)
    count = int(np.prod([dims(x)[a] for a in axes]))
    kind = x._value.dtype.kind
    return _v["truediv" if kind in "fc" else "floordiv"](total, Tensor(x._value.dtype.type(count)))


def reduce_prod(
    input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The product over axes, multiplied up in pairs: differentiable where factors are zero."""
    x = to_tensor(input_tensor)
    axes = axes_from_end(axis, x.ndim, "Prod")
    if x._value.dtype.kind not in "fc":
        return wrap(np.prod(x._value, axis=axes, keepdims=keepdims, dtype=x._value.dtype))
    shape = dims(x)
    for a in axes:
        x = _product(x, a)
    kept = tuple(1 if a in axes else d for a, d in zip(range(-len(shape), 0), shape, strict=True))
    return x if keepdims else reshape(x, [kept[a] for a in range(-len(kept), 0) if a not in axes])


def _product(x: Tensor, a: int) -> Tensor:
    """The product along one axis, which keeps length 1."""
    while dims(x)[a] > 1:
        half = dims(x)[a] // 2
        paired = _v["mul"](x[along(a, slice(0, half))], x[along(a, slice(half, 2 * half))])
        odd = dims(x)[a] % 2
        x = concat([paired, x[along(a, slice(2 * half, None))]], a) if odd else paired
    if dims(x)[a] == 0:
        return wrap(
            np.ones([1 if i == a else dims(x)[i] for i in range(-x.ndim, 0)], x._value.dtype)
        )
    return x


def reduce_logsumexp(
    input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """log(sum(exp(x))) without overflow."""
    x = to_tensor(input_tensor)
    top = reduce_max(stop_gradient(x), axis, keepdims=True)
    top = select(_v["isfinite"](top), top, zeros_like(top))
    total = _v["log"](reduce_sum(_v["exp"](_v["sub"](x, top)), axis, keepdims))
    return _v["add"](total, top if keepdims else reshape(top, dims(total)))


def reduce_variance(
    input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The mean squared distance from the mean."""
    x = to_tensor(input_tensor)
    if x._value.dtype.kind not in "fc":
        raise TypeError(f"Input must be either real or complex. Received integer type {x.dtype}.")
    return reduce_mean(_v["square"](_v["sub"](x, reduce_mean(x, axis, True))), axis, keepdims)


def reduce_std(
    input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The standard deviation."""
    return _v["sqrt"](reduce_variance(input_tensor, axis, keepdims))


def reduce_euclidean_norm(
    input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The root of the sum of squares."""
    return _v["sqrt"](reduce_sum(_v["square"](input_tensor), axis, keepdims))


def _logical(f: Callable[..., Any], shown: str) -> Callable[..., Tensor]:
    def reduce(
        input_tensor: Any, axis: Axis = None, keepdims: bool = False, name: str | None = None
    ) -> Tensor:
        x = to_tensor(input_tensor)
        return wrap(f(x._value, axis=axes_from_end(axis, x.ndim, shown), keepdims=keepdims))

    return reduce


reduce_any = _logical(np.any, "Any")
reduce_all = _logical(np.all, "All")


def count_nonzero(
    input: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None, name: str = ""
) -> Tensor:
    """The number of elements that are not zero."""
    x = to_tensor(input)
    found = np.count_nonzero(x._value, axis=axes_from_end(axis, x.ndim), keepdims=keepdims)
    return wrap(np.asarray(found, np.int64))


def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running sums along an axis."""
    x = to_tensor(x)
    a = axis_from_end(axis, x.ndim, "Cumsum")
    v = np.flip(x._value, a) if reverse else x._value
    value = np.cumsum(v, axis=a, dtype=v.dtype)
    value = value - v if exclusive else value
    value = np.flip(value, a) if reverse else value
    pulled = lambda g, i, inputs, out, lead: cumsum(g, a, exclusive, not reverse)  # noqa: E731
    return emit(value, (x,), pulled)


def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running products along an axis, by doubling: differentiable where factors are zero."""
    x = to_tensor(x)
    a = axis_from_end(axis, x.ndim, "Cumprod")
    if reverse:
        return _reversed(cumprod(_reversed(x, a), a, exclusive), a)
    n, step = dims(x)[a], 1
    if exclusive:
        x = _shifted(x, a, 1)
    while step < n:
        x = _v["mul"](x, _shifted(x, a, step))
        step *= 2
    return x


def _reversed(x: Tensor, a: int) -> Tensor:
    return reverse(x, [a])


def _shifted(x: Tensor, a: int, by: int) -> Tensor:
    """Moved along an axis, ones coming in."""
    widths = [[by, 0] if i == a else [0, 0] for i in range(-x.ndim, 0)]
    return pad(x[along(a, slice(0, dims(x)[a] - by))], widths, constant_values=1)


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: str = ""
) -> Tensor:
    """The vector norm of a given order, or (``"fro"``, or two axes) the Frobenius norm."""
    x = to_tensor(tensor)
    order = plain(ord)
    if order in ("euclidean", "fro", 2):
        return _v["sqrt"](reduce_sum(_v["square"](x), axis, keepdims))
    if order == 1:
        return reduce_sum(_v["abs"](x), axis, keepdims)
    if order == float("inf"):
        return reduce_max(_v["abs"](x), axis, keepdims)
    powers = reduce_sum(_v["pow"](_v["abs"](x), order), axis, keepdims)
    return _v["pow"](powers, 1 / order)
