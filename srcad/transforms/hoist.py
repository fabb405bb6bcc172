"""Loop-invariant code: scalar operations and array sizes that do not change leave their loop.

In: verified IR.  Out: the same function where an ``Op`` or the ``Dim`` of an array, standing
directly in a loop's body with operands from outside the loop, is computed before the loop
(innermost loops first, so that a chain leaves all the loops it does not depend on).

Invariant: operations are pure and have no traps, so computing one before a loop of no trips is
harmless; integer powers and shifts by a variable are left in place, being the exception.
Nothing leaves an ``If``.  Limits: loads (see
``hoist_loads``) and views stay.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8
>>> b = Builder(Namer())
>>> x, a = b.var("x", F8), b.var("a", ArrayT("f8", 1))
>>> with b.loop(const(0), const(9)) as i:
...     with b.loop(const(0), b.dim(a, 0)) as j:
...         b.store(a, (j,), b.op("add", b.op("sin", x), b.op("f8", i)))
>>> fn = Function("f", (x, a), Block(tuple(b.stack[0])))
>>> print(text(fn), text(run(fn)), sep="", end="")
def f(x: f8, a: f8[:]C):
    for i in range(0, 9, 1):
        n: i8 = dim(a, 0)
        for i_1 in range(0, n, 1):
            t: f8 = sin(x)
            t_1: f8 = f8(i)
            t_2: f8 = add(t, t_1)
            a[i_1] = t_2
def f(x: f8, a: f8[:]C):
    n: i8 = dim(a, 0)
    t: f8 = sin(x)
    for i in range(0, 9, 1):
        t_1: f8 = f8(i)
        t_2: f8 = add(t, t_1)
        for i_1 in range(0, n, 1):
            a[i_1] = t_2
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from srcad.ir.nodes import Atom, Block, Const, Dim, For, Function, If, Op, Stmt, Var, While
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import binders, operands, targets
from srcad.transforms.program import each_function


def run(fn: Function) -> Function:
    """The program with invariant scalars out of its loops."""
    return each_function(fn, lambda f: replace(f, body=Levels(f.params).block(f.body)))


class Levels:
    """How many loops are around the definition of each variable seen so far."""

    def __init__(self, params: Iterable[Var]) -> None:
        self.of: dict[str, int] = {p.name: 0 for p in params}
        self.depth = 0

    def define(self, variables: Iterable[Var]) -> None:
        """Variables bound in the block in hand."""
        for v in variables:
            self.of[v.name] = self.depth

    def outside(self, a: Atom, depth: int) -> bool:
        """Whether an operand is known before a loop that stands at ``depth``."""
        return isinstance(a, Const) or self.of[a.name] <= depth

    def block(self, b: Block) -> Block:
        """A block whose loops are rid of what is invariant in them."""
        return replace(b, stmts=tuple(self.statements(b.stmts)))

    def statements(self, stmts: Iterable[Stmt]) -> list[Stmt]:
        """The same for statements; what leaves a loop stands before it."""
        out: list[Stmt] = []
        for s in stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                before, s = self.loop(s)
                out += before
            out.append(s)
            self.define(targets(s))
        return out

    def loop(self, s: For | While) -> tuple[list[Stmt], For | While]:
        """What leaves a loop, and the loop without it."""
        self.depth += 1
        self.define(binders(s))
        body = self.statements(s.body.stmts)
        self.depth -= 1
        before, stay = self.split(body)
        return before, replace(s, body=Block(tuple(stay), s.body.yields))

    def split(self, body: Iterable[Stmt]) -> tuple[list[Stmt], list[Stmt]]:
        """The statements of a loop's body that may stand before the loop, and the others."""
        before: list[Stmt] = []
        stay: list[Stmt] = []
        for s in body:
            if self.movable(s) and all(self.outside(a, self.depth) for a in operands(s)):
                self.define(targets(s))
                before.append(s)
            else:
                stay.append(s)
        return before, stay

    def movable(self, s: Stmt) -> bool:
        """Whether a statement may be executed although the program would not get there."""
        return movable(s)


def movable(s: Stmt) -> bool:
    """Whether a statement may be executed although the program would not get there."""
    if isinstance(s, Op):
        if s.op in ("lshift", "rshift"):
            shift = s.args[1]
            return isinstance(shift, Const) and 0 <= shift.value < 64
        return not (s.op == "pow" and s.target.type == I8)
    return isinstance(s, Dim) and isinstance(s.array.type, ArrayT)
