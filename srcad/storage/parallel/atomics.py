"""Atomic additions, where several threads add to the same elements.

In: a block, the names of the arrays that threads share.  Out: the block in which additions to these
arrays, through views of them too, are atomic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from srcad.ir.nodes import Accumulate, Block, For, If, Stmt, View, While
from srcad.ir.walk import statements


def atomically(b: Block, names: set[str]) -> Block:
    """A block that adds atomically to arrays of these names."""
    if not names:
        return b
    base = bases_of(b)

    def block(x: Block) -> Block:
        return replace(x, stmts=tuple(map(one, x.stmts)))

    def one(s: Stmt) -> Stmt:
        if isinstance(s, Accumulate):
            return replace(s, atomic=base(s.array.name) in names)
        if isinstance(s, If):
            return replace(s, then=block(s.then), orelse=block(s.orelse))
        return replace(s, body=block(s.body)) if isinstance(s, (For, While)) else s

    return block(b)


def bases_of(b: Block) -> Callable[[str], str]:
    """A function from a reference to the array it is a view of, as far as a block tells."""
    views = {s.target.name: s.base.name for s in statements(b) if isinstance(s, View)}

    def base(name: str) -> str:
        while name in views:
            name = views[name]
        return name

    return base
