"""``np.empty`` and ``np.zeros`` without a function for each kind of argument.

Numba has these as Python functions, and compiles one (``np.zeros``: three) for each kind of shape
and dtype, with all that belongs to a function that Python may call: a quarter of a second in the
first gradient of a process.  Here the same code for LLVM is put where the array is made.

In: shapes that are an integer or a tuple of integers, dtypes as Numba types them.  Out: intrinsics
for ``backends.pipeline``, which puts them in place of NumPy's functions in generated code.
Invariant: Numba's own ``_empty_nd_impl`` makes the array: its alignment, its errors for negative
and too large sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import cgutils, types
from numba.core.typing.npydecl import parse_dtype, parse_shape
from numba.extending import intrinsic
from numba.np.arrayobj import _empty_nd_impl, _parse_shape, make_array


class Direct:
    """A target whose array allocator is called, where Numba would compile a function that does."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def compile_internal(self, builder: Any, _: Any, sig: Any, args: Any) -> Any:
        """The allocation itself."""
        return self.context.nrt.meminfo_alloc_aligned(builder, *args[1:])


def allocation(shape: Any, dtype: Any, zero: bool, *more: Any) -> Any:
    """Signature and code of an array of this shape; nothing where these are no shape and dtype."""
    rank = parse_shape(shape)
    if rank is None or dtype is None:
        return None
    array = types.Array(dtype, rank, "C")

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        sizes = _parse_shape(context, builder, signature.args[0], args[0])
        made = _empty_nd_impl(Direct(context), builder, array, sizes)._getvalue()
        if zero:
            new = make_array(array)(context, builder, made)
            cgutils.memset(builder, new.data, builder.mul(new.itemsize, new.nitems), 0)
        return made

    return array(shape, *more), code


@intrinsic  # type: ignore[misc]
def empty(context: Any, shape: Any) -> Any:
    """``np.empty(shape)``."""
    return allocation(shape, types.float64, False)


@intrinsic  # type: ignore[misc]
def empty_of(context: Any, shape: Any, dtype: Any) -> Any:
    """``np.empty(shape, dtype)``."""
    return allocation(shape, parse_dtype(dtype), False, dtype)


@intrinsic  # type: ignore[misc]
def zeros(context: Any, shape: Any) -> Any:
    """``np.zeros(shape)``."""
    return allocation(shape, types.float64, True)


@intrinsic  # type: ignore[misc]
def zeros_of(context: Any, shape: Any, dtype: Any) -> Any:
    """``np.zeros(shape, dtype)``."""
    return allocation(shape, parse_dtype(dtype), True, dtype)


# what stands for a function of NumPy, without and with a dtype
INSTEAD: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "empty": (empty, empty_of),
    "zeros": (zeros, zeros_of),
}
