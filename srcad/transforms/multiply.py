"""Products of partial derivatives with tangents or cotangents, shared by both modes.

In: a number that carries a derivative and a partial.  Out: their product as an atom: factors 1 and
-1 need no multiplication, a guarded product keeps zero at zero.
"""

from __future__ import annotations

from typing import Literal

from srcad.errors import NoDerivative
from srcad.ir.build import Builder
from srcad.ir.nodes import Atom, Const, Op
from srcad.ir.types import Scalar
from srcad.rules import registry

Guard = Literal["", "value", "partial"]


def times(b: Builder, value: Atom, partial: Atom, guard: Guard, hint: str) -> Atom:
    """``value * partial``, zero where the factor that ``guard`` names is."""
    return times_chosen(b, value, partial, guard, hint, chosen(b, partial))


def times_chosen(
    b: Builder, value: Atom, partial: Atom, guard: Guard, hint: str, choice: Op | None
) -> Atom:
    """``times``, where it is known which operation chose the partial."""
    if (
        isinstance(partial, Const)
        and partial.value in (1, -1)
        and not isinstance(partial.value, bool)
    ):
        return value if partial.value == 1 else b.op("neg", value, hint=hint)
    if choice is not None:
        return choose(b, value, choice, hint)
    if guard == "" or isinstance(partial, Const):
        return b.op("mul", value, partial, hint=hint)
    factors = (value, partial) if guard == "value" else (partial, value)
    return b.op("guarded_mul", *factors, hint=hint)


def chosen(b: Builder, partial: Atom) -> Op | None:
    """The operation that made a partial, if that only chooses between 0, 1 and -1."""
    for s in reversed(b.stack[-1][-8:]):
        if isinstance(s, Op) and s.target == partial and s.op == "select":
            known = all(isinstance(a, Const) and a.value in (0, 1, -1) for a in s.args[1:])
            return s if known else None
    return None


def choose(b: Builder, value: Atom, choice: Op, hint: str) -> Atom:
    """``value`` times the chosen factor; the side not taken gives 0 even of infinities."""
    assert isinstance(value.type, Scalar)
    sides = []
    for factor in choice.args[1:]:
        assert isinstance(factor, Const)
        sides.append(
            value
            if factor.value == 1
            else b.op("neg", value, hint=hint)
            if factor.value
            else Const(0.0, value.type)
        )
    return b.op("select", choice.args[0], *sides, hint=hint)


def partials(
    b: Builder, s: Op, args: tuple[Atom, ...], out: Atom, active: tuple[bool, ...]
) -> tuple[Atom | None, ...]:
    """The rule's partials, errors located at the user's line; zero partials are ``None``."""
    try:
        found = registry.partials(b, s.op, args, out, active)
    except NoDerivative as error:
        raise NoDerivative(error.what, error.loc or s.loc, error.why, error.instead) from None
    return tuple(None if isinstance(p, Const) and p.value == 0 else p for p in found)


def guard_of(s: Op, k: int, sheltered: bool = False) -> Guard:
    """Which factor of the product with the partial of operand ``k`` keeps it zero, if any.

    Args:
        sheltered: whether the result matters only where something chooses it.
    """
    if sheltered:
        return "value"
    if s.op == "guarded_mul" and k == 1:
        return "partial"
    return "value" if registry.guarded(s.op, s.args) else ""
