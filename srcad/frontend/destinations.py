"""Where results of NumPy functions go, and of which elements: ``out=``, ``where=``, ``dtype=``.

In: the arguments of a call of a known function.  Out: the call without these arguments, and what
is done with its result.  ``out`` of any function is its result written to an array of the same
shape, of a kind that holds it; of a ufunc, of elements at which ``where`` holds: of the others
nothing is computed, so what the function makes of them has no part in a derivative.

Cannot do: ``where`` without ``out``, which leaves elements undefined.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    apply_elementwise,
    broadcast_to,
    check_fits,
    detach,
    dtype_of,
    element_kind,
    elementwise,
    nest,
    shape_of,
    to_element,
    write_array,
)
from srcad.frontend.core import PLAIN, Lowering
from srcad.frontend.creation import as_array, dtype_code
from srcad.frontend.signatures import Parameter, parameters_of, parameters_of_method
from srcad.frontend.values import Static, Tuple, describe, is_none, is_scalar
from srcad.ir.nodes import Atom, Block, Const, Var
from srcad.library import LIBRARY, LIBRARY_METHODS

ORDER = "buifc"  # each kind of numbers holds those before it
ACCEPTED = {"casting": ("same_kind", "unsafe"), "order": ("K", "C", "A"), "subok": (True, False)}


@cache
def place_of_out(obj: Any) -> int | None:
    """The position of ``out`` among the arguments of a known function; ``None``: it has none.

    (-1: it goes by name only.)
    """
    if isinstance(obj, np.ufunc):
        return obj.nin
    table = parameters_of(obj)
    if table is None and obj not in LIBRARY:  # transforms, numbers, classes
        return None
    return _place(_listed(table) if table is not None else _names(LIBRARY[obj].code))


@cache
def place_of_out_of_method(name: str) -> int | None:
    """``place_of_out`` of a method of arrays."""
    table = parameters_of_method(name)
    if table is not None:
        return _place(_listed(table))
    entry = LIBRARY_METHODS.get(name.partition(".")[2])
    return _place(_names(entry.code)[1:]) if entry is not None else None


def _listed(table: tuple[Parameter, ...]) -> list[str]:
    several = any(kind == "*" for _, kind, _ in table)  # what is behind goes by name
    return [("*" if several else "") + name for name, _, _ in table]


def _names(code: Any) -> list[str]:
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_POSITIONAL)
    params = inspect.signature(code).parameters.values()
    return [("*" if p.kind in kinds else "") + p.name for p in params]


def _place(names: list[str]) -> int | None:
    if "out" in names:
        return names.index("out")
    return -1 if "*out" in names else None


def without_out(place: int | None, args: list, keywords: dict) -> tuple[Any, list, dict]:
    """``out`` (``None``: not given), and the other arguments."""
    if place is None:
        return None, args, keywords
    if "out" in keywords:
        out = keywords["out"]
        keywords = {k: v for k, v in keywords.items() if k != "out"}
    elif 0 <= place < len(args):
        out = args[place]
        later = args[place + 1 :]  # what stands behind it keeps its position
        args = [*args[:place], Static(None), *later] if later else args[:place]
    else:
        return None, args, keywords
    return (None if is_none(out) else out), args, keywords


def deliver(lo: Lowering, out: Any, value: Any, node: Any) -> Any:
    """The result of a call written to ``out``, which is the result then."""
    from srcad.frontend.indexing import check_target

    if isinstance(value, Tuple):
        outs = out.items if isinstance(out, Tuple) else ()
        if len(outs) != len(value.items):
            lo.mismatch(node, "out= needs an array for each result", PLAIN)
        pairs = zip(outs, value.items, strict=True)
        return Tuple(tuple(v if is_none(o) else deliver(lo, o, v, node) for o, v in pairs))
    if isinstance(out, Tuple) and len(out.items) == 1:
        (out,) = out.items
    check_target(lo, out, node)
    value = as_array(lo, value, node)
    check_holds(lo, out, dtype_of(value), node)
    ours, theirs = lo.shape(out), shape_of(lo, value)
    if len(ours) != len(theirs):
        what = f"out= has {len(ours)} axes, the result has {len(theirs)}"
        lo.mismatch(node, what, PLAIN, "give an array of the shape of the result")
    for n, m in zip(ours, theirs, strict=True):
        if not lo.same_size(n, m):
            lo.b.check(lo.b.op("eq", n, m), "ValueError", "out= has not the shape of the result")
    write_array(lo, out, value, node)
    return out


def check_holds(lo: Lowering, out: Var, dtype: str, node: Any) -> None:
    """An array takes results of its own kind of numbers, or of one that it holds."""
    mine = out.type.dtype  # type: ignore[union-attr]
    if ORDER.index(dtype[0]) > ORDER.index(mine[0]):
        lo.mismatch(
            node,
            f"out= is of {np.dtype(mine)}, the result of {np.dtype(dtype)}",
            PLAIN,
            f"make it with dtype=np.{np.dtype(dtype)}",
        )


def ufunc_arguments(
    lo: Lowering, what: str, args: list, keywords: dict, node: Any
) -> tuple[list, str | None, Any]:
    """Operands, converted to ``dtype``; that, and the mask of ``where`` (``None``: everywhere)."""
    dtype, where = keywords.pop("dtype", None), keywords.pop("where", None)
    for k, v in keywords.items():
        given = v.obj if isinstance(v, Static) else v.value if isinstance(v, Const) else v
        if k not in ACCEPTED or given not in ACCEPTED[k]:
            lo.fail(
                node,
                f"the argument {k!r} of {what} is not supported",
                instead=f"call it without {k}",
            )
    where = None if is_none(where) or isinstance(where, Const) and where.value else where
    if dtype is None or is_none(dtype):
        return args, None, where
    code = dtype_code(lo, dtype, node)
    for a in args:
        check_becomes(lo, what, dtype_of(a), code, node)
    return [converted(lo, a, code, node) for a in args], code, where


def check_becomes(lo: Lowering, what: str, given: str, code: str, node: Any) -> None:
    """Operands are converted to kinds that hold theirs."""
    if ORDER.index(given[0]) > ORDER.index(code[0]):
        lo.mismatch(node, f"{what} of {np.dtype(given)} with dtype={np.dtype(code)}", PLAIN)


def converted(lo: Lowering, v: Any, code: str, node: Any) -> Any:
    """A number or an array as another kind of numbers."""
    kind = element_kind(code)
    if is_scalar(v):
        return lo.b.cast(v, kind)
    return apply_elementwise(lo, lambda x: lo.b.cast(x, kind), [v], code, node)


def write_where(lo: Lowering, name: str, args: list, out: Any, where: Any, node: Any) -> Any:
    """A primitive of the elements at which a mask holds, written to ``out``."""
    if out is None:
        lo.fail(
            node,
            "where= without out=",
            "the elements at which it does not hold would be undefined",
            "give out=, as in np.log(x, out=np.zeros_like(x), where=x > 0)",
        )
    where = as_array(lo, where, node)
    if dtype_of(where) != "b1":
        lo.mismatch(node, f"where= needs bools, got {describe(where)}", PLAIN)
    value = detach(lo, elementwise(lo, name, args, node), out)
    where = detach(lo, where, out)
    full = lo.shape(out)
    for v in (value, where):
        if len(shape_of(lo, v)) > len(full):
            lo.mismatch(node, "out= has fewer axes than what is written to it", PLAIN)
        check_fits(lo, shape_of(lo, v), full, node)
    holds, at = broadcast_to(lo, where, full), broadcast_to(lo, value, full)

    def write(i: tuple[Atom, ...]) -> None:
        cond = holds(i)
        with lo.b.block() as stmts:
            lo.b.store(out, i, to_element(lo, at(i), out))
        lo.b.if_(cond, Block(tuple(stmts)), Block(()))

    nest(lo, full, write)
    return out
