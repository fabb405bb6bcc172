"""Lowering of calls of functions with rules of the user.

In: a call of a ``Custom`` object with abstract values.  Out: a ``Call`` of an IR function that has
an ``ir.nodes.Rule`` (``api.custom_rules`` makes it, once for each kind of arguments).

Limits: neither the function nor its rule may write to its arguments or draw random numbers.
"""

from __future__ import annotations

from typing import Any

from srcad.api.custom import (
    Custom,
    CustomJvp,
    CustomVjp,
    custom_jvp,
    custom_vjp,
    register_rule,
    stop_gradient,
)
from srcad.api.custom_rules import Definition, Entry
from srcad.api.custom_site import Site
from srcad.api.nested_calls import as_object, making, refusing
from srcad.frontend.core import CALLS, OBJECTS, Lowering, handles
from srcad.frontend.values import Record, Static, Tuple, is_array, is_none, is_scalar, unflatten
from srcad.ir.nodes import Call
from srcad.ir.types import ArrayT, is_float


@handles(OBJECTS, Custom)
def call_custom(
    lo: Lowering, obj: Custom, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """A call of a function that has a rule."""
    site = Site(lo, obj, args, keywords, node)
    known = {c.var.name for c in lo.program.captures.values()}
    key = site.key()
    entry = lo.program.ruled.get(key)
    if entry is not None and entry.open and entry.shape is None:
        lo.fail(
            node,
            f"{obj.__name__} has a rule and calls itself",
            "the rule would have to hold for its own insides",
            "give the rule to a function that calls the recursive one",
        )
    if entry is None or not (entry.open or all(v.name in known for v in entry.extras)):
        if sum(e.open for e in lo.program.ruled.values()) > 30:
            lo.fail(
                node,
                f"the rule of {obj.__name__} needs rules without end",
                "it calls functions with rules for other constants each time",
                "pass what changes as an argument that is not in nondiff_argnums",
            )
        name = site.f.source.name if site.f is not None else obj.__name__
        entry = lo.program.ruled[key] = Entry(lo.b.namer.fresh(name))
        try:
            Definition(site, entry).run()
        except BaseException:
            lo.program.ruled.pop(key, None)
            raise
        entry.open = False
    results = tuple(lo.b.var(entry.name, t) for t in entry.types)
    lo.b.emit(Call(results, entry.name, (*site.operands, *entry.extras), lo.loc(node) or lo.b.loc))
    for r in results:
        if isinstance(r.type, ArrayT):
            lo.note_shape(r)
    return unflatten(entry.shape, list(results))


# the API inside a differentiated function
making(custom_vjp)
making(custom_jvp)
refusing(register_rule, "call it outside the differentiated function")


@handles(CALLS, CustomVjp.defvjp, CustomJvp.defjvp, CustomJvp.defjvps)
def define_inside(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``f.defvjp(fwd, bwd)`` of a function that was decorated inside."""
    obj, *rules = args
    made = [None if is_none(r) else as_object(lo, r, node, "defvjp") for r in rules]
    getattr(obj.obj, obj.obj.missing.partition("(")[0])(*made)
    return Static(None)


@handles(CALLS, stop_gradient)
def stop(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``srcad.stop_gradient``: through structures."""
    return stopped(lo, args[0], node)


def stopped(lo: Lowering, v: Any, node: Any) -> Any:
    """A value that derivatives take as constant."""
    if isinstance(v, Tuple):
        return Tuple(tuple(stopped(lo, x, node) for x in v.items), v.cls)
    if isinstance(v, Record):
        return Record(v.cls, {k: stopped(lo, x, node) for k, x in v.fields.items()})
    if is_scalar(v):
        return lo.b.op("stop_gradient", v) if is_float(v.type) else v
    if is_array(v):
        from srcad.frontend.arrays import dtype_of, elementwise

        return elementwise(lo, "stop_gradient", [v], node) if dtype_of(v)[0] == "f" else v
    return v
