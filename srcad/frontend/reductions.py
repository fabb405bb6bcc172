"""Reductions as loops: sum, mean, max, var, any and their kin.

All of them fuse with the expression they reduce: ``np.sum(np.exp(x) * w)`` is one loop.  ``axis``
is a constant (one axis, a tuple of axes, or ``None``); ``keepdims`` is honoured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    Index,
    apply_elementwise,
    broadcast_to,
    check_fits,
    dtype_of,
    element_at,
    element_kind,
    materialize,
    nest,
    reads_of,
    shape_of,
    to_element,
)
from srcad.frontend.core import CALLS, METHODS, PLAIN, Lowering, handles
from srcad.frontend.creation import argument, as_array, dtype_code
from srcad.frontend.values import FunctionV, Lazy, Static, Tuple, describe, is_none, is_scalar
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Block, Carried, Const, For
from srcad.ir.types import B1, C8, C16, F4, F8, I8, PART, Scalar
from srcad.library import axes_of as axes_of_library


def axes_of(lo: Lowering, v: Any, ndim: int, node: Any) -> tuple[int, ...]:
    """The axes of an ``axis=`` argument, normalised; ``None`` is all."""
    if v is None or isinstance(v, Static) and v.obj is None:
        return tuple(range(ndim))
    items = v.items if isinstance(v, Tuple) else (v,)
    out = []
    for x in items:
        if not isinstance(x, Const) or x.type != I8:
            lo.fail(
                node,
                f"axis must be a constant int, got {describe(x)}",
                "which loops are generated depends on it",
            )
        k = int(x.value)
        if not -ndim <= k < ndim:
            lo.mismatch(
                node,
                f"axis {k} is out of bounds for an array of {ndim} ax{'is' if ndim == 1 else 'es'}",
                PLAIN,
            )
        out.append(k % ndim)
    if len(set(out)) < len(out):
        lo.mismatch(node, "an axis is given twice", PLAIN)
    return tuple(out)


@handles(CALLS, axes_of_library)
def axes_call(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``axes_of(axis, ndim)`` in a function of the library."""
    ndim = lo.integer(args[1], node)
    assert isinstance(ndim, Const)
    return Tuple(tuple(const(k) for k in axes_of(lo, args[0], int(ndim.value), node)))


def axis_of(lo: Lowering, v: Any, ndim: int, node: Any) -> int:
    """A single axis, normalised."""
    axes = axes_of(lo, v, ndim, node)
    if len(axes) != 1 or isinstance(v, Tuple):
        lo.fail(node, f"expected one axis, got {describe(v)}", instead="give a constant int")
    return axes[0]


def fold_axes(
    lo: Lowering,
    v: Any,
    axes: tuple[int, ...],
    init: Atom | None,
    f: Callable[[Atom, Atom], Atom],
    outer: Index = (),
) -> Atom:
    """``f`` folded over the given axes at one index of the others (row-major order)."""
    shape = shape_of(lo, v)

    def index(inner: Index) -> Index:
        it, rest = iter(inner), iter(outer)
        return tuple(next(it) if k in axes else next(rest) for k in range(len(shape)))

    def walk(k: int, inner: Index, acc: Atom) -> Atom:
        if k == len(axes):
            return lo.b.cast(f(acc, element_at(lo, v, index(inner))), acc.type)  # type: ignore[arg-type]
        arg, result, i = (
            lo.b.var("acc", acc.type),
            lo.b.var("acc", acc.type),
            lo.b.var("ijkl"[k % 4], I8),
        )
        with lo.b.block() as stmts:
            out = walk(k + 1, (*inner, i), arg)
        lo.b.emit(
            For(
                i,
                ZERO,
                shape[axes[k]],
                ONE,
                (Carried(result, arg, acc),),
                Block(tuple(stmts), (out,)),
                loc=lo.b.loc,
            )
        )
        return result

    if init is None:  # start from the first element: the fold repeats it harmlessly
        for k in axes:
            lo.b.check(
                lo.b.op("gt", shape[k], ZERO),
                "ValueError",
                "zero-size array to reduction operation which has no identity",
            )
        init = element_at(lo, v, index((ZERO,) * len(axes)))
    return walk(0, (), init)


