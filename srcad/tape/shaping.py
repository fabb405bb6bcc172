"""Operations that move elements: reshape, transpose, broadcast, join, split, pad, repeat.

Each is linear; its pullback is another one of them.  Views are shared, since tensors never
change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.convert import check_same, is_tensor_like, to_tensor
from srcad.tape.elementwise import listed
from srcad.tape.emit import as_shape, axes_from_end, axis_from_end, emit, plain
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.tensor import Tensor


def dims(x: Tensor) -> tuple[int, ...]:
    """The shape as a tuple."""
    return x._value.shape


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in another shape (one dimension may be -1)."""
    x = to_tensor(tensor)
    wanted = as_shape(shape)
    try:
        value = np.reshape(x._value, wanted)
    except ValueError:
        size = x._value.size
        raise InvalidArgumentError(
            f"Input to reshape is a tensor with {size} values, but the requested shape has "
            f"{int(np.prod(wanted))} [Op:Reshape]"
        ) from None
    return emit(value, (x,), lambda g, i, inputs, out, lead: reshape(g, dims(g)[:lead] + dims(x)))


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Repeated along new and unit axes up to a shape."""
    x = to_tensor(input)
    try:
        value = np.broadcast_to(x._value, as_shape(shape))
    except ValueError:
        raise InvalidArgumentError(
            f"Incompatible shapes: {listed(dims(x))} vs. {listed(as_shape(shape))} [Op:BroadcastTo]"
        ) from None
    return emit(value, (x,), lambda g, i, inputs, out, lead: unbroadcast(g, x, lead))


def unbroadcast(g: Tensor, x: Tensor, lead: int) -> Tensor:
    """A cotangent of a broadcast operand, summed to the operand's shape."""
    from srcad.tape.reductions import reduce_sum

    have, want = dims(g), dims(x)
    if have[lead:] == want:
        return g
    new = len(have) - lead - len(want)
    axes = [*range(lead, lead + new)]
    axes += [a for a, d in enumerate(want, lead + new) if d == 1 and have[a] != 1]
    return reshape(reduce_sum(g, axes), have[:lead] + want)


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """With a new axis of length 1."""
    x = to_tensor(input)
    a = int(plain(axis))
    shape = list(dims(x))
    if not -len(shape) - 1 <= a <= len(shape):
        raise InvalidArgumentError(
            f"Tried to expand dim index {a} for tensor with {len(shape)} dimensions. "
            "[Op:ExpandDims]"
        )
    shape.insert(a if a >= 0 else len(shape) + 1 + a, 1)
    return reshape(x, shape)


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Without axes of length 1 (all of them, or those given)."""
    x = to_tensor(input)
    shape = dims(x)
    drop = {a for a in range(-len(shape), 0) if shape[a] == 1}
    if axis is not None and plain(axis) != []:
        drop = set(axes_from_end(axis, len(shape), "Squeeze"))
        for a in drop:
            if shape[a] != 1:
                raise InvalidArgumentError(
                    f"Can not squeeze dim[{a + len(shape)}], expected a dimension of 1, got "
                    f"{shape[a]} [Op:Squeeze]"
                )
    return reshape(x, [shape[a] for a in range(-len(shape), 0) if a not in drop])


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Tensor:
    """With permuted axes (reversed if none are given)."""
    x = to_tensor(a)
    n = x.ndim
    order = tuple(range(n))[::-1] if perm is None else tuple(as_shape(perm))
    if sorted(order) != list(range(n)):
        raise InvalidArgumentError(f"transpose expects a vector of size {n}, not {list(order)}")
    back = np.argsort(order)

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return transpose(g, [*range(lead), *(int(k) + lead for k in back)])

    return emit(np.transpose(x._value, order), (x,), pull)


def matrix_transpose(a: Any, name: str | None = None, conjugate: bool = False) -> Tensor:
    """The last two axes exchanged."""
    x = to_tensor(a)
    n = x.ndim
    return transpose(x, [*range(n - 2), n - 1, n - 2])


def concat(values: Any, axis: Any, name: str | None = None) -> Tensor:
    """Tensors one behind the other along an axis."""
    xs = _same_type(values)
    a = axis_from_end(axis, xs[0].ndim, "ConcatV2")
    ends = np.cumsum([x._value.shape[a] for x in xs])

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        stop = int(ends[i])
        return g[along(a, slice(stop - dims(inputs[i])[a], stop))]

    try:
        value = np.concatenate([x._value for x in xs], axis=a)
    except ValueError:
        shapes = " vs. ".join(f"shape[{k}] = {listed(dims(x))}" for k, x in enumerate(xs))
        what = "Dimension" if len({x.ndim for x in xs}) == 1 else "Rank"
        raise InvalidArgumentError(
            f"ConcatOp : {what}s of all input tensors should match: {shapes} [Op:ConcatV2]"
        ) from None
    return emit(value, tuple(xs), pull)


def stack(values: Any, axis: Any = 0, name: str = "stack") -> Tensor:
    """Tensors of one shape side by side along a new axis."""
    xs = _same_type(values)
    a = axis_from_end(axis, xs[0].ndim + 1, "Pack")

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return g[along(a, i)]

    try:
        value = np.stack([x._value for x in xs], axis=a)
    except ValueError:
        k = next(k for k, x in enumerate(xs) if dims(x) != dims(xs[0]))
        raise InvalidArgumentError(
            f"Shapes of all inputs must match: values[0].shape = {listed(dims(xs[0]))} != "
            f"values[{k}].shape = {listed(dims(xs[k]))} [Op:Pack] name: {name}"
        ) from None
    return emit(value, tuple(xs), pull)


def unstack(value: Any, num: int | None = None, axis: Any = 0, name: str = "") -> list[Tensor]:
    """The slices along an axis, as a list."""
    x = to_tensor(value)
    a = axis_from_end(axis, x.ndim, "Unpack")
    return [x[along(a, i)] for i in range(dims(x)[a])]


def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = ""
) -> list[Tensor]:
    """Pieces along an axis: so many of equal size, or of given sizes."""
    x = to_tensor(value)
    a = axis_from_end(axis, x.ndim, "Split")
    sizes, length = plain(num_or_size_splits), dims(x)[a]
    if isinstance(sizes, int):
        if length % sizes:
            raise InvalidArgumentError(
                f"Number of ways to split should evenly divide the split dimension, but got "
                f"split_dim {a + x.ndim} (size = {length}) and num_split {sizes} [Op:Split]"
            )
        sizes = [length // sizes] * sizes
    known = sum(s for s in sizes if s >= 0)
    ends = np.cumsum([s if s >= 0 else length - known for s in sizes]).tolist()
    return [x[along(a, slice(b, e))] for b, e in zip([0, *ends], ends, strict=False)]


def along(axis: int, index: Any) -> tuple[Any, ...]:
    """The subscript that applies ``index`` to an axis counted from the end."""
    return (Ellipsis, index, *[slice(None)] * (-axis - 1))


def _same_type(values: Any) -> list[Tensor]:
    if is_tensor_like(values):
        return unstack(values)
    given = list(values)
    first = next((to_tensor(v) for v in given if is_tensor_like(v)), None)
    hint = None if first is None else first._value.dtype
    xs = [to_tensor(v, hint=hint) for v in given]
    if first is None:  # plain values: the widest type of all
        wide = np.result_type(*[x._value.dtype for x in xs])
        own = {x._value.dtype for x in xs if x._value.dtype.kind == wide.kind}
        xs = [to_tensor(v, hint=max(own, key=lambda t: t.itemsize, default=wide)) for v in given]
    for x in xs[1:]:
        check_same(xs[0], x, "Pack")
    return xs


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: Any = 0,
    name: str | None = None,
) -> Tensor:
    """With a margin of a constant, or of mirrored elements (``REFLECT``, ``SYMMETRIC``)."""
    x = to_tensor(tensor)
    widths = plain(paddings)
    if mode.upper() != "CONSTANT":
        return _mirrored(x, widths, mode.lower())
    fill = to_tensor(constant_values, hint=x._value.dtype)._value
    middle = tuple(slice(b, b + d) for (b, _), d in zip(widths, dims(x), strict=True))

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return g[(Ellipsis, *middle)]

    return emit(np.pad(x._value, widths, constant_values=fill), (x,), pull)


def _mirrored(x: Tensor, widths: Any, mode: str) -> Tensor:
    from srcad.tape.indexing import gather

    for a, (b, e) in enumerate(widths):
        order = np.pad(np.arange(dims(x)[a]), (b, e), mode=mode)  # type: ignore[call-overload]
        x = gather(x, order, axis=a)
    return x


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """Repeated so many times along every axis."""
    x = to_tensor(input)
    times = as_shape(multiples)
    parts = tuple(n for pair in zip(times, dims(x), strict=True) for n in pair)
    summed = range(-len(parts), 0, 2)

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        from srcad.tape.reductions import reduce_sum

        return reduce_sum(reshape(g, dims(g)[:lead] + parts), list(summed))

    return emit(np.tile(x._value, times), (x,), pull)


def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Every element (along an axis) repeated so many times."""
    from srcad.tape.indexing import gather

    x = to_tensor(input) if axis is not None else reshape(input, [-1])
    a = axis_from_end(0 if axis is None else axis, x.ndim)
    return gather(x, np.repeat(np.arange(dims(x)[a]), plain(repeats)), axis=a)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """Backwards along axes."""
    x = to_tensor(tensor)
    axes = axes_from_end(axis, x.ndim, "ReverseV2")
    pulled = lambda g, i, inputs, out, lead: reverse(g, list(axes))  # noqa: E731
    return emit(np.flip(x._value, axes), (x,), pulled)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Shifted round along axes."""
    x = to_tensor(input)
    by, on = plain(shift), plain(axis)
    by, on = (by, on) if isinstance(by, list) else ([by], [on])
    axes = [axis_from_end(a, x.ndim, "Roll") for a in on]

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return roll(g, [-b for b in by], axes)

    return emit(np.roll(x._value, by, axes), (x,), pull)
