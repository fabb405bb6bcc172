"""Loops and branches with values, as the functions of a checkpointed loop are written with them.

In: a ``Builder`` and functions that emit a body.  Out: the variables after the loop or branch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from srcad.ir.build import ONE, Builder
from srcad.ir.nodes import Atom, Block, Carried, Var
from srcad.ir.types import I8, Type

Named = Sequence[tuple[str, Type]]


def _variables(b: Builder, names: Named) -> tuple[Var, ...]:
    return tuple(b.var(hint, kind) for hint, kind in names)


def _carried(
    b: Builder, names: Named, args: Sequence[Var], inits: Sequence[Atom]
) -> tuple[Carried, ...]:
    results = _variables(b, names)
    return tuple(Carried(*c) for c in zip(results, args, inits, strict=True))


def carry_for(
    b: Builder,
    bounds: tuple[Atom, Atom],
    names: Named,
    inits: Sequence[Atom],
    body: Callable[[Var, tuple[Var, ...]], Sequence[Atom]],
    *,
    hint: str = "k",
    step: Atom = ONE,
    breaks: bool = False,
) -> tuple[Var, ...]:
    """A counted loop; ``body(index, args)`` gives the carried values of the next iteration."""
    index, args = b.var(hint, I8), _variables(b, names)
    loc = b.loc
    with b.block() as stmts:
        ends = tuple(body(index, args))
    b.loc = loc
    carried = _carried(b, names, args, inits)
    b.for_(index, *bounds, step, carried, Block(tuple(stmts), ends), breaks)
    return tuple(c.result for c in carried)


def carry_while(
    b: Builder,
    names: Named,
    inits: Sequence[Atom],
    body: Callable[[tuple[Var, ...]], Sequence[Atom]],
) -> tuple[Var, ...]:
    """A loop while the first carried value is true."""
    args, loc = _variables(b, names), b.loc
    with b.block() as stmts:
        ends = tuple(body(args))
    b.loc = loc
    carried = _carried(b, names, args, inits)
    b.while_(carried, Block(tuple(stmts), ends))
    return tuple(c.result for c in carried)


def choose(
    b: Builder,
    cond: Atom,
    names: Named,
    then: Callable[[], Sequence[Atom]],
    orelse: Callable[[], Sequence[Atom]],
) -> tuple[Var, ...]:
    """A branch with results."""
    loc = b.loc
    first, second = _side(b, then), _side(b, orelse)
    b.loc = loc
    results = _variables(b, names)
    b.if_(cond, first, second, results)
    return results


def _side(b: Builder, side: Callable[[], Sequence[Atom]]) -> Block:
    with b.block() as stmts:
        ends = tuple(side())
    return Block(tuple(stmts), ends)
