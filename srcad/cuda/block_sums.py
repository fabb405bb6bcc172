"""Sums that all threads share: each block adds up its own first, in shared memory.

In: a kernel at whose end every thread adds to arrays of one element (the shadows of numbers), the
size of a block.  Out: the same kernel where the threads of a block write their contributions to
shared memory, halve them from barrier to barrier, and the first adds the sum atomically.

Invariant: the additions stand in the function's own block, which all threads execute, so they may
come to barriers there; nothing in a kernel reads these arrays.  The order within a block is always
the same, that of the blocks is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Accumulate, Atom, Block, Const, Function, Stmt, Var
from srcad.ir.threads import AXES, BARRIER, Hidden, barrier, barrier_function
from srcad.ir.types import I8, ArrayT, Type
from srcad.ir.walk import variables

Triple = tuple[int, int, int]


def with_block_sums(
    fn: Function, hidden: Mapping[str, Hidden], numbers: frozenset[str], threads: Triple
) -> tuple[Function, dict[str, Hidden]]:
    """The kernel with sums by blocks, and its hidden parameters."""
    sums = [s for s in fn.body.stmts if isinstance(s, Accumulate) and s.array.name in numbers]
    count = threads[0] * threads[1] * threads[2]
    if not sums or count < 2:
        return fn, dict(hidden)
    made = _Sums(fn, hidden, threads)
    rest = tuple(s for s in fn.body.stmts if s not in sums)
    tail = [s for kind in ("f8", "f4") for s in made.sum(sums, kind, count)]
    body = Block((*rest, *tail))
    callees = {BARRIER: barrier_function(()), **fn.callees}
    whole = replace(fn, params=(*fn.params, *made.params), body=body, callees=callees)
    return whole, made.hidden


class _Sums:
    """What the additions need."""

    def __init__(self, fn: Function, hidden: Mapping[str, Hidden], threads: Triple) -> None:
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.hidden, self.threads = dict(hidden), threads
        self.params: list[Var] = []
        self.places = {h.what: Var(n, I8, n) for n, h in hidden.items() if h.kind == "place"}

    def place(self, name: str) -> Var:
        """A place of the launch, as a hidden parameter."""
        if name not in self.places:
            self.places[name] = self.parameter(name, I8, Hidden("place", name))
        return self.places[name]

    def parameter(self, wish: str, kind: Type, what: Hidden) -> Var:
        """A new hidden parameter."""
        v = self.b.var(wish, kind)
        self.hidden[v.name] = what
        self.params.append(v)
        return v

    def number(self) -> Atom:
        """The number of the thread in its block."""
        total: Atom = ZERO
        for axis, n in [*zip(AXES, self.threads, strict=True)][::-1]:
            if n > 1:
                far = self.b.op("mul", total, const(n), hint="number")
                total = self.b.op("add", far, self.place(f"thread_{axis}"), hint="number")
        return total

    def sum(self, sums: list[Accumulate], kind: str, count: int) -> list[Stmt]:
        """The additions to arrays of one type."""
        mine = [s for s in sums if s.array.type.dtype == kind]  # type: ignore[union-attr]
        if not mine:
            return []
        self.b.loc = mine[0].loc
        shape = (len(mine), count)
        table = self.parameter("sums", ArrayT(kind, 2), Hidden("shared", "", shape))
        rows = [const(k) for k in range(len(mine))]
        with self.b.block() as out:
            own = self.number()
            for row, s in zip(rows, mine, strict=True):
                self.b.store(table, (row, own), s.value)
            self.b.emit(barrier(self.b.loc))
            k = 1 << (count - 1).bit_length() - 1
            while k:
                self.halve(table, rows, own, k, count)
                k //= 2
            with self.b.block() as first:
                for row, s in zip(rows, mine, strict=True):
                    self.b.emit(replace(s, value=self.b.load(table, row, ZERO), atomic=True))
            self.b.if_(self.b.op("eq", own, ZERO), Block(tuple(first)), Block(()))
        return out

    def halve(self, table: Var, rows: list[Const], own: Atom, k: int, count: int) -> None:
        """The first ``k`` numbers, to which those behind are added."""
        with self.b.block() as add:
            other = self.b.op("add", own, const(k), hint="other")
            for row in rows:
                self.b.accumulate(table, (row, own), self.b.load(table, row, other))
        few = min(k, count - k)
        self.b.if_(self.b.op("lt", own, const(few)), Block(tuple(add)), Block(()))
        self.b.emit(barrier(self.b.loc))
