"""``np.empty`` and ``np.zeros`` without a function for each kind of argument.

Numba has these as Python functions, and compiles one (``np.zeros``: three) for each kind of shape
and dtype, with all that belongs to a function that Python may call: a quarter of a second in the
first gradient of a process.  Here the same code for LLVM is put where the array is made.

In: shapes that are an integer or a tuple of integers, dtypes as Numba types them.  Out: intrinsics
for ``backends.pipeline``, which puts them in place of NumPy's functions in generated code.
With a pool (``workspace``) large arrays are made in memory that is used again.

Invariant: Numba's own ``_empty_nd_impl`` makes the array: its alignment, its errors for negative
and too large sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.npydecl import parse_dtype, parse_shape
from numba.extending import intrinsic
from numba.np.arrayobj import _empty_nd_impl, _parse_shape, make_array

from srcad.runtime.workspace import LARGE
from srcad.runtime.workspace import code as symbols


class Direct:
    """A target whose array allocator is called, where Numba would compile a function that does."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def compile_internal(self, builder: Any, _: Any, sig: Any, args: Any) -> Any:
        """The allocation itself."""
        return self.context.nrt.meminfo_alloc_aligned(builder, *args[1:])


class Pooled(Direct):
    """The same, where memory of large arrays comes from a pool (``runtime.workspace``)."""

    def __init__(self, context: Any, pool: Any) -> None:
        super().__init__(context)
        self.pool, self.nrt = pool, self
        self.data: Any = None

    def compile_internal(self, builder: Any, _: Any, sig: Any, args: Any) -> Any:
        """The reference to the memory; its address is what ``meminfo_data`` is asked for next."""
        size, align = args[1:]
        large = builder.icmp_unsigned(">=", size, size.type(LARGE))
        some = builder.icmp_unsigned("!=", self.pool, self.pool.type(0))
        with builder.if_else(builder.and_(large, some)) as (pooled, plain):
            with pooled:
                one = self.from_pool(builder, size)
                here = builder.block
            with plain:
                made = self.context.nrt.meminfo_alloc_aligned(builder, size, align)
                other = made, self.context.nrt.meminfo_data(builder, made)
                there = builder.block
        found = []
        for a, b in zip(one, other, strict=True):
            phi = builder.phi(a.type)
            phi.add_incoming(a, here)
            phi.add_incoming(b, there)
            found.append(phi)
        self.data = found[1]
        return found[0]

    def meminfo_data(self, builder: Any, meminfo: Any) -> Any:
        """The address."""
        return self.data

    def from_pool(self, builder: Any, size: Any) -> tuple[Any, Any]:
        """Memory of the pool, and a reference whose end gives it back."""
        symbols()
        word = self.pool.type
        data = builder.call(declared(builder, "srcad_take", word, word, word), [self.pool, size])
        with builder.if_then(builder.icmp_unsigned("==", data, word(0)), likely=False):
            text = ("Allocation failed (probably too large).",)
            self.context.call_conv.return_user_exc(builder, MemoryError, text)
        give = declared(builder, "srcad_give", ir.VoidType(), word, word, word)
        nrt = self.context.nrt
        info = nrt.meminfo_alloc_dtor(builder, word(16), give)
        owned = builder.bitcast(nrt.meminfo_data(builder, info), word.as_pointer())
        builder.store(data, owned)
        builder.store(self.pool, builder.gep(owned, [word(1)]))
        return info, builder.inttoptr(data, cgutils.voidptr_t)


def declared(builder: Any, name: str, result: Any, *args: Any) -> Any:
    """A function of ``runtime.pool_code``."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, args), name)


def allocation(shape: Any, dtype: Any, zero: bool, *more: Any, pooled: bool = False) -> Any:
    """Signature and code of an array of this shape; nothing where these are no shape and dtype."""
    rank = parse_shape(shape)
    if rank is None or dtype is None:
        return None
    array = types.Array(dtype, rank, "C")

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        sizes = _parse_shape(context, builder, signature.args[0], args[0])
        place = Pooled(context, args[-1]) if pooled else Direct(context)
        made = _empty_nd_impl(place, builder, array, sizes)._getvalue()
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


@intrinsic  # type: ignore[misc]
def empty_in(context: Any, shape: Any, pool: Any) -> Any:
    """``np.empty(shape)`` in a pool."""
    return allocation(shape, types.float64, False, pool, pooled=True)


@intrinsic  # type: ignore[misc]
def empty_of_in(context: Any, shape: Any, dtype: Any, pool: Any) -> Any:
    """``np.empty(shape, dtype)`` in a pool."""
    return allocation(shape, parse_dtype(dtype), False, dtype, pool, pooled=True)


@intrinsic  # type: ignore[misc]
def zeros_in(context: Any, shape: Any, pool: Any) -> Any:
    """``np.zeros(shape)`` in a pool."""
    return allocation(shape, types.float64, True, pool, pooled=True)


@intrinsic  # type: ignore[misc]
def zeros_of_in(context: Any, shape: Any, dtype: Any, pool: Any) -> Any:
    """``np.zeros(shape, dtype)`` in a pool."""
    return allocation(shape, parse_dtype(dtype), True, dtype, pool, pooled=True)


@intrinsic  # type: ignore[misc]
def begin(context: Any, pool: Any) -> Any:
    """A call that uses a pool begins."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        symbols()
        some = builder.icmp_unsigned("!=", args[0], args[0].type(0))
        with builder.if_then(some):
            builder.call(declared(builder, "srcad_begin", ir.VoidType(), args[0].type), args)
        return context.get_dummy_value()

    return types.none(pool), code


Functions = tuple[Callable[..., Any], Callable[..., Any]]
# what stands for a function of NumPy, without and with a dtype
INSTEAD: dict[str, Functions] = {"empty": (empty, empty_of), "zeros": (zeros, zeros_of)}
IN_POOL: dict[str, Functions] = {"empty": (empty_in, empty_of_in), "zeros": (zeros_in, zeros_of_in)}
