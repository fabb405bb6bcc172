"""Simplification: what is known while compiling is computed while compiling.

In: verified IR.  Out: the same function with
* scalar operations on constants, copies and double negations gone (``peephole`` has the rules),
* branches on a constant replaced by the branch taken; inside a branch its condition is known,
* loops of no or one trip unrolled, carried values that never change and branch results that are
  the same on both sides replaced by their value,
* ``Dim`` replaced by the size the array was made with (``analyses.shapes``), and asked of each
  parameter once, at the start of the function.

Invariant: results, array contents and effects stay bit for bit; nothing is renamed, so names
stay unique.  Limits: values are not followed through memory; a carried value found constant only
after its loop was rewritten disappears at the next run.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8, I8
>>> b = Builder(Namer())
>>> x, n = b.var("x", F8), b.var("n", I8)
>>> a = b.alloc(ArrayT("f8", 1), (n,))
>>> with b.loop(const(0), const(1)) as i:
...     b.store(a, (i,), x)
>>> c = b.op("eq", b.op("sub", b.dim(a, 0), n), const(0), hint="c")
>>> y = b.var("y", F8)
>>> b.if_(c, Block((), (x,)), Block((), (const(2.0),)), (y,))
>>> fn = Function("f", (x, n), Block(tuple(b.stack[0]), (y,)))
>>> print(text(fn), text(run(fn)), sep="", end="")
def f(x: f8, n: i8):
    a: f8[:]C = zeros(n)
    for i in range(0, 1, 1):
        a[i] = x
    n_1: i8 = dim(a, 0)
    t: i8 = sub(n_1, n)
    c: b1 = eq(t, 0)
    if c -> y: f8:
        yield x
    else:
        yield 2.0
    return y
def f(x: f8, n: i8):
    a: f8[:]C = zeros(n)
    a[0] = x
    return x
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from srcad.analyses.shapes import DimOf, Size, shapes
from srcad.ir.nodes import (
    Atom,
    Block,
    Carried,
    Check,
    Const,
    Dim,
    For,
    Function,
    If,
    Loc,
    Op,
    Reserve,
    Stmt,
    Var,
    View,
    While,
)
from srcad.ir.types import B1, ArrayT, Scalar
from srcad.ir.walk import keeping, rewrite
from srcad.transforms.peephole import FALSE, TRUE, simplest
from srcad.transforms.program import each_function, key


def run(fn: Function) -> Function:
    """The program, simplified."""
    return each_function(fn, lambda f: _Simplifier(f).function())


class _Simplifier:
    """One walk in order of execution; ``known`` maps replaced variables to their value."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.shapes = shapes(fn)
        self.params = {p.name for p in fn.params}
        self.known: dict[str, Atom] = {}
        self.facts: dict[str, Atom] = {}  # conditions known inside the branch in hand
        self.makers: dict[str, Op] = {}
        self.sizes: dict[tuple[str, int], Dim] = {}  # dimensions of parameters
        self.out: list[Stmt] = []

    def function(self) -> Function:
        """The rebuilt function."""
        body = self.block(self.fn.body)
        return replace(self.fn, body=replace(body, stmts=(*self.sizes.values(), *body.stmts)))

    # values
    def use(self, a: Atom) -> Atom:
        """An operand as it is known here."""
        if isinstance(a, Var):
            a = self.known.get(a.name, a)
            if isinstance(a, Var):
                a = self.facts.get(a.name, a)
        return a

    def maker(self, a: Atom) -> Op | None:
        """The operation that made a variable."""
        return self.makers.get(a.name) if isinstance(a, Var) else None

    def bind(self, v: Var, a: Atom, loc: Loc | None) -> None:
        """``v`` is ``a`` from here on: a copy, or a conversion where their types differ."""
        if a.type == v.type:
            self.known[v.name] = a
        elif isinstance(v.type, Scalar):
            self.emit_op(Op(v, v.type.kind, (a,), loc))
        else:
            assert isinstance(a, Var)
            self.out.append(View(v, a, "same", (), loc))

    def emit_op(self, s: Op) -> None:
        """The operation in its simplest form, or the operand it equals."""
        better = simplest(s.op, s.args, s.target.type, self.maker)
        if isinstance(better, tuple):
            s = Op(s.target, better[0], better[1], s.loc)
            self.makers[s.target.name] = s
            self.out.append(s)
        else:
            self.known[s.target.name] = better

    @contextmanager
    def assuming(self, cond: Atom, value: bool) -> Iterator[None]:
        """The condition has this value in the block in hand, and so have those it is made of."""
        saved = dict(self.facts)
        pending = [(cond, value)]
        while pending:
            a, holds = pending.pop()
            if not isinstance(a, Var) or a.type != B1:
                continue
            self.facts[a.name] = TRUE if holds else FALSE
            made = self.maker(a)
            if made is not None and made.op == "not":
                pending.append((made.args[0], not holds))
            elif made is not None and made.op == ("and" if holds else "or"):
                pending += [(x, holds) for x in made.args]
        yield
        self.facts = saved

    # statements
    def block(self, b: Block) -> Block:
        """A block of its own."""
        outer, self.out = self.out, []
        yields = self.inline(b)
        stmts, self.out = self.out, outer
        return Block(tuple(stmts), yields)

    def inline(self, b: Block) -> tuple[Atom, ...]:
        """The statements of a block appended to the one in hand; what it yields."""
        for s in b.stmts:
            self.statement(s)
        return tuple(map(self.use, b.yields))

    def statement(self, s: Stmt) -> None:
        """One statement."""
        match s:
            case Op():
                self.emit_op(Op(s.target, s.op, tuple(map(self.use, s.args)), s.loc))
            case View(kind="same"):
                self.bind(s.target, self.use(s.base), s.loc)
            case Dim(array=Var(type=ArrayT())):
                self.dim(s)
            case If():
                self.branch(s)
            case For():
                self.counted(s)
            case While():
                self.conditional(s)
            case Check(cond=c) if key(self.use(c)) == key(TRUE):
                pass
            case Reserve(size=n) if isinstance(size := self.use(n), Const) and size.value <= 0:
                pass
            case _:
                self.out.append(rewrite(s, self.use, lambda v: v))

    def dim(self, s: Dim) -> None:
        """A dimension: known, of a parameter (asked once), or asked here of its root."""
        size: Size = self.shapes[s.array.name][s.axis]
        if not isinstance(size, DimOf):
            self.bind(s.target, self.use(size), s.loc)
        elif size.array.name in self.params:
            first = self.sizes.setdefault(
                (size.array.name, size.axis), Dim(s.target, size.array, size.axis, s.loc)
            )
            if first.target != s.target:
                self.known[s.target.name] = first.target
        else:
            root = self.use(size.array)
            assert isinstance(root, Var)
            self.out.append(Dim(s.target, root, size.axis, s.loc))

    def branch(self, s: If) -> None:
        """A branch: taken now, or rebuilt with the results that differ."""
        cond = self.use(s.cond)
        if isinstance(cond, Const):
            chosen = s.then if cond.value else s.orelse
            for r, a in zip(s.results, self.inline(chosen), strict=True):
                self.bind(r, a, s.loc)
            return
        with self.assuming(cond, True):
            then = self.block(s.then)
        with self.assuming(cond, False):
            orelse = self.block(s.orelse)
        differ = []
        negated = []
        for k, (r, a, b) in enumerate(zip(s.results, then.yields, orelse.yields, strict=True)):
            if key(a) == key(b) and a.type == r.type:
                self.known[r.name] = a
            elif r.type == cond.type == B1 and (key(a), key(b)) == (key(TRUE), key(FALSE)):
                self.known[r.name] = cond
            elif r.type == cond.type == B1 and (key(a), key(b)) == (key(FALSE), key(TRUE)):
                negated.append(r)
            else:
                differ.append(k)
        results = tuple(s.results[k] for k in differ)
        then, orelse = (Block(b.stmts, tuple(b.yields[k] for k in differ)) for b in (then, orelse))
        if then.stmts or orelse.stmts or results:
            self.out.append(If(cond, then, orelse, results, s.loc))
        for r in negated:
            self.emit_op(Op(r, "not", (cond,), s.loc))

    def once(self, s: For | While) -> None:
        """The body of a loop that is executed exactly once, in place of the loop."""
        for c, a in zip(s.carried, [self.use(c.init) for c in s.carried], strict=True):
            self.bind(c.arg, a, s.loc)
        for c, a in zip(s.carried, self.inline(s.body), strict=True):
            self.bind(c.result, a, s.loc)

    def never(self, s: For | While) -> None:
        """A loop that is not entered."""
        for c in s.carried:
            self.bind(c.result, self.use(c.init), s.loc)

    def counted(self, s: For) -> None:
        """A counted loop: gone if it has no or one trip."""
        start, stop, step = self.use(s.start), self.use(s.stop), self.use(s.step)
        trips = _trips(start, stop, step)
        if trips == 0:
            self.never(s)
        elif trips == 1:
            self.bind(s.index, start, s.loc)
            self.once(s)
        else:
            breaks = s.breaks and key(s.body.yields[0]) != key(FALSE)
            carried, body = self.loop(s, fixed=1 if breaks else 0)
            self.out.append(
                replace(
                    s,
                    start=start,
                    stop=stop,
                    step=step,
                    carried=carried,
                    body=body,
                    breaks=breaks,
                    keep=keeping(s, self.use),
                )
            )

    def conditional(self, s: While) -> None:
        """A conditional loop: inside, its condition holds; after it, it does not."""
        cond = s.carried[0]
        init = self.use(cond.init)
        if key(init) == key(FALSE):
            self.never(s)
        elif key(init) == key(TRUE) and key(s.body.yields[0]) == key(FALSE):
            self.once(s)
        else:
            self.known[cond.arg.name] = TRUE
            carried, body = self.loop(s, fixed=1)
            self.known[cond.result.name] = FALSE
            self.out.append(replace(s, carried=carried, body=body, keep=keeping(s, self.use)))

    def loop(self, s: For | While, fixed: int) -> tuple[tuple[Carried, ...], Block]:
        """Carried values and body without those that never change (the first ones stay)."""
        inits = [self.use(c.init) for c in s.carried]
        kept = []
        for k, (c, a) in enumerate(zip(s.carried, inits, strict=True)):
            y = s.body.yields[k]
            steady = y == c.arg or key(self.use(y)) == key(a)
            if k >= fixed and steady and c.arg.type == c.result.type == a.type:
                self.known[c.arg.name] = self.known[c.result.name] = a
            else:
                kept.append(k)
        body = self.block(s.body)
        for k in kept[fixed:]:
            c, y = s.carried[k], body.yields[k]
            if (y == c.arg or key(y) == key(inits[k])) and c.result.type == inits[k].type:
                self.known[c.result.name] = inits[k]
        carried = tuple(replace(s.carried[k], init=inits[k]) for k in kept)
        return carried, Block(body.stmts, tuple(body.yields[k] for k in kept))


def _trips(start: Atom, stop: Atom, step: Atom) -> int | None:
    """How often ``range(start, stop, step)`` runs, where that is known."""
    if not isinstance(step, Const) or not step.value:
        return None
    if isinstance(start, Const) and isinstance(stop, Const):
        return max(0, -((int(start.value) - int(stop.value)) // int(step.value)))
    return 0 if key(start) == key(stop) else None
