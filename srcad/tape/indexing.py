"""Selecting elements: subscripts, gather, scatter, masks, sorting; and ``stop_gradient``.

A selection's pullback puts the cotangent into zeros (adding where an element was taken twice),
and the other way round.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from srcad.tape import kernels
from srcad.tape.convert import is_tensor_like, to_tensor
from srcad.tape.elementwise import listed, select
from srcad.tape.emit import as_shape, axis_from_end, emit, plain, raw
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.shaping import dims, reshape, transpose
from srcad.tape.tensor import Tensor, wrap


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The same value, through which no derivative passes."""
    return Tensor(to_tensor(input)._value)


def identity(input: Any, name: str | None = None) -> Tensor:
    """The same value, as a tensor of its own."""
    x = to_tensor(input)
    return emit(x._value, (x,), lambda g, i, inputs, out, lead: g)


# subscripts
def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]`` with integers, slices, ``...``, new axes, or one tensor of bools."""
    if is_tensor_like(key) and to_tensor(key)._value.dtype.kind == "b":
        return boolean_mask(x, key)
    parts = key if isinstance(key, tuple) else (key,)
    for p, k in enumerate(parts):
        if is_tensor_like(k) and kernels.is_symbolic(to_tensor(k)._value):
            return _element_at(x, parts, p)
    index = tuple(_part(k) for k in parts)
    try:
        value = x._value[index] if x._value.shape else _of_scalar(x._value, index)
    except IndexError:
        raise InvalidArgumentError(_out_of_range(index, dims(x))) from None

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return put(g, (*[slice(None)] * lead, *index), dims(g)[:lead] + dims(x))

    return emit(value, (x,), pull)


def _of_scalar(value: Any, index: tuple[Any, ...]) -> Any:
    """A subscript of a number: only new axes are possible."""
    if kernels.is_elsewhere(value) and all(k is None or k is Ellipsis for k in index):
        return value.reshape((1,) * sum(k is None for k in index))
    return np.asarray(value)[index]


def _element_at(x: Tensor, parts: tuple[Any, ...], p: int) -> Tensor:
    """A subscript of which part ``p`` is a number that is not known yet."""
    number = to_tensor(parts[p])
    gaps = [k for k, part in enumerate(parts) if part is Ellipsis]
    before, after = (sum(k is not None for k in side) for side in (parts[:p], parts[p:]))
    a = -after if gaps and gaps[0] < p else before
    if number.ndim or number._value.dtype.kind not in "iu":
        return getitem(x, (*parts[:p], _part(number), *parts[p + 1 :]))
    from_end = wrap(number._value + number._value.dtype.type(dims(x)[a]))
    wrapped = select(wrap(number._value < 0), from_end, number)
    found, rest = gather(x, wrapped, axis=a), (*parts[:p], *parts[p + 1 :])
    return getitem(found, rest) if rest else found


def _out_of_range(index: tuple[Any, ...], shape: tuple[int, ...]) -> str:
    """The message for a subscript that does not fit."""
    parts = [k for k in index if k is not None and k is not Ellipsis]
    if len(parts) > len(shape):
        n = len(shape)
        return f"Index out of range using input dim {n}; input has only {n} dims [Op:StridedSlice]"
    at = [k for k in index if k is not None]
    first = at.index(Ellipsis) if Ellipsis in at else len(at)
    places = [*range(first), *range(len(shape) - (len(parts) - first), len(shape))]
    for k, a in zip(parts, places, strict=True):
        if isinstance(k, int) and not -shape[a] <= k < shape[a]:
            return f"slice index {k} of dimension {a} out of bounds. [Op:StridedSlice]"
    return f"slice {index} out of bounds [Op:StridedSlice]"


def put(g: Tensor, index: tuple[Any, ...], shape: tuple[int, ...]) -> Tensor:
    """Zeros of a shape, with ``g`` at a basic subscript: the transpose of ``getitem``."""
    value = kernels.put(g._value, index, shape)

    def pull(c: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return c[(*[slice(None)] * lead, *index)]

    return emit(value, (g,), pull)


def _part(k: Any) -> Any:
    if isinstance(k, slice):
        return slice(plain(k.start), plain(k.stop), plain(k.step))
    if k is None or k is Ellipsis or type(k) is int:
        return k
    value = to_tensor(k)._value
    if value.shape or value.dtype.kind not in "iu":
        raise TypeError(
            "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar "
            f"tf.int32/tf.int64 tensors are valid indices, got {k!r}; use tf.gather or "
            "tf.boolean_mask"
        )
    return int(value)


# gather and scatter along an axis
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: Any = 0,
    name: str | None = None,
) -> Tensor:
    """The slices of ``params`` at ``indices`` along an axis."""
    x, where = to_tensor(params), raw(indices)
    if batch_dims:
        return _gather_batched(x, where, int(plain(batch_dims)), axis)
    a = axis_from_end(0 if axis is None else axis, x.ndim, "GatherV2")
    size = dims(x)[a]
    known = not kernels.is_elsewhere(where)
    if known and where.size and not (where.min() >= 0 and where.max() < size):
        wrong = np.argwhere((where < 0) | (where >= size))[0]
        place = listed(tuple(wrong)) if where.ndim else ""
        bad = where[tuple(wrong)]
        raise InvalidArgumentError(f"indices{place} = {bad} is not in [0, {size}) [Op:GatherV2]")

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return _scatter(g, where, a, size)

    return emit(np.take(x._value, where, axis=a), (x,), pull)


def _scatter(g: Tensor, where: Any, a: int, size: int) -> Tensor:
    """The transpose of ``gather`` along axis ``a`` of length ``size``."""
    shape, after = dims(g), -a - 1
    front = shape[: len(shape) - after - where.ndim]
    full = (*front, size, *shape[len(shape) - after :])
    value = kernels.scatter_add(g._value, (where,), len(front), full)

    def pull(c: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return gather(c, where, axis=a)

    return emit(value, (g,), pull)


def _gather_batched(x: Tensor, where: Any, batch: int, axis: Any) -> Tensor:
    """``gather`` in every entry of leading batch axes; the axis must follow them."""
    a = batch if axis is None else int(plain(axis)) % x.ndim
    if a != batch:
        raise InvalidArgumentError(
            f"tf.gather with batch_dims={batch} needs axis={batch} here, not {a}",
            instead="transpose the axis to that place",
        )
    grid = np.indices(where.shape[:batch], np.int32)
    rest = where.ndim - batch
    parts = [p.reshape(*p.shape, *[1] * rest) for p in grid]
    full = np.stack([*(np.broadcast_to(p, where.shape) for p in parts), where], axis=-1)
    return gather_nd(x, full)


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: str | None = None) -> Tensor:
    """The slices of ``params`` at index tuples, which the last axis of ``indices`` holds."""
    x, index = to_tensor(params), _tuples(indices)
    for k, part in enumerate(index):
        known = not kernels.is_elsewhere(part)
        if known and part.size and (part.min() < 0 or part.max() >= dims(x)[k]):
            raise InvalidArgumentError(
                f"indices do not index into param shape {list(dims(x))} [Op:GatherNd]"
            )

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return _scatter_nd(g, index, dims(g)[:lead] + dims(x), lead)

    return emit(x._value[index], (x,), pull)


def _tuples(indices: Any) -> tuple[Any, ...]:
    """Index tuples, which lie along the last axis, as one array per indexed axis."""
    where = raw(indices)
    return tuple(where[..., k] for k in range(where.shape[-1]))


def _scatter_nd(g: Tensor, index: Any, shape: tuple[int, ...], lead: int) -> Tensor:
    value = kernels.scatter_add(g._value, tuple(index), lead, shape)

    def pull(c: Tensor, i: int, inputs: Any, out: Any, more: int) -> Tensor:
        k = np.stack(index, axis=-1)
        if lead + more == 0:
            return gather_nd(c, k)
        n = lead + more
        turned = transpose(c, [*range(n, c.ndim), *range(n)])
        taken = gather_nd(turned, k)
        return transpose(taken, [*range(taken.ndim - n, taken.ndim), *range(taken.ndim - n)])

    return emit(value, (g,), pull)


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of a shape, to which ``updates`` are added at index tuples."""
    return _scatter_nd(to_tensor(updates), _tuples(indices), as_shape(shape), 0)


