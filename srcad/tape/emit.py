"""How an operation that is not elementwise makes its result.

A pullback is a function ``(g, i, inputs, out, lead)`` that gives the contribution of the
cotangent ``g`` to operand ``i``, written with tensor operations only.  ``g`` has the shape of
``out`` behind ``lead`` leading axes (0, or 1 when rows of a Jacobian are pulled back together),
so pullbacks count axes from the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcad.tape.failures import InvalidArgumentError
from srcad.tape.kernels import is_elsewhere
from srcad.tape.shapes import TensorShape
from srcad.tape.state import STATE, record
from srcad.tape.tensor import Tensor, wrap

Pull = Callable[[Tensor, int, tuple[Tensor, ...], Any, int], Any]


def emit(value: Any, inputs: tuple[Tensor, ...], pull: Pull) -> Tensor:
    """The tensor of a computed value, recorded with its pullback."""
    out = wrap(value)
    if STATE.tapes:
        record(out, inputs, pull)
    return out


def plain(value: Any) -> Any:
    """A tensor argument that is not differentiated (axis, shape ...), as Python values."""
    if value is None or isinstance(value, int | str | bool):
        return value
    if isinstance(value, TensorShape):
        return value.as_list()
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    read = getattr(value, "__tape_tensor__", None)
    return np.asarray(value if read is None else read()).tolist()


def raw(x: Any) -> Any:
    """The value of a tensor as an array, or as what stands for it elsewhere."""
    from srcad.tape.convert import to_tensor

    value = to_tensor(x)._value
    return value if is_elsewhere(value) else np.asarray(value)


def as_shape(given: Any) -> tuple[int, ...]:
    """A shape argument as a tuple of ints."""
    found = plain(given)
    return tuple(found) if isinstance(found, list) else (int(found),)


def axis_from_end(axis: Any, ndim: int, op: str = "op") -> int:
    """An axis as a negative number."""
    a = int(plain(axis))
    if not -ndim <= a < ndim:
        raise InvalidArgumentError(
            f"Invalid reduction dimension {a} for input with {ndim} dimensions [Op:{op}]"
        )
    return a if a < 0 else a - ndim


def axes_from_end(axis: Any, ndim: int, op: str = "op") -> tuple[int, ...]:
    """One axis, several, or all (``None``), as sorted negative numbers."""
    found = plain(axis)
    if found is None:
        return tuple(range(-ndim, 0))
    given: Sequence[int] = found if isinstance(found, list) else [found]
    return tuple(sorted({axis_from_end(a, ndim, op) for a in given}))
