"""Two branches on one condition, with nothing between them, are one.

In: verified IR.  Out: the same function in which an ``If`` that follows another on the very same
condition is joined to it; pure statements between them that need nothing of the first stand
before it.  (The reverse sweep asks again what the forward sweep has asked.)

Invariant: each block's statements are executed in their order, on the same paths.  What the first
handed to the second is used directly, so no placeholder stands on the other path.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import B1, F8, ArrayT
>>> b = Builder(Namer())
>>> c, a, y = b.var("c", B1), b.var("a", ArrayT("f8", 1)), b.var("y", F8)
>>> with b.block() as first:
...     x = b.load(a, const(0))
>>> b.if_(c, Block(tuple(first), (x,)), Block((), (const(0.0),)), (y,))
>>> with b.block() as second:
...     b.store(a, (const(1),), y)
>>> b.if_(c, Block(tuple(second)), Block(()))
>>> print(text(run(Function("f", (c, a), Block(tuple(b.stack[0]))))), end="")
def f(c: b1, a: f8[:]C):
    if c -> y: f8:
        t: f8 = a[0]
        a[1] = t
        yield t
    else:
        yield 0.0
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.ir.nodes import Atom, Block, Dim, For, Function, If, Op, Stmt, Var, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import operands, rewrite_block
from srcad.transforms.program import each_function, key


def run(fn: Function) -> Function:
    """The program with such branches joined."""
    return each_function(fn, lambda f: replace(f, body=_block(f.body)))


def _block(b: Block) -> Block:
    out: list[Stmt] = []
    for s in map(_inner, b.stmts):
        at = _partner(out, s)
        if at is None:
            out.append(s)
        else:
            between, first = out[at + 1 :], out[at]
            assert isinstance(first, If) and isinstance(s, If)
            out[at:] = [*between, _joined(first, s)]
    return Block(tuple(out), b.yields)


def _inner(s: Stmt) -> Stmt:
    if isinstance(s, If):
        return replace(s, then=_block(s.then), orelse=_block(s.orelse))
    return replace(s, body=_block(s.body)) if isinstance(s, (For, While)) else s


def _partner(out: list[Stmt], s: Stmt) -> int | None:
    """Where the branch stands that ``s`` may be joined to."""
    if not isinstance(s, If):
        return None
    for at in range(len(out) - 1, -1, -1):
        before = out[at]
        if isinstance(before, If):
            made = {v.name for v in before.results}
            between = [a for t in out[at + 1 :] for a in operands(t)]
            free = not any(isinstance(a, Var) and a.name in made for a in between)
            return at if free and key(before.cond) == key(s.cond) else None
        if not (isinstance(before, Op) or isinstance(before, Dim) and _sized(before)):
            return None
    return None


def _sized(s: Dim) -> bool:
    return isinstance(s.array.type, ArrayT)


def _joined(first: If, second: If) -> If:
    blocks = []
    for a, b in ((first.then, second.then), (first.orelse, second.orelse)):
        known = {r.name: y for r, y in zip(first.results, a.yields, strict=True)}

        def use(x: Atom, known: dict[str, Any] = known) -> Atom:
            return known.get(x.name, x) if isinstance(x, Var) else x

        rest = rewrite_block(b, use, lambda v: v)
        blocks.append(Block((*a.stmts, *rest.stmts), (*a.yields, *rest.yields)))
    return replace(
        first, then=blocks[0], orelse=blocks[1], results=(*first.results, *second.results)
    )
