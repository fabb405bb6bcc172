"""Shape-changing functions: views where NumPy makes views, copies where it copies.

The decision is made once, from the layout the type states, and the shadow follows it: ``reshape``
and ``ravel`` are views of C-ordered arrays and copies of others (as Numba's ``ravel``;
``reshape`` of a strided array, which Numba refuses, copies as NumPy does).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    Index,
    apply_elementwise,
    copy,
    dtype_of,
    element_kind,
    materialize,
    reads_of,
    result_dtype,
    shape_of,
)
from srcad.frontend.attributes import size_attribute
from srcad.frontend.core import CALLS, METHODS, PLAIN, TRUE, Lowering, handles
from srcad.frontend.creation import (
    argument,
    array_of,
    as_array,
    check_keywords,
    shape_argument,
    transpose_view,
)
from srcad.frontend.joins import join_types
from srcad.frontend.reductions import axes_of, axis_of
from srcad.frontend.values import IterV, Lazy, Static, Tuple, describe, is_array, is_scalar
from srcad.frontend.views import derived, subview
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Atom, Var
from srcad.ir.types import ArrayT


def both(name: str, function: Any) -> Callable:
    """Register a handler for ``np.name(a, …)`` and ``a.name(…)``."""

    def add(f: Callable) -> Callable:
        CALLS[function] = f
        METHODS[f"array.{name}"] = lambda lo, v, args, kw, node: f(lo, [v, *args], kw, node)
        return f

    return add


@both("reshape", np.reshape)
def reshape(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``a.reshape(shape)``, with at most one ``-1``."""
    check_keywords(lo, keywords, {"shape", "newshape", "order", "copy"}, node)
    a = array_of(lo, args[0], node)
    if keywords.get("copy") == TRUE:
        a = copy(lo, a)
    given = args[1:] or [keywords.get("shape", keywords.get("newshape"))]
    spec = given[0] if len(given) == 1 else Tuple(tuple(given))
    items = spec.items if isinstance(spec, Tuple) else (spec,)
    sizes = [lo.integer(x, node, "a size") for x in items]
    if column_order(lo, keywords, node):
        sizes = sizes[::-1]
        turned = reversed_axes(lo, a)
        if len(items) > 1 and a.type.ndim > 1:  # type: ignore[union-attr]
            turned = CALLS[np.ascontiguousarray](lo, [turned], {}, node)
        turned = reshape_sizes(lo, turned, sizes, node)
        return reversed_axes(lo, turned)
    return reshape_sizes(lo, a, sizes, node)


def column_order(lo: Lowering, keywords: dict, node: Any) -> bool:
    """Whether ``order`` is Fortran's."""
    order = getattr(keywords.get("order", Static("C")), "obj", None)
    if order not in ("C", "F"):
        lo.fail(node, f"order={order!r} is not supported", instead='order="C" or order="F"')
    return bool(order == "F")


def reversed_axes(lo: Lowering, a: Var) -> Var:
    """The transpose."""
    return transpose_view(lo, a, tuple(range(a.type.ndim))[::-1])  # type: ignore[union-attr]


def reshape_sizes(lo: Lowering, a: Var, sizes: list[Atom], node: Any) -> Any:
    """``a`` in row-major order in another shape."""
    if a.type.layout != "C" and a.type.ndim == 1:  # type: ignore[union-attr]
        shape = complete(lo, a, sizes, node)
        return a if len(shape) == 1 else strided(lo, a, shape)
    if a.type.layout != "C" and not len(sizes) == 1 < a.type.ndim:  # type: ignore[union-attr]
        lo.mismatch(
            node,
            "reshape of an array that is not C-ordered",
            "whether NumPy makes a view or a copy of it depends on its strides",
            "a.copy().reshape(...), or a.ravel()",
        )
    return reshape_to(lo, a, complete(lo, a, sizes, node), node)


def strided(lo: Lowering, a: Var, shape: tuple[Atom, ...]) -> Lazy:
    """A strided vector in another shape: a view, as in NumPy, but to be read only."""

    def element(i: Index) -> Atom:
        at: Atom = ZERO
        for x, n in zip(i, shape, strict=True):
            at = lo.b.op("add", lo.b.op("mul", at, n), x)
        return lo.b.load(a, at)

    return Lazy(shape, dtype_of(a), element, ((a, False),), True)


def complete(lo: Lowering, a: Var, sizes: list[Atom], node: Any) -> tuple[Atom, ...]:
    """Sizes with ``-1`` replaced, checked against the number of elements."""
    total = size_attribute(lo, a)
    unknown = [k for k, n in enumerate(sizes) if n == const(-1)]
    if len(unknown) > 1:
        lo.mismatch(node, "can only specify one unknown dimension", PLAIN)
    product: Atom = ONE
    for k, n in enumerate(sizes):
        if k not in unknown:
            product = lo.b.op("mul", product, n)
    if unknown:
        rest = lo.b.op("floordiv", total, lo.b.op("max", product, ONE))
        sizes = [rest if k in unknown else n for k, n in enumerate(sizes)]
        product = lo.b.op("mul", product, rest)
    if not lo.same_size(product, total):
        lo.b.check(
            lo.b.op("eq", product, total),
            "ValueError",
            "cannot reshape array: total size must be unchanged",
        )
    return tuple(sizes)


