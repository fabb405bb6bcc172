"""Kernels of nests and of single statements: what one thread executes.

In: a ``Nest``, or statements for one thread.  Out: a ``Kernel``: an IR function whose parameters
are the arguments of the launch, and hidden ones (``ir.threads``).

* ``elements``: a grid-stride loop over the elements of a nest.
* ``parts``: the same with numbers that are reduced: each thread reduces its elements, a block its
  threads (halving, in shared memory), and leaves one number a block.
* ``total``: one block reduces these, and its first thread goes on with the statements that follow.
* ``alone``: statements executed by one thread.

Invariant: the order of a reduction depends on the number of elements, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, For, Function, Op, Stmt, Var, View
from srcad.ir.threads import BARRIER, Hidden, barrier, barrier_function
from srcad.ir.types import B1, I8, ArrayT, Scalar, Type
from srcad.ir.walk import free_variables, rewrite_block, variables
from srcad.storage.offload.nests import Nest
from srcad.storage.offload.registers import in_registers
from srcad.storage.offload.sink import Sinking
from srcad.storage.parallel.atomics import atomically
from srcad.storage.parallel.partials import identity
from srcad.transforms import cse, dead_code, hoist, simplify
from srcad.transforms.barriers import completed

WIDTH = 128  # threads of a block; a power of two
BLOCKS = 1024  # at most; a thread then takes several elements


@dataclass(frozen=True)
class Kernel:
    """What a thread executes, and what the launch gives it."""

    fn: Function
    arguments: tuple[Var, ...]
    hidden: dict[str, Hidden]
    width: int


def cell_type(t: Type) -> ArrayT:
    """The type of what holds a number on the device."""
    assert isinstance(t, Scalar)
    return ArrayT(t.kind, 1)


class KernelBuilder:
    """Builds one kernel of a function.

    Args:
        fn: the function that it is part of.
        name: what the kernel is called.
        cells: the cells of numbers on the device, by name of the number.
        views: the views of the function.
    """

    def __init__(
        self, fn: Function, name: str, cells: dict[str, Var], views: dict[str, View]
    ) -> None:
        self.name, self.cells, self.views = name, cells, views
        names = [v.name for v in variables(fn)] + [c.name for c in cells.values()]
        self.b = Builder(Namer(names))
        self.hidden: dict[str, Hidden] = {}
        self.places: dict[str, Var] = {}
        self.width = WIDTH
        self.apart = False  # whether arrays are known to be, where one is written

    # forms
    def elements(self, nest: Nest, trips: Sequence[Var]) -> Kernel:
        """A thread takes elements; ``trips`` are parameters."""
        self.given(trips)
        with self.b.block() as out:
            self.share(nest, trips, ())
        return self.finished(out)

    def parts(self, nest: Nest, trips: Sequence[Var], tables: Sequence[Var]) -> Kernel:
        """A block leaves one number for each that is reduced."""
        b = self.b
        self.given((*trips, *tables))
        with b.block() as out:
            ends = self.share(nest, trips, nest.reductions)
            mine = self.halved(ends, nest.reductions)
            with b.block() as first:
                for table, x in zip(tables, mine, strict=True):
                    b.store(table, (self.place("block_x"),), b.load(x, ZERO))
            b.if_(b.op("eq", self.place("thread_x"), ZERO), Block(tuple(first)), Block(()))
        return self.finished(out)

    def total(
        self, nest: Nest, tables: Sequence[Var], stmts: Sequence[Stmt], ends: dict[str, Atom]
    ) -> Kernel:
        """One block: the parts together, then ``stmts``; ``ends`` go to their cells."""
        b, outer = self.b, nest.loops[0]
        self.given(tables)
        with b.block() as out:
            sums = [self.gathered(t, op) for t, op in zip(tables, nest.reductions, strict=True)]
            mine = self.halved(sums, nest.reductions)
            with b.block() as first:
                for c, op, x in zip(outer.carried, nest.reductions, mine, strict=True):
                    b.emit(Op(c.result, op, (c.init, b.load(x, ZERO)), outer.loc))
                self.tail(stmts, ends)
            b.if_(b.op("eq", self.place("thread_x"), ZERO), Block(tuple(first)), Block(()))
        return self.finished(out)

    def alone(self, stmts: Sequence[Stmt], ends: dict[str, Atom]) -> Kernel:
        """One thread executes ``stmts``; ``ends`` go to their cells."""
        self.width = 1
        with self.b.block() as out:
            self.tail(stmts, ends)
        return self.finished(out)

    # pieces
    def given(self, params: Sequence[Var]) -> None:
        """Parameters that the driver has named: what the kernel makes has other names."""
        self.b.namer.taken.update(v.name for v in params)

    def tail(self, stmts: Sequence[Stmt], ends: dict[str, Atom]) -> None:
        """Statements of one thread, and the numbers that others need."""
        for s in stmts:
            self.b.emit(s)
        for name, value in ends.items():
            self.b.store(self.cells[name], (ZERO,), value)

    def share(self, nest: Nest, trips: Sequence[Var], ops: Sequence[str]) -> list[Atom]:
        """The grid-stride loop over the elements; what a thread has reduced."""
        self.apart = True
        b, inner = self.b, nest.loops[-1]
        b.loc = nest.loops[0].loc
        total: Atom = trips[0]
        for n in trips[1:]:
            total = b.op("mul", total, n, hint="n")
        start, step = self.place("grid_x"), self.place("gridsize_x")
        index = b.var("k", I8)
        results = [b.var(c.arg.hint or c.arg.name, c.arg.type) for c in inner.carried]
        carried = tuple(
            Carried(r, c.arg, identity(op, c.arg.type))
            for r, c, op in zip(results, inner.carried, ops, strict=True)
        )
        with b.block() as body:
            known = self.counters(nest, trips, index)
            found = rewrite_block(nest.body, lambda a: known.get(getattr(a, "name", ""), a), same)
            found = atomically(found, nest.atomic)
            body += found.stmts
        b.emit(For(index, start, total, step, carried, Block(tuple(body), found.yields), loc=b.loc))
        return list(results)

    def counters(self, nest: Nest, trips: Sequence[Var], index: Var) -> dict[str, Atom]:
        """The counters of the loops of a nest, from the number of the element."""
        b, rest = self.b, index
        known: dict[str, Atom] = {}
        for k in range(len(nest.loops))[::-1]:
            s, at = nest.loops[k], rest
            if k:
                rest = b.op("floordiv", at, trips[k], hint=nest.loops[k - 1].index.name)  # type: ignore[assignment]
                at = b.op("sub", at, b.op("mul", rest, trips[k]), hint=s.index.name)  # type: ignore[assignment]
            far = b.op("mul", at, s.step)
            known[s.index.name] = b.op("add", s.start, far) if s.start != ZERO else far
        return known

    def halved(self, values: Sequence[Atom], ops: Sequence[str]) -> list[Var]:
        """Shared arrays whose first elements are the reductions over the block."""
        b, me = self.b, self.place("thread_x")
        tables = []
        for x in values:
            assert isinstance(x.type, Scalar)
            table = b.var("sums", ArrayT(x.type.kind, 1))
            self.hidden[table.name] = Hidden("shared", "", (WIDTH,))
            tables.append(table)
            b.store(table, (me,), x)
        again, more, end = b.var("again", B1), b.var("again", B1), b.var("again", B1)
        k, last = b.var("half", I8), b.var("half", I8)
        with b.block() as body:
            b.emit(barrier(b.loc))
            with b.block() as add:
                other = b.op("add", me, k, hint="other")
                for table, op in zip(tables, ops, strict=True):
                    b.store(table, (me,), b.op(op, b.load(table, me), b.load(table, other)))
            b.if_(b.op("lt", me, k), Block(tuple(add)), Block(()))
            less = b.op("floordiv", k, const(2), hint="half")
            b.emit(Op(more, "gt", (less, ZERO), b.loc))
        carried = (Carried(end, again, const(True)), Carried(last, k, const(WIDTH // 2)))
        b.while_(carried, Block(tuple(body), (more, less)))
        return tables

    def gathered(self, table: Var, op: str) -> Atom:
        """What a thread makes of its share of the parts."""
        b = self.b
        assert isinstance(table.type, ArrayT)
        kind = table.type.element
        index, arg, result = b.var("k", I8), b.var("part", kind), b.var("part", kind)
        with b.block() as body:
            end = b.op(op, arg, b.load(table, index))
        size, me = b.dim(table, 0), self.place("thread_x")
        carried = (Carried(result, arg, identity(op, kind)),)
        b.for_(index, me, size, const(WIDTH), carried, Block(tuple(body), (end,)))
        return result

    def place(self, what: str) -> Var:
        """Where the thread stands, as a hidden parameter."""
        if what not in self.places:
            names = {"grid_x": "grid", "gridsize_x": "stride", "thread_x": "me", "block_x": "block"}
            v = self.places[what] = self.b.var(names[what], I8)
            self.hidden[v.name] = Hidden("place", what)
        return self.places[what]

    # the whole
    def finished(self, stmts: Sequence[Stmt]) -> Kernel:
        """The kernel: its own views, numbers from their cells, what it is given as parameters."""
        body = Sinking(self.b.namer, self.views).own(Block(tuple(stmts)), ())
        body = self.fetching(body)
        free = free_variables(body, ())
        given = tuple(v for v in free if v.name not in self.hidden)
        callees = {BARRIER: barrier_function(())} if self.hidden_arrays() else {}
        own = tuple(v for v in free if v.name in self.hidden)
        fn = Function(self.name, (*given, *own), body, callees)
        fn = cleaned(completed(fn))
        if self.apart:
            fn = in_registers(fn)
        used = {v.name for v in free_variables(fn.body, ())}
        given = tuple(v for v in given if v.name in used)
        fn = replace(fn, params=(*given, *own))
        return Kernel(fn, given, self.hidden, self.width)

    def hidden_arrays(self) -> bool:
        """Whether there is shared memory."""
        return any(h.kind == "shared" for h in self.hidden.values())

    def fetching(self, body: Block) -> Block:
        """The body with numbers of the device loaded from their cells."""
        b = self.b
        known: dict[str, Atom] = {}
        with b.block() as loads:
            for v in free_variables(body, ()):
                if v.name in self.cells and isinstance(v.type, Scalar):
                    known[v.name] = b.load(self.cells[v.name], ZERO, hint=v.hint or v.name)
        if not known:
            return body
        found = rewrite_block(body, lambda a: known.get(getattr(a, "name", ""), a), same)
        return Block((*loads, *found.stmts), found.yields)


def same(v: Var) -> Var:
    """A variable keeps its name."""
    return v


def cleaned(fn: Function) -> Function:
    """The passes that hold for a thread among others."""
    for run in (simplify.run, cse.run, hoist.run, simplify.run):
        fn = run(fn)
    return dead_code.run(fn, keep_checks=False)
