"""Adjoints of calls with rules of the user; see ``transforms.custom``.

In: a call whose callee has a ``"pullback"`` or ``"jvp"`` rule, the state of the reverse sweep.
Out: a call of the backward function, or of the transpose of the tangent's function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from srcad.analyses.regions import is_reference
from srcad.ir.nodes import Atom, Call, Function, Rule, Var
from srcad.ir.types import Type, is_float, shadow_type
from srcad.transforms.arrays import add_to, fit, like, zero_of
from srcad.transforms.custom import need_linear, refuse_others, zero_like
from srcad.transforms.reverse.adjoint import Adjoint

if TYPE_CHECKING:
    from srcad.transforms.reverse.operations import Operations

Versions = Callable[[str, tuple[bool, ...], tuple[bool, ...]], str]


def ruled_call(operations: Operations, adjoint: Adjoint, s: Call, rule: Rule) -> None:
    """The adjoint of a call by the user's rule."""
    active = tuple(map(adjoint.activity.carries, s.args))
    refuse_others(s, rule, active)
    if not any(active):
        return
    again = operations.family.callees[rule.derivative]
    args = [operand(operations, adjoint, s, k) for k in range(len(s.args))]
    (pulled if rule.kind == "pullback" else transposed)(
        operations, adjoint, s, rule, again, args, active
    )


def operand(operations: Operations, adjoint: Adjoint, s: Call, k: int) -> Atom:
    """Operand or result ``k`` of the call, as it was."""
    a = (*s.args, *s.targets)[k]
    return operations.reference(adjoint, s, k) if is_reference(a) else adjoint.scopes.value(a)


def seeds_of(
    operations: Operations, adjoint: Adjoint, s: Call, rule: Rule, kinds: list[Type]
) -> list[Atom]:
    """A seed for each float result, zero where nothing depends on it."""
    found: list[Atom] = []
    floats = [t for t in s.targets[: rule.results] if is_float(t.type)]
    for t, kind in zip(floats, kinds, strict=True):
        seed = operations.seed(adjoint, t)
        if seed is None and is_reference(t):
            k = len(s.args) + s.targets.index(t)
            result = operations.reference(adjoint, s, k)
            seed = like(adjoint.b, result, adjoint.hint(t))
        elif seed is None:
            seed = zero_of(t.type)
        found.append(fit(adjoint.b, seed, kind) if is_reference(seed) else seed)  # type: ignore[arg-type]
    return found


def pulled(
    operations: Operations,
    adjoint: Adjoint,
    s: Call,
    rule: Rule,
    backward: Function,
    args: list[Atom],
    active: tuple[bool, ...],
) -> None:
    """A call of the backward function; its cotangents are added to the shadows."""
    b, count = adjoint.b, len(s.args)
    residuals = [
        operand(operations, adjoint, s, count + k) for k in range(rule.results, len(s.targets))
    ]
    kinds = [p.type for p in backward.params]
    first = count + len(residuals)
    seeds = seeds_of(operations, adjoint, s, rule, kinds[first:])
    made = [
        b.var(adjoint.hint(a), y.type)
        for a, y in zip(
            (a for a, on in zip(s.args, rule.given, strict=True) if on),
            backward.body.yields,
            strict=True,
        )
    ]
    given = [
        fit(b, a, kind) if is_reference(a) else a  # type: ignore[arg-type]
        for a, kind in zip([*args, *residuals], kinds, strict=False)
    ]
    b.emit(Call(tuple(made), rule.derivative, (*given, *seeds), s.loc))
    places = iter(made)
    for a, on, given_here in zip(s.args, active, rule.given, strict=True):
        if not given_here:
            continue
        m = next(places)
        if on and is_reference(a):
            add_to(b, adjoint.scopes.shadow(a), m)
        elif on:
            adjoint.add(a, m)


def transposed(
    operations: Operations,
    adjoint: Adjoint,
    s: Call,
    rule: Rule,
    tangent: Function,
    args: list[Atom],
    active: tuple[bool, ...],
) -> None:
    """Reverse mode of the rule with respect to its tangents, at tangents of zero."""
    b, count = adjoint.b, len(s.args)
    moving = tuple(k >= count for k in range(len(tangent.params)))
    need_linear(tangent, moving, rule, "the tangent", "reverse")
    floats = [y for y in tangent.body.yields[: rule.results] if is_float(y.type)]
    on = [x for x, given in zip(active, rule.given, strict=True) if given]
    name = operations.versions(
        rule.derivative,
        (*(False for _ in args), *on),
        (*(False for _ in floats), *(True for _ in floats)),
    )
    kinds = [p.type for p in tangent.params]
    sources = [k for k, given in enumerate(rule.given) if given]
    zeros = [
        zero_like(b, args[k], kind, adjoint.hint(s.args[k]))
        for k, kind in zip(sources, kinds[count:], strict=True)
    ]
    tangents = tangent.body.yields[rule.results :]
    seeds = seeds_of(operations, adjoint, s, rule, [shadow_type(y.type) for y in tangents])
    given = [
        fit(b, a, kind) if is_reference(a) else a  # type: ignore[arg-type]
        for a, kind in zip(args, kinds, strict=False)
    ]
    chosen = [s.args[k] for k in sources if active[k]]
    shadows = [
        fit(b, adjoint.scopes.shadow(a), shadow_type(kinds[count + sources.index(k)]))
        for k in sources
        if active[k] and is_reference(a := s.args[k])
    ]
    scalars = [a for a in chosen if not is_reference(a)]
    again = [b.var("again", y.type) for y in tangent.body.yields]
    made: list[Var] = [b.var(adjoint.hint(a), a.type) for a in scalars]
    b.emit(Call((*again, *made), name, (*given, *zeros, *seeds, *shadows), s.loc))
    for a, m in zip(scalars, made, strict=True):
        adjoint.add(a, m)
