"""Scratch arrays are made where they are filled: in the iteration of the loop, not before it.

In: a function, the arrays in question.  Out: the same function where an array that each iteration
of a loop fills before it reads of it (``old[:] = u`` at the beginning of a step) is allocated in
the iteration, with the names of the arrays that were moved; or ``None`` where none is like that.
What one iteration wrote is then not overwritten by the next one: the reverse sweep, which would
have needed a copy of the array for each iteration, keeps the array itself (privatisation: Tu and
Padua, "Automatic Array Privatization", LCPC 1993).  ``storage.reuse`` is the way back, for the
arrays of which nothing is kept.

Invariant: every load sees what it saw.  Each iteration writes what it reads before it does
(``fusion.private``), and nothing outside of the loop touches the array.
Limits: arrays touched element by element under one name, sizes known not to be negative (a loop of
no trips must not hide an error); nothing parallel.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 1))
>>> n = b.dim(x, 0)
>>> old = b.alloc(ArrayT("f8", 1), (n,), False, "old")
>>> with b.loop(const(0), const(5), hint="t"):
...     with b.loop(const(0), n) as i:
...         b.store(old, (i,), b.load(x, i))
...     b.accumulate(x, (const(0),), b.load(old, const(1)))
>>> fn, moved = inward(Function("f", (x,), Block(tuple(b.stack[0]))), {"old"})
>>> print("".join(text(fn).splitlines(True)[2:5]), end="")
    for t in range(0, 5, 1):
        old: f8[:]C = empty(n)
        for i in range(0, n, 1):
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from srcad.analyses.tree import Node, Tree
from srcad.ir.bounds import Bounds
from srcad.ir.nodes import Alloc, Block, Dim, For, Function, If, Stmt, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import operands
from srcad.transforms.fusion.private import is_private
from srcad.transforms.separate import alone


def inward(fn: Function, arrays: Collection[str]) -> tuple[Function, set[str]] | None:
    """The function with such arrays made in the innermost loops where they can be."""
    tree = Tree(fn)
    made = {name: s for name, s in alone(tree).items() if name in arrays}
    if not made:
        return None
    nodes: dict[str, list[Node]] = {name: [] for name in made}
    for node, _, s in tree.walk():
        for a in operands(s):
            if (name := getattr(a, "name", "")) in nodes:
                nodes[name].append(node)
            if isinstance(s, Dim) and name in made:
                nodes[name].append(tree.root)  # the size may be asked for anywhere
    bounds = Bounds(fn)
    target: dict[int, list[Alloc]] = {}
    moved: set[str] = set()
    for name, s in made.items():
        loop = _innermost(tree, s, nodes[name]) if _sized(s, bounds) else None
        if loop is not None:
            target.setdefault(id(loop.owner), []).append(s)
            moved.add(name)
    return (replace(fn, body=_moved(fn.body, moved, target)), moved) if moved else None


def _sized(s: Alloc, bounds: Bounds) -> bool:
    """Whether an array has a size that cannot be negative."""
    lows = [bounds.lower(n) for n in s.shape]
    return isinstance(s.target.type, ArrayT) and all(n is not None and n >= 0 for n in lows)


def _innermost(tree: Tree, s: Alloc, touched: list[Node]) -> Node | None:
    """The innermost loop all of whose iterations could have an array of their own."""
    home = tree.home[s.target.name].node
    if not touched:
        return None
    shared = touched[0].path()
    for node in touched[1:]:
        shared = [n for n, m in zip(shared, node.path(), strict=False) if n is m]
    best: Node | None = None
    for node in shared[len(home.path()) :]:
        owner = node.owner
        if isinstance(owner, For) and owner.parallel or not is_private(node.block, s):
            break
        best = node if node.is_loop else best
    return best


def _moved(b: Block, moved: set[str], target: dict[int, list[Alloc]]) -> Block:
    out: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, Alloc) and s.target.name in moved:
            continue
        if isinstance(s, If):
            then, orelse = (_moved(x, moved, target) for x in (s.then, s.orelse))
            out.append(replace(s, then=then, orelse=orelse))
        elif isinstance(s, (For, While)):
            body = _moved(s.body, moved, target)
            new = (replace(a, zero=False) for a in target.get(id(s), ()))
            out.append(replace(s, body=replace(body, stmts=(*new, *body.stmts))))
        else:
            out.append(s)
    return Block(tuple(out), b.yields)
