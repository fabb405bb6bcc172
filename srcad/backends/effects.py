"""What printing a statement changes: Python variables assigned, kinds of storage written.

Used to decide which waiting expressions must be printed first; the answer may be larger than
the truth, never smaller.
"""

from __future__ import annotations

from srcad.backends.naming import Names
from srcad.backends.pending import ANY, Effects
from srcad.backends.storage import memory_key
from srcad.ir.nodes import Accumulate, Call, Reserve, Stmt, Store
from srcad.ir.walk import binders, blocks, targets


class EffectsTable:
    """Effects of statements, computed once each."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.known: dict[int, Effects] = {}

    def of(self, s: Stmt) -> Effects:
        """Effects of a statement with everything inside it."""
        if id(s) not in self.known:
            self.known[id(s)] = self._compute(s)
        return self.known[id(s)]

    def _compute(self, s: Stmt) -> Effects:
        out = Effects({self.names.cell(v) for v in (*targets(s), *binders(s))})
        if isinstance(s, (Store, Accumulate, Reserve)):
            out.memory.add(memory_key(s.array.type))
        elif isinstance(s, Call):
            out.memory.add(ANY)
        for b in blocks(s):
            for inner in b.stmts:
                part = self.of(inner)
                out.cells |= part.cells
                out.memory |= part.memory
        return out
