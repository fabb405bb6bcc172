"""Random programs in the IR with small arrays, for ``transforms.scalarise``.

In: a seed.  Out: a ``Function`` of ``(x: f8, n: i8, flag: b1, a: f8[:])`` and arguments for it.
Arrays of two to six elements, and views of them, are read and written at constant positions and at
the indices of short loops; they are written in branches and in loops of all kinds, and go round
loops and out of branches, complete or not, written afterwards or not.  Some are indexed by what is
not known, are returned or kept in lists, and must stay.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, Function, Var
from srcad.ir.types import B1, F8, I8, ArrayT

VECTOR = ArrayT("f8", 1)
KINDS = (VECTOR, VECTOR, ArrayT("f8", 2), ArrayT("f4", 1), ArrayT("i8", 1))


def program(seed: int, statements: int = 25) -> tuple[Function, list[Any]]:
    """A random program and arguments for it."""
    draw = np.random.default_rng(seed)
    args = [float(draw.normal()), int(draw.integers(0, 4)), bool(draw.integers(2))]
    return _Generator(random.Random(seed), statements).function(), [*args, draw.normal(size=3)]


class _Generator:
    def __init__(self, rng: random.Random, budget: int) -> None:
        self.rng, self.budget, self.depth = rng, budget, 0
        self.b = Builder(Namer())
        kinds = (("x", F8), ("n", I8), ("flag", B1), ("a", VECTOR))
        self.params = tuple(self.b.var(n, t) for n, t in kinds)
        self.x, self.n, self.flag, self.a = self.params
        self.floats: list[Atom] = [self.x, const(0.5)]
        self.arrays: list[tuple[Var, tuple[int, ...]]] = []
        self.short: list[tuple[Var, int]] = []  # loop indices and the first value out of range

    def function(self) -> Function:
        while self.budget > 0:
            self.statement()
        total: Atom = const(0.0)
        for v, shape in self.arrays:
            for place in np.ndindex(shape):
                total = self.b.op("add", total, self.b.load(v, *map(const, place)))
        leaving = [v for v, s in self.arrays if self.rng.random() < 0.1 and v.type == VECTOR]
        body = Block(tuple(self.b.stack[0]), (total, self.number(), *leaving[:1]))
        return Function("f", self.params, body)

    def statement(self) -> None:
        self.budget -= 1
        simple = [self.alloc, self.store, self.store, self.store, self.load, self.load, self.view]
        nested = [self.loop, self.loop, self.branch, self.short_loop, self.handed, self.chosen]
        if not self.arrays:
            self.alloc()
        else:
            self.rng.choice(simple + (nested if self.depth < 3 else []))()

    def number(self) -> Atom:
        return self.rng.choice(self.floats[-6:])

    def array(self) -> tuple[Var, tuple[int, ...]]:
        return self.rng.choice(self.arrays[-5:])

    def place(self, shape: tuple[int, ...]) -> tuple[Atom, ...]:
        return tuple(map(self.position, shape))

    def position(self, size: int) -> Atom:
        """A position on an axis; rarely one that is not known."""
        fits = [i for i, stop in self.short if stop <= size]
        r = self.rng.random()
        if fits and r < 0.7:
            return self.rng.choice(fits)
        if r > 0.985:
            return self.b.op("mod", self.n, const(size))
        if fits and r > 0.9:
            return self.b.op("sub", const(size - 1), self.rng.choice(fits))
        return const(self.rng.randrange(-size, size))

    # simple statements
    def alloc(self) -> None:
        t = self.rng.choice(KINDS)
        shape = tuple(self.rng.randrange(2, 4) for _ in range(t.ndim))
        self.arrays.append((self.b.alloc(t, tuple(map(const, shape)), hint="w"), shape))

    def store(self) -> None:
        v, shape = self.array()
        value = self.b.op(self.rng.choice(("add", "sub", "mul")), self.number(), self.number())
        if v.type.element == I8:  # type: ignore[union-attr]
            value = self.rng.choice([const(3), self.n])
        put = self.rng.choice((self.b.store, self.b.accumulate))
        value = self.b.cast(value, v.type.element)  # type: ignore[union-attr]
        put(v, self.place(shape), value)

    def load(self) -> None:
        v, shape = self.array()
        value: Atom = self.b.load(v, *self.place(shape))
        if v.type.element != F8:  # type: ignore[union-attr]
            value = self.b.op("f8", value)
        self.floats.append(self.b.op("sin", value))

    def view(self) -> None:
        v, shape = self.array()
        if len(shape) == 2 and self.rng.random() < 0.7:
            spec: tuple[Any, ...] = (("at", self.position(shape[0])),)
            t = VECTOR if v.type.layout == "C" else ArrayT("f8", 1, "A")  # type: ignore[union-attr]
            self.arrays.append((self.b.view(v, "index", spec, t), shape[1:]))
        elif len(shape) == 2:
            t = ArrayT("f8", 2, "F" if v.type.layout == "C" else "C")  # type: ignore[union-attr]
            self.arrays.append((self.b.view(v, "transpose", (1, 0), t), shape[::-1]))
        elif shape[0] > 1:
            spec = (("slice", const(1), None, None),)
            self.arrays.append((self.b.view(v, "index", spec, v.type), (shape[0] - 1,)))

    # blocks
    def block(self) -> tuple[Any, ...]:
        """Statements in a block, and a float that it makes."""
        known = len(self.floats), len(self.arrays)
        self.depth += 1
        with self.b.block() as stmts:
            for _ in range(self.rng.randrange(1, 4)):
                self.statement()
            result = self.number()
        self.depth -= 1
        del self.floats[known[0] :], self.arrays[known[1] :]
        return tuple(stmts), result

    def loop(self) -> None:
        """A loop that carries a float; of unknown or of fixed length, forwards or backwards."""
        arg, out, i = self.b.var("c", F8), self.b.var("c", F8), self.b.var("i", I8)
        init = self.number()
        bounds = self.rng.choice([(ZERO, self.n, ONE), (ZERO, const(2), ONE)])
        if self.rng.random() < 0.3:
            bounds = (const(1), const(-1), const(-1))
        self.floats.append(arg)
        fixed = bounds[1] != self.n
        self.short += [(i, 2)] * fixed
        stmts, result = self.block()
        del self.short[len(self.short) - fixed :]
        self.floats.remove(arg)
        self.b.for_(i, *bounds, (Carried(out, arg, init),), Block(stmts, (result,)))
        self.floats.append(out)

    def short_loop(self) -> None:
        """A conditional loop of a few turns, or one with a break, that carries nothing else."""
        k = self.b.var("k", I8)
        go, went = self.b.var("go", B1), self.b.var("went", B1)
        stmts, _ = self.block()
        if self.rng.random() < 0.5:
            with self.b.block() as end:
                again = self.b.op("ge", k, self.n)
            body = Block((*stmts, *end), (again,))
            carried = (Carried(went, go, const(False)),)
            self.b.for_(k, ZERO, const(3), ONE, carried, body, breaks=True)
            return
        out = self.b.var("k", I8)
        with self.b.block() as end:
            more = self.b.op("add", k, ONE)
            again = self.b.op("lt", more, self.n)
        start = self.b.op("lt", ZERO, self.n)
        carried = (Carried(went, go, start), Carried(out, k, ZERO))
        self.b.while_(carried, Block((*stmts, *end), (again, more)))

    def branch(self) -> None:
        out = self.b.var("r", F8)
        then, one = self.block()
        orelse, two = self.block()
        self.b.if_(self.flag, Block(then, (one,)), Block(orelse, (two,)), (out,))
        self.floats.append(out)

    def filled(self) -> Var:
        new = self.b.alloc(VECTOR, (const(2),), hint="u")
        for k in range(2):
            self.b.store(new, (const(k),), self.number())
        return new

    def handed(self) -> None:
        """References that go round a loop: a new array each time, or one and the same."""
        first, i = self.filled(), self.b.var("i", I8)
        arg, out = self.b.var("p", VECTOR), self.b.var("p", VECTOR)
        self.arrays.append((arg, (2,)))
        with self.b.block() as inside:
            before, _ = self.block()
            outer = self.rng.random() < 0.2
            new = first if outer else self.filled()
            if self.rng.random() < 0.2:
                self.b.store(new, (ONE,), self.b.load(arg, ZERO))
        self.arrays.pop()
        body = Block((*before, *inside), (new,))
        self.b.for_(i, ZERO, self.n, ONE, (Carried(out, arg, first),), body)
        self.arrays.append((out, (2,)))
        if self.rng.random() < 0.1:
            self.arrays.append((first, (2,)))

    def chosen(self) -> None:
        """A reference that comes out of a branch."""
        with self.b.block() as then:
            one = self.filled()
        v = self.filled()
        out = self.b.var("q", VECTOR)
        self.b.if_(self.flag, Block(tuple(then), (one,)), Block((), (v,)), (out,))
        self.arrays.append((out, (2,)))
        if self.rng.random() < 0.1:
            self.arrays.append((v, (2,)))
