"""Calls of scalar primitives: on numbers, or on arrays element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    check_bitwise,
    check_result_kind,
    elementwise,
    kinds_of,
    write_array,
)
from srcad.frontend.calls import full_name
from srcad.frontend.complexes import holds_complex
from srcad.frontend.complexes import refuse as refuse_complex
from srcad.frontend.core import PLAIN, Lowering
from srcad.frontend.creation import as_array
from srcad.frontend.destinations import ufunc_arguments, write_where
from srcad.frontend.indexing import check_target
from srcad.frontend.kinds import of_elements, result_kind
from srcad.frontend.values import ListV, Tuple, describe, is_array, is_none, is_scalar
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.primitives_base import COMPLEX


def primitive_call(
    lo: Lowering, name: str, obj: Any, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """A scalar primitive on numbers, or on arrays element by element."""
    arity = PRIMITIVES[name].arity
    if obj is math.hypot and len(args) > 2:  # as Python has it; Numba takes two
        first = primitive_call(lo, name, obj, args[:-1], {}, node)
        return primitive_call(lo, name, obj, [first, args[-1]], {}, node)
    keywords = dict(keywords)
    out = keywords.pop("out", None)
    if len(args) == arity + 1 and isinstance(obj, np.ufunc):
        *args, out = args
    if isinstance(out, Tuple) and len(out.items) == 1:
        (out,) = out.items
    if len(args) != arity:
        lo.mismatch(
            node,
            f"{full_name(obj)} takes {arity} argument{'s' * (arity != 1)}, got {len(args)}",
            PLAIN,
        )
    args = [operand(lo, obj, a, node) for a in args]
    args, dtype, where = ufunc_arguments(lo, full_name(obj), args, keywords, node)
    check_operands(lo, name, obj, args, node)
    if dtype is not None and result_kind(name, kinds_of(args)).kind != dtype:
        what = f"the result of {full_name(obj)} is not of dtype={np.dtype(dtype)}"
        lo.mismatch(node, what, PLAIN, "convert the result with .astype")
    out = None if is_none(out) else out
    if out is not None:
        check_target(lo, out, node)
        check_result_kind(lo, out, name, args, node)
    if where is not None:
        return write_where(lo, name, args, out, where, node)
    of_numbers = all(is_scalar(a) for a in args)
    value: Any = (
        of_elements(lo, name, tuple(args)) if of_numbers else elementwise(lo, name, args, node)
    )
    if out is not None:
        write_array(lo, out, value, node)
    return value if out is None else out


def operand(lo: Lowering, obj: Any, a: Any, node: Any) -> Any:
    """An operand as a number or an array."""
    a = as_array(lo, a, node) if isinstance(a, (Tuple, ListV)) else a
    if not (is_scalar(a) or is_array(a)):
        what = f"{full_name(obj)} of {describe(a)}"
        lo.mismatch(node, what, instead="pass a number or an array")
    return a


def check_operands(lo: Lowering, name: str, obj: Any, args: list[Any], node: Any) -> None:
    """Complex numbers only where the primitive takes them; ``math`` takes real numbers."""
    if name not in COMPLEX and any(map(holds_complex, args)):
        refuse_complex(lo, full_name(obj), node)
    check_bitwise(lo, name, args, node)
    if getattr(obj, "__module__", "") != "math":
        return
    if any(map(holds_complex, args)):
        lo.mismatch(
            node,
            f"math.{obj.__name__} takes real numbers, got a complex one",
            PLAIN,
            f"use cmath.{obj.__name__} or the NumPy function",
        )
    if not all(is_scalar(a) for a in args):
        lo.mismatch(
            node,
            f"math.{obj.__name__} takes numbers, got an array",
            instead="use the NumPy function of this name",
        )
