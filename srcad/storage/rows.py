"""Tapes of rows are matrices: what a counted loop saves an array a time is allocated at once.

In: IR after the last transform.  Out: the same function where a tape that holds one new array for
each trip of a loop, all of one size known before the loop, is one array with an axis more; what
was an array of its own is a row of it.

Where each trip hands the array that it has made to the next one, which saves it (``u = new``), the
arrays are rows of a matrix as well, and the tape refers to these: many small arrays would go back
to the system after each call, and come again page by page.

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
from srcad.ir.build import ONE, ZERO
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Alloc,
    Atom,
    Block,
    Const,
    For,
    Function,
    If,
    Load,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import I8, ArrayT, ListT
from srcad.ir.walk import blocks, operands, statements, targets, variables
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
    fn = _Pools(fn, lists).function()
    uses: dict[str, list[Stmt]] = defaultdict(list)
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
            row = saved(s, b, uses[s.array.name])
            sizes: tuple[Atom, ...] = (s.size, *row.shape) if row else ()
            fit = all(not isinstance(n, Var) or n.name in known for n in sizes)
            # saved in two tapes, it is a row of the first; the other one holds references to it
            fit = fit and all(t.row is not row for t in found.values())
            lows = [bounds.lower(n) for n in sizes]
            if row is not None and fit and all(n is not None and n >= 0 for n in lows):
                t = row.target.type
                assert isinstance(t, ArrayT)
                whole = replace(s.array, type=ArrayT(t.dtype, t.ndim + 1))
                found[s.array.name] = _Tape(whole, row)
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
                out.append(_row(s, t, found[rows[t.name]].array, _position(b, found, t)))
            case Store(array=a) if a.name in found:
                continue
            case Reserve(array=a) if a.name in found:
                tape = found[a.name]
                shape = (s.size, *tape.row.shape)
                out.append(Alloc(tape.array, shape, tape.row.zero, s.loc))
            case Load(array=a) if a.name in found:
                out.append(_row(s, s.target, found[a.name].array, s.index[0]))
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


def _row(s: Alloc | Load, target: Var, whole: Var, index: Atom) -> View:
    return View(target, whole, "index", (("at", index),), s.loc)


class _Pools:
    """Rows of one matrix for arrays that a loop makes, carries to the next trip and saves there."""

    def __init__(self, fn: Function, tapes: set[str]) -> None:
        self.fn, self.tapes, self.bounds = fn, tapes, Bounds(fn)
        self.namer = Namer(v.name for v in variables(fn))

    def function(self) -> Function:
        """The function rebuilt."""
        body = self.block(self.fn.body, {p.name for p in self.fn.params})
        return self.fn if body is self.fn.body else replace(self.fn, body=body)

    def block(self, b: Block, known: set[str]) -> Block:
        """A block and its inner blocks, rebuilt; itself where nothing changes."""
        known, out, same = set(known), list[Stmt](), True
        for s in b.stmts:
            new: Stmt = s
            if isinstance(s, If):
                then, orelse = self.block(s.then, known), self.block(s.orelse, known)
                if then is not s.then or orelse is not s.orelse:
                    new = replace(s, then=then, orelse=orelse)
            elif isinstance(s, (For, While)):
                body = self.block(s.body, known)
                new = s if body is s.body else replace(s, body=body)
                for made in self.saved(new, known):  # type: ignore[arg-type]
                    new = self.loop(new, made, out)  # type: ignore[arg-type]
            same &= new is s
            out.append(new)
            known |= {v.name for v in targets(s)}
        return b if same else Block(tuple(out), b.yields)

    def saved(self, s: For | While, known: set[str]) -> list[Alloc]:
        """The arrays that a trip makes, and the next one puts at its place on a tape."""
        if not isinstance(s, For) or s.breaks or s.parallel or (s.start, s.step) != (ZERO, ONE):
            return []
        if not (isinstance(s.stop, Var) and s.stop.name in known or isinstance(s.stop, Const)):
            return []
        stores = [t for t in s.body.stmts if isinstance(t, Store) and t.array.name in self.tapes]
        kept = {t.value for t in stores if t.index == (s.index,)}
        ends = {y for c, y in zip(s.carried, s.body.yields, strict=True) if c.arg in kept}
        made = [t for t in s.body.stmts if isinstance(t, Alloc) and t.target in ends]
        return [t for t in made if self.fits(t, known)]

    def fits(self, s: Alloc, known: set[str]) -> bool:
        """Whether the size of an array is known before the loop."""
        kind = s.target.type
        sizes = all(isinstance(n, Const) or n.name in known for n in s.shape)
        lows = [self.bounds.lower(n) for n in s.shape]
        plain = isinstance(kind, ArrayT) and kind.layout == "C"
        return plain and sizes and all(n is not None and n >= 0 for n in lows)

    def loop(self, s: For, made: Alloc, before: list[Stmt]) -> For:
        """A loop whose array is a row; the matrix goes to ``before``."""
        kind, hint = made.target.type, made.target.hint or made.target.name
        assert isinstance(kind, ArrayT)
        rows = Var(self.namer.fresh(f"{hint}_rows"), replace(kind, ndim=kind.ndim + 1), hint)
        count = Var(self.namer.fresh("n"), I8, "n")
        before.append(Op(count, "max", (s.stop, ZERO), s.loc))
        before.append(Alloc(rows, (count, *made.shape), made.zero, made.loc))
        row = _row(made, made.target, rows, s.index)
        stmts = tuple(row if t is made else t for t in s.body.stmts)
        return replace(s, body=replace(s.body, stmts=stmts))
