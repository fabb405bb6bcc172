"""In which loop nests a region's nodes are computed.

In: the nodes of a region in order.  Out: items in order, each a ``Nest`` (elementwise nodes and
reductions over one shape, computed in one pass), a node that is a call, or a loop.  A node joins
the first nest of its shape that comes after everything it reads whole; what it reads at its own
index may be computed in the same nest.  So a chain of operations, its sums, and its derivative
make one pass over memory.

Views (transposes, slices ...) are no items: their elements are those of what they show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcad.tf.spelling import ELEMENTS
from srcad.tf.symbolic import Sym

REDUCTIONS = {"sum", "prod", "max", "min", "amax", "amin", "any", "all"}
VIEWS = {"transpose", "broadcast_to", "getitem", "flip", "unit_reshape"}
LOOKUPS = {"take", "take_at"}  # elementwise, but the first operand is read elsewhere
WIDEST = 60  # nodes in one nest: more arrays than that, and LLVM no longer vectorizes


@dataclass
class Nest:
    """Nodes computed in one pass over the indices of a shape."""

    shape: tuple[int, ...]
    nodes: list[Sym] = field(default_factory=list)


Item = Any


def space_of(n: Sym) -> tuple[int, ...] | None:
    """The shape over which a node is computed; ``None`` if it is no matter of elements."""
    if n.op in ELEMENTS or n.op in LOOKUPS:
        return n.shape
    if n.op in REDUCTIONS:
        return tuple(np.shape(n.args[0]))
    return None


def schedule(nodes: list[Any], used: set[int], kept: set[int]) -> tuple[list[Item], set[int]]:
    """The items, and the ids of elementwise nodes that need an array of their own.

    ``used`` are the ids of nodes that matter, ``kept`` of those that are read outside of the
    region.
    """
    items: list[Item] = []
    place: dict[int, int] = {}  # the item that computes a node
    reads: dict[int, list[tuple[Any, bool]]] = {}
    for n in nodes:
        if not isinstance(n, Sym):  # a loop, a branch, the end
            items.append(n)
            continue
        if id(n) not in used or n.op in VIEWS:
            continue
        space = space_of(n)
        reads[id(n)] = read = list(_reads(n, space))
        if space is None:
            items.append(n)
            place[id(n)] = len(items) - 1
            continue
        earliest = max((_after(x, whole, place) for x, whole in read), default=0)
        place[id(n)] = k = _join(items, space, earliest)
        items[k].nodes.append(n)
    _sink(items, reads, place, kept)
    return items, _whole(items, reads, place)


def _after(x: Any, whole: bool, place: dict[int, int]) -> int:
    """The first item that may compute a reader of ``x``."""
    return place[id(x)] + whole if id(x) in place else 0


def _join(items: list[Item], space: tuple[int, ...], earliest: int) -> int:
    for k in range(earliest, len(items)):
        item = items[k]
        if isinstance(item, Nest) and item.shape == space and len(item.nodes) < WIDEST:
            return k
    items.append(Nest(space))
    return len(items) - 1


def _reads(n: Sym, space: tuple[int, ...] | None) -> Any:
    """Operands behind views, and whether they must be complete before the reader."""
    for k, x in enumerate(n.args):
        if not isinstance(x, Sym):
            continue
        behind = shown(x)
        here = behind is x and space is not None and not (n.op in LOOKUPS and k == 0)
        computed = here and (space_of(x) == space and x.op not in REDUCTIONS)
        yield behind, not (computed and x.shape == space)


def shown(x: Sym) -> Any:
    """What a view shows."""
    while isinstance(x, Sym) and x.op in VIEWS:
        x = x.args[0]
    return x


def _sink(
    items: list[Item],
    reads: dict[int, list[tuple[Any, bool]]],
    place: dict[int, int],
    kept: set[int],
) -> None:
    """Elementwise nodes that one later nest reads, and nobody else, are computed there."""
    order = [n for item in items if isinstance(item, Nest) for n in item.nodes]
    order.sort(key=lambda n: n.serial)
    readers: dict[int, set[int | None]] = {}
    for key, read in reads.items():
        for x, whole in read:
            readers.setdefault(id(x), set()).add(None if whole else key)
    for n in reversed(order):
        keys = readers.get(id(n), {None})
        where = {None if k is None else place[k] for k in keys}
        if n.op in REDUCTIONS or len(where) != 1 or None in where or id(n) in kept:
            continue
        (k,) = where
        if k is not None and k != place[id(n)]:
            items[place[id(n)]].nodes = [x for x in items[place[id(n)]].nodes if x is not n]
            items[k].nodes.append(n)
            place[id(n)] = k
    for item in items:
        if isinstance(item, Nest):
            item.nodes.sort(key=lambda n: n.serial)


def _whole(
    items: list[Item], reads: dict[int, list[tuple[Any, bool]]], place: dict[int, int]
) -> set[int]:
    """Nodes that are read as arrays, or by another item of the region."""
    found = set()
    for item in items:
        for n in item.nodes if isinstance(item, Nest) else [item]:
            for x, whole in reads.get(id(n), []):
                if whole or place.get(id(x)) != place.get(id(n)):
                    found.add(id(x))
    return found
