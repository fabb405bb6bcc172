"""Arrays that change places (``u, v = v, u``) stay where they are: the loop takes a cycle at once.

In: a function.  Out: the same function where a loop that ends each iteration with a permutation of
the arrays it carries does as many iterations at once as bring each array back to its name, then the
one or more that are left.  In each copy of the body it is known which array is which, so that all
that is done with arrays of fixed names is done with these: gathers, rows, storage that is reused.
Where the number of iterations is no multiple and an array is used after the loop, its contents are
moved, once, to where the name had been before.

Invariant: the same operations on the same numbers in the same order; what moves, nobody else can
see (``find``).  The reverse sweep would otherwise record in each iteration which array is which.
Limits: those of ``find``; ``LONG`` statements in all copies together.

>>> from srcad.ir.build import ONE, ZERO, Builder
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Store
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> n = b.var("n", I8)
>>> u, v = (b.alloc(ArrayT("f8", 1), (n,), hint=h) for h in "uv")
>>> p, q, r, s = (b.var(h, u.type) for h in "pqrs")
>>> body = Block((Store(p, (ZERO,), const(1.0)),), (q, p))
>>> b.for_(b.var("t", I8), ZERO, const(4), ONE, (Carried(r, p, u), Carried(s, q, v)), body)
>>> print(text(rotated(Function("f", (n,), Block(tuple(b.stack[0]), (r,))))), end="")
def f(n: i8):
    u: f8[:]C = zeros(n)
    v: f8[:]C = zeros(n)
    for k in range(0, 2, 1):
        first: i8 = mul(k, 2)
        u[0] = 1.0
        trip: i8 = add(first, 1)
        v[0] = 1.0
    return u
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, Const, For, Function, If, Stmt, Var, While
from srcad.ir.types import I8
from srcad.ir.walk import rewrite, rewrite_block, statements, variables
from srcad.transforms.arrays import each
from srcad.transforms.rotate.find import Rotation, rotations
from srcad.transforms.trips import trip_count

LONG = 600  # statements of all copies but the first


def rotated(fn: Function, wanted: Callable[[Var], bool] = lambda v: True) -> Function:
    """The function with such loops in cycles, where one of the arrays is ``wanted``."""
    found = rotations(fn)
    if not any(
        wanted(s.carried[k].arg)
        for s in statements(fn.body)
        if isinstance(s, For) and s.index.name in found
        for k in found[s.index.name].step
    ):
        return fn
    done = _Rotate(fn, found).function()
    before, after = (sum(1 for _ in statements(f.body)) for f in (fn, done))
    return done if after - before <= LONG else fn


class _Rotate:
    """One function."""

    def __init__(self, fn: Function, found: dict[str, Rotation]) -> None:
        self.fn, self.found = fn, found
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.instead: dict[str, Atom] = {}
        self.handing: dict[str, frozenset[int]] = {}
        for r in found.values():
            for name, places in r.handing.items():
                self.handing[name] = self.handing.get(name, frozenset()) | places

    def function(self) -> Function:
        """The function rebuilt."""
        return replace(self.fn, body=self.block(self.fn.body))

    def use(self, a: Atom) -> Atom:
        """An operand under its present name."""
        return self.instead.get(a.name, a) if isinstance(a, Var) else a

    def block(self, b: Block) -> Block:
        """A block and its inner blocks, rebuilt."""
        with self.b.block() as out:
            for s in b.stmts:
                self.statement(rewrite(s, self.use, lambda v: v) if self.instead else s)
        return Block(tuple(out), tuple(map(self.use, b.yields)))

    def statement(self, s: Stmt) -> None:
        """One statement, the present names in it."""
        match s:
            case If():
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
                self.b.emit(s)
            case For() if s.index.name in self.found:
                self.cycle(s, self.found[s.index.name])
            case For() if s.index.name in self.handing:
                self.b.emit(self.without(s, self.handing[s.index.name]))
            case For() | While():
                self.b.emit(replace(s, body=self.block(s.body)))
            case _:
                self.b.emit(s)

    def without(self, s: For, places: frozenset[int]) -> For:
        """A loop that does not carry what it only hands on."""
        for k in places:
            c = s.carried[k]
            self.instead[c.arg.name] = self.instead[c.result.name] = c.init
        body = self.block(s.body)
        kept = [k for k in range(len(s.carried)) if k not in places]
        yields = tuple(body.yields[k] for k in kept)
        carried = tuple(s.carried[k] for k in kept)
        return replace(s, carried=carried, body=replace(body, stmts=body.stmts, yields=yields))

    # a rotation
    def cycle(self, s: For, r: Rotation) -> None:
        """Whole cycles, then what is left."""
        b = self.b
        b.loc = s.loc
        s = replace(s, body=self.block(s.body))
        trips = trip_count(b, s.start, s.stop, s.step)
        whole = b.op("floordiv", trips, const(r.order), hint="n")
        done = b.op("mul", whole, const(r.order), hint="done")
        rest = b.op("sub", trips, done, hint="rest")
        numbers = [c for k, c in enumerate(s.carried) if k not in r.step]
        results = self.cycles(s, r, whole, numbers)
        ends = self.left(s, r, (done, rest), 0, results)
        self.instead |= {c.result.name: a for c, a in zip(numbers, ends, strict=True)}
        for k in r.step:
            self.instead[s.carried[k].result.name] = s.carried[k].init

    def again(self, v: Atom) -> Var:
        """Another variable of the same kind."""
        return self.b.var((v.hint or v.name) if isinstance(v, Var) else "t", v.type)

    def cycles(self, s: For, r: Rotation, whole: Atom, numbers: list[Carried]) -> list[Atom]:
        """The loop over whole cycles, and what it gives."""
        b = self.b
        index = b.var("k", I8)
        now: list[Atom] = [c.arg for c in numbers]
        with b.block() as body:
            first = b.op("mul", index, const(r.order), hint="first")
            for nth in range(r.order):
                now = self.iteration(s, r, first, nth, now, own=nth == 0)
        b.loc = s.loc
        results = [self.again(c.result) for c in numbers]
        carried = tuple(replace(c, result=v) for c, v in zip(numbers, results, strict=True))
        b.for_(index, ZERO, whole, ONE, carried, Block(tuple(body), tuple(now)))
        return list(results)

    def iteration(
        self, s: For, r: Rotation, first: Atom, nth: int, now: list[Atom], own: bool = False
    ) -> list[Atom]:
        """A copy of the body for the ``nth`` iteration of a cycle; what it hands on.

        ``own``: under the names that it has.
        """
        b = self.b
        b.loc = s.loc
        trip = b.op("add", first, const(nth), hint="trip")
        at = b.op("add", s.start, b.op("mul", trip, s.step), hint=s.index.hint or s.index.name)
        known: dict[str, Atom] = {s.index.name: at}
        numbers = [k for k in range(len(s.carried)) if k not in r.step]
        known |= {s.carried[k].arg.name: a for k, a in zip(numbers, now, strict=True)}
        known |= {s.carried[k].arg.name: s.carried[r.after(k, nth)].init for k in r.step}

        def define(v: Var) -> Var:
            if own:
                return v
            known[v.name] = new = self.again(v)
            return new

        def use(a: Atom) -> Atom:
            return known.get(a.name, a) if isinstance(a, Var) else a

        made = rewrite_block(s.body, use, define)
        b.stack[-1] += made.stmts
        return [made.yields[k] for k in numbers]

    def left(
        self, s: For, r: Rotation, trips: tuple[Atom, Atom], nth: int, now: list[Atom]
    ) -> list[Atom]:
        """Iterations from the ``nth`` on that make no whole cycle; what the last one hands on.

        ``trips``: those done in whole cycles, and how many are left.
        """
        if nth == r.order - 1:
            self.move(s, r, nth)
            return now
        b = self.b
        b.loc = s.loc
        more = b.op("gt", trips[1], const(nth), hint="more")
        with b.block() as then:
            ends = self.left(s, r, trips, nth + 1, self.iteration(s, r, trips[0], nth, now))
        with b.block() as orelse:
            self.move(s, r, nth)
        if isinstance(more, Const):
            b.stack[-1] += then if more.value else orelse
            return ends if more.value else now
        results = tuple(map(self.again, now))
        b.loc = s.loc
        b.if_(more, Block(tuple(then), tuple(ends)), Block(tuple(orelse), tuple(now)), results)
        return list(results)

    def move(self, s: For, r: Rotation, trips: int) -> None:
        """The arrays that are used after the loop, to where their names had been before."""
        start = {k: s.carried[k].init for k in r.step}
        moved = [k for k in sorted(r.moved) if r.after(k, trips) != k]
        self.b.loc = s.loc
        while moved:  # those of one cycle
            own = {r.after(moved[0], nth) for nth in range(r.order)}
            self.move_cycle({k: start[r.after(k, trips)] for k in moved if k in own}, start, r)
            moved = [k for k in moved if k not in own]

    def move_cycle(self, source: dict[int, Atom], start: dict[int, Atom], r: Rotation) -> None:
        """Contents of some arrays to others, all at once."""

        def element(at: tuple[Atom, ...]) -> None:
            values = [self.b.load(a, *at) for a in source.values()]  # type: ignore[arg-type]
            for k, value in zip(source, values, strict=True):
                self.b.store(start[k], at, value)  # type: ignore[arg-type]

        first = next(iter(source))
        each(self.b, start[first], element, r.shapes[first])  # type: ignore[arg-type]
