"""Products of partial derivatives with tangents or cotangents, shared by both modes.

In: a number that carries a derivative and a partial.  Out: their product as an atom: factors 1 and
-1 need no multiplication, a guarded product keeps zero at zero.
"""

from __future__ import annotations

from srcad.errors import NoDerivative
from srcad.ir.build import Builder
from srcad.ir.nodes import Atom, Const, Op
from srcad.rules import registry


def times(b: Builder, value: Atom, partial: Atom, guard: bool, hint: str) -> Atom:
    """``value * partial``."""
    if isinstance(partial, Const) and partial.value in (1, -1) and not isinstance(partial.value,
                                                                                   bool):
        return value if partial.value == 1 else b.op("neg", value, hint=hint)
    product = b.op("mul", value, partial, hint=hint)
    if not guard or isinstance(partial, Const):
        return product
    zero = Const(0.0, value.type)
    return b.op("select", b.op("eq", value, zero, hint="still"), b.cast(zero, product.type),  # type: ignore[arg-type]
                product, hint=hint)


def partials(b: Builder, s: Op, args: tuple[Atom, ...], out: Atom,
             active: tuple[bool, ...]) -> tuple[Atom | None, ...]:
    """The rule's partials, errors located at the user's line; zero partials are ``None``."""
    try:
        found = registry.partials(b, s.op, args, out, active)
    except NoDerivative as error:
        raise NoDerivative(error.what, error.loc or s.loc, error.why, error.instead) from None
    return tuple(None if isinstance(p, Const) and p.value == 0 else p for p in found)


def guarded(s: Op) -> bool:
    """Whether the statement's rule asks for guarded products."""
    return registry.guarded(s.op, s.args)
