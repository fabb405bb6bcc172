"""How many bytes the tapes of a generated function take for given arguments.

In: a generated function.  Out: the function with the sizes of its tapes as results, so that what is
reported is what is allocated, and without what does not decide about them, so that running it is
quick; and bytes by tape variable from what it returned.

A tape of references counts the arrays too where each was allocated to be recorded.  Limit: where
it refers to arrays that others made (results of products, buffers that are swapped), it counts the
references only.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.build import ONE, ZERO, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Atom, Block, Carried, Dim, Function, Op, Stmt, Store, Var
from srcad.ir.types import I8, ArrayT, ListT, Scalar, numpy_dtype
from srcad.ir.walk import operands, statements, targets, variables
from srcad.transforms import dead_code

Sized = tuple[str, int]  # a tape's name, and the bytes of one of what is counted of it


def tapes(fn: Function) -> list[Var]:
    """Tape variables allocated at the top of a function, in order."""
    return [
        s.target
        for s in fn.body.stmts
        if isinstance(s, Alloc) and s.loc is not None and s.loc.role == "tape"
    ]


def measured(fn: Function) -> tuple[Function, list[Sized]]:
    """A function that returns what is to be counted of each tape instead of its results."""
    made = {s.target.name for s in statements(fn.body) if isinstance(s, Alloc)}
    rows: dict[str, set[str]] = {}  # what is recorded in each tape of references
    for s in statements(fn.body):
        if isinstance(s, Store) and isinstance(s.value, Var):
            rows.setdefault(s.array.name, set()).add(s.value.name)
    b = Builder(Namer(v.name for v in variables(fn)))
    counted: list[Sized] = []
    sizes: list[Atom] = []
    once: set[str] = set()
    for v in tapes(fn):
        counted.append((v.name, item_size(v)))
        sizes.append(cells(b, v))
        if isinstance(v.type, ListT) and isinstance(v.type.element, ArrayT):
            recorded = rows.get(v.name, set())
            if recorded <= made and not recorded <= once:  # the same rows may be in two tapes
                counted.append((v.name, numpy_dtype(v.type.element.dtype).itemsize))
                sizes.append(cells_of_rows(b, v))
                once |= recorded
    body = Block((*fn.body.stmts, *b.stack[0]), tuple(sizes))
    return dead_code.run(replace(fn, body=body), keep_checks=False), counted


def allocating(fn: Function) -> Function:
    """A function that only allocates the tapes whose sizes are known before its loops.

    So the tapes of a part of a loop can be counted without running it again.
    """
    known, recorded = {p.name for p in fn.params}, {v.name for v in tapes(fn)}
    out: list[Stmt] = []
    for s in fn.body.stmts:
        wanted = isinstance(s, (Op, Dim)) or isinstance(s, Alloc) and s.target.name in recorded
        if wanted and all(not isinstance(a, Var) or a.name in known for a in operands(s)):
            out.append(s)
            known |= {v.name for v in targets(s)}
    return replace(fn, body=Block(tuple(out)))


def cells(b: Builder, v: Var) -> Atom:
    """How many elements an array or a list has."""
    size: Atom = b.dim(v, 0)
    for axis in range(1, getattr(v.type, "ndim", 1)):
        size = b.op("mul", size, b.dim(v, axis))
    return size


def cells_of_rows(b: Builder, v: Var) -> Atom:
    """How many elements the arrays in a list have together."""
    size = b.dim(v, 0)
    index, total, before = b.var("k", I8), b.var("cells", I8), b.var("cells", I8)
    with b.block() as stmts:
        more = b.op("add", before, cells(b, b.load(v, index)))
    loop = Block(tuple(stmts), (more,))
    b.for_(index, ZERO, size, ONE, (Carried(total, before, ZERO),), loop)
    return total


def tape_bytes(counted: list[Sized], counts: tuple[int, ...]) -> dict[str, int]:
    """Bytes of each tape, from what the measured function returned."""
    found: dict[str, int] = {}
    for (name, size), n in zip(counted, counts, strict=True):
        found[name] = found.get(name, 0) + int(n) * size
    return found


def item_size(v: Var) -> int:
    """Bytes of one cell (a reference to an array counts as one pointer)."""
    t = v.type
    if isinstance(t, ArrayT):
        return numpy_dtype(t.dtype).itemsize
    assert isinstance(t, ListT)
    return numpy_dtype(t.element.kind).itemsize if isinstance(t.element, Scalar) else 8
