"""Loops hide their counter where LLVM would draw the wrong conclusion from the rows it chooses.

In: IR after the last transform.  Out: the same function, where a loop around other loops
subscripts arrays by ``opaque(counter)``, the same number, about which LLVM cannot reason: if it
counts down, or if an inner loop writes one row of an array while it touches another one
(``y[i - 1, j]``, ``y[i, j]`` and ``y[i + 1, j]`` in the adjoint of a stencil).

Why: before an inner loop LLVM tests whether arrays overlap.  Where it sees how rows move with the
counter of the outer loop it makes one test for all iterations of that (``hoist-runtime-checks`` in
LoopAccessAnalysis), which asks that rows move upwards and compares everything that an array's
pointer runs over in the whole nest.  Rows of one array then overlap, and the loop stays scalar
although it is reported as vectorised.  With the counter hidden the test is made for each row.

Invariant: values are the same, bit for bit.  Limits: ``for`` loops around a ``for`` loop whose
number of trips is not a small constant (those are unrolled, and the outer loop may then become a
vector loop itself).

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a, n = b.var("a", ArrayT("f8", 2)), b.var("n", I8)
>>> with b.loop(const(9), const(-1), const(-1)) as i:
...     with b.loop(const(0), n) as j:
...         b.store(a, (i, j), const(0.0))
>>> fn = hidden(Function("f", (a, n), Block(tuple(b.stack[0]))))
>>> print(text(fn), end="")
def f(a: f8[:,:]C, n: i8):
    for i in range(9, -1, -1):
        row: i8 = opaque(i)
        for i_1 in range(0, n, 1):
            a[row, i_1] = 0.0
>>> sorted(fn.vector)
['row']
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from srcad.analyses.aliases import Aliases, is_reference
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Const,
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
from srcad.ir.types import I8
from srcad.ir.walk import operands, statements, variables
from srcad.transforms.program import each_function

FEW = 16  # trips of an inner loop that LLVM unrolls


def hidden(fn: Function) -> Function:
    """The program with such counters hidden."""
    return each_function(fn, _hidden)


def _hidden(fn: Function) -> Function:
    if not any(map(_around, statements(fn.body))):
        return fn
    rows = _Rows(fn)
    body = rows.block(fn.body)
    return replace(fn, body=body, vector=fn.vector | rows.made) if rows.made else fn


def _around(s: Stmt) -> bool:
    """Whether a loop stands around one that may become a vector loop."""
    return isinstance(s, For) and any(_long(t) for t in statements(s.body))


def _long(s: Stmt) -> bool:
    return isinstance(s, For) and not _short(s)


def _short(s: For) -> bool:
    """Whether a loop has few trips for certain."""
    if not all(isinstance(a, Const) for a in (s.start, s.stop, s.step)):
        return False
    first, end, by = (int(a.value) for a in (s.start, s.stop, s.step))  # type: ignore[union-attr]
    return by != 0 and len(range(first, end, by)) <= FEW


class _Rows:
    """One function; ``made`` are the names of the hidden counters."""

    def __init__(self, fn: Function) -> None:
        self.aliases = Aliases(fn)
        self.namer = Namer(v.name for v in variables(fn))
        self.made: set[str] = set()
        self.now: dict[Atom, Var] = {}  # the hidden form of each counter

    def block(self, b: Block) -> Block:
        """A block with hidden counters in its subscripts."""
        return Block(tuple(map(self.statement, b.stmts)), b.yields)

    def statement(self, s: Stmt) -> Stmt:
        """A statement."""
        match s:
            case If():
                return replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            case For() if _around(s) and self.applies(s):
                return self.loop(s)
            case For() | While():
                return replace(s, body=self.block(s.body))
        if not any(a in self.now for a in operands(s)):
            return s
        match s:
            case Load() | Store() | Accumulate():
                return replace(s, index=tuple(map(self.of, s.index)))
            case View(kind="index"):
                return replace(s, spec=tuple(map(self.item, s.spec)))
            case Op(op="add" | "sub" | "mul") if s.target.type == I8:
                return replace(s, args=tuple(map(self.of, s.args)))
        return s

    def applies(self, s: For) -> bool:
        """Whether a loop counts down, or an inner one touches rows of one array."""
        if not isinstance(s.step, Const):
            return False
        if s.step.value < 0:
            return True
        moving = {s.index.name}  # what follows from the counter, or changes with it
        moving |= {c.arg.name for c in s.carried if is_reference(c.arg)}
        for t in s.body.stmts:
            if isinstance(t, (Op, View)) and any(self.among(a, moving) for a in operands(t)):
                moving.add(t.target.name)
        return any(_long(t) and self.rows(t, moving) for t in statements(s.body))

    def among(self, a: Atom, names: set[str]) -> bool:
        """Whether an atom is one of these variables."""
        return isinstance(a, Var) and a.name in names

    def rows(self, s: Stmt, moving: set[str]) -> bool:
        """Whether a loop touches several rows of an array that it writes."""
        found: dict[str, set[tuple[object, ...]]] = defaultdict(set)
        written: set[str] = set()
        for t in statements(Block((s,))):
            if isinstance(t, (Load, Store, Accumulate)):
                root = self.aliases.root(t.array)
                written |= {root} if not isinstance(t, Load) else set()
                at = (a.name for a in t.index if self.among(a, moving))  # type: ignore[union-attr]
                base = t.array.name if t.array.name in moving else ""
                row = (base, *at)
                if any(row):
                    found[root].add(row)
        return any(len(found[root]) > 1 for root in written)

    def loop(self, s: For) -> For:
        """A loop with a hidden counter."""
        row = Var(self.namer.fresh("row"), I8, "row")
        self.now[s.index] = row
        body = self.block(s.body)
        del self.now[s.index]
        if not any(a == row for t in statements(body) for a in operands(t)):
            return replace(s, body=body)
        self.made.add(row.name)
        hide = Op(row, "opaque", (s.index,), s.loc)
        return replace(s, body=Block((hide, *body.stmts), body.yields))

    def of(self, a: Atom) -> Atom:
        """A subscript."""
        return self.now.get(a, a)

    def item(self, item: tuple) -> tuple:  # type: ignore[type-arg]
        """A part of the subscript of a view."""
        return ("at", self.of(item[1])) if item[0] == "at" else item