def reduce(
    lo: Lowering,
    v: Any,
    axis: Any,
    keepdims: Any,
    node: Any,
    dtype: str,
    fold: Callable[[Any, tuple[int, ...], Index], Atom],
) -> Any:
    """A reduction to a number, or to an array where some axes stay."""
    v = as_array(lo, v, node)
    if is_scalar(v):
        value = v
        v = Lazy((), v.type.kind, lambda i: value)
    shape = shape_of(lo, v)
    axes = tuple(sorted(axes_of(lo, axis, len(shape), node)))  # in the order of the indices
    keep = isinstance(keepdims, Const) and bool(keepdims.value)
    rest = [k for k in range(len(shape)) if k not in axes]
    if not rest and not keep:
        return fold(v, axes, ())
    if isinstance(v, Lazy) and rest:
        v = materialize(lo, v)
    out_shape = tuple(
        ONE if k in axes else shape[k] for k in range(len(shape)) if keep or k not in axes
    )
    out = lo.new_array(dtype, out_shape, hint="r")
    sizes = tuple(shape[k] for k in rest)

    def put(i: Index) -> None:
        it = iter(i)
        index = tuple(
            ZERO if k in axes else next(it) for k in range(len(shape)) if keep or k not in axes
        )
        lo.b.store(out, index, to_element(lo, fold(v, axes, i), out))

    nest(lo, sizes, put)
    return out


def method_and_function(name: str, function: Any, handler: Callable) -> None:
    """Register a handler for ``np.name(a, …)`` and ``a.name(…)``."""
    CALLS[function] = handler
    METHODS[f"array.{name}"] = lambda lo, v, args, kw, node: handler(lo, [v, *args], kw, node)
    METHODS[f"scalar.{name}"] = METHODS[f"array.{name}"]


def simple(init: Any, op: str, widen: bool) -> Callable:
    """Handler of ``sum``, ``prod`` (``init`` a number), ``max``, ``min`` (``init`` None)."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        v = as_array(lo, argument(args, keywords, 0, "a"), node)
        kind = element_kind(dtype_of(v))
        if widen and kind == B1:
            kind = I8
        if widen:
            v, kind = as_kind(lo, v, keywords.get("dtype"), kind, node)
        first = given(keywords, "initial")
        start: Atom | None = None if init is None else const(init, kind)
        if first is not None:
            start = lo.b.cast(lo.scalar(first, node), kind)
        if given(keywords, "where") is not None:
            if start is None:
                lo.mismatch(
                    node,
                    "a reduction without an identity needs initial= where it has where=",
                    PLAIN,
                )
            other = start if init is None else const(init, kind)
            v = selected(lo, v, keywords["where"], other, node)
        return reduce(
            lo,
            v,
            argument(args, keywords, 1, "axis"),
            keywords.get("keepdims"),
            node,
            kind.kind,
            lambda x, axes, outer: fold_axes(
                lo, x, axes, start, lambda a, b: lo.b.op(op, a, b), outer
            ),
        )

    return handler


def given(keywords: dict, name: str) -> Any:
    """An argument, or ``None`` where it is not given or is ``None``."""
    v = keywords.get(name)
    everywhere = name == "where" and isinstance(v, Const) and v.value
    return None if is_none(v) or everywhere else v


def as_kind(lo: Lowering, v: Any, dtype: Any, kind: Scalar, node: Any) -> tuple[Any, Scalar]:
    """A value as ``dtype``, and the kind of its elements; without one it stays."""
    if dtype is None or is_none(dtype):
        return v, kind
    code = dtype_code(lo, dtype, node)
    kind = element_kind(code)
    if is_scalar(v):
        return lo.b.cast(v, kind), kind
    return apply_elementwise(lo, lambda x: lo.b.cast(x, kind), [v], code, node), kind


def mask_of(lo: Lowering, v: Any, where: Any, node: Any) -> Lazy:
    """A mask of bools in the shape of what it masks."""
    mask = as_array(lo, where, node)
    shape = shape_of(lo, v)
    if dtype_of(mask) != "b1":
        lo.mismatch(node, f"where= needs bools, got {describe(mask)}", PLAIN)
    if len(shape_of(lo, mask)) > len(shape):
        lo.mismatch(node, "where= has more axes than what it masks", PLAIN)
    check_fits(lo, shape_of(lo, mask), shape, node)
    return Lazy(shape, "b1", broadcast_to(lo, mask, shape), reads_of(mask))


def selected(lo: Lowering, v: Any, where: Any, other: Any, node: Any) -> Lazy:
    """``v`` where a mask holds, ``other`` elsewhere."""
    mask = mask_of(lo, v, where, node)
    kind = other.type

    def element(i: Index) -> Atom:
        return lo.b.op("select", mask.element(i), lo.b.cast(element_at(lo, v, i), kind), other)

    reads = (*((r, False) for r, _ in mask.reads), *reads_of(v))
    return Lazy(shape_of(lo, v), kind.kind, element, reads)


method_and_function("sum", np.sum, simple(0, "add", True))
method_and_function("prod", np.prod, simple(1, "mul", True))
for _name, _op, _fs in [
    ("max", "maximum", (np.max, np.amax)),
    ("min", "minimum", (np.min, np.amin)),
]:
    for _f in _fs:
        method_and_function(_name, _f, simple(None, _op, False))
# these two give NaN only where there is nothing else
CALLS[np.nanmax], CALLS[np.nanmin] = simple(None, "fmax", False), simple(None, "fmin", False)


def count(lo: Lowering, v: Any, axes: tuple[int, ...]) -> Atom:
    """Number of elements a reduction covers."""
    out: Atom = ONE
    for k in axes:
        out = lo.b.op("mul", out, shape_of(lo, v)[k])
    return out


def float_kind(v: Any) -> Scalar:
    """Kind of a mean: float32 stays, and complex numbers do."""
    kind = element_kind(dtype_of(v))
    return kind if kind in (F4, C8, C16) else F8


def expand_library(lo: Lowering, f: Any, args: list, keywords: dict, node: Any) -> Any:
    """A call of a function of the library."""
    from srcad.frontend.calls import call_value
    from srcad.frontend.source import get_source

    return call_value(lo, FunctionV(get_source(f)), args, keywords, node)


def mean(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.mean``."""
    from srcad.library import statistics

    v = as_array(lo, argument(args, keywords, 0, "a"), node)
    v, kind = as_kind(lo, v, keywords.pop("dtype", None), float_kind(v), node)
    if kind not in (F8, F4, C16, C8):
        lo.mismatch(node, "the dtype of a mean must be one of floats", instead="convert the result")
    if given(keywords, "where") is not None:
        return expand_library(lo, statistics.mean_where, [v, *args[1:]], keywords, node)

    def fold(x: Any, axes: tuple[int, ...], outer: Index) -> Atom:
        total = fold_axes(lo, x, axes, const(0, kind), lambda a, b: lo.b.op("add", a, b), outer)
        return lo.b.op("truediv", total, lo.b.cast(count(lo, x, axes), PART.get(kind, kind)))

    return reduce(
        lo, v, argument(args, keywords, 1, "axis"), keywords.get("keepdims"), node, kind.kind, fold
    )


