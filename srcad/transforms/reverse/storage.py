"""Where the reverse sweep gets primal values from: one decision for every value it needs.

In: the needed variables (collected by a dry run of the reverse sweep), tree, regions.  Out:
``Plan``: for each needed variable one of
* ``kept``: assigned outside all loops, still in scope (handed out of branches where necessary);
* ``index``: follows from the counter of the reverse loop;
* ``recomputed``: a cheap operation on values that are to be had anyway;
* ``reloaded``: the load is repeated, its storage is never overwritten afterwards;
* ``preallocated`` / ``list``: recorded on a tape, indexed by the loop's position.

Invariant: what decides control flow is never recomputed through floating-point arithmetic (a
contracted multiply-add may round differently), only from the very numbers the forward sweep used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srcad.analyses.regions import is_reference
from srcad.analyses.reload import Reload
from srcad.analyses.tree import Tree
from srcad.errors import NoDerivative
from srcad.ir.nodes import Atom, Const, Dim, For, Load, Loc, Op, Stmt, Var, View
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import ArrayT, ListT, Scalar, is_float
from srcad.ir.walk import view_atoms
from srcad.transforms.reverse.positions import Positions
from srcad.transforms.reverse.prepare import Prepared, counted

CHEAP = 8  # of one value, with the operands recomputed for it alone


@dataclass
class Residual:
    """One primal value that the reverse sweep uses (for ``explain``)."""

    primal: str
    kind: str
    tape: str = ""
    loc: Loc | None = None
    reason: Loc | None = None


@dataclass
class Plan:
    """The decisions, by variable name, and the tapes that they call for."""

    kind: dict[str, str] = field(default_factory=dict)
    vars: dict[str, Var] = field(default_factory=dict)
    tapes: dict[str, Var] = field(default_factory=dict)  # needed variable -> variable of its tape
    reloads: set[str] = field(default_factory=set)  # regions that the reverse sweep reads again
    reasons: dict[str, Loc | None] = field(default_factory=dict)

    def taped(self, name: str) -> bool:
        """Whether a variable is recorded."""
        return self.kind.get(name) in ("preallocated", "list")


class Storage:
    """Decides greedily, in program order."""

    def __init__(self, tree: Tree, positions: Positions, reload: Reload, prepared: Prepared,
                 lean: bool = True) -> None:
        self.tree, self.positions, self.reload = tree, positions, reload
        self.lean = lean
        self.counters = {arg.name for arg, _ in prepared.counter.values()}
        self.plan = Plan()
        self._failed: set[str] = set()
        self._trial: dict[str, tuple[Var, str]] = {}

    def decide(self, needed: dict[str, tuple[Var, Loc | None]]) -> Plan:
        """A decision for each needed variable and for what recomputing it needs."""
        order = {name: k for k, name in enumerate(self.tree.home)}
        for name in sorted(needed, key=order.__getitem__):
            v, reason = needed[name]
            self.plan.reasons[name] = reason
            self._trial = {}
            if self.obtain(v) is None:
                self._trial = {name: self._record(v)}
            for w in self._trial.values():
                self._commit(*w)
        return self.plan

    def _record(self, v: Var) -> tuple[Var, str]:
        loop = self.tree.home[v.name].node.loop
        assert loop is not None
        if isinstance(v.type, ListT):
            raise NoDerivative(
                f"the list {v.hint or v.name!r} is chosen inside a loop and needed in the reverse "
                "sweep", self.plan.reasons.get(v.name),
                "references to lists cannot be recorded", "use an array, or one list")
        rect = self.positions.numbering(loop).kind == "rect"
        return v, "preallocated" if rect and isinstance(v.type, Scalar) else "list"

    def _commit(self, v: Var, kind: str) -> None:
        self.plan.kind[v.name] = kind
        self.plan.vars[v.name] = v
        s = self.tree.home[v.name].stmt
        if kind in ("recomputed", "reloaded") and isinstance(s, Load):
            self.plan.reloads |= self.reload.regions.of(s.array)

    def obtain(self, a: Atom) -> int | None:
        """Cost of having ``a`` in the reverse sweep without a new tape, ``None`` if impossible."""
        if isinstance(a, Const) or a.name in self.plan.kind or a.name in self._trial:
            return 0
        if a.name in self._failed:
            return None
        cost, kind = self._option(a)
        if cost is None or cost > CHEAP and is_float(a.type):
            self._failed.add(a.name)
            return None
        self._trial[a.name] = (a, kind)
        return cost

    def _option(self, v: Var) -> tuple[int | None, str]:
        """The best way to have ``v`` that needs no tape, and its cost."""
        home = self.tree.home[v.name]
        if home.node.loop is None:
            return 0, "kept"
        if v.name in self.counters:
            return 0, "index"
        if isinstance(home.stmt, For) and home.stmt.index.name == v.name:
            exact = counted(home.stmt)
            return (0 if exact else self._sum(2, home.stmt.start, home.stmt.step)), "index"
        if home.stmt is None or not self.lean and isinstance(v.type, Scalar):
            return None, ""
        reads = isinstance(home.stmt, Load) and not is_reference(v)
        return self._again(v, home.stmt), "reloaded" if reads else "recomputed"

    def _again(self, v: Var, s: Stmt) -> int | None:
        """Cost of executing the statement that defines ``v`` once more."""
        match s:
            case Op():
                return self._operation(s)
            case Load():
                return self._sum(1, s.array, *s.index) if self._stable(v, s.array) else None
            case Dim() if isinstance(s.array.type, ArrayT) or self._stable(v, s.array, True):
                return self._sum(1, s.array)
            case View():
                return self._sum(1, s.base, *view_atoms(s))
        return None

    def _operation(self, s: Op) -> int | None:
        cost = PRIMITIVES[s.op].cost
        if is_float(s.target.type):
            return self._sum(cost, *s.args) if cost <= 4 else None
        if cost > 8 or any(is_float(a.type) and not self._exact(a) for a in s.args):
            return None
        return self._sum(cost, *s.args)

    def _exact(self, a: Atom) -> bool:
        """Whether a number is had as it was, not through arithmetic that may round otherwise."""
        if isinstance(a, Const):
            return True
        if self.obtain(a) is None:
            return False
        kind = self.plan.kind.get(a.name) or self._trial[a.name][1]
        return kind != "recomputed"

    def _stable(self, v: Var, array: Var, resizing: bool = False) -> bool:
        home = self.tree.home[v.name]
        return self.reload.stable((home.node, home.position), array, resizing)

    def _sum(self, cost: int, *atoms: Atom) -> int | None:
        for a in atoms:
            more = self.obtain(a)
            if more is None:
                return None
            cost += more
        return cost


def tape_type(v: Var, kind: str) -> ArrayT | ListT:
    """The type of the tape that records ``v``."""
    if kind == "preallocated":
        assert isinstance(v.type, Scalar)
        return ArrayT(v.type.kind, 1)
    assert isinstance(v.type, (Scalar, ArrayT))
    return ListT(v.type)
