"""``while i < n: …; i += step`` is ``for i in range(i, n, step)``.

In: verified IR, which variables are known to be positive.  Out: the same function where a ``While``
that goes on as long as a carried integer, which every trip increases by the same positive step, is
below (or at most at) a bound that does not change, is a counted ``For``.

Invariant: the same trips in the same order.  The condition before the loop must be the very same
comparison, and what the integer is after the loop must not be used.

>>> from srcad.ir.build import ONE, ZERO, Builder
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import B1, I8
>>> b = Builder(Namer())
>>> n, go, i = b.var("n", I8), b.var("go", B1), b.var("i", I8)
>>> with b.block() as body:
...     after = b.op("add", i, ONE)
...     again = b.op("lt", after, n)
>>> first = b.op("lt", ZERO, n)
>>> carried = (Carried(b.var("go", B1), go, first), Carried(b.var("i", I8), i, ZERO))
>>> b.while_(carried, Block(tuple(body), (again, after)))
>>> print(text(run(Function("f", (n,), Block(tuple(b.stack[0]))))), end="")
def f(n: i8):
    t_2: b1 = lt(0, n)
    for i in range(0, n, 1):
        t: i8 = add(i, 1)
        t_1: b1 = lt(t, n)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from srcad.ir.build import ONE, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, Const, For, Function, If, Op, Stmt, Var, While
from srcad.ir.types import I8
from srcad.ir.walk import blocks, operands, statements, targets, variables
from srcad.transforms.program import key


def run(fn: Function, positive: Collection[str] = ()) -> Function:
    """The function with such loops counted; ``positive`` are names of positive integers."""
    return replace(fn, body=_Counted(fn, positive).block(fn.body))


class _Counted:
    def __init__(self, fn: Function, positive: Collection[str]) -> None:
        self.positive = positive
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.makers = {s.target.name: s for s in statements(fn.body) if isinstance(s, Op)}
        self.uses: Counter[str] = Counter(y.name for y in fn.body.yields if isinstance(y, Var))
        for s in statements(fn.body):
            atoms = (*operands(s), *(y for inner in blocks(s) for y in inner.yields))
            self.uses.update(a.name for a in atoms if isinstance(a, Var))

    def block(self, block: Block) -> Block:
        """A block with its loops counted."""
        with self.b.block() as out:
            for s in block.stmts:
                self.b.emit(self.statement(s))
        return Block(tuple(out), block.yields)

    def statement(self, s: Stmt) -> Stmt:
        """A statement; what a bound needs is emitted before it."""
        if isinstance(s, If):
            return replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
        if isinstance(s, For):
            return replace(s, body=self.block(s.body))
        if isinstance(s, While):
            s = replace(s, body=self.block(s.body))
            return self.counted(s) or s
        return s

    def counted(self, s: While) -> For | None:
        """The loop as a counted one, if it is one."""
        again, first = self.made(s.body.yields[0]), self.made(s.carried[0].init)
        if again is None or first is None or again.op != first.op or again.op not in ("lt", "le"):
            return None
        inside = {v.name for t in statements(s.body) for v in targets(t)}
        inside |= {c.arg.name for c in s.carried}
        stop = again.args[1]
        for k, (c, y) in enumerate(zip(s.carried, s.body.yields, strict=True)):
            step = self.step(c, y, inside)
            same = key(first.args[0]) == key(c.init) and key(first.args[1]) == key(stop)
            if not k or step is None or again.args[0] != y or not same:
                continue
            if self.fixed(stop, inside) and not (self.uses[c.result.name] or self.idle(s)):
                return self.loop(s, k, stop, step, again.op)
        return None

    def idle(self, s: While) -> int:
        """How often the condition is used, in the loop or after it."""
        return self.uses[s.carried[0].arg.name] + self.uses[s.carried[0].result.name]

    def made(self, a: Atom) -> Op | None:
        """The operation that makes a value."""
        return self.makers.get(a.name) if isinstance(a, Var) else None

    @staticmethod
    def fixed(a: Atom, inside: set[str]) -> bool:
        """Whether a value is the same in all trips."""
        return isinstance(a, Const) or a.name not in inside

    def step(self, c: Carried, y: Atom, inside: set[str]) -> Atom | None:
        """By what a carried integer grows in each trip."""
        made = self.made(y)
        if made is None or made.op != "add" or made.target.type != I8 or c.arg not in made.args:
            return None
        step = made.args[1] if made.args[0] == c.arg else made.args[0]
        if isinstance(step, Const):
            return step if step.value > 0 else None
        return step if step.name in self.positive and self.fixed(step, inside) else None

    def loop(self, s: While, k: int, stop: Atom, step: Atom, op: str) -> For:
        """The counted loop."""
        self.b.loc = s.loc
        if op == "le":
            stop = self.b.op("add", stop, ONE, hint="stop")
        rest = [j for j in range(1, len(s.carried)) if j != k]
        carried = tuple(s.carried[j] for j in rest)
        body = Block(s.body.stmts, tuple(s.body.yields[j] for j in rest))
        c = s.carried[k]
        return For(c.arg, c.init, stop, step, carried, body, loc=s.loc, keep=s.keep)
