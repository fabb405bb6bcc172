"""Out of single assignment: which IR variables share one Python variable, and its name.

In: a function and its ``Liveness``.  Out: ``Names``: ``cell(v)`` is the representative of the
class of a variable, ``name(cell)`` its Python name (chosen when first asked for, in the order
of printing).

Classes are made by union of affine variables (the initial value, the argument, the yielded
value and the result of a carried value; the result of an ``If`` and its branches' values) of
equal type whose live ranges do not meet; innermost loops first.  Unrelated values never share a
name, even if the user gave them the same one: Numba compiles unique names faster.  Only loop
variables of disjoint loops do, for the reader's sake.
"""

from __future__ import annotations

import builtins
import re
from collections import Counter

from srcad.backends.liveness import Interval, Liveness
from srcad.ir.names import Namer
from srcad.ir.nodes import For, Function, Var, While
from srcad.ir.walk import statements, variables

# global names that printed code uses; a parameter called like one is renamed
SPOKEN = {"np", "math", "numba", "cuda"} | set(dir(builtins)) - {
    "hash",
    "id",
    "input",
    "iter",
    "next",
    "sum",
    "type",
    "vars",
}


class Names:
    """Classes of variables and their Python names."""

    def __init__(self, fn: Function, live: Liveness, taken: set[str]) -> None:
        self.live = live
        self.parent: dict[str, str] = {}
        self.intervals: dict[str, list[Interval]] = {}
        self.members: dict[str, list[Var]] = {}
        self.chosen: dict[str, str] = {}
        self.loop_names: dict[str, list[tuple[Interval, str]]] = {}
        self.namer = Namer(taken | {p.name for p in fn.params})
        used = taken | SPOKEN
        self.params = {p.name: self.fresh(p.name) if p.name in used else p.name for p in fn.params}
        for v in variables(fn):
            self.parent[v.name] = v.name
            self.intervals[v.name] = sorted(live.intervals.get(v.name, []))
            self.members[v.name] = [v]
        self._coalesce(fn)

    # classes
    def cell(self, v: Var | str) -> str:
        """The representative of a variable's class."""
        name = v if isinstance(v, str) else v.name
        while self.parent[name] != name:
            self.parent[name] = self.parent[self.parent[name]]
            name = self.parent[name]
        return name

    def alone(self, v: Var) -> bool:
        """Whether a variable shares its name with no other value."""
        return len(self.members[self.cell(v)]) == 1

    def _coalesce(self, fn: Function) -> None:
        for s in statements(fn.body):
            if isinstance(s, (For, While)):
                for c in s.carried:
                    self._merge(self.cell(c.arg), self.cell(c.result))
        for _, _, a, b in sorted(self.live.affinities, key=lambda x: x[:2]):
            one, two = self.cell(a), self.cell(b)
            if one != two and not _meet(self.intervals[one], self.intervals[two]):
                self._merge(one, two)

    def _merge(self, keep: str, other: str) -> None:
        self.parent[other] = keep
        self.intervals[keep] = sorted(self.intervals[keep] + self.intervals.pop(other))
        self.members[keep] += self.members.pop(other)

    # names
    def name(self, v: Var | str) -> str:
        """The Python name of a variable's class."""
        cell = self.cell(v)
        if cell not in self.chosen:
            self.chosen[cell] = self._choose(cell)
        return self.chosen[cell]

    def fresh(self, wish: str) -> str:
        """A name for something that is no IR variable."""
        return self.namer.fresh(identifier(wish))

    def _choose(self, cell: str) -> str:
        members = self.members[cell]
        for v in members:
            if v.name in self.params:
                return self.params[v.name]
        if len(members) == 1 and cell in self.live.spans:
            return self._loop_name(members[0], self.live.spans[cell])
        hints = Counter(v.hint or v.name for v in members)
        return self.fresh(hints.most_common(1)[0][0])

    def _loop_name(self, v: Var, span: Interval) -> str:
        """A loop variable takes the name of one of the same wish whose loop is disjoint."""
        wish = identifier(v.hint or v.name)
        known = self.loop_names.setdefault(wish, [])
        for name in dict.fromkeys(n for _, n in known):
            if not any(n == name and _meet([s], [span]) for s, n in known):
                known.append((span, name))
                return name
        known.append((span, self.namer.fresh(wish)))
        return known[-1][1]


def identifier(wish: str) -> str:
    """The nearest legal name."""
    name = re.sub(r"\W", "_", wish)
    return name if name.isidentifier() else "v_" + name


def _meet(a: list[Interval], b: list[Interval]) -> bool:
    """Whether two sorted lists of closed intervals have a point in common."""
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i][1] < b[j][0]:
            i += 1
        elif b[j][1] < a[i][0]:
            j += 1
        else:
            return True
    return False
