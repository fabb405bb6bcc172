"""Atomic additions on the processor: ``atomic.add(a, i, x)`` is ``a[i] += x``, whoever else adds.

In: an element of an array and a number, in code that several threads run at once.  Out: nothing;
the number, as one of the array's type, has been added.  Whatever threads add to the same element at
the same time, every number is in the sum; in which order is not fixed, so a sum of floats may be
rounded otherwise from run to run.

Numba has no such operation for the processor; this is LLVM's ``atomicrmw``, without an order
between different elements (``monotonic``): the end of the parallel loop gives that.  x86-64 has an
instruction for integers; for floats it is a loop that tries until nobody came in between.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array


def add(array: Any, index: Any, value: Any) -> None:
    """``array[index] += value``; ``index`` is an integer, or a tuple of one for each axis.

    >>> import numba, numpy as np
    >>> @numba.njit(parallel=True)
    ... def count(bins, n):
    ...     out = np.zeros(2)
    ...     for i in numba.prange(n):
    ...         add(out, bins[i], 0.5)
    ...     return out
    >>> count(np.arange(1000) % 2, 1000)
    array([250., 250.])
    """
    array[index] += array.dtype.type(value)


@type_callable(add)
def _typed(context: Any) -> Any:
    def typer(array: Any, index: Any, value: Any) -> Any:
        if not isinstance(array, types.Array) or not array.mutable:
            return None
        parts = _parts(index)
        fits = len(parts) == array.ndim and all(isinstance(t, types.Integer) for t in parts)
        known = isinstance(array.dtype, (types.Float, types.Integer))
        return types.none if fits and known and isinstance(value, types.Number) else None

    return typer


@lower_builtin(add, types.Array, types.Any, types.Any)  # type: ignore[untyped-decorator]
def _lowered(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """The address of the element, then one instruction."""
    array, index, kind = signature.args
    tupled = isinstance(index, types.BaseTuple)
    parts = cgutils.unpack_tuple(builder, args[1]) if tupled else [args[1]]
    places = [
        context.cast(builder, i, t, types.intp) for i, t in zip(parts, _parts(index), strict=True)
    ]
    data = make_array(array)(context, builder, args[0])
    element = cgutils.get_item_pointer(context, builder, array, data, places, wraparound=True)
    value = context.cast(builder, args[2], kind, array.dtype)
    how = "fadd" if isinstance(array.dtype, types.Float) else "add"
    builder.atomic_rmw(how, element, value, "monotonic")
    return context.get_dummy_value()


def _parts(index: Any) -> list[Any]:
    """The types of the subscripts."""
    return list(index.types) if hasattr(index, "types") else [index]
