"""What is done to the adjoint of a thread's function before its parameters are put in order.

In: the function that reverse mode has made.  Out: the same function with other names, or with its
reverse sweep behind a condition.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Function, If, Loc, Var
from srcad.ir.threads import is_atomic
from srcad.ir.types import B1
from srcad.ir.walk import rewrite_block, statements, variables
from srcad.transforms.arrays import zero_of


def in_earnest(fn: Function, last: str, loc: Loc) -> Function:
    """The adjoint whose reverse sweep runs only if the parameter ``last`` is true.

    The launches before that are to find who wins atomic maxima (``cuda.rounds``), for which the
    forward sweep does; the code of that is one and the same in all of them.
    """
    roles = [getattr(getattr(s, "loc", None), "role", "") for s in fn.body.stmts]
    if "adjoint" not in roles:
        return fn
    k = roles.index("adjoint")
    namer = Namer(v.name for v in variables(fn))
    results = tuple(Var(namer.fresh("cotangent"), y.type) for y in fn.body.yields)
    nothing = Block((), tuple(zero_of(y.type) for y in fn.body.yields))
    sweep = Block(fn.body.stmts[k:], fn.body.yields)
    if any(map(is_atomic, statements(sweep))):  # it begins later: leave everything where it is
        return fn
    whole = If(Var(last, B1), sweep, nothing, results, loc)
    return replace(fn, body=Block((*fn.body.stmts[:k], whole), results))


def vacated(fn: Function, names: set[str]) -> Function:
    """The function without variables of these names, which new parameters are to have."""
    namer = Namer((*(v.name for v in variables(fn)), *names))
    taken = {v.name for v in variables(fn)} & names
    table = {name: namer.fresh(name) for name in sorted(taken)}

    def other(v: Any) -> Any:
        renamed = isinstance(v, Var) and v.name in table
        return replace(v, name=table[v.name]) if renamed else v

    return replace(fn, body=rewrite_block(fn.body, other, other))
