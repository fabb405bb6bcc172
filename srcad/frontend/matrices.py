"""Triangles of matrices: ``triu tril``, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.arrays import Index, dtype_of, element_kind
from srcad.frontend.core import CALLS, Lowering, handles
from srcad.frontend.creation import argument, array_of
from srcad.frontend.values import Lazy
from srcad.ir.build import ZERO, const
from srcad.ir.nodes import Atom


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
