"""What a loop carries for a name: the type that fits both its entry and what the body yields.

In: the value of a name on entry, as the body takes it, and as the body yields it.  Out: facts
``(kind, shape, types)`` (``plain``; ``maybe``: bound by a flag; ``optional``: ``None`` or a value,
by a flag; ``conflict``: no one type), and entry values widened to a fact.  Invariant: facts only
widen, so that lowering a body again and again comes to an end.
"""

from __future__ import annotations

from typing import Any

from srcad.frontend.core import FALSE, TRUE, Lowering
from srcad.frontend.joins import absence, adapt, join_types, optional
from srcad.frontend.values import (
    UNBOUND,
    Conflict,
    Lazy,
    Maybe,
    describe,
    flatten,
    is_none,
    unflatten,
)
from srcad.ir.nodes import Var
from srcad.ir.types import ArrayT


def widened(lo: Lowering, v: Any, fact: tuple) -> Any:
    """The value of a name on entry, widened to what the body is known to yield."""
    kind, shape, types = fact
    flag: Any = None
    if kind == "conflict":
        return Conflict(shape)
    if isinstance(v, Maybe):
        flag, v = v.flag, v.value
    if kind == "optional" and is_none(v):
        v = UNBOUND
    elif kind == "optional" and (isinstance(v, Conflict) or flatten(v)[1] != shape):
        return Conflict("None in some iterations and of another kind before the loop")
    if v is UNBOUND or isinstance(v, Conflict) or flatten(v)[1] != shape:
        leaves = [lo.undefined(t) for t in types]
        v, flag = unflatten(shape, leaves), FALSE
    else:
        leaves = [adapt(lo, x, t) for x, t in zip(flatten(v)[0], types, strict=True)]
        v = unflatten(shape, leaves)
    if kind == "plain" and flag is None:
        return v
    return Maybe(v, flag or TRUE, none=kind == "optional")


def carry_fact(lo: Lowering, n: str, arg: Any, v: Any, old: Any) -> Any:
    """What must be carried for a name, or ``None`` where the present choice fits."""
    if v is arg or isinstance(arg, Conflict) and old and old[0] == "conflict":
        return None
    maybe = isinstance(arg, Maybe) or isinstance(v, Maybe) or arg is UNBOUND or v is UNBOUND
    missing = {absence(v, n), absence(arg, n)} - {None}
    maybe_kind = "maybe"
    if "none" in missing and not (is_none(v) and is_none(arg)):
        if "unbound" in missing:
            return ("conflict", "None in one iteration and unbound in another", ())
        solid = [z for z in (v, arg) if not is_none(z)]
        if all(isinstance(z, Maybe) or optional(z, n) for z in solid):
            maybe, maybe_kind = True, "optional"
            v, arg = (UNBOUND if is_none(z) else z for z in (v, arg))
    x = v.value if isinstance(v, Maybe) else v
    y = arg.value if isinstance(arg, Maybe) else arg
    if isinstance(x, Lazy):
        x = materialize_in(lo, x)
    if x is UNBOUND:
        x = y
    if isinstance(x, Conflict):
        return ("conflict", x.reason, ()) if not isinstance(y, Conflict) else None
    leaves, shape = flatten(x)
    if y is UNBOUND or isinstance(y, Conflict):
        return (maybe_kind, shape, tuple(a.type for a in leaves))
    mine, mine_shape = flatten(y)
    if shape != mine_shape:
        if old and old[0] == "maybe":
            why = f"{describe(y)} in one iteration and {describe(x)} in another"
            return ("conflict", why, ())
        return (maybe_kind, shape, tuple(a.type for a in leaves))
    types = tuple(join_types(a.type, b.type) for a, b in zip(mine, leaves, strict=True))
    if any(t is None for t in types):
        return ("conflict", f"{describe(y)} and then {describe(x)}", ())
    kind = maybe_kind if maybe else "plain"
    if types == tuple(a.type for a in mine) and maybe == isinstance(arg, Maybe):
        return None
    return (kind, shape, types)


def materialize_in(lo: Lowering, v: Lazy) -> Var:
    """A stand-in variable of the type that ``v`` will have (for type facts only)."""
    return lo.b.var("t", ArrayT(v.dtype, len(v.shape), "C"))
