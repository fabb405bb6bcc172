"""Python's builtins and ``math`` functions that are no plain primitive.

Each handler takes ``(lowering, args, keywords, node)`` with abstract values and gives one.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from srcad.frontend.arrays import shape_of
from srcad.frontend.conversions import convert
from srcad.frontend.core import CALLS, PLAIN, Lowering, handles
from srcad.frontend.joins import join_types
from srcad.frontend.lists import extend, length_of, new_list
from srcad.frontend.loops import indexed
from srcad.frontend.source import of_library
from srcad.frontend.statements import emit_print, settle
from srcad.frontend.values import (
    ListV,
    RangeV,
    Record,
    SliceV,
    Static,
    Tuple,
    describe,
    is_array,
    is_scalar,
)
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Const
from srcad.ir.types import F8, I8


@handles(CALLS, slice)
def slice_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``slice(stop)``, ``slice(start, stop, step)``; ``None`` stands for a bound that is not."""
    bounds = [
        None if isinstance(a, Static) and a.obj is None else lo.integer(a, node, "a slice bound")
        for a in args
    ]
    if len(bounds) == 1:
        return SliceV(None, bounds[0], None)
    return SliceV(*[*bounds, None, None][:3])


@handles(CALLS, len)
def len_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``len(x)``."""
    v = args[0]
    if isinstance(v, Tuple):
        return const(len(v.items))
    if isinstance(v, Record) and v.cls is dict:
        return const(len(v.fields))
    if isinstance(v, ListV):
        return length_of(lo, v)
    if isinstance(v, RangeV):
        from srcad.frontend.loops import trip_count

        return trip_count(lo, v)
    if isinstance(v, Static) and isinstance(v.obj, (str, tuple, list)):
        return const(len(v.obj))
    if is_array(v) and shape_of(lo, v):
        return shape_of(lo, v)[0]
    lo.mismatch(node, f"len of {describe(v)}", PLAIN)


def numbers(lo: Lowering, args: list, node: Any) -> list[Atom]:
    """Arguments of ``min``/``max``: numbers, or one iterable of them."""
    if len(args) == 1 and isinstance(args[0], Tuple):
        args = list(args[0].items)
    return [lo.scalar(a, node) for a in args]


def min_max(name: str) -> Any:
    """``min`` or ``max`` of numbers, a tuple, a list or a 1-D array."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        if keywords:
            lo.fail(node, f"keywords of {name} are not supported", instead="write a loop")
        if len(args) == 1 and not isinstance(args[0], Tuple):
            return fold_items(lo, name, args[0], node)
        values = numbers(lo, args, node)
        if not values:
            lo.mismatch(node, f"{name} of nothing", PLAIN)
        wide = values[0].type
        for v in values[1:]:
            wide = join_types(wide, v.type)  # type: ignore[assignment]
        out = lo.b.cast(values[0], wide)  # type: ignore[arg-type]
        for v in values[1:]:
            out = lo.b.op(name, out, lo.b.cast(v, wide))  # type: ignore[arg-type]
        return out

    return handler


CALLS[min], CALLS[max] = min_max("min"), min_max("max")


def fold_items(lo: Lowering, name: str, xs: Any, node: Any) -> Any:
    """``min``/``max`` over an iterable, as a loop."""

    n, item = indexed(lo, xs, node)
    lo.b.check(lo.b.op("gt", n, ZERO), "ValueError", f"{name}() arg is an empty sequence")
    first = lo.scalar(item(ZERO), node)
    return accumulate(
        lo, n, first, lambda acc, k: lo.b.op(name, acc, lo.scalar(item(k), node)), start=ONE
    )


def accumulate(
    lo: Lowering, n: Atom, init: Atom, f: Any, start: Atom = ZERO, hint: str = "acc"
) -> Atom:
    """A loop that carries one number."""
    from srcad.ir.nodes import Block, Carried, For

    arg, result = lo.b.var(hint, init.type), lo.b.var(hint, init.type)
    i = lo.b.var("k", I8)
    with lo.b.block() as stmts:
        out = lo.b.cast(f(arg, i), init.type)  # type: ignore[arg-type]
    lo.b.emit(
        For(
            i,
            start,
            n,
            ONE,
            (Carried(result, arg, init),),
            Block(tuple(stmts), (out,)),
            loc=lo.b.loc,
        )
    )
    return result


@handles(CALLS, builtins.sum)
def sum_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``sum(iterable, start)``."""
    import ast

    from srcad.frontend.expressions import binary

    start = args[1] if len(args) > 1 else keywords.get("start", ZERO)
    xs = args[0]
    if isinstance(xs, Tuple):
        out = start
        for v in xs.items:
            out = binary(lo, ast.Add, out, v, node)
        return out
    n, item = indexed(lo, xs, node)
    with lo.b.block():  # only to learn the kind of an item; what it emits is dropped
        kind = lo.scalar(item(ZERO), node).type
    init = lo.b.cast(lo.scalar(start, node), join_types(start.type, kind))
    return accumulate(lo, n, init, lambda acc, k: lo.b.op("add", acc, lo.scalar(item(k), node)))


@handles(CALLS, np.float64)
def float64_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.float64(x)``; of an array, the array as float64."""
    return convert(lo, args, F8, "f8", node)


