"""Which results depend on which inputs: sets of inputs carried next to every float.

In: verified IR, which parameters are active.  Out: a function of the primal parameters and then one
bit set (``int64``, arrays of them for arrays) for every active one; its results are the bit sets
of the float results, in which a bit is set if some input with that bit may have an influence.  64
inputs, or groups of inputs, are followed at once (Griewank & Walther, "Evaluating Derivatives",
2008, section 7.1; "bit pattern propagation").

The transform is forward mode with another arithmetic: an operation's set is the union of the sets
of the operands whose partial derivative is not identically zero.  No value of a float is looked
at except where the program itself decides by it: of branches that only compute numbers both sides
count, every other branch is followed as the program takes it.

Invariant: the sets contain every input that an entry of the Jacobian can depend on, for all runs
that take the same way (``transforms.fingerprint``).  Array operations other than products count
every element of their operands.
"""

from __future__ import annotations

import srcad.rules  # noqa: F401  (fills the registry)
from srcad.analyses.activity import Activity
from srcad.analyses.decisions import is_plain
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.build import ONE, ZERO, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    Call,
    Draw,
    Function,
    If,
    Load,
    Op,
    Rule,
    Stmt,
    Store,
    Var,
)
from srcad.ir.types import I8, ArrayT, ListT, Scalar, Type, is_float, shadow_type
from srcad.ir.walk import variables
from srcad.transforms.arrays import each, fit, fresh, sizes
from srcad.transforms.family import Family, refuse_overlaps
from srcad.transforms.multiply import partials
from srcad.transforms.tandem import Tandem

CELL = ArrayT("i8", 1, "C")


def set_type(t: Type) -> Type:
    """Type of the bit sets of what has type ``t``."""
    if isinstance(t, Scalar):
        return I8 if is_float(t) else t
    if isinstance(t, ListT):
        inner = set_type(t.element)
        assert isinstance(inner, (Scalar, ArrayT))
        return ListT(inner)
    made = shadow_type(t)
    assert isinstance(made, ArrayT)
    return ArrayT("i8", made.ndim, made.layout) if is_float(t) else made


def dependence(fn: Function, active: tuple[bool, ...]) -> Function:
    """The function that propagates bit sets from the active parameters to the float results."""
    family = Family(fn)
    made = _dependence(fn, active, family.namer.fresh(f"{fn.name}_d"), family)
    sets = made.body.yields[len(fn.body.yields) :]
    return Function(made.name, made.params, Block(made.body.stmts, sets), made.callees)


def _dependence(fn: Function, active: tuple[bool, ...], name: str, family: Family) -> Function:
    summaries = summarise(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, active)
    builder = Builder(Namer(v.name for v in variables(fn)))
    sweep = Dependence(builder, activity, family)
    params = [
        sweep.companion(p, set_type(p.type)) for p, on in zip(fn.params, active, strict=True) if on
    ]
    for p, on in zip(fn.params, active, strict=True):
        if not on and activity.shadowed(p):
            sweep.shadow[p.name] = sweep.empty(p)
    opening = tuple(builder.stack[0])
    body = sweep.block(fn.body)
    with builder.block() as closing:
        sets = tuple(sweep.result(y) for y in fn.body.yields if is_float(y.type))
    whole = Block((*opening, *body.stmts, *closing), (*fn.body.yields, *sets))
    return Function(name, (*fn.params, *params), whole, family.callees)


