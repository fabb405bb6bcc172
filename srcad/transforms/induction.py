"""Integer induction variables: a counter carried through a loop becomes a formula of the index.

In: verified IR.  Out: the same function where in a counted loop without breaks every carried
``i8`` that grows by the same amount in each trip is computed from the loop's index, and after
the loop from the number of trips::

    k = k0                                     for i in range(n):
    for i in range(n):                             k = k0 + i * c
        ... k ...                        ==>       ... k ...
        k = k + c                              k = k0 + max(0, n) * c

Invariant: exact, as integers wrap at 64 bits.  ``c`` is a constant or invariant in the loop;
inner loops come first and invariants are hoisted on the way (``hoist``), so a counter advanced
by a whole inner loop becomes a formula of both indices.  Limits: counters advanced under a
condition stay carried; a range whose length exceeds 64 bits is not catered for.

>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a, n = b.var("a", ArrayT("f8", 1)), b.var("n", I8)
>>> i, k, last = (b.var(name, I8) for name in ("i", "k", "last"))
>>> with b.block() as body:
...     b.store(a, (k,), b.op("f8", i))
...     more = b.op("add", k, Const(3, I8), hint="more")
>>> b.for_(i, ZERO, n, Const(1, I8), (Carried(last, k, n),), Block(tuple(body), (more,)))
>>> fn = Function("f", (a, n), Block(tuple(b.stack[0]), (last,)))
>>> print(text(fn), text(run(fn)), sep="", end="")
def f(a: f8[:]C, n: i8):
    for i in range(0, n, 1) carrying k: i8 = n -> last:
        t: f8 = f8(i)
        a[k] = t
        more: i8 = add(k, 3)
        yield more
    return last
def f(a: f8[:]C, n: i8):
    for i in range(0, n, 1):
        t_1: i8 = mul(i, 3)
        k: i8 = add(n, t_1)
        t: f8 = f8(i)
        a[k] = t
        more: i8 = add(k, 3)
    t_2: i8 = max(n, 0)
    t_3: i8 = mul(t_2, 3)
    last: i8 = add(n, t_3)
    return last
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from srcad.ir.build import ZERO, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, Const, For, Function, If, Op, Stmt, Var, While
from srcad.ir.primitives import fold
from srcad.ir.types import B1, I8
from srcad.ir.walk import rewrite_block, targets, variables
from srcad.transforms.hoist import Levels
from srcad.transforms.program import each_function

Term = tuple[str, Atom]  # "add" or "sub", and the amount


def run(fn: Function) -> Function:
    """The program with its counters turned into formulas and its invariants hoisted."""
    return each_function(fn, lambda f: _Induction(f).function())


class _Induction(Levels):
    """The walk of ``hoist``; ``known`` maps counters to the operand that they turned out to be."""

    def __init__(self, fn: Function) -> None:
        super().__init__(fn.params)
        self.fn = fn
        self.namer = Namer(v.name for v in variables(fn))
        self.known: dict[str, Atom] = {}
        self.makers: dict[str, Op] = {}

    def function(self) -> Function:
        """The rebuilt function."""
        body = self.block(self.fn.body)
        return replace(self.fn, body=rewrite_block(body, self.use, lambda v: v))

    def use(self, a: Atom) -> Atom:
        """An operand, with the counters replaced so far."""
        while isinstance(a, Var) and a.name in self.known:
            a = self.known[a.name]
        return a

    def outside(self, a: Atom, depth: int) -> bool:
        """Whether an operand (or what it stands for) is known before a loop at ``depth``."""
        return super().outside(self.use(a), depth)

    def statements(self, stmts: Iterable[Stmt]) -> list[Stmt]:
        """Statements with the counters of their loops replaced."""
        out: list[Stmt] = []
        for s in stmts:
            if isinstance(s, If):
                out.append(replace(s, then=self.block(s.then), orelse=self.block(s.orelse)))
            elif isinstance(s, (For, While)):
                before, loop = self.loop(s)
                out += before
                out += self.counters(loop)
            else:
                out.append(s)
                self.made([s])
            self.define(targets(s))
        return out

    def made(self, stmts: Iterable[Stmt]) -> None:
        """Note new statements of the block in hand."""
        for s in stmts:
            self.define(targets(s))
            if isinstance(s, Op):
                self.makers[s.target.name] = s

    def counters(self, s: For | While) -> list[Stmt]:
        """The loop without its counters, and what computes them before and after it."""
        if not isinstance(s, For) or s.breaks:
            return [s]
        growth = [self.growth(c, y) for c, y in zip(s.carried, s.body.yields, strict=True)]
        kept = [k for k, terms in enumerate(growth) if terms is None]
        inside, around = Builder(self.namer, s.loc), Builder(self.namer, s.loc)
        amounts = [self.amount(around, terms) if terms else None for terms in growth]
        split = len(around.stack[0])
        for c, amount in zip(s.carried, amounts, strict=True):
            if amount is not None:
                self.give(inside, c.arg, c.init, _scaled_index(inside, s, amount))
                trips = around.op("mul", _trips(around, s), amount)
                self.give(around, c.result, c.init, trips)
        body = Block((*inside.stack[0], *s.body.stmts), tuple(s.body.yields[k] for k in kept))
        loop = replace(s, carried=tuple(s.carried[k] for k in kept), body=body)
        self.made(around.stack[0])
        self.depth += 1
        self.made(inside.stack[0])
        self.depth -= 1
        return [*around.stack[0][:split], loop, *around.stack[0][split:]]

    def growth(self, c: Carried, y: Atom) -> list[Term] | None:
        """What is added to a carried integer in each trip, if always the same invariants."""
        terms: list[Term] = []
        y = self.use(y)
        while y != c.arg:
            made = self.makers.get(y.name) if isinstance(y, Var) else None
            if made is None or made.op not in ("add", "sub") or made.target.type != I8:
                return None
            first, second = map(self.use, made.args)
            if made.op == "add" and self.outside(first, self.depth):
                first, second = second, first
            if not self.outside(second, self.depth) or self.outside(first, self.depth):
                return None
            if first.type != I8 or second.type not in (I8, B1):
                return None
            terms.append((made.op, second))
            y = first
        return terms if terms and c.init.type == c.arg.type == c.result.type else None

    def amount(self, b: Builder, terms: list[Term]) -> Atom:
        """The sum of the terms."""
        total: Atom = ZERO
        for op, a in reversed(terms):
            total = b.op(op, total, self.use(a))
        return total

    def give(self, b: Builder, v: Var, init: Atom, grown: Atom) -> None:
        """``v = init + grown`` for a counter that was carried."""
        init = self.use(init)
        known = fold("add", (init, grown))
        if known is None:
            b.emit(Op(v, "add", (init, grown), b.loc))
        else:
            self.known[v.name] = known


def _scaled_index(b: Builder, s: For, amount: Atom) -> Atom:
    """``amount`` times the number of trips before this one."""
    distance = b.op("sub", s.index, s.start)
    if not isinstance(s.step, Const) or s.step.value == 0:
        return b.op("mul", b.op("floordiv", distance, s.step), amount)
    step = int(s.step.value)
    if isinstance(amount, Const) and int(amount.value) % step == 0:
        return b.op("mul", distance, Const(int(amount.value) // step, I8))
    return b.op("mul", distance if step == 1 else b.op("floordiv", distance, s.step), amount)


def _trips(b: Builder, s: For) -> Atom:
    """How often the body of a counted loop is executed."""
    if s.step == Const(1, I8):
        return b.op("max", b.op("sub", s.stop, s.start), ZERO)
    return b.op("max", b.op("neg", b.op("floordiv", b.op("sub", s.start, s.stop), s.step)), ZERO)
