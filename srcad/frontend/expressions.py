"""Expressions: names, constants, operators, comparisons, conditionals, attributes.

Scalars become ``Op`` statements with Numba's result types; arrays become ``Lazy`` values, so
that a whole-array expression is one loop.  Short circuit is kept: what stands right of ``and``
runs only where Python would run it.
"""

from __future__ import annotations

import ast
from typing import Any

from srcad.frontend.core import EXPR, FALSE, PLAIN, Lowering, handles
from srcad.frontend.logic import before_writes
from srcad.frontend.names import number
from srcad.frontend.statements import keep, make_closure
from srcad.frontend.values import (
    Lazy,
    ListV,
    Record,
    SliceV,
    Static,
    Tuple,
    describe,
    flatten,
    is_array,
    is_scalar,
)
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Const
from srcad.ir.types import B1, F8, I8

BINARY: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.BitAnd: "bitand",
    ast.BitOr: "bitor",
    ast.BitXor: "bitxor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
SYMBOLS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.MatMult: "@",
}
UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
TUPLE_LIMIT = 10_000


@handles(EXPR, ast.Constant)
def constant(lo: Lowering, node: ast.Constant) -> Any:
    """Numbers are constants of the IR, everything else a compile-time value."""
    v = node.value
    if isinstance(v, (bool, int, float, complex)):
        return number(lo, v, node)
    return Static(v)


@handles(EXPR, ast.BinOp)
def binary_expression(lo: Lowering, node: ast.BinOp) -> Any:
    """``a op b``."""
    a = before_writes(lo, lo.read(lo.expr(node.left), node.left), [node.right])
    b = lo.read(lo.expr(node.right), node.right)
    return binary(lo, type(node.op), a, b, node)


def binary(lo: Lowering, op: type[Any], a: Any, b: Any, node: Any) -> Any:
    """A binary operator on abstract values."""
    if op is ast.MatMult:
        from srcad.frontend.linear import matmul

        return matmul(lo, a, b, node)
    name = BINARY[op]
    from srcad.frontend.complexes import refuse_operator

    refuse_operator(lo, name, a, b, node)
    if is_scalar(a) and is_scalar(b):
        return scalar_binary(lo, name, a, b, node)
    if (is_array(a) or is_scalar(a)) and (is_array(b) or is_scalar(b)):
        from srcad.frontend.arrays import elementwise

        return elementwise(lo, name, [a, b], node)
    if isinstance(a, Tuple) and isinstance(b, Tuple) and name == "add":
        return Tuple((*a.items, *b.items), list if a.cls is list else None)
    if isinstance(b, Tuple) and name == "mul":
        a, b = b, a
    if isinstance(a, Tuple) and isinstance(b, Const) and b.type == I8 and name == "mul":
        if len(a.items) * b.value > TUPLE_LIMIT:
            lo.fail(
                node,
                f"a tuple of {len(a.items) * int(b.value)} items is too long",
                "the items of a tuple are separate variables",
                "use an array",
            )
        return Tuple(a.items * int(b.value), list if a.cls is list else None)
    if isinstance(a, Tuple) and is_scalar(b) and name == "mul":
        lo.fail(
            node,
            f"cannot repeat a tuple by {describe(b)} that is no constant",
            "the length of a tuple must be known at compile time",
            "use an array",
        )
    if isinstance(a, ListV) and name in ("add", "mul"):
        from srcad.frontend.lists import list_binary

        return list_binary(lo, name, a, b, node)
    if name == "add" and all(isinstance(v, Static) and isinstance(v.obj, str) for v in (a, b)):
        return Static(a.obj + b.obj)
    lo.mismatch(
        node,
        f"cannot apply {SYMBOLS[op]} to {describe(a)} and {describe(b)}",
        instead=f"use {SYMBOLS[op]} between numbers and arrays",
    )


def scalar_binary(lo: Lowering, name: str, a: Atom, b: Atom, node: Any) -> Atom:
    """A binary operator on two numbers, with Python's ``ZeroDivisionError`` (or NumPy's none)."""
    from srcad.frontend.arrays import BITWISE

    floats = any(x.type not in (I8, B1) for x in (a, b))
    if name in ("bitand", "bitor", "bitxor", "lshift", "rshift") and floats:
        lo.mismatch(
            node,
            f"{BITWISE[name]} needs integers, got {describe(a)} and {describe(b)}",
            PLAIN,
            "convert with int(...)",
        )
    if name in ("truediv", "floordiv", "mod") and not lo.frame.source.numpy_errors:
        if not isinstance(b, Const):
            lo.b.check(
                lo.b.op("ne", b, const(0, b.type)),
                "ZeroDivisionError",  # type: ignore[arg-type]
                "division by zero"
                if name == "truediv" or floats
                else "integer division or modulo by zero",
            )
        elif not b.value:
            lo.b.check(FALSE, "ZeroDivisionError", "division by zero")
    if name == "truediv" and not floats:
        a, b = lo.b.cast(a, F8), lo.b.cast(b, F8)
    if name == "pow":
        return power(lo, a, b)
    return lo.b.op(name, a, b)


