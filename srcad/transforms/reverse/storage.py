"""Where the reverse sweep gets primal values from: one decision for every value it needs.

In: the needed variables (collected by a dry run of the reverse sweep), tree, regions.  Out:
``Plan``: for each needed variable one of
* ``kept``: assigned outside all loops, still in scope (handed out of branches where necessary);
* ``index``: follows from the counter of the reverse loop;
* ``progression``: a carried integer, first value plus trips times increment;
* ``recomputed``: a cheap operation on values that are to be had anyway;
* ``reloaded``: the load is repeated, its storage is never overwritten afterwards;
* ``stored``: the program puts it into an array element that is never overwritten: read there;
* ``preallocated`` / ``list``: recorded on a tape, indexed by the loop's position.

Invariant: what decides control flow is never recomputed through floating-point arithmetic (a
contracted multiply-add may round differently), only from the very numbers the forward sweep used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from srcad.analyses.regions import is_reference
from srcad.analyses.reload import Reload
from srcad.analyses.tree import Node, Tree
from srcad.errors import NoDerivative
from srcad.ir.nodes import Atom, Const, Dim, For, Load, Loc, Op, Stmt, Store, Var, View, While
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import F4, F8, I8, ArrayT, ListT, Scalar, is_float
from srcad.ir.walk import binders, operands, targets, view_atoms
from srcad.transforms.reverse.in_place import carried_element
from srcad.transforms.reverse.positions import DEEP, Positions
from srcad.transforms.trips import counted

FEW = 16  # loads, for which keeping a whole array alive is not worth it
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
    progression: dict[str, tuple[Atom, Atom]] = field(default_factory=dict)  # first, increment
    loads: dict[str, tuple[Var, tuple[Atom, ...]]] = field(default_factory=dict)  # array, index
    reloads: set[str] = field(default_factory=set)  # regions that the reverse sweep reads again
    reasons: dict[str, Loc | None] = field(default_factory=dict)
    copies: Mapping[str, Var] = field(default_factory=dict)  # by load: an array with what it read

    def source(self, s: Load) -> Var:
        """The array from which a load is repeated."""
        return self.copies.get(s.target.name, s.array)

    def taped(self, name: str) -> bool:
        """Whether a variable is recorded."""
        return self.kind.get(name) in ("preallocated", "list")


class Storage:
    """Decides greedily, in program order."""

    def __init__(
        self,
        tree: Tree,
        positions: Positions,
        reload: Reload,
        lean: bool = True,
        cheap: int = CHEAP,
        copies: Mapping[str, Var] | None = None,
    ) -> None:
        """``copies``: by the name of what is loaded, an array that has the same there."""
        self.tree, self.positions, self.reload = tree, positions, reload
        self.lean, self.cheap = lean, cheap
        self.plan = Plan(copies=copies or {})
        self._failed: set[str] = set()
        self._level = 0
        self._depth: dict[str, int] = {}
        self._trial: dict[str, tuple[Var, str]] = {}
        self._trial_loads: dict[str, tuple[Var, tuple[Atom, ...]]] = {}
        self._stores: dict[str, list[tuple[Node, int, Store]]] | None = None

    def decide(self, needed: dict[str, tuple[Var, Loc | None]]) -> Plan:
        """A decision for each needed variable and for what recomputing it needs."""
        order = {name: k for k, name in enumerate(self.tree.home)}
        for name in sorted(needed, key=order.__getitem__):
            v, reason = needed[name]
            self.plan.reasons[name] = reason
            self._trial = {}
            if self.obtain(v) is None and not self._further_out(v):
                self._trial = {name: self._record(v)}
            for w in self._trial.values():
                self._commit(*w)
        self._sizes_of_recorded()
        return self.plan

    def _sizes_of_recorded(self) -> None:
        """A size that was put on a tape before the array itself was is read off that array."""
        for name, v in self.plan.vars.items():
            s = self.tree.home[name].stmt
            if self.plan.kind[name] == "preallocated" and isinstance(s, Dim):
                if isinstance(s.array.type, ArrayT) and s.array.name in self.plan.kind:
                    self._commit(v, "recomputed")

    def _record(self, v: Var) -> tuple[Var, str]:
        loop = self.tree.home[v.name].node.loop
        assert loop is not None
        if isinstance(v.type, ListT):
            raise NoDerivative(
                f"the list {v.hint or v.name!r} is chosen inside a loop and needed in the reverse "
                "sweep",
                self.plan.reasons.get(v.name),
                "references to lists cannot be recorded",
                "use an array, or one list",
            )
        rect = self.positions.numbering(loop).kind == "rect"
        return v, "preallocated" if rect and isinstance(v.type, Scalar) else "list"

    def _further_out(self, v: Var) -> bool:
        """Record, in place of ``v``, what it is made of further out, where that is enough.

        A value assigned in fewer loops takes a fraction of the tape.
        """
        self._trial = {}
        made: set[str] = set()
        outer = self._blocking(v, self._loops(v), made) if self.lean else None
        if not outer:
            return False
        failed = set(self._failed)
        self._failed -= made
        self._trial = {w.name: self._record(w) for w in outer}
        if self.obtain(v) is not None:
            return True
        self._failed = failed | {v.name}
        return False

    def _blocking(self, v: Var, depth: int, made: set[str]) -> list[Var] | None:
        """What keeps ``v`` from being computed again, all of it in fewer than ``depth`` loops."""
        s = self.tree.home[v.name].stmt
        if not isinstance(s, (Op, Load)) or isinstance(v.type, ListT) or len(made) > CHEAP:
            return None
        made.add(v.name)
        found: list[Var] = []
        for a in operands(s):
            if not isinstance(a, Var) or self.obtain(a) is not None:
                continue
            further = self._loops(a) < depth and isinstance(a.type, Scalar)
            more = [a] if further else self._blocking(a, depth, made)
            if more is None:
                return None
            found += more
        return found

    def reads(self, v: Var) -> list[Load]:
        """The loads, of elements that are overwritten later, which ``v`` is cheaply made of."""
        found: dict[str, Load] = {}
        pending, cost = [v], 0
        while pending:
            a = pending.pop()
            s = self.tree.home[a.name].stmt
            element = carried_element(self.tree, self.reload.regions, a)
            s = s if element is None else element.load
            if isinstance(s, Load) and all(map(self._had, (s.array, *s.index))):
                found[a.name] = s
            elif isinstance(s, Op) and is_float(a.type) and cost < CHEAP:
                cost += PRIMITIVES[s.op].cost
                pending += [x for x in s.args if isinstance(x, Var) and not self._had(x)]
            else:
                return []
        return list(found.values()) if cost <= CHEAP else []

    def _had(self, a: Atom) -> bool:
        """Whether a value is to be had without what is recorded in its own loop."""
        if isinstance(a, Const):
            return True
        kind = self.plan.kind.get(a.name)
        if kind is not None and (kind != "preallocated" or not is_float(a.type)):
            return kind != "list"
        self._trial = {}
        return a.name not in self._failed and self.obtain(a) is not None and kind is None

    def _loops(self, v: Var) -> int:
        """In how many loops a value is assigned."""
        return sum(1 for _ in self.tree.home[v.name].node.loops())

    def _commit(self, v: Var, kind: str) -> None:
        self.plan.kind[v.name] = kind
        self.plan.vars[v.name] = v
        progression = self.progression(v) if kind == "progression" else None
        if progression is not None:
            self.plan.progression[v.name] = progression
        if kind == "stored":
            self.plan.loads[v.name] = self._trial_loads[v.name]
            self.plan.reloads |= self.reload.regions.of(self.plan.loads[v.name][0])
        s = self.tree.home[v.name].stmt
        if kind in ("recomputed", "reloaded") and isinstance(s, Load):
            self.plan.reloads |= self.reload.regions.of(self.plan.source(s))

    def obtain(self, a: Atom) -> int | None:
        """Cost of having ``a`` in the reverse sweep without a new tape, ``None`` if impossible."""
        if isinstance(a, Const) or a.name in self.plan.kind or a.name in self._trial:
            return 0
        if a.name in self._failed:
            return None
        self._level += 1
        cost, kind = self._option(a) if self._level < DEEP else (None, "")
        self._level -= 1
        depth = 1 + self._depth_of(a) if kind == "recomputed" else 0
        if cost is None or cost > self.cheap and is_float(a.type) or depth > DEEP:
            self._failed.add(a.name)
            return None
        self._depth[a.name] = depth
        self._trial[a.name] = (a, kind)
        return cost

    def _depth_of(self, v: Var) -> int:
        """How many operations deep the operands of a recomputed value are."""
        s = self.tree.home[v.name].stmt
        assert s is not None
        return max(
            (self._depth.get(a.name, 0) for a in operands(s) if isinstance(a, Var)), default=0
        )

    def _option(self, v: Var) -> tuple[int | None, str]:
        """The best way to have ``v`` that needs no tape, and its cost."""
        home = self.tree.home[v.name]
        if home.node.loop is None:
            return 0, "kept"
        if isinstance(home.stmt, For) and home.stmt.index.name == v.name:
            exact = counted(home.stmt)
            return (0 if exact else self._sum(2, home.stmt.start, home.stmt.step)), "index"
        progression = self.progression(v)
        if progression is not None and self.lean:
            return self._sum(2, *progression), "progression"
        if home.stmt is None or not self.lean and isinstance(v.type, Scalar):
            return None, ""
        cost = self._again(v, home.stmt)
        if cost is None or cost > self.cheap and is_float(v.type):
            found = self._stored(v)
            return (None, "") if found is None else (found, "stored")
        reads = isinstance(home.stmt, Load) and not is_reference(v)
        return cost, "reloaded" if reads else "recomputed"

    def _stored(self, v: Var) -> int | None:
        """Cost of reading ``v`` from where the program itself puts it for good."""
        if self._stores is None:
            self._stores = defaultdict(list)
            for node, position, s in self.tree.walk():
                if isinstance(s, Store) and isinstance(s.value, Var) and s.value.type in (F8, F4):
                    self._stores[s.value.name].append((node, position, s))
        for node, position, s in self._stores[v.name]:
            if (
                node is self.tree.home[v.name].node
                and isinstance(s.array.type, ArrayT)
                and (s.array.type.element == v.type and self.reload.settled(node, position, s))
            ):
                cost = self._sum(1, *s.index)
                if cost is not None and self._reference(v, s.array) is not None:
                    self._trial_loads[v.name] = (s.array, s.index)
                    return cost
        return None

    def progression(self, v: Var) -> tuple[Atom, Atom] | None:
        """First value and increment of a carried integer that grows by the same in each trip."""
        home = self.tree.home[v.name]
        if v.type != I8 or home.position >= 0 or not isinstance(home.stmt, (For, While)):
            return None
        for c, y in zip(home.stmt.carried, home.node.block.yields, strict=True):
            step = self.tree.home[y.name].stmt if isinstance(y, Var) else None
            if c.arg.name == v.name and isinstance(step, Op) and step.op == "add":
                for a, b in (step.args, step.args[::-1]):
                    if a == v and self._outside(b, home.node):
                        return c.init, b
        return None

    def _outside(self, a: Atom, node: Node) -> bool:
        return (
            isinstance(a, Const)
            or a.type == I8
            and node not in self.tree.home[a.name].node.ancestors()
        )

    def _again(self, v: Var, s: Stmt) -> int | None:
        """Cost of executing the statement that defines ``v`` once more."""
        match s:
            case Op():
                return self._operation(s)
            case Load():
                array = self.plan.source(s)
                if not self._stable(v, array, s.index) or self._reference(v, array) is None:
                    return None
                return self._sum(1, *s.index)
            case Dim() if isinstance(s.array.type, ArrayT) or self._stable(v, s.array, (), True):
                return self._sum(1, s.array)
            case View():
                return self._sum(1, s.base, *view_atoms(s))
        return None

    def _reference(self, v: Var, array: Var) -> int | None:
        """Cost of having an array to load ``v`` from again.

        A reference assigned outside the loop around the load may be put on a tape: the array stays
        alive, nothing is copied.  (Not for a load next to it, where the array may be large and the
        loads few.)
        """
        cost = self.obtain(array)
        if cost is not None or not isinstance(v.type, Scalar):
            return cost
        root = self.reload.root(array)
        home = self.tree.home[root]
        if home.node.loop is None:  # there as it is; what leads from it to the element is too long
            return None
        if home.node.loop is self.tree.home[v.name].node.loop or not self._many(v, home.node):
            return None
        kept = (
            next((w for w in (*targets(home.stmt), *binders(home.stmt)) if w.name == root), None)
            if home.stmt is not None
            else None
        )
        if kept is None or not isinstance(kept.type, ArrayT):
            return None
        self._failed -= set(self.reload.chain(array))
        self._trial[root] = (kept, "list")
        return self.obtain(array)

    def _many(self, v: Var, outer: Node) -> bool:
        """Whether the loops between are not just a few constant trips."""
        trips = 1
        for node in self.tree.home[v.name].node.loops():
            if node in outer.ancestors():
                break
            s = node.owner
            known = isinstance(s, For) and isinstance(s.start, Const) and isinstance(s.stop, Const)
            if not known:
                return True
            assert isinstance(s, For)
            trips *= abs(int(s.stop.value) - int(s.start.value))  # type: ignore[union-attr]
        return trips >= FEW

    def _operation(self, s: Op) -> int | None:
        cost = PRIMITIVES[s.op].cost
        if is_float(s.target.type):
            return self._sum(cost, *s.args) if cost <= self.cheap // 2 else None
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

    def _stable(self, v: Var, array: Var, index: tuple[Atom, ...], resizing: bool = False) -> bool:
        home = self.tree.home[v.name]
        return self.reload.stable((home.node, home.position), array, index, resizing)

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
