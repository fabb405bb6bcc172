"""Greatest and least elements by their position: a form that many threads can differentiate.

In: a function before it is differentiated.  Out: the same function where a loop (or nest of
loops) that computes nothing but ``m = maximum(m, v(i))`` is followed by one that finds the first
``i`` with ``v(i) == m``, and the result is ``v`` at this position::

    m = stop_gradient(the loop)
    k = min over i of (i if v(i) == m else LARGE)
    result = v(k)           # what m began with, where that is the greatest

The adjoint of the loop as it was goes through the elements one after the other, since it asks of
each whether it has exceeded those before it; the adjoint of this one adds to one element.

Invariant: same values, and derivatives with respect to the same element (the first of equal ones;
of NaNs, the first NaN).  Limits: ``np.maximum`` and ``np.minimum`` (what ``np.max`` and ``np.min``
are made of), bodies of operations and loads, bounds that are the same for all trips of outer loops.

>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8, ArrayT
>>> b = Builder(Namer())
>>> x, m, first, last = b.var("x", ArrayT("f8", 1)), *(b.var("m", F8) for _ in range(3))
>>> i, n = b.var("i", I8), b.dim(x, 0)
>>> with b.block() as body:
...     more = b.op("maximum", m, b.load(x, i))
>>> carried = (Carried(last, m, const(0.0)),)
>>> b.for_(i, ZERO, n, const(1), carried, Block(tuple(body), (more,)))
>>> found = text(run(Function("f", (x,), Block(tuple(b.stack[0]), (last,)))))
>>> for line in found.splitlines():
...     print(line) if " min(" in line or "stop_gradient(" in line else None
    t_2: f8 = stop_gradient(m_1)
        t_8: i8 = min(place, t_7)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Atom,
    Block,
    Carried,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Var,
    View,
    While,
)
from srcad.ir.types import I8
from srcad.ir.walk import binders, operands, rewrite_block, targets, variables
from srcad.transforms.program import each_function
from srcad.transforms.trips import trip_count, trip_number

OPS = ("maximum", "minimum")
LARGE = const((1 << 63) - 1)


def run(fn: Function) -> Function:
    """The program with its extrema found by position."""
    return each_function(fn, lambda f: replace(f, body=_Extrema(f).block(f.body)))


@dataclass(frozen=True)
class Found:
    """A nest: its loops, outermost first; what is computed for an element, and its value."""

    loops: tuple[For, ...]
    stmts: tuple[Stmt, ...]
    value: Atom


def extremum(s: For) -> Found | None:
    """The nest that a loop is the outermost of, if it computes an extremum."""
    loops, stmts = [s], []
    while True:
        here = loops[-1]
        plain = here.step == const(1) and not here.breaks and len(here.carried) == 1
        if not plain or here.parallel or not here.body.stmts:
            return None
        *before, last = here.body.stmts
        if not all(isinstance(t, (Op, Load, Dim, View)) for t in before):
            return None
        stmts += before
        if isinstance(last, Op):
            return ended(loops, stmts, last)
        if not isinstance(last, For) or not inner(loops, stmts, last):
            return None
        loops.append(last)


def inner(loops: Sequence[For], stmts: Sequence[Stmt], s: For) -> bool:
    """Whether a loop carries on with what the one around it carries."""
    outer = loops[-1]
    through = [c.init for c in s.carried] == [outer.carried[0].arg]
    handed = outer.body.yields == tuple(c.result for c in s.carried)
    inside = {v.name for t in stmts for v in targets(t)} | {
        v.name for x in loops for v in binders(x)
    }
    bounds = [a.name for a in (s.start, s.stop) if isinstance(a, Var)]
    return through and handed and not inside & set(bounds)


def ended(loops: list[For], stmts: list[Stmt], last: Op) -> Found | None:
    """The nest, if its body ends with the operation."""
    carried = loops[-1].carried[0].arg
    used = {a for t in stmts for a in operands(t)} & {x.carried[0].arg for x in loops}
    if last.op not in OPS or loops[-1].body.yields != (last.target,) or used:
        return None
    values = [a for a in last.args if a != carried]
    if carried not in last.args or len(values) != 1:
        return None
    return Found(tuple(loops), tuple(stmts), values[0])


class _Extrema:
    """One function."""

    def __init__(self, fn: Function) -> None:
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.at: dict[str, Atom] = {}  # the counters of the search, by those of the nest

    def block(self, b: Block) -> Block:
        """A block with such loops replaced."""
        out: list[Stmt] = []
        for s in b.stmts:
            found = extremum(s) if isinstance(s, For) else None
            if isinstance(s, For) and found is not None:
                self.b.loc = s.loc
                with self.b.block() as made:
                    self.replaced(s, found)
                out += made
                continue
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
            out.append(s)
        return Block(tuple(out), b.yields)

    def replaced(self, s: For, found: Found) -> None:
        """Emit the loop, the search, and the element."""
        b = self.b
        result, init = s.carried[0].result, s.carried[0].init
        most = b.var(result.hint or result.name, result.type)
        b.emit(replace(s, carried=(replace(s.carried[0], result=most),)))
        most = b.op("stop_gradient", most)  # type: ignore[assignment]
        sizes = [trip_count(b, x.start, x.stop, x.step) for x in found.loops]
        place = self.search(found, 0, LARGE, ZERO, sizes, most)
        own = b.op("or", b.op("eq", init, most), b.op("ne", init, init))
        none = b.op("eq", place, LARGE)
        with b.block() as stmts:
            value = self.copied(found, self.positions(found, place, sizes))
        first = b.op("or", own, none)
        b.if_(first, Block((), (init,)), Block(tuple(stmts), (value,)), (result,))

    def search(
        self, found: Found, k: int, least: Atom, before: Atom, sizes: list[Atom], most: Atom
    ) -> Var:
        """Emit the loops from the ``k``-th on that find the first position of ``most``."""
        b, s = self.b, found.loops[k]
        index, arg, result = b.var(s.index.name, I8), b.var("place", I8), b.var("place", I8)
        with b.block() as body:
            trip = trip_number(b, index, s.start, s.step)  # type: ignore[arg-type]
            flat = b.op("add", b.op("mul", before, sizes[k]), trip, hint="at")
            self.at = {**self.at, s.index.name: index}
            if k + 1 < len(found.loops):
                end: Atom = self.search(found, k + 1, arg, flat, sizes, most)
            else:
                v = self.copied(found, self.at)
                same = b.op("or", b.op("eq", v, most), b.op("ne", v, v))
                end = b.op("min", arg, b.op("select", same, flat, LARGE))
        carried = (Carried(result, arg, least),)
        b.for_(index, s.start, s.stop, s.step, carried, Block(tuple(body), (end,)))
        return result

    def positions(self, found: Found, place: Atom, sizes: list[Atom]) -> dict[str, Atom]:
        """The counters at a position."""
        b = self.b
        at: dict[str, Atom] = {}
        for s, n in list(zip(found.loops, sizes, strict=True))[:0:-1]:
            rest = b.op("floordiv", place, n)
            at[s.index.name] = b.op("add", s.start, b.op("sub", place, b.op("mul", rest, n)))
            place = rest
        at[found.loops[0].index.name] = b.op("add", found.loops[0].start, place)
        return at

    def copied(self, found: Found, at: dict[str, Atom]) -> Atom:
        """Emit what is computed for an element, for these counters; its value."""
        known = dict(at)

        def use(a: Atom) -> Atom:
            return known.get(a.name, a) if isinstance(a, Var) else a

        def define(v: Var) -> Var:
            known[v.name] = made = self.b.var(v.hint or v.name, v.type)
            return made

        for s in rewrite_block(Block(found.stmts), use, define).stmts:
            self.b.emit(s)
        return use(found.value)
