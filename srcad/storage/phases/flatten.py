"""The body of a loop without branches: both sides are computed, and one is chosen.

In: a loop's body.  Out: its statements in a row (``Item``).  A branch that only computes with
numbers becomes its statements and selections of its results (Allen, Kennedy, Porterfield & Warren,
"Conversion of control dependence to data dependence", 1983); one that touches arrays stays.

Invariant: every operation has the operands that it had, where the branch was taken; where it was
not, its result is not selected.  Operations that are not cheap arithmetic have the condition of
their branch with them (``guard``), under which they are made.  A check in a branch holds where the
branch is not taken.  Inside a branch, what an earlier branch on the same condition has selected
from is used directly, so that both sweeps of a derivative share what they have in common.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from srcad.ir.build import Builder
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Check,
    Dim,
    If,
    Load,
    Loc,
    Op,
    Stmt,
    Store,
    Var,
    View,
)
from srcad.ir.types import B1, Scalar
from srcad.ir.walk import blocks, free_variables, rewrite, statements
from srcad.transforms.program import key

# operations that a vector loop has, and that do no harm where a branch is not taken
SUMS = {"add", "sub", "mul", "neg", "positive", "square", "abs", "fabs", "f8", "f4", "min", "max"}
QUOTIENTS = {"truediv", "steep_div", "guarded_mul", "guarded_div", "sqrt", "reciprocal"}
CHOICES = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "bitand", "bitor", "select"}
ARITHMETIC = frozenset(SUMS | QUOTIENTS | CHOICES)
BRANCHING = (Op, If, Load, Store, Accumulate)  # in a branch that stays


class Refused(Exception):
    """The loop stays as it is."""


def require(fine: bool) -> None:
    """Stop if something is not as it must be."""
    if not fine:
        raise Refused


@dataclass(frozen=True)
class Item:
    """A statement, and the condition under which it is executed."""

    stmt: Stmt
    guard: Var | None = None

    def reads(self) -> Iterable[Var]:
        """The variables that it needs."""
        found = free_variables(Block((self.stmt,)), ())
        return found if self.guard is None else [self.guard, *found]


def is_flat(s: If) -> bool:
    """Whether a branch only computes with numbers."""
    for t in (t for b in blocks(s) for t in b.stmts):
        if not (isinstance(t, (Op, Check)) or isinstance(t, If) and is_flat(t)):
            return False
    same = all(
        x.type == y.type == r.type and isinstance(r.type, Scalar)
        for x, y, r in zip(s.then.yields, s.orelse.yields, s.results, strict=True)
    )
    return same and isinstance(s.cond, Var)


class Flat:
    """Collects the ``items`` of one loop; ``renamed`` says what stands for a variable."""

    def __init__(self, b: Builder, vector: set[str]) -> None:
        self.b, self.vector = b, vector
        self.items: list[Item] = []
        self.renamed: dict[str, Atom] = {}
        self.chosen: dict[str, tuple[str, Atom, Atom]] = {}  # selections, by their result
        self.taken: dict[str, bool] = {}  # conditions of the branches around
        self.made: dict[tuple[str | None, Hashable], Atom] = {}  # by guard

    def use(self, a: Atom) -> Atom:
        """What an operand is here."""
        while isinstance(a, Var):
            if a.name in self.renamed:
                a = self.renamed[a.name]
            elif a.name in self.chosen and self.chosen[a.name][0] in self.taken:
                cond, one, other = self.chosen[a.name]
                a = one if self.taken[cond] else other
            else:
                break
        return a

    def arithmetic(self, s: Op) -> bool:
        """Whether a vector loop may have an operation."""
        return s.op in ARITHMETIC or s.target.name in self.vector

    def block(self, b: Block, guard: Var | None = None) -> None:
        """The statements of a block."""
        for s in b.stmts:
            match s:
                case Op():
                    self.op(rewrite(s, self.use, lambda v: v), guard)  # type: ignore[arg-type]
                case Check():
                    self.check(s, guard)
                case If() if is_flat(s):
                    self.branch(s, guard)
                case If():
                    require(all(isinstance(t, BRANCHING) for b in blocks(s) for t in statements(b)))
                    self.items.append(Item(rewrite(s, self.use, lambda v: v)))
                case Load() | Store() | Accumulate() | View() | Dim():
                    self.items.append(Item(rewrite(s, self.use, lambda v: v)))
                case _:
                    raise Refused

    def op(self, s: Op, guard: Var | None) -> None:
        """An operation, if it is not there yet."""
        plain = self.arithmetic(s)
        what = (s.op, s.target.type, *map(key, s.args))
        here = None if guard is None else guard.name
        for under in (None, here):
            if (under, what) in self.made:
                self.renamed[s.target.name] = self.made[under, what]
                return
        self.made[None if plain else here, what] = s.target
        self.items.append(Item(s, None if plain else guard))

    def logic(self, op: str, args: tuple[Atom, ...], loc: Loc | None) -> Var:
        """A condition made of others."""
        target = self.b.var("where", B1)
        self.op(Op(target, op, args, loc), None)
        found = self.use(target)
        assert isinstance(found, Var)
        return found

    def check(self, s: Check, guard: Var | None) -> None:
        """A check, which holds where it is not made."""
        cond = self.use(s.cond)
        if guard is not None:
            cond = self.logic("bitor", (self.logic("not", (guard,), s.loc), cond), s.loc)
        self.items.append(Item(replace(s, cond=cond)))

    def branch(self, s: If, guard: Var | None) -> None:
        """Both sides, then the selections."""
        cond = self.use(s.cond)
        require(isinstance(cond, Var))
        assert isinstance(cond, Var)
        if cond.name in self.taken:  # within a branch on the same condition
            block = s.then if self.taken[cond.name] else s.orelse
            self.block(block, guard)
            ends = [self.use(y) for y in block.yields]
            self.renamed |= {r.name: y for r, y in zip(s.results, ends, strict=True)}
            return
        both: list[list[Atom]] = []
        for block, wanted in ((s.then, True), (s.orelse, False)):
            here = cond if wanted else self.opposite(s, cond)
            if guard is not None and here is not None:
                here = self.logic("bitand", (guard, here), s.loc)
            self.taken[cond.name] = wanted
            self.block(block, here)
            both.append([self.use(y) for y in block.yields])
            del self.taken[cond.name]
        for r, one, other in zip(s.results, both[0], both[1], strict=True):
            if key(one) == key(other):
                self.renamed[r.name] = one
                continue
            self.chosen[r.name] = (cond.name, one, other)
            self.op(Op(r, "select", (cond, one, other), s.loc), None)

    def opposite(self, s: If, cond: Var) -> Var | None:
        """The condition of the other side, where anything is made under it."""
        if all(isinstance(t, Op) and self.arithmetic(t) for t in s.orelse.stmts):
            return None
        return self.logic("not", (cond,), s.loc)


def needed(items: list[Item], ends: Iterable[Atom]) -> list[Item]:
    """Without what nobody uses."""
    wanted = {y.name for y in ends if isinstance(y, Var)}
    kept: list[Item] = []
    for item in reversed(items):
        s = item.stmt
        if isinstance(s, (Op, Load, View, Dim)) and s.target.name not in wanted:
            continue
        wanted |= {v.name for v in item.reads()}
        kept.append(item)
    return kept[::-1]
