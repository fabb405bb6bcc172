"""Making arrays: ``zeros ones empty full *_like arange array asarray copy``.

In: the arguments of a call as values of the frontend.  Out: a fresh array, or the one that is
given where NumPy gives it.  Attributes and methods of arrays are in ``attributes``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    apply_elementwise,
    broadcast_to,
    copy,
    dtype_of,
    element_at,
    element_kind,
    materialize,
    nest,
    shape_of,
    to_element,
    write_array,
)
from srcad.frontend.core import CALLS, PLAIN, Lowering, handles
from srcad.frontend.joins import join_types
from srcad.frontend.lists import list_to_array
from srcad.frontend.values import (
    Lazy,
    ListV,
    RangeV,
    Static,
    Tuple,
    describe,
    is_array,
    is_none,
    is_scalar,
)
from srcad.frontend.views import derived
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Atom, Const, Var
from srcad.ir.types import DTYPES, F8, I8


def argument(args: list, keywords: dict, k: int, name: str, default: Any = None) -> Any:
    """Positional or keyword argument of a handler."""
    if k < len(args):
        return args[k]
    return keywords.get(name, default)


def dtype_code(lo: Lowering, v: Any, node: Any, default: str = "f8") -> str:
    """Dtype code of a ``dtype=`` argument."""
    if v is None or isinstance(v, Static) and v.obj is None:
        return default
    try:
        dt = np.dtype(v.obj if isinstance(v, Static) else "no dtype")
    except (TypeError, ValueError):
        lo.mismatch(
            node,
            f"{describe(v)} is not a dtype",
            PLAIN,
            "use np.float64, np.float32, np.int64 or np.bool_",
        )
    code = "b1" if dt == np.bool_ else f"{dt.kind}{dt.itemsize}"
    if code not in DTYPES:
        lo.fail(
            node,
            f"arrays of {dt} are not supported",
            instead="use float64, float32, complex128, integers or bool",
        )
    return code


def shape_argument(lo: Lowering, v: Any, node: Any) -> tuple[Atom, ...]:
    """A shape: an int or a tuple of them."""
    items = v.items if isinstance(v, Tuple) else (v,)
    out = []
    for x in items:
        n = lo.integer(x, node, "a size")
        if isinstance(n, Const) and n.value < 0:
            lo.mismatch(node, "a size must not be negative", PLAIN)
        out.append(n)
    return tuple(out)


def filled(fill: Any) -> Any:
    """Handler of ``zeros``, ``ones``, ``empty``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        check_keywords(lo, keywords, {"shape", "dtype"}, node)
        dtype = dtype_code(lo, argument(args, keywords, 1, "dtype"), node)
        shape = shape_argument(lo, argument(args, keywords, 0, "shape"), node)
        out = lo.new_array(dtype, shape, zero=fill == 0)
        if fill == 1:
            fill_with(lo, out, const(1))
        return out

    return handler


def check_keywords(lo: Lowering, keywords: dict, allowed: set[str], node: Any) -> None:
    """Refuse keywords that would be ignored."""
    for k, v in keywords.items():
        if k not in allowed and not (isinstance(v, Static) and v.obj is None):
            lo.fail(
                node, f"the argument {k!r} is not supported here", instead=f"call it without {k}"
            )


def fill_with(lo: Lowering, out: Var, value: Atom) -> None:
    """Every element of ``out`` set to a number."""
    v = to_element(lo, value, out)
    nest(lo, lo.shape(out), lambda i: lo.b.store(out, i, v))


CALLS[np.zeros], CALLS[np.ones], CALLS[np.empty] = filled(0), filled(1), filled(None)


