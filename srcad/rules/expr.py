"""What a rule's body computes with: symbolic operands that record a small expression graph.

In: the operands of one ``Op`` (atoms).  Out: ``Expr`` nodes, from which ``emit`` makes IR for
those partials that somebody wants; what only the others use is never emitted, and common
subexpressions are emitted once.

Numbers in a rule adapt to the operands they meet: next to a float32 they are float32, next to
an integer whole numbers stay integers, alone they take the kind of the operation's result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from srcad.ir.build import Builder, const
from srcad.ir.nodes import Atom, Const, Var
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, F4, F8, I8, Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Expr:
    """A node of the graph: an operand (``atom``, ``slot`` its position or ``"out"``) or an op.

    ``kind`` is the float kind that the rule's free-standing numbers take.
    """

    type: Scalar
    kind: Scalar
    op: str = ""
    args: tuple[Expr, ...] = ()
    atom: Atom | None = None
    slot: int | str | None = None

    @property
    def is_const(self) -> bool:
        """Whether the operand is a number known at compile time."""
        return isinstance(self.atom, Const)

    @property
    def value(self) -> Any:
        """That number."""
        assert isinstance(self.atom, Const)
        return self.atom.value

    @property
    def is_int(self) -> bool:
        """Whether the operand is an integer or a bool, which carries no derivative."""
        return self.type in (I8, B1)

    def __add__(self, other: Value) -> Expr:
        return apply("add", self, other)

    def __radd__(self, other: Value) -> Expr:
        return apply("add", other, self)

    def __sub__(self, other: Value) -> Expr:
        return apply("sub", self, other)

    def __rsub__(self, other: Value) -> Expr:
        return apply("sub", other, self)

    def __mul__(self, other: Value) -> Expr:
        return apply("mul", self, other)

    def __rmul__(self, other: Value) -> Expr:
        return apply("mul", other, self)

    def __truediv__(self, other: Value) -> Expr:
        return apply("truediv", self, other)

    def __rtruediv__(self, other: Value) -> Expr:
        return apply("truediv", other, self)

    def __pow__(self, other: Value) -> Expr:
        # an integer exponent stays one: Numba multiplies instead of calling pow
        return apply("pow", self, self.number(other, I8) if isinstance(other, int) else other)

    def __rpow__(self, other: Value) -> Expr:
        return apply("pow", other, self)

    def __neg__(self) -> Expr:
        return apply("neg", self)

    def __lt__(self, other: Value) -> Expr:
        return apply("lt", self, other)

    def __le__(self, other: Value) -> Expr:
        return apply("le", self, other)

    def __gt__(self, other: Value) -> Expr:
        return apply("gt", self, other)

    def __ge__(self, other: Value) -> Expr:
        return apply("ge", self, other)

    def __eq__(self, other: Value) -> Expr:  # type: ignore[override]
        return apply("eq", self, other)

    def __ne__(self, other: Value) -> Expr:  # type: ignore[override]
        return apply("ne", self, other)

    def __and__(self, other: Value) -> Expr:
        return apply("and", self, other)

    def __or__(self, other: Value) -> Expr:
        return apply("or", self, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError("a rule's body is traced: write where(condition, a, b) instead of if")

    def number(self, value: float, kind: Scalar | None = None) -> Expr:
        """A number next to this operand, of a given kind or of the operand's float kind."""
        kind = kind or (self.kind if self.is_int else self.type)
        return Expr(kind, self.kind, atom=const(value, kind))


Value = Expr | float | int


def apply(name: str, *args: Value) -> Expr:
    """The node of a primitive; numbers among the operands adapt to the others."""
    nodes = [a for a in args if isinstance(a, Expr)]
    types = [a.type for a in nodes]
    kind = nodes[0].kind
    exprs = tuple(a if isinstance(a, Expr) else _adapt(a, types, kind) for a in args)
    return Expr(PRIMITIVES[name].result_type(*(a.type for a in exprs)), kind, name, exprs)


def _adapt(value: float, types: list[Scalar], kind: Scalar) -> Expr:
    if isinstance(value, bool):
        own = B1
    elif F8 in types or F4 in types:
        own = F8 if F8 in types else F4
    else:
        own = I8 if I8 in types and isinstance(value, int) else kind
    return Expr(own, kind, atom=const(value, own))


class Function:
    """A primitive to be called in rules."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Value) -> Expr:
        return apply(self.name, *args)


where = Function("select")
sqrt, exp, expm1, exp2, log, log1p = map(Function, ("sqrt", "exp", "expm1", "exp2", "log", "log1p"))
sin, cos, tan, sinh, cosh, tanh = map(Function, ("sin", "cos", "tan", "sinh", "cosh", "tanh"))
atan, hypot, rint, floor = map(Function, ("atan", "hypot", "rint", "floor"))
sign, absolute, copysign, ldexp = map(Function, ("sign", "abs", "copysign", "ldexp"))
atan2, cpow_re, cpow_im = map(Function, ("atan2", "cpow_re", "cpow_im"))
digamma, polygamma = map(Function, ("digamma", "polygamma"))
expit, ndtr, erfcx, erfc_integral = map(Function, ("expit", "ndtr", "erfcx", "erfc_integral"))
bessel_i, bessel_i_scaled = Function("bessel_i"), Function("bessel_i_scaled")
bessel_j = Function("bessel_j")
# quotients in rules: 0 / anything is 0; the derivative is guarded
guarded_div, steep_div = Function("guarded_div"), Function("steep_div")


def nodes(e: Expr) -> Iterator[Expr]:
    """The nodes that an expression consists of."""
    yield e
    for a in e.args:
        yield from nodes(a)


def emit(builder: Builder, e: Expr, memo: dict[object, Atom]) -> Atom:
    """IR for an expression; ``memo`` holds what is emitted already, by operation and operands."""
    if e.atom is not None:
        return e.atom
    args = tuple(emit(builder, a, memo) for a in e.args)
    # by name or by spelling: 0.0 and -0.0 are equal, but not the same operand
    key = (e.op, *(a.name if isinstance(a, Var) else (a.type, repr(a.value)) for a in args))
    if key not in memo:
        memo[key] = builder.op(e.op, *args)
    return memo[key]
