"""Random small programs in the IR, to compare backends and passes with each other.

``random_function(rnd)`` takes anything with the methods of ``random.Random`` (Hypothesis has
one that shrinks) and gives a verified function together with arguments for it.  Operations are
exactly rounded ones, so that all backends must agree to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, Const, Function, Loc, Print, Var
from srcad.ir.types import B1, F4, F8, I8, ArrayT, ListT, Scalar, Type

SCALARS = (F8, F8, F8, F4, I8, I8, B1)
HINTS = ("x", "s", "t", "i", "u", "acc")
VECTOR, STRIDED, MATRIX = ArrayT("f8", 1), ArrayT("f8", 1, "A"), ArrayT("f8", 2)
SIZE = 3  # every axis; indices are taken modulo this
OPS: dict[Scalar, tuple[str, ...]] = {
    F8: ("add", "sub", "mul", "truediv", "min", "max", "neg", "abs", "sqrt", "select", "f8"),
    F4: ("add", "sub", "mul", "neg", "abs", "select", "f4", "square"),
    I8: ("add", "sub", "mul", "floordiv", "mod", "neg", "select", "i8b", "min", "bitand"),
    B1: ("lt", "le", "gt", "eq", "ne", "and", "or", "not", "isnan"),
}
PARAMS = (
    Var("x", F8, "x"),
    Var("y", F8, "y"),
    Var("n", I8, "n"),
    Var("p", B1, "p"),
    Var("a", VECTOR, "a"),
    Var("b", VECTOR, "b"),
    Var("m", MATRIX, "m"),
    Var("k", ArrayT("i4", 1), "k"),
    Var("h", ArrayT("f4", 1), "h"),
)


def random_function(rnd: Any, statements: int = 9) -> Function:
    """A random function of ``PARAMS`` that returns a few scalars."""
    return _Maker(rnd).function(statements)


def arguments(seed: int) -> tuple:
    """Fresh arguments for a random function."""
    rng = np.random.default_rng(seed)
    return (
        float(rng.normal()),
        float(rng.normal()),
        int(rng.integers(-1, 5)),
        bool(rng.integers(2)),
        rng.normal(size=SIZE),
        rng.normal(size=SIZE),
        rng.normal(size=(SIZE, SIZE)),
        rng.integers(-4, 5, SIZE).astype(np.int32),
        rng.normal(size=SIZE).astype(np.float32),
    )


class _Maker:
    def __init__(self, rnd: Any) -> None:
        self.rnd = rnd
        self.b = Builder(Namer([p.name for p in PARAMS]), Loc("user.py", 1, function="f"))
        self.scope: list[Var] = list(PARAMS)

    def function(self, count: int) -> Function:
        self.block(count, 0)
        yields = tuple(self.atom(t) for t in (F8, F8, I8, B1, F4))
        return Function("f", PARAMS, Block(tuple(self.b.stack[0]), yields))

    # choosing
    def pick(self, t: Type) -> Var | None:
        known = [v for v in self.scope if v.type == t]
        return self.rnd.choice(known[-6:] if self.rnd.random() < 0.7 else known) if known else None

    def atom(self, t: Scalar) -> Atom:
        v = self.pick(t)
        if v is not None and self.rnd.random() < 0.85:
            return v
        value = {
            F8: self.rnd.choice([0.0, -1.5, 2.0, -0.0, 0.25]),
            F4: 0.5,
            I8: self.rnd.choice([0, 1, -1, 2, 3, -7]),
            B1: self.rnd.random() < 0.5,
        }[t]
        return const(value, t)

    def hint(self) -> str:
        return self.rnd.choice(HINTS)

    def index(self) -> Atom:
        if self.rnd.random() < 0.3:
            return const(self.rnd.randrange(-SIZE, SIZE))
        return self.b.op("mod", self.atom(I8), const(SIZE), hint=self.hint())

    def learn(self, a: Atom) -> None:
        if isinstance(a, Var):
            self.scope.append(a)

    # statements
    def block(self, count: int, depth: int) -> None:
        for _ in range(count):
            kinds = ["op"] * 6 + ["load", "load", "store", "accumulate", "view", "list", "alloc"]
            kinds += ["if", "for", "while"] if depth < 3 else []
            if self.rnd.random() < 0.2:
                line = self.rnd.randrange(1, 5)
                self.b.loc = Loc("user.py", line, role=self.rnd.choice(["primal", "adjoint"]))
            getattr(self, self.rnd.choice(kinds))(depth)

    def inner(self, depth: int) -> None:
        self.block(self.rnd.randrange(0, 5), depth + 1)

    def op(self, depth: int) -> None:
        kind = self.rnd.choice(SCALARS)
        name = self.rnd.choice(OPS[kind])
        args: tuple[Atom, ...]
        if name in ("lt", "le", "gt", "eq", "ne"):
            t = self.rnd.choice([F8, I8])
            args = (self.atom(t), self.atom(t))
        elif name == "select":
            args = (self.atom(B1), self.atom(kind), self.atom(kind))
        elif name in ("neg", "abs", "sqrt", "not", "square"):
            args = (self.atom(kind),)
        elif name == "isnan":
            args = (self.atom(F8),)
        elif name == "i8b":
            name, args = "i8", (self.atom(B1),)
        elif name in ("f8", "f4"):
            args = (self.atom(self.rnd.choice([F8, F4, I8])),)
        elif kind == F8 and self.rnd.random() < 0.2:
            args = (self.atom(F8), self.atom(self.rnd.choice([I8, F4])))
        else:
            args = (self.atom(kind), self.atom(kind))
        self.learn(self.b.op(name, *args, hint=self.hint()))

    def array(self) -> Var:
        known = [v for v in self.scope if isinstance(v.type, ArrayT)]
        return self.rnd.choice(known)

    def load(self, depth: int) -> None:
        v = self.array()
        assert isinstance(v.type, ArrayT)
        index = tuple(self.index() for _ in range(v.type.ndim))
        self.learn(self.b.load(v, *index, hint=self.hint()))

    def store(self, depth: int) -> None:
        v = self.array()
        assert isinstance(v.type, ArrayT)
        index = tuple(self.index() for _ in range(v.type.ndim))
        self.b.store(v, index, self.value(v.type))

    def accumulate(self, depth: int) -> None:
        v = self.array()
        assert isinstance(v.type, ArrayT)
        index = tuple(self.index() for _ in range(v.type.ndim))
        self.b.accumulate(v, index, self.value(v.type))

    def value(self, t: ArrayT) -> Atom:
        if t.element == I8:
            return self.b.op("mod", self.atom(I8), const(1000))
        return self.atom(t.element)

    def view(self, depth: int) -> None:
        base = self.pick(MATRIX)
        assert base is not None
        every = ("slice", None, None, None)
        spec, t = self.rnd.choice(
            [
                ((("at", self.index()),), VECTOR),
                ((every, ("at", self.index())), STRIDED),
                ((("at", self.index()), ("slice", None, None, const(-1))), STRIDED),
            ]
        )
        self.learn(self.b.view(base, "index", spec, t, hint=self.hint()))

    def alloc(self, depth: int) -> None:
        self.learn(self.b.alloc(VECTOR, (const(SIZE),), hint=self.hint()))

    def list(self, depth: int) -> None:
        t = ListT(F8)
        v = self.pick(t)
        if v is None or self.rnd.random() < 0.2:
            v = self.b.alloc(t, (), hint="tape")
            self.b.reserve(v, const(SIZE))
            self.learn(v)
        if self.rnd.random() < 0.5:
            self.b.store(v, (self.index(),), self.atom(F8))
        else:
            self.learn(self.b.load(v, self.index(), hint=self.hint()))
        if self.rnd.random() < 0.2:
            self.b.reserve(v, self.index())
            self.learn(self.b.dim(v, 0))

    # control flow
    def scoped(self, known: list[Var], depth: int, types: list[Type]) -> Block:
        """A block with random contents that yields values of the given types."""
        before = list(self.scope)
        self.scope += known
        with self.b.block() as stmts:
            self.inner(depth)
            yields = tuple(self.any(t) for t in types)
        self.scope = before
        return Block(tuple(stmts), yields)

    def any(self, t: Type) -> Atom:
        if isinstance(t, Scalar):
            return self.atom(t)
        v = self.pick(t)
        assert v is not None
        return v

    def types(self) -> list[Type]:
        return [self.rnd.choice([*SCALARS, VECTOR]) for _ in range(self.rnd.randrange(0, 4))]

    def make_if(self, depth: int) -> None:
        types, hint = self.types(), self.hint()
        cond = self.atom(B1)
        arms = [self.scoped([], depth, types) for _ in range(2)]
        results = tuple(self.b.var(hint, t) for t in types)
        self.b.if_(cond, arms[0], arms[1], results)
        self.scope += results

    def carry(self, types: list[Type]) -> tuple[list[Var], list[Var], list[Atom]]:
        inits = [self.any(t) for t in types]
        args = [self.b.var(self.hint(), t) for t in types]
        return args, [self.b.var(v.hint, v.type) for v in args], inits

    def make_for(self, depth: int) -> None:
        breaks = self.rnd.random() < 0.3
        types = [B1, *self.types()] if breaks else self.types()
        args, results, inits = self.carry(types)
        i = self.b.var("i", I8)
        start, stop, step = self.rnd.choice(
            [
                (ZERO, const(3), ONE),
                (const(2), const(-1), const(-1)),
                (ONE, const(4), const(2)),
                (ZERO, ZERO, ONE),
                (ZERO, Var("n", I8, "n"), ONE),
                (ONE, self.index(), ONE),
            ]
        )
        body = self.scoped([i, *args], depth, types)
        carried = tuple(Carried(r, a, z) for r, a, z in zip(results, args, inits, strict=True))
        self.b.for_(i, start, stop, step, carried, body, breaks)
        self.scope += results

    def make_while(self, depth: int) -> None:
        """A loop of at most three turns: a counter is its first value after the flag."""
        types = self.types()
        args, results, inits = self.carry([B1, I8, *types])
        count = args[1]
        before = list(self.scope)
        first = self.b.op("lt", inits[1], const(5))
        self.scope += args
        with self.b.block() as stmts:
            self.inner(depth)
            more = self.b.op("add", self.b.op("max", count, const(2)), ONE, hint="count")
            again = self.b.op("lt", more, const(5))
            yields = (again, more, *(self.any(t) for t in types))
        self.scope = before
        carried = tuple(
            Carried(r, a, z) for r, a, z in zip(results, args, [first, *inits[1:]], strict=True)
        )
        self.b.while_(carried, Block(tuple(stmts), yields))
        self.scope += results


for _name in ("if", "for", "while"):
    setattr(_Maker, _name, getattr(_Maker, "make_" + _name))

__all__ = ["PARAMS", "Const", "Print", "arguments", "random_function"]
