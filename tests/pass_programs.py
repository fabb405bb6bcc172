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
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Block, Carried, For, Function, If, While
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, F8, I8, ArrayT, Type
from tests.pass_statements import MATRIX, PARAMS, STRIDED, VECTOR, Statements

RESULTS = (F8, F8, F8, F8, I8, I8, I8, B1, B1)


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


class _Generator(Statements):
    """Programs; the helper calls nobody."""

    def __init__(
        self, rng: random.Random, name: str, budget: int, callees: dict[str, Function]
    ) -> None:
        super().__init__(rng, callees if name == "main" else {})
        self.name = name
        self.budget = budget
        self.program = callees
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
        return Function(self.name, params, Block(tuple(self.b.stack[0]), yields), self.program)

    def statement(self) -> None:
        """One random statement."""
        self.budget -= 1
        simple = [
            self.float_op,
            self.int_op,
            self.bool_op,
            self.load,
            self.load,
            self.load,
            self.store,
            self.store,
            self.store,
            self.view,
            self.copy,
            self.alloc,
            self.dim,
            self.list_of_numbers,
            self.rows,
            self.product,
            self.chain,
        ]
        compound = [
            self.if_,
            self.for_,
            self.while_,
            self.counters,
            self.search,
            self.refine,
            self.reread,
            self.reread,
        ]
        rare = [self.check, self.print, self.call]
        r = self.rng.random()
        if r < 0.25 and self.depth < 3 and self.budget > 2:
            self.rng.choice(compound)()
        elif r < 0.29:
            self.rng.choice(rare)()
        else:
            self.rng.choice(simple)()

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
        cond = self.raw_op(name, *(p, q)[: PRIMITIVES[name].arity])
        parts = []
        for _ in range(2):
            with self.inner() as stmts:
                self.body()
                again = self.b.var("r", F8)
                self.b.emit(
                    If(
                        self.rng.choice([p, q, cond]),
                        Block((), (self.atom(F8),)),
                        Block((), (self.atom(F8),)),
                        (again,),
                    )
                )
                flag = self.rng.choice([p, q, cond, const(True), const(False)])
            parts.append(Block(tuple(stmts), (again, flag)))
        results = (self.b.var("r", F8), self.b.var("r", B1))
        self.b.emit(If(cond, parts[0], parts[1], results))
        self.scope += results

    def reread(self) -> None:
        """An element read before, in and after a block that may write it under another name."""
        array, index = self.element()
        assert isinstance(array.type, ArrayT)
        alias = self.rng.choice(self.visible(lambda t: t == array.type))
        first = self.note(self.b.load(array, *index))
        parts = []
        for _ in range(2):
            with self.inner() as stmts:
                again = self.note(self.b.load(array, *index))
                self.body()
                if self.rng.random() < 0.6:
                    where = index if alias == array else (ZERO,) * array.type.ndim
                    self.b.store(alias, where, self.atom(array.type.element))
                last = self.note(self.b.load(array, *index))
            parts.append(Block(tuple(stmts), (self.rng.choice([again, last]),)))
        out = self.b.var("r", array.type.element)
        if self.rng.random() < 0.4:
            self.b.emit(If(self.atom(B1), parts[0], parts[1], (out,)))
        else:
            carried = Carried(out, self.b.var("c", out.type), first)
            index_ = self.b.var("i", I8)
            self.b.emit(For(index_, ZERO, const(2), ONE, (carried,), parts[0]))
        self.scope.append(out)
        self.note(self.b.load(array, *index))

    def carry(self, types: list[Type]) -> tuple[Carried, ...]:
        """Carried variables that start with operands from the scope."""
        return tuple(
            Carried(self.b.var("c_out", t), self.b.var("c", t), self.operand(t)) for t in types
        )

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
            inner = tuple(
                Carried(self.b.var("q_out", I8), self.b.var("q", I8), c.arg) for c in outer
            )
            stop = self.rng.choice([const(2), const(3), self.bound()])
            with self.inner() as inner_stmts:
                self.scope += [j, *(c.arg for c in inner)]
                self.body()
                name = self.rng.choice(["add", "sub"])
                yields = tuple(
                    self.b.op(name, *self.rng.choice([(c.arg, a), (a, c.arg)]))
                    for c, a in zip(inner, amounts, strict=True)
                )
            self.b.emit(For(j, ZERO, stop, step, inner, Block(tuple(inner_stmts), yields)))
            self.scope += [c.result for c in inner]
            self.body()
            last = tuple(
                self.rng.choice([c.result, self.b.op("add", c.result, ONE)]) for c in inner
            )
        start, step = self.bound(), const(self.rng.choice([1, 1, 2, -1]))
        self.b.emit(For(i, start, self.bound(), step, outer, Block(tuple(stmts), last)))
        self.scope += [c.result for c in outer]
