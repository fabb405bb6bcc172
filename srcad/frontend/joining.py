"""Joining arrays: ``concatenate stack hstack vstack column_stack``.

The number of arrays is known at compile time, or they come in a list, joined by the library; sizes
are checked at run time where they are not provably equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    Index,
    dtype_of,
    element_kind,
    materialize,
    nest,
    shape_of,
    to_element,
)
from srcad.frontend.core import CALLS, PLAIN, Lowering, handles
from srcad.frontend.creation import argument, array_of, as_array, check_keywords, dtype_code
from srcad.frontend.destinations import check_becomes
from srcad.frontend.joins import join_types
from srcad.frontend.reductions import axis_of
from srcad.frontend.source import get_source
from srcad.frontend.values import FunctionV, ListV, Tuple, describe, is_none, is_scalar
from srcad.frontend.views import subview
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Var
from srcad.library import joining as library


def sequence(lo: Lowering, v: Any, node: Any) -> list[Any]:
    """A tuple or fixed list of arrays."""
    if isinstance(v, Tuple) and v.items:
        return [as_array(lo, x, node) for x in v.items]
    if isinstance(v, ListV):
        lo.fail(
            node,
            "a list built at run time cannot be joined here",
            "the number of arrays must be known at compile time",
            "pass a tuple, or fill an array row by row",
        )
    kind = "an empty tuple" if isinstance(v, Tuple) else describe(v)
    lo.mismatch(node, f"expected a tuple of arrays, got {kind}", instead="(a, b)")


def of_lists(code: Callable[..., Any]) -> Callable:
    """What a function does with a list built at run time: the given function of the library."""

    def choose(handler: Callable) -> Callable:
        def either(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
            if args and isinstance(args[0], ListV):
                from srcad.frontend.expansion import expand

                return expand(lo, FunctionV(get_source(code)), args, keywords, node)
            return handler(lo, args, keywords, node)

        return either

    return choose


@handles(CALLS, np.concatenate)
@of_lists(library.concatenated)
def concatenate(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.concatenate((a, b), axis)``."""
    check_keywords(lo, keywords, {"axis", "dtype"}, node)
    kind = joined_kind(lo, keywords, node)
    parts = [array_of(lo, p, node) for p in sequence(lo, args[0], node)]
    axis = argument(args, keywords, 1, "axis", ZERO)
    if is_none(axis):
        parts = [CALLS[np.ravel](lo, [p], {}, node) for p in parts]
        return join_parts(lo, parts, ZERO, node, kind)
    return join_parts(lo, parts, axis, node, kind)


def joined_kind(lo: Lowering, keywords: dict, node: Any) -> Any:
    """The kind that ``dtype=`` asks for."""
    dtype = keywords.get("dtype")
    return None if dtype is None or is_none(dtype) else element_kind(dtype_code(lo, dtype, node))


def join_parts(lo: Lowering, parts: list[Var], axis: Any, node: Any, kind: Any = None) -> Var:
    """Arrays one after another along an axis, of the given kind, or of one that holds all."""
    ndim = len(shape_of(lo, parts[0]))
    k = axis_of(lo, axis, ndim, node)
    for p in parts if kind is not None else ():
        check_becomes(lo, "joining arrays", dtype_of(p), kind.kind, node)
    kind = common_kind(parts) if kind is None else kind
    total: Atom = ZERO
    for p in parts:
        if len(lo.shape(p)) != ndim:
            lo.mismatch(node, "arrays to join must have the same number of axes", PLAIN)
        total = lo.b.op("add", total, lo.shape(p)[k])
        for j in range(ndim):
            if j != k and not lo.same_size(lo.shape(p)[j], lo.shape(parts[0])[j]):
                lo.b.check(
                    lo.b.op("eq", lo.shape(p)[j], lo.shape(parts[0])[j]),
                    "ValueError",
                    "all the input array dimensions must match exactly",
                )
    shape = tuple(total if j == k else n for j, n in enumerate(lo.shape(parts[0])))
    out = lo.new_array(kind.kind, shape, hint="r")
    offset: Atom = ZERO
    for p in parts:
        start = offset

        def put(i: Index, p: Var = p, start: Atom = start) -> None:
            target = (*i[:k], lo.b.op("add", start, i[k]), *i[k + 1 :])
            lo.b.store(out, target, to_element(lo, lo.b.load(p, *i), out))

        nest(lo, lo.shape(p), put)
        offset = lo.b.op("add", offset, lo.shape(p)[k])
    return out


def common_kind(parts: list[Any]) -> Any:
    """Element kind of a joined array."""
    kind = element_kind(dtype_of(parts[0]))
    for p in parts[1:]:
        kind = join_types(kind, element_kind(dtype_of(p)))  # type: ignore[assignment]
    return kind


@handles(CALLS, np.hstack)
@of_lists(library.hstacked)
def hstack(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.hstack``: along the second axis, of 1-D arrays along the first."""
    parts = [_at_least(lo, p, 1, node) for p in sequence(lo, args[0], node)]
    axis = ZERO if len(shape_of(lo, parts[0])) == 1 else ONE
    return join_parts(lo, parts, axis, node, joined_kind(lo, keywords, node))


@handles(CALLS, np.vstack)
@of_lists(library.vstacked)
def vstack(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.vstack``: rows."""
    parts = [_at_least(lo, p, 2, node) for p in sequence(lo, args[0], node)]
    return join_parts(lo, parts, ZERO, node, joined_kind(lo, keywords, node))


def _at_least(lo: Lowering, v: Any, ndim: int, node: Any) -> Var:
    if is_scalar(v):
        v = as_array(lo, Tuple((v,)), node)
    a = materialize(lo, v)
    while a.type.ndim < ndim:  # type: ignore[union-attr]
        a = subview(lo, a, (("new",), ("slice", None, None, None)))
    return a


@handles(CALLS, np.stack)
@of_lists(library.stacked)
def stack(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.stack((a, b), axis)``."""
    parts = [array_of(lo, p, node) for p in sequence(lo, args[0], node)]
    axis = argument(args, keywords, 1, "axis", ZERO)
    ndim = parts[0].type.ndim + 1  # type: ignore[union-attr]
    k = axis_of(lo, axis, ndim, node)
    full = ("slice", None, None, None)
    if any(p.type.ndim + 1 != ndim for p in parts):  # type: ignore[union-attr]
        lo.mismatch(node, "arrays to stack must have the same number of axes", PLAIN)
    views = [subview(lo, p, (full,) * k + (("new",),) + (full,) * (ndim - 1 - k)) for p in parts]
    return join_parts(lo, views, const(k), node, joined_kind(lo, keywords, node))


@handles(CALLS, np.column_stack)
@of_lists(library.column_stacked)
def column_stack(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.column_stack``: vectors become columns."""
    parts = sequence(lo, args[0], node)
    if all(len(shape_of(lo, x)) == 1 for x in parts):
        return stack(lo, [args[0], ONE], {}, node)
    columns = [_as_columns(lo, x, node) for x in parts]
    return join_parts(lo, columns, ONE, node)


def _as_columns(lo: Lowering, v: Any, node: Any) -> Var:
    a = _at_least(lo, v, 1, node)
    return a if a.type.ndim > 1 else subview(lo, a, (("slice", None, None, None), ("new",)))  # type: ignore[union-attr]
