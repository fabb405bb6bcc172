"""Whether one statement can touch the same element of an array twice.

In: the tree of a function, a subscripted statement.  Out: ``distinct``: the subscripts are
different in any two executions of the statement within one execution of a given block.

Invariant: sound, including Python's negative subscripts (``a[-1]`` is ``a[n - 1]``): every loop in
between needs a subscript of its own that grows with its index and is never negative.
Limits: subscripts are the loop's index times a constant plus a constant.
"""

from __future__ import annotations

from dataclasses import dataclass

from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import Atom, Const, For, Op, Var, View
from srcad.ir.types import I8


@dataclass(frozen=True, slots=True)
class Affine:
    """``factor * index + offset``."""

    index: str
    factor: int
    offset: int


def affine(tree: Tree, a: Atom, depth: int = 20) -> Affine | None:
    """An integer as a formula of one loop index, if it is one."""
    if not isinstance(a, Var) or a.type != I8 or not depth:
        return None
    s = tree.home[a.name].stmt
    if isinstance(s, For) and s.index.name == a.name:
        return Affine(a.name, 1, 0)
    if not isinstance(s, Op) or s.op not in ("add", "sub", "mul"):
        return None
    x, y = s.args
    if isinstance(x, Const) and s.op != "sub":
        x, y = y, x
    inner = affine(tree, x, depth - 1)
    if inner is None or not isinstance(y, Const) or y.type != I8:
        return None
    k = int(y.value)
    if s.op == "mul":
        return Affine(inner.index, inner.factor * k, inner.offset * k)
    return Affine(inner.index, inner.factor, inner.offset + (k if s.op == "add" else -k))


def least(s: For) -> int | None:
    """The smallest value that a loop's index can have, if known."""
    if not isinstance(s.step, Const) or not s.step.value:
        return None
    end = s.start if s.step.value > 0 else s.stop
    if not isinstance(end, Const):
        return None
    return int(end.value) + (0 if s.step.value > 0 else 1)


def subscripts(tree: Tree, array: Var, index: tuple[Atom, ...],
               fixed: set[Node]) -> tuple[Atom, ...]:
    """Subscripts of an element in terms of a reference that does not change.

    Views made in a block not in ``fixed`` (inside the loops in question) are resolved where they
    only fix positions along axes; others end the search, with no subscripts.
    """
    while isinstance(s := tree.home[array.name].stmt, View) and (
            tree.home[array.name].node not in fixed):
        if s.kind == "index" and all(item[0] == "at" or item == ("slice", None, None, None)
                                     for item in s.spec):
            rest = list(index)
            index = tuple(item[1] if item[0] == "at" else rest.pop(0) for item in s.spec)
            index += tuple(rest)
        elif s.kind != "same":
            return ()
        array = s.base
    return index if tree.home[array.name].node in fixed else ()


def distinct(tree: Tree, place: Node, array: Var, index: tuple[Atom, ...],
             birth: Node | None) -> bool:
    """Whether the element differs in all executions within one execution of ``birth``."""
    fixed = set((birth or tree.root).ancestors())
    between = [n for n in place.loops() if n not in fixed]
    found = [affine(tree, a) for a in subscripts(tree, array, index, fixed)]
    for node in between:
        s = node.owner
        if not isinstance(s, For):
            return False
        low = least(s)
        fits = [f for f in found if f is not None and f.index == s.index.name and f.factor > 0]
        if low is None or not any(f.factor * low + f.offset >= 0 for f in fits):
            return False
    return True
