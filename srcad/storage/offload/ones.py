"""Broadcasting decided: which sizes of the arguments are 1 is part of the specialisation.

In: IR after the last transform, and for every array parameter which of its sizes are 1.  Out: the
same function where the comparisons of sizes with 1 that broadcasting consists of are constants, so
that subscripts such as ``j * (n != 1)`` become ``j`` or 0.

Invariant: for arguments of these shapes the function computes the same.  That an element belongs to
one iteration can be proved of ``b[j]``, not of ``b[j * t]``.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 2))
>>> n, m = b.dim(x, 0), b.dim(x, 1)
>>> wide = b.op("i8", b.op("ne", m, const(1)))
>>> fn = Function("f", (x,), Block(tuple(b.stack[0]), (n, wide)))
>>> print(text(with_ones(fn, {"x": (True, False)})), end="")
def f(x: f8[:,:]C):
    n: i8 = dim(x, 0)
    n_1: i8 = dim(x, 1)
    t: b1 = ne(n_1, 1)
    t_1: i8 = i8(True)
    return 1, t_1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from srcad.ir.build import ONE, const
from srcad.ir.nodes import Atom, Block, Const, Dim, Function, Op, Var
from srcad.ir.walk import rewrite_block, statements


def with_ones(fn: Function, ones: Mapping[str, tuple[bool, ...]]) -> Function:
    """The function for arguments of which these sizes are 1, and the others are not."""
    known: dict[str, Const] = {}
    many: set[str] = set()
    for s in statements(fn.body):
        if isinstance(s, Dim) and s.array.name in ones:
            if ones[s.array.name][s.axis]:
                known[s.target.name] = ONE
            else:
                many.add(s.target.name)
    for s in statements(fn.body):
        if isinstance(s, Op) and s.op in ("eq", "ne") and compares(s, many):
            known[s.target.name] = const(s.op == "ne")

    def use(a: Atom) -> Atom:
        return known.get(a.name, a) if isinstance(a, Var) else a

    body: Block = rewrite_block(fn.body, use, lambda v: v)
    return replace(fn, body=body)


def compares(s: Op, many: set[str]) -> bool:
    """Whether an operation compares a size that is not 1 with 1."""
    sizes = [a for a in s.args if isinstance(a, Var) and a.name in many]
    return len(sizes) == 1 and ONE in s.args
