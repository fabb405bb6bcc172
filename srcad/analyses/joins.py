"""Joins of array references that might as well copy: branches and loops that hand arrays on.

In: the reload analysis of a function.  Out: names of the variables (branch results, carried
arguments and their results) that can be treated as arrays of their own, filled by a copy where
the references meet.  Their shadows then need not move with the references in the forward sweep:
``u = step(u)`` carries its adjoint array backwards, and nothing of it is stored.

Invariant: whatever such a variable may refer to is never written after the join, by any name, so
copying there would not change what the program computes; and the variable is not put into a list
or handed to a join that does depend on identity.
"""

from __future__ import annotations

from srcad.analyses.effects import Summary
from srcad.analyses.regions import is_reference
from srcad.analyses.reload import Reload
from srcad.analyses.tree import Node, may_follow
from srcad.ir.nodes import Atom, Call, For, If, Store, Var, While
from srcad.ir.types import ArrayT, is_float


def by_value(reload: Reload, summaries: dict[str, Summary]) -> set[str]:
    """Names of branch results, carried arguments and loop results that can be copies."""
    return _Joins(reload, summaries).run()


class _Joins:
    def __init__(self, reload: Reload, summaries: dict[str, Summary]) -> None:
        self.reload, self.tree, self.summaries = reload, reload.tree, summaries
        self.joins: list[tuple[list[Var], list[Atom]]] = []  # targets and sources of each

    def run(self) -> set[str]:
        """Candidates whose contents are final, less those whose identity matters."""
        found: set[str] = set()
        for node, position, s in self.tree.walk():
            for targets, sources in _joins(s):
                self.joins.append((targets, sources))
                if self._final(node, position, targets[0]):
                    found.update(v.name for v in targets)
        while lost := found & self._identities(found):
            for targets, _ in self.joins:
                if any(v.name in lost for v in targets):
                    found -= {v.name for v in targets}
        return found

    def _final(self, node: Node, position: int, target: Var) -> bool:
        """Whether nothing that the join may refer to is written afterwards."""
        if not isinstance(target.type, ArrayT) or not is_float(target.type):
            return False
        return all(self._untouched(node, position, q) for q in self.reload.regions.of(target))

    def _untouched(self, node: Node, position: int, region: str) -> bool:
        home = self.tree.home.get(region)
        inner = node.children[position]
        if home is None:
            return False
        made_inside = any(n in inner for n in home.node.ancestors())
        for w in self.reload.writes.get(region, ()):
            if w.root != region:
                return False
            if made_inside:
                continue
            within = inner[0].is_loop and inner[0] in w.node.ancestors()
            if within or may_follow((node, position), (w.node, w.position), home.node):
                return False
        return True

    def _identities(self, found: set[str]) -> set[str]:
        """Roots of references that flow to where identity matters."""
        roots: set[str] = set()

        def note(a: Atom) -> None:
            if is_reference(a):
                roots.add(self.reload.root(a))  # type: ignore[arg-type]

        for targets, sources in self.joins:
            if targets[0].name not in found:
                for a in sources:
                    note(a)
        for _, _, s in self.tree.walk():
            if isinstance(s, Store) and is_reference(s.value):
                note(s.value)
            elif isinstance(s, Call):
                for source in self.summaries[s.fn].results:
                    for k in source.params:
                        note(s.args[k])
        return roots


def _joins(s: object) -> list[tuple[list[Var], list[Atom]]]:
    """Targets and sources of the joins of references that a statement makes."""
    if isinstance(s, If):
        return [
            ([r], [a, b])
            for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True)
            if is_reference(r)
        ]
    if isinstance(s, (For, While)):
        return [
            ([c.arg, c.result], [c.init, y])
            for c, y in zip(s.carried, s.body.yields, strict=True)
            if is_reference(c.arg)
        ]
    return []
