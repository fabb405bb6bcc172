"""Exceptions in loops on several threads: who finds an error writes it down and stops.

An exception raised on another thread is lost.  In the function that runs a chunk of the loop, a
``Check`` therefore notes its number and the numbers of its message in row ``k`` of tables, and ends
the function; after the loop the first chunk that has failed is looked up and its error raised.
Until all other passes have run the checks stand there as in any function (``numbered``), so that a
chunk is no worse off than an ordinary loop; then they are replaced (``stopped``).

Invariant: chunks are in the order of the iterations and each stops at its first error, so the error
raised is the one that the loop would have raised iteration by iteration.  What other chunks have
written by then stays written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from srcad.ir.bounds import Bounds
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Alloc,
    Atom,
    Block,
    Carried,
    Check,
    For,
    Function,
    If,
    Loc,
    Stmt,
    Var,
    While,
)
from srcad.ir.types import B1, F4, F8, I8, ArrayT, is_float
from srcad.ir.walk import variables
from srcad.transforms.program import each_function

FLOATS, INTEGERS = ArrayT("f8", 2), ArrayT("i8", 2)


@dataclass(frozen=True)
class Site:
    """One check: what it raises, and the variables of its message with their places in tables."""

    exception: str
    message: tuple[object, ...]
    loc: Loc | None


class Stops:
    """The checks of one loop; ``tables`` are what its chunks write into.

    ``body`` is the body of the loop with its checks numbered, and one for each size of an array
    that is not known not to be negative.
    """

    def __init__(self, body: Block, bounds: Bounds, b: Builder) -> None:
        self.bounds, self.b = bounds, b
        self.sites: list[Site] = []
        self.counts = {FLOATS: 0, INTEGERS: 0}
        self.places: dict[tuple[int, int], tuple[ArrayT, int]] = {}
        self.body = self._numbered(body)

    def _numbered(self, block: Block) -> Block:
        out: list[Stmt] = []
        for s in block.stmts:
            if isinstance(s, Check):
                s = self._site(s)
            elif isinstance(s, Alloc):
                for n in self._doubtful(s):
                    out += self._size(n, s)
            elif isinstance(s, If):
                s = replace(s, then=self._numbered(s.then), orelse=self._numbered(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self._numbered(s.body))
            out.append(s)
        return Block(tuple(out), block.yields)

    def _site(self, s: Check) -> Check:
        number = len(self.sites)
        for position, part in enumerate(s.message):
            if isinstance(part, Var):
                kind = FLOATS if is_float(part.type) else INTEGERS
                self.places[number, position] = (kind, self.counts[kind])
                self.counts[kind] += 1
        self.sites.append(Site(s.exception, s.message, s.loc))
        return replace(s, site=number)

    def _doubtful(self, s: Alloc) -> list[Atom]:
        """Sizes that are not known not to be negative."""
        lows = [(n, self.bounds.lower(n)) for n in s.shape]
        return [n for n, low in lows if low is None or low < 0]

    def _size(self, n: Atom, s: Alloc) -> list[Stmt]:
        """The check of a size."""
        self.b.loc = s.loc
        with self.b.block() as out:
            cond = self.b.op("ge", n, ZERO)
        message = ("negative dimensions not allowed",)
        return [*out, self._site(Check(cond, "ValueError", message, s.loc))]

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
            message = [
                self._number((number, position), part, row, tables)
                for position, part in enumerate(s.message)
            ]
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

    def _number(self, at: tuple[int, int], part: object, row: Atom, tables: list[Var]) -> object:
        if not isinstance(part, Var):
            return part
        kind, column = self.places[at]
        found = self.b.load(table(kind, tables), row, const(column))
        if part.type == B1:
            return self.b.op("ne", found, ZERO)
        return self.b.op("f4", found) if part.type == F4 else found


def table(kind: ArrayT, tables: Sequence[Var]) -> Var:
    """The table for floats or integers."""
    return next(t for t in tables if t.type == kind)


@dataclass(frozen=True)
class Stopping:
    """What the checks of one chunk write to: row ``k`` of the tables, at their places."""

    places: dict[tuple[int, int], tuple[ArrayT, int]]
    k: Var
    tables: tuple[Var, ...]


def stopped(fn: Function) -> Function:
    """The program in whose chunks checks write down what they find, and end the function."""
    return each_function(fn, _function)


def _function(fn: Function) -> Function:
    if fn.stops is None:
        return fn
    b = Builder(Namer(v.name for v in variables(fn)))
    return replace(fn, body=_block(fn.body, b, fn.stops), stops=None)


def _block(block: Block, b: Builder, how: Stopping) -> Block:
    out: list[Stmt] = []
    for s in block.stmts:
        if isinstance(s, If):
            s = replace(s, then=_block(s.then, b, how), orelse=_block(s.orelse, b, how))
        elif isinstance(s, (For, While)):
            s = replace(s, body=_block(s.body, b, how))
        out.append(_leaving(s, b, how) if isinstance(s, Check) else s)
    return Block(tuple(out), block.yields)


def _leaving(s: Check, b: Builder, how: Stopping) -> Stmt:
    """Note what is wrong, and leave."""
    assert s.site is not None
    b.loc = s.loc
    with b.block() as noted:
        b.store(how.tables[0], (how.k,), const(s.site + 1))
        for position, part in enumerate(s.message):
            if isinstance(part, Var):
                kind, column = how.places[s.site, position]
                value: Atom = part
                if part.type not in (F8, I8):
                    value = b.op("f8" if kind == FLOATS else "i8", part)
                b.store(table(kind, how.tables[1:]), (how.k, const(column)), value)
    leave = Check(const(False), "", (), s.loc)
    return If(s.cond, Block(()), Block((*noted, leave)), (), s.loc)
