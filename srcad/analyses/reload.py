"""What may be overwritten, and which access to an array element is the first or the last.

In: the tree and regions of a function, summaries of its calls.  Out: ``Reload``, asked by the
reverse sweep:
* ``stable``: is what a statement reads never overwritten afterwards (so it can be read again);
* ``settled``: does the element that a store writes keep that value for good;
* ``first`` / ``last``: is an access the first or last to its element (the last or first to that
  of the shadow, which then need not be cleared, or added to).

Invariant: sound.  A region made inside a loop is renewed by each execution of its block if it is
written only there, through the variable that names it and views of that.  (References that
outlive the iteration then see final contents: ``u = step(u)``.)
"""

from __future__ import annotations

from collections import defaultdict

from srcad.analyses.effects import Summary
from srcad.analyses.elements import Access, touches_again
from srcad.analyses.meetings import Meetings
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
    Stmt,
    Store,
    Var,
    View,
)
from srcad.ir.types import ArrayT
from srcad.ir.walk import operands

Place = tuple[Node, int]


class Reload:
    """Places of all writes, by region."""

    def __init__(
        self,
        tree: Tree,
        regions: Regions,
        summaries: dict[str, Summary],
        unwritten: frozenset[str] = frozenset(),
    ) -> None:
        self.tree, self.regions, self.summaries = tree, regions, summaries
        self.meetings = Meetings(tree)
        self.unwritten = unwritten  # parameters whose writes will be left out
        self.writes: dict[str, list[Access]] = defaultdict(list)
        self.resizes: dict[str, list[Access]] = defaultdict(list)
        self._own: dict[str, bool] = {}
        self._by_root: dict[str, list[Access]] = defaultdict(list)
        self._handed: set[str] = set()
        self._all: dict[str, list[Access]] | None = None
        for node, position, s in tree.walk():
            self._writes(node, position, s)

    def _writes(self, node: Node, position: int, s: Stmt) -> None:
        match s:
            case Store() | Accumulate() if self.root(s.array) not in self.unwritten:
                self._note(self.writes, self.access(node, position, s.array, s.index))
            case Reserve():
                self._note(self.resizes, self.access(node, position, s.array))
            case Call():
                for a, w in zip(s.args, self.summaries[s.fn].writes, strict=True):
                    if w and isinstance(a, Var) and is_reference(a):
                        self._note(self.writes, self.access(node, position, a))
                        self._note(self.resizes, self.access(node, position, a))

    def access(self, node: Node, position: int, array: Var, index: tuple[Atom, ...] = ()) -> Access:
        """A description of a statement's access to an array or list."""
        return Access(node, position, self.root(array), array, index)

    def _note(self, table: dict[str, list[Access]], access: Access) -> None:
        for r in (
            self.regions.reached(access.array)
            if not access.index
            else self.regions.of(access.array)
        ):
            table[r].append(access)

    # questions
    def stable(
        self, place: Place, array: Var, index: tuple[Atom, ...] = (), resizing: bool = False
    ) -> bool:
        """Whether contents (with ``resizing``: the length) seen at ``place`` are final."""
        table, read = self.resizes if resizing else self.writes, self.access(*place, array, index)
        return not any(
            self.follows(read, w, r) for r in self.regions.of(array) for w in table.get(r, ())
        )

    def settled(self, node: Node, position: int, s: Store) -> bool:
        """Whether the element that a store writes keeps that value for good."""
        regions = self.regions.of(s.array)
        if len(regions) != 1 or self.root(s.array) in self.unwritten:
            return False
        write = self.access(node, position, s.array, s.index)
        return not any(self.follows(write, w, r) for r in regions for w in self.writes[r])

    def first(self, node: Node, position: int, s: Store) -> bool:
        """Whether a store is the first access to its element of a local array."""
        regions = self.regions.of(s.array)
        home = self.tree.home.get(next(iter(regions), ""))
        if (
            len(regions) != 1
            or home is None
            or not isinstance(home.stmt, Alloc)
            or (not isinstance(s.array.type, ArrayT))
        ):
            return False  # parameters and results of operations come with contents
        (region,) = regions
        write = self.access(node, position, s.array, s.index)
        return self._direct(region) and not any(
            self.follows(x, write, region) for x in self.accesses()[region]
        )

    def last(self, node: Node, position: int, s: Load) -> bool:
        """Whether a load is the last access to its element, and nobody else gets the array.

        Said of one variable and its views: an array that joins, lists, calls or the caller get
        hold of does not count.
        """
        root = self.root(s.array)
        home = self.tree.home[root]
        if home.stmt is None and home.position < 0 or root in self._handed_on():
            return False
        read = self.access(node, position, s.array, s.index)
        return not any(self.again(read, x, home.node) for x in self._by_root[root])

    # order
    def follows(self, first: Access, second: Access, region: str) -> bool:
        """Whether ``second`` may come after ``first``, to the same element of one instance.

        One of the two names the region directly, or the region is not renewed.
        """
        home = self.tree.home.get(region)
        if home is None or not self._direct(region):
            return self.again(first, second, None)
        made, bound = (home.node, home.position), self.tree.home[first.root]
        if first.root != region and not may_follow(made, (bound.node, bound.position), home.node):
            return False  # bound before this execution makes its own, or after it is finished
        return self.again(first, second, home.node)

    def again(self, first: Access, second: Access, birth: Node | None) -> bool:
        """Whether ``second`` may run after ``first`` and meet an element that it touched."""
        quick = touches_again(self.tree, first, second, birth)
        return quick and self.meetings.again(first, second, birth)

    def _direct(self, region: str) -> bool:
        """Whether a region is only ever written through its own name and views of it."""
        if region not in self._own:
            every = [*self.writes.get(region, ()), *self.resizes.get(region, ())]
            self._own[region] = all(w.root == region for w in every)
        return self._own[region]

    def accesses(self) -> dict[str, list[Access]]:
        """Everything that reads or writes contents, by region."""
        if self._all is None:
            self._all = defaultdict(list)
            for node, position, s in self.tree.walk():
                match s:
                    case Load() | Store() | Accumulate():
                        self._note(self._all, self.access(node, position, s.array, s.index))
                    case ArrayOp() | Call():
                        for a in s.args:
                            if isinstance(a, Var) and is_reference(a):
                                self._note(self._all, self.access(node, position, a))
        return self._all

    def _handed_on(self) -> set[str]:
        """Roots of references that anything but subscripts and views uses."""
        if not self._by_root:
            used: list[Atom] = [y for n in self.tree.nodes for y in n.block.yields]
            for node, position, s in self.tree.walk():
                if isinstance(s, (Load, Store, Accumulate)):
                    access = self.access(node, position, s.array, s.index)
                    self._by_root[access.root].append(access)
                    used += [s.value] if isinstance(s, Store) else []
                elif not isinstance(s, (View, Dim, If)):
                    used += operands(s)
            self._handed = {self.root(a) for a in used if isinstance(a, Var) and is_reference(a)}
        return self._handed

    def chain(self, array: Var) -> list[str]:
        """The names of an array and of the arrays it is a view of."""
        found = [array.name]
        while isinstance(s := self.tree.home[found[-1]].stmt, View):
            found.append(s.base.name)
        return found

    def root(self, array: Var) -> str:
        """The variable at the end of the chain of views."""
        return self.chain(array)[-1]
