"""Arrays that every iteration of a loop makes anew are made once, before the loop.

In: IR after the last transform.  Out: the same function where the allocation of an array that does
not outlive its iteration stands before the loop, if its size does not change; zeros are then
written at its old place, unless the iteration writes what it reads anyway.

Invariant: no iteration can see what another has left there.  The reverse transform is not to see
the result (it would have to save what is overwritten), which is why this comes last.
Limits: sizes known not to be negative (a loop of no trips must not fail); nothing parallel.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 1))
>>> with b.loop(const(0), b.dim(x, 0)) as i:
...     t = b.alloc(ArrayT("f8", 1), (const(2),), zero=False, hint="t")
...     b.store(t, (const(0),), const(1.0))
...     b.store(x, (i,), b.load(t, const(0)))
>>> print(text(reused(Function("f", (x,), Block(tuple(b.stack[0]))))), end="")
def f(x: f8[:]C):
    n: i8 = dim(x, 0)
    t: f8[:]C = empty(2)
    for i in range(0, n, 1):
        t[0] = 1.0
        t_1: f8 = t[0]
        x[i] = t_1
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from srcad.analyses.aliases import OUTSIDE, Aliases, is_reference
from srcad.ir.bounds import Bounds
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Block, Const, For, Function, If, Stmt, Store, Var, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import binders, statements, targets, variables
from srcad.transforms.arrays import each, zero_of
from srcad.transforms.fusion.private import is_private
from srcad.transforms.program import each_function


def reused(fn: Function) -> Function:
    """The program with such allocations out of its loops."""
    return each_function(fn, lambda f: replace(f, body=_Reuse(f).block(f.body)))


class _Reuse:
    """One function."""

    def __init__(self, fn: Function) -> None:
        self.aliases, self.bounds = Aliases(fn), Bounds(fn)
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.members: dict[str, set[str]] = defaultdict(set)
        for v in variables(fn):
            if is_reference(v):
                self.members[self.aliases.root(v)].add(v.name)
        self.listed = {  # what a list holds outlives its iteration with the list
            self.aliases.root(s.value)  # type: ignore[arg-type]
            for s in statements(fn.body)
            if isinstance(s, Store) and is_reference(s.value)
        }

    def block(self, b: Block) -> Block:
        """A block whose loops make no array that could be made before them."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
                s = self.loop(s, out)
            out.append(s)
        return Block(tuple(out), b.yields)

    def loop(self, s: For | While, before: list[Stmt]) -> For | While:
        """One loop; what leaves it goes to ``before``."""
        if isinstance(s, For) and s.parallel:
            return s
        inside = {v.name for t in statements(s.body) for v in (*targets(t), *binders(t))}
        bound = inside | {v.name for v in binders(s)}
        stmts: list[Stmt] = []
        for k, t in enumerate(s.body.stmts):
            if isinstance(t, Alloc) and self.movable(t, inside, bound):
                before.append(replace(t, zero=False))
                rest = Block(s.body.stmts[k + 1 :])
                if t.zero and not is_private(rest, t):
                    stmts += self.zeros(t)
            else:
                stmts.append(t)
        return replace(s, body=Block(tuple(stmts), s.body.yields))

    def movable(self, s: Alloc, inside: set[str], bound: set[str]) -> bool:
        """Whether an array stays in its iteration, and its size is known before the loop."""
        root = self.aliases.root(s.target)
        if not isinstance(s.target.type, ArrayT) or root in {OUTSIDE, *self.listed}:
            return False
        fixed = all(not isinstance(n, Var) or n.name not in bound for n in s.shape)
        lows = [self.bounds.lower(n) for n in s.shape]
        known = all(n is not None and n >= 0 for n in lows)
        return fixed and known and self.members[root] <= inside

    def zeros(self, s: Alloc) -> list[Stmt]:
        """The statements that clear an array."""
        assert isinstance(s.target.type, ArrayT)
        if s.shape and all(isinstance(n, Const) and n.value == 0 for n in s.shape):
            return []
        self.b.loc = s.loc
        with self.b.block() as stmts:
            zero = zero_of(s.target.type.element)
            each(self.b, s.target, lambda at: self.b.store(s.target, at, zero), s.shape)
        return stmts
