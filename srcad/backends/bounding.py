"""``max`` and ``min`` of two integers without a function for them.

Numba compiles a function for each (and, with what belongs to it, adds a tenth of a second to the
first gradient of a process); nearly all generated code bounds a size somewhere.

In: two numbers.  Out: intrinsics for ``backends.pipeline``.  Invariant: of two 64-bit integers the
larger (smaller) one; of anything else what Numba makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.extending import intrinsic


def bounded(typing: Any, function: Any, sign: str, kinds: tuple[Any, ...]) -> Any:
    """Signature and code."""
    if all(types.unliteral(k) == types.int64 for k in kinds):

        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.select(builder.icmp_signed(sign, args[1], args[0]), args[1], args[0])

        return types.int64(types.int64, types.int64), code
    kind = typing.resolve_value_type(function)
    result = kind.get_call_type(typing, kinds, {}).return_type

    def call(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.compile_internal(builder, lambda x, y: function(x, y), signature, args)

    return result(*kinds), call


@intrinsic  # type: ignore[misc]
def larger(context: Any, x: Any, y: Any) -> Any:
    """``max(x, y)``."""
    return bounded(context, max, ">", (x, y))


@intrinsic  # type: ignore[misc]
def smaller(context: Any, x: Any, y: Any) -> Any:
    """``min(x, y)``."""
    return bounded(context, min, "<", (x, y))


BOUNDS: dict[Any, Callable[..., Any]] = {max: larger, min: smaller}
