"""Unroll and jam: an outer loop runs ``LANES`` iterations at once.

In: IR after the last transform.  Out: the same function where an outer loop around a recurrence
(``worth``) goes over its range in strips; the inner loops run once for a strip, and in them an
innermost loop over the iterations in hand, which LLVM turns into vectors::

    for i in range(n):                         for start in range(0, n, 16):
        s = 0.0                                    lanes = min(n - start, 16)
        for j in range(m):                         for lane in range(lanes): s_lanes[lane] = 0.0
            s = s * t[i] + x[j]        ==>         for j in range(m):
        y[i] = s                                       for lane in range(lanes):
                                                           s_lanes[lane] = s_lanes[lane] * t[...
                                                   for lane in range(lanes): y[start + lane] = ...

Numbers that are used beyond their segment (``plan``) are kept in rows of ``LANES``; arrays made in
the iteration get an axis more, the last one.  What is the same in all lanes is done once.

Invariant: values are the same bits; sums of adjoint code (cotangents) are taken in another order.
Arrays made in the iteration take more memory, ``LANES`` times as much but never more than ``CELLS``
elements each on that account: where they are long, fewer iterations run at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from srcad.analyses.aliases import compared, visible
from srcad.analyses.deciding import deciding
from srcad.analyses.order import Order
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
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
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import B1, I8, ArrayT, Scalar, is_float
from srcad.ir.walk import binders, rewrite, statements, targets, variables
from srcad.storage.jam.plan import Inner, Item, Plan, Segment, plan, segments, within
from srcad.storage.jam.worth import faster, recurrent
from srcad.transforms.program import each_function

LANES = 32
CELLS = 1 << 20  # elements of an array that lanes have each their own of


def jammed(
    fn: Function, names: Collection[str] = (), lanes: int = LANES, always: bool = False
) -> Function:
    """The program with such loops jammed.

    Args:
        names: the elementary functions that there are vector forms of.
        lanes: how many iterations run at once.
        always: also where it is not worth it.
    """
    return each_function(fn, lambda f: _function(f, names, lanes, always))


def _function(fn: Function, names: Collection[str], lanes: int, always: bool) -> Function:
    loops = [s for s in statements(fn.body) if isinstance(s, For)]
    if not always and not any(map(recurrent, loops)):
        return fn
    return replace(fn, body=_Loops(fn, names, lanes, always).block(fn.body))


class _Loops:
    """The loops of one function."""

    def __init__(self, fn: Function, names: Collection[str], lanes: int, always: bool) -> None:
        self.lanes, self.always = lanes, always
        self.order, self.deciding = Order(fn, compared(fn)), deciding(fn)
        self.visible = visible(fn, self.order.aliases)
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.vector = {
            s.target.name for s in statements(fn.body) if isinstance(s, Op) and s.op in names
        } - self.deciding

    def plan(self, s: For) -> Plan | None:
        """How a loop runs several iterations at once, if it can and is the faster for it."""
        if not self.always and not recurrent(s):
            return None
        found = plan(self.order, s, self.visible)
        return found if found is None or self.always or faster(found, self.vector) else None

    def block(self, b: Block) -> Block:
        """A block with its outermost such loops jammed."""
        out: list[Stmt] = []
        for s in b.stmts:
            match s:
                case If():
                    out.append(replace(s, then=self.block(s.then), orelse=self.block(s.orelse)))
                case For() if (found := self.plan(s)) is not None:
                    with self.b.block() as made:
                        _Jam(self.b, found, self.deciding, self.lanes).loop()
                    out += made
                case For() | While():
                    out.append(replace(s, body=self.block(s.body)))
                case _:
                    out.append(s)
        return Block(tuple(out), b.yields)


class _Jam:
    """One loop: ``rows`` is where lanes keep a number, ``own`` the arrays with an axis more."""

    def __init__(self, b: Builder, p: Plan, deciding: set[str], lanes: int) -> None:
        self.b, self.plan, self.deciding, self.most = b, p, deciding, const(lanes)
        self.free = {id(s): p.free(s) for s in segments(p.items)}
        self.own = self.arrays()
        self.kept = self.numbers()
        self.rows: dict[str, Var] = {}

    def arrays(self) -> dict[str, Var]:
        """The arrays of lanes and their views, with an axis more."""
        found: dict[str, Var] = {}
        for s in within(self.plan.loop.body.stmts):
            match s:
                case Alloc(target=Var(type=ArrayT(dtype=dtype, ndim=ndim)) as v):
                    if v.name in self.plan.arrays:
                        found[v.name] = replace(v, type=ArrayT(dtype, ndim + 1))
                case View(target=v, base=base) if v.name in self.plan.arrays:
                    whole = found[base.name].type
                    assert isinstance(whole, ArrayT)
                    found[v.name] = replace(v, type=view_layout(whole, s.kind, s.spec))
        return found

    def numbers(self) -> dict[str, Var]:
        """The numbers that lanes keep."""
        p, found = self.plan, dict[str, Var]()
        wanted = {n for free in self.free.values() for n in free if n not in p.again}
        wanted -= {p.loop.index.name}
        everything = [*within(p.loop.body.stmts), p.loop]
        for v in (v for t in everything for v in (*binders(t), *targets(t))):
            if v.name in p.place or v.name in wanted:
                found.setdefault(p.place.get(v.name, v.name), v)
        return found

    def loop(self) -> None:
        """The loop in strips."""
        b, s = self.b, self.plan.loop
        b.loc = s.loc
        self.buffers()
        self.width = self.widest()
        for k in self.plan.apart:
            self.clear(self.rows[s.carried[k].arg.name])
        kept = [k for k in range(len(s.carried)) if k not in self.plan.apart]
        self.now: dict[int, Atom] = {k: self.another(s.carried[k].arg) for k in kept}
        args = dict(self.now)
        self.start = b.var("start", I8)
        with b.block() as strip:
            left = b.op("sub", s.stop, self.start)
            self.count = b.op("min", left, self.width, hint="lanes")
            self.items(self.plan.items)
        carried = tuple(Carried(s.carried[k].result, args[k], s.carried[k].init) for k in kept)  # type: ignore[arg-type]
        body = Block(tuple(strip), tuple(self.now[k] for k in kept))
        b.loc = s.loc
        b.for_(self.start, s.start, s.stop, self.width, carried, body)
        for k in self.plan.apart:
            self.total(s.carried[k])

    def another(self, v: Var) -> Var:
        """A new variable for what ``v`` is at another place."""
        return self.b.var(v.hint or v.name, v.type)

    # storage of lanes
    def buffers(self) -> None:
        """Rows for the numbers: of one array each type, so that they are known to be apart."""
        groups: dict[tuple[str, bool], list[tuple[str, Var]]] = defaultdict(list)
        for name, v in self.kept.items():
            assert isinstance(v.type, Scalar)
            groups[v.type.kind, name in self.deciding].append((name, v))
        for (kind, _), group in groups.items():
            whole = self.b.alloc(ArrayT(kind, 2), (const(len(group)), self.most), False, "kept")
            for k, (name, v) in enumerate(group):
                spec, row = (("at", const(k)),), ArrayT(kind, 1)
                self.rows[name] = self.b.view(
                    whole, "index", spec, row, f"{v.hint or v.name}_lanes"
                )

    def widest(self) -> Atom:
        """How many iterations run at once at most."""
        b, sizes = self.b, dict[tuple[Atom, ...], Atom]()
        for s in self.plan.private.values():
            if s.shape not in sizes:
                size: Atom = ONE
                for n in s.shape:
                    size = b.op("mul", size, n)
                sizes[s.shape] = size
        largest: Atom = ONE
        for size in sizes.values():
            largest = b.op("max", largest, size)
        fit = b.op("floordiv", const(CELLS), largest)
        return b.op("max", b.op("min", fit, self.most), ONE, hint="width")

    def clear(self, row: Var) -> None:
        """Zero in every lane."""
        assert isinstance(row.type, ArrayT)
        with self.b.loop(ZERO, self.most, hint="lane") as lane:
            self.b.store(row, (lane,), const(0.0, row.type.element))

    def total(self, c: Carried) -> None:
        """What an outer sum is in the end, from those of the lanes."""
        b, row = self.b, self.rows[c.arg.name]
        lane, arg = b.var("lane", I8), b.var(c.arg.hint, c.arg.type)
        with b.block() as body:
            new = b.op("add", arg, b.load(row, lane))
        b.for_(
            lane,
            ZERO,
            self.most,
            ONE,
            (Carried(c.result, arg, c.init),),
            Block(tuple(body), (new,)),
        )

    # the body
    def items(self, items: list[Item]) -> None:
        """Pieces of the body."""
        for s in items:
            match s:
                case Segment():
                    self.segment(s)
                case Inner():
                    with self.b.block() as body:
                        self.items(s.items)
                    self.inner(s.loop, tuple(body))
                case Alloc(target=t) if t.name in self.own:
                    shape = (*s.shape, self.width)
                    self.b.emit(replace(s, target=self.own[t.name], shape=shape))
                case View(target=t, base=a) if t.name in self.own:
                    self.b.emit(replace(s, target=self.own[t.name], base=self.own[a.name]))
                case Dim(array=a) if a.name in self.own:
                    self.b.emit(replace(s, array=self.own[a.name]))
                case _:
                    self.b.emit(s)

    def inner(self, s: For, body: tuple[Stmt, ...]) -> None:
        """A loop for all lanes; it carries what is the same in them."""
        same = [k for k, c in enumerate(s.carried) if c.arg.name not in self.plan.lanes]
        carried, yields = (tuple(x[k] for k in same) for x in (s.carried, s.body.yields))
        self.b.emit(replace(s, carried=carried, body=Block(body, yields)))  # type: ignore[arg-type]

    def segment(self, s: Segment) -> None:
        """A loop over the lanes."""
        b, outer, p = self.b, self.plan.loop, self.plan
        b.loc = s.stmts[0].loc if s.stmts else outer.loc
        lane = b.var("lane", I8)
        known: dict[str, Atom] = {}
        sums: list[tuple[Accumulate, Carried, Atom]] = []

        def use(a: Atom) -> Atom:
            return known.get(a.name, a) if isinstance(a, Var) else a

        with b.block() as body:
            self.fetch(self.free[id(s)], lane, known)
            for t in s.stmts:
                if isinstance(t, Accumulate) and self.is_sum(t):
                    sums.append(self.summed(t, use))
                else:
                    b.emit(self.widened(rewrite(t, use, lambda v: v), lane))
            made = {v.name: v for t in s.stmts for v in targets(t)}
            made |= {outer.carried[k].arg.name: outer.carried[k].arg for k in s.carried}
            for name, v in made.items():
                if name in self.kept and name not in p.place:
                    b.store(self.rows[name], (lane,), v)
            for place, a in s.stores:
                b.store(self.rows[place], (lane,), use(a))
            if s.check is not None:
                fine = Carried(b.var("fine", B1), b.var("fine", B1), const(True))
                good = b.op("and", fine.arg, use(s.check.cond))
        results = [b.var(outer.carried[k].arg.hint, outer.carried[k].arg.type) for k in s.carried]
        carried = [
            Carried(r, outer.carried[k].arg, self.now[k])
            for r, k in zip(results, s.carried, strict=True)
        ]
        yields = [use(outer.body.yields[k]) for k in s.carried]
        carried += [c for _, c, _ in sums]
        yields += [y for _, _, y in sums]
        if s.check is not None:
            carried.append(fine)
            yields.append(good)
        b.for_(lane, ZERO, self.count, ONE, tuple(carried), Block(tuple(body), tuple(yields)))
        self.now.update(zip(s.carried, results, strict=True))
        for t, c, _ in sums:
            b.emit(replace(t, value=c.result))
        if s.check is not None:
            b.emit(replace(s.check, cond=fine.result))

    def fetch(self, names: list[str], lane: Var, known: dict[str, Atom]) -> None:
        """What a segment needs and does not make."""
        b, p = self.b, self.plan

        def define(v: Var) -> Var:
            new = b.var(v.hint or v.name, v.type)
            known[v.name] = new
            return new

        def use(a: Atom) -> Atom:
            return known.get(a.name, a) if isinstance(a, Var) else a

        for name in names:
            if name == p.loop.index.name:
                known[name] = b.op("add", self.start, lane, hint=p.loop.index.hint)
            elif name in p.again:
                b.emit(rewrite(p.again[name], use, define))
            else:
                place = p.place.get(name, name)
                known[name] = b.load(self.rows[place], lane, hint=self.kept[place].hint)

    def widened(self, s: Stmt, lane: Var) -> Stmt:
        """A statement whose arrays of the iteration are those of a lane."""
        match s:
            case Load() | Store() | Accumulate() if s.array.name in self.own:
                return replace(s, array=self.own[s.array.name], index=(*s.index, lane))
            case Dim() if s.array.name in self.own:
                return replace(s, array=self.own[s.array.name])
            case If():
                then, orelse = (
                    replace(b, stmts=tuple(self.widened(t, lane) for t in b.stmts))
                    for b in (s.then, s.orelse)
                )
                return replace(s, then=then, orelse=orelse)
        return s

    def is_sum(self, s: Accumulate) -> bool:
        """Whether adjoint code adds to the same element in all lanes."""
        adjoint = s.loc is not None and s.loc.role == "adjoint"
        same = all(not isinstance(a, Var) or a.name not in self.plan.lanes for a in s.index)
        fixed = s.array.name in self.plan.added and s.array.name not in self.plan.lanes
        return adjoint and same and fixed and is_float(s.value.type)

    def summed(self, s: Accumulate, use: object) -> tuple[Accumulate, Carried, Atom]:
        """The accumulation, what carries its sum through the lanes, and the sum's next value."""
        b, value = self.b, use(s.value)  # type: ignore[operator]
        assert isinstance(value.type, Scalar)
        arg, result = b.var(f"{s.array.hint}_sum", value.type), b.var(s.array.hint, value.type)
        loc, b.loc = b.loc, s.loc
        new = b.op("add", arg, value)
        b.loc = loc
        return s, Carried(result, arg, const(0.0, value.type)), new
