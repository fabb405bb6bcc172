"""Exceptions in loops on several threads: who finds an error writes it down and stops.

An exception raised on another thread is lost.  In the function that runs a chunk of the loop, a
``Check`` therefore notes its number and the numbers of its message in row ``k`` of tables, and ends
the function; after the loop the first chunk that has failed is looked up and its error raised.

Invariant: chunks are in the order of the iterations and each stops at its first error, so the error
raised is the one that the loop would have raised iteration by iteration.  What other chunks have
written by then stays written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from srcad.ir.bounds import Bounds
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.nodes import Alloc, Atom, Block, Carried, Check, Const, For, If, Loc, Stmt, Var, While
from srcad.ir.types import B1, F4, F8, I8, ArrayT, is_float
from srcad.ir.walk import statements

FLOATS, INTEGERS = ArrayT("f8", 2), ArrayT("i8", 2)


@dataclass(frozen=True)
class Site:
    """One check: what it raises, and the variables of its message with their places in tables."""

    exception: str
    message: tuple[object, ...]
    loc: Loc | None


class Stops:
    """The checks of one loop; ``tables`` are what its chunks write into."""

    def __init__(self, body: Block, bounds: Bounds, b: Builder) -> None:
        self.bounds, self.b = bounds, b
        self.sites: list[Site] = []
        self.counts = {FLOATS: 0, INTEGERS: 0}
        self.places: dict[tuple[int, str], tuple[ArrayT, int]] = {}
        self._find(body)

    def _find(self, body: Block) -> None:
        for s in statements(body):
            if isinstance(s, Check):
                self._site(s)
            elif isinstance(s, Alloc):
                for _ in self._doubtful(s):
                    self.sites.append(
                        Site("ValueError", ("negative dimensions not allowed",), s.loc)
                    )

    def _site(self, s: Check) -> None:
        number = len(self.sites)
        for part in s.message:
            if isinstance(part, Var):
                kind = FLOATS if is_float(part.type) else INTEGERS
                self.places[number, part.name] = (kind, self.counts[kind])
                self.counts[kind] += 1
        self.sites.append(Site(s.exception, s.message, s.loc))

    def _doubtful(self, s: Alloc) -> list[Atom]:
        """Sizes that are not known not to be negative."""
        lows = [(n, self.bounds.lower(n)) for n in s.shape]
        return [n for n, low in lows if low is None or low < 0]

    # the tables
    def tables(self, chunks: Atom) -> list[Var]:
        """Allocate what the chunks write into."""
        if not self.sites:
            return []
        made = [self.b.alloc(ArrayT("i8", 1), (chunks,), hint="failed")]
        for kind, count in self.counts.items():
            if count:
                made.append(self.b.alloc(kind, (chunks, const(count)), hint="numbers"))
        return made

    def fresh(self) -> list[Var]:
        """Parameters that stand for the tables."""
        if not self.sites:
            return []
        kinds = [k for k, count in self.counts.items() if count]
        return [self.b.var("failed", ArrayT("i8", 1)), *(self.b.var("numbers", k) for k in kinds)]

    # in a chunk
    def stopping(self, body: Block, k: Atom, tables: list[Var]) -> Block:
        """A body in which checks write down what they find, and end the function."""
        return _Stopping(self, k, tables).block(body)

    # after the loop
    def raised(self, chunks: Atom, tables: list[Var]) -> None:
        """Emit the error of the first chunk that has one."""
        if not self.sites:
            return
        b = self.b
        b.loc = self.sites[0].loc
        row = ZERO if chunks == ONE else self._first(chunks, tables[0])
        site = b.load(tables[0], row)
        for number, s in enumerate(self.sites):
            b.loc = s.loc
            fine = b.op("ne", site, const(number + 1))
            message = [self._number(number, part, row, tables) for part in s.message]
            b.check(fine, s.exception, *message)

    def _first(self, chunks: Atom, failed: Var) -> Atom:
        """The first chunk that has failed, 0 if none has."""
        b = self.b
        index, arg, result = b.var("c", I8), b.var("first", I8), b.var("first", I8)
        with b.block() as stmts:
            hit = b.op("and", b.op("lt", arg, ZERO), b.op("gt", b.load(failed, index), ZERO))
            end = b.op("select", hit, index, arg)
        carried = (Carried(result, arg, const(-1)),)
        b.for_(index, ZERO, chunks, ONE, carried, Block(tuple(stmts), (end,)))
        return b.op("max", result, ZERO)

    def _number(self, number: int, part: object, row: Atom, tables: list[Var]) -> object:
        if not isinstance(part, Var):
            return part
        kind, column = self.places[number, part.name]
        found = self.b.load(self.table(kind, tables), row, const(column))
        if part.type == B1:
            return self.b.op("ne", found, ZERO)
        return self.b.op("f4", found) if part.type == F4 else found

    def table(self, kind: ArrayT, tables: list[Var]) -> Var:
        """The table for floats or integers."""
        return next(t for t in tables if t.type == kind)


class _Stopping:
    """Rewrites the body of one chunk; sites come in the order in which they were found."""

    def __init__(self, stops: Stops, k: Atom, tables: list[Var]) -> None:
        self.stops, self.k, self.tables = stops, k, tables
        self.number = 0

    def block(self, b: Block) -> Block:
        """A block."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, Check):
                out += self.check(s.cond, s)
                continue
            if isinstance(s, Alloc):
                for n in self.stops._doubtful(s):
                    out += self.size(n, s)
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
            out.append(s)
        return Block(tuple(out), b.yields)

    def size(self, n: Atom, s: Alloc) -> list[Stmt]:
        """The check of a size."""
        b = self.stops.b
        b.loc = s.loc
        with b.block() as out:
            cond = b.op("ge", n, ZERO)
        return [*out, *self.check(cond, s)]

    def check(self, cond: Atom, s: Check | Alloc) -> list[Stmt]:
        """Note what is wrong, and leave."""
        b, number = self.stops.b, self.number
        self.number += 1
        b.loc = s.loc
        with b.block() as noted:
            b.store(self.tables[0], (self.k,), const(number + 1))
            for part in self.stops.sites[number].message:
                if isinstance(part, Var):
                    kind, column = self.stops.places[number, part.name]
                    value: Atom = part
                    if part.type not in (F8, I8):
                        value = b.op("f8" if kind == FLOATS else "i8", part)
                    table = self.stops.table(kind, self.tables)
                    b.store(table, (self.k, const(column)), value)
        if isinstance(cond, Const) and cond.value:
            return []
        leave = Check(const(False), "", (), s.loc)
        return [If(cond, Block(()), Block((*noted, leave)), (), s.loc)]
