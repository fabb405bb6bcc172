"""The code of a loop on several threads: two functions, and what stands in the loop's place.

In: a ``Plan``.  Out: statements, and two new functions.  ``…_chunk`` runs a part of the loop's
range; it is ordinary code, compiled as the rest is.  ``…_threads`` has nothing but a
``numba.prange`` over the chunks that calls it, and is the only one compiled with
``parallel=True``: Numba's own analysis of parallel code, which is slow and may change the order
of sums, sees no other statement.  In the loop's place stands::

    chunks = …                         # threads, or less; 1 where it is not right or not worth it
    if chunks > 1:
        copies = np.zeros((chunks - 1, …))     # of arrays that all iterations add to
        f_threads(chunks, …, x_b, copies)      # the first chunk adds to the array itself
        total += …                             # in the order of the chunks
    else:
        f_chunk(0, start, stop, …)             # the loop as it was

Invariant: the result depends on the number of threads, but not on their speed; with one chunk it
is bit for bit that of the loop as it was.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.nodes import Atom, Block, Call, Carried, Const, For, Function, Op, Stmt, Var
from srcad.ir.types import B1, I8, ArrayT, numpy_dtype
from srcad.storage.parallel.alike import signature
from srcad.storage.parallel.facts import Facts
from srcad.storage.parallel.partials import Partials
from srcad.storage.parallel.plan import Plan
from srcad.storage.parallel.stops import Stopping, Stops
from srcad.storage.parallel.work import work
from srcad.transforms.arrays import add_to, fit, sizes
from srcad.transforms.trips import trip_count

MEMORY = 1 << 28  # bytes that the copies of one loop may take, for all threads together
APART = 1024  # bytes between the beginnings of two copies, at least
GRAIN = 20_000  # work of a chunk that is worth a thread, where nobody asked for one


@dataclass(frozen=True)
class Names:
    """Names for the two functions of a loop."""

    chunk: str
    threads: str


@dataclass
class Emitter:
    """Emits one loop; ``functions`` are the new ones.

    ``asked`` says that the user marked the loop; ``least`` has lower bounds of integers,
    ``decides`` the variables that the program's decisions depend on, ``facts`` what a part knows;
    ``made`` holds the names of functions that were made before, by what they do.
    """

    b: Builder
    plan: Plan
    names: Names
    stops: Stops
    asked: bool
    least: dict[str, int]
    decides: frozenset[str]
    facts: Facts
    made: dict[Hashable, Names]
    functions: dict[str, Function] = field(default_factory=dict)
    held: tuple[int, ...] = ()  # the parameters of the second that hold copies

    def __post_init__(self) -> None:
        self.loop = self.plan.loop
        self.remade, self.plan.free = self.facts.remade(self.plan.free)
        self.partials = Partials(self.b, self.loop.carried, self.plan.reductions)

    def emit(self) -> None:
        """The statements in place of the loop, into the block in hand."""
        b, s = self.b, self.loop
        self._chunk()
        self._threads()
        self._shared()
        self._locate()
        trips = trip_count(b, s.start, s.stop, s.step)
        chunks = self._chunks(trips)
        rows, notes = self.partials.tables(chunks), self.stops.tables(chunks)
        with b.block() as then:
            several = self._several(chunks, trips, rows, notes)
        with b.block() as orelse:
            self._locate()
            self.partials.write(rows, ZERO, [c.init for c in s.carried])
            bounds = map(self._typed, (ZERO, s.start, s.stop))
            given = (*bounds, *rows, *notes, *self.plan.free)
            b.emit(Call((), self.names.chunk, given, b.loc))
            self.stops.raised(ONE, notes)
            one = self.partials.read(rows, ZERO)
        self._locate()
        results = tuple(c.result for c in s.carried)
        blocks = Block(tuple(then), tuple(several)), Block(tuple(orelse), tuple(one))
        b.if_(b.op("gt", chunks, ONE), *blocks, results)

    def _locate(self) -> None:
        """What comes now is there for the threads."""
        loc = self.loop.loc
        self.b.loc = None if loc is None else replace(loc, role="parallel")

    def _typed(self, a: Atom) -> Atom:
        """A number as an argument: Numba compiles a function again for a literal one."""
        if not isinstance(a, Const):
            return a
        made = self.b.var("n", I8)
        self.b.emit(Op(made, "i8", (a,), self.b.loc))
        return made

    def _chunks(self, trips: Atom) -> Atom:
        """How many chunks there are."""
        b, plan = self.b, self.plan
        (threads,) = b.array_op("threads", (I8,), hint="threads")
        most = b.op("min", threads, trips)
        if plan.window:
            most = b.op("min", most, b.op("floordiv", trips, const(2 * plan.window)))
        done = work(b, self.loop, trips) if plan.private or not self.asked else ZERO
        if plan.private:
            elements, size = self._size()
            most = b.op("min", most, b.op("floordiv", const(MEMORY), b.op("max", size, ONE)))
            most = b.op("min", most, b.op("floordiv", done, b.op("max", elements, ONE)))
        if not self.asked:
            most = b.op("min", most, b.op("floordiv", done, const(GRAIN)))
        for x, y in plan.apart:
            (fine,) = b.array_op("apart", (B1,), x, y, hint="apart")
            most = b.op("select", fine, most, ONE)
        return b.op("max", most, ONE, hint="chunks")

    def _size(self) -> tuple[Atom, Atom]:
        """Elements and bytes of the copies of one chunk."""
        b = self.b
        elements: Atom = ZERO
        size: Atom = ZERO
        for v in self.plan.private:
            count = self._volume(v)
            elements = b.op("add", elements, count)
            size = b.op("add", size, b.op("mul", count, const(item_size(v))))
        return elements, size

    def _several(self, chunks: Atom, trips: Atom, rows: list[Var], notes: list[Var]) -> list[Atom]:
        """What runs with more than one chunk; the carried numbers after it."""
        b, plan = self.b, self.plan
        self.partials.clear(rows, chunks)
        copies = {v.name: self._copies(v, chunks) for v in plan.private}
        free = [*plan.free, *copies.values()]
        ranges: list[tuple[Atom, ...]] = [()]
        if plan.window:  # first what is far from other chunks, then their first iterations
            ranges = [(const(plan.window), trips), (ZERO, const(plan.window))]
        for part in ranges:
            bounds = map(self._typed, (trips, self.loop.start, *part))
            given = (chunks, *bounds, *rows, *notes, *free)
            b.emit(Call((), self.names.threads, given, b.loc))
        self.stops.raised(chunks, notes)
        self._locate()
        ends = self.partials.combined(rows, chunks)
        for v in plan.private:
            with b.loop(ONE, chunks, hint="c") as k:
                self._add_to(v, self._copy(copies[v.name], k, chunks, v))
        return ends

    # copies
    def _copies(self, v: Var, chunks: Atom) -> Var:
        """Zeros for each chunk but the first; the axes of an F array in the other order.

        Small copies lie apart, so that two threads do not write to one line of a cache.
        """
        b, shape = self.b, sizes(self.b, v)
        size = b.op("max", self._volume(v), ONE)
        gap = b.op("floordiv", const(APART // item_size(v)), size)
        rows = b.op("mul", b.op("sub", chunks, ONE), b.op("add", gap, ONE), hint="rows")
        shape = shape[::-1] if turned(v) else shape
        return b.alloc(stacked(v), (rows, *shape), True, f"{v.hint or v.name}_copies")

    def _volume(self, v: Var) -> Atom:
        """The number of elements of an array."""
        count: Atom = ONE
        for n in sizes(self.b, v):
            count = self.b.op("mul", count, n)
        return count

    def _copy(self, copies: Var, k: Atom, chunks: Atom, v: Var) -> Var:
        """The copy of a chunk behind the first, of the type of what it is a copy of."""
        assert isinstance(v.type, ArrayT)
        plain = replace(v.type, layout="C", mutable=True)
        b = self.b
        apart = b.op("floordiv", b.dim(copies, 0), b.op("sub", chunks, ONE), hint="apart")
        at = b.op("sub", b.op("mul", k, apart), ONE, hint="row")  # empty rows before each
        row = b.view(copies, "index", (("at", at),), plain, v.hint or v.name)
        return fit(b, transposed(b, row) if turned(v) else row, v.type)

    def _own(self, v: Var, copies: Var, k: Atom, chunks: Atom) -> Var:
        """What a chunk adds to: the array itself, or its copy."""
        b, own = self.b, self.b.var(v.hint or v.name, v.type)
        with b.block() as orelse:
            copy = self._copy(copies, k, chunks, v)
        b.if_(b.op("eq", k, ZERO), Block((), (v,)), Block(tuple(orelse), (copy,)), (own,))
        return own

    def _add_to(self, v: Var, copy: Var) -> None:
        """Add a copy to the array: along the memory, where that has no gaps."""
        assert isinstance(v.type, ArrayT)
        add_to(self.b, *(map(self._flat, (v, copy)) if v.type.layout in "CF" else (v, copy)))

    def _flat(self, x: Var) -> Var:
        """The elements of an array without gaps in the order of its memory."""
        assert isinstance(x.type, ArrayT)
        if x.type.ndim == 1:
            return x
        line = replace(x.type, ndim=1, layout="C")
        x = transposed(self.b, x) if turned(x) else x
        return self.b.view(x, "reshape", (self._volume(x),), line, x.hint)

    # functions
    def _chunk(self) -> None:
        """The function that runs the iterations from ``first`` to ``last``."""
        b, s = self.b, self.loop
        b.loc = s.loc
        k, first, last = (b.var(n, I8) for n in ("k", "first", "last"))
        rows, notes = self.partials.fresh(), self.stops.fresh()
        with b.block() as stmts:
            for made in self.remade:
                b.emit(made)
            inits = self.partials.read(rows, k)
            results = [b.var(c.arg.hint or c.arg.name, c.arg.type) for c in s.carried]
            carried = tuple(
                Carried(r, c.arg, i) for r, c, i in zip(results, s.carried, inits, strict=True)
            )
            part = replace(s, start=first, stop=last, carried=carried, body=self.stops.body)
            b.emit(replace(part, parallel=False, keep=None))
            self.partials.write(rows, k, list(results))
        least = {v.name: self.least[v.name] for v in self.plan.free if v.name in self.least}
        low = self.least.get(s.index.name)
        assert isinstance(s.step, Const)
        if low is not None:
            end, bound = (first, low) if s.step.value > 0 else (last, low - 1)
            least[end.name] = bound
        apart = {v.name: v.name for v in (*rows, *notes)} | self.facts.classes(self.plan.free)
        params = (k, first, last, *rows, *notes, *self.plan.free)
        stops = Stopping(self.stops.places, k, tuple(notes)) if notes else None
        self._add(self.names.chunk, params, stmts, least=least, apart=apart, stops=stops)

    def _threads(self) -> None:
        """The function that runs the chunks."""
        b, plan = self.b, self.plan
        self._locate()
        chunks, trips, start = (b.var(n, I8) for n in ("chunks", "trips", "start"))
        skip, upto = b.var("skip", I8), b.var("upto", I8)
        rows, notes = self.partials.fresh(), self.stops.fresh()
        held = {v.name: b.var(f"{v.hint or v.name}_copies", stacked(v)) for v in plan.private}
        c, k = b.var("c", I8), b.var("k", I8)
        with b.block() as stmts:
            b.emit(Op(k, "i8", (c,), b.loc))  # Numba may take the counter for unsigned
            low = b.op("floordiv", b.op("mul", k, trips), chunks)
            high = b.op("floordiv", b.op("mul", b.op("add", k, ONE), trips), chunks)
            if plan.window:
                low, high = b.op("add", low, skip), b.op("min", high, b.op("add", low, upto))
            first, last = (self._at(start, x) for x in (low, high))
            free = [
                self._own(v, held[v.name], k, chunks) if v.name in held else v for v in plan.free
            ]
            b.emit(Call((), self.names.chunk, (k, first, last, *rows, *notes, *free), b.loc))
        body = For(c, ZERO, chunks, ONE, (), Block(tuple(stmts)), parallel=True, loc=b.loc)
        params = [chunks, trips, start, *([skip, upto] if plan.window else ()), *rows, *notes]
        params += [*plan.free, *held.values()]
        self.held = tuple(range(len(params) - len(held), len(params)))
        self._add(self.names.threads, tuple(params), [body])

    def _shared(self) -> None:
        """Functions that the caller has already, under other names, are not made again."""
        part = signature(self.functions[self.names.chunk])
        s, p = self.loop, self.plan
        how = (s.loc, s.step, p.window, *p.reductions, *(p.free.index(v) for v in p.private))
        names = self.made.setdefault((part, how), self.names)
        if names is not self.names:
            self.names, self.functions = names, {}

    def _at(self, start: Atom, trip: Atom) -> Atom:
        """The counter of an iteration."""
        assert isinstance(self.loop.step, Const)
        step = int(self.loop.step.value)
        far = self.b.op("mul", trip, const(abs(step)))
        return self.b.op("add" if step > 0 else "sub", start, far)

    def _add(self, name: str, params: tuple[Var, ...], stmts: list[Stmt], **known: Any) -> None:
        made = Function(name, params, Block(tuple(stmts)), decides=self.decides, **known)
        self.functions[name] = made


def turned(v: Var) -> bool:
    """Whether the copies of an array have its axes in the other order."""
    assert isinstance(v.type, ArrayT)
    return v.type.layout == "F" and v.type.ndim > 1


def transposed(b: Builder, x: Var) -> Var:
    """An array with its axes in the other order."""
    assert isinstance(x.type, ArrayT)
    turned = replace(x.type, layout={"C": "F", "F": "C"}[x.type.layout])
    return b.view(x, "transpose", tuple(range(x.type.ndim))[::-1], turned, x.hint)


def stacked(v: Var) -> ArrayT:
    """The type of the copies of an array for all chunks."""
    assert isinstance(v.type, ArrayT)
    return ArrayT(v.type.dtype, v.type.ndim + 1)


def item_size(v: Var) -> int:
    """Bytes of one element."""
    assert isinstance(v.type, ArrayT)
    return numpy_dtype(v.type.dtype).itemsize
