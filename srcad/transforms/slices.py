"""Elements of slices and rows are elements of the array they were cut from.

In: verified IR.  Out: the same function where a ``Load``, ``Store`` or ``Accumulate`` of an element
of ``a[2:]`` at ``i`` goes to ``a`` at ``i + 2``, if the slice takes every element from its start on
and ``i`` is known not to count from the end; and one of the row ``a[i]`` at ``j`` to ``a[i, j]``.

Invariant: the same elements, hence the same values.  What follows sees that neighbours, written as
slices of one array, are neighbours: they are recorded once, and gathered; and a program with rows
becomes the one with subscripts (making a row in an inner loop costs more than its elements).
Limits: slices of step one, from a start that is known not to count from the end.  An element past
the end of a slice (which Numba does not notice) is one of the array.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a = b.var("a", ArrayT("f8", 1))
>>> right = b.view(a, "index", (("slice", const(2), None, None),), ArrayT("f8", 1, "A"), "right")
>>> with b.loop(const(0), b.dim(right, 0)) as i:
...     b.store(a, (i,), b.load(right, i))
>>> print(text(run(Function("f", (a,), Block(tuple(b.stack[0]))))), end="")
def f(a: f8[:]C):
    right: f8[:]A = view a index (slice 2 : :)
    n: i8 = dim(right, 0)
    for i in range(0, n, 1):
        t_1: i8 = add(i, 2)
        t: f8 = a[t_1]
        a[i] = t
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.bounds import Bounds
from srcad.ir.build import ZERO, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    For,
    Function,
    If,
    Load,
    Stmt,
    Store,
    View,
    While,
)
from srcad.ir.walk import statements, variables
from srcad.transforms.program import each_function


def run(fn: Function) -> Function:
    """The program with its slices seen through."""
    return each_function(fn, _through)


def _through(fn: Function) -> Function:
    bounds: Bounds | None = None
    found: dict[str, View] = {}
    for s in statements(fn.body):
        if isinstance(s, View) and s.kind == "index" and _plain(s):
            bounds = bounds or Bounds(fn)
            starts = [item[1] for item in s.spec if item[0] == "slice" and item[1] is not None]
            if all((low := bounds.lower(a)) is not None and low >= 0 for a in starts):
                found[s.target.name] = s
    if bounds is None or not found:
        return fn
    return replace(fn, body=_Slices(fn, bounds, found).block(fn.body))


def _plain(s: View) -> bool:
    """Whether a view is of positions and of slices of step one only."""
    return all(item[0] == "at" or item[0] == "slice" and item[3] is None for item in s.spec)


class _Slices:
    """One function."""

    def __init__(self, fn: Function, bounds: Bounds, found: dict[str, View]) -> None:
        self.bounds, self.found = bounds, found
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self, b: Block) -> Block:
        """A block and its inner blocks, rebuilt."""
        out: list[Stmt] = []
        for s in b.stmts:
            match s:
                case If():
                    s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
                case For() | While():
                    s = replace(s, body=self.block(s.body))
                case Load() | Store() | Accumulate() if s.array.name in self.found:
                    s = self.access(s, out)
            out.append(s)
        return Block(tuple(out), b.yields)

    def access(self, s: Load | Store | Accumulate, out: list[Stmt]) -> Stmt:
        """An access to the array itself; what its subscripts need goes to ``out``."""
        array, index = s.array, s.index
        self.b.loc = s.loc
        with self.b.block() as made:
            while (view := self.found.get(array.name)) is not None:
                below = self.below(view, index)
                if below is None:
                    break
                array, index = view.base, below
        out += made
        return replace(s, array=array, index=index)

    def below(self, view: View, index: tuple[Atom, ...]) -> tuple[Atom, ...] | None:
        """Subscripts of a view's base; ``None`` where one may count from the end of a slice."""
        rest, found = list(index), []
        for item in view.spec:
            if item[0] == "at":
                found.append(item[1])
                continue
            a = rest.pop(0)
            low = self.bounds.lower(a)
            if item[1:] != (None, None, None) and (low is None or low < 0):
                return None
            found.append(a if item[1] in (None, ZERO) else self.b.op("add", a, item[1]))
        return (*found, *rest)
