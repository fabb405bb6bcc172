"""Expressions: names, constants, operators, comparisons, conditionals, attributes.

Scalars become ``Op`` statements with Numba's result types; arrays become ``Lazy`` values, so
that a whole-array expression is one loop.  Short circuit is kept: what stands right of ``and``
runs only where Python would run it.
"""

from __future__ import annotations

import ast
import builtins
import types
from typing import Any

import numpy as np

from srcad.frontend import scopes
from srcad.frontend.core import ATTRIBUTES, EXPR, FALSE, METHODS, PLAIN, TRUE, Lowering, handles
from srcad.frontend.joins import branch, run_path
from srcad.frontend.statements import make_closure, settle
from srcad.frontend.values import (
    UNBOUND, FunctionV, Lazy, ListV, MethodV, Record, SliceV, Static, Tuple, describe, is_array,
    is_scalar,
)
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Block, Const, Op, Var
from srcad.ir.types import B1, F8, I8, ArrayT, Scalar

BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv",
    ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Pow: "pow", ast.BitAnd: "bitand",
    ast.BitOr: "bitor", ast.BitXor: "bitxor", ast.LShift: "lshift", ast.RShift: "rshift",
}
COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq",
           ast.NotEq: "ne"}
SYMBOLS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.MatMult: "@",
}
UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
TUPLE_LIMIT = 10_000


@handles(EXPR, ast.Constant)
def constant(lo: Lowering, node: ast.Constant) -> Any:
    """Numbers are constants of the IR, everything else a compile-time value."""
    v = node.value
    if isinstance(v, (bool, int, float)):
        return number(lo, v, node)
    if isinstance(v, complex):
        lo.fail(node, "complex numbers are not supported",
                instead="carry real and imaginary parts in two floats")
    return Static(v)


def number(lo: Lowering, v: Any, node: Any) -> Const:
    """A Python number as a constant."""
    if isinstance(v, int) and not -(1 << 63) <= v < (1 << 63):
        lo.fail(node, f"the integer {v} does not fit in 64 bits",
                "ints are 64-bit numbers in compiled code", f"use a float: {float(v)!r}")
    return const(v)


@handles(EXPR, ast.Name)
def name_expression(lo: Lowering, node: ast.Name) -> Any:
    """A name: local, enclosing function, global, builtin."""
    return lo.read(name_value(lo, node), node, node.id)


def name_value(lo: Lowering, node: ast.Name) -> Any:
    """What a name is bound to, not yet checked for being unbound."""
    name, frame = node.id, lo.frame
    if name in frame.env:
        return frame.env[name]
    if name in frame.local:
        return UNBOUND
    outer = frame.outer
    while outer is not None:
        if name in outer.env:
            return outer.env[name]
        if name in outer.local:
            return UNBOUND
        outer = outer.outer
    src = frame.source
    if name in src.closure:
        return captured(lo, src.closure[name], cell_path(src, name), node)
    if name in src.globals:
        table = src.globals
        return captured(lo, table[name], lambda: table[name], node)
    if hasattr(builtins, name):
        return Static(getattr(builtins, name))
    lo.fail(node, f"name {name!r} is not defined", PLAIN)


def cell_path(src: Any, name: str) -> Any:
    """How to read a closure cell again."""
    f = src.function
    if f is None or name not in f.__code__.co_freevars:
        return None
    cell = f.__closure__[f.__code__.co_freevars.index(name)]
    return lambda: cell.cell_contents


