"""Arrays that always hold the same numbers become one.

In: a function.  Out: the same function where an array that is stored to exactly where another one
of the same shape and type is, at the same position, the same value, is that other one (the adjoint
of ``k2[i] + k3[i]`` is stored in ``k2_b`` and ``k3_b``).

Invariant: the same values: nothing is read between the two stores.  Limits: arrays touched element
by element, never added to, whose stores stand side by side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Block,
    For,
    Function,
    If,
    Load,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.walk import rewrite
from srcad.transforms.program import key
from srcad.transforms.separate import alone


@dataclass
class _Stores:
    """The stores to an array: what and where, and their places in the blocks."""

    what: list[Hashable] = field(default_factory=list)
    places: list[tuple[Node, int]] = field(default_factory=list)
    added: bool = False


def united(fn: Function) -> Function:
    """``fn`` with one array for each group of equal ones."""
    tree = Tree(fn)
    made = alone(tree)
    stores: dict[str, _Stores] = defaultdict(_Stores)
    for node, position, s in tree.walk():
        if isinstance(s, (Store, Accumulate)) and s.array.name in made:
            found = stores[s.array.name]
            found.added |= isinstance(s, Accumulate)
            found.what.append((id(node), tuple(map(key, s.index)), key(s.value)))
            found.places.append((node, position))
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for name, x in stores.items():
        s = made[name]
        if not x.added:
            shape = tuple(map(key, s.shape))
            groups[tree.home[name].node, s.target.type, s.zero, shape, tuple(x.what)].append(name)
    stands: dict[str, Var] = {}
    for first, *others in groups.values():
        for name in others:
            if _side_by_side(stores[first], stores[name], {first, name}):
                stands[name] = made[first].target
    return replace(fn, body=_without(fn.body, stands)) if stands else fn


def _side_by_side(a: _Stores, b: _Stores, names: set[str]) -> bool:
    """Whether neither array is read between two stores that belong together."""
    for (node, k), (_, j) in zip(a.places, b.places, strict=True):
        between = node.block.stmts[min(k, j) + 1 : max(k, j)]
        if any(isinstance(s, (If, For, While)) for s in between):
            return False
        if any(isinstance(s, Load) and s.array.name in names for s in between):
            return False
    return True


def _without(b: Block, stands: dict[str, Var]) -> Block:
    """A block without these arrays."""

    def use(a: object) -> object:
        return stands.get(a.name, a) if isinstance(a, Var) else a

    out: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, Store) and s.array.name in stands:
            continue
        if isinstance(s, Alloc) and s.target.name in stands:
            continue
        if isinstance(s, If):
            s = replace(s, then=_without(s.then, stands), orelse=_without(s.orelse, stands))
        elif isinstance(s, (For, While)):
            s = replace(s, body=_without(s.body, stands))
        else:
            s = rewrite(s, use, lambda v: v)  # type: ignore[arg-type]
        out.append(s)
    return Block(tuple(out), b.yields)
