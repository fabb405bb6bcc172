"""Loop-invariant elements: what a loop reads again and again is read once before it.

In: verified IR.  Out: the same function where the ``Load`` of an element of an array, standing
directly in a loop's body with array and subscripts from outside the loop, is done before the loop
if nothing in the loop writes to the array's storage; with what ``hoist`` then finds invariant.

Invariant: same values.  The loop may have no trips, so the element must be known to exist: every
subscript is the counter of a loop over (a part of) that axis, from its length as ``shapes`` knows
it.  The reverse sweep then has one value to save, or to sum up in a local, instead of one a trip.
Limits: subscripts computed from counters, and bounds that only a condition gives, prove nothing.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> b = Builder(Namer())
>>> a, c = b.var("a", ArrayT("f8", 1)), b.alloc(ArrayT("f8", 1), (const(9),), hint="c")
>>> with b.loop(const(0), b.dim(a, 0)) as i:
...     with b.loop(i, const(9)) as j:
...         b.accumulate(c, (j,), b.load(a, i))
>>> fn = Function("f", (a,), Block(tuple(b.stack[0]), (c,)))
>>> print(text(run(fn)), end="")
def f(a: f8[:]C):
    c: f8[:]C = zeros(9)
    n: i8 = dim(a, 0)
    for i in range(0, n, 1):
        t: f8 = a[i]
        for i_1 in range(i, 9, 1):
            c[i_1] += t
    return c
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.aliases import OUTSIDE, Aliases
from srcad.analyses.shapes import Size, shapes
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Call,
    Const,
    Dim,
    For,
    Function,
    Load,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import statements
from srcad.transforms.hoist import Levels
from srcad.transforms.program import each_function


def run(fn: Function) -> Function:
    """The program with invariant elements read before their loops."""
    return each_function(fn, lambda f: replace(f, body=_Loads(f).block(f.body)))


class _Loads(Levels):
    """One function: what is written where, and what its counters run over."""

    def __init__(self, fn: Function) -> None:
        super().__init__(fn.params)
        self.aliases, self.shapes = Aliases(fn), shapes(fn)
        self.loops: dict[str, For] = {}  # by counter
        self.made: dict[str, Op | Dim] = {}
        self.written: list[set[str]] = []  # in the loops around
        for s in statements(fn.body):
            if isinstance(s, For):
                self.loops[s.index.name] = s
            elif isinstance(s, (Op, Dim)) and s.target.type == I8:
                self.made[s.target.name] = s

    def loop(self, s: For | While) -> tuple[list[Stmt], For | While]:
        """A loop, knowing what it writes."""
        self.written.append(self.writes(s.body))
        split = super().loop(s)
        self.written.pop()
        return split

    def writes(self, body: Block) -> set[str]:
        """Classes of storage that a block may write."""
        found = set()
        for s in statements(body):
            if isinstance(s, (Store, Accumulate, Reserve)):
                found.add(self.aliases.root(s.array))
            elif isinstance(s, Call):
                found.add(OUTSIDE)
        return found

    def movable(self, s: Stmt) -> bool:
        """Also elements that exist and do not change."""
        if not (isinstance(s, Load) and isinstance(s.array.type, ArrayT)):
            return super().movable(s)
        sizes = self.shapes.get(s.array.name, ())
        return (
            len(sizes) == len(s.index)
            and self.aliases.root(s.array) not in self.written[-1]
            and all(map(self.inside, s.index, sizes))
        )

    def inside(self, index: Atom, size: Size) -> bool:
        """Whether a subscript is that of an element."""
        if isinstance(index, Const):
            return isinstance(size, Const) and 0 <= index.value < size.value
        loop = self.loops.get(index.name)
        if loop is None or not isinstance(loop.step, Const):
            return False
        if loop.step.value > 0:
            return self.at_least(loop.start, 0) and self.at_most(loop.stop, size)
        return self.at_least(loop.stop, -1) and self.below(loop.start, size)

    def at_least(self, a: Atom, least: int) -> bool:
        """Whether an integer is no smaller; counters are taken from their loops."""
        if isinstance(a, Const):
            return bool(a.value >= least)
        loop, made = self.loops.get(a.name), self.made.get(a.name)
        if loop is not None and isinstance(loop.step, Const) and loop.step.value > 0:
            return self.at_least(loop.start, least)
        if isinstance(made, Op) and made.op == "add" and isinstance(made.args[1], Const):
            return self.at_least(made.args[0], least - int(made.args[1].value))
        return isinstance(made, Dim) and least <= 0

    def at_most(self, a: Atom, size: Size) -> bool:
        """Whether an integer is no larger than a size."""
        made = self.made.get(a.name) if isinstance(a, Var) else None
        if isinstance(made, Dim) and isinstance(made.array.type, ArrayT):
            return a == size or self.shapes[made.array.name][made.axis] == size
        if isinstance(made, Op) and made.op == "sub" and isinstance(made.args[1], Const):
            return made.args[1].value >= 0 and self.at_most(made.args[0], size)
        if isinstance(a, Const) and isinstance(size, Const):
            return bool(a.value <= size.value)
        return a == size

    def below(self, a: Atom, size: Size) -> bool:
        """Whether an integer is smaller than a size."""
        made = self.made.get(a.name) if isinstance(a, Var) else None
        return (
            isinstance(made, Op)
            and made.op == "sub"
            and isinstance(made.args[1], Const)
            and made.args[1].value >= 1
            and self.at_most(made.args[0], size)
        )
