"""Tensors from nothing: ranges, grids, identity, one-hot; and questions about tensors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from srcad.tape.convert import is_tensor_like, pair, to_tensor
from srcad.tape.dtypes import as_dtype, float32, int32, int64
from srcad.tape.elementwise import VOCABULARY, select
from srcad.tape.emit import as_shape, axis_from_end, plain, raw
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.mathops import cast
from srcad.tape.shaping import broadcast_to, concat, reshape
from srcad.tape.state import STATE
from srcad.tape.tensor import Tensor, wrap

_v = VOCABULARY


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Tensor:
    """A tensor of the value."""
    hint = None if dtype_hint is None else as_dtype(dtype_hint)._np
    return to_tensor(value, dtype, hint)


def zeros(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Creates a tensor with all elements set to zero."""
    return wrap(np.zeros(as_shape(shape), as_dtype(dtype)._np))


def ones(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Creates a tensor with all elements set to one (1)."""
    return wrap(np.ones(as_shape(shape), as_dtype(dtype)._np))


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """One value everywhere."""
    return broadcast_to(to_tensor(value), dims)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """Identity matrices."""
    columns = None if num_columns is None else int(num_columns)
    one = np.eye(int(num_rows), columns, dtype=as_dtype(dtype)._np)
    shape = () if batch_shape is None else as_shape(batch_shape)
    return wrap(np.broadcast_to(one, (*shape, *one.shape)))


def range_(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Tensor:
    """Numbers from ``start`` (0) up to, but not including, ``limit``."""
    if limit is None:
        start, limit = 0, start
    values = [to_tensor(v)._value for v in (start, limit, delta)]
    if STATE.trace is not None and all(v.dtype.kind in "iu" for v in values):
        return STATE.trace.range(tuple(values), values[1].dtype)
    kind = np.result_type(*[v.dtype for v in values]) if dtype is None else as_dtype(dtype)._np
    if kind.kind == "f" and dtype is None and all(v.dtype.itemsize < 8 for v in values):
        kind = np.dtype(np.float32)
    if values[2] == 0:
        raise InvalidArgumentError("Requires delta != 0: 0 [Op:Range]")
    return wrap(np.arange(*values).astype(kind))


def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Tensor:
    """Equally spaced numbers, both ends included."""
    start, stop = pair(start, stop, "LinSpace")
    if not start.dtype.is_floating:
        start, stop = cast(start, "float64"), cast(stop, "float64")
    n = int(plain(num))
    if n < 1:
        raise InvalidArgumentError(f"Requires num > 0: {n} [Op:LinSpace]")
    shape = np.broadcast_shapes(start._value.shape, stop._value.shape)
    a = axis_from_end(axis, len(shape) + 1)
    one = [*shape]
    one.insert(len(shape) + 1 + a, 1)
    first, last = (reshape(broadcast_to(e, shape), one) for e in (start, stop))
    if n == 1:
        return first
    step = _v["truediv"](_v["sub"](last, first), float(n - 1))
    counts = wrap(np.arange(1, n - 1, dtype=start._value.dtype).reshape([-1] + [1] * (-a - 1)))
    middle = _v["add"](first, _v["mul"](step, counts))
    return concat([first, middle, last] if n > 2 else [first, last], a)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """Vectors of zeros with a one at an index (negative: none)."""
    where = raw(indices)
    hit = where[..., None] == np.arange(int(plain(depth)))
    if axis is not None and axis != -1:
        hit = np.moveaxis(hit, -1, axis)
    kind = float32 if dtype is None else as_dtype(dtype)
    if on_value is not None and dtype is None:
        kind = to_tensor(on_value).dtype
    on = to_tensor(1 if on_value is None else on_value)
    off = to_tensor(0 if off_value is None else off_value)
    return select(hit, cast(on, kind), cast(off, kind))


def meshgrid(*args: Any, indexing: str = "xy", **kwargs: Any) -> list[Tensor]:
    """Coordinates of a grid, one tensor per axis."""
    parts = [reshape(to_tensor(a), [-1]) for a in args]
    n = len(parts)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    whole = [0] * n
    for k, p in enumerate(parts):
        whole[order[k]] = p._value.size
    shapes = [[-1 if order[k] == a else 1 for a in range(n)] for k in range(n)]
    return [broadcast_to(reshape(p, s), whole) for p, s in zip(parts, shapes, strict=True)]


def argmax(input: Any, axis: Any = None, output_type: Any = int64, name: str = "") -> Tensor:
    """Where the largest element is (the first one)."""
    return _arg(np.argmax, input, axis, output_type)


def argmin(input: Any, axis: Any = None, output_type: Any = int64, name: str = "") -> Tensor:
    """Where the smallest element is (the first one)."""
    return _arg(np.argmin, input, axis, output_type)


def _arg(f: Any, input: Any, axis: Any, output_type: Any) -> Tensor:
    if not raw(input).size:
        raise InvalidArgumentError(f"Reduction axis {axis or 0} is empty [Op:{f.__name__}]")
    found = f(raw(input), axis=0 if axis is None else int(plain(axis)))
    return wrap(found.astype(as_dtype(output_type)._np))


def shape(input: Any, out_type: Any = int32, name: str | None = None) -> Tensor:
    """The shape as a tensor."""
    return wrap(np.array(to_tensor(input)._value.shape, as_dtype(out_type)._np))


def size(input: Any, out_type: Any = int32, name: str | None = None) -> Tensor:
    """The number of elements."""
    return wrap(np.array(to_tensor(input)._value.size, as_dtype(out_type)._np))


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes."""
    return wrap(np.array(to_tensor(input).ndim, np.int32))


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a tensor or variable."""
    return is_tensor_like(x)


class Unique(NamedTuple):
    """The result of ``unique``."""

    y: Tensor
    idx: Tensor


def unique(x: Any, out_idx: Any = int32, name: str | None = None) -> Any:
    """The different elements in order of appearance, and which one each element is."""
    v = to_tensor(x)._value
    values, first, inverse = np.unique(v, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.argsort(order)[inverse.reshape(-1)]
    kind = as_dtype(out_idx)._np
    return Unique(wrap(values[order]), wrap(place.astype(kind)))


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = int32, name: str = ""
) -> Tensor:
    """Where values would be inserted into a sorted vector."""
    place: Any = np.searchsorted
    found = place(to_tensor(sorted_sequence)._value, to_tensor(values)._value, side)
    return wrap(np.asarray(found, as_dtype(out_type)._np))