def reshape_to(lo: Lowering, a: Var, shape: tuple[Atom, ...], node: Any) -> Var:
    """``a`` seen in another shape: a view if it is C-ordered, else a copy."""
    assert isinstance(a.type, ArrayT)
    if a.type.layout != "C":
        a = copy(lo, a)
    v = lo.b.view(a, "reshape", shape, view_layout(a.type, "reshape", shape), a.hint or "v")  # type: ignore[arg-type]
    del node
    return derived(lo, v, a, shape, ("reshape", tuple(str(lo.size_key(n)) for n in shape)))


@both("ravel", np.ravel)
def ravel_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``a.ravel()``."""
    check_keywords(lo, keywords, {"order"}, node)
    v = as_array(lo, args[0], node)
    a = array_of(lo, Tuple((v,)) if is_scalar(v) else v, node)
    return ravel(lo, reversed_axes(lo, a) if column_order(lo, keywords, node) else a, node)


def ravel(lo: Lowering, a: Var, node: Any) -> Var:
    """A 1-D view of a C-ordered array, else a 1-D copy."""
    if a.type.ndim == 1 and a.type.layout == "C":  # type: ignore[union-attr]
        return a
    return reshape_to(lo, a, (size_attribute(lo, a),), node)


@handles(METHODS, "array.flatten")
def flatten_method(lo: Lowering, v: Any, args: list, keywords: dict, node: Any) -> Any:
    """``a.flatten()``: always a copy."""
    column = column_order(lo, keywords, node)
    a = copy(lo, reversed_axes(lo, array_of(lo, v, node)) if column else v)
    return reshape_to(lo, a, (size_attribute(lo, a),), node)


@both("transpose", np.transpose)
def transpose(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.transpose(a, axes)``."""
    a = array_of(lo, args[0], node)
    ndim = a.type.ndim  # type: ignore[union-attr]
    given = (
        args[1]
        if len(args) == 2
        else Tuple(tuple(args[1:]))
        if len(args) > 2
        else keywords.get("axes")
    )
    if given is None or isinstance(given, Static):
        return transpose_view(lo, a, tuple(range(ndim))[::-1])
    axes = axes_of(lo, given, ndim, node)
    if sorted(axes) != list(range(ndim)):
        lo.mismatch(node, "axes must be a permutation of the array's axes", PLAIN)
    return transpose_view(lo, a, axes)


