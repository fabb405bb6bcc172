"""Sums of a thread in a register: what a loop adds to one element is added up first.

In: the kernel of a nest, whose arrays are known to be apart where one is written.  Out: the same
kernel where a loop of the thread that adds to an element which is the same in all its trips, and
does nothing else to that array, adds up a number, and adds this to the element after the loop.

Invariant: the same sum, its terms added up before the element's own value.  A loop of no trips
touches nothing.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import I8, ArrayT
>>> b = Builder(Namer())
>>> x, s, k = b.var("x", ArrayT("f8", 1)), b.var("s", ArrayT("f8", 1)), b.var("k", I8)
>>> with b.loop(const(0), b.dim(x, 0)) as i:
...     b.accumulate(s, (k,), b.load(x, i))
>>> print(text(in_registers(Function("f", (x, s, k), Block(tuple(b.stack[0]))))), end="")
def f(x: f8[:]C, s: f8[:]C, k: i8):
    n: i8 = dim(x, 0)
    for i in range(0, n, 1) carrying sum_1: f8 = 0.0 -> sum_2:
        t: f8 = x[i]
        more: f8 = add(sum_1, t)
        yield more
    t_1: b1 = lt(0, n)
    if t_1:
        s[k] += sum_2
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Block,
    Carried,
    Const,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import is_float
from srcad.ir.walk import binders, statements, targets, variables
from srcad.storage.parallel.atomics import bases_of
from srcad.transforms.arrays import zero_of


def in_registers(fn: Function) -> Function:
    """The kernel with such sums in registers."""
    return replace(fn, body=_Registers(fn).block(fn.body))


class _Registers:
    """One kernel."""

    def __init__(self, fn: Function) -> None:
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.base = bases_of(fn.body)

    def block(self, b: Block) -> Block:
        """A block, inner loops first."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
            if isinstance(s, For) and not s.breaks and isinstance(s.step, Const):
                out += self.loop(s)
            else:
                out.append(s)
        return Block(tuple(out), b.yields)

    def loop(self, s: For) -> list[Stmt]:
        """A loop, and the additions after it."""
        chosen = [t for t in s.body.stmts if isinstance(t, Accumulate) and self.steady(t, s)]
        if not chosen:
            return [s]
        b = self.b
        b.loc = s.loc
        new: dict[int, tuple[Carried, Var]] = {}
        for t in chosen:
            kind = t.value.type
            arg, result, more = (b.var(n, kind) for n in ("sum", "sum", "more"))
            new[id(t)] = Carried(result, arg, zero_of(kind)), more
        body = [
            Op(new[id(t)][1], "add", (new[id(t)][0].arg, t.value), t.loc)  # type: ignore[union-attr]
            if id(t) in new
            else t
            for t in s.body.stmts
        ]
        ends = (*s.body.yields, *(more for _, more in new.values()))
        carried = (*s.carried, *(c for c, _ in new.values()))
        with b.block() as out:
            b.emit(replace(s, carried=carried, body=Block(tuple(body), ends)))
            up = s.step.value > 0  # type: ignore[union-attr]
            some = b.op("lt", *((s.start, s.stop) if up else (s.stop, s.start)))
            sums = [replace(t, value=new[id(t)][0].result) for t in chosen]
            b.if_(some, Block(tuple(sums)), Block(()))
        return out

    def steady(self, t: Accumulate, s: For) -> bool:
        """Whether a loop adds to one element, and touches the array nowhere else."""
        inside = {v.name for x in statements(s.body) for v in (*targets(x), *binders(x))}
        inside |= {v.name for v in binders(s)}
        names = {a.name for a in (t.array, *t.index) if isinstance(a, Var)}
        kind = t.array.type.element  # type: ignore[union-attr]
        if names & inside or t.value.type != kind or not is_float(kind):
            return False
        base = self.base(t.array.name)
        return not any(
            x is not t
            and isinstance(x, (Load, Store, Accumulate))
            and self.base(x.array.name) == base
            for x in statements(s.body)
        )
