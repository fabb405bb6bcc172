"""A number as it is, of which LLVM knows nothing: ``vmath.opaque``.

In: an integer in a compiled loop.  Out: the same integer, by an empty piece of assembly, which
costs nothing.  LLVM can tell neither how it changes from iteration to iteration nor what it is at
most; ``storage.opaque`` says where that helps.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def opaque(typingctx: Any, x: Any) -> Any:
    """The integer ``x``.

    >>> import numba
    >>> numba.njit(lambda x: opaque(x))(3)
    3
    """
    if not isinstance(x, types.Integer):
        return None
    return x(x), _empty


def _empty(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """An assembly of no instructions, whose result is in the register of its operand."""
    number = context.get_value_type(signature.return_type)
    kind = ir.FunctionType(number, [number])
    return builder.asm(kind, "", "=r,0", args, False)
