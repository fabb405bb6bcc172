"""Carried numbers of a loop on several threads: one row of partial results for each chunk.

In: the carried numbers and how they are combined.  Out: tables (one for each type of number), code
that fills them, reads them in a chunk and puts them together in the order of the chunks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.nodes import Atom, Block, Carried, Const, Var
from srcad.ir.types import F4, F8, I8, ArrayT, Scalar


@dataclass
class Partials:
    """The carried numbers of one loop; ``ops`` put partial results together."""

    b: Builder
    carried: tuple[Carried, ...]
    ops: list[str]

    def __post_init__(self) -> None:
        self.kinds = list(dict.fromkeys(c.arg.type for c in self.carried))
        self.column: list[int] = []
        for k, c in enumerate(self.carried):
            before = self.carried[:k]
            self.column.append(sum(x.arg.type == c.arg.type for x in before))

    def tables(self, chunks: Atom) -> list[Var]:
        """Allocate the tables."""
        counts = [sum(c.arg.type == kind for c in self.carried) for kind in self.kinds]
        return [
            self.b.alloc(table(kind), (chunks, const(n)), False, "partial")
            for kind, n in zip(self.kinds, counts, strict=True)
        ]

    def fresh(self) -> list[Var]:
        """Parameters that stand for the tables."""
        return [self.b.var("partial", table(kind)) for kind in self.kinds]

    def read(self, tables: list[Var], row: Atom) -> list[Atom]:
        """The numbers in one row."""
        return [self.b.load(*self._place(k, tables, row)) for k in range(len(self.carried))]

    def write(self, tables: list[Var], row: Atom, values: list[Atom]) -> None:
        """Store the numbers of one row."""
        for k, v in enumerate(values):
            array, *index = self._place(k, tables, row)
            self.b.store(array, tuple(index), v)

    def clear(self, tables: list[Var], chunks: Atom) -> None:
        """Every row as it is before anything is added."""
        if self.carried:
            neutral = [
                identity(op, c.arg.type) for op, c in zip(self.ops, self.carried, strict=True)
            ]
            with self.b.loop(ZERO, chunks, hint="c") as c:
                self.write(tables, c, list(neutral))

    def combined(self, tables: list[Var], chunks: Atom) -> list[Atom]:
        """The numbers after the loop, rows put together in their order."""
        if not self.carried:
            return []
        b, index = self.b, self.b.var("c", I8)
        args = [b.var(c.result.hint or c.result.name, c.arg.type) for c in self.carried]
        results = [b.var(c.result.hint or c.result.name, c.arg.type) for c in self.carried]
        with b.block() as stmts:
            parts = self.read(tables, index)
            ends = [b.op(op, a, x) for op, a, x in zip(self.ops, args, parts, strict=True)]
        carried = tuple(
            Carried(r, a, c.init) for r, a, c in zip(results, args, self.carried, strict=True)
        )
        b.for_(index, ZERO, chunks, ONE, carried, Block(tuple(stmts), tuple(ends)))
        return list(results)

    def _place(self, k: int, tables: list[Var], row: Atom) -> tuple[Var, Atom, Atom]:
        kind = self.carried[k].arg.type
        return tables[self.kinds.index(kind)], row, const(self.column[k])


def table(kind: object) -> ArrayT:
    """The type of the table for numbers of a type."""
    assert isinstance(kind, Scalar)
    return ArrayT(kind.kind, 2)


def identity(op: str, kind: object) -> Const:
    """What an operation leaves alone.

    >>> from srcad.ir.types import F8
    >>> identity("mul", I8).value, identity("max", F8).value
    (1, -inf)
    """
    assert isinstance(kind, Scalar)
    if op in ("add", "mul"):
        return Const(int(op == "mul") if kind == I8 else float(op == "mul"), kind)
    low = op in ("max", "maximum")
    if kind in (F8, F4):
        return Const(-math.inf if low else math.inf, kind)
    return Const(-(1 << 63) if low else (1 << 63) - 1, kind)
