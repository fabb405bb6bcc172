"""Where on a tape an iteration writes: its flat position, counted over the whole function.

In: the prepared function.  Out: for every loop how its iterations are numbered:
* ``rect``: its trip count and those of all loops around are known before the outermost starts;
  position = (position of the parent) * n + k, and a tape is one array of the product's size;
* ``inner``: its own count is known there, but not that of a loop around: same formula;
* ``cursor``: a counter of all iterations so far is carried (forwards in the forward sweep and
  backwards in the reverse sweep, without storage); position = cursor + k, a tape is a list.

Invariant: two iterations never share a position; positions of executed iterations are in range.
"""

from __future__ import annotations

from dataclasses import dataclass

from srcad.analyses.tree import Node, Tree, loop_key
from srcad.ir.build import Builder
from srcad.ir.nodes import Atom, Const, Dim, For, Op, Stmt, Var, View, While
from srcad.ir.types import I8, ArrayT
from srcad.transforms.trips import counted, trip_count

DEEP = 30  # operations repeated for one number
_HOISTABLE = {"add", "sub", "mul", "neg", "min", "max"}


@dataclass(eq=False)
class Numbering:
    """How the iterations of one loop are numbered."""

    key: str
    node: Node
    kind: str
    parent: Numbering | None

    @property
    def cursor(self) -> Numbering | None:
        """The innermost loop with a cursor that the positions count from."""
        return self if self.kind == "cursor" else self.parent.cursor if self.parent else None

    def inner(self) -> list[Numbering]:
        """The loops, from this one outwards, whose counts are factors of the position."""
        found: list[Numbering] = []
        here: Numbering | None = self
        while here is not None and here.kind != "cursor":
            found.append(here)
            here = here.parent
        return found


def cursor_key(n: Numbering) -> str:
    """The name of a loop's cursor in the environments of the sweeps (no variable has a colon)."""
    return f"cursor:{n.key}"


class Positions:
    """Numbers all loops; emits trip counts before the outermost statement of their nest."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.of: dict[Node, Numbering] = {}
        self.counts: dict[str, Atom] = {}
        self._level = 0
        self._hoistable: dict[tuple[int, str], bool] = {}
        self._hoisted: dict[tuple[int, str], Atom] = {}

    def numbering(self, loop: Node) -> Numbering:
        """How the iterations of a loop body are numbered."""
        if loop not in self.of:
            outer = loop.parent.loop if loop.parent is not None else None
            parent = self.numbering(outer) if outer is not None else None
            s = loop.owner
            assert isinstance(s, (For, While))
            known = (
                isinstance(s, For)
                and counted(s)
                and self.hoistable(s.start, loop)
                and self.hoistable(s.stop, loop)
            )
            rect = known and (parent is None or parent.kind == "rect")
            kind = "rect" if rect else "inner" if known and parent is not None else "cursor"
            self.of[loop] = Numbering(loop_key(s), loop, kind, parent)
        return self.of[loop]

    def hoistable(self, a: Atom, at: Node) -> bool:
        """Whether an integer (or array) can be had before the top statement around ``at``."""
        if isinstance(a, Const):
            return True
        home = self.tree.home[a.name]
        if home.node is self.tree.root:
            return home.position < top_position(at)
        key = (top_position(at), a.name)
        if key not in self._hoistable:
            self._level += 1
            self._hoistable[key] = self._level < DEEP and self._repeatable(a, home.stmt, at)
            self._level -= 1
        return self._hoistable[key]

    def _repeatable(self, a: Var, s: Stmt | None, at: Node) -> bool:
        match s:
            case Op(target=t, op=op, args=args):
                fine = op in _HOISTABLE or _safe_division(s)
                return (
                    fine
                    and t.type == I8
                    and all(self.hoistable(x, at) and x.type == I8 for x in args)
                )
            case Dim(array=array):
                return isinstance(array.type, ArrayT) and self.hoistable(array, at)
            case View(kind="same", base=base):
                return self.hoistable(base, at)
        return False

    def hoist(self, b: Builder, a: Atom, at: Node) -> Atom:
        """Emit what ``hoistable`` promised."""
        if isinstance(a, Const):
            return a
        home = self.tree.home[a.name]
        if home.node is self.tree.root:
            return a
        key = (top_position(at), a.name)
        if key not in self._hoisted:
            self._hoisted[key] = self._again(b, a, home.stmt, at)
        return self._hoisted[key]

    def _again(self, b: Builder, a: Var, s: object, at: Node) -> Atom:
        match s:
            case Op(op=op, args=args):
                return b.op(op, *(self.hoist(b, x, at) for x in args), hint=a.hint or a.name)
            case Dim(array=array, axis=axis):
                base = self.hoist(b, array, at)
                assert isinstance(base, Var)
                return b.dim(base, axis)
            case View(base=base):
                return self.hoist(b, base, at)
        raise AssertionError("not hoistable")

    def count(self, b: Builder, n: Numbering) -> Atom:
        """The trip count of a ``rect`` or ``inner`` loop (emitted at the top on first use)."""
        if n.key not in self.counts:
            s = n.node.owner
            assert isinstance(s, For)
            start, stop = self.hoist(b, s.start, n.node), self.hoist(b, s.stop, n.node)
            self.counts[n.key] = trip_count(b, start, stop, s.step)
        return self.counts[n.key]


def _safe_division(s: Op) -> bool:
    return s.op in ("floordiv", "mod") and isinstance(s.args[1], Const) and s.args[1].value != 0


def top_position(node: Node) -> int:
    """Index, in the function's body, of the statement around a block."""
    path = node.path()
    return path[1].position if len(path) > 1 else -1
