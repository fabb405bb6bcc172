"""Large arrays from memory that is used again: every function gets the address of a workspace.

In: a function after all other passes, with its callees.  Out: the same functions with a further
parameter, which they hand on; the backend reads it at allocations (``backends.allocating``).
Where nothing is allocated everything stays as it is.  Limits: lists, and what NumPy's functions
allocate inside.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Block, Call, For, Function, If, Var, While
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import statements, variables
from srcad.transforms.program import each_function


def pooled(fn: Function) -> Function:
    """The program, its functions with a workspace as their last parameter."""
    family = (fn, *fn.callees.values())
    if not any(map(allocates, family)):
        return fn
    namer = Namer(v.name for f in family for v in variables(f))
    where = Var(namer.fresh("workspace"), I8)

    def block(b: Block) -> Block:
        return replace(b, stmts=tuple(map(statement, b.stmts)))

    def statement(s):  # type: ignore[no-untyped-def]
        if isinstance(s, If):
            return replace(s, then=block(s.then), orelse=block(s.orelse))
        if isinstance(s, (For, While)):
            return replace(s, body=block(s.body))
        return replace(s, args=(*s.args, where)) if isinstance(s, Call) else s

    def one(f: Function) -> Function:
        return replace(f, params=(*f.params, where), body=block(f.body), workspace=where.name)

    return each_function(fn, one)


def allocates(fn: Function) -> bool:
    """Whether a function makes arrays."""
    found = (s.target.type for s in statements(fn.body) if isinstance(s, Alloc))
    return any(isinstance(t, ArrayT) for t in found)
