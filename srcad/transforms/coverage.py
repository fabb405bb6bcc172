"""Which sides of its branches a run takes.

In: a function.  Out: the same function whose last result is an array of counts, two for every
``if`` (taken, not taken), and the places of these.  Called functions that are not expanded are
left out.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.build import ONE, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, For, Function, If, Loc, Stmt, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import statements, variables

COUNTS = ArrayT("i8", 1, "C")


def branches(fn: Function) -> list[Loc | None]:
    """The places of the branches, in the order of their counts."""
    return [s.loc for s in statements(fn.body) if isinstance(s, If)]


def covered(fn: Function) -> Function:
    """``fn`` with the counts as its last result."""
    b = Builder(Namer(v.name for v in variables(fn)))
    counts = b.alloc(COUNTS, (const(2 * len(branches(fn))),), hint="counts")
    opening = tuple(b.stack[0])
    number = 0

    def block(x: Block, mine: int | None = None) -> Block:
        with b.block() as stmts:
            if mine is not None:
                b.accumulate(counts, (const(mine),), ONE)
            for s in x.stmts:
                b.emit(one(s))
        return Block(tuple(stmts), x.yields)

    def one(s: Stmt) -> Stmt:
        nonlocal number
        match s:
            case If():
                here = 2 * number
                number += 1
                then = block(s.then, here)
                return replace(s, then=then, orelse=block(s.orelse, here + 1))
            case For() | While():
                return replace(s, body=block(s.body))
        return s

    body = block(fn.body)
    return replace(fn, body=Block((*opening, *body.stmts), (*body.yields, counts)))
