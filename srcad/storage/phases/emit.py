"""Loops in phases: one loop over a strip of iterations for each.

In: IR after the last transform; the elementary functions that there are vector forms of.  Out: the
same program, in which loops with much arithmetic between elements that are far apart (or checks,
or sums in order) go over their range in strips of ``STRIP``: a first loop collects elements, the
next ones compute with numbers only, the last one writes.  In between, numbers are kept in rows.
LLVM makes vector loops of what computes with numbers; before, a single ``a[k[i]] += x`` kept the
whole iteration scalar.

Invariant: values are the same bits, and so are sums: every operation is the same, those of each
sum and of each element in the same order (``plan``).  Limits: see ``plan``; elementary functions
with vector forms take these (``storage.vectors``), others and those that decide something stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from srcad.analyses.aliases import compared, visible
from srcad.analyses.deciding import deciding
from srcad.analyses.order import Order
from srcad.analyses.strict import made
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, Check, Const, For, Function, If, Op, Stmt, Var
from srcad.ir.types import B1, I8, ArrayT, Scalar
from srcad.ir.walk import rewrite, statements, targets, variables
from srcad.storage.phases.flatten import Item, Refused
from srcad.storage.phases.plan import Plan, plan, worth_a_look
from srcad.transforms.program import each_function

STRIP = 32


def phased(
    fn: Function, names: Collection[str] = (), strip: int = STRIP, always: bool = False
) -> Function:
    """The program with such loops in phases.

    Args:
        names: the elementary functions that there are vector forms of.
        strip: how many iterations a phase goes over at once.
        always: also where it is not worth it.
    """
    return each_function(fn, lambda f: _function(f, names, strip, always))


def _function(fn: Function, names: Collection[str], strip: int, always: bool) -> Function:
    def look(s: Stmt) -> bool:
        return isinstance(s, For) and (always or worth_a_look(s))

    if not any(map(look, _outermost(fn.body))):
        return fn
    order, decides = Order(fn, compared(fn)), deciding(fn)
    b = Builder(Namer(v.name for v in variables(fn)))
    vector = {
        s.target.name
        for s in statements(fn.body)
        if isinstance(s, Op) and s.op in names and all(a.type == s.target.type for a in s.args)
    } - decides
    seen = visible(fn, order.aliases)

    def block(old: Block) -> Block:
        out: list[Stmt] = []
        for s in old.stmts:
            if isinstance(s, If):
                s = replace(s, then=block(s.then), orelse=block(s.orelse))
            elif isinstance(s, For) and look(s):
                with b.block() as new:
                    try:
                        p = plan(order, s, seen, vector, b, always)
                    except Refused:
                        new[:] = [s]
                    else:
                        _Emit(b, p, decides, strip).loop()
                out += new
                continue
            out.append(s)
        return Block(tuple(out), old.yields)

    return replace(fn, body=block(fn.body))


def _outermost(b: Block) -> list[Stmt]:
    """The statements of a block and of its branches."""
    found: list[Stmt] = []
    for s in b.stmts:
        found.append(s)
        if isinstance(s, If):
            found += [*_outermost(s.then), *_outermost(s.orelse)]
    return found


class _Emit:
    """One loop."""

    def __init__(self, b: Builder, p: Plan, decides: set[str], strip: int) -> None:
        self.b, self.plan, self.decides, self.most = b, p, decides, const(strip)
        self.up = p.loop.step == ONE
        self.kept = {n for names in p.fetched.values() for n in names}
        self.rows: dict[str, tuple[Var, Const]] = {}
        self.known: dict[str, Atom] = {}

    def loop(self) -> None:
        """The loop in strips."""
        b, s = self.b, self.plan.loop
        b.loc = s.loc
        self.buffers()
        self.start = b.var("start", I8)
        args = [b.var(c.arg.hint or c.arg.name, c.arg.type) for c in s.carried]
        self.carried: list[Atom] = list(args)
        with b.block() as strip:
            left = b.op("sub", s.stop, self.start) if self.up else b.op("sub", self.start, s.stop)
            self.count = b.op("min", left, self.most, hint="lanes")
            for phase in range(self.plan.last + 1):
                self.phase(phase)
        carried = tuple(Carried(c.result, a, c.init) for c, a in zip(s.carried, args, strict=True))
        b.loc = s.loc
        stride = self.most if self.up else const(-self.most.value)
        body = Block(tuple(strip), tuple(self.carried))
        b.for_(self.start, s.start, s.stop, stride, carried, body)

    def buffers(self) -> None:
        """Rows for the numbers: of one array each kind, so that they are known to be apart."""
        b = self.b
        groups: dict[tuple[str, bool, bool], list[Var]] = defaultdict(list)
        for item in self.plan.items:
            for v in targets(item.stmt):
                if v.name in self.kept:
                    assert isinstance(v.type, Scalar)
                    derived = made(item.stmt.loc)
                    groups[v.type.kind, derived, v.name in self.decides].append(v)
        for (kind, _, _), group in groups.items():
            whole = b.alloc(ArrayT(kind, 2), (const(len(group)), self.most), False, "kept")
            self.rows |= {v.name: (whole, const(k)) for k, v in enumerate(group)}

    def phase(self, phase: int) -> None:
        """One loop over a strip."""
        b, p = self.b, self.plan
        last = phase == p.last
        items = [t for t in p.items if p.phase[id(t.stmt)] == phase]
        if not items and not last:
            return
        self.known, self.here = {}, phase
        b.loc = items[0].stmt.loc if items else p.loop.loc
        self.lane = b.var("lane", I8)
        checks = [t.stmt for t in items if isinstance(t.stmt, Check)]
        fine = Carried(b.var("fine", B1), b.var("fine", B1), const(True))
        good: Atom = fine.arg
        with b.block() as body:
            for group in _by_guard([t for t in items if not isinstance(t.stmt, Check)]):
                self.group(group)
            for s in checks:
                b.loc = s.loc
                good = b.op("bitand", good, self.use(s.cond), hint="fine")
            for v in (v for t in items for v in targets(t.stmt)):
                if v.name in self.kept:
                    whole, row = self.rows[v.name]
                    b.store(whole, (row, self.lane), v)
            yields = [self.use(y) for y in p.ends] if last else []
        carried: list[Carried] = []
        if last:
            for c, now in zip(p.loop.carried, self.carried, strict=True):
                carried.append(Carried(b.var(c.arg.hint, c.arg.type), c.arg, now))
            self.carried = [c.result for c in carried]
        if checks:
            carried.append(fine)
            yields.append(good)
        b.for_(self.lane, ZERO, self.count, ONE, tuple(carried), Block(tuple(body), tuple(yields)))
        if checks:
            b.emit(replace(checks[0], cond=fine.result))

    def group(self, items: list[Item]) -> None:
        """Statements under one condition."""
        b, guard = self.b, items[0].guard
        if guard is None:
            for item in items:
                self.statement(item.stmt)
            return
        cond = self.use(guard)
        results = [v for t in items for v in targets(t.stmt)]
        inner = {v.name: b.var(v.hint or v.name, v.type) for v in results}
        for item in items:  # what they need is there before the branch
            for a in item.reads():
                if a.name not in inner:
                    self.use(a)
        before = dict(self.known)
        with b.block() as then:
            self.known |= inner
            for item in items:
                b.emit(rewrite(item.stmt, self.use, lambda v: inner[v.name]))
        self.known = before
        zeros = tuple(const(0, v.type) for v in results)  # type: ignore[arg-type]
        ends = tuple(inner[v.name] for v in results)
        b.loc = items[0].stmt.loc
        b.if_(cond, Block(tuple(then), ends), Block((), zeros), tuple(results))

    def statement(self, s: Stmt) -> None:
        """A statement, after what it needs."""
        for a in Item(s).reads():
            self.use(a)
        self.b.emit(rewrite(s, self.use, lambda v: v))

    def use(self, a: Atom) -> Atom:
        """What a variable is in this phase; it is fetched or made again if need be."""
        b, p = self.b, self.plan
        if not isinstance(a, Var) or a.name in self.known:
            return self.known.get(a.name, a) if isinstance(a, Var) else a
        if a == p.loop.index:
            move = "add" if self.up else "sub"
            self.known[a.name] = b.op(move, self.start, self.lane, hint=a.hint or a.name)
        elif a.name in p.again:
            old = p.again[a.name]
            for x in Item(old).reads():
                self.use(x)
            new = b.var(a.hint or a.name, a.type)
            b.emit(rewrite(old, self.use, lambda v: new))
            self.known[a.name] = new
        elif a.name in self.kept and p.of[a.name] < self.here:
            whole, row = self.rows[a.name]
            self.known[a.name] = b.load(whole, row, self.lane, hint=a.hint or a.name)
        return self.known.get(a.name, a)


def _by_guard(items: list[Item]) -> list[list[Item]]:
    """Neighbours under the same condition."""
    groups: list[list[Item]] = []
    for item in items:
        if groups and groups[-1][0].guard == item.guard:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups
