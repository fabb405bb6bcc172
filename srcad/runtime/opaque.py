"""A number as it is, of which LLVM knows nothing: ``vmath.opaque``.

In: an integer in a compiled loop.  Out: the same integer, by an empty piece of assembly, which
costs nothing.  LLVM can tell neither how it changes from iteration to iteration nor what it is at
most; ``storage.opaque`` says where that helps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable


def opaque(x: int) -> int:
    """The integer ``x``.

    >>> import numba
    >>> numba.njit(lambda x: opaque(x))(3)
    3
    """
    return x


@type_callable(opaque)
def _typed(context: Any) -> Callable[[Any], Any]:
    return lambda x: x if isinstance(x, types.Integer) else None


@lower_builtin(opaque, types.Integer)  # type: ignore[untyped-decorator]
def _empty(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """An assembly of no instructions, whose result is in the register of its operand."""
    number = context.get_value_type(signature.return_type)
    kind = ir.FunctionType(number, [number])
    return builder.asm(kind, "", "=r,0", args, False)
