"""Jacobians on a tape: many cotangents pulled back at once.

The unit cotangents of all target elements are rows along a leading axis, and every pullback takes
them together.  Rows go in chunks, so that memory stays bounded; with ``experimental_use_pfor``
off they go one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.gradient_tape import ONCE, wants_zero
from srcad.tape.shaping import concat, dims, reshape, transpose
from srcad.tape.tensor import Tensor

ELEMENTS = 1 << 22  # of the widest cotangent in one chunk


def jacobian(tape: Any, target: Any, sources: Any, unconnected: Any, together: bool) -> Any:
    """The derivative of each target element with respect to each source element."""
    zero = wants_zero(unconnected)
    _check(tape, together)
    t = tape._as_target(target)
    flat = nest.flatten(sources)
    size, shape = t._value.size, dims(t)
    parts = []
    for rows in _chunks(tape, size, t, together):
        seed = np.zeros((len(rows), size), t._value.dtype)
        seed[np.arange(len(rows)), rows] = 1
        parts.append(_pulled(tape, flat, t, Tensor(seed.reshape(len(rows), *shape))))
    _close(tape)
    columns = list(zip(*parts, strict=True)) if parts else [()] * len(flat)
    found = [_joined(ps, shape, s, zero) for ps, s in zip(columns, flat, strict=True)]
    return nest.pack_sequence_as(sources, found)


def batch_jacobian(tape: Any, target: Any, source: Any, unconnected: Any, together: bool) -> Any:
    """The Jacobian of every row of the target with respect to the same row of the source."""
    zero = wants_zero(unconnected)
    _check(tape, together)
    t = tape._as_target(target)
    shape, inner = dims(t), tuple(source.shape)
    for s in (shape, inner):
        if len(s) < 2:
            raise ValueError(f"Shape {s} must have rank at least 2")
    if shape[0] != inner[0]:
        raise ValueError(
            f"Need first dimension of target shape ({target.shape}) and source shape "
            f"({source.shape}) to match."
        )
    batch, width = shape[0], int(np.prod(shape[1:]))
    parts = []
    for rows in _chunks(tape, width, t, together):
        seed = np.zeros((len(rows), batch, width), t._value.dtype)
        seed[np.arange(len(rows)), :, rows] = 1
        parts.append(_pulled(tape, [source], t, Tensor(seed.reshape(len(rows), *shape)))[0])
    _close(tape)
    if any(p is None for p in parts):
        return _zeros((*shape, *inner[1:]), source) if zero or parts else None
    rows_first = concat(parts, 0) if len(parts) > 1 else parts[0]
    n = len(inner) + 1
    return reshape(transpose(rows_first, [1, 0, *range(2, n)]), (*shape, *inner[1:]))


def _check(tape: Any, together: bool) -> None:
    if tape._spent:
        raise RuntimeError(ONCE)
    if not together and not tape.persistent:
        raise RuntimeError(
            "GradientTape must be created with persistent=True to compute the jacobian with eager "
            "execution enabled and with experimental_use_pfor set to False."
        )
    tape._start()


def _close(tape: Any) -> None:
    if not tape.persistent:
        tape._finish()


def _chunks(tape: Any, size: int, target: Tensor, together: bool) -> Iterator[range]:
    """Ranges of rows to pull back at once."""
    widest = max([x._value.size for x in tape.tracked.values()] + [target._value.size, 1])
    step = max(1, min(size, ELEMENTS // widest)) if together else 1
    for start in range(0, size, step):
        yield range(start, min(start + step, size))


def _pulled(tape: Any, flat: list[Any], target: Tensor, seed: Tensor) -> list[Any]:
    if target._value.dtype.kind != "f":
        return [None] * len(flat)
    return tape.pulled(flat, {id(target): seed}, 1)


def _joined(parts: tuple[Any, ...], shape: tuple[int, ...], source: Any, zero: bool) -> Any:
    wanted = (*shape, *tuple(source.shape))
    if not parts:
        return _zeros(wanted, source)
    if any(p is None for p in parts):
        return _zeros(wanted, source) if zero else None
    return reshape(concat(parts, 0) if len(parts) > 1 else parts[0], wanted)


def _zeros(shape: tuple[int, ...], source: Any) -> Tensor:
    return Tensor(np.zeros(shape, to_tensor(source)._value.dtype))
