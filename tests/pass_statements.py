"""Random statements without inner blocks, for ``pass_programs``.

In: a generator of random numbers and a builder.  Out: statements over what is in scope, made so
that passes find something: recent variables and elements are addressed again and again.

Invariant: positions are inside their arrays (taken modulo the size; no axis is empty).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import Accumulate, Atom, Call, Check, Function, Op, Print, Store, Var
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, F8, I8, ArrayT, ListT, Type

VECTOR, STRIDED, MATRIX, INTS = (
    ArrayT("f8", 1),
    ArrayT("f8", 1, "A"),
    ArrayT("f8", 2),
    ArrayT("i4", 1),
)
NUMBERS, ROWS = ListT(F8), ListT(VECTOR)
PARAMS = (
    ("x", F8),
    ("n", I8),
    ("flag", B1),
    ("a", VECTOR),
    ("b", VECTOR),
    ("m", MATRIX),
    ("k", INTS),
)
FULL = ("slice", None, None, None)
FLOAT_OPS = (
    "add",
    "sub",
    "mul",
    "truediv",
    "neg",
    "neg",
    "sin",
    "tanh",
    "min",
    "max",
    "select",
    "select",
    "abs",
    "copysign",
)
INT_OPS = (
    "add",
    "add",
    "sub",
    "sub",
    "mul",
    "floordiv",
    "mod",
    "neg",
    "min",
    "max",
    "bitand",
    "select",
    "bitxor",
)
BOOL_OPS = ("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "not", "not", "select")


class Statements:
    """Emits through a ``Builder``; ``scope`` has the variables visible in the block in hand."""

    def __init__(self, rng: random.Random, callees: dict[str, Function]) -> None:
        self.rng = rng
        self.callees = callees
        self.b = Builder(Namer())
        self.scope: list[Var] = []
        self.elements: list[tuple[Var, tuple[Atom, ...]]] = []  # addressed lately

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
        written = Store(array, index, value), Accumulate(array, index, value)
        self.b.emit(written[self.rng.random() < 0.3])
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

    def views(self, base: Var, t: ArrayT) -> list[tuple[str, tuple[Any, ...]]]:
        """Specifications of views that are possible."""
        same: tuple[str, tuple[Any, ...]] = ("same", ())
        backwards = ("slice", None, None, const(-1))
        start = ("slice", self.position(self.b.dim(base, 0)), None, None)
        rest = (FULL,) * (t.ndim - 1)
        out = [
            same,
            ("index", (backwards, *rest)),
            ("index", (start, *rest)),
            ("index", (FULL, *rest)),
            ("index", (("new",), FULL, *rest)),
        ]
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
        if self.callees:
            args = tuple(self.operand(t) for _, t in PARAMS)
            results = (self.b.var("r", F8), self.b.var("r", I8))
            self.b.emit(Call(results, "helper", args))
            self.scope += results
