"""Python expressions for scalar operations.

In: an operation and the expressions of its operands.  Out: an ``Expr``: a Python syntax tree
with what the printer must know to move it: the names it reads, the storage it reads, its width.

Everything printed means the same in Numba as in the IR: booleans in arithmetic are converted and
constants carry their type.  Storage (elements, views, allocations) is in ``storage``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

from srcad.ir.nodes import Const, Op
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, F4, F8, I8, Type

_BINARY = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
    "**": ast.Pow,
    "&": ast.BitAnd,
    "|": ast.BitOr,
    "^": ast.BitXor,
    "<<": ast.LShift,
    ">>": ast.RShift,
}
_COMPARE = {"<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE, "==": ast.Eq, "!=": ast.NotEq}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_CAST = {"f8": "np.float64", "f4": "np.float32", "i8": "np.int64", "b1": "bool"}
# operations that take booleans as they are; in all others a bool counts as a number
_TAKES_BOOL = {
    "select",
    "and",
    "or",
    "not",
    "bitand",
    "bitor",
    "bitxor",
    "invert",
    "floor",
    "ceil",
    "trunc",
    "isnan",
    "isinf",
    "isfinite",
    "signbit",
}


@dataclass(frozen=True)
class Expr:
    """A Python expression; ``opposite`` is a readable negation, where there is one."""

    node: ast.expr
    width: int
    reads: frozenset[str] = frozenset()
    memory: frozenset[str] = frozenset()
    opposite: ast.expr | None = None
    atom: bool = False  # a name or a constant


def combine(
    node: ast.expr,
    parts: tuple[Expr, ...] | list[Expr],
    extra: int = 2,
    memory: frozenset[str] = frozenset(),
    opposite: ast.expr | None = None,
) -> Expr:
    """An expression made of others."""
    width = sum(p.width for p in parts) + extra
    reads = frozenset().union(*(p.reads for p in parts))
    touched = memory.union(*(p.memory for p in parts))
    return Expr(node, width, reads, touched, opposite)


# atoms
def name(text: str) -> ast.expr:
    """A name, possibly dotted."""
    first, *rest = text.split(".")
    node: ast.expr = ast.Name(first, ast.Load())
    for part in rest:
        node = ast.Attribute(node, part, ast.Load())
    return node


def variable(text: str, cell: str) -> Expr:
    """A Python variable that holds the class ``cell``."""
    return Expr(name(text), len(text), frozenset([cell]), atom=True)


def constant(c: Const) -> Expr:
    """A constant; float32 ones are converted explicitly."""
    node = _number(c.value)
    if c.type == F4:
        node = call("np.float32", node)
    return Expr(node, len(repr(c.value)), atom=True)


def _number(value: float | int | bool) -> ast.expr:
    if isinstance(value, bool):
        return ast.Constant(value)
    if isinstance(value, float) and math.isnan(value):
        return name("math.nan")
    if math.copysign(1, value) < 0:
        return ast.UnaryOp(ast.USub(), _number(-value))
    return name("math.inf") if value == math.inf else ast.Constant(value)


def call(function: str, *args: ast.expr) -> ast.Call:
    """A call of a (dotted) function."""
    return ast.Call(name(function), list(args), [])


def method(base: ast.expr, function: str, *args: ast.expr) -> ast.expr:
    """A call of a method."""
    return ast.Call(ast.Attribute(base, function, ast.Load()), list(args), [])


def sequence(nodes: list[ast.expr]) -> ast.expr:
    """A tuple."""
    return ast.Tuple(nodes, ast.Load())


def convert(e: Expr, have: Type, want: Type) -> Expr:
    """The expression converted to another scalar type (constants are rewritten)."""
    if have == want:
        return e
    if isinstance(e.node, ast.Constant) and want in (F8, I8):
        cast: Callable = float if want == F8 else int
        return constant(Const(cast(e.node.value), want))
    return combine(call(_CAST[str(want)], e.node), [e], 12)


# scalar operations
def operation(s: Op, args: list[Expr], vector: bool = False, relaxed: int = 0) -> Expr:
    """A scalar primitive; with ``vector``, in the spelling that has a vector form."""
    e = _operation(s, args, vector)
    return replace(e, node=relaxing(e.node, relaxed)) if relaxed else e


def relaxing(node: ast.expr, relaxed: int) -> ast.expr:
    """A sum or a product (or zero, or a product), marked as one that may be fused and reordered."""
    inner = node.orelse if isinstance(node, ast.IfExp) else node
    inner.relaxed = relaxed  # type: ignore[attr-defined]
    return node


def _operation(s: Op, args: list[Expr], vector: bool) -> Expr:
    types = [a.type for a in s.args]
    args = _numbers(s, args, types)
    template = f"vmath.{s.op}({{0}})" if vector else PRIMITIVES[s.op].template
    if s.op == "select":
        test, one, two = (a.node for a in args)
        return combine(ast.IfExp(test, one, two), args, 10)
    if s.op in ("and", "or"):
        return combine(_connective(s.op, args), args, 5)
    if s.op == "not":
        inverse = args[0].node
        return combine(negation(args[0]), args, 4, opposite=inverse)
    if s.op == "neg":
        return combine(ast.UnaryOp(ast.USub(), args[0].node), args, 1)
    if template in _COMPARE:
        return _comparison(template, args, types)
    if template in _BINARY:
        node = ast.BinOp(args[0].node, _BINARY[template](), args[1].node)
        return combine(node, args, 3)
    node_, extra = _template(template, tuple(a.node for a in args))
    return combine(node_, args, extra)


def _numbers(s: Op, args: list[Expr], types: list[Type]) -> list[Expr]:
    """Operands as Numba needs them to give the result's type (and never an exception)."""
    if s.op in ("f8", "f4", "i8", "b1", "and", "or", "not") or s.op.startswith("logical_"):
        return args
    if s.op == "select":
        pairs = list(zip(args[1:], types[1:], strict=True))
        return [args[0], *(convert(a, t, s.target.type) for a, t in pairs)]
    if s.op in ("min", "max"):  # Python's give back one of the operands as it is
        return [convert(a, t, s.target.type) for a, t in zip(args, types, strict=True)]
    if s.op in ("pow", "fpow") and types[1] == I8 and s.target.type != I8:
        return [_bool_as(args[0], types[0], s.target.type), _exponent(s, args[1])]
    if s.op in _TAKES_BOOL or PRIMITIVES[s.op].template in _COMPARE:
        mixed = B1 in types and any(t != B1 for t in types)
        want = s.target.type if s.target.type != B1 else I8
        return [_bool_as(a, t, want) if mixed else a for a, t in zip(args, types, strict=True)]
    want = s.target.type if s.target.type != B1 else I8
    return [_bool_as(a, t, want) for a, t in zip(args, types, strict=True)]