@handles(CALLS, np.int64, np.intp, np.int32)
def int64_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.int64(x)``: truncates; its derivative is zero."""
    return convert(lo, args, I8, "i8", node)


@handles(CALLS, divmod)
def divmod_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``divmod(a, b)``; of arrays that of NumPy."""
    from srcad.frontend.calls import call_value
    from srcad.frontend.expressions import scalar_binary

    if any(map(is_array, args)):
        return call_value(lo, Static(np.divmod), args, {}, node)
    a, b = (lo.scalar(x, node) for x in args)
    return Tuple((scalar_binary(lo, "floordiv", a, b, node), scalar_binary(lo, "mod", a, b, node)))


@handles(CALLS, pow)
def pow_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``pow(a, b)``."""
    import ast

    from srcad.frontend.expressions import binary

    if len(args) != 2:
        lo.fail(node, "pow with a modulus is not supported", instead="(a ** b) % m")
    return binary(lo, ast.Pow, args[0], args[1], node)


@handles(CALLS, abs)
def abs_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``abs(x)``."""
    from srcad.frontend.arrays import elementwise

    if is_array(args[0]):
        return elementwise(lo, "abs", args, node)
    return lo.b.op("abs", lo.scalar(args[0], node))


@handles(CALLS, math.log)
def log_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``math.log(x)`` and ``math.log(x, base)``."""
    from srcad.frontend.expressions import scalar_binary

    xs = [lo.b.op("log", lo.scalar(a, node)) for a in args]
    return xs[0] if len(xs) == 1 else scalar_binary(lo, "truediv", xs[0], xs[1], node)


@handles(CALLS, print)
def print_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``print``: runs once, in the forward sweep."""
    if keywords:
        lo.fail(
            node,
            "keywords of print are not supported",
            instead="print numbers and constant strings by position",
        )
    emit_print(lo, args, node)
    return Static(None)


@handles(CALLS, tuple)
def tuple_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``tuple(xs)`` of something whose length is known at compile time."""
    from srcad.frontend.loops import unrolled

    items = unrolled(args[0]) if args else []
    r = args[0] if args else None
    if isinstance(r, RangeV) and all(isinstance(x, Const) for x in (r.start, r.stop, r.step)):
        items = [const(int(k)) for k in range(r.start.value, r.stop.value, r.step.value)]  # type: ignore[union-attr]
    if items is None:
        lo.fail(
            node,
            f"tuple of {describe(args[0])} is not supported",
            "the length of a tuple must be known at compile time",
            "use an array or a list",
        )
    return Tuple(tuple(items))


@handles(CALLS, list)
def list_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``list(xs)``."""
    from srcad.frontend.loops import unrolled

    if not args:
        return new_list(lo, node, [])
    items = unrolled(args[0])
    if items is not None:
        return new_list(lo, node, items)
    out = new_list(lo, node, [])
    if isinstance(args[0], ListV):
        extend(lo, out, args[0], node)
        return out
    from srcad.frontend.lists import append

    n, item = indexed(lo, args[0], node)
    with lo.b.loop(ZERO, n, hint="k") as k:
        append(lo, out, item(k), node)
    return out


@handles(CALLS, dict)
def dict_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``dict(a=…, b=…)``."""
    if args:
        lo.fail(node, "dict of another object is not supported", instead="dict(name=value)")
    return Record(dict, {k: settle(lo, v) for k, v in keywords.items()})


def quantifier(op: str) -> Any:
    """``any`` or ``all`` of a tuple, a list or an array."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        from srcad.frontend.loops import unrolled

        init = const(op == "and")
        items = unrolled(args[0])
        if items is not None:
            out: Atom = init
            for v in items:
                out = lo.b.op(op, out, lo.truth(v, node))
            return out
        n, item = indexed(lo, settle(lo, args[0]), node)
        return accumulate(lo, n, init, lambda acc, k: lo.b.op(op, acc, lo.truth(item(k), node)))

    return handler


CALLS[any], CALLS[all] = quantifier("or"), quantifier("and")


@handles(CALLS, isinstance)
def isinstance_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``isinstance`` is decided at compile time from the argument types."""
    v, cls = args
    classes = cls.items if isinstance(cls, Tuple) else (cls,)
    objs = tuple(c.obj for c in classes if isinstance(c, Static))
    if isinstance(v, Tuple) and v.cls is list and of_library(lo.frame.source):
        objs = tuple(list if c is tuple else c for c in objs)  # any sequence of a fixed length
    return const(any(_is_instance(v, c) for c in objs))


def _is_instance(v: Any, cls: Any) -> bool:
    if is_array(v):
        return cls is np.ndarray
    if is_scalar(v):
        own = {
            "f8": (float, np.float64, np.floating),
            "f4": (np.float32, np.floating),
            "i8": (int, np.int64, np.integer),
            "b1": (bool, int, np.bool_),
            "c16": (complex, np.complex128, np.complexfloating),
            "c8": (np.complex64, np.complexfloating),
        }
        return cls in own[v.type.kind]
    if isinstance(v, Tuple):
        return issubclass(v.cls or tuple, cls)
    if isinstance(v, Record):
        return issubclass(v.cls, cls)
    if isinstance(v, ListV):
        return cls is list
    if isinstance(v, SliceV):
        return cls is slice
    return isinstance(getattr(v, "obj", None), cls)


@handles(CALLS, getattr)
def getattr_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``getattr(x, "name")``."""
    from srcad.frontend.names import get_attribute

    if len(args) != 2 or not isinstance(args[1], Static):
        lo.fail(
            node, "getattr needs a constant name and no default", instead="write the attribute out"
        )
    return get_attribute(lo, args[0], args[1].obj, node)
