"""``np.vectorize``: made outside, as a decorator, or in the program; a loop of the library."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.core import CALLS, PLAIN, Lowering, handles
from srcad.frontend.expansion import expand, static_argument
from srcad.frontend.source import get_source
from srcad.frontend.values import FunctionV, Static, Tuple, describe
from srcad.library.applying import vectorized


@handles(CALLS, np.vectorize)
def vectorize(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``np.vectorize(function)``: the function that is called for every element."""
    otypes = keywords.get("otypes")
    return FunctionV(get_source(vectorized), bound=(Static(one_dtype(lo, otypes, node)), args[0]))


def one_dtype(lo: Lowering, otypes: Any, node: Any) -> np.dtype | None:
    """The dtype of results that ``otypes`` of ``np.vectorize`` asks for."""
    given = otypes.items if isinstance(otypes, Tuple) else (otypes,)
    if not all(x is None or isinstance(x, Static) for x in given):
        lo.mismatch(node, "the kinds of results of np.vectorize must be constant", PLAIN)
    objs = [getattr(x, "obj", None) for x in given]
    if objs == [None]:
        return None
    if len(objs) != 1 or isinstance(objs[0], str) and len(objs[0]) != 1:
        lo.fail(node, "np.vectorize of several results is not supported", instead="write a loop")
    try:
        return np.dtype(objs[0])
    except TypeError:
        lo.mismatch(node, f"{describe(given[0])} is not a dtype", PLAIN)


def call_vectorized(
    lo: Lowering, obj: Any, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """A call of what ``np.vectorize`` made outside."""
    if obj.excluded or obj.signature is not None or keywords:
        lo.fail(
            node,
            "np.vectorize with 'excluded', 'signature' or keywords is not supported",
            instead="write a loop",
        )
    function = static_argument(lo, obj.pyfunc, node)
    dtype = Static(one_dtype(lo, Static(obj.otypes), node))
    return expand(lo, FunctionV(get_source(vectorized)), [dtype, function, *args], keywords, node)