def _bool_as(e: Expr, have: Type, want: Type) -> Expr:
    return convert(e, have, want) if have == B1 else e


def _exponent(s: Op, e: Expr) -> Expr:
    """Integer powers of floats: Numba raises for a zero to a negative one; derivatives must not.

    The user's own statements keep the exact instructions of the user's code (the frontend
    checks there).
    """
    given = s.args[1]
    if isinstance(given, Const) and given.value >= 0:
        return e
    if s.loc is not None and s.loc.role in ("primal", "recompute"):
        return e
    if isinstance(given, Const):
        return constant(Const(float(given.value), s.target.type))
    return convert(e, I8, s.target.type)


def negation(e: Expr) -> ast.expr:
    """``not e``, as simply as is right (also for NaN)."""
    return e.opposite if e.opposite is not None else ast.UnaryOp(ast.Not(), e.node)


def _connective(op: str, args: list[Expr]) -> ast.expr:
    kind = ast.And if op == "and" else ast.Or
    values: list[ast.expr] = []
    for a in args:
        nested = isinstance(a.node, ast.BoolOp) and isinstance(a.node.op, kind)
        values += a.node.values if nested else [a.node]  # type: ignore[attr-defined]
    return ast.BoolOp(kind(), values)


def _comparison(op: str, args: list[Expr], types: list[Type]) -> Expr:
    def node(symbol: str) -> ast.expr:
        return ast.Compare(args[0].node, [_COMPARE[symbol]()], [args[1].node])

    exact = op in ("==", "!=") or all(t in (I8, B1) for t in types)
    return combine(node(op), args, 4, opposite=node(_OPPOSITE[op]) if exact else None)


@cache
def _parsed(template: str) -> ast.expr:
    text = template.replace("{", "_operand_").replace("}", "")
    return ast.parse(text, mode="eval").body


def repeats(op: str) -> bool:
    """Whether a primitive's spelling mentions an operand twice (it must be a name then)."""
    return any(PRIMITIVES[op].template.count(f"{{{i}}}") > 1 for i in range(3))


def _template(template: str, args: tuple[ast.expr, ...]) -> tuple[ast.expr, int]:
    tree = _Substitution(args).visit(deepcopy(_parsed(template)))
    return tree, len(template) - 3 * len(args)


def filled(template: str, args: list[Expr], extra: int = 12) -> Expr:
    """A template such as ``np.dot({0}, {1})`` with its operands."""
    return combine(_template(template, tuple(a.node for a in args))[0], args, extra)


class _Substitution(ast.NodeTransformer):
    def __init__(self, args: tuple[ast.expr, ...]) -> None:
        self.args = args

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id.startswith("_operand_"):
            return self.args[int(node.id.removeprefix("_operand_"))]
        return node
