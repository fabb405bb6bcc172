"""Parts of matrices: ``triu tril trace diag``, as loops over their elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.arrays import Index, dtype_of, element_at, element_kind, materialize, shape_of
from srcad.frontend.core import CALLS, Lowering, handles
from srcad.frontend.creation import argument, array_of, check_keywords
from srcad.frontend.values import Lazy, describe
from srcad.ir.build import ZERO, const
from srcad.ir.nodes import Atom
from srcad.ir.types import F8


@handles(CALLS, np.trace)
def trace(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.trace(a)``."""
    from srcad.frontend.builtins_ import accumulate

    a = array_of(lo, args[0], node, 2)
    if len(shape_of(lo, a)) != 2:
        lo.mismatch(node, f"np.trace of {describe(a)} is not supported", instead="write a loop")
    n, m = shape_of(lo, a)
    kind = F8 if dtype_of(a) == "f4" else element_kind(dtype_of(a))
    size = n if lo.same_size(n, m) else lo.b.op("min", n, m)
    return accumulate(
        lo, size, const(0, kind), lambda acc, i: lo.b.op("add", acc, element_at(lo, a, (i, i)))
    )


@handles(CALLS, np.diag)
def diag(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.diag`` (main diagonal): of a vector a matrix, of a matrix its diagonal, copied."""
    check_keywords(lo, keywords, set(), node)
    a = array_of(lo, args[0], node)
    shape = lo.shape(a)
    if len(shape) == 1:
        out = lo.new_array(dtype_of(a), (shape[0], shape[0]), zero=True)
        with lo.b.loop(ZERO, shape[0]) as i:
            lo.b.store(out, (i, i), lo.b.load(a, i))
        return out
    if len(shape) != 2:
        lo.mismatch(node, f"np.diag of {describe(a)}", instead="pass a vector or a matrix")
    size = shape[0] if lo.same_size(*shape) else lo.b.op("min", *shape)
    return materialize(lo, Lazy((size,), dtype_of(a), lambda i: lo.b.load(a, i[0], i[0])))


@handles(CALLS, np.triu, np.tril)
def triangle(lo: Lowering, args: list, keywords: dict, node: Any, lower: bool = False) -> Any:
    """``np.triu(a, k)`` and ``np.tril(a, k)``."""
    a = array_of(lo, args[0], node, 2)
    k = lo.integer(argument(args, keywords, 1, "k", ZERO), node)
    zero = const(0, element_kind(dtype_of(a)))

    def element(i: Index) -> Atom:
        over = lo.b.op("sub", i[-1], i[-2])
        keep = lo.b.op("le" if lower else "ge", over, k)
        return lo.b.op("select", keep, lo.b.load(a, *i), zero)

    return Lazy(lo.shape(a), dtype_of(a), element, ((a, True),))


CALLS[np.tril] = lambda lo, args, kw, node: triangle(lo, args, kw, node, lower=True)
