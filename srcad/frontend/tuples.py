"""Items of tuples: at constant positions, in constant slices, at positions known at run time.

A position known only at run time needs items of one kind; it becomes a chain of branches.
"""

from __future__ import annotations

from typing import Any

from srcad.frontend.advanced import wrap
from srcad.frontend.core import METHODS, PLAIN, Lowering, handles
from srcad.frontend.joins import branch
from srcad.frontend.names import named
from srcad.frontend.values import Record, SliceV, Tuple
from srcad.ir.build import ZERO, const
from srcad.ir.nodes import Const


def tuple_item(lo: Lowering, t: Tuple, key: Any, node: Any) -> Any:
    """An item of a tuple; a position known only at run time needs items of one kind."""
    if isinstance(key, SliceV):
        bounds = [
            b if b is None else getattr(b, "value", "?") for b in (key.start, key.stop, key.step)
        ]
        if "?" in bounds:
            lo.fail(
                node,
                "the bounds of a slice of a tuple must be constants",
                "the length of a tuple must be known at compile time",
                "use an array",
            )
        if bounds[2] == 0:
            lo.mismatch(node, "the step of a slice must not be zero", PLAIN)
        return Tuple(t.items[slice(*bounds)], list if t.cls is list else None)
    if isinstance(key, Const):
        k = int(lo.integer(key, node).value)  # type: ignore[union-attr]
        if not -len(t.items) <= k < len(t.items):
            lo.mismatch(node, f"index {k} is out of range for a tuple of {len(t.items)}", PLAIN)
        return t.items[k]
    i = wrap(lo, lo.integer(key, node), const(len(t.items)))
    if not t.items:
        lo.mismatch(node, "cannot index an empty tuple", PLAIN)
    inside = lo.b.op("and", lo.b.op("ge", i, ZERO), lo.b.op("lt", i, const(len(t.items))))
    lo.b.check(inside, "IndexError", "tuple index out of range")

    def choose(k: int) -> None:
        if k == len(t.items) - 1:
            lo.frame.env[".value"] = t.items[k]
            return
        here = lo.b.op("eq", i, const(k))

        def yes() -> None:
            lo.frame.env[".value"] = t.items[k]

        branch(lo, here, yes, lambda: choose(k + 1))

    choose(0)
    return lo.read(lo.frame.env.pop(".value"), node, "the item at this position")


@handles(METHODS, "Tuple._replace")
def replaced(
    lo: Lowering, owner: Tuple, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """``namedtuple._replace``: the same with other values in some fields."""
    held = named(owner)
    for key in keywords:
        if key not in held:
            lo.mismatch(node, f"this namedtuple has no field {key!r}", PLAIN)
    if args:
        lo.mismatch(node, "_replace takes keyword arguments only", PLAIN)
    return Tuple(tuple({**held, **keywords}.values()), owner.cls)


@handles(METHODS, "Tuple._asdict")
def as_dict(
    lo: Lowering, owner: Tuple, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """``namedtuple._asdict``."""
    return Record(dict, named(owner))
