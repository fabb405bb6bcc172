"""Descending loops run upwards where the order of their iterations does not matter.

In: verified IR, often fresh from the reverse transform, whose loops run against the primal's.
Out: the same function where a loop of step -1 without carried values counts up, if its iterations
touch different elements of whatever it writes.

Invariant: every written class of storage is accessed, in the whole body, at one and the same
subscript that differs from iteration to iteration; or it is only accumulated into, by adjoint
code (the order of these sums is open).  So each element sees the same operations.  Limits: loops
with carried values, breaks, calls, checks, prints, writes through views made inside.

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

from collections import defaultdict
from dataclasses import replace

from srcad.analyses.aliases import Aliases, is_reference
from srcad.ir.bounds import Bounds
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
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
from srcad.ir.types import ArrayT
from srcad.ir.walk import binders, statements, targets, variables
from srcad.transforms.program import each_function, key

Access = Load | Store | Accumulate
HARMLESS = (Op, Load, Store, Accumulate, Dim, View, Alloc, ArrayOp, If, For, While)


def run(fn: Function) -> Function:
    """The program with its loops turned upwards where that changes nothing."""
    return each_function(fn, lambda f: replace(f, body=_Turning(f).block(f.body)))


class _Turning:
    """One function."""

    def __init__(self, fn: Function) -> None:
        self.aliases, self.bounds = Aliases(fn), Bounds(fn)
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
        if s.step != const(-1) or s.carried or s.breaks:
            return False
        inside = list(statements(s.body))
        if not all(isinstance(t, HARMLESS) for t in inside):
            return False
        accesses: dict[str, list[Access]] = defaultdict(list)
        whole: set[str] = set()  # what operations read as a whole
        for t in inside:
            if isinstance(t, (Load, Store, Accumulate)):
                accesses[self.aliases.root(t.array)].append(t)
            elif isinstance(t, ArrayOp):
                whole |= {self.aliases.root(a) for a in t.args if is_reference(a)}  # type: ignore[arg-type]
        varying = _varying(s, inside)
        return all(
            self.independent(group, varying, inside, root in whole)
            for root, group in accesses.items()
        )

    def independent(
        self, group: list[Access], varying: set[str], inside: list[Stmt], whole: bool
    ) -> bool:
        """Whether the accesses to one class of storage may come in any order of iterations."""
        if all(isinstance(t, Load) for t in group):
            return True
        if whole:
            return False
        adjoint = all(t.loc is not None and t.loc.role == "adjoint" for t in group)
        if adjoint and all(isinstance(t, Accumulate) for t in group):
            return all(isinstance(t.array.type, ArrayT) for t in group)
        arrays = {t.array for t in group}
        made = {v for t in inside for v in targets(t)}
        if len(arrays) > 1 or arrays & made:
            return False
        columns = zip(*(t.index for t in group), strict=True)
        return any(self.distinct(column, varying) for column in columns)

    def distinct(self, column: tuple[Atom, ...], varying: set[str]) -> bool:
        """Whether a subscript is one number, another in each iteration, never from the end."""
        a, low = column[0], self.bounds.lower(column[0])
        once = isinstance(a, Var) and a.name in varying and low is not None and low >= 0
        return once and len(set(map(key, column))) == 1


def _varying(s: For, inside: list[Stmt]) -> set[str]:
    """The counter, and it plus or minus what does not change: different in every iteration."""
    made = {v.name for t in inside for v in targets(t)}

    def fixed(a: Atom) -> bool:
        return not isinstance(a, Var) or a.name not in made and a.name not in bound

    bound = {v.name for t in inside for v in binders(t)}
    found = {s.index.name}
    for t in inside:
        if isinstance(t, Op) and t.op in ("add", "sub"):
            x, y = t.args
            own = isinstance(x, Var) and x.name in found and fixed(y)
            other = t.op == "add" and isinstance(y, Var) and y.name in found and fixed(x)
            if own or other:
                found.add(t.target.name)
    return found
