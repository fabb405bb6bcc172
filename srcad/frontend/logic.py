"""Comparisons, ``and``/``or``, conditional expressions, with the order of evaluation Python has.

What stands right of ``and`` runs only where Python would run it; an array expression is computed
before anything that may write to its operands.
"""

from __future__ import annotations

import ast
import builtins
import types
from typing import Any

from srcad.frontend import scopes
from srcad.frontend.core import EXPR, FALSE, TRUE, Lowering, handles
from srcad.frontend.joins import branch, run_path
from srcad.frontend.statements import settle
from srcad.frontend.values import Lazy, Maybe, Record, Static, Tuple, describe, is_array, is_scalar
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Const, Op
from srcad.ir.types import B1

COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}


def before_writes(lo: Lowering, v: Any, later: list[ast.expr]) -> Any:
    """``v``, computed now if evaluating what stands right of it may write to its operands."""
    return settle(lo, v) if isinstance(v, Lazy) and any(may_write(lo, n) for n in later) else v


def may_write(lo: Lowering, node: ast.AST) -> bool:
    """Whether evaluating an expression may write to an array (a user function is called)."""
    return any(isinstance(n, ast.Call) and _call_may_write(lo, n) for n in ast.walk(node))


def _call_may_write(lo: Lowering, node: ast.Call) -> bool:
    f: ast.expr = node.func
    if any(k.arg in ("out", None) for k in node.keywords):
        return True
    while isinstance(f, ast.Attribute):
        f = f.value
    if not isinstance(f, ast.Name):
        return True
    root = lo.frame.env.get(f.id)
    table = lo.frame.source.globals
    if root is None:
        known = table.get(f.id, getattr(builtins, f.id, None))
        if f.id in lo.frame.source.closure or f.id in lo.frame.local:
            return True
        root = Static(known)
    if not isinstance(root, Static):
        return True
    return not isinstance(root.obj, (types.ModuleType, types.BuiltinFunctionType, type))


@handles(EXPR, ast.Compare)
def comparison(lo: Lowering, node: ast.Compare) -> Any:
    """Comparisons, chained ones with short circuit."""
    asked = asks_for_none(lo, node)
    if asked is not None:
        return asked
    left = before_writes(lo, lo.read(lo.expr(node.left), node.left), node.comparators)
    right = lo.read(lo.expr(node.comparators[0]), node.comparators[0])
    first = compare(lo, node.ops[0], left, right, node)
    if len(node.ops) == 1:
        return first
    return _chain(lo, node, 1, first, right)


def asks_for_none(lo: Lowering, node: ast.Compare) -> Atom | None:
    """``name is None`` where the name holds ``None`` or a value, by a flag."""
    from srcad.frontend.names import name_value

    none = node.comparators[0]
    plain = isinstance(none, ast.Constant) and none.value is None and len(node.ops) == 1
    if not (plain and isinstance(node.left, ast.Name)):
        return None
    v = name_value(lo, node.left)
    if not (isinstance(v, Maybe) and v.none):
        return None
    if isinstance(node.ops[0], (ast.Is, ast.Eq)):
        return lo.b.op("not", v.flag)
    return v.flag if isinstance(node.ops[0], (ast.IsNot, ast.NotEq)) else None


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
    from srcad.frontend.complexes import refuse_operator

    refuse_operator(lo, name, a, b, node)
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
    static = isinstance(a, Static) or isinstance(b, Static)
    if name in ("eq", "ne") and static and not is_array(a) and not is_array(b):
        alike = isinstance(a, Static) and isinstance(b, Static) and bool(a.obj == b.obj)
        return const(alike == (name == "eq"))
    lo.mismatch(
        node,
        f"cannot compare {describe(a)} with {describe(b)}",
        instead="compare numbers or arrays",
    )


def identical(lo: Lowering, a: Any, b: Any, node: Any) -> Atom:
    """``a is b``: decided at compile time, of bools at run time."""
    if isinstance(a, Static) or isinstance(b, Static):
        return const(isinstance(a, Static) and isinstance(b, Static) and a.obj is b.obj)
    if is_scalar(a) and is_scalar(b) and a.type == b.type == B1:
        return lo.b.op("eq", a, b)
    if a is b and not is_scalar(a):
        return TRUE
    lo.fail(
        node,
        f"`is` between {describe(a)} and {describe(b)} is not supported",
        "which objects are the same is not known at compile time",
        "compare with ==",
    )


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
    lo.fail(
        node,
        f"`in` is not supported for {describe(b)}",
        "it is supported for tuples, dicts and strings",
        "write a loop, or np.any(a == x)",
    )


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
    if (
        len(sides) == 2
        and all(is_scalar(v) for v in sides)
        and sides[0].type == sides[1].type
        and len(stmts) <= 4
        and all(isinstance(s, Op) and s.op in plain for s in stmts)
        and not scopes.assigned([node])
    ):
        for s in stmts:
            lo.b.emit(s)
        return lo.b.op("select", cond, *sides)
    branch(lo, cond, side(node.body), side(node.orelse))
    return lo.read(lo.frame.env.pop(".value"), node, "the result of this expression")
