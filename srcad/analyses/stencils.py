"""Loops of adjoint code that add to the neighbours of an element: what a gather has to know.

In: a function, an innermost loop in it.  Out: a ``Stencil``, if the loop adds to elements at
several constant distances from its counter, and every iteration could as well collect what is
added to one element: what is added is computed from numbers that the loop does not change, or that
only the iteration itself does, after it has read them.

Invariant: the order of sums in adjoint code is open, as in ``analyses.order``; what else the loop
writes (``own``) is at one subscript, another in every iteration.  Limits: straight-line bodies;
subscripts that are the counter plus a constant on one axis, the others not changing; arrays seen
through slices that begin at a constant.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.births import Births
from srcad.ir.bounds import Bounds
from srcad.ir.build import ONE, const
from srcad.ir.nodes import Accumulate, Atom, Const, For, Function, Load, Op, Stmt, Store, Var, View
from srcad.ir.types import I8, ArrayT, is_float
from srcad.ir.walk import statements, targets

Access = Load | Store | Accumulate
Row = tuple[str, int, tuple[Atom, ...]]
WIDE = 8  # distance between the first and the last neighbour, at most


@dataclass(frozen=True)
class Place:
    """An element: an array, the axis that the counter moves along, how far from it, the rest."""

    array: Var
    axis: int
    offset: int
    rest: tuple[Atom, ...]

    @property
    def row(self) -> Row:
        """What the places of one row have in common."""
        return self.array.name, self.axis, self.rest


@dataclass(frozen=True)
class Part:
    """A write to a neighbour."""

    stmt: Store | Accumulate
    place: Place


@dataclass
class Stencil:
    """A loop that may become a gather: its writes to neighbours, and the statements it is made of.

    ``offsets`` maps the name of an integer to its distance from the counter.
    """

    loop: For
    made: dict[str, Stmt]
    offsets: dict[str, int]
    parts: list[Part] = field(default_factory=list)

    @property
    def low(self) -> int:
        """The least distance."""
        return min(p.place.offset for p in self.parts)

    @property
    def high(self) -> int:
        """The greatest distance."""
        return max(p.place.offset for p in self.parts)


class Stencils:
    """The loops of one function."""

    def __init__(self, fn: Function, distinct: bool = False) -> None:
        """``distinct``: array parameters are known not to overlap where one is written."""
        self.aliases, self.bounds, self.births = Aliases(fn, distinct), Bounds(fn), Births(fn)
        self.views = {s.target.name: s for s in statements(fn.body) if isinstance(s, View)}

    def of(self, s: For) -> Stencil | None:
        """What a loop is, ``None`` if it has to stay."""
        if s.breaks or s.parallel or s.step not in (ONE, const(-1)) or s.keep is not None:
            return None
        body = s.body.stmts
        if not all(isinstance(t, (Op, Load, Store, Accumulate)) for t in body):
            return None
        if sum(isinstance(t, (Store, Accumulate)) for t in body) < 2:
            return None
        if any(isinstance(t, Load) and is_reference(t.target) for t in body):
            return None
        return _Reading(self, s).stencil()


class _Reading:
    """One loop."""

    def __init__(self, fn: Stencils, s: For) -> None:
        self.fn, self.loop = fn, s
        self.offsets = {s.index.name: 0}
        self.bound = {s.index.name, *(c.arg.name for c in s.carried)}
        for t in s.body.stmts:
            self.bound |= {v.name for v in targets(t)}
            if isinstance(t, Op):
                self.sum(t)
        self.accesses: dict[str, list[Access]] = defaultdict(list)
        for t in s.body.stmts:
            if isinstance(t, (Load, Store, Accumulate)):
                self.accesses[fn.aliases.root(t.array)].append(t)
        for root in list(self.accesses):
            self.part(root)

    def part(self, root: str) -> None:
        """Take those arrays out of a class of storage that cannot be any other one of it here."""
        arrays = {t.array.name: t.array for t in self.accesses[root]}
        for name, v in list(arrays.items()):
            others = (w for other, w in arrays.items() if other != name)
            if len(arrays) > 1 and all(self.fn.births.apart(v, w) for w in others):
                mine = [t for t in self.accesses[root] if t.array == v]
                self.accesses[root] = [t for t in self.accesses[root] if t.array != v]
                self.accesses[f"{root}: {name}"] = mine
                del arrays[name]

    def sum(self, t: Op) -> None:
        """Note an integer that is the counter plus a constant."""
        if t.target.type != I8 or t.op not in ("add", "sub"):
            return
        x, y = t.args
        if t.op == "add" and isinstance(x, Const):
            x, y = y, x
        if isinstance(x, Var) and x.name in self.offsets and isinstance(y, Const):
            step = int(y.value) if t.op == "add" else -int(y.value)
            self.offsets[t.target.name] = self.offsets[x.name] + step

    def stencil(self) -> Stencil | None:
        """The loop as a stencil."""
        made: dict[str, Stmt] = {t.target.name: t for t in self.loop.body.stmts if _makes(t)}  # type: ignore[union-attr]
        found = Stencil(self.loop, made, self.offsets)
        for group in self.accesses.values():
            if all(isinstance(t, Load) for t in group):
                continue
            parts = self.neighbours(group)
            if parts is None and not self.own(group):
                return None
            found.parts += parts or []
        rows: dict[object, set[int]] = defaultdict(set)
        for p in found.parts:
            rows[p.place.row].add(p.place.offset)
        several = any(len(offsets) > 1 for offsets in rows.values())
        return found if several and found.high - found.low <= WIDE else None

    def place(self, t: Access) -> Place | None:
        """The element that an access goes to."""
        array, index = t.array, list(t.index)
        shifts = [0] * len(index)
        while array.name in self.fn.views:
            through = self.through(self.fn.views[array.name], index, shifts)
            if through is None:
                break
            array, index, shifts = through
        if array.name in self.bound or not isinstance(array.type, ArrayT):
            return None
        moving = [k for k, a in enumerate(index) if isinstance(a, Var) and a.name in self.bound]
        if len(moving) != 1 or any(n for k, n in enumerate(shifts) if k not in moving):
            return None
        (axis,) = moving
        a = index[axis]
        if not isinstance(a, Var) or a.name not in self.offsets:
            return None
        rest = tuple(index[:axis] + index[axis + 1 :])
        return Place(array, axis, self.offsets[a.name] + shifts[axis], rest)

    def through(
        self, s: View, index: list[Atom], shifts: list[int]
    ) -> tuple[Var, list[Atom], list[int]] | None:
        """An element of a view as one of its base; ``None`` where that is not simple."""
        if s.kind != "index":
            return (s.base, index, shifts) if s.kind == "same" else None
        rest, found, moved = list(zip(index, shifts, strict=True)), list[Atom](), list[int]()
        for item in s.spec:
            if item[0] == "at":
                found.append(item[1])
                moved.append(0)
            elif item[0] == "slice" and item[3] is None:
                start = const(0) if item[1] is None else item[1]
                a, by = rest.pop(0)
                if not isinstance(start, Const) or start.value < 0 or not self.positive(a):
                    return None
                found.append(a)
                moved.append(by + int(start.value))
            else:
                return None
        found += [a for a, _ in rest]
        moved += [by for _, by in rest]
        return s.base, found, moved

    def positive(self, a: Atom) -> bool:
        """Whether a subscript cannot count from the end."""
        low = self.fn.bounds.lower(a)
        return low is not None and low >= 0

    def neighbours(self, group: list[Access]) -> list[Part] | None:
        """The writes to one class of storage, if they only add, or fill what is then added to."""
        parts: list[Part] = []
        for t in group:
            adjoint = t.loc is not None and t.loc.role == "adjoint"
            place = self.place(t)
            if isinstance(t, Load) or place is None or not adjoint:
                return None
            if not is_float(place.array.type) or isinstance(t, Accumulate) and t.atomic:
                return None
            parts.append(Part(t, place))
        return parts if self.begun(parts) else None

    def begun(self, parts: list[Part]) -> bool:
        """Whether a plain store, if there is one, is the first write to its element."""
        stores = [p for p in parts if isinstance(p.stmt, Store)]
        if not stores:
            return True
        first = min if self.loop.step != ONE else max
        offset = first(p.place.offset for p in parts)
        at = [p for p in parts if p.place.offset == offset]
        one = len(stores) == 1 and at[0] is stores[0]
        plain = all(self.positive(a) for p in parts for a in p.stmt.index)
        return one and plain and len({p.place.row for p in parts}) == 1

    def own(self, group: list[Access]) -> bool:
        """Whether an iteration touches one element of its own, and reads it before it writes."""
        places = [self.place(t) for t in group]
        kinds = [isinstance(t, Load) for t in group]
        one = None not in places and len(set(places)) == 1
        plain = all(self.positive(a) for t in group for a in t.index)
        return one and plain and kinds == sorted(kinds, reverse=True)


def _makes(t: Stmt) -> bool:
    return isinstance(t, (Op, Load))