def captured(lo: Lowering, obj: Any, path: Any, node: Any) -> Any:
    """An object of the user's program seen from inside the function."""
    if isinstance(obj, (bool, np.bool_)):
        return guard(lo, obj, path, const(bool(obj)))
    if isinstance(obj, (int, np.integer)):
        return guard(lo, obj, path, number(lo, int(obj), node))
    if isinstance(obj, np.float32):
        return guard(lo, obj, path, Const(float(obj), Scalar("f4")))
    if isinstance(obj, (float, np.floating)):
        return guard(lo, obj, path, const(float(obj)))
    if isinstance(obj, np.ndarray):
        from srcad.frontend.arguments import capture_array

        return capture_array(lo, obj, path, node)
    if isinstance(obj, (tuple, list)):
        items = tuple(captured(lo, x, step(path, k), node) for k, x in enumerate(obj))
        return Tuple(items, type(obj) if hasattr(obj, "_fields") else None)
    if isinstance(obj, dict) and all(isinstance(k, (str, int)) for k in obj):
        return Record(dict, {k: captured(lo, x, step(path, k), node) for k, x in obj.items()})
    if isinstance(obj, (complex, np.complexfloating)):
        lo.fail(node, "complex numbers are not supported",
                instead="carry real and imaginary parts in two floats")
    if path is not None and not isinstance(obj, (types.ModuleType, types.BuiltinFunctionType)):
        lo.program.guards.append((path, obj))
    return Static(obj, path)


def step(path: Any, key: Any) -> Any:
    """Path of an item of a captured container."""
    return None if path is None else lambda: path()[key]


def guard(lo: Lowering, obj: Any, path: Any, value: Const) -> Const:
    """A captured number is frozen into the code, which holds only while it keeps its value."""
    if path is not None:
        lo.program.guards.append((path, obj))
    return value


@handles(EXPR, ast.Attribute)
def attribute(lo: Lowering, node: ast.Attribute) -> Any:
    """``value.name``."""
    owner = lo.read(lo.expr(node.value), node.value)
    return get_attribute(lo, owner, node.attr, node)


def get_attribute(lo: Lowering, owner: Any, name: str, node: Any) -> Any:
    """An attribute of an abstract value."""
    if isinstance(owner, Static):
        try:
            obj = getattr(owner.obj, name)
        except AttributeError:
            what = getattr(owner.obj, "__name__", repr(owner.obj))
            lo.fail(node, f"{what} has no attribute {name!r}", PLAIN)
        path = None if owner.path is None else lambda: getattr(owner.path(), name)
        if isinstance(owner.obj, types.ModuleType) and path is None:
            module = owner.obj
            path = lambda: getattr(module, name)  # noqa: E731
        if isinstance(obj, float) and owner.obj in (np, __import__("math")):
            return const(obj)
        return captured(lo, obj, path, node)
    if isinstance(owner, Record) and owner.cls is not dict and name in owner.fields:
        return owner.fields[name]
    if isinstance(owner, Record) and owner.cls is not dict:
        member = getattr(owner.cls, name, None)
        if isinstance(member, types.FunctionType):
            from srcad.frontend.source import get_source

            return FunctionV(get_source(member), bound=(owner,))
        if isinstance(member, property) and member.fget is not None:
            from srcad.frontend.calls import call_value
            from srcad.frontend.source import get_source

            return call_value(lo, FunctionV(get_source(member.fget)), [owner], {}, node)
        if member is not None:
            return captured(lo, member, None, node)
    fields = getattr(owner.cls, "_fields", ()) if isinstance(owner, Tuple) and owner.cls else ()
    if name in fields:
        return owner.items[fields.index(name)]
    if (is_array(owner) or is_scalar(owner)) and name in ATTRIBUTES:
        return ATTRIBUTES[name](lo, owner, node)
    kind = "array" if is_array(owner) else "scalar" if is_scalar(owner) else type(owner).__name__
    if f"{kind}.{name}" in METHODS:
        return MethodV(owner, name)
    lo.fail(node, f"{describe(owner)} has no attribute {name!r} that srcad supports",
            instead="use a NumPy function, or write it out")


@handles(EXPR, ast.BinOp)
def binary_expression(lo: Lowering, node: ast.BinOp) -> Any:
    """``a op b``."""
    a = before_writes(lo, lo.read(lo.expr(node.left), node.left), [node.right])
    b = lo.read(lo.expr(node.right), node.right)
    return binary(lo, type(node.op), a, b, node)