def power(lo: Lowering, a: Atom, b: Atom) -> Atom:
    """``a ** b``; a constant integer power of an int stays an int where it can."""
    if a.type == B1:
        a = lo.b.cast(a, I8)
    if b.type == B1:
        b = lo.b.cast(b, I8)
    if a.type == I8 and b.type == I8 and isinstance(b, Const) and b.value < 0:
        a = lo.b.cast(a, F8)
    return lo.b.op("pow", a, b)


@handles(EXPR, ast.UnaryOp)
def unary_expression(lo: Lowering, node: ast.UnaryOp) -> Any:
    """``-x``, ``+x``, ``not x``, ``~x``."""
    v = lo.read(lo.expr(node.operand), node.operand)
    if isinstance(node.op, ast.Not):
        return lo.b.op("not", lo.truth(v, node.operand))
    if isinstance(node.op, ast.UAdd) and (is_scalar(v) or is_array(v)):
        return lo.b.cast(v, I8) if is_scalar(v) and v.type == B1 else v
    name = "neg" if isinstance(node.op, ast.USub) else "invert"
    if is_scalar(v):
        if name == "invert" and v.type.kind not in ("i8", "b1"):
            lo.mismatch(node, f"~ needs an integer, got {describe(v)}", PLAIN)
        if isinstance(v, Const) and name == "neg" and not isinstance(v.value, bool):
            return Const(-v.value, v.type)
        return lo.b.op(name, v)
    if is_array(v):
        from srcad.frontend.arrays import elementwise

        return elementwise(
            lo, "not" if name == "invert" and dtype_of(v) == "b1" else name, [v], node
        )
    lo.mismatch(node, f"cannot apply {UNARY[type(node.op)]} to {describe(v)}", PLAIN)


def dtype_of(v: Any) -> str:
    """Element dtype code of an array value."""
    return str(v.dtype if isinstance(v, Lazy) else v.type.dtype)


@handles(EXPR, ast.NamedExpr)
def walrus(lo: Lowering, node: ast.NamedExpr) -> Any:
    """``(name := value)``."""
    v = keep(lo, lo.read(lo.expr(node.value), node.value), node.value)
    lo.frame.env[node.target.id] = v
    return v


@handles(EXPR, ast.Tuple)
def tuple_expression(lo: Lowering, node: ast.Tuple) -> Any:
    """A tuple (starred tuples are spliced)."""
    items: list[Any] = []
    for e in node.elts:
        if isinstance(e, ast.Starred):
            v = lo.read(lo.expr(e.value), e)
            if not isinstance(v, Tuple):
                lo.fail(
                    e,
                    f"cannot unpack {describe(v)} with *",
                    "the number of items must be known at compile time",
                    "unpack a tuple, or build a list with append",
                )
            items += v.items
        else:
            items.append(keep(lo, lo.read(lo.expr(e), e), e))
    out = Tuple(tuple(items))
    if len(flatten(out)[0]) > TUPLE_LIMIT:
        lo.fail(
            node,
            f"a tuple of more than {TUPLE_LIMIT} values is too large",
            "the items of a tuple are separate variables",
            "use an array",
        )
    return out


@handles(EXPR, ast.Dict)
def dict_expression(lo: Lowering, node: ast.Dict) -> Any:
    """A dict whose keys are constants."""
    fields = {}
    for k, v in zip(node.keys, node.values, strict=True):
        key = lo.expr(k) if k is not None else None
        if isinstance(key, Static) and isinstance(key.obj, str):
            name: Any = key.obj
        elif isinstance(key, Const):
            name = key.value
        else:
            lo.fail(
                node,
                "only dicts with constant keys are supported",
                "which value a key means must be known at compile time",
                "use an array and an index",
            )
        fields[name] = keep(lo, lo.read(lo.expr(v), v), v)
    return Record(dict, fields)


@handles(EXPR, ast.Lambda)
def lambda_expression(lo: Lowering, node: ast.Lambda) -> Any:
    """A lambda."""
    return make_closure(lo, node, "lambda_")


@handles(EXPR, ast.Slice)
def slice_expression(lo: Lowering, node: ast.Slice) -> Any:
    """``start:stop:step``."""

    def bound(e: ast.expr | None) -> Atom | None:
        if e is None:
            return None
        v = lo.read(lo.expr(e), e)
        if isinstance(v, Static) and v.obj is None:
            return None
        return lo.integer(v, e, "a slice bound")

    return SliceV(bound(node.lower), bound(node.upper), bound(node.step))


@handles(EXPR, ast.JoinedStr)
def format_string(lo: Lowering, node: ast.JoinedStr) -> Any:
    """f-strings exist only inside messages."""
    lo.fail(
        node,
        "formatted strings are not supported here",
        instead="use a constant string, or format outside the differentiated function",
    )
