"""Calls of functions for which the user has given the derivative (``ir.nodes.Rule``).

In: a call that carries a derivative.  Out: the statements that the rule asks for.

* Forward mode of a ``"jvp"`` rule calls the rule in place of the function.
* Reverse mode of a ``"jvp"`` rule is reverse mode of the rule with respect to its tangents, in
  which it is linear: the transpose (Radul et al. 2023, "You only linearize once").
* Reverse mode of a ``"vjp"`` rule: before anything else (``taken``) the call becomes one of the
  rule's forward function, whose residuals are results; its adjoint calls the backward function.
  What is left is ordinary code, so any transform applies to it.
* Forward mode of a ``"vjp"`` rule is reverse mode of its backward function, which is linear in the
  cotangent.  (JAX refuses; here a rule is refused only if it is not linear, as one that clips.)

Invariant: a float operand that the rule says nothing about is refused, never taken as constant.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import reachable, summarise
from srcad.errors import NoDerivative
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, For, Function, If, Rule, Stmt, Var, While
from srcad.ir.types import Scalar, Type, is_float, shadow_type
from srcad.ir.walk import variables
from srcad.transforms.arrays import fit, like, zero_of
from srcad.transforms.family import Family
from srcad.transforms.linearity import bends_at


def refuse_others(s: Call, rule: Rule, active: tuple[bool, ...]) -> None:
    """Operands without a derivative in the rule must be constant."""
    for a, on, given in zip(s.args, active, rule.given, strict=True):
        if on and not given:
            name = (a.hint or a.name) if isinstance(a, Var) else "an operand"
            raise NoDerivative(
                f"{rule.label} depends on {name}, for which its rule gives no derivative",
                s.loc,
                "it is among nondiff_argnums, or it is a variable of a function around it, so "
                "its contribution would be lost",
                f"make {name} an argument that the rule differentiates",
            )


def zero_like(b: Builder, a: Atom, kind: Type, hint: str) -> Atom:
    """A zero tangent for an operand."""
    if isinstance(kind, Scalar):
        return zero_of(kind)
    assert isinstance(a, Var)
    return fit(b, like(b, a, hint), kind)


def need_linear(fn: Function, chosen: tuple[bool, ...], rule: Rule, what: str, mode: str) -> None:
    """The transpose of a rule exists where the rule is linear.

    Raises:
        NoDerivative: it is not, or not visibly.
    """
    bend = bends_at(fn, chosen)
    if bend is not None:
        raise NoDerivative(
            f"{rule.label} has no derivative in {mode} mode: {what} of its rule is not linear here",
            getattr(bend, "loc", None),
            f"{mode} mode transposes the rule, and only linear functions have a transpose",
            "add, subtract and scale by what does not depend on it; or give the other kind of rule",
        )


# forward mode
def tangent_call(
    b: Builder, s: Call, rule: Rule, family: Family, tangents: dict[int, Atom], hint: str
) -> list[Atom]:
    """Call the rule in place of the function; the tangents of the float results."""
    refuse_others(s, rule, tuple(k in tangents for k in range(len(s.args))))
    callee, count = family.callees[rule.derivative], len(s.args)
    chosen = [k for k, given in enumerate(rule.given) if given]
    if rule.kind == "jvp":
        kinds = [p.type for p in callee.params[count:]]
    else:
        kinds = [shadow_type(y.type) for y in callee.body.yields]
    seeds = []
    for k, kind in zip(chosen, kinds, strict=True):
        t = tangents[k] if k in tangents else zero_like(b, s.args[k], kind, hint)
        seeds.append(fit(b, t, kind) if isinstance(t, Var) and is_reference(t) else t)
    if rule.kind != "jvp":
        return _transposed(b, s, rule, family, seeds, hint)
    made = tuple(b.var(hint, t.type) for t in s.targets if is_float(t.type))
    b.emit(Call((*s.targets, *made), rule.derivative, (*s.args, *seeds), s.loc))
    return list(made)


def _transposed(
    b: Builder, s: Call, rule: Rule, family: Family, seeds: list[Atom], hint: str
) -> list[Atom]:
    """The tangent from a rule for cotangents: the transpose of its backward function."""
    from srcad.transforms.reverse.driver import Request, generate

    backward, ahead = family.callees[rule.derivative], family.callees[rule.forward]
    floats = [t for t in s.targets if is_float(t.type)]
    first = len(backward.params) - len(floats)
    chosen = tuple(k >= first for k in range(len(backward.params)))
    need_linear(backward, chosen, rule, "the function for cotangents", "forward")
    seeded = tuple(True for _ in backward.body.yields)

    def make(name: str, primal: Function) -> Function:
        request = Request(primal, chosen, seeded, True, False, True, name, family)
        return generate(request)[0]

    name = family.version(("transpose", rule.derivative), rule.derivative, rule.derivative, make)
    residuals = tuple(b.var("residual", y.type) for y in ahead.body.yields[rule.results :])
    b.emit(Call((*s.targets, *residuals), rule.forward, s.args, s.loc))
    given = [
        fit(b, a, p.type) if isinstance(a, Var) and is_reference(a) else a
        for a, p in zip((*s.args, *residuals), backward.params, strict=False)
    ]
    zeros = [
        zero_like(b, t, p.type, hint) for t, p in zip(floats, backward.params[first:], strict=True)
    ]
    yields = family.callees[name].body.yields
    made = [b.var(hint, y.type) for y in yields]
    b.emit(Call(tuple(made), name, (*given, *zeros, *seeds), s.loc))
    return [
        fit(b, m, shadow_type(t.type)) if is_reference(m) else m
        for m, t in zip(made[len(seeded) :], floats, strict=True)
    ]


# reverse mode
def taken(
    fn: Function,
    active: tuple[bool, ...],
    seeded: tuple[bool, ...] | None,
    inout: bool,
    family: Family,
) -> Function:
    """``fn`` with calls of ``"vjp"`` functions that carry a derivative made ready for it."""
    if not any(_has_vjp(f) for f in reachable(fn).values()):
        return fn
    summaries = summarise(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, active, seeded, inout)
    namer = Namer(v.name for v in variables(fn))

    def block(x: Block) -> Block:
        return replace(x, stmts=tuple(map(one, x.stmts)))

    def one(s: Stmt) -> Stmt:
        match s:
            case If():
                return replace(s, then=block(s.then), orelse=block(s.orelse))
            case For() | While():
                return replace(s, body=block(s.body))
            case Call():
                on = tuple(map(activity.carries, s.args))
                return call(s, on) if any(on) else s
        return s

    def call(s: Call, on: tuple[bool, ...]) -> Call:
        rule = family.callees[s.fn].rule
        if rule is None or rule.kind != "vjp":
            return s  # what is not expanded is made ready when it is run again (``operations``)
        refuse_others(s, rule, on)
        name = _forward(rule, family)
        residuals = family.callees[name].body.yields[rule.results :]
        more = tuple(Var(namer.fresh("residual"), y.type, "residual") for y in residuals)
        return replace(s, fn=name, targets=(*s.targets, *more))

    return replace(fn, body=block(fn.body), callees=family.callees)


def _has_vjp(fn: Function) -> bool:
    return fn.rule is not None and fn.rule.kind == "vjp"


def _forward(rule: Rule, family: Family) -> str:
    """The forward function of a rule, marked as being reversed."""

    def make(name: str, forward: Function) -> Function:
        mark = replace(rule, kind="pullback")
        return replace(forward, name=name, callees=family.callees, rule=mark)

    return family.version(("taken", rule.forward), rule.forward, rule.forward, make)


def settled(family: Family) -> None:
    """The reverse sweep is done: what was marked is ordinary code from now on."""
    for name, fn in family.callees.items():
        if fn.rule is not None and fn.rule.kind == "pullback":
            family.callees[name] = replace(fn, rule=None)
