"""The tangent with a weight on every source line: what each line contributes to a derivative.

In: verified IR, which parameters are active.  Out: a function of the primal parameters, the
tangents of the active ones and one weight a line; its results are the tangents of the float
results.  With all weights one that is the derivative; with the weight of a line zero it is the
derivative without everything that passes through what this line computes.  ``lines`` says which
weight is whose.

A sum that is continued (``total += term``) lets ``total`` pass: only the term is the line's.

Limits: a called function that is not expanded (recursion) counts as part of the line of the call.
"""

from __future__ import annotations

from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    Call,
    Function,
    Loc,
    Op,
    Stmt,
    Store,
    Var,
)
from srcad.ir.types import ArrayT, Scalar, is_float, shadow_type
from srcad.ir.walk import statements, targets, variables
from srcad.transforms.arrays import each, like
from srcad.transforms.family import Family
from srcad.transforms.forward import Forward

WEIGHTS = ArrayT("f8", 1, "C", False)
Place = tuple[str, int]


def place_of(loc: Loc | None) -> Place | None:
    """The line of a statement."""
    return (loc.file, loc.line) if loc is not None else None


def lines(fn: Function) -> dict[Place, Loc]:
    """The lines on which something is computed, in the order of the program."""
    found: dict[Place, Loc] = {}
    for s in statements(fn.body):
        if isinstance(s, (Op, Store, Accumulate, ArrayOp, Call)) and s.loc is not None:
            found.setdefault((s.loc.file, s.loc.line), s.loc)
    return found


def curved(fn: Function, active: tuple[bool, ...]) -> set[Place]:
    """The lines whose derivative depends on what varies: they do more than add and scale."""
    summaries = summarise(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, active)
    found = set()
    for s in statements(fn.body):
        place = place_of(getattr(s, "loc", None))
        if place is None:
            continue
        if isinstance(s, Op) and activity.carries(s.target) and s.op not in LINEAR:
            varied = sum(map(activity.carries, s.args))
            if (
                s.op not in SCALING
                or varied > 1
                or activity.carries(s.args[-1])
                and s.op in QUOTIENT
            ):
                found.add(place)
        elif isinstance(s, (ArrayOp, Call)) and any(map(activity.carries, s.targets)):
            if isinstance(s, Call) or s.op != "matmul" or all(map(activity.carries, s.args)):
                found.add(place)
    return found


LINEAR = {"add", "sub", "neg", "positive", "select", "f8", "f4"}
QUOTIENT = {"truediv", "guarded_div", "steep_div"}
SCALING = {"mul", "guarded_mul", *QUOTIENT}


def contributions(fn: Function, active: tuple[bool, ...]) -> Function:
    """The weighted tangent of ``fn``."""
    summaries = summarise(fn)
    family = Family(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, active)
    builder = Builder(Namer(v.name for v in variables(fn)))
    weights = builder.var("weights", WEIGHTS)
    index = {place: k for k, place in enumerate(lines(fn))}
    sweep = Weighted(builder, activity, family, weights, index)
    params = [
        sweep.companion(p, shadow_type(p.type))
        for p, on in zip(fn.params, active, strict=True)
        if on
    ]
    for p, on in zip(fn.params, active, strict=True):
        if not on and activity.shadowed(p):
            sweep.shadow[p.name] = like(builder, p, sweep.wish(p))
    opening = tuple(builder.stack[0])
    body = sweep.block(fn.body)
    with builder.block() as closing:
        tangents = tuple(sweep.result(y) for y in fn.body.yields if is_float(y.type))
    whole = Block((*opening, *body.stmts, *closing), tangents)
    name = family.namer.fresh(f"{fn.name}_lines")
    return Function(name, (*fn.params, *params, weights), whole, family.callees)