def before_writes(lo: Lowering, v: Any, later: list[ast.expr]) -> Any:
    """``v``, computed now if evaluating what stands right of it may write to its operands."""
    return settle(lo, v) if isinstance(v, Lazy) and any(may_write(lo, n) for n in later) else v


def may_write(lo: Lowering, node: ast.AST) -> bool:
    """Whether evaluating an expression may write to an array (a user function is called)."""
    for n in ast.walk(node):
        if isinstance(n, ast.Call):
            f = n.func
            while isinstance(f, ast.Attribute):
                f = f.value
            root = lo.frame.env.get(f.id) if isinstance(f, ast.Name) else None
            if root is None and isinstance(f, ast.Name):
                root = Static(lo.frame.source.globals.get(f.id))
            if not (isinstance(root, Static) and isinstance(root.obj, types.ModuleType)):
                return True
    return False


def binary(lo: Lowering, op: type, a: Any, b: Any, node: Any) -> Any:
    """A binary operator on abstract values."""
    if op is ast.MatMult:
        from srcad.frontend.linear import matmul

        return matmul(lo, a, b, node)
    name = BINARY[op]
    if is_scalar(a) and is_scalar(b):
        return scalar_binary(lo, name, a, b, node)
    if (is_array(a) or is_scalar(a)) and (is_array(b) or is_scalar(b)):
        from srcad.frontend.arrays import elementwise

        return elementwise(lo, name, [a, b], node)
    if isinstance(a, Tuple) and isinstance(b, Tuple) and name == "add":
        return Tuple((*a.items, *b.items))
    if isinstance(b, Tuple) and name == "mul":
        a, b = b, a
    if isinstance(a, Tuple) and isinstance(b, Const) and b.type == I8 and name == "mul":
        if len(a.items) * b.value > TUPLE_LIMIT:
            lo.fail(node, f"a tuple of {len(a.items) * int(b.value)} items is too long",
                    "the items of a tuple are separate variables", "use an array")
        return Tuple(a.items * int(b.value))
    if isinstance(a, ListV) and name in ("add", "mul"):
        from srcad.frontend.lists import list_binary

        return list_binary(lo, name, a, b, node)
    if name == "add" and all(isinstance(v, Static) and isinstance(v.obj, str) for v in (a, b)):
        return Static(a.obj + b.obj)
    lo.mismatch(node, f"cannot apply {SYMBOLS[op]} to {describe(a)} and {describe(b)}",
                instead=f"use {SYMBOLS[op]} between numbers and arrays")


def scalar_binary(lo: Lowering, name: str, a: Atom, b: Atom, node: Any) -> Atom:
    """A binary operator on two numbers, with Python's ``ZeroDivisionError``."""
    floats = any(x.type.kind in ("f8", "f4") for x in (a, b))  # type: ignore[union-attr]
    if name in ("bitand", "bitor", "bitxor", "lshift", "rshift") and floats:
        lo.mismatch(node, f"{name} needs integers, got {describe(a)} and {describe(b)}", PLAIN,
                    "convert with int(...)")
    if name in ("truediv", "floordiv", "mod"):
        if not isinstance(b, Const):
            lo.b.check(lo.b.op("ne", b, const(0, b.type)), "ZeroDivisionError",  # type: ignore[arg-type]
                       "division by zero" if name == "truediv" or floats
                       else "integer division or modulo by zero")
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

        return elementwise(lo, "not" if name == "invert" and dtype_of(v) == "b1" else name, [v],
                           node)
    lo.mismatch(node, f"cannot apply {UNARY[type(node.op)]} to {describe(v)}", PLAIN)


def dtype_of(v: Any) -> str:
    """Element dtype code of an array value."""
    return str(v.dtype if isinstance(v, Lazy) else v.type.dtype)


