"""What differs from lane to lane when several iterations of a loop run at once.

In: an outer loop, the arrays that its iterations make for themselves (by name of the array, or of
a view of it), the classes of storage that it writes.  Out: the names of the variables that may have
different values in different iterations, and of those arrays whose contents may.

Invariant: whatever is not among them is the same in all lanes, at every point of an iteration: it
is computed from nothing but such values, and no branch that lanes may take differently has a part
in it.  Statements that make it need be done once for all lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from srcad.ir.nodes import Accumulate, Alloc, Atom, Block, Dim, For, Load, Stmt, Store, Var, View
from srcad.ir.walk import binders, blocks, operands, statements, targets


class Varying:
    """``names`` differ from lane to lane."""

    def __init__(self, s: For, private: Mapping[str, str], written: Callable[[Var], bool]) -> None:
        self.private, self.written = private, written
        self.names = {s.index.name, *(c.arg.name for c in s.carried)}
        size = 0
        while size != len(self.names):  # of arrays and carried values it may be found out late
            size = len(self.names)
            self.block(s.body)

    def has(self, a: Atom) -> bool:
        """Whether an operand differs."""
        return isinstance(a, Var) and a.name in self.names

    def block(self, b: Block) -> None:
        """One pass over a block."""
        for s in b.stmts:
            if isinstance(s, For):
                self.loop(s)
            elif self.differs(s):
                self.put(s)

    def loop(self, s: For) -> None:
        """An inner loop, by carried value."""
        for c, y in zip(s.carried, s.body.yields, strict=True):
            if any(map(self.has, (c.arg, c.init, y))):
                self.names |= {c.arg.name, c.result.name}
        self.block(s.body)

    def differs(self, s: Stmt) -> bool:
        """Whether a statement that is no loop must be done lane by lane."""
        inner = [t for b in blocks(s) for t in statements(b)]
        ends = [y for b in blocks(s) for y in b.yields]
        return any(map(self._differs, (s, *inner))) or any(map(self.has, ends))

    def _differs(self, s: Stmt) -> bool:
        match s:
            case Alloc():
                return False
            case Dim() if s.array.name in self.private:
                return False
            case View() if s.base.name in self.private:
                return any(a != s.base and self.has(a) for a in operands(s))
            case Load() if s.array.name not in self.private and self.written(s.array):
                return True
            case Store() | Accumulate() if s.array.name not in self.private:
                return True
        return any(map(self.has, operands(s)))

    def put(self, s: Stmt) -> None:
        """What a statement that is done lane by lane makes, and the arrays it has to do with."""
        inner = [t for b in blocks(s) for t in statements(b)]
        for t in (s, *inner):
            self.names |= {v.name for v in (*targets(t), *binders(t))}
            if isinstance(t, (Load, Store, Accumulate)) and t.array.name in self.private:
                array = self.private[t.array.name]
                self.names |= {name for name, a in self.private.items() if a == array}
        self.names |= {r.name for r in targets(s)}
