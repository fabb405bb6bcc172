"""Tapes of rows are matrices: what a counted loop saves an array a time is allocated at once.

In: IR after the last transform.  Out: the same function where a tape that holds one new array for
each trip of a loop, all of one size known before the loop, is one array with an axis more; what
was an array of its own is a row of it.

Invariant: every row is written as the array was.  Transforms see lists (a list has no size that
they would have to differentiate through), which is why this comes last.  Limits: one loop without
breaks between the tape and the array, contiguous arrays, no other use of the tape.

>>> from srcad.ir.build import ONE, Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Loc
>>> from srcad.ir.text import text
>>> b = Builder(Namer(), Loc("f.py", 1, role="tape"))
>>> x = b.var("x", ArrayT("f8", 1))
>>> n = b.dim(x, 0)
>>> tape = b.alloc(ListT(x.type), hint="tape")
>>> b.reserve(tape, n)
>>> with b.loop(const(0), n) as i:
...     row = b.alloc(x.type, (const(2),), False, hint="row")
...     b.store(tape, (i,), row)
...     b.store(row, (const(0),), b.load(x, i))
>>> print(text(matrices(Function("f", (x,), Block(tuple(b.stack[0]))))), end="")
def f(x: f8[:]C):
    n: i8 = dim(x, 0)
    tape: f8[:,:]C = empty(n, 2)
    for i in range(0, n, 1):
        row: f8[:]C = view tape index (at i)
        t: f8 = x[i]
        row[0] = t
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from srcad.ir.bounds import Bounds
from srcad.ir.nodes import (
    Alloc,
    Atom,
    Block,
    For,
    Function,
    If,
    Load,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import ArrayT, ListT
from srcad.ir.walk import blocks, operands, statements, targets
from srcad.storage.pools import pooled, row
from srcad.transforms.program import each_function


def matrices(fn: Function) -> Function:
    """The program with such tapes as matrices."""
    return each_function(fn, _matrices)


@dataclass
class _Tape:
    """A tape that can be a matrix, and the array that is saved in it."""

    array: Var
    row: Alloc


def _matrices(fn: Function) -> Function:
    lists = {
        s.target.name
        for s in statements(fn.body)
        if isinstance(s, Alloc)
        and isinstance(s.target.type, ListT)
        and isinstance(s.target.type.element, ArrayT)
        and s.loc is not None
        and s.loc.role == "tape"
    }
    if not lists:
        return fn
    fn = pooled(fn, lists)
    uses: dict[str, list[Stmt]] = defaultdict(list)  # of tapes that are left
    for s in statements(fn.body):
        for a in operands(s):
            if isinstance(a, Var) and a.name in lists:
                uses[a.name].append(s)
    found: dict[str, _Tape] = {}
    _find(fn.body, {p.name for p in fn.params}, uses, Bounds(fn), found)
    rows = {t.row.target.name: name for name, t in found.items()}
    return replace(fn, body=_rebuilt(fn.body, found, rows)) if found else fn


def _find(
    b: Block, known: set[str], uses: dict[str, list[Stmt]], bounds: Bounds, found: dict[str, _Tape]
) -> None:
    """Add the tapes made in a block that can be matrices."""
    known = set(known)
    for s in b.stmts:
        if isinstance(s, Reserve) and s.array.name in uses:
            made = saved(s, b, uses[s.array.name])
            sizes: tuple[Atom, ...] = (s.size, *made.shape) if made else ()
            fit = all(not isinstance(n, Var) or n.name in known for n in sizes)
            # saved in two tapes, it is a row of the first; the other one holds references to it
            fit = fit and all(t.row is not made for t in found.values())
            lows = [bounds.lower(n) for n in sizes]
            if made is not None and fit and all(n is not None and n >= 0 for n in lows):
                t = made.target.type
                assert isinstance(t, ArrayT)
                whole = replace(s.array, type=ArrayT(t.dtype, t.ndim + 1))
                found[s.array.name] = _Tape(whole, made)
        for inner in blocks(s):
            _find(inner, known, uses, bounds, found)
        known |= {v.name for v in targets(s)}


def saved(s: Reserve, b: Block, uses: list[Stmt]) -> Alloc | None:
    """The array that is saved in a tape, one in each trip of a loop of the tape's block."""
    stores = [u for u in uses if isinstance(u, Store) and u.array == s.array]
    if len(stores) != 1 or any(not isinstance(u, Load) for u in uses if u not in (s, stores[0])):
        return None
    made = any(isinstance(t, Alloc) and t.target == s.array for t in b.stmts)
    loop = next((t for t in b.stmts if isinstance(t, For) and stores[0] in t.body.stmts), None)
    if loop is None or not made or loop.breaks or loop.parallel:
        return None
    if stores[0].index != (loop.index,) or not isinstance(stores[0].value, Var):
        return None
    new = [t for t in loop.body.stmts if isinstance(t, Alloc) and t.target == stores[0].value]
    kinds = {s.array.type.element, stores[0].value.type}  # type: ignore[union-attr]
    plain = len(kinds) == 1 and isinstance(stores[0].value.type, ArrayT)
    return new[0] if new and plain and stores[0].value.type.layout == "C" else None  # type: ignore[union-attr]


def _rebuilt(b: Block, found: dict[str, _Tape], rows: dict[str, str]) -> Block:
    out: list[Stmt] = []
    for s in b.stmts:
        match s:
            case Alloc(target=t) if t.name in found:
                continue
            case Alloc(target=t) if t.name in rows:
                out.append(row(s, t, found[rows[t.name]].array, _position(b, found, t)))
            case Store(array=a) if a.name in found:
                continue
            case Reserve(array=a) if a.name in found:
                tape = found[a.name]
                shape = (s.size, *tape.row.shape)
                out.append(Alloc(tape.array, shape, tape.row.zero, s.loc))
            case Load(array=a) if a.name in found:
                out.append(row(s, s.target, found[a.name].array, s.index[0]))
            case If():
                then, orelse = (_rebuilt(x, found, rows) for x in (s.then, s.orelse))
                out.append(replace(s, then=then, orelse=orelse))
            case For() | While():
                out.append(replace(s, body=_rebuilt(s.body, found, rows)))
            case _:
                out.append(s)
    return Block(tuple(out), b.yields)


def _position(b: Block, found: dict[str, _Tape], row: Var) -> Atom:
    """Where in its tape a row is saved."""
    stores = (s for s in b.stmts if isinstance(s, Store) and s.value == row)
    return next(s.index[0] for s in stores if s.array.name in found)
