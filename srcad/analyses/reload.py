"""Whether a load can be repeated in the reverse sweep: is its storage overwritten afterwards?

In: the tree and regions of a function, summaries of its calls.  Out: ``Reload.stable(load place,
array)``: no store, accumulation, reservation or writing call to a region of the array can run
after that place, on the same instance of the region.

Invariant: sound.  A region made inside a loop is renewed by each iteration only if its references
never meet others (a carried reference outlives its iteration).
"""

from __future__ import annotations

from collections import defaultdict

from srcad.analyses.effects import Summary
from srcad.analyses.regions import Regions
from srcad.analyses.tree import Node, Tree, may_follow
from srcad.ir.nodes import Accumulate, Call, Reserve, Store, Var

Place = tuple[Node, int]


class Reload:
    """Places of all writes, by region."""

    def __init__(self, tree: Tree, regions: Regions, summaries: dict[str, Summary]) -> None:
        self.tree, self.regions = tree, regions
        self.writes: dict[str, list[Place]] = defaultdict(list)
        self.resizes: dict[str, list[Place]] = defaultdict(list)
        for node, position, s in tree.walk():
            match s:
                case Store() | Accumulate():
                    self._note(self.writes, regions.of(s.array), (node, position))
                case Reserve():
                    self._note(self.resizes, regions.of(s.array), (node, position))
                case Call():
                    for a, w in zip(s.args, summaries[s.fn].writes, strict=True):
                        if w:
                            self._note(self.writes, regions.reached(a), (node, position))
                            self._note(self.resizes, regions.reached(a), (node, position))

    @staticmethod
    def _note(table: dict[str, list[Place]], regions: frozenset[str], place: Place) -> None:
        for r in regions:
            table[r].append(place)

    def stable(self, place: Place, array: Var, resizing: bool = False) -> bool:
        """Whether contents (with ``resizing``: the length) seen at ``place`` are final."""
        table = self.resizes if resizing else self.writes
        return not any(may_follow(place, write, self._birth(r))
                       for r in self.regions.of(array) for write in table.get(r, ()))

    def _birth(self, region: str) -> Node | None:
        if region in self.regions.meeting:
            return None
        home = self.tree.home.get(region)
        return home.node if home is not None else None