method_and_function("mean", np.mean, mean)


def root_or_zero(lo: Lowering, x: Atom) -> Atom:
    """The square root of a number, with derivative zero where it is zero (as of a norm)."""
    zero = lo.b.op("eq", x, const(0, x.type))  # type: ignore[arg-type]
    return lo.b.op("select", zero, const(0, x.type), lo.b.op("sqrt", x))  # type: ignore[arg-type]


def variance(root: bool) -> Callable:
    """``np.var`` and ``np.std`` with ``ddof``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        from srcad.library import statistics

        v, kind = as_kind(lo, as_array(lo, args[0], node), keywords.pop("dtype", None), F8, node)
        if kind not in (F8, F4):
            lo.mismatch(node, "the dtype of a variance must be one of floats", PLAIN)
        result, kind = kind, F8
        if given(keywords, "correction") is not None:  # NumPy's other name
            keywords["ddof"] = keywords.pop("correction")
        if given(keywords, "where") is not None or given(keywords, "mean") is not None:
            f = statistics.std_about if root else statistics.var_about
            return expand_library(lo, f, [v, *args[1:]], keywords, node)
        v = v if is_scalar(v) else materialize(lo, v)
        ddof = lo.b.cast(lo.scalar(keywords.get("ddof", ZERO), node), kind)

        def fold(x: Any, axes: tuple[int, ...], outer: Index) -> Atom:
            n = lo.b.cast(count(lo, x, axes), kind)
            op = lo.b.op
            total = fold_axes(lo, x, axes, const(0, kind), lambda a, b: op("add", a, b), outer)
            m = op("truediv", total, n)

            def square(acc: Atom, b: Atom) -> Atom:
                d = op("sub", lo.b.cast(b, kind), m)
                return op("add", acc, op("mul", d, d))

            squares = fold_axes(lo, x, axes, const(0, kind), square, outer)
            out = op("steep_div", squares, op("sub", n, ddof))
            return lo.b.cast(root_or_zero(lo, out) if root else out, result)

        return reduce(
            lo,
            v,
            argument(args, keywords, 1, "axis"),
            keywords.get("keepdims"),
            node,
            result.kind,
            fold,
        )

    return handler


method_and_function("var", np.var, variance(False))
method_and_function("std", np.std, variance(True))