def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: str = "") -> Tensor:
    """``tensor`` with ``updates`` added at index tuples."""
    x = to_tensor(tensor)
    return x + scatter_nd(indices, updates, dims(x))


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str = "") -> Tensor:
    """``tensor`` with the elements at index tuples replaced (indices must differ)."""
    x = to_tensor(tensor)
    index = _tuples(indices)
    count = kernels.scatter_add(np.ones(index[0].shape, np.int32), index, 0, dims(x)[: len(index)])
    hit = np.reshape(count > 0, (*count.shape, *[1] * (x.ndim - len(index))))
    return select(hit, scatter_nd(indices, updates, dims(x)), x)


# masks and order
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The block that begins at given indices and has a given size (-1: up to the end)."""
    starts, sizes = as_shape(begin), as_shape(size)
    pairs = zip(starts, sizes, strict=True)
    return getitem(to_tensor(input_), tuple(slice(b, None if n == -1 else b + n) for b, n in pairs))


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Sums of the slices with the same number (numbers ascend)."""
    numbers = np.asarray(to_tensor(segment_ids)._value)
    count = int(numbers.max(initial=-1)) + 1
    return unsorted_segment_sum(data, numbers, count)


def unsorted_segment_sum(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """Sums of the slices with the same number, one for each number."""
    x, numbers = to_tensor(data), raw(segment_ids)
    flat = reshape(x, [numbers.size, *dims(x)[numbers.ndim :]])
    return _scatter(flat, numbers.reshape(-1), -flat.ndim, int(plain(num_segments)))


def boolean_mask(tensor: Any, mask: Any, axis: Any = 0, name: str = "boolean_mask") -> Tensor:
    """The elements at which the mask holds, in one axis."""
    x, m = to_tensor(tensor), raw(mask)
    a = int(plain(axis)) if axis is not None else 0
    shape = dims(x)
    if shape[a : a + m.ndim] != m.shape:
        raise ValueError(f"Shapes {shape[a : a + m.ndim]} and {m.shape} are incompatible")
    flat = reshape(x, [*shape[:a], m.size, *shape[a + m.ndim :]])
    return gather(flat, np.flatnonzero(m), axis=a)


def where_indices(condition: Any) -> Tensor:
    """The index tuples at which a condition holds."""
    return wrap(np.argwhere(raw(condition)).astype(np.int64))


def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str = ""
) -> Tensor:
    """The order that sorts along an axis."""
    v = to_tensor(values)._value
    order = np.argsort(-v if direction == "DESCENDING" else v, axis=plain(axis), kind="stable")
    return wrap(order.astype(np.int32))


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str = "") -> Tensor:
    """Sorted along an axis."""
    x = to_tensor(values)
    return take_along(x, argsort(x, axis, direction), int(plain(axis)))


def take_along(x: Tensor, indices: Any, axis: int) -> Tensor:
    """For every position, the element at an index along one axis."""
    where = raw(indices)
    grid: list[Any] = list(np.indices(where.shape, np.int32))
    grid[axis] = where
    return gather_nd(x, np.stack(grid, axis=-1))


class TopKV2(NamedTuple):
    """The result of ``top_k``."""

    values: Tensor
    indices: Tensor


def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> Any:
    """The ``k`` largest elements along the last axis, and where they are."""
    x = to_tensor(input)
    where = argsort(x, -1, "DESCENDING")._value[..., : int(plain(k))]
    return TopKV2(take_along(x, where, -1), wrap(where))