def filled_like(fill: Any) -> Any:
    """Handler of ``zeros_like`` and its kin."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        check_keywords(lo, keywords, {"dtype"}, node)
        like = args[0]
        if is_scalar(like):
            return const(fill or 0, like.type)
        like = as_array(lo, like, node)
        dtype = dtype_code(lo, argument(args, keywords, 1, "dtype"), node, dtype_of(like))
        out = lo.new_array(dtype, shape_of(lo, like), zero=fill == 0)
        if fill == 1:
            fill_with(lo, out, const(1))
        return out

    return handler


CALLS[np.zeros_like], CALLS[np.ones_like] = filled_like(0), filled_like(1)
CALLS[np.empty_like] = filled_like(None)


@handles(CALLS, np.full)
def full(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.full(shape, value)``; the value may be an array that fits the shape."""
    value = as_array(lo, argument(args, keywords, 1, "fill_value"), node)
    dtype = dtype_code(lo, argument(args, keywords, 2, "dtype"), node, dtype_of(value))
    out = lo.new_array(dtype, shape_argument(lo, argument(args, keywords, 0, "shape"), node))
    write_array(lo, out, value, node)
    return out


@handles(CALLS, np.full_like)
def full_like(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.full_like(a, value)``."""
    like = as_array(lo, args[0], node)
    dtype = dtype_code(lo, keywords.get("dtype"), node, dtype_of(like))
    out = lo.new_array(dtype, shape_of(lo, like))
    write_array(lo, out, as_array(lo, args[1], node), node)
    return out


@handles(CALLS, np.arange)
def arange(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.arange``: of ints by Python's range, of floats by NumPy's formula."""
    from srcad.frontend.loops import trip_count

    check_keywords(lo, keywords, {"dtype", "start", "stop", "step"}, node)
    xs = [lo.scalar(a, node) for a in args]
    start, stop, step = [ZERO, xs[0], ONE] if len(xs) == 1 else [*xs, ONE][:3]
    if not isinstance(step, Const) or not step.value:
        lo.b.check(
            lo.b.op("ne", step, const(0, step.type)), "ZeroDivisionError", "division by zero"
        )
        step = ONE if isinstance(step, Const) else step
    if all(x.type == I8 for x in (start, stop, step)):
        n = trip_count(lo, RangeV(start, stop, step))
        kind = "i8"
    else:
        span = lo.b.op("truediv", lo.b.op("sub", stop, start), lo.b.cast(step, F8))
        n = lo.b.op("max", lo.b.cast(lo.b.op("ceil", span), I8), ZERO)
        kind = "f8"
    kind = dtype_code(lo, keywords.get("dtype"), node, kind)
    return Lazy(
        (n,),
        kind,
        lambda i: lo.b.cast(lo.b.op("add", start, lo.b.op("mul", i[0], step)), element_kind(kind)),
    )


@handles(CALLS, np.array, np.copy)
def array(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.array(x)``: a fresh array from numbers, tuples, lists or an array."""
    least = keywords.pop("ndmin", None)
    if least is not None and not is_none(least):
        return with_axes(lo, array(lo, args, keywords, node), lo.integer(least, node), node)
    check_keywords(lo, keywords, {"dtype"}, node)
    v = as_array(lo, args[0], node)
    dtype = keywords.get("dtype", args[1] if len(args) > 1 else None)
    code = dtype_code(lo, dtype, node, dtype_of(v) if is_array(v) else "f8")
    if is_scalar(v):
        out = lo.new_array(v.type.kind if dtype is None else code, ())
        lo.b.store(out, (), to_element(lo, v, out))
        return out
    if code == dtype_of(v):
        return copy(lo, v)
    kind = element_kind(code)
    return materialize(lo, apply_elementwise(lo, lambda x: lo.b.cast(x, kind), [v], code, node))


def with_axes(lo: Lowering, a: Any, least: Atom, node: Any) -> Any:
    """An array with axes of size 1 in front, so that it has this many at least."""
    from srcad.frontend.views import subview

    if not isinstance(least, Const):
        lo.fail(node, "ndmin must be a constant", "the number of axes is known at compile time")
    extra = max(int(least.value) - len(shape_of(lo, a)), 0)
    items = (("new",),) * extra + (("slice", None, None, None),) * len(shape_of(lo, a))
    return subview(lo, a, items) if extra else a


@handles(CALLS, np.asarray)
def asarray(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.asarray(x, dtype)``: an array of this dtype is itself, not a copy."""
    v = args[0]
    if is_array(v) and dtype_code(lo, keywords.get("dtype"), node, dtype_of(v)) == dtype_of(v):
        return v
    return array(lo, args, keywords, node)


def contiguous_like(layout: str) -> Any:
    """``ascontiguousarray`` and ``asfortranarray``: the array itself where it is one already."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        a = array_of(lo, args[0], node)
        if a.type.layout == layout or a.type.ndim < 2 and a.type.layout == "C":  # type: ignore[union-attr]
            return a
        if layout == "C":
            return copy(lo, a)
        order = tuple(range(a.type.ndim))[::-1]  # type: ignore[union-attr]
        return transpose_view(lo, copy(lo, transpose_view(lo, a, order)), order)

    return handler


CALLS[np.ascontiguousarray] = contiguous_like("C")
CALLS[np.asfortranarray] = contiguous_like("F")


def as_array(lo: Lowering, v: Any, node: Any) -> Any:
    """An array value from tuples and lists (numbers stay numbers)."""
    if is_array(v) or is_scalar(v):
        return v
    if isinstance(v, ListV):
        return list_to_array(lo, v, node)
    if isinstance(v, RangeV):
        return arange(lo, [v.start, v.stop, v.step], {}, node)
    if not isinstance(v, Tuple):
        lo.mismatch(
            node,
            f"cannot make an array of {describe(v)}",
            instead="give it numbers, tuples or lists of numbers, or arrays",
        )
    items = [as_array(lo, x, node) for x in v.items]
    if not items:
        return lo.new_array("f8", (ZERO,))
    kinds = [element_kind(dtype_of(x)) if is_array(x) else x.type for x in items]
    kind = kinds[0]
    for k in kinds[1:]:
        kind = join_types(kind, k)  # type: ignore[assignment]
    shape = shape_of(lo, items[0])
    if any(len(shape_of(lo, x)) != len(shape) for x in items):
        lo.mismatch(node, "cannot make an array of items of different shapes", PLAIN)
    for x in items[1:]:
        for n, m in zip(shape_of(lo, x), shape, strict=True):
            if not lo.same_size(n, m):
                lo.b.check(
                    lo.b.op("eq", n, m),
                    "ValueError",
                    "cannot make an array of items of different shapes",
                )
    out = lo.new_array(kind.kind, (const(len(items)), *shape))
    for k, x in enumerate(items):
        get = broadcast_to(lo, x, shape) if shape else None
        if get is None:
            value = element_at(lo, x, ())
            lo.b.store(out, (const(k),), to_element(lo, value, out))
        else:
            nest(
                lo,
                shape,
                lambda i, k=k, get=get: lo.b.store(  # type: ignore[misc]
                    out, (const(k), *i), to_element(lo, get(i), out)
                ),
            )
    return out


def array_of(lo: Lowering, v: Any, node: Any, least: int = 0) -> Var:
    """``v`` as an array variable of at least so many axes."""
    v = as_array(lo, v, node)
    if not is_array(v) or len(shape_of(lo, v)) < least:
        kind = (
            f"an array of at least {least} ax{'is' if least == 1 else 'es'}"
            if least
            else "an array"
        )
        lo.mismatch(
            node, f"expected {kind}, got {describe(v)}", instead="make it an array with np.array"
        )
    return materialize(lo, v)


# attributes
def transpose_view(lo: Lowering, a: Var, axes: tuple[int, ...]) -> Var:
    """A view with the axes in another order."""
    if axes == tuple(range(len(axes))):
        return a
    t = view_layout(a.type, "transpose", axes)  # type: ignore[arg-type]
    v = lo.b.view(a, "transpose", axes, t, a.hint or "v")
    shape = lo.shape(a)
    return derived(lo, v, a, tuple(shape[k] for k in axes), ("transpose", axes))
