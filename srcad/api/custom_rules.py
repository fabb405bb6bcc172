"""The IR functions of a function with a rule of the user: its own, and those of the rule.

In: a call (``Site``).  Out: entries in the program's table of callees, the function among them with
an ``ir.nodes.Rule``.  What a rule returns is brought to the structure and types of what the
function returns, so transforms need no checks.

Invariant: all of them take the same parameters first: the numbers and arrays of the arguments,
then everything that any of them sees of the functions around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcad.analyses.summaries import summary_of
from srcad.api.custom_site import Site, count_leaves, in_order
from srcad.api.nested import Held
from srcad.api.nested_calls import fitted, leaves_like
from srcad.compiler import out_spec
from srcad.frontend.arguments import Opaque, Spec
from srcad.frontend.calls import call_value
from srcad.frontend.core import Frame, Lowering
from srcad.frontend.expansion import expand_bound
from srcad.frontend.lower import check_result
from srcad.frontend.names import captured
from srcad.frontend.nested import Outline, outline, value_of
from srcad.frontend.source import get_source
from srcad.frontend.statements import solid
from srcad.frontend.values import (
    FunctionV,
    Maybe,
    Static,
    Tuple,
    describe,
    flatten,
    is_none,
    unflatten,
)
from srcad.ir.build import Builder
from srcad.ir.nodes import Atom, Block, Function, Rule, Var
from srcad.ir.types import ArrayT, Scalar, is_float, shadow_type
from srcad.specs import gradient_spec
from srcad.transforms.arrays import copy, fit, zero_of
from srcad.transforms.draws import draws

NOTHING: Spec = Opaque(None, None)


@dataclass
class Entry:
    """An IR function with a rule, for one kind of arguments."""

    name: str
    shape: Any = None  # of the result
    types: tuple[Any, ...] = ()
    out: Spec = NOTHING
    extras: tuple[Var, ...] = ()
    open: bool = True  # its rule is being lowered


class Definition:
    """The IR functions of a function with a rule: its own, and those of the rule."""

    def __init__(self, site: Site, entry: Entry) -> None:
        self.site, self.entry, self.lo, self.node = site, entry, site.lo, site.node
        self.obj = site.obj
        self.place = site.f or FunctionV(get_source(self.obj.rules[0]))

    def run(self) -> None:
        """Lower all of them, until what they see together is known."""
        parts = self.obj.need_rules()
        value = self.outlined(self.site.operands, self.value)
        self.finish(value, self.entry.name)
        while True:
            known = self.entry.extras
            rule = self.vjp(*parts) if self.obj.kind == "vjp" else self.jvp(*parts)
            self.settle()
            if self.entry.extras == known:
                break
            self.finish(value, self.entry.name)
        callees = self.lo.program.callees
        callees[self.entry.name] = replace(callees[self.entry.name], rule=rule)

    def outlined(
        self, like: list[Atom], make: Callable[[Lowering, list[Atom]], list[Atom]]
    ) -> Outline:
        """Lower one of them, and note what it sees."""
        made = outline(self.lo, self.place, like, make)
        self.seen = (*getattr(self, "seen", ()), *made.extras)
        return made

    def settle(self) -> None:
        """Every function gets all that any of them sees."""
        self.entry.extras = tuple({v.name: v for v in self.seen}.values())

    def finish(self, made: Outline, name: str) -> str:
        """Enter a function among the callees; results are fresh arrays, arguments unchanged."""
        self.settle()
        count, callees = len(self.site.operands), self.lo.program.callees
        params = (*made.params[:count], *self.entry.extras, *made.params[count:])
        fn = Function(name, params, made.body, callees)
        summary = summary_of(fn)
        if any(summary.writes) or draws(fn):
            self.lo.fail(
                self.node,
                f"{self.obj.__name__} has a rule, and it or its rule "
                + ("writes to an argument" if any(summary.writes) else "draws random numbers"),
                "a rule speaks of values, not of what happens on the way",
                "copy the argument first" if any(summary.writes) else "pass the random numbers",
            )
        builder = Builder(self.lo.b.namer)
        yields = [
            fit(builder, copy(builder, y, y.hint or y.name), y.type)
            if isinstance(y, Var) and isinstance(y.type, ArrayT) and (not s.fresh or s.params)
            else y
            for y, s in zip(made.body.yields, summary.results, strict=True)
        ]
        body = Block((*made.body.stmts, *builder.stack[0]), tuple(yields))
        callees[name] = Function(name, params, body, callees)
        return name

    # the function itself
    def value(self, sub: Lowering, params: list[Atom]) -> list[Atom]:
        """Its result."""
        site, values = self.site, self.site.values(params)
        if site.f is None:
            result = self.value_by_rule(sub, values)
        else:
            result = expand_bound(sub, site.f, values, self.node)
        result = solid(sub, result)
        result = result.value if isinstance(result, Maybe) else result
        sub.frame = Frame(self.place.source, {}, ())
        check_result(sub, result, self.place.source)
        leaves, self.shape = flatten(result)
        self.entry.types = tuple(a.type for a in leaves)
        self.entry.out = out_spec(result)
        self.entry.shape = self.shape
        return leaves

    def value_by_rule(self, sub: Lowering, values: dict[str, Any]) -> Any:
        """Of a function without source: what the rule says it is."""
        first, others = self.site.chosen(values)
        if self.obj.kind == "vjp":
            out = self.call(sub, self.obj.rules[0], list(values.values()))
        else:
            zeros = tuple(
                value_of(gradient_spec(out_spec(v)), iter([zero(sub, a) for a in floats_in(v)]))
                for v in others
            )
            out = self.call(sub, self.obj.rules[0], [*first, Tuple(tuple(others)), Tuple(zeros)])
        return self.pair(out, "its rule")[0]

    def call(self, sub: Lowering, rule: Any, args: list[Any]) -> Any:
        """Call a function of the rule."""
        f = rule.value if isinstance(rule, Held) else captured(sub, rule, None, self.node)
        return sub.read(call_value(sub, f, args, {}, self.node), self.node, "the result")

    def pair(self, v: Any, what: str) -> tuple[Any, ...]:
        """The two things that a function of a rule returns."""
        if not (isinstance(v, Tuple) and len(v.items) == 2):
            self.lo.mismatch(
                self.node,
                f"{what} of {self.obj.__name__} returns {describe(v)}, expected a pair",
                instead="return (out, residuals) from fwd, (out, out_t) from a jvp rule",
            )
        return v.items

    def adapted(self, sub: Lowering, v: Any, what: str) -> list[Atom]:
        """A result as the function itself returns it."""
        v = solid(sub, v)
        leaves, shape = flatten(v)
        fits = shape == self.entry.shape and all(
            type(a.type) is type(t)
            and getattr(a.type, "ndim", 0) == getattr(t, "ndim", 0)
            and is_float(a.type) == is_float(t)
            for a, t in zip(leaves, self.entry.types, strict=True)
        )
        if not fits:
            self.lo.mismatch(
                self.node,
                f"{what} of {self.obj.__name__} returns {describe(v)} as its value",
                f"{self.obj.__name__} itself returns something else",
                "return what the function returns",
            )
        return [
            a if a.type == t else fitted(sub, a, a, t, self.node, what)
            for a, t in zip(leaves, self.entry.types, strict=True)
        ]

    def floats(self) -> list[Any]:
        """Types of the float results."""
        return [t for t in self.entry.types if is_float(t)]

    def seeds(self) -> list[Atom]:
        """What a seed or a tangent of each float result looks like."""
        return [Var("out_b", shadow_type(t)) for t in self.floats()]

    # the rules
    def jvp(self, rule: Any, *each: Any) -> Rule:
        """The function of values and tangents."""
        count = len(self.site.operands)
        tangents: list[Atom] = [
            Var(f"{getattr(a, 'name', 'x')}_t", shadow_type(a.type))
            for a, on in zip(self.site.operands, self.site.given, strict=True)
            if on
        ]

        def build(sub: Lowering, params: list[Atom]) -> list[Atom]:
            values, moving = self.site.values(params[:count]), iter(params[count:])
            first, primals = self.site.chosen(values)
            moved = [value_of(gradient_spec(out_spec(v)), moving) for v in primals]
            if rule is None:
                out, out_t = self.one_by_one(sub, values, moved, each)
            else:
                pair = self.call(sub, rule, [*first, Tuple(tuple(primals)), Tuple(tuple(moved))])
                out, out_t = self.pair(pair, "the rule")
            results = self.adapted(sub, out, "the rule")
            return [*results, *self.moved(sub, results, out_t)]

        name = self.finish(
            self.outlined([*self.site.operands, *tangents], build),
            self.lo.b.namer.fresh(f"{self.entry.name}_jvp"),
        )
        return self.rule("jvp", name)

    def one_by_one(
        self, sub: Lowering, values: dict[str, Any], moved: list[Any], each: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        """Value and tangent from a rule for each argument (``defjvps``)."""
        if self.site.first or len(each) != len(moved):
            self.lo.mismatch(
                self.node, f"defjvps of {self.obj.__name__} needs one rule for each argument"
            )
        args = list(values.values())
        out = call_value(sub, Static(self.obj), args, {}, self.node)
        total: Any = Static(None)
        for f, t in zip(each, moved, strict=True):
            if f is None or is_none(t):
                continue
            term = self.call(sub, f, [t, out, *args])
            both = not is_none(total)
            total = call_value(sub, Static(np.add), [total, term], {}, self.node) if both else term
        return out, total

    def moved(self, sub: Lowering, results: list[Atom], out_t: Any) -> list[Atom]:
        """Tangents of the float results."""
        found = []
        leaves = leaves_like(sub, self.entry.out, out_t, self.node)
        for y, t in zip(results, leaves, strict=True):
            if is_float(y.type):
                seed = zero(sub, y) if t is None else t
                kind = shadow_type(y.type)
                found.append(fitted(sub, seed, y, kind, self.node, "the tangent of a rule"))
        return found

    def vjp(self, fwd: Any, bwd: Any) -> Rule:
        """The forward function, and the backward function of what it keeps."""
        count = len(self.site.operands)
        kept: list[Atom] = []
        shape: list[Any] = []

        def forward(sub: Lowering, params: list[Atom]) -> list[Atom]:
            args = self.site.values(params)
            pair = self.call(sub, fwd, in_order(self.site, args))
            out, residuals = self.pair(pair, "fwd")
            results = self.adapted(sub, out, "fwd")
            residuals = solid(sub, residuals)
            if count_leaves(residuals) != len(flatten(residuals)[0]):
                self.lo.mismatch(
                    self.node,
                    f"fwd of {self.obj.__name__} keeps {describe(residuals)}",
                    instead="keep numbers, arrays and tuples of them",
                )
            leaves, form = flatten(residuals)
            sources = [params.index(a) if a in params else None for a in leaves]
            shape[:] = [form, sources, leaves]
            kept[:] = [a for a, k in zip(leaves, sources, strict=True) if k is None]
            return [*results, *kept]

        def backward(sub: Lowering, params: list[Atom]) -> list[Atom]:
            form, sources, _ = shape
            saved = iter(params[count : count + len(kept)])
            seeds = iter(params[count + len(kept) :])
            values = [next(saved) if k is None else params[k] for k in sources]
            out_b = value_of(gradient_spec(self.entry.out), seeds)
            first, args = self.site.chosen(self.site.values(params[:count]))
            found = self.call(sub, bwd, [*first, unflatten(form, values), out_b])
            return self.cotangents(sub, args, found)

        fresh = self.lo.b.namer.fresh
        ahead = self.finish(
            self.outlined(self.site.operands, forward), fresh(f"{self.entry.name}_fwd")
        )
        back = self.finish(
            self.outlined([*self.site.operands, *kept, *self.seeds()], backward),
            fresh(f"{self.entry.name}_bwd"),
        )
        return self.rule("vjp", back, ahead)

    def cotangents(self, sub: Lowering, args: list[Any], found: Any) -> list[Atom]:
        """What ``bwd`` returns, a cotangent for each float that has one."""
        if not isinstance(found, Tuple) or len(found.items) != len(args):
            self.lo.mismatch(
                self.node,
                f"bwd of {self.obj.__name__} returns {describe(found)}, expected a tuple of "
                f"{len(args)}",
                instead="return a tuple with a cotangent for each argument, None for zero",
            )
        out: list[Atom] = []
        for v, ct in zip(args, found.items, strict=True):
            for x, t in zip(
                flatten(v)[0], leaves_like(sub, out_spec(v), ct, self.node), strict=True
            ):
                if is_float(x.type):
                    seed = zero(sub, x) if t is None else t
                    kind = shadow_type(x.type)
                    out.append(fitted(sub, seed, x, kind, self.node, "a cotangent of bwd"))
        return out

    def rule(self, kind: str, derivative: str, forward: str = "") -> Rule:
        """The rule as the IR has it."""
        given = (*self.site.given, *(False for _ in self.entry.extras))
        label, results = self.obj.__name__, len(self.entry.types)
        return Rule(kind, derivative, given, results, label, forward)


def floats_in(v: Any) -> list[Atom]:
    """The floats and float arrays of a value."""
    return [a for a in flatten(v)[0] if is_float(a.type)]


def zero(lo: Lowering, a: Atom) -> Any:
    """Zero, of the shape of a value."""
    if isinstance(a.type, Scalar):
        return zero_of(a.type)
    assert isinstance(a, Var)
    return lo.new_array("f8", lo.shape(a), zero=True)
