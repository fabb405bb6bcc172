"""Which numbers decide what a program does: they must be computed as the user's code does.

In: a function.  Out: the names of the variables whose value (of arrays: contents) may reach a
condition, a subscript, a trip count, a size, an integer, a called function, a random number's
parameters, or a message.

Invariant: the flow goes through variables, branches, loops and arrays (``analyses.aliases``; what
is stored in an array decides if anything that is loaded from it does).  What a condition selects
from is not decided by it.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block
>>> from srcad.ir.types import F8
>>> b = Builder(Namer())
>>> x = b.var("x", F8)
>>> e, s = b.op("exp", x, hint="e"), b.op("sin", x, hint="s")
>>> y = b.op("select", b.op("gt", e, const(2.0)), s, x)
>>> sorted(deciding(Function("f", (x,), Block(tuple(b.stack[0]), (y,)))))
['e', 'x']
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol

from srcad.analyses.aliases import Aliases, is_reference
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Call,
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
from srcad.ir.types import B1, I8, is_float
from srcad.ir.walk import operands, statements, variables


def deciding(fn: Function) -> set[str]:
    """The variables of a function that its decisions depend on."""
    return Flow(fn, Aliases(fn, distinct=fn.decides is not None)).reaching()


class Classes(Protocol):
    """Which references may be to the same storage (``analyses.aliases`` and others)."""

    def root(self, v: Var) -> str:
        """The class of a reference."""
        ...


class Flow:
    """``sources``: what a variable, or the class of an array, comes from; ``roots`` decide."""

    def __init__(self, fn: Function, classes: Classes) -> None:
        self.fn, self.classes = fn, classes
        self.sources: dict[str, list[str]] = defaultdict(list)
        self.roots: set[str] = set()
        for s in statements(fn.body):
            self.statement(s)

    def reaching(self) -> set[str]:
        """The variables whose value may reach a root; arrays by their contents."""
        found: set[str] = set()
        todo = [*self.roots, *self.known()]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.sources[name]
        arrays = (v for v in variables(self.fn) if is_reference(v))
        return found | {v.name for v in arrays if self.name(v) in found}

    def known(self) -> Iterator[str]:
        """What is known to decide because this is a part of another function."""
        arrays = {p.name: self.name(p) for p in self.fn.params if is_reference(p)}
        return (arrays.get(name, name) for name in self.fn.decides or ())

    def name(self, a: Var) -> str:
        """A variable, or the class of the array it refers to (marked, as names are not)."""
        return f"*{self.classes.root(a)}" if is_reference(a) else a.name

    def names(self, atoms: Iterable[Atom]) -> Iterator[str]:
        return (self.name(a) for a in atoms if isinstance(a, Var))

    def comes(self, target: Var, atoms: Iterable[Atom]) -> None:
        self.sources[self.name(target)] += self.names(atoms)

    def decides(self, atoms: Iterable[Atom]) -> None:
        self.roots.update(self.names(atoms))

    def statement(self, s: Stmt) -> None:
        match s:
            case Op():
                self.comes(s.target, s.args)
                if s.target.type in (I8, B1):
                    self.decides(s.args)
            case Load():
                self.comes(s.target, (s.array,))
                self.decides(s.index)
            case Store() | Accumulate():
                self.comes(s.array, (s.value,))
                self.decides(s.index)
            case ArrayOp(op="apart"):
                pass  # of addresses, not of what is there
            case ArrayOp():
                for t in s.targets:
                    self.comes(t, s.args)
                    if t.type in (I8, B1):
                        self.decides(s.args)
            case View():
                self.decides(a for a in operands(s) if not is_reference(a))
            case If():
                self.decides((s.cond,))
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    self.comes(r, (a, b))
            case For() | While():
                self.loop(s)
            case Call():
                self.call(s)
            case _:
                self.decides(a for a in operands(s) if not is_reference(a))

    def call(self, s: Call) -> None:
        """What is given to a function decides; to a part of this one, what is known to."""
        callee = self.fn.callees.get(s.fn)
        known = callee.decides if callee is not None else None
        if callee is None or known is None:
            self.decides(s.args)
            return
        for a, p in zip(s.args, callee.params, strict=True):
            if not is_reference(a) and not is_float(a.type) or p.name in known:
                self.decides((a,))

    def loop(self, s: For | While) -> None:
        if isinstance(s, For):
            self.decides((s.start, s.stop, s.step))
        for c, y in zip(s.carried, s.body.yields, strict=True):
            self.comes(c.arg, (c.init, y))
            self.comes(c.result, (c.init, y))
        if isinstance(s, While) or s.breaks:
            self.decides((s.carried[0].init, s.body.yields[0]))
