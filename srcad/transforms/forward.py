"""Forward mode: every statement is followed by its tangent.

In: verified IR, which parameters are active.  Out: a function of the primal parameters and then
the tangents of the active ones; its results are the primal's and then one tangent for every float
result (0.0, or a zero array of the same shape, where nothing varies).

Invariant: the primal statements are untouched, so values and effects are the primal's.  Shadows of
arrays move with their references (``Tandem``).  Called functions get forward versions of their
own, one for each pattern of active operands; with one active operand all float results and all
arrays written count as active, which makes recursion well-founded.
"""

from __future__ import annotations

from dataclasses import replace

import srcad.rules  # noqa: F401  (fills the registry)
from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    Call,
    Draw,
    Function,
    Load,
    Op,
    Stmt,
    Store,
    Var,
)
from srcad.ir.threads import is_inert
from srcad.ir.types import F8, Scalar, is_float, shadow_type
from srcad.ir.walk import variables
from srcad.transforms.array_rules import array_rule
from srcad.transforms.arrays import fit, like, zero_of
from srcad.transforms.custom import tangent_call
from srcad.transforms.draws import refuse_parameters
from srcad.transforms.family import Family, refuse_overlaps
from srcad.transforms.implicit import slope
from srcad.transforms.multiply import guard_of, partials, times
from srcad.transforms.tandem import Tandem


def forward(fn: Function, active: tuple[bool, ...]) -> Function:
    """The tangent of ``fn`` with respect to its active parameters."""
    family = Family(fn)
    return _forward(fn, active, family.namer.fresh(f"{fn.name}_t"), family)


def _forward(fn: Function, active: tuple[bool, ...], name: str, family: Family) -> Function:
    summaries = summarise(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, active)
    refuse_parameters(fn, activity)
    builder = Builder(Namer(v.name for v in variables(fn)))
    sweep = Forward(builder, activity, family)
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
    whole = Block((*opening, *body.stmts, *closing), (*fn.body.yields, *tangents))
    return Function(name, (*fn.params, *params), whole, family.callees, fn.doc)


