"""Descending loops run upwards where the order of their iterations does not matter.

In: verified IR, often fresh from the reverse transform, whose loops run against the primal's.
Out: the same function where a loop of step -1 counts up, if its iterations touch different
elements of whatever it writes, or only add.

Invariant: each element of what is written sees the same operations (``analyses.order``), or it is
only accumulated into by adjoint code, as numbers that an adjoint loop carries: the order of these
sums is open.  Limits: loops with other carried values, breaks, calls, checks, prints.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a = b.var("a", ArrayT("f8", 1))
>>> with b.loop(const(9), const(-1), const(-1)) as i:
...     b.store(a, (i,), const(0.0))
>>> print(text(run(Function("f", (a,), Block(tuple(b.stack[0]))))), end="")
def f(a: f8[:]C):
    for i in range(0, 10, 1):
        a[i] = 0.0
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.order import Order, only_added
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Block,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    View,
    While,
)
from srcad.ir.types import is_float
from srcad.ir.walk import statements, variables
from srcad.transforms.program import each_function

HARMLESS = (Op, Load, Store, Accumulate, Dim, View, Alloc, ArrayOp, If, For, While)


def run(fn: Function) -> Function:
    """The program with its loops turned upwards where that changes nothing."""
    return each_function(fn, lambda f: replace(f, body=_Turning(f).block(f.body)))


class _Turning:
    """One function."""

    def __init__(self, fn: Function) -> None:
        self.order = Order(fn)
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self, b: Block) -> Block:
        """A block and its inner blocks, rebuilt."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
            if isinstance(s, For) and self.free(s):
                s = self.turned(s, out)
            out.append(s)
        return Block(tuple(out), b.yields)

    def turned(self, s: For, out: list[Stmt]) -> For:
        """The loop upwards; the sums for its bounds go to ``out``."""
        self.b.loc = s.loc
        with self.b.block() as bounds:
            first = self.b.op("add", s.stop, const(1), hint="first")
            end = self.b.op("add", s.start, const(1), hint="end")
        out += bounds
        return replace(s, start=first, stop=end, step=const(1))

    def free(self, s: For) -> bool:
        """Whether the order of the iterations does not matter."""
        if (
            s.step != const(-1)
            or s.breaks
            or not all(map(is_float, (c.arg.type for c in s.carried)))
        ):
            return False
        adjoint = s.loc is not None and s.loc.role == "adjoint"
        sums = zip(s.carried, s.body.yields, strict=True)
        if s.carried and not (adjoint and all(only_added(s.body, c.arg, y) for c, y in sums)):
            return False
        if not all(isinstance(t, HARMLESS) for t in statements(s.body)):
            return False
        iterations = self.order.of(s)
        return all(map(iterations.independent, iterations.accesses))
