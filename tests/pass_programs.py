"""Random programs in the IR for testing passes: full of what passes look for, seeded.

In: a seed.  Out: a ``Function`` with parameters ``(x: f8, n: i8, flag: b1, a, b: f8[:],
m: f8[:,:], k: i4[:])`` and arguments for it.  Programs nest counted loops (with and without
breaks), conditional loops and branches, carry scalars and array references, write through views
and references that come out of branches, loops and lists, and call a helper that does the same.
They contain copies, known conditions, equal expressions, counters, values and stores that nobody
reads.

Invariant: every program terminates and stays inside its arrays (positions are taken modulo the
size; no axis is empty), and only a ``Check`` may raise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate, Atom, Block, Call, Carried, Check, For, Function, If, Op, Print, Store, Var, While,
)
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, F8, I8, ArrayT, ListT, Type

VECTOR, STRIDED, MATRIX, INTS = (
    ArrayT("f8", 1), ArrayT("f8", 1, "A"), ArrayT("f8", 2), ArrayT("i4", 1))
NUMBERS, ROWS = ListT(F8), ListT(VECTOR)
PARAMS = (("x", F8), ("n", I8), ("flag", B1), ("a", VECTOR), ("b", VECTOR), ("m", MATRIX),
          ("k", INTS))
RESULTS = (F8, F8, F8, F8, I8, I8, I8, B1, B1)
FULL = ("slice", None, None, None)
FLOAT_OPS = ("add", "sub", "mul", "truediv", "neg", "neg", "sin", "tanh", "min", "max", "select",
             "select", "abs", "copysign")
INT_OPS = ("add", "add", "sub", "sub", "mul", "floordiv", "mod", "neg", "min", "max", "bitand",
           "select", "bitxor")
BOOL_OPS = ("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "not", "not", "select")


def program(seed: int, statements: int = 30) -> tuple[Function, list[Any]]:
    """A random program and arguments for it (the two vectors are sometimes the same array)."""
    rng = random.Random(seed)
    callees: dict[str, Function] = {}
    if rng.random() < 0.3:
        callees["helper"] = _Generator(rng, "helper", statements // 3, callees).function()
    fn = _Generator(rng, "main", statements, callees).function()
    draw = np.random.default_rng(seed)
    a, b = (draw.normal(size=draw.integers(1, 5)) for _ in "ab")
    if rng.random() < 0.2:
        b = a
    m = draw.normal(size=draw.integers(1, 4, 2))
    k = draw.integers(-3, 6, draw.integers(1, 5), "i4")
    x = draw.choice([draw.normal(), draw.normal(), np.nan, 0.0])
    return fn, [float(x), int(draw.integers(-1, 5)), bool(draw.integers(2)), a, b, m, k]


class _Generator:
    """Emits through a ``Builder``; ``scope`` has the variables visible in the block in hand."""

    def __init__(self, rng: random.Random, name: str, budget: int,
                 callees: dict[str, Function]) -> None:
        self.rng = rng
        self.name = name
        self.budget = budget
        self.callees = callees
        self.b = Builder(Namer())
        self.scope: list[Var] = []
        self.elements: list[tuple[Var, tuple[Atom, ...]]] = []  # addressed lately
        self.depth = 0

    def function(self) -> Function:
        """The whole program; it returns some numbers and a vector."""
        params = tuple(self.b.var(n, t) for n, t in PARAMS)
        self.scope += params
        while self.budget > 0:
            self.statement()
        yields: tuple[Atom, ...] = (self.atom(F8), self.atom(I8))
        if self.name == "main":
            yields = (*map(self.atom, RESULTS), self.vector())
        return Function(self.name, params, Block(tuple(self.b.stack[0]), yields), self.callees)

    # operands
    def visible(self, wanted: Callable[[Type], bool]) -> list[Var]:
        """Variables in scope with such a type."""
        return [v for v in self.scope if wanted(v.type)]

    def atom(self, t: Type) -> Atom:
        """An operand: mostly a recent variable, sometimes a constant."""
        found = self.visible(lambda u: u == t)
        if not found or self.rng.random() < 0.15:
            r = self.rng
            if t == F8:
                return const(r.choice([0.0, -0.0, 1.0, 2.5, -1.0]))
            return const(r.choice([True, False])) if t == B1 else const(r.choice([0, 1, 2, 3, -1]))
        return found[-1 - int(len(found) * self.rng.random() ** 3)]

    def array(self, wanted: Callable[[ArrayT], bool] = lambda t: True) -> Var:
        """An array in scope."""
        return self.rng.choice(self.visible(lambda t: isinstance(t, ArrayT) and wanted(t)))

    def vector(self) -> Var:
        """A contiguous vector in scope."""
        return self.array(lambda t: t == VECTOR)

    def operand(self, t: Type) -> Atom:
        """A scalar or an array of this type."""
        return self.array(lambda u: u == t) if isinstance(t, ArrayT) else self.atom(t)

    def note(self, a: Atom) -> Atom:
        """Make a new variable visible."""
        if isinstance(a, Var):
            self.scope.append(a)
        return a

    def position(self, size: Atom) -> Atom:
        """A position inside an axis, counted from either end."""
        r = self.rng.random()
        if r < 0.5:
            return ZERO
        i = self.b.op("mod", self.atom(I8), size)
        return self.b.op("sub", i, size) if r < 0.6 else i

    def index(self, array: Var) -> tuple[Atom, ...]:
        """A position in each axis of an array."""
        assert isinstance(array.type, ArrayT)
        return tuple(self.position(self.b.dim(array, k)) for k in range(array.type.ndim))

    def element(self) -> tuple[Var, tuple[Atom, ...]]:
        """An array and a position, often one that was addressed before."""
        if not self.elements or self.rng.random() < 0.4:
            array = self.array()
            self.elements.append((array, self.index(array)))
            return self.elements[-1]
        array, index = self.rng.choice(self.elements[-4:])
        alike = self.visible(lambda t: t == array.type)
        if self.rng.random() < 0.3 and all(a == ZERO for a in index):
            array = self.rng.choice(alike)
        return array, index

    # statements
    def statement(self) -> None:
        """One random statement."""
        self.budget -= 1
        simple = [self.float_op, self.int_op, self.bool_op, self.load, self.load, self.load,
                  self.store, self.store, self.store, self.view, self.copy, self.alloc, self.dim,
                  self.list_of_numbers, self.rows, self.product, self.chain]
        compound = [self.if_, self.for_, self.while_, self.counters, self.search, self.refine]
        rare = [self.check, self.print, self.call]
        r = self.rng.random()
        if r < 0.25 and self.depth < 3 and self.budget > 2:
            self.rng.choice(compound)()
        elif r < 0.29:
            self.rng.choice(rare)()
        else:
            self.rng.choice(simple)()

    def raw_op(self, name: str, *args: Atom) -> Var:
        """An operation as it stands, not folded by the builder."""
        target = self.b.var("t", PRIMITIVES[name].result_type(*(a.type for a in args)))
        self.b.emit(Op(target, name, args))
        self.note(target)
        return target

    def _op(self, name: str, t: Type) -> None:
        if name == "select":
            self.raw_op(name, self.atom(B1), self.atom(t), self.atom(t))
        elif self.rng.random() < 0.1 and PRIMITIVES[name].arity == 2:
            self.raw_op(name, *(self.atom(t),) * 2)
        else:
            self.raw_op(name, *(self.atom(t) for _ in range(PRIMITIVES[name].arity)))

    def float_op(self) -> None:
        """Arithmetic on floats."""
        self._op(self.rng.choice(FLOAT_OPS), F8)

    def int_op(self) -> None:
        """Arithmetic on integers."""
        self._op(self.rng.choice(INT_OPS), I8)

    def bool_op(self) -> None:
        """A comparison or a connective."""
        name = self.rng.choice(BOOL_OPS)
        connective = name in ("and", "or", "not", "select")
        self._op(name, B1 if connective else self.rng.choice([F8, I8]))

    def chain(self) -> None:
        """Operations on the result of the one before, as rules look for them."""
        t = self.rng.choice([F8, I8])
        cond = self.raw_op(self.rng.choice(["lt", "ge", "eq", "ne"]), self.atom(t), self.atom(t))
        negated = self.raw_op("not", cond)
        self.raw_op("select", negated, self.atom(t), self.atom(t))
        self.raw_op("select", self.atom(B1), const(False), const(True))
        i = self.atom(I8)
        for name in ("add", "sub", "sub"):
            i = self.raw_op(name, i, const(self.rng.randint(-2, 2)))
        self.raw_op(self.rng.choice(["sub", "bitxor", "lt"]), i, self.atom(I8))
        self.raw_op("neg", self.raw_op("neg", self.atom(t)))

    def load(self) -> None:
        """An element."""
        array, index = self.element()
        self.note(self.b.load(array, *index))

    def store(self) -> None:
        """An element written or added to, and perhaps read again."""
        array, index = self.element()
        assert isinstance(array.type, ArrayT)
        value = self.atom(array.type.element)
        self.b.emit(self.rng.choice([Store, Store, Accumulate])(array, index, value))
        if self.rng.random() < 0.3:
            self.note(self.b.load(array, *index))

    def view(self) -> None:
        """A view of any kind."""
        base = self.array()
        assert isinstance(base.type, ArrayT)
        kind, spec = self.rng.choice(self.views(base, base.type))
        t = view_layout(base.type, kind, spec)
        if t.ndim <= 2:
            self.note(self.b.view(base, kind, spec, t))

    def views(self, base: Var, t: ArrayT) -> list[tuple[str, tuple]]:
        """Specifications of views that are possible."""
        same: tuple[str, tuple] = ("same", ())
        backwards = ("slice", None, None, const(-1))
        start = ("slice", self.position(self.b.dim(base, 0)), None, None)
        rest = (FULL,) * (t.ndim - 1)
        out = [same, ("index", (backwards, *rest)), ("index", (start, *rest)),
               ("index", (FULL, *rest)), ("index", (("new",), FULL, *rest))]
        if t.ndim == 2:
            at = ("at", self.position(self.b.dim(base, 0)))
            out += [("transpose", (1, 0)), ("index", (at, FULL)), ("transpose", (0, 1))]
            if t.layout == "C":
                size = self.b.op("mul", self.b.dim(base, 0), self.b.dim(base, 1))
                out.append(("reshape", (size,)))
        return out

    def copy(self) -> None:
        """The same array under another name, perhaps with its layout forgotten."""
        base = self.array()
        assert isinstance(base.type, ArrayT)
        layout = self.rng.choice([base.type.layout, "A"])
        t = ArrayT(base.type.dtype, base.type.ndim, layout)
        self.note(self.b.view(base, "same", (), t))

    def alloc(self) -> None:
        """A fresh array."""
        t = self.rng.choice([VECTOR, VECTOR, MATRIX, INTS])
        self.note(self.b.alloc(t, tuple(self.size() for _ in range(t.ndim))))

    def size(self) -> Atom:
        """A size from one to five."""
        r = self.rng.random()
        if r < 0.4:
            return const(self.rng.randint(1, 4))
        if r < 0.7:
            return self.b.dim(self.array(), 0)
        return self.b.op("add", self.b.op("mod", self.atom(I8), const(4)), ONE)

    def dim(self) -> None:
        """A size as a value."""
        array = self.array()
        assert isinstance(array.type, ArrayT)
        self.note(self.b.dim(array, self.rng.randrange(array.type.ndim)))

    def list_of_numbers(self) -> None:
        """A list is made, or one in scope grown, written and read."""
        found = self.visible(lambda t: t == NUMBERS)
        if not found or self.rng.random() < 0.3:
            self.note(self.b.alloc(NUMBERS))
            return
        cells = self.rng.choice(found)
        self.b.reserve(cells, self.size())
        if self.rng.random() < 0.6:
            self.b.store(cells, (self.position(self.b.dim(cells, 0)),), self.atom(F8))
        if self.rng.random() < 0.6:
            self.note(self.b.load(cells, self.b.op("mod", self.atom(I8), self.b.dim(cells, 0))))
        if self.rng.random() < 0.3:
            self.note(self.b.dim(cells, 0))

    def rows(self) -> None:
        """A list of two vectors is made, or one in scope written or read."""
        found = self.visible(lambda t: t == ROWS)
        two = const(2)
        if not found or self.rng.random() < 0.3:
            rows = self.b.alloc(ROWS)
            self.b.reserve(rows, two)
            for k in range(2):
                self.b.store(rows, (const(k),), self.vector())
            self.note(rows)
            return
        rows = self.rng.choice(found)
        if self.rng.random() < 0.4:
            self.b.store(rows, (self.b.op("mod", self.atom(I8), two),), self.vector())
        else:
            row = self.b.load(rows, self.b.op("mod", self.atom(I8), two))
            self.note(row)
            self.elements.append((row, (ZERO,)))

    def product(self) -> None:
        """An array primitive."""
        m = self.array(lambda t: t.ndim == 2 and t.dtype == "f8")
        assert isinstance(m.type, ArrayT)
        transposed = self.b.view(m, "transpose", (1, 0), view_layout(m.type, "transpose", (1, 0)))
        self.note(self.b.array_op("matmul", (MATRIX,), transposed, m)[0])

    def check(self) -> None:
        """A check that mostly holds."""
        holds = self.b.op("or", self.atom(B1), self.b.op("lt", self.atom(I8), const(3)))
        self.b.emit(Check(holds, "ValueError", ("bad", self.atom(I8))))

    def print(self) -> None:
        """Output."""
        self.b.emit(Print(("value", self.atom(F8), self.atom(I8))))

    def call(self) -> None:
        """A call of the helper, if there is one."""
        if self.name == "main" and self.callees:
            args = tuple(self.operand(t) for _, t in PARAMS)
            results = (self.b.var("r", F8), self.b.var("r", I8))
            self.b.emit(Call(results, "helper", args))
            self.scope += results

    # control flow
    @contextmanager
    def inner(self) -> Iterator[list[Any]]:
        """A block with some statements; what it makes is not visible afterwards."""
        mark, addressed = len(self.scope), len(self.elements)
        self.depth += 1
        with self.b.block() as stmts:
            yield stmts
        self.depth -= 1
        del self.scope[mark:], self.elements[addressed:]

    def body(self) -> None:
        """A few statements."""
        for _ in range(self.rng.randint(0, 5)):
            self.statement()

    def carried_types(self) -> list[Type]:
        """Types of what a branch yields or a loop carries."""
        choices: list[Type] = [F8, F8, I8, I8, B1, VECTOR, VECTOR, MATRIX, STRIDED]
        wanted = self.rng.sample(choices, self.rng.randint(0, 3))
        return [t for t in wanted if t != STRIDED or self.visible(lambda u: u == STRIDED)]

    def if_(self) -> None:
        """A branch."""
        cond = self.atom(B1)
        types = self.carried_types()
        parts = []
        for _ in range(2):
            with self.inner() as stmts:
                self.body()
                yields = tuple(map(self.operand, types))
            parts.append(Block(tuple(stmts), yields))
        results = tuple(self.b.var("r", t) for t in types)
        self.b.emit(If(cond, parts[0], parts[1], results))
        self.scope += results

    def refine(self) -> None:
        """Branches whose conditions are known inside the branches around them."""
        p, q = self.atom(B1), self.atom(B1)
        name = self.rng.choice(["and", "or", "not"])
        cond = self.raw_op(name, *(p, q)[:PRIMITIVES[name].arity])
        parts = []
        for _ in range(2):
            with self.inner() as stmts:
                self.body()
                again = self.b.var("r", F8)
                self.b.emit(If(self.rng.choice([p, q, cond]), Block((), (self.atom(F8),)),
                               Block((), (self.atom(F8),)), (again,)))
                flag = self.rng.choice([p, q, cond, const(True), const(False)])
            parts.append(Block(tuple(stmts), (again, flag)))
        results = (self.b.var("r", F8), self.b.var("r", B1))
        self.b.emit(If(cond, parts[0], parts[1], results))
        self.scope += results

    def carry(self, types: list[Type]) -> tuple[Carried, ...]:
        """Carried variables that start with operands from the scope."""
        return tuple(Carried(self.b.var("c_out", t), self.b.var("c", t), self.operand(t))
                     for t in types)

    def next_of(self, c: Carried) -> Atom:
        """What the next trip gets: anything, the same again, or the start value."""
        return self.rng.choice([self.operand(c.arg.type), c.arg, self.operand(c.arg.type), c.init])

    def for_(self) -> None:
        """A counted loop, half of them with a way out."""
        breaks = self.rng.random() < 0.4
        step = const(self.rng.choice([1, 1, 1, 2, -1, -2]))
        start, stop = self.bound(), self.bound()
        carried = self.carry([B1] * breaks + self.carried_types())
        index = self.b.var("i", I8)
        with self.inner() as stmts:
            self.scope += [index, *(c.arg for c in carried)]
            self.body()
            yields = tuple(map(self.next_of, carried))
        body = Block(tuple(stmts), yields)
        self.b.emit(For(index, start, stop, step, carried, body, breaks))
        self.scope += [c.result for c in carried]

    def bound(self) -> Atom:
        """A small integer."""
        if self.rng.random() < 0.5:
            return const(self.rng.randint(-1, 3))
        return self.b.op("mod", self.atom(I8), const(4))

    def while_(self) -> None:
        """A conditional loop of at most four trips."""
        limit, one_more = const(self.rng.randint(0, 4)), self.atom(B1)
        first = self.b.op("lt", ZERO, limit) if self.rng.random() < 0.5 else one_more
        cond = Carried(self.b.var("w_out", B1), self.b.var("w", B1), first)
        count = Carried(self.b.var("j_out", I8), self.b.var("j", I8), ZERO)
        carried = self.carry(self.carried_types())
        with self.inner() as stmts:
            self.scope += [cond.arg, count.arg, *(c.arg for c in carried)]
            self.body()
            yields = tuple(map(self.next_of, carried))
            more = self.b.op("add", count.arg, ONE)
            again = self.b.op("and", self.b.op("lt", more, limit), self.atom(B1))
        body = Block(tuple(stmts), (again, more, *yields))
        self.b.emit(While((cond, count, *carried), body))
        self.scope += [cond.result, count.result, *(c.result for c in carried)]

    def search(self) -> None:
        """A loop that counts until something is found."""
        flag = Carried(self.b.var("found", B1), self.b.var("seen", B1), const(False))
        count = self.carry([I8])[0]
        index = self.b.var("i", I8)
        with self.inner() as stmts:
            self.scope += [index, flag.arg, count.arg]
            self.body()
            yields = (self.atom(B1), self.b.op("add", count.arg, ONE))
        body = Block(tuple(stmts), yields)
        self.b.emit(For(index, ZERO, const(3), ONE, (flag, count), body, breaks=True))
        self.scope += [flag.result, count.result]

    def counters(self) -> None:
        """Two nested loops that advance counters, as frontends make them for ``enumerate``."""
        types: list[Type] = [I8] * self.rng.randint(1, 2)
        outer = self.carry(types)
        amounts = [self.atom(I8) for _ in types]
        i, j = self.b.var("i", I8), self.b.var("i", I8)
        step = const(self.rng.choice([1, 1, 2, -1]))
        with self.inner() as stmts:
            self.scope += [i, *(c.arg for c in outer)]
            inner = tuple(Carried(self.b.var("q_out", I8), self.b.var("q", I8), c.arg)
                          for c in outer)
            stop = self.rng.choice([const(2), const(3), self.bound()])
            with self.inner() as inner_stmts:
                self.scope += [j, *(c.arg for c in inner)]
                self.body()
                name = self.rng.choice(["add", "sub"])
                yields = tuple(self.b.op(name, *self.rng.choice([(c.arg, a), (a, c.arg)]))
                               for c, a in zip(inner, amounts, strict=True))
            self.b.emit(For(j, ZERO, stop, step, inner, Block(tuple(inner_stmts), yields)))
            self.scope += [c.result for c in inner]
            self.body()
            last = tuple(self.rng.choice([c.result, self.b.op("add", c.result, ONE)])
                         for c in inner)
        start, step = self.bound(), const(self.rng.choice([1, 1, 2, -1]))
        self.b.emit(For(i, start, self.bound(), step, outer, Block(tuple(stmts), last)))
        self.scope += [c.result for c in outer]
