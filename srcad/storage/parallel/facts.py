"""What the function that runs a part of a loop may know of the function that the loop stands in.

In: that function, and the variables from outside that the loop uses.  Out:
* ``remade``: statements that make integers again, and the variables that are still to be given.  So
  the passes that come later see in the part how sizes and ends of ranges hang together
  (``n - 1``, ``len(x)``), as they do in the function itself;
* ``classes``: classes of storage of the arrays (``Function.apart``), by which they see that the
  shadow that is added to is none of the arrays that are read.

Invariant: what is made again is what it was, to the bit: sums, products and the like of integers,
and sizes of arrays that are given anyway.  Classes are those of the function itself; where lists of
arrays are around there are none.
"""

from __future__ import annotations

from collections.abc import Iterable

from srcad.analyses.aliases import OUTSIDE, Aliases, compared
from srcad.ir.nodes import Dim, Function, Op, Var
from srcad.ir.types import I8, ArrayT, ListT
from srcad.ir.walk import operands, statements

CHEAP = frozenset({"add", "sub", "mul", "max", "min"})
MOST = 32  # statements that are made again


class Facts:
    """The questions about one function."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        found = (s for s in statements(fn.body) if isinstance(s, (Op, Dim)))
        self.made = {s.target.name: s for s in found if s.target.type == I8}
        self._aliases: Aliases | None = None

    def remade(self, free: Iterable[Var]) -> tuple[list[Op | Dim], list[Var]]:
        """Statements that make what they can, and the variables that these and the loop need."""
        given = list(free)
        arrays = {v.name for v in given if isinstance(v.type, ArrayT)}
        out: dict[str, Op | Dim] = {}
        needed: dict[str, Var] = {}

        def need(v: Var) -> None:
            s = self.made.get(v.name)
            if v.name in out or v.name in needed:
                return
            cheap = isinstance(s, Op) and s.op in CHEAP
            cheap = cheap or isinstance(s, Dim) and s.array.name in arrays
            if s is None or not cheap or len(out) + len(pending) >= MOST:
                needed[v.name] = v
                return
            pending.append(v.name)
            for a in operands(s):
                if isinstance(a, Var):
                    need(a)
            out[pending.pop()] = s

        pending: list[str] = []
        for v in given:
            need(v)
        return list(out.values()), list(needed.values())

    def classes(self, free: Iterable[Var]) -> dict[str, str]:
        """The classes of storage of arrays, by name; none of those that may be anything."""
        given = list(free)
        if any(isinstance(v.type, ListT) for v in given):
            return {}
        if self._aliases is None:
            self._aliases = Aliases(self.fn, compared(self.fn))
        seen = {self._aliases.root(p) for p in self.fn.params}
        found: dict[str, str] = {}
        for v in given:
            if isinstance(v.type, ArrayT):
                root = self._aliases.root(v)
                found[v.name] = f"{OUTSIDE} {root}" if root in seen else root
        return {name: root for name, root in found.items() if root != f"{OUTSIDE} {OUTSIDE}"}
