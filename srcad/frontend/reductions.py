"""Reductions and scans as loops: sum, mean, max, argmax, cumsum and their kin.

All of them fuse with the expression they reduce: ``np.sum(np.exp(x) * w)`` is one loop.  ``axis``
is a constant (one axis, a tuple of axes, or ``None``); ``keepdims`` is honoured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    Index,
    dtype_of,
    element_at,
    element_kind,
    materialize,
    nest,
    shape_of,
    to_element,
)
from srcad.frontend.builtins_ import accumulate
from srcad.frontend.core import CALLS, METHODS, PLAIN, Lowering
from srcad.frontend.creation import argument, array_of, as_array, check_keywords, size_attribute
from srcad.frontend.values import Lazy, Static, Tuple, describe, is_scalar
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Block, Carried, Const, For
from srcad.ir.types import B1, F4, F8, I8, Scalar


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
    axes = axes_of(lo, axis, len(shape), node)
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
        check_keywords(lo, keywords, {"axis", "keepdims", "a"}, node)
        v = as_array(lo, argument(args, keywords, 0, "a"), node)
        kind = element_kind(dtype_of(v))
        if widen and kind == B1:
            kind = I8
        start = None if init is None else const(init, kind)
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


method_and_function("sum", np.sum, simple(0, "add", True))
method_and_function("prod", np.prod, simple(1, "mul", True))
for _name, _op, _fs in [
    ("max", "maximum", (np.max, np.amax)),
    ("min", "minimum", (np.min, np.amin)),
]:
    for _f in _fs:
        method_and_function(_name, _f, simple(None, _op, False))


def count(lo: Lowering, v: Any, axes: tuple[int, ...]) -> Atom:
    """Number of elements a reduction covers."""
    out: Atom = ONE
    for k in axes:
        out = lo.b.op("mul", out, shape_of(lo, v)[k])
    return out


def float_kind(v: Any) -> Scalar:
    """Kind of a mean: float32 stays."""
    return F4 if dtype_of(v) == "f4" else F8


def mean(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.mean``."""
    check_keywords(lo, keywords, {"axis", "keepdims", "a"}, node)
    v = as_array(lo, argument(args, keywords, 0, "a"), node)
    kind = float_kind(v)

    def fold(x: Any, axes: tuple[int, ...], outer: Index) -> Atom:
        total = fold_axes(lo, x, axes, const(0, kind), lambda a, b: lo.b.op("add", a, b), outer)
        return lo.b.op("truediv", total, lo.b.cast(count(lo, x, axes), kind))

    return reduce(
        lo, v, argument(args, keywords, 1, "axis"), keywords.get("keepdims"), node, kind.kind, fold
    )


method_and_function("mean", np.mean, mean)


def variance(root: bool) -> Callable:
    """``np.var`` and ``np.std`` with ``ddof``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        check_keywords(lo, keywords, {"axis", "keepdims", "ddof", "a"}, node)
        v = array_of(lo, args[0], node)
        kind = F8
        ddof = lo.integer(keywords.get("ddof", ZERO), node, "ddof")

        def fold(x: Any, axes: tuple[int, ...], outer: Index) -> Atom:
            n = count(lo, x, axes)
            op = lo.b.op
            total = fold_axes(lo, x, axes, const(0, kind), lambda a, b: op("add", a, b), outer)
            m = op("truediv", total, lo.b.cast(n, kind))

            def square(acc: Atom, b: Atom) -> Atom:
                d = op("sub", lo.b.cast(b, kind), m)
                return op("add", acc, op("mul", d, d))

            squares = fold_axes(lo, x, axes, const(0, kind), square, outer)
            out = op("truediv", squares, lo.b.cast(op("sub", n, ddof), kind))
            return op("sqrt", out) if root else out

        return reduce(
            lo,
            v,
            argument(args, keywords, 1, "axis"),
            keywords.get("keepdims"),
            node,
            kind.kind,
            fold,
        )

    return handler


method_and_function("var", np.var, variance(False))
method_and_function("std", np.std, variance(True))


def quantifier(op: str) -> Callable:
    """``np.any`` and ``np.all``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        check_keywords(lo, keywords, {"axis", "keepdims"}, node)
        return reduce(
            lo,
            args[0],
            argument(args, keywords, 1, "axis"),
            keywords.get("keepdims"),
            node,
            "b1",
            lambda x, axes, outer: fold_axes(
                lo,
                x,
                axes,
                const(op == "and"),
                lambda a, b: lo.b.op(op, a, lo.truth(b, node)),
                outer,
            ),
        )

    return handler


method_and_function("any", np.any, quantifier("or"))
method_and_function("all", np.all, quantifier("and"))


def count_nonzero(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.count_nonzero``."""
    return reduce(
        lo,
        args[0],
        argument(args, keywords, 1, "axis"),
        None,
        node,
        "i8",
        lambda x, axes, outer: fold_axes(
            lo,
            x,
            axes,
            ZERO,
            lambda a, b: lo.b.op("add", a, lo.b.cast(lo.truth(b, node), I8)),
            outer,
        ),
    )


CALLS[np.count_nonzero] = count_nonzero


def arg_extreme(op: str) -> Callable:
    """``np.argmax`` and ``np.argmin``: first position of the extreme (zero derivative)."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        check_keywords(lo, keywords, {"axis"}, node)
        v = array_of(lo, args[0], node)
        axis = argument(args, keywords, 1, "axis")
        if axis is None or isinstance(axis, Static):
            from srcad.frontend.shaping import ravel

            flat = ravel(lo, v, node)
            return _arg_fold(lo, flat, op, lambda i: (i,), size_attribute(lo, flat))
        k = axis_of(lo, axis, len(shape_of(lo, v)), node)
        return reduce(
            lo,
            v,
            axis,
            None,
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
        return lo.b.op("select", ahead, i, best)

    return accumulate(lo, n, ZERO, better, hint="best")


method_and_function("argmax", np.argmax, arg_extreme("gt"))
method_and_function("argmin", np.argmin, arg_extreme("lt"))


def scan(op: str, init: int) -> Callable:
    """``np.cumsum`` and ``np.cumprod``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        check_keywords(lo, keywords, {"axis"}, node)
        v = array_of(lo, args[0], node)
        axis = argument(args, keywords, 1, "axis")
        if axis is None or isinstance(axis, Static):
            from srcad.frontend.shaping import ravel

            v = ravel(lo, v, node)
            axis = ZERO
        shape = lo.shape(v)
        k = axis_of(lo, axis, len(shape), node)
        kind = element_kind(dtype_of(v))
        kind = I8 if kind == B1 else kind
        out = lo.new_array(kind.kind, shape, hint="r")

        def line(i: Index) -> None:
            def step(acc: Atom, j: Atom) -> Atom:
                index = (*i[:k], j, *i[k:])
                new = lo.b.cast(lo.b.op(op, acc, lo.b.load(v, *index)), kind)
                lo.b.store(out, index, new)
                return new

            accumulate(lo, shape[k], const(init, kind), step)

        nest(lo, tuple(n for j, n in enumerate(shape) if j != k), line)
        return out

    return handler


method_and_function("cumsum", np.cumsum, scan("add", 0))
method_and_function("cumprod", np.cumprod, scan("mul", 1))
