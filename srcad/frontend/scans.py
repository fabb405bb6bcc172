"""Positions of extremes (``argmax``, ``argmin``) and running reductions (``cumsum``, ``cumprod``).

``axis`` is a constant, or ``None`` for the flattened array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.frontend.arrays import Index, copy, dtype_of, element_at, element_kind, nest, shape_of
from srcad.frontend.attributes import size_attribute
from srcad.frontend.builtins_ import accumulate
from srcad.frontend.core import Lowering
from srcad.frontend.creation import argument, array_of, dtype_code
from srcad.frontend.reductions import axis_of, given, method_and_function, reduce
from srcad.frontend.shaping import ravel
from srcad.frontend.values import Static, is_scalar
from srcad.ir.build import ZERO, const
from srcad.ir.nodes import Atom
from srcad.ir.types import B1, I8


def arg_extreme(op: str) -> Callable:
    """``np.argmax`` and ``np.argmin``: first position of the extreme (zero derivative)."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        v = array_of(lo, args[0], node)
        axis, keepdims = argument(args, keywords, 1, "axis"), keywords.get("keepdims")
        if axis is None or isinstance(axis, Static):
            flat = ravel(lo, v, node)

            def anywhere(x: Any, axes: tuple[int, ...], outer: Index) -> Atom:
                return _arg_fold(lo, flat, op, lambda i: (i,), size_attribute(lo, flat))

            return reduce(lo, v, None, keepdims, node, "i8", anywhere)
        k = axis_of(lo, axis, len(shape_of(lo, v)), node)
        return reduce(
            lo,
            v,
            axis,
            keepdims,
            node,
            "i8",
            lambda x, axes, outer: _arg_fold(
                lo, x, op, lambda i: (*outer[:k], i, *outer[k:]), shape_of(lo, x)[k]
            ),
        )

    return handler


def _arg_fold(lo: Lowering, v: Any, op: str, at: Callable[[Atom], Index], n: Atom) -> Atom:
    lo.b.check(lo.b.op("gt", n, ZERO), "ValueError", "attempt to get argmax of an empty sequence")

    def better(best: Atom, i: Atom) -> Atom:
        x, y = element_at(lo, v, at(i)), element_at(lo, v, at(best))
        ahead = lo.b.op(op, x, y)
        if x.type.kind in ("f8", "f4"):  # type: ignore[union-attr]
            nan = lo.b.op("and", lo.b.op("ne", x, x), lo.b.op("eq", y, y))
            ahead = lo.b.op("or", ahead, nan)  # NaN is ahead of all numbers, as in NumPy
        return lo.b.op("select", ahead, i, best)

    return accumulate(lo, n, ZERO, better, hint="best")


method_and_function("argmax", np.argmax, arg_extreme("gt"))
method_and_function("argmin", np.argmin, arg_extreme("lt"))


def scan(op: str, init: int) -> Callable:
    """``np.cumsum`` and ``np.cumprod``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        v = array_of(lo, args[0], node) if not is_scalar(args[0]) else copy(lo, args[0])
        axis = argument(args, keywords, 1, "axis")
        if axis is None or isinstance(axis, Static):
            v = ravel(lo, v, node)
            axis = ZERO
        shape = lo.shape(v)
        k = axis_of(lo, axis, len(shape), node)
        kind = element_kind(dtype_of(v))
        if given(keywords, "dtype") is not None:
            kind = element_kind(dtype_code(lo, keywords["dtype"], node))
        kind = I8 if kind == B1 else kind
        out = lo.new_array(kind.kind, shape, hint="r")

        def line(i: Index) -> None:
            def step(acc: Atom, j: Atom) -> Atom:
                index = (*i[:k], j, *i[k:])
                new = lo.b.op(op, acc, lo.b.cast(lo.b.load(v, *index), kind))
                lo.b.store(out, index, new)
                return new

            accumulate(lo, shape[k], const(init, kind), step)

        nest(lo, tuple(n for j, n in enumerate(shape) if j != k), line)
        return out

    return handler


method_and_function("cumsum", np.cumsum, scan("add", 0))
method_and_function("cumprod", np.cumprod, scan("mul", 1))
