"""Attributes and simple methods of arrays, numbers and dicts.

``.shape .size .ndim .dtype .T .mT .real .imag .flat``, ``.copy() .astype() .fill() .item()``,
``.items() .keys() .values() .get()``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    apply_elementwise,
    copy,
    dtype_of,
    element_at,
    element_kind,
    materialize,
    shape_of,
    write_array,
)
from srcad.frontend.core import ATTRIBUTES, METHODS, PLAIN, Lowering, handles
from srcad.frontend.creation import argument, array_of, dtype_code, filled_like, transpose_view
from srcad.frontend.values import Record, Static, Tuple, is_scalar
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom


@handles(ATTRIBUTES, "shape")
def shape_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``a.shape``."""
    return Tuple(tuple(shape_of(lo, v)))


@handles(ATTRIBUTES, "size")
def size_attribute(lo: Lowering, v: Any, node: Any = None) -> Any:
    """``a.size``."""
    out: Atom = ONE
    for n in shape_of(lo, v):
        out = lo.b.op("mul", out, n)
    return out


@handles(ATTRIBUTES, "ndim")
def ndim_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``a.ndim``."""
    return const(len(shape_of(lo, v)))


@handles(ATTRIBUTES, "dtype")
def dtype_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``a.dtype``."""
    code = dtype_of(v)
    return Static(np.dtype("?" if code == "b1" else code))


@handles(ATTRIBUTES, "T")
def transpose_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``a.T``."""
    if is_scalar(v):
        lo.mismatch(node, "a number has no .T", PLAIN)
    a = materialize(lo, v)
    return transpose_view(lo, a, tuple(range(a.type.ndim))[::-1])  # type: ignore[union-attr]


@handles(ATTRIBUTES, "real", "flat")
def same_attribute(lo: Lowering, v: Any, node: Any, name: str = "") -> Any:
    """``.real`` of a real value is itself; ``.flat`` iterates like ``ravel``."""
    from srcad.frontend.shaping import ravel

    if (name or getattr(node, "attr", "")) == "flat":
        a = array_of(lo, v, node, 1)
        if a.type.layout != "C":  # type: ignore[union-attr]
            lo.fail(
                node,
                ".flat of an array that is not C-ordered is not supported",
                "the flat view of it has no shape of its own",
                "a.ravel(), which is a copy",
            )
        return ravel(lo, a, node)
    return v


@handles(ATTRIBUTES, "mT")
def matrix_transpose_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``a.mT``: the last two axes exchanged."""
    a = array_of(lo, v, node, 2)
    order = list(range(a.type.ndim))  # type: ignore[union-attr]
    order[-2:] = order[:-3:-1]
    return transpose_view(lo, a, tuple(order))


@handles(ATTRIBUTES, "imag")
def imaginary_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``.imag`` of a real value: zero."""
    return filled_like(0)(lo, [v], {}, node)


# methods
@handles(METHODS, "array.copy")
def copy_method(lo: Lowering, v: Any, args: list, keywords: dict, node: Any) -> Any:
    """``a.copy()``."""
    return copy(lo, v)


@handles(METHODS, "array.astype")
def astype(lo: Lowering, v: Any, args: list, keywords: dict, node: Any) -> Any:
    """``a.astype(dtype)``."""
    code = dtype_code(lo, argument(args, keywords, 0, "dtype"), node)
    kind = element_kind(code)
    out = apply_elementwise(lo, lambda x: lo.b.cast(x, kind), [v], code, node)
    return materialize(lo, out)


@handles(METHODS, "array.fill")
def fill_method(lo: Lowering, v: Any, args: list, keywords: dict, node: Any) -> Any:
    """``a.fill(x)``."""
    write_array(lo, v, lo.scalar(args[0], node), node)
    return Static(None)


@handles(METHODS, "array.item")
def item_method(lo: Lowering, v: Any, args: list, keywords: dict, node: Any) -> Any:
    """``a.item(…)``."""
    from srcad.frontend.indexing import get_item

    shape = shape_of(lo, v)
    if len(args) == 1 and is_scalar(args[0]) and len(shape) != 1:
        return element_at(lo, v, _unravelled(lo, lo.integer(args[0], node), v))
    if args:
        key = args[0] if len(args) == 1 else Tuple(tuple(args))
        return get_item(lo, v, key, node)
    lo.b.check(
        lo.b.op("eq", size_attribute(lo, v), ONE),
        "ValueError",
        "can only convert an array of size 1 to a Python scalar",
    )
    return element_at(lo, v, (ZERO,) * len(shape))


def _unravelled(lo: Lowering, k: Atom, v: Any) -> tuple[Atom, ...]:
    """The subscripts of element ``k`` in row-major order."""
    b, size = lo.b, size_attribute(lo, v)
    inside = b.op("and", b.op("ge", k, b.op("neg", size)), b.op("lt", k, size))
    b.check(inside, "IndexError", "index is out of bounds for the size of the array")
    k = b.op("select", b.op("lt", k, ZERO), b.op("add", k, size), k)
    out: list[Atom] = []
    for n in reversed(shape_of(lo, v)):
        out.insert(0, b.op("mod", k, n))
        k = b.op("floordiv", k, n)
    return tuple(out)


METHODS["scalar.item"] = lambda lo, v, args, keywords, node: v
METHODS["scalar.copy"] = lambda lo, v, args, keywords, node: v


def _items(lo: Lowering, v: Record, args: list, keywords: dict, node: Any) -> Any:
    return Tuple(tuple(Tuple((_key(k), x)) for k, x in v.fields.items()))


def _key(k: Any) -> Any:
    return const(k) if isinstance(k, (int, float)) else Static(k)


METHODS["Record.items"] = _items
METHODS["Record.keys"] = lambda lo, v, a, k, node: Tuple(tuple(map(_key, v.fields)))
METHODS["Record.values"] = lambda lo, v, a, k, node: Tuple(tuple(v.fields.values()))


@handles(METHODS, "Record.get")
def record_get(lo: Lowering, v: Record, args: list, keywords: dict, node: Any) -> Any:
    """``d.get(key, default)`` with a constant key."""
    name = args[0].obj if isinstance(args[0], Static) else getattr(args[0], "value", None)
    return v.fields.get(name, args[1] if len(args) > 1 else Static(None))
