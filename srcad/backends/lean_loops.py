"""Which loops of a function over ``range`` need no objects, read off Numba's IR.

In: the blocks of a function as Numba lowers them.  Out (``plain_loops``): the variables that hold a
range, an iterator of one, or what ``iternext`` gives (a pair), where each is assigned once and used
for nothing but the loop.  ``backends.lean`` keeps their parts in numbers.

Invariant: a range and its iterator are made in one block, a pair is taken apart in the block of its
``iternext``; so where a part is used, what it was made of has been computed.  Other loops are left
to Numba.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from numba.core import ir, types

LINKS = {"getiter", "iternext", "pair_first", "pair_second"}  # what a loop does with these objects


@dataclass
class Loops:
    """Names of the variables."""

    ranges: set[str] = field(default_factory=set)
    iterators: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)

    def __contains__(self, name: str) -> bool:
        return name in self.ranges or name in self.iterators or name in self.pairs


def plain_loops(blocks: Mapping[int, Any], typemap: dict[str, Any]) -> Loops:
    """The loops that need no objects."""
    assigned: Counter[str] = Counter()
    uses: dict[str, list[tuple[int, Any]]] = {}
    where: dict[str, int] = {}
    strange: set[str] = set()
    for label, name, value, names in statements(blocks):
        if name is not None:
            assigned[name] += 1
            where[name] = label
        link = source(value)
        if link is not None:
            uses.setdefault(link, []).append((label, (name, value)))
        else:
            strange.update(names)
    loops = Loops()
    for name, kind in typemap.items():
        if isinstance(kind, types.RangeType) and kind.dtype == types.int64:
            follow(name, loops, assigned, uses, where, strange)
    return loops


def source(value: Any) -> str | None:
    """The variable that a copy or a step of a loop takes."""
    if isinstance(value, ir.Expr) and value.op in LINKS:
        value = value.value
    return str(value.name) if isinstance(value, ir.Var) else None


def statements(blocks: Mapping[int, Any]) -> Iterator[tuple[int, str | None, Any, list[str]]]:
    """Block, assigned variable, value and used variables of the statements."""
    for label, block in blocks.items():
        for s in block.body:
            if isinstance(s, ir.Assign):
                value = s.value
                if isinstance(value, ir.Expr):
                    names = [v.name for v in value.list_vars()]
                else:
                    names = [value.name] if isinstance(value, ir.Var) else []
                yield label, s.target.name, value, names
            elif not isinstance(s, ir.Del):
                yield label, None, None, [v.name for v in s.list_vars()]


def follow(
    name: str,
    loops: Loops,
    assigned: Counter[str],
    uses: dict[str, list[tuple[int, Any]]],
    where: dict[str, int],
    strange: set[str],
) -> None:
    """Add a range and what is made of it, if that is nothing but one loop."""
    iterators: list[str] = []
    pairs: list[str] = []

    def once(x: str) -> bool:
        return assigned[x] == 1 and x not in strange and bool(uses.get(x))

    if not once(name) or len(uses[name]) != 1:
        return
    ((label, (target, value)),) = uses[name]
    if not isinstance(value, ir.Expr) or value.op != "getiter" or label != where[name]:
        return
    todo = [target]
    while todo:
        x = todo.pop()
        if not once(x):
            return
        iterators.append(x)
        for label, (target, value) in uses[x]:
            if isinstance(value, ir.Var):
                todo.append(target)
            elif value.op != "iternext" or not once(target):
                return
            else:
                pairs.append(target)
                if any(at != label or not pair_use(v) for at, (_, v) in uses[target]):
                    return
    loops.ranges.add(name)
    loops.iterators.update(iterators)
    loops.pairs.update(pairs)


def pair_use(value: Any) -> bool:
    """Whether this takes a pair apart."""
    return isinstance(value, ir.Expr) and value.op in ("pair_first", "pair_second")