class Dependence(Tandem):
    """Bit sets of numbers; those of references are moved by ``Tandem``."""

    suffix = "_d"
    role = "tangent"

    def __init__(self, builder: Builder, activity: Activity, family: Family) -> None:
        super().__init__(builder, activity.carries)
        self.activity, self.family = activity, family

    def kind(self, t: Type) -> Type:
        """Sets instead of floats."""
        return set_type(t)

    def empty(self, v: Var) -> Var:
        """Empty sets for an array or list."""
        return fresh(self.b, set_type(v.type), sizes(self.b, v), True, self.wish(v))

    def result(self, y: Atom) -> Atom:
        """The sets of a result of the function."""
        kind = set_type(y.type)
        if isinstance(y, Var) and is_reference(y) and not self.carries(y):
            return fit(self.b, self.empty(y), kind)
        return self.of(y, kind)

    def statement(self, s: Stmt) -> None:
        """Calls are replaced, plain branches taken both ways; the rest as in ``Tandem``."""
        match s:
            case Call() if any(map(self.carries, (*s.args, *s.targets))):
                self.call(s)
            case If() if is_plain(s):
                self.b.emit(s)
                self.both(s)
            case _:
                super().statement(s)

    def both(self, s: If) -> None:
        """The union of both sides of a branch that only computes numbers."""
        for inner in (*s.then.stmts, *s.orelse.stmts):
            if isinstance(inner, If):
                self.both(inner)
            elif isinstance(inner, Op) and self.carries(inner.target):
                self.op(inner)
        for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
            if self.carries(r):
                self.put(r, self.b.op("bitor", self.of(a, I8), self.of(b, I8)))

    def put(self, v: Var, value: Atom) -> None:
        """Give a number its set (a companion is always a variable)."""
        if not isinstance(value, Var):
            made = self.b.var(self.wish(v), I8)
            self.b.emit(Op(made, "i8", (value,), self.b.loc))
            value = made
        self.shadow[v.name] = value

    def beside(self, s: Stmt) -> None:
        """The sets of a statement on numbers."""
        match s:
            case Op(target=t) if self.carries(t):
                self.op(s)
            case Load(target=t) if isinstance(t.type, Scalar) and self.carries(t):
                made = self.companion(t, I8)
                self.b.emit(Load(made, self.shadow[s.array.name], s.index, self.b.loc))
            case Store(value=v) if not is_reference(v) and self.carries(s.array):
                self.b.store(self.shadow[s.array.name], s.index, self.of(v, I8))
            case Accumulate(value=v) if self.carries(s.array) and self.carries(v):
                self.join(self.shadow[s.array.name], s.index, self.of(v, I8))
            case ArrayOp() if any(map(self.carries, s.targets)):
                self.array_op(s)
            case Draw(targets=(t,), args=(a,)) if self.carries(t):
                self.put(t, self.of(a, I8))
            case _:
                super().beside(s)

    def join(self, array: Var, index: tuple[Atom, ...], more: Atom) -> None:
        """``array[index] |= more``."""
        self.b.store(array, index, self.b.op("bitor", self.b.load(array, *index), more))

    def op(self, s: Op) -> None:
        """The union over the operands with a partial derivative."""
        with self.b.block():  # the code for the partials is not wanted
            active = tuple(map(self.carries, s.args))
            slopes = (
                (None, *s.args[1:])
                if s.op == "select"
                else partials(self.b, s, s.args, s.target, active)
            )
        total: Atom = ZERO
        for a, p in zip(s.args, slopes, strict=True):
            if p is not None and self.carries(a):
                total = (
                    self.b.op("bitor", total, self.of(a, I8)) if total != ZERO else self.of(a, I8)
                )
        self.put(s.target, total)

    # array operations
    def array_op(self, s: ArrayOp) -> None:
        """Products by rows and columns; of anything else every result depends on every operand."""
        total = self.b.alloc(CELL, (ONE,), hint="union")
        if s.op != "matmul":
            for a in s.args:
                self.collect(a, total)
        for t in s.targets:
            if not self.carries(t):
                continue
            if isinstance(t.type, Scalar):
                if s.op == "matmul":
                    self.inner(s, (), (), total, ZERO)
                self.put(t, self.b.load(total, ZERO))
                continue
            sets = self.empty(t)
            if s.op == "matmul":
                self.product(s, sets)
            else:
                union = self.b.load(total, ZERO)
                self.fill(sets, union)
            self.shadow[t.name] = fit(self.b, sets, set_type(t.type))

    def fill(self, sets: Var, union: Atom) -> None:
        """Every element of an array of sets becomes ``union``."""
        each(self.b, sets, lambda i: self.b.store(sets, i, union))

    def collect(self, a: Atom, total: Var) -> None:
        """Add all elements of an operand to ``total``."""
        if not self.carries(a):
            return
        source = self.shadow[a.name]  # type: ignore[union-attr]
        if isinstance(a.type, Scalar):
            self.join(total, (ZERO,), source)
        else:
            each(self.b, source, lambda i: self.join(total, (ZERO,), self.b.load(source, *i)))

    def product(self, s: ArrayOp, sets: Var) -> None:
        """The sets of a product: those of a row of the left and a column of the right operand."""
        rank = s.args[0].type.ndim - 1  # type: ignore[union-attr]
        each(self.b, sets, lambda i: self.inner(s, i[:rank], i[rank:], sets, *i))

    def inner(
        self, s: ArrayOp, row: tuple[Atom, ...], col: tuple[Atom, ...], total: Var, *at: Atom
    ) -> None:
        """Add the sets of one inner product to ``total[at]``."""
        left, right = s.args
        assert isinstance(left, Var) and isinstance(left.type, ArrayT)
        with self.b.loop(ZERO, self.b.dim(left, left.type.ndim - 1)) as k:
            for a, index in ((left, (*row, k)), (right, (k, *col))):
                if isinstance(a, Var) and self.carries(a):
                    self.join(total, at, self.b.load(self.shadow[a.name], *index))

    # calls
    def call(self, s: Call) -> None:
        """A call of the version that propagates sets as well."""
        rule = self.family.callees[s.fn].rule
        if rule is not None:
            self.ruled(s, rule)
            return
        active = tuple(self.carries(a) for a in s.args)
        refuse_overlaps(s, self.activity.regions, self.activity.summaries[s.fn])
        fn = self.family.version(
            ("dependence", s.fn, active),
            f"{s.fn}_d",
            s.fn,
            lambda name, primal: _dependence(primal, active, name, self.family),
        )
        kinds = [p.type for p in self.family.callees[s.fn].params]
        sets = tuple(
            self.of(a, set_type(kind))
            for a, kind, on in zip(s.args, kinds, active, strict=True)
            if on
        )
        floats = [t for t in s.targets if is_float(t.type)]
        made = tuple(self.b.var(self.wish(t), set_type(t.type)) for t in floats)
        for t, m in zip(floats, made, strict=True):
            if self.carries(t):
                self.shadow[t.name] = m
        self.b.emit(Call((*s.targets, *made), fn, (*s.args, *sets), s.loc))

    def ruled(self, s: Call, rule: Rule) -> None:
        """A call with a rule of the user, which may say anything: all depends on all given."""
        total = self.b.alloc(CELL, (ONE,), hint="union")
        for a, given in zip(s.args, rule.given, strict=True):
            if given:
                self.collect(a, total)
        union = self.b.load(total, ZERO)
        self.b.emit(s)
        for t in s.targets:
            if not self.carries(t):
                continue
            if isinstance(t.type, Scalar):
                self.put(t, union)
            else:
                sets = self.empty(t)
                self.fill(sets, union)
                self.shadow[t.name] = fit(self.b, sets, set_type(t.type))