class Forward(Tandem):
    """Tangents of numbers; references are moved by ``Tandem``."""

    suffix = "_t"
    role = "tangent"

    def __init__(self, builder: Builder, activity: Activity, family: Family) -> None:
        super().__init__(builder, activity.carries)
        self.activity, self.family = activity, family

    def result(self, y: Atom) -> Atom:
        """The tangent of a result of the function."""
        if is_reference(y) and not self.carries(y):
            assert isinstance(y, Var)
            return fit(self.b, like(self.b, y, self.wish(y)), y.type)
        return self.of(y, y.type)

    def statement(self, s: Stmt) -> None:
        """Calls and array operations are replaced; the rest as in ``Tandem``."""
        if isinstance(s, Call) and any(map(self.carries, (*s.args, *s.targets))):
            if is_inert(s):
                self.b.emit(s)
                return
            self.call(s)
        else:
            super().statement(s)

    def beside(self, s: Stmt) -> None:
        """The tangent of a statement on numbers."""
        match s:
            case Op(target=t) if self.carries(t):
                self.shadow[t.name] = self.op(s)
            case Load(target=t) if isinstance(t.type, Scalar) and self.carries(t):
                made = self.companion(t, t.type)
                self.b.emit(Load(made, self.shadow[s.array.name], s.index, self.b.loc))
            case Store(value=v) if not is_reference(v) and self.carries(s.array):
                kind = s.array.type.element  # type: ignore[union-attr]
                self.b.store(self.shadow[s.array.name], s.index, self.of(v, kind))
            case Accumulate(value=v) if self.carries(s.array) and self.carries(v):
                kind = s.array.type.element  # type: ignore[union-attr]
                shadow, tangent = self.shadow[s.array.name], self.of(v, kind)
                self.b.emit(replace(s, array=shadow, value=tangent, loc=self.b.loc))
            case ArrayOp() if any(map(self.carries, s.targets)):
                self.array_op(s)
            case Draw(targets=(t,), args=(a,)) if self.carries(t):
                hint = self.wish(t)
                moved = self.b.op("mul", slope(self.b, s.kind, t, a), self.of(a, F8), hint=hint)
                self.shadow[t.name] = self.b_const(moved, F8, hint)
            case _:
                super().beside(s)

    def op(self, s: Op) -> Var:
        """Sum of partials times tangents."""
        active = tuple(map(self.carries, s.args))
        hint = self.wish(s.target)
        if s.op == "select":
            return self.choice(s, hint)
        total: Atom | None = None
        for k, p in enumerate(partials(self.b, s, s.args, s.target, active)):
            if p is None:
                continue
            tangent = self.shadow[s.args[k].name]  # type: ignore[union-attr]
            term = times(self.b, tangent, p, guard_of(s, k), hint)
            total = term if total is None else self.b.op("add", total, term, hint=hint)
        kind = s.target.type
        assert isinstance(kind, Scalar)
        value = zero_of(kind) if total is None else self.b.cast(total, kind, hint=hint)
        return value if isinstance(value, Var) else self.b_const(value, kind, hint)

    def choice(self, s: Op, hint: str) -> Var:
        """The tangent of the chosen operand (no product: 0 * inf is NaN)."""
        kind = s.target.type
        assert isinstance(kind, Scalar)
        parts = [
            self.b.cast(self.shadow[a.name], kind, hint=hint)
            if isinstance(a, Var) and self.carries(a)
            else zero_of(kind)
            for a in s.args[1:]
        ]
        value = self.b.op("select", s.args[0], *parts, hint=hint)
        return value if isinstance(value, Var) else self.b_const(value, kind, hint)

    def b_const(self, value: Atom, kind: Scalar, hint: str) -> Var:
        """A variable that holds a constant (a companion is always a variable)."""
        made = self.b.var(hint, kind)
        self.b.emit(Op(made, kind.kind, (value,), self.b.loc))
        return made

    def array_op(self, s: ArrayOp) -> None:
        """The tangent by the operation's own rule; results without derivative get zeros."""
        tangents = tuple(
            self.shadow.get(a.name) if isinstance(a, Var) and self.carries(a) else None
            for a in s.args
        )
        none: tuple[Var | None, ...] = (None,) * len(s.targets)
        found = array_rule(s).jvp(self.b, s, tangents) if any(tangents) else none
        for t, tangent in zip(s.targets, found, strict=True):
            if tangent is not None and self.carries(t):
                self.shadow[t.name] = tangent
            elif self.carries(t) and isinstance(t.type, Scalar):
                self.shadow[t.name] = self.b_const(zero_of(t.type), t.type, self.wish(t))
            elif self.carries(t):
                self.shadow[t.name] = like(self.b, t, self.wish(t))

    # calls
    def call(self, s: Call) -> None:
        """A call of the forward version, which computes values and tangents."""
        active = tuple(self.carries(a) for a in s.args)
        refuse_overlaps(s, self.activity.regions, self.activity.summaries[s.fn])
        if self.family.callees[s.fn].rule is not None:
            self.ruled(s, active)
            return
        fn = self.family.version(
            ("forward", s.fn, active),
            f"{s.fn}_t",
            s.fn,
            lambda name, primal: _forward(primal, active, name, self.family),
        )
        kinds = [p.type for p in self.family.callees[s.fn].params]
        tangents = tuple(
            self.of(a, shadow_type(kind))
            for a, kind, on in zip(s.args, kinds, active, strict=True)
            if on
        )
        floats = [t for t in s.targets if is_float(t.type)]
        made = tuple(self.b.var(self.wish(t), t.type) for t in floats)
        for t, m in zip(floats, made, strict=True):
            if self.carries(t):
                self.shadow[t.name] = m
        self.b.emit(Call((*s.targets, *made), fn, (*s.args, *tangents), s.loc))

    def ruled(self, s: Call, active: tuple[bool, ...]) -> None:
        """A call with a rule of the user."""
        rule = self.family.callees[s.fn].rule
        assert rule is not None
        tangents = {k: self.of(a, shadow_type(a.type)) for k, a in enumerate(s.args) if active[k]}
        hint = self.wish(s.targets[0]) if s.targets else "t"
        made = tangent_call(self.b, s, rule, self.family, tangents, hint)
        for t, m in zip((t for t in s.targets if is_float(t.type)), made, strict=True):
            if self.carries(t):
                assert isinstance(m, Var)
                self.shadow[t.name] = m
