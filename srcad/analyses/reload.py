"""Whether a load can be repeated in the reverse sweep: is its storage overwritten afterwards?

In: the tree and regions of a function, summaries of its calls.  Out: ``Reload.stable(load place,
array)``: no store, accumulation, reservation or writing call to a region of the array can run
after that place, on the same instance of the region.

Invariant: sound.  A region made inside a loop is renewed by each execution of its block if it is
written only there, through the variable that names it and views of that.  (References that
outlive the iteration then see final contents: ``u = step(u)``.)
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from srcad.analyses.effects import Summary
from srcad.analyses.elements import distinct
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.tree import Node, Tree, may_follow
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Call,
    Dim,
    If,
    Load,
    Reserve,
    Store,
    Var,
    View,
)
from srcad.ir.types import ArrayT
from srcad.ir.walk import operands

Place = tuple[Node, int]


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """A statement that touches a region: its place, and the reference's root variable."""

    node: Node
    position: int
    root: str


class Reload:
    """Places of all writes, by region."""

    def __init__(self, tree: Tree, regions: Regions, summaries: dict[str, Summary]) -> None:
        self.tree, self.regions = tree, regions
        self.writes: dict[str, list[Access]] = defaultdict(list)
        self.resizes: dict[str, list[Access]] = defaultdict(list)
        self._own: dict[str, bool] = {}
        self._loads: dict[str, list[Access]] = defaultdict(list)
        self._handed: set[str] = set()
        self._all: dict[str, list[Access]] | None = None
        for node, position, s in tree.walk():
            match s:
                case Store() | Accumulate():
                    self._note(self.writes, regions.of(s.array), s.array, node, position)
                case Reserve():
                    self._note(self.resizes, regions.of(s.array), s.array, node, position)
                case Call():
                    for a, w in zip(s.args, summaries[s.fn].writes, strict=True):
                        if w and isinstance(a, Var):
                            self._note(self.writes, regions.reached(a), a, node, position)
                            self._note(self.resizes, regions.reached(a), a, node, position)

    def _note(self, table: dict[str, list[Access]], regions: frozenset[str], array: Var,
              node: Node, position: int) -> None:
        for r in regions:
            table[r].append(Access(node, position, self.root(array)))

    def stable(self, place: Place, array: Var, resizing: bool = False) -> bool:
        """Whether contents (with ``resizing``: the length) seen at ``place`` are final."""
        table = self.resizes if resizing else self.writes
        return all(self._final(place, array, r, table.get(r, [])) for r in self.regions.of(array))

    def _final(self, place: Place, array: Var, region: str, writes: list[Access]) -> bool:
        return not any(self.follows(place, self.root(array), (w.node, w.position), region)
                       for w in writes)

    def follows(self, first: Place, root: str, second: Place, region: str) -> bool:
        """Whether an access at ``second`` may come after one at ``first``, to one instance.

        ``root`` is the variable that the first access names the region by; ``region`` is
        accessed directly at ``second``, or not at all through its own name.
        """
        home = self.tree.home.get(region)
        if home is None or not self._direct(region):
            return may_follow(first, second)
        made, bound = (home.node, home.position), self.tree.home[root]
        if root != region and not may_follow(made, (bound.node, bound.position), home.node):
            return False  # bound before this execution makes its own, or after it is finished
        return may_follow(first, second, home.node)

    def settled(self, node: Node, position: int, s: Store) -> bool:
        """Whether the element that a store writes keeps that value for good."""
        regions = self.regions.of(s.array)
        if len(regions) != 1:
            return False
        (region,) = regions
        home = self.tree.home.get(region)
        birth = home.node if home is not None and self._direct(region) else None
        others = [w for w in self.writes[region] if (w.node, w.position) != (node, position)]
        return self._final((node, position), s.array, region, others) and distinct(
            self.tree, node, s.array, s.index, birth)

    def first(self, node: Node, position: int, s: Store) -> bool:
        """Whether a store is the first access to its element of a local array."""
        regions = self.regions.of(s.array)
        home = self.tree.home.get(next(iter(regions), ""))
        if len(regions) != 1 or home is None or not isinstance(home.stmt, Alloc) or (
                not isinstance(s.array.type, ArrayT)):
            return False  # parameters and results of operations come with contents
        (region,) = regions
        others = [x for x in self._accesses()[region] if (x.node, x.position) != (node, position)]
        return self._direct(region) and distinct(self.tree, node, s.array, s.index, home.node) and (
            not any(self.follows((x.node, x.position), x.root, (node, position), region)
                    for x in others))

    def last(self, node: Node, position: int, s: Load) -> bool:
        """Whether a load is the last access to its element, and nobody else gets the array.

        Said of one variable and its views: an array that joins, lists, calls or the caller get
        hold of does not count.
        """
        root = self.root(s.array)
        home = self.tree.home[root]
        if home.stmt is None and home.position < 0 or root in self._handed_on():
            return False
        others = [x for x in self._loads[root] if (x.node, x.position) != (node, position)]
        return distinct(self.tree, node, s.array, s.index, home.node) and not any(
            may_follow((node, position), (x.node, x.position), home.node) for x in others)

    def _handed_on(self) -> set[str]:
        """Roots of references that anything but subscripts and views uses."""
        if not self._loads:
            used: list[Atom] = [y for n in self.tree.nodes for y in n.block.yields]
            for node, position, s in self.tree.walk():
                if isinstance(s, (Load, Store, Accumulate)):
                    self._loads[self.root(s.array)].append(Access(node, position, ""))
                    used += [s.value] if isinstance(s, Store) else []
                elif not isinstance(s, (View, Dim, If)):
                    used += operands(s)
            self._handed = {self.root(a) for a in used if is_reference(a) and isinstance(a, Var)}
        return self._handed

    def _accesses(self) -> dict[str, list[Access]]:
        """Everything that reads or writes contents, by region."""
        if self._all is None:
            self._all = defaultdict(list)
            for node, position, s in self.tree.walk():
                match s:
                    case Load() | Store() | Accumulate():
                        touched: tuple[Atom, ...] = (s.array,)
                    case ArrayOp() | Call():
                        touched = s.args
                    case _:
                        continue
                for a in touched:
                    if isinstance(a, Var):
                        self._note(self._all, self.regions.reached(a), a, node, position)
        return self._all

    def _direct(self, region: str) -> bool:
        """Whether a region is only ever written through its own name and views of it."""
        if region not in self._own:
            every = [*self.writes.get(region, ()), *self.resizes.get(region, ())]
            self._own[region] = all(w.root == region for w in every)
        return self._own[region]

    def chain(self, array: Var) -> list[str]:
        """The names of an array and of the arrays it is a view of."""
        found = [array.name]
        while isinstance(s := self.tree.home[found[-1]].stmt, View):
            found.append(s.base.name)
        return found

    def root(self, array: Var) -> str:
        """The variable at the end of the chain of views."""
        return self.chain(array)[-1]