@handles(EXPR, ast.Compare)
def comparison(lo: Lowering, node: ast.Compare) -> Any:
    """Comparisons, chained ones with short circuit."""
    left = before_writes(lo, lo.read(lo.expr(node.left), node.left), node.comparators)
    right = lo.read(lo.expr(node.comparators[0]), node.comparators[0])
    first = compare(lo, node.ops[0], left, right, node)
    if len(node.ops) == 1:
        return first
    return _chain(lo, node, 1, first, right)


def _chain(lo: Lowering, node: ast.Compare, k: int, so_far: Any, left: Any) -> Any:
    if k == len(node.ops):
        return so_far

    def more() -> Any:
        right = lo.read(lo.expr(node.comparators[k]), node.comparators[k])
        this = compare(lo, node.ops[k], left, right, node)
        return _chain(lo, node, k + 1, this, right)

    return short_circuit(lo, lo.truth(so_far, node), True, so_far, more, node)


def compare(lo: Lowering, op: ast.cmpop, a: Any, b: Any, node: Any) -> Any:
    """One comparison."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        same = identical(lo, a, b, node)
        return same if isinstance(op, ast.Is) else lo.b.op("not", same)
    if isinstance(op, (ast.In, ast.NotIn)):
        found = contains(lo, a, b, node)
        return lo.b.op("not", found) if isinstance(op, ast.NotIn) else found
    name = COMPARE[type(op)]
    if is_scalar(a) and is_scalar(b):
        return lo.b.op(name, a, b)
    if (is_array(a) or is_scalar(a)) and (is_array(b) or is_scalar(b)):
        from srcad.frontend.arrays import elementwise

        return elementwise(lo, name, [a, b], node)
    if isinstance(a, Tuple) and isinstance(b, Tuple) and name in ("eq", "ne"):
        out: Atom = const(len(a.items) == len(b.items))
        if out == TRUE:
            for x, y in zip(a.items, b.items, strict=True):
                same_item = lo.truth(compare(lo, ast.Eq(), x, y, node), node)
                out = lo.b.op("and", out, same_item)
        return out if name == "eq" else lo.b.op("not", out)
    if name in ("eq", "ne") and (isinstance(a, Static) or isinstance(b, Static)):
        same = isinstance(a, Static) and isinstance(b, Static) and bool(a.obj == b.obj)
        return const(same == (name == "eq"))
    lo.mismatch(node, f"cannot compare {describe(a)} with {describe(b)}",
                instead="compare numbers or arrays")


def identical(lo: Lowering, a: Any, b: Any, node: Any) -> Atom:
    """``a is b``: decided at compile time, of bools at run time."""
    if isinstance(a, Static) or isinstance(b, Static):
        return const(isinstance(a, Static) and isinstance(b, Static) and a.obj is b.obj)
    if is_scalar(a) and is_scalar(b) and a.type == b.type == B1:
        return lo.b.op("eq", a, b)
    if a is b and not is_scalar(a):
        return TRUE
    lo.fail(node, f"`is` between {describe(a)} and {describe(b)} is not supported",
            "which objects are the same is not known at compile time", "compare with ==")


def contains(lo: Lowering, a: Any, b: Any, node: Any) -> Atom:
    """``a in b`` for tuples, dicts and strings known at compile time."""
    if isinstance(b, Tuple):
        out: Atom = FALSE
        for x in b.items:
            out = lo.b.op("or", out, lo.truth(compare(lo, ast.Eq(), a, x, node), node))
        return out
    if isinstance(b, Record) and isinstance(a, Static):
        return const(a.obj in b.fields)
    if isinstance(b, Static) and isinstance(a, Static) and isinstance(b.obj, (str, frozenset)):
        return const(a.obj in b.obj)
    lo.fail(node, "`in` is supported only for tuples and dicts", instead="write a loop")


@handles(EXPR, ast.BoolOp)
def bool_expression(lo: Lowering, node: ast.BoolOp) -> Any:
    """``and`` and ``or``: the right operand runs only where the left one does not decide."""
    is_and = isinstance(node.op, ast.And)

    def evaluate(k: int) -> Any:
        v = lo.read(lo.expr(node.values[k]), node.values[k])
        if k + 1 == len(node.values):
            return v
        go_on = lo.truth(v, node.values[k])
        return short_circuit(lo, go_on, is_and, v, lambda: evaluate(k + 1), node)

    return evaluate(0)


def short_circuit(lo: Lowering, test: Atom, is_and: bool, left: Any, more: Any, node: Any) -> Any:
    """``left and more()`` (or ``or``)."""
    if isinstance(test, Const):
        return more() if bool(test.value) == is_and else left
    left = test if not is_scalar(left) else left
    out: dict[str, Any] = {}

    def right() -> None:
        out["v"] = lo.frame.env[".value"] = settle(lo, more())

    def keep() -> None:
        lo.frame.env[".value"] = left

    probe_env = dict(lo.frame.env)
    path = run_path(lo, right)
    v = out.get("v")
    simple = all(isinstance(s, Op) for s in path[0]) and len(path[0]) <= 6
    path[1].pop(".value", None)
    if simple and is_scalar(v) and v.type == B1 and left.type == B1 and path[1] == probe_env:
        for s in path[0]:
            lo.b.emit(s)
        return lo.b.op("and" if is_and else "or", test, v)
    branch(lo, test, right if is_and else keep, keep if is_and else right)
    return lo.read(lo.frame.env.pop(".value"), node, "the result of this expression")


@handles(EXPR, ast.IfExp)
def conditional(lo: Lowering, node: ast.IfExp) -> Any:
    """``a if test else b``: only the chosen side runs."""
    cond = lo.truth(lo.read(lo.expr(node.test), node.test), node.test)
    if isinstance(cond, Const):
        return lo.read(lo.expr(node.body if cond.value else node.orelse), node)
    sides: list[Any] = []

    def side(e: ast.expr) -> Any:
        def run() -> None:
            lo.frame.env[".value"] = v = settle(lo, lo.read(lo.expr(e), e))
            sides.append(v)

        return run

    a, b = run_path(lo, side(node.body)), run_path(lo, side(node.orelse))
    plain = {"add", "sub", "neg", "f8", "i8", "lt", "le", "gt", "ge", "eq", "ne"}
    stmts = [*a[0], *b[0]]
    if (len(sides) == 2 and all(is_scalar(v) for v in sides) and sides[0].type == sides[1].type
            and len(stmts) <= 4 and all(isinstance(s, Op) and s.op in plain for s in stmts)
            and not scopes.assigned([node])):
        for s in stmts:
            lo.b.emit(s)
        return lo.b.op("select", cond, *sides)
    branch(lo, cond, side(node.body), side(node.orelse))
    return lo.read(lo.frame.env.pop(".value"), node, "the result of this expression")


@handles(EXPR, ast.NamedExpr)
def walrus(lo: Lowering, node: ast.NamedExpr) -> Any:
    """``(name := value)``."""
    v = settle(lo, lo.read(lo.expr(node.value), node.value))
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
                lo.fail(e, f"cannot unpack {describe(v)} with *",
                        "the number of items must be known at compile time",
                        "unpack a tuple, or build a list with append")
            items += v.items
        else:
            items.append(settle(lo, lo.read(lo.expr(e), e)))
    return Tuple(tuple(items))


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
            lo.fail(node, "only dicts with constant keys are supported",
                    "which value a key means must be known at compile time",
                    "use an array and an index")
        fields[name] = settle(lo, lo.read(lo.expr(v), v))
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
    lo.fail(node, "formatted strings are not supported here",
            instead="use a constant string, or format outside the differentiated function")


__all__ = ["Block", "F8", "ArrayT", "Var", "binary", "captured", "name_value"]
