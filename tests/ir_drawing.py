"""The first half of the random IR programs: what they are made of (see ``tests.ir_programs``)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from srcad.ir.build import Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Function, Loc, Var
from srcad.ir.types import F8, I8, ArrayT, ListT

VECTOR, MATRIX = ArrayT("f8", 1), ArrayT("f8", 2)
STRIDED = ArrayT("f8", 1, "A")
WHOLE = ("slice", None, None, None)


@dataclass
class Scope:
    """What is visible: floats, integers, arrays with their shapes, lists with their lengths."""

    floats: list[Atom] = field(default_factory=list)
    ints: list[Atom] = field(default_factory=list)
    arrays: list[tuple[Var, tuple[int, ...]]] = field(default_factory=list)
    lists: list[tuple[Var, int]] = field(default_factory=list)
    reflists: list[tuple[Var, int, tuple[int, ...]]] = field(default_factory=list)

    def copy(self) -> Scope:
        return Scope(
            list(self.floats),
            list(self.ints),
            list(self.arrays),
            list(self.lists),
            list(self.reflists),
        )


class Drawing:
    """One random program."""

    def __init__(self, seed: int, size: int = 10, depth: int = 3, calls: bool = False) -> None:
        self.r = random.Random(seed)
        self.b = Builder(Namer())
        self.callees: dict[str, Function] = {}
        self.calls = calls
        self.line = 0
        self.size, self.depth = size, depth
        self.sc = Scope()

    def helper(self, name: str, seed: int) -> None:
        """A callee ``(s, a, m, n)``, maybe recursive, returning numbers, a fresh array, ``a``."""
        g = type(self)(seed, max(3, self.size // 2), 2)
        s, a, m, n = g.params()
        r = g.r
        recursive = r.random() < 0.5
        results: list[Atom] = []
        g.callees = dict(self.callees)
        kinds = [F8, *([VECTOR] if r.random() < 0.6 else []), *([I8] if r.random() < 0.3 else [])]
        returns_a = VECTOR in kinds and r.random() < 0.4
        g.statements(r.randrange(2, 5), 1)
        if r.random() < 0.2:
            g.b.check(g.b.op("lt", const(-100), n), "ValueError", "negative")
        if recursive:
            more = g.b.op("lt", const(0), n, hint="more")
            less = g.b.op("sub", n, const(1))
            with g.b.block() as stmts:
                array = a if r.random() < 0.7 else g.pick_ref(g.sc, VECTOR, (4,)) or a
                targets = tuple(g.b.var("y", k) for k in kinds)
                g.b.emit(Call(targets, name, (g.float(), array, m, less)))
                out = g.b.op("sin", g.b.op("add", targets[0], g.float()))
            picked = g.b.var("y", F8)
            g.b.if_(more, Block(tuple(stmts), (out,)), Block((), (g.float(),)), (picked,))
            g.sc.floats.append(picked)
        g.statements(r.randrange(0, 4), 1)
        for kind in kinds:
            if kind == F8:
                results.append(g.b.op("sin", g.b.op("add", g.sc.floats[-1], g.float())))
            elif kind == I8:
                results.append(r.choice(g.sc.ints))
            else:
                results.append(a if returns_a else self.copied(g, a))
        fn = Function(name, (s, a, m, n), Block(tuple(g.b.stack[0]), tuple(results)))
        self.callees[name] = fn

    @staticmethod
    def copied(g: Drawing, a: Var) -> Var:
        made = g.b.alloc(VECTOR, (const(4),), hint="c")
        with g.b.loop(const(0), const(4)) as i:
            g.b.store(made, (i,), g.b.op("sin", g.b.load(a, i)))
        return made

    def call(self) -> None:
        name = self.r.choice(list(self.callees))
        fn = self.callees[name]
        arrays = [x for x in self.sc.arrays if x[1] == (4,) and x[0].type == VECTOR]
        matrices = [x for x in self.sc.arrays if x[1] == (3, 4) and x[0].type == MATRIX]
        targets = tuple(self.b.var("y", y.type) for y in fn.body.yields)
        a, m = self.r.choice(arrays)[0], self.r.choice(matrices)[0]
        if self.r.random() < 0.5:
            a = self.copied(self, a)
        n = self.b.op("mod", self.int(), const(3))
        self.b.emit(Call(targets, name, (self.float(), a, m, n), self.b.loc))
        for t in targets:
            if t.type == F8:
                self.sc.floats.append(t)
            elif t.type == I8:
                self.sc.ints.append(self.b.op("mod", t, const(7)))
            else:
                self.sc.arrays.append((t, (4,)))

    def linear(self) -> None:
        """An array operation on well-conditioned operands."""
        op = self.r.choice(["matmul", "solve", "inv", "det", "cholesky"])
        mat, vec = self.matrix(op == "cholesky"), self.b.alloc(VECTOR, (const(3),), hint="b")
        for k in range(3):
            self.b.store(vec, (const(k),), self.bounded())
        other = self.matrix(False)
        if op == "matmul":
            args = self.r.choice([(mat, other), (mat, vec), (vec, mat)])
            ndim = sum(a.type.ndim for a in args) - 2
        else:
            args = (mat, self.r.choice([vec, other])) if op == "solve" else (mat,)
            ndim = {"det": 0}.get(op, args[-1].type.ndim)
        (t,) = self.b.array_op(op, (ArrayT("f8", ndim) if ndim else F8,), *args)
        if not ndim:
            self.sc.floats.append(self.b.op("sin", t))
            return
        self.sc.arrays.append((t, (3,) * ndim))
        if self.r.random() < 0.5:
            self.b.store(t, self.index((3,) * ndim), self.bounded())
        if self.r.random() < 0.3:
            self.sc.arrays.append((mat, (3, 3)))

    def matrix(self, symmetric: bool) -> Var:
        """A 3 x 3 matrix near twice the identity."""
        made = self.b.alloc(MATRIX, (const(3), const(3)), hint="q")
        for i in range(3):
            for j in range(i + 1 if symmetric else 3):
                x = self.b.op("mul", const(0.3), self.b.op("sin", self.float()))
                x = self.b.op("add", const(2.0), x) if i == j else x
                self.b.store(made, (const(i), const(j)), x)
                if symmetric and i != j:
                    self.b.store(made, (const(j), const(i)), x)
        return made

    def params(self) -> tuple[Var, Var, Var, Var]:
        s, a = self.b.var("s", F8), self.b.var("a", VECTOR)
        m, n = self.b.var("m", MATRIX), self.b.var("n", I8)
        self.sc = Scope([s], [n], [(a, (4,)), (m, (3, 4))])
        return s, a, m, n

    def program(self) -> Function:
        if self.calls:
            for name in ("g", "h"):
                self.helper(name, self.r.randrange(10**9))
        s, a, m, n = self.params()
        self.statements(self.size, self.depth)
        total: Atom = const(0.0)
        for f in self.sc.floats[-3:]:
            total = self.b.op("add", total, f)
        ys: list[Atom] = [total]
        if self.r.random() < 0.7:
            ys.append(self.r.choice(self.sc.arrays)[0])
        if self.r.random() < 0.3:
            ys.append(self.r.choice(self.sc.arrays)[0])
        if self.r.random() < 0.2 and self.sc.lists:
            ys.append(self.r.choice(self.sc.lists)[0])
        if self.r.random() < 0.3:
            ys.append(self.r.choice(self.sc.ints))
        body = Block(tuple(self.b.stack[0]), tuple(ys))
        return Function("f", (s, a, m, n), body, self.callees)

    # atoms
    def float(self) -> Atom:
        if self.r.random() < 0.1:
            return const(round(self.r.uniform(-1, 1), 2))
        if self.r.random() < 0.5:
            return self.r.choice(self.sc.floats[-4:])
        return self.r.choice(self.sc.floats)

    def int(self) -> Atom:
        return self.r.choice(self.sc.ints) if self.r.random() < 0.8 else const(self.r.randrange(4))

    def index(self, shape: tuple[int, ...]) -> tuple[Atom, ...]:
        return tuple(self.position(n) for n in shape)

    def position(self, n: int) -> Atom:
        if self.r.random() < 0.3:
            return const(self.r.randrange(-n, n))
        return self.b.op("mod", self.int(), const(n), hint="j")

    def array(self, ndim: int | None = None) -> tuple[Var, tuple[int, ...]] | None:
        found = [x for x in self.sc.arrays if ndim is None or len(x[1]) == ndim]
        if not found:
            return None
        return self.r.choice(found[-4:] if self.r.random() < 0.6 else found)

    def predicate(self) -> Atom:
        if self.r.random() < 0.5:
            return self.b.op("lt", self.float(), self.float(), hint="p")
        parity = self.b.op("mod", self.int(), const(2))
        return self.b.op("eq", parity, const(0), hint="p")

    # statements
    def statements(self, n: int, depth: int) -> None:
        for _ in range(n):
            self.line += 1
            self.b.loc = Loc("random.py", self.line)
            self.statement(depth)

    def statement(self, depth: int) -> None:
        simple = (
            [self.arith] * 4
            + [self.load] * 3
            + [self.store] * 3
            + [
                self.accumulate,
                self.integer,
                self.alloc,
                self.view,
                self.view,
                self.list_,
                self.list_,
                self.dim,
                self.sweep,
                self.sweep,
                self.stepping,
                self.history,
            ]
        )
        nested = [self.branch, self.loop, self.loop, self.while_, self.breaking, self.reflist]
        if self.calls:
            simple += [self.call] * 3 + [self.linear]
        if depth > 0 and self.r.random() < 0.35:
            self.r.choice(nested)(depth)
        else:
            self.r.choice(simple)()

    def arith(self) -> None:
        op = self.r.choice(
            ["add", "sub", "mul", "sin", "cos", "tanh", "max", "select", "truediv", "exp", "sqrt"]
        )
        x, y = self.float(), self.float()
        if op == "select":
            v = self.b.op(op, self.predicate(), x, y, hint="x")
        elif op == "truediv":
            v = self.b.op(op, x, self.b.op("add", const(2.0), self.b.op("mul", y, y)), hint="x")
        elif op == "exp":
            v = self.b.op("exp", self.b.op("sin", x), hint="x")
        elif op == "sqrt":
            v = self.b.op("sqrt", self.b.op("add", const(1.0), self.b.op("mul", x, x)), hint="x")
        elif op in ("sin", "cos", "tanh"):
            v = self.b.op(op, x, hint="x")
        else:
            v = self.b.op(op, x, y, hint="x")
        if op in ("add", "sub", "mul") and self.r.random() < 0.6:
            v = self.b.op("sin", v, hint="x")
        self.sc.floats.append(v)

    def integer(self) -> None:
        op = self.r.choice(["add", "mul", "sub"])
        v = self.b.op(op, self.int(), self.int(), hint="k")
        self.sc.ints.append(self.b.op("mod", v, const(7), hint="k"))

    def load(self) -> None:
        found = self.array()
        assert found
        self.sc.floats.append(self.b.load(found[0], *self.index(found[1]), hint="x"))

    def bounded(self) -> Atom:
        x = self.float()
        return self.b.op("sin", x, hint="x") if self.r.random() < 0.7 else x

    def store(self) -> None:
        found = self.array()
        assert found
        self.b.store(found[0], self.index(found[1]), self.bounded())

    def accumulate(self) -> None:
        found = self.array()
        assert found
        self.b.accumulate(found[0], self.index(found[1]), self.b.op("tanh", self.float()))

    def alloc(self) -> None:
        shape = self.r.choice([(4,), (3,), (3, 4), (2, 2)])
        size = tuple(const(k) for k in shape)
        v = self.b.alloc(ArrayT("f8", len(shape)), size, hint="w")
        with self.b.loop(const(0), const(shape[0])) as i:
            index = (i, const(1)) if len(shape) == 2 else (i,)
            self.b.store(v, index, self.float())
        self.sc.arrays.append((v, shape))

    def view(self) -> None:
        found = self.array()
        assert found
        v, shape = found
        kind, spec, new = self.view_spec(v, shape)
        if not new or 0 in new:
            return
        made = self.b.view(v, kind, spec, view_layout(v.type, kind, spec), hint="v")
        self.sc.arrays.append((made, new))

    def view_spec(self, v: Var, shape: tuple[int, ...]) -> tuple[str, tuple, tuple[int, ...]]:
        choice = self.r.randrange(6)
        if len(shape) == 2:
            if choice == 0:
                return "index", (("at", self.position(shape[0])),), shape[1:]
            if choice == 1:
                return "index", (WHOLE, ("at", self.position(shape[1]))), shape[:1]
            if choice == 2:
                return "transpose", (1, 0), shape[::-1]
            if choice == 3 and v.type.layout == "C":
                return "reshape", (const(shape[0] * shape[1]),), (shape[0] * shape[1],)
            return "index", (("slice", const(1), None, None),), (shape[0] - 1, shape[1])
        n = shape[0]
        if choice == 0:
            return "index", (("slice", None, None, const(-1)),), shape
        if choice == 1:
            return "index", (("slice", const(0), None, const(2)),), ((n + 1) // 2,)
        if choice == 2:
            return "index", (("slice", None, const(n - 1), None),), (n - 1,)
        if choice == 3 and v.type.layout == "C" and n == 4:
            return "reshape", (const(2), const(2)), (2, 2)
        if choice == 4:
            return "index", (("slice", const(1), None, None),), (n - 1,)
        return "same", (), shape

    def list_(self) -> None:
        if not self.sc.lists or self.r.random() < 0.3:
            n = self.r.randrange(1, 4)
            v = self.b.alloc(ListT(F8), hint="l")
            self.b.reserve(v, const(n))
            self.sc.lists.append((v, n))
            return
        v, n = self.r.choice(self.sc.lists)
        choice = self.r.random()
        at = self.b.op("mod", self.int(), const(n), hint="j")
        if choice < 0.4:
            self.b.store(v, (at,), self.bounded())
        elif choice < 0.5:
            self.b.accumulate(v, (at,), self.b.op("tanh", self.float()))
        elif choice < 0.6:
            self.b.reserve(v, self.b.op("add", self.b.dim(v, 0), const(1)))
        else:
            self.sc.floats.append(self.b.load(v, at, hint="x"))
