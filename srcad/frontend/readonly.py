"""Views that are read, never written: ``diagonal``, ``sliding_window_view``, ``broadcast_shapes``.

NumPy makes them views with strides of their own and forbids to write to them.  Here they are array
expressions that read the array they are views of where they are used, so they see what is written
to it later, and what is computed from them fuses with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.advanced import slice_start, wrap
from srcad.frontend.arrays import Index, broadcast_shape, dtype_of
from srcad.frontend.core import CALLS, METHODS, PLAIN, Lowering, handles
from srcad.frontend.creation import argument, array_of, shape_argument
from srcad.frontend.reductions import axes_of, axis_of
from srcad.frontend.values import Lazy, Tuple, describe
from srcad.frontend.views import slice_length
from srcad.ir.build import ONE, ZERO
from srcad.ir.nodes import Atom


@handles(CALLS, np.diagonal)
def diagonal(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.diagonal(a, offset, axis1, axis2)``: the diagonal is the last axis."""
    a = array_of(lo, args[0], node, 2)
    ndim, op = len(lo.shape(a)), lo.b.op
    offset = lo.integer(argument(args, keywords, 1, "offset", ZERO), node, "the offset")
    j = axis_of(lo, argument(args, keywords, 2, "axis1", ZERO), ndim, node)
    k = axis_of(lo, argument(args, keywords, 3, "axis2", ONE), ndim, node)
    if j == k:
        lo.mismatch(node, "axis1 and axis2 of np.diagonal are the same", PLAIN)
    first = op("max", op("sub", ZERO, offset), ZERO)  # position of its first element on axis1
    over = op("add", first, offset)  # ... and on axis2
    n, m = lo.shape(a)[j], lo.shape(a)[k]
    if first != ZERO or over != ZERO or not lo.same_size(n, m):
        n = op("max", op("min", op("sub", n, first), op("sub", m, over)), ZERO)
    rest = [x for x in range(ndim) if x not in (j, k)]

    def element(i: Index) -> Atom:
        at = dict(zip(rest, i[:-1], strict=True))
        at |= {j: op("add", i[-1], first), k: op("add", i[-1], over)}
        return lo.b.load(a, *(at[x] for x in range(ndim)))

    shape = (*(lo.shape(a)[x] for x in rest), n)
    return Lazy(shape, dtype_of(a), element, ((a, False),), True)


METHODS["array.diagonal"] = lambda lo, v, args, kw, node: diagonal(lo, [v, *args], kw, node)


@handles(CALLS, np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``sliding_window_view(x, window_shape, axis)``: windows are the last axes."""
    x = array_of(lo, args[0], node)
    window = shape_argument(lo, args[1], node)
    shape = list(lo.shape(x))
    given = argument(args, keywords, 2, "axis")
    axes = axes_of(lo, given, len(shape), node)
    if len(axes) != len(window):
        lo.mismatch(
            node,
            f"a window of {describe(Tuple(window))} for {len(axes)} axes",
            PLAIN,
            "give a size for every axis",
        )
    for k, n in zip(axes, window, strict=True):
        shape[k] = lo.b.op("add", lo.b.op("sub", shape[k], n), ONE)
        lo.b.check(
            lo.b.op("gt", shape[k], ZERO),
            "ValueError",
            "window shape cannot be larger than input array shape",
        )
    ndim = len(shape)

    def element(i: Index) -> Atom:
        at = list(i[:ndim])
        for k, j in zip(axes, i[ndim:], strict=True):
            at[k] = lo.b.op("add", at[k], j)
        return lo.b.load(x, *at)

    return Lazy((*shape, *window), dtype_of(x), element, ((x, False),), True)


def lazy_item(lo: Lowering, v: Lazy, items: list[tuple]) -> Lazy:
    """A part of such a view, by ints and slices: a view again."""
    shape: list[Atom] = []
    plan: list[tuple[int | None, Atom, Atom]] = []
    sizes = iter(v.shape)
    for item in items:
        if item[0] == "new":
            shape.append(ONE)
            continue
        n = next(sizes)
        if item[0] == "at":
            plan.append((None, wrap(lo, item[1], n), ONE))
        else:
            plan.append((len(shape), slice_start(lo, n, item), item[3] or ONE))
            shape.append(slice_length(lo, n, item))

    def element(i: Index) -> Atom:
        def at(k: int | None, start: Atom, step: Atom) -> Atom:
            return start if k is None else lo.b.op("add", start, lo.b.op("mul", i[k], step))

        return v.element(tuple(at(*p) for p in plan))

    reads = tuple((array, False) for array, _ in v.reads)
    return Lazy(tuple(shape), v.dtype, element, reads, True)


@handles(CALLS, np.broadcast_shapes)
def broadcast_shapes(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.broadcast_shapes(*shapes)``."""
    return Tuple(broadcast_shape(lo, [(), *(shape_argument(lo, s, node) for s in args)]))