@both("swapaxes", np.swapaxes)
def swapaxes(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.swapaxes(a, axis1, axis2)``."""
    a = array_of(lo, args[0], node)
    order = list(range(a.type.ndim))  # type: ignore[union-attr]
    i, j = (axis_of(lo, x, len(order), node) for x in args[1:])
    order[i], order[j] = order[j], order[i]
    return transpose_view(lo, a, tuple(order))


@handles(CALLS, np.moveaxis)
def moveaxis(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.moveaxis(a, source, destination)``: one axis or several."""
    a = array_of(lo, args[0], node)
    ndim = a.type.ndim  # type: ignore[union-attr]
    source, destination = (axes_of(lo, x, ndim, node) for x in args[1:])
    if len(source) != len(destination):
        lo.mismatch(node, "np.moveaxis needs as many destinations as sources", PLAIN)
    order = [k for k in range(ndim) if k not in source]
    for j, i in sorted(zip(destination, source, strict=True)):
        order.insert(j, i)
    return transpose_view(lo, a, tuple(order))


@handles(CALLS, np.expand_dims)
def expand_dims(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.expand_dims(a, axis)``; several axes are counted in the result."""
    v = as_array(lo, args[0], node)
    a = materialize(lo, v) if is_array(v) else as_array(lo, Tuple((v,)), node)
    axis = argument(args, keywords, 1, "axis")
    ndim = len(shape_of(lo, v)) + (len(axis.items) if isinstance(axis, Tuple) else 1)
    new = axes_of(lo, axis, ndim, node)
    if is_scalar(v):  # ``a`` has an axis already
        return subview(lo, a, (("new",),) * (ndim - 1))
    return subview(
        lo, a, tuple(("new",) if k in new else ("slice", None, None, None) for k in range(ndim))
    )


@both("squeeze", np.squeeze)
def squeeze(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.squeeze(a, axis)``: the axis must be given."""
    a = array_of(lo, args[0], node)
    axis = argument(args, keywords, 1, "axis")
    if axis is None or isinstance(axis, Static):
        axes: tuple[int, ...] = tuple(k for k, n in enumerate(lo.shape(a)) if n == ONE)
        if not axes:
            lo.fail(
                node,
                "squeeze needs an axis here",
                "the number of axes must be known at compile time",
                "np.squeeze(a, axis)",
            )
    else:
        axes = axes_of(lo, axis, a.type.ndim, node)  # type: ignore[union-attr]
    for k, n in enumerate(lo.shape(a)):
        if k not in axes and (axis is None or isinstance(axis, Static)):
            lo.b.check(lo.b.op("ne", n, ONE), "ValueError", "squeeze needs an axis here")
    for k in axes:
        lo.b.check(
            lo.b.op("eq", lo.shape(a)[k], ONE),
            "ValueError",
            "cannot select an axis to squeeze out which has size not equal to one",
        )
    items = tuple(
        ("at", ZERO) if k in axes else ("slice", None, None, None) for k in range(a.type.ndim)
    )  # type: ignore[union-attr]
    return subview(lo, a, items)


def flipping(fixed: int | None) -> Callable:
    """``flip``, ``flipud``, ``fliplr``: reversed views."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        a = array_of(lo, args[0], node)
        axis = const(fixed) if fixed is not None else argument(args, keywords, 1, "axis")
        axes = axes_of(lo, axis, a.type.ndim, node)  # type: ignore[union-attr]
        items = tuple(
            ("slice", None, None, const(-1) if k in axes else None) for k in range(a.type.ndim)
        )  # type: ignore[union-attr]
        return subview(lo, a, items)

    return handler


CALLS[np.flip], CALLS[np.flipud], CALLS[np.fliplr] = flipping(None), flipping(0), flipping(1)


@handles(CALLS, np.where)
def where(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.where(cond, a, b)``."""
    if len(args) == 1:
        from srcad.frontend.advanced import nonzero

        return Tuple(tuple(nonzero(lo, array_of(lo, args[0], node))))
    if len(args) != 3:
        lo.mismatch(node, "np.where takes one or three arguments", PLAIN)
    args = [as_array(lo, a, node) for a in args]
    if all(is_scalar(a) for a in args):
        c = lo.truth(args[0], node)
        kind = join_types(args[1].type, args[2].type)
        return lo.b.op("select", c, lo.b.cast(args[1], kind), lo.b.cast(args[2], kind))  # type: ignore[arg-type]
    dtype = (
        result_dtype("add", args[1:])
        if dtype_of(args[1]) != dtype_of(args[2])
        else dtype_of(args[1])
    )
    kind = element_kind(dtype)
    return apply_elementwise(
        lo,
        lambda c, a, b: lo.b.op(
            "select", lo.truth(c, node), lo.b.cast(a, kind), lo.b.cast(b, kind)
        ),
        args,
        dtype,
        node,
    )


@handles(CALLS, np.clip)
def clip(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.clip(a, low, high)``; either bound may be ``None``."""
    from srcad.frontend.primitive_calls import primitive_call

    v = as_array(lo, args[0], node)
    for k, (name, f) in enumerate([("a_min", np.maximum), ("a_max", np.minimum)], 1):
        bound = argument(args, keywords, k, name, keywords.get(name[2:]))
        if bound is not None and not isinstance(bound, Static):
            v = primitive_call(
                lo, "maximum" if f is np.maximum else "minimum", f, [v, bound], {}, node
            )
    return v


METHODS["array.clip"] = lambda lo, v, args, kw, node: clip(lo, [v, *args], kw, node)


@handles(CALLS, np.broadcast_to)
def broadcast_to_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.broadcast_to(a, shape)`` (read where it is used, never written)."""
    from srcad.frontend.arrays import broadcast_to, check_fits

    v = as_array(lo, args[0], node)
    shape = shape_argument(lo, args[1], node)
    if len(shape_of(lo, v)) > len(shape):
        lo.mismatch(node, f"cannot broadcast {describe(v)} to {len(shape)} axes", PLAIN)
    check_fits(lo, shape_of(lo, v), shape, node)
    return Lazy(
        shape,
        dtype_of(v) if is_array(v) else v.type.kind,
        broadcast_to(lo, v, shape),
        reads_at_will(v),
        True,
    )


def reads_at_will(v: Any) -> tuple[tuple[Var, bool], ...]:
    """What a stretched view reads: the same storage at other indices."""
    return tuple((array, False) for array, _ in reads_of(v))


@handles(CALLS, np.size)
def size(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.size(a, axis)``."""
    v = as_array(lo, args[0], node)
    shape = shape_of(lo, v)
    out: Atom = ONE
    for k in axes_of(lo, argument(args, keywords, 1, "axis"), len(shape), node):
        out = lo.b.op("mul", out, shape[k])
    return out


@handles(CALLS, np.ndindex)
def ndindex(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.ndindex(*shape)``: all indices of a shape."""
    items = args[0].items if len(args) == 1 and isinstance(args[0], Tuple) else args
    return IterV("ndindex", tuple(lo.integer(x, node, "a size") for x in items))


@handles(CALLS, np.ndenumerate)
def ndenumerate(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.ndenumerate(a)``: all indices of an array with its elements."""
    from srcad.frontend.attributes import same_attribute

    a = array_of(lo, args[0], node, 1)
    flat = same_attribute(lo, a, node, "flat")
    return IterV("zip", (IterV("ndindex", lo.shape(a)), flat))