class Weighted(Forward):
    """Tangents, each multiplied by the weight of the line that makes it."""

    def __init__(
        self,
        builder: Builder,
        activity: Activity,
        family: Family,
        weights: Var,
        index: dict[Place, int],
    ) -> None:
        super().__init__(builder, activity, family)
        self.weights, self.index = weights, index
        self.made: dict[str, Place | None] = {}  # on which line a variable is assigned

    def weight(self, s: Stmt) -> Atom:
        """The weight of a statement's line."""
        place = place_of(getattr(s, "loc", None))
        if place not in self.index:
            return const(1.0)
        return self.b.load(self.weights, const(self.index[place]), hint="weight")

    def scaled(self, s: Stmt, value: Atom) -> Atom:
        """A tangent times the weight of the line."""
        made = self.b.op("mul", value, self.weight(s))
        assert isinstance(value.type, Scalar)
        return self.b.cast(made, value.type)

    def op(self, s: Op) -> Var:
        """The tangent, weighted; a running sum passes."""
        kind, hint = s.target.type, self.wish(s.target)
        assert isinstance(kind, Scalar)
        total = self.scaled(s, super().op(s))
        for k, a in enumerate(s.args):
            if s.op in ("add", "sub") and self.continues(s, a) and self.carries(a):
                passing = self.b.op("sub", const(1.0), self.weight(s))
                sign = -1.0 if s.op == "sub" and k == 1 else 1.0
                rest = self.b.op("mul", self.b.op("mul", passing, const(sign)), self.of(a, kind))
                total = self.b.cast(self.b.op("add", total, rest), kind)
        return total if isinstance(total, Var) else self.b_const(total, kind, hint)

    def statement(self, s: Stmt) -> None:
        """Note where what is assigned comes from."""
        for t in targets(s):
            self.made[t.name] = place_of(getattr(s, "loc", None))
        super().statement(s)

    def continues(self, s: Op, a: Atom) -> bool:
        """Whether an operand is the earlier value of the variable that is assigned."""
        if not isinstance(a, Var) or not a.hint or a.hint != s.target.hint:
            return False
        return self.made.get(a.name) != place_of(s.loc)

    def beside(self, s: Stmt) -> None:
        """What is stored is weighted."""
        match s:
            case Store(value=v) if not is_reference(v) and self.carries(s.array):
                kind = s.array.type.element  # type: ignore[union-attr]
                value = self.scaled(s, self.of(v, kind)) if self.carries(v) else self.of(v, kind)
                self.b.store(self.shadow[s.array.name], s.index, value)
            case Accumulate(value=v) if self.carries(s.array) and self.carries(v):
                kind = s.array.type.element  # type: ignore[union-attr]
                value = self.scaled(s, self.of(v, kind))
                self.b.accumulate(self.shadow[s.array.name], s.index, value)
            case ArrayOp() if any(map(self.carries, s.targets)):
                super().beside(s)
                self.weigh_results(s, s.targets)
            case _:
                super().beside(s)

    def call(self, s: Call) -> None:
        """The results of a call, weighted."""
        super().call(s)
        self.weigh_results(s, s.targets)

    def weigh_results(self, s: Stmt, targets: tuple[Var, ...]) -> None:
        """Multiply the tangents of fresh results by the weight of the line."""
        for t in targets:
            if not self.carries(t) or t.name not in self.shadow:
                continue
            made = self.shadow[t.name]
            if isinstance(made.type, Scalar):
                scaled = self.scaled(s, made)
                assert isinstance(scaled, Var)
                self.shadow[t.name] = scaled
            elif isinstance(made.type, ArrayT) and isinstance(s, ArrayOp):
                weight = self.weight(s)
                self.scale(made, weight)

    def scale(self, array: Var, weight: Atom) -> None:
        """Multiply every element."""
        kind = array.type.element  # type: ignore[union-attr]

        def one(i: tuple[Atom, ...]) -> None:
            value = self.b.op("mul", self.b.load(array, *i), weight)
            self.b.store(array, i, self.b.cast(value, kind))  # type: ignore[arg-type]

        each(self.b, array, one)
