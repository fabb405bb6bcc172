"""Values that wait to be written inside the expression that uses them.

A value used once, in the block that computes it, is not printed where it is computed but kept
as an expression.  Before anything is printed that would change what the expression reads (a
variable of the same class, storage of the same kind), it is printed after all: ``disturbed``
gives the ones to print.

Invariant: at any moment, evaluating a waiting expression gives the value it had where the IR
computes it.  So expressions only move downwards, over statements that leave their operands
alone, never into or out of a block.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srcad.backends.expressions import Expr
from srcad.ir.nodes import Loc, Var

ANY = "*"  # a memory key that stands for all storage
LIMIT = 72  # widest expression that waits
BUDGET = 78  # widest statement made of waiting expressions


@dataclass
class Waiting:
    """One value: the variable, its expression, where it comes from."""

    var: Var
    expr: Expr
    loc: Loc | None


@dataclass
class Effects:
    """Classes assigned and kinds of storage written by a statement, inner ones included."""

    cells: set[str] = field(default_factory=set)
    memory: set[str] = field(default_factory=set)

    def disturb(self, e: Expr) -> bool:
        """Whether an expression's value may change."""
        if self.cells & e.reads:
            return True
        return bool(e.memory) and (ANY in self.memory or bool(self.memory & e.memory))


class Pending:
    """The waiting values of the open blocks, oldest first."""

    def __init__(self) -> None:
        self.values: dict[str, Waiting] = {}

    def add(self, var: Var, expr: Expr, loc: Loc | None) -> None:
        """Let a value wait."""
        self.values[var.name] = Waiting(var, expr, loc)

    def take(self, var: Var) -> Waiting | None:
        """The waiting value of a variable, which waits no longer."""
        return self.values.pop(var.name, None)

    def disturbed(self, effects: Effects) -> list[Waiting]:
        """Remove and give the values that must be printed before these effects happen."""
        out = [w for w in self.values.values() if effects.disturb(w.expr)]
        for w in out:
            del self.values[w.var.name]
        return out
