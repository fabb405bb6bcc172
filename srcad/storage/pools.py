"""States that a loop makes anew in each trip, and saves in the next one, are rows of one matrix.

In: IR after the last transform, its tapes.  Out: the same function where the array that a trip of a
counted loop makes and hands on (``u = new``), and that the next trip puts on a tape, is a row of a
matrix, the first state a copy in front of the others; the tape, a list of references, is gone, or
refers to rows where a state might be written after it was handed on.

Why: many small arrays go back to the system after each call and come again page by page; entries of
a list cost more than a short loop.

Invariant: every state is written as it was, before and after it is on the tape.  Limits: counted
loops from zero without breaks, contiguous arrays of a size known before the loop.

>>> from srcad.ir.nodes import Carried, Loc
>>> from srcad.ir.text import text
>>> from srcad.ir.types import I8, ListT
>>> vector, b = ArrayT("f8", 1), Builder(Namer(), Loc("f.py", 1, role="tape"))
>>> n, start = b.var("n", I8), b.alloc(vector, (ONE,), hint="start")
>>> tape = b.alloc(ListT(vector), hint="tape")
>>> now, end, t = b.var("now", vector), b.var("end", vector), b.var("t", I8)
>>> with b.block() as body:
...     b.store(tape, (t,), now)
...     new = b.alloc(vector, (ONE,), False, "new")
...     b.store(new, (ZERO,), b.load(now, ZERO))
>>> b.for_(t, ZERO, n, ONE, (Carried(end, now, start),), Block(tuple(body), (new,)))
>>> _ = b.load(tape, ZERO, hint="kept")
>>> print(text(pooled(Function("f", (n,), Block(tuple(b.stack[0]))), {"tape"})), end="")
def f(n: i8):
    start: f8[:]C = zeros(1)
    n_1: i8 = max(n, 0)
    n_2: i8 = add(n_1, 1)
    tape: f8[:,:]C = empty(n_2, 1)
    for i in range(0, 1, 1):
        t_2: f8 = start[i]
        tape[0, i] = t_2
    for t in range(0, n, 1) carrying now: f8[:]C = start -> end:
        at: i8 = add(t, 1)
        new: f8[:]C = view tape index (at at)
        t_1: f8 = now[0]
        new[0] = t_1
        yield new
    kept: f8[:]C = view tape index (at 0)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.births import Births
from srcad.analyses.shapes import DimOf, Size, shapes
from srcad.ir.bounds import Bounds
from srcad.ir.build import ONE, ZERO, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Call,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT, ListT
from srcad.ir.walk import operands, statements, targets, variables
from srcad.transforms.arrays import each


def row(s: Alloc | Load, target: Var, whole: Var, index: Atom) -> View:
    """The statement that makes a variable a row of a matrix."""
    return View(target, whole, "index", (("at", index),), s.loc)


def pooled(fn: Function, tapes: Collection[str]) -> Function:
    """The function with such states in matrices.

    Args:
        tapes: the names of lists that the forward sweep records in.
    """
    if not any(isinstance(s, Store) and s.array.name in tapes and _state(s) for s in _all(fn)):
        return fn
    pools = _Pools(fn, tapes)
    body = pools.block(fn.body, {p.name for p in fn.params})
    if body is fn.body:
        return fn
    return replace(fn, body=_without(body, pools.gone) if pools.gone else body)


def _all(fn: Function) -> list[Stmt]:
    return list(statements(fn.body))


def _state(s: Store) -> bool:
    return isinstance(s.value, Var) and isinstance(s.value.type, ArrayT)


class _Pools:
    """One function; ``gone`` are the tapes that a matrix stands for."""

    def __init__(self, fn: Function, tapes: Collection[str]) -> None:
        self.fn, self.tapes = fn, tapes
        self.bounds, self.aliases, self.births = Bounds(fn), Aliases(fn), Births(fn)
        self.shapes = shapes(fn)
        self.dims = {s.target.name: s for s in statements(fn.body) if isinstance(s, Dim)}
        self.uses: dict[str, list[Stmt]] = defaultdict(list)
        for s in statements(fn.body):
            for a in operands(s):
                if isinstance(a, Var) and a.name in tapes:
                    self.uses[a.name].append(s)
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.gone: dict[str, Var] = {}

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
                for k, made, tape in self.saved(new, known):  # type: ignore[arg-type]
                    new = self.loop(new, k, made, tape, out)  # type: ignore[arg-type]
            same &= new is s
            out.append(new)
            known |= {v.name for v in targets(s)}
        return b if same else Block(tuple(out), b.yields)

    def saved(self, s: For | While, known: set[str]) -> list[tuple[int, Alloc, Store]]:
        """The arrays that a trip makes, and the next one puts at its place on a tape."""
        if not isinstance(s, For) or s.breaks or s.parallel or (s.start, s.step) != (ZERO, ONE):
            return []
        if not (isinstance(s.stop, Const) or s.stop.name in known):
            return []
        tapes = (t for t in s.body.stmts if isinstance(t, Store) and t.array.name in self.tapes)
        stores = {t.value: t for t in tapes if t.index == (s.index,)}
        made = {t.target: t for t in s.body.stmts if isinstance(t, Alloc)}
        found = []
        for k, (c, y) in enumerate(zip(s.carried, s.body.yields, strict=True)):
            if c.arg in stores and y in made and self.fits(made[y], known):  # type: ignore[index]
                found.append((k, made[y], stores[c.arg]))  # type: ignore[index]
        return found

    def fits(self, s: Alloc, known: set[str]) -> bool:
        """Whether the size of an array is known before the loop."""
        kind = s.target.type
        sizes = all(isinstance(n, Const) or n.name in known for n in s.shape)
        lows = [self.bounds.lower(n) for n in s.shape]
        plain = isinstance(kind, ArrayT) and kind.layout == "C"
        return plain and sizes and all(n is not None and n >= 0 for n in lows)

    def loop(self, s: For, k: int, made: Alloc, tape: Store, before: list[Stmt]) -> For:
        """A loop whose array is a row; the matrix goes to ``before``."""
        kind, hint, b = made.target.type, made.target.hint or made.target.name, self.b
        assert isinstance(kind, ArrayT)
        instead = self.direct(s, k, made, tape, before)
        at: Atom = s.index
        with b.block() as inner:
            b.loc = made.loc
            at = b.op("add", s.index, ONE, hint="at") if instead else at
        with b.block() as outer:
            count = b.op("max", s.stop, ZERO, hint="n")
            count = b.op("add", count, ONE, hint="n") if instead else count
            whole = replace(kind, ndim=kind.ndim + 1)
            rows = replace(tape.array, type=whole) if instead else b.var(f"{hint}_rows", whole)
            loc = made.loc and replace(made.loc, role="tape")  # ``explain`` counts it
            b.emit(Alloc(rows, (count, *made.shape), made.zero, loc))
            if instead:
                self.first(s.carried[k].init, rows, made.shape)
                self.gone[tape.array.name] = rows
        before += outer
        view = [*inner, row(made, made.target, rows, at)]
        stmts = [t for u in s.body.stmts for t in (view if u is made else [u])]
        return replace(s, body=replace(s.body, stmts=tuple(stmts)))

    def first(self, init: Atom, rows: Var, shape: tuple[Atom, ...]) -> None:
        """The state before the loop, in the first row."""
        assert isinstance(init, Var)
        b = self.b
        each(b, init, lambda at: b.store(rows, (ZERO, *at), b.load(init, *at)), shape)

    def direct(self, s: For, k: int, made: Alloc, tape: Store, before: list[Stmt]) -> bool:
        """Whether the tape holds what the matrix does, and no state is written once it is there."""
        c, name = s.carried[k], tape.array.name
        kinds = {made.target.type, c.arg.type, c.init.type, tape.array.type.element}  # type: ignore[union-attr]
        here = any(isinstance(t, Alloc) and t.target.name == name for t in before)
        read = all(u is tape or isinstance(u, (Reserve, Load)) for u in self.uses[name])
        if len(kinds) > 1 or not here or not read:
            return False
        sizes = [self.size(n) for n in made.shape]
        if [self.size(n) for n in self.shapes[c.init.name]] != sizes:  # type: ignore[union-attr]
            return False
        return not self.written(self.aliases.root(c.arg), made.target.name, before)

    def written(self, root: str, made: str, before: list[Stmt]) -> bool:
        """Whether a state is written, but before the loop and where it is made.

        (Shadows are, in the reverse sweep.)
        """
        early = {id(t) for t in statements(Block(tuple(before)))}
        for t in statements(self.fn.body):
            if isinstance(t, (Store, Accumulate)) and self.aliases.root(t.array) == root:
                if id(t) not in early and self.births.origin(t.array) != made:
                    return True
            elif isinstance(t, Call) and any(self.among(a, root) for a in t.args):
                return True
        return False

    def among(self, a: Atom, root: str) -> bool:
        """Whether an operand is a reference to storage of a class."""
        return isinstance(a, Var) and is_reference(a) and self.aliases.root(a) == root

    def size(self, n: Size | Atom) -> object:
        """A size, equal for those that are known to be the same."""
        if isinstance(n, Var) and n.name in self.dims:
            s = self.dims[n.name]
            n = self.shapes[s.array.name][s.axis] if isinstance(s.array.type, ArrayT) else n
        if isinstance(n, DimOf):
            return n.array.name, n.axis
        return n if isinstance(n, Const) else n.name


def _without(b: Block, gone: dict[str, Var]) -> Block:
    """A block that finds what was on tapes in matrices, which have the names of these."""

    def listed(a: Var) -> bool:
        return a.name in gone and isinstance(a.type, ListT)

    out: list[Stmt] = []
    for s in b.stmts:
        match s:
            case Alloc(target=a) | Store(array=a) | Reserve(array=a) if listed(a):
                continue
            case Load(array=a) if listed(a):
                out.append(row(s, s.target, gone[a.name], s.index[0]))
            case If():
                then, orelse = _without(s.then, gone), _without(s.orelse, gone)
                out.append(replace(s, then=then, orelse=orelse))
            case For() | While():
                out.append(replace(s, body=_without(s.body, gone)))
            case _:
                out.append(s)
    return Block(tuple(out), b.yields)
