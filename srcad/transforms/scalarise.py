"""Small arrays of fixed size become scalars: ``v = np.empty(2)`` is two variables.

In: verified IR.  Out: the same function without the arrays that ``analyses.small_arrays`` names:
a store is a new value of an element's variable, a load its value; what a branch or a loop changes
is a result or a carried value of it.  Loops over the elements are unrolled.  All later stages,
differentiation first, see scalars.

Invariant: results and effects stay bit for bit, except that what was never written reads as zero.
Limits: a constant position outside of an array leaves the array as it is.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8, I8
>>> b = Builder(Namer())
>>> x, n = b.var("x", F8), b.var("n", I8)
>>> v = b.alloc(ArrayT("f8", 1), (const(2),), hint="v")
>>> b.store(v, (const(0),), x)
>>> with b.loop(const(0), n) as i:
...     with b.loop(const(0), const(2)) as k:
...         b.accumulate(v, (k,), b.op("sin", b.load(v, const(0))))
>>> y = b.load(v, const(-1))
>>> print(text(run(Function("f", (x, n), Block(tuple(b.stack[0]), (y,))))), end="")
def f(x: f8, n: i8):
    for i in range(0, n, 1) carrying v0: f8 = x -> v0_1, v1: f8 = 0.0 -> v1_1:
        t_3: f8 = sin(v0)
        t_4: f8 = add(v0, t_3)
        t_5: f8 = sin(t_4)
        t_6: f8 = add(v1, t_5)
        yield t_4, t_6
    return v1_1
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from srcad.analyses.small_arrays import Plan, plan
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Carried,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.primitives import fold
from srcad.ir.types import I8, ArrayT, Scalar
from srcad.ir.walk import keeping, rewrite, statements, variables
from srcad.transforms.arrays import zero_of
from srcad.transforms.program import each_function, key

Cells = np.ndarray  # numbers of cells, in the shape of an array or a view of it


def run(fn: Function) -> Function:
    """The program, its small arrays taken apart."""
    return each_function(fn, _scalarised)


def _scalarised(fn: Function) -> Function:
    refused: set[str] = set()
    while (found := plan(fn, refused)) is not None:
        try:
            return _Rewriter(fn, found).function()
        except _Outside as error:
            refused.add(error.args[0])
    return fn


class _Outside(Exception):
    """A position outside of an array of this class."""


class _Rewriter:
    """One walk in order of execution; ``cells`` holds the present value of each element."""

    def __init__(self, fn: Function, plan: Plan) -> None:
        self.fn, self.plan = fn, plan
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.known: dict[str, Atom] = {}
        self.arrays: dict[str, Cells] = {}
        self.cells: list[Atom] = []
        self.hints: list[str] = []
        self.members: dict[str, list[int]] = {c: [] for c in plan.classes}
        self.copying = 0  # unrolled loops around the statement in hand

    def function(self) -> Function:
        body = self.block(self.fn.body)
        return replace(self.fn, body=body)

    # names
    def use(self, a: Atom) -> Atom:
        return self.known.get(a.name, a) if isinstance(a, Var) else a

    def define(self, v: Var) -> Var:
        """The variable itself; in an unrolled loop one of its own for each copy."""
        if not self.copying:
            return v
        new = self.known[v.name] = self.b.var(v.hint or v.name, v.type)
        return new

    def taken(self, a: Atom) -> str | None:
        """The class of a reference that is taken apart."""
        if not isinstance(a, Var) or not isinstance(a.type, ArrayT):
            return None
        root = self.plan.aliases.root(a)
        return root if root in self.plan.classes else None

    # cells
    def fresh(self, v: Var, values: Iterable[Atom], shape: tuple[int, ...], root: str) -> None:
        """New cells for an array."""
        old = self.arrays.get(v.name)  # of an earlier copy of an unrolled loop
        if old is not None:
            self.members[root] = [k for k in self.members[root] if k not in old]
        start = len(self.cells)
        self.cells += values
        count = len(self.cells) - start
        self.arrays[v.name] = np.arange(start, start + count).reshape(shape)
        self.members[root] += range(start, start + count)
        self.hints += names(v, shape)

    def forget(self, count: int) -> None:
        """Only the first cells are still there: a block has ended."""
        for root, cells in self.members.items():
            self.members[root] = [k for k in cells if k < count]

    def cell(self, v: Var, index: tuple[Atom, ...]) -> int:
        """The cell at constant positions."""
        at = tuple(self.constant(i) for i in index)
        try:
            return int(self.arrays[v.name][at])
        except IndexError:
            raise _Outside(self.plan.aliases.root(v)) from None

    def constant(self, a: Atom | None) -> int | None:
        if a is None:
            return None
        a = self.use(a)
        assert isinstance(a, Const)
        return int(a.value)

    # statements
    def block(self, b: Block) -> Block:
        """A block that yields what it yields, references as they are."""
        with self.b.block() as stmts:
            for s in b.stmts:
                self.statement(s)
        return Block(tuple(stmts), tuple(map(self.use, b.yields)))

    def statement(self, s: Stmt) -> None:
        self.b.loc = s.loc
        match s:
            case If():
                self.branch(s)
            case For() if s.index.name in self.plan.unroll:
                self.copies(s)
            case For() | While():
                self.loop(s)
            case Op():
                self.operation(s)
            case Alloc() if root := self.taken(s.target):
                self.alloc(s, root)
            case View() if self.taken(s.base):
                self.arrays[s.target.name] = self.view(s)
            case Dim() if self.taken(s.array):
                self.known[s.target.name] = Const(self.arrays[s.array.name].shape[s.axis], I8)
            case Load() if self.taken(s.array):
                self.known[s.target.name] = self.cells[self.cell(s.array, s.index)]
            case Store() if self.taken(s.array):
                self.write(s, self.use(s.value))
            case Accumulate() if self.taken(s.array):
                before = self.cells[self.cell(s.array, s.index)]
                self.write(s, self.b.op("add", before, self.use(s.value)))
            case _:
                self.b.emit(rewrite(s, self.use, self.define))

    def operation(self, s: Op) -> None:
        """A scalar operation, computed where it says which element."""
        args = tuple(map(self.use, s.args))
        value = fold(s.op, args) if s.target.type == I8 else None
        if isinstance(value, Const):
            self.known[s.target.name] = value
        else:
            self.b.emit(replace(s, args=args, target=self.define(s.target)))

    def alloc(self, s: Alloc, root: str) -> None:
        assert isinstance(s.target.type, ArrayT)
        shape = tuple(int(n.value) for n in s.shape if isinstance(n, Const))
        zero = zero_of(s.target.type.element)
        self.fresh(s.target, [zero] * int(np.prod(shape)), shape, root)

    def write(self, s: Store | Accumulate, value: Atom) -> None:
        assert isinstance(s.array.type, ArrayT)
        k = self.cell(s.array, s.index)
        self.cells[k] = self.b.cast(value, s.array.type.element, hint=self.hints[k])

    def view(self, s: View) -> Cells:
        """The cells of a view."""
        base = self.arrays[s.base.name]
        if s.kind == "transpose":
            return base.transpose(s.spec)
        if s.kind == "reshape":
            return base.reshape([self.constant(n) for n in s.spec])  # type: ignore[misc]
        if s.kind == "same":
            return base
        assert s.kind == "index", s.kind
        items: list[int | slice | None] = []
        for kind, *parts in s.spec:
            numbers = [self.constant(p) for p in parts]
            items.append(None if kind == "new" else numbers[0] if kind == "at" else slice(*numbers))
        try:
            return base[tuple(items)]
        except IndexError:
            raise _Outside(self.plan.aliases.root(s.base)) from None

    # control flow
    def copies(self, s: For) -> None:
        """An unrolled loop."""
        start, stop, step = (self.constant(a) for a in (s.start, s.stop, s.step))
        assert start is not None and stop is not None and step is not None
        values: list[Atom] = [c.init for c in s.carried]
        self.copying += 1
        for i in range(start, stop, step):
            self.known[s.index.name] = Const(i, I8)
            self.bind([c.arg for c in s.carried], values)
            for t in s.body.stmts:
                self.statement(t)
            values = list(s.body.yields)
        self.copying -= 1
        self.bind([c.result for c in s.carried], values)

    def bind(self, variables: Iterable[Var], values: Sequence[Atom]) -> None:
        """Variables that stand for values, or for arrays; all at once."""
        found = [self.arrays.get(a.name) if isinstance(a, Var) else None for a in values]
        known = [self.use(a) for a in values]
        for v, cells, a in zip(variables, found, known, strict=True):
            if cells is not None:
                self.arrays[v.name] = cells
            else:
                self.known[v.name] = a

    def spread(self, values: Iterable[Atom]) -> list[Atom]:
        """Values, those of its cells for each array."""
        out: list[Atom] = []
        for a in values:
            if self.taken(a):
                assert isinstance(a, Var)
                out += [self.cells[k] for k in self.arrays[a.name].ravel()]
            else:
                out.append(self.use(a))
        return out

    def binders(self, variables: Iterable[Var], like: Iterable[Atom]) -> list[Var]:
        """Variables for values, one for each cell of an array; and the arrays with new cells."""
        out: list[Var] = []
        for v, a in zip(variables, like, strict=True):
            root = self.taken(v)
            if root is None:
                out.append(self.define(v))
                continue
            assert isinstance(a, Var) and isinstance(v.type, ArrayT)
            shape = self.arrays[a.name].shape
            new = [self.b.var(n, v.type.element) for n in names(v, shape)]
            self.fresh(v, new, shape, root)
            out += new
        return out

    def branch(self, s: If) -> None:
        """A branch; cells that differ after it are results of it."""
        cond, before = self.use(s.cond), list(self.cells)
        sides = []
        for inner in (s.then, s.orelse):
            self.cells[: len(before)] = before
            with self.b.block() as stmts:
                for t in inner.stmts:
                    self.statement(t)
            sides.append((stmts, self.spread(inner.yields), self.cells[: len(before)]))
            self.forget(len(before))
        (then, yields, after), (orelse, others, after_else) = sides
        self.cells[: len(before)] = before
        results = self.binders(s.results, s.then.yields)
        for k, (a, b) in enumerate(zip(after, after_else, strict=True)):
            self.cells[k] = a
            if key(a) != key(b):
                self.cells[k] = new = self.b.var(self.hints[k], a.type)
                results.append(new)
                yields.append(a)
                others.append(b)
        blocks = Block(tuple(then), tuple(yields)), Block(tuple(orelse), tuple(others))
        self.b.loc = s.loc
        self.b.if_(cond, *blocks, tuple(results))

    def written(self, b: Block) -> list[int]:
        """Cells made so far that a block may write."""
        classes = {self.taken(s.array) for s in statements(b) if isinstance(s, (Store, Accumulate))}
        return sorted(k for c in classes if c is not None for k in self.members[c])

    def loop(self, s: For | While) -> None:
        """A loop; it carries the cells that it may write."""
        cells, count = self.written(s.body), len(self.cells)
        inits = self.spread(c.init for c in s.carried) + [self.cells[k] for k in cells]
        operands: dict[str, Any] = {}
        if isinstance(s, For):
            operands = {n: self.use(getattr(s, n)) for n in ("start", "stop", "step")}
            operands["index"] = self.define(s.index)
        keep = keeping(s, self.use)
        args = self.binders((c.arg for c in s.carried), (c.init for c in s.carried))
        args += self.own(cells)
        with self.b.block() as stmts:
            for t in s.body.stmts:
                self.statement(t)
        yields = self.spread(s.body.yields) + [self.cells[k] for k in cells]
        self.forget(count)
        results = self.binders((c.result for c in s.carried), (c.init for c in s.carried))
        results += self.own(cells)
        carried = tuple(map(Carried, results, args, inits))
        body = Block(tuple(stmts), tuple(yields))
        self.b.emit(replace(s, carried=carried, body=body, keep=keep, **operands))

    def own(self, cells: Iterable[int]) -> list[Var]:
        """A variable of its own for each cell, which has its value from here on."""
        out = []
        for k in cells:
            kind = self.cells[k].type
            assert isinstance(kind, Scalar)
            self.cells[k] = new = self.b.var(self.hints[k], kind)
            out.append(new)
        return out


def names(v: Var, shape: tuple[int, ...]) -> list[str]:
    """What the elements of an array are called.

    >>> names(Var("r", ArrayT("f8", 2)), (2, 2)), names(Var("k1", ArrayT("f8", 1)), (2,))
    (['r00', 'r01', 'r10', 'r11'], ['k1_0', 'k1_1'])
    """
    base = v.hint or v.name
    base += "_" if base[-1].isdigit() else ""
    return [base + "".join(map(str, place)) for place in np.ndindex(shape)]
