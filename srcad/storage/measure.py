"""How many bytes the tapes of a generated function take for given arguments.

In: a generated function.  Out: the function with the sizes of its tapes as results, so that what is
reported is what is allocated; and bytes by tape variable from what it returned.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Atom, Block, Function, Var
from srcad.ir.types import ArrayT, ListT, Scalar, numpy_dtype
from srcad.ir.walk import variables


def tapes(fn: Function) -> list[Var]:
    """Tape variables allocated at the top of a function, in order."""
    return [
        s.target
        for s in fn.body.stmts
        if isinstance(s, Alloc) and s.loc is not None and s.loc.role == "tape"
    ]


def measured(fn: Function) -> tuple[Function, list[Var]]:
    """A function that returns the number of cells of each tape instead of its results."""
    found = tapes(fn)
    b = Builder(Namer(v.name for v in variables(fn)))
    sizes: list[Atom] = []
    for v in found:
        size: Atom = b.dim(v, 0)
        for axis in range(1, getattr(v.type, "ndim", 1)):
            size = b.op("mul", size, b.dim(v, axis))
        sizes.append(size)
    body = Block((*fn.body.stmts, *b.stack[0]), tuple(sizes))
    return replace(fn, body=body), found


def tape_bytes(found: list[Var], counts: tuple[int, ...]) -> dict[str, int]:
    """Bytes of each tape, from what the measured function returned."""
    return {v.name: int(n) * item_size(v) for v, n in zip(found, counts, strict=True)}


def item_size(v: Var) -> int:
    """Bytes of one cell (a reference to an array counts as one pointer)."""
    t = v.type
    if isinstance(t, ArrayT):
        return numpy_dtype(t.dtype).itemsize
    assert isinstance(t, ListT)
    return numpy_dtype(t.element.kind).itemsize if isinstance(t.element, Scalar) else 8
