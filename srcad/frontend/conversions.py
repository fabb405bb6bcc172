"""Conversions between kinds of numbers: ``float int bool round math.floor`` and NumPy's types.

Their results are Numba's: ``float`` of a float32 stays float32, ``int`` truncates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcad.frontend.arrays import shape_of
from srcad.frontend.core import CALLS, FALSE, PLAIN, Lowering, handles
from srcad.frontend.values import Static, describe, is_array, is_scalar
from srcad.ir.build import const
from srcad.ir.types import B1, F4, F8, I8


@handles(CALLS, float)
def float_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``float(x)``."""
    numbers = one_number(lo, args, "float", node)
    if numbers and is_scalar(numbers[0]) and numbers[0].type == F4:
        return numbers[0]  # as Numba does
    return convert(lo, numbers, F8, "f8", node)


@handles(CALLS, np.float32)
def float32_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.float32(x)``."""
    return convert(lo, args, F4, "f4", node)


@handles(CALLS, int)
def int_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``int(x)``: truncates; its derivative is zero."""
    return convert(lo, one_number(lo, args, "int", node), I8, "i8", node)


@handles(CALLS, np.bool_)
def bool8_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.bool_(x)``."""
    return convert(lo, args, B1, "b1", node)


@handles(CALLS, np.dtype)
def dtype_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.dtype(x)``."""
    from srcad.frontend.creation import dtype_code

    code = dtype_code(lo, args[0], node)
    return Static(np.dtype("?" if code == "b1" else code))


def limits_of(info: Any) -> Any:
    """Handler of ``np.finfo`` and ``np.iinfo``: constants of a kind of numbers."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        from srcad.frontend.creation import dtype_code

        code = dtype_code(lo, args[0], node)
        try:
            return Static(info(np.dtype("?" if code == "b1" else code)))
        except ValueError as e:
            lo.mismatch(node, str(e), PLAIN)

    return handler


CALLS[np.finfo], CALLS[np.iinfo] = limits_of(np.finfo), limits_of(np.iinfo)


@handles(CALLS, np.result_type)
def result_type(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.result_type(a, b)``: the dtype that arrays and numbers have in common."""
    from srcad.frontend.creation import as_array
    from srcad.frontend.joining import common_kind

    values = [as_array(lo, a, node) for a in args]
    kind = common_kind(values).kind
    return Static(np.dtype("?" if kind == "b1" else kind))


@handles(CALLS, bool)
def bool_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``bool(x)``."""
    return lo.truth(args[0], node) if args else FALSE


def one_number(lo: Lowering, args: list, name: str, node: Any) -> list:
    """Arguments of ``float`` and ``int``, which take no arrays."""
    if args and is_array(args[0]) and shape_of(lo, args[0]):
        lo.mismatch(
            node,
            f"{name} of {describe(args[0])}",
            instead=f"take an element, or convert with .astype({name})",
        )
    return args


def convert(lo: Lowering, args: list, kind: Any, dtype: str, node: Any) -> Any:
    """A number or an array of another type."""
    from srcad.frontend.arrays import apply_elementwise

    if not args:
        return const(0, kind)
    v = args[0]
    if isinstance(v, Static) and isinstance(v.obj, str):
        try:
            return const(float(v.obj))
        except ValueError:
            lo.mismatch(node, f"could not convert {v.obj!r} to a number", PLAIN)
    if is_array(v) and shape_of(lo, v):
        return apply_elementwise(lo, lambda x: lo.b.cast(x, kind), [v], dtype, node)
    return lo.b.cast(lo.scalar(v, node), kind)


@handles(CALLS, round)
def round_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``round(x)`` is an int; ``round(x, n)`` a float."""
    x = lo.scalar(args[0], node)
    if len(args) == 1:
        return lo.b.cast(lo.b.op("rint", lo.b.cast(x, F8)), I8)
    scale = lo.b.op("pow", const(10.0), lo.b.cast(lo.integer(args[1], node), F8))
    return lo.b.op("truediv", lo.b.op("rint", lo.b.op("mul", x, scale)), scale)


def to_int(name: str) -> Any:
    """``math.floor`` and its like give ints."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        x = lo.scalar(args[0], node)
        return x if x.type == I8 else lo.b.cast(lo.b.op(name, lo.b.cast(x, F8)), I8)

    return handler


CALLS[math.floor], CALLS[math.ceil] = to_int("floor"), to_int("ceil")
CALLS[math.trunc] = to_int("trunc")
