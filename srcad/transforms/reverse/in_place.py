"""Sweeps in place that read only what was there before: they could as well read from a copy.

In: the tree and regions of a function, a loop.  Out: ``reads_old``: whether every element that the
loop reads of an array still has the value from before the loop (``u[i]`` is stored after ``u[i]``
and ``u[i + 1]`` are read, upwards); ``carried_element``: which old element a number is that the
loop hands from one iteration to the next (``left = u[i]``).

Invariant: sound; both see no more than loops of step one or minus one over an array with one axis,
subscripts that are the counter plus a constant, never from the end, accesses directly in the body.
"""

from __future__ import annotations

from dataclasses import dataclass

from srcad.analyses.elements import subscript
from srcad.analyses.regions import Regions
from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Call,
    Const,
    For,
    Load,
    Op,
    Reserve,
    Store,
    Var,
    View,
)
from srcad.ir.types import ArrayT
from srcad.ir.walk import blocks, operands, statements

Access = Load | Store | Accumulate


@dataclass(frozen=True)
class Element:
    """A carried number: that of ``array`` at the counter plus ``offset``."""

    load: Load
    offset: int


def reads_old(tree: Tree, regions: Regions, loop: Node, array: Var) -> bool:
    """Whether the loop reads of an array only what it held before the loop."""
    s = loop.owner
    if not isinstance(s, For) or s.breaks or s.parallel or not _one(s):
        return False
    if not isinstance(array.type, ArrayT) or array.type.ndim != 1:
        return False
    own, found = regions.of(array), list[tuple[int, bool]]()
    direct = {id(t) for t in s.body.stmts}
    for t in statements(s.body):
        if isinstance(t, (Call, View, ArrayOp, Reserve)):
            used = [a for a in operands(t) if isinstance(a, Var) and isinstance(a.type, ArrayT)]
            if isinstance(t, Call) or any(regions.of(a) & own for a in used):
                return False
        elif isinstance(t, (Load, Store, Accumulate)) and regions.of(t.array) & own:
            at = _offset(tree, s, t.index[0]) if t.array == array and id(t) in direct else None
            if at is None:
                return False
            found.append((at, isinstance(t, Load)))
    up = s.step.value > 0  # type: ignore[union-attr]
    for k, (at, loads) in enumerate(found):
        for earlier, other in enumerate(found):
            if loads and not other[1]:  # a write, maybe before this load
                ahead = at > other[0] if up else at < other[0]
                if not ahead and not (at == other[0] and k < earlier):
                    return False
    return any(loads for _, loads in found)


def carried_element(tree: Tree, regions: Regions, v: Var) -> Element | None:
    """The element that a carried number is, if it is that of one array in all iterations."""
    home = tree.home[v.name]
    s = home.stmt
    if not isinstance(s, For) or home.position >= 0 or not _one(s):
        return None
    k = next((k for k, c in enumerate(s.carried) if c.arg == v), None)
    if k is None:
        return None
    last, first = s.body.yields[k], s.carried[k].init
    load, begin = _load(tree, last), _load(tree, first)
    if load is None or begin is None or load.array != begin.array or len(load.index) != 1:
        return None
    at = _offset(tree, s, load.index[0])
    if tree.home[load.target.name].node is not home.node or at is None:
        return None
    offset = at - int(s.step.value)  # type: ignore[union-attr]
    (base, start), (other, first_at) = _sum(tree, s.start), _sum(tree, begin.index[0])
    if base != other or first_at != start + offset:
        return None
    if offset < at and (base is not None or first_at < 0):  # it may count from the end
        return None
    return Element(load, offset) if _untouched(tree, regions, begin, home.node) else None


def _one(s: For) -> bool:
    return isinstance(s.step, Const) and abs(s.step.value) == 1


def _load(tree: Tree, a: Atom) -> Load | None:
    """The load that a number comes from."""
    s = tree.home[a.name].stmt if isinstance(a, Var) else None
    return s if isinstance(s, Load) else None


def _offset(tree: Tree, s: For, a: Atom) -> int | None:
    """How far a subscript is from the counter, where it cannot be from the end."""
    found = subscript(tree, a)
    if found is None or found.index != s.index.name or found.factor != 1:
        return None
    return found.offset


def _sum(tree: Tree, a: Atom) -> tuple[Var | None, int]:
    """An integer as a variable (or none) plus a constant."""
    total = 0
    while isinstance(a, Var):
        s = tree.home[a.name].stmt
        if not isinstance(s, Op) or s.op not in ("add", "sub") or not isinstance(s.args[1], Const):
            return a, total
        total += int(s.args[1].value) if s.op == "add" else -int(s.args[1].value)
        a = s.args[0]
    return None, total + int(a.value)


def _untouched(tree: Tree, regions: Regions, begin: Load, loop: Node) -> bool:
    """Whether an array keeps its contents from a load to a loop in the same block."""
    home = tree.home[begin.target.name]
    if home.node is not loop.parent or home.position > loop.position:
        return False
    own = regions.of(begin.array)
    for t in home.node.block.stmts[home.position : loop.position]:
        for u in (t, *(x for b in blocks(t) for x in statements(b))):
            writes = isinstance(u, (Store, Accumulate, Reserve)) and regions.of(u.array) & own
            if isinstance(u, Call) or writes:
                return False
    return True
