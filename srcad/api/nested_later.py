"""``srcad.vjp`` and ``srcad.linearize`` inside a differentiated function.

Their result holds a linear map, which is called later.  It is a record: the operands of the call
(the arrays among them are copies), then the leaves of the result.  Each map has a class of its own,
so that values of two maps never meet in one variable.

Limits: the map runs the function again when it is called; functions that draw are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.api.grad import Differentiable
from srcad.api.higher import linearize, vjp
from srcad.api.nested import Call, located_at, run, saved
from srcad.api.nested_calls import as_object, fitted, given_to, leaves_like, moved_along
from srcad.api.programs import vjp_program
from srcad.api.records import active_floats
from srcad.frontend.core import CALLS, OBJECTS, Lowering, handles
from srcad.frontend.nested import value_of
from srcad.frontend.values import Record, Tuple, flatten
from srcad.ir.nodes import Atom, Var
from srcad.ir.types import Scalar, is_float
from srcad.specs import gradient_spec
from srcad.transforms.arrays import zero_of
from srcad.transforms.draws import draws


class Later:
    """A linear map that ``vjp`` or ``linearize`` has made; its subclasses have a program each.

    The record holds the operands (the arrays among them are copies), then the leaves of the result.
    """

    again: Callable[..., Any]


def later(lo: Lowering, f: Any, args: list[Any], again: Callable[..., Any], node: Any) -> Tuple:
    """The value of ``f`` and a record of what ``again`` needs to be called with."""
    call = Call(lo, f, args, {}, node)
    name = call.inner.source.name
    if draws(call.program.fn):
        lo.fail(
            node,
            f"a pullback or linearization of {name}, which draws random numbers, cannot be made "
            "in a differentiated function",
            "the second run would have to draw the same numbers again",
            "use srcad.grad or srcad.jvp, or pass the random numbers",
        )
    operands = tuple(saved(lo, a) for a in (*call.inner.operands, *call.inner.extras))
    out = call.run(call.program)
    leaves = flatten(out)[0]
    count = len(operands)

    def run_again(lo: Lowering, held: tuple[Atom, ...], given: Any, node: Any) -> Any:
        return again(lo, call, held[:count], held[count:], given, node)

    made = type(name, (Later,), {"again": staticmethod(run_again)})
    lo.program.facts["kept", id(made)] = made
    return Tuple((out, Record(made, dict(enumerate((*operands, *leaves))))))


@handles(OBJECTS, Later)
def call_later(
    lo: Lowering, obj: Record, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """A call of a pullback or of a linearised function."""
    if keywords:
        lo.mismatch(node, "a linear map takes its arguments by position")
    return obj.cls.again(lo, tuple(obj.fields.values()), args, node)  # type: ignore[attr-defined]


@handles(CALLS, vjp, Differentiable.vjp)
def nested_vjp(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``srcad.vjp(f, *args)``: the value, and the pullback."""
    given = given_to(lo, vjp, args, keywords, node)
    f = as_object(lo, given["f"], node, "vjp")
    return later(lo, f, list(given.get("args", ())), pulled, node)


def pulled(
    lo: Lowering,
    call: Call,
    operands: tuple[Atom, ...],
    outs: tuple[Atom, ...],
    given: list[Any],
    node: Any,
) -> Any:
    """Cotangents of the arguments."""
    if len(given) != 1:
        lo.mismatch(node, "a pullback takes one argument, the cotangent of the result")
    program, name = call.program, call.inner.source.name
    with located_at(lo, node):
        moved = vjp_program(program, active_floats(program))
    count = len(call.inner.operands)
    kinds = iter([p.type for p in moved.fn.params[count:]])
    seeds = []
    for y, t in zip(outs, leaves_like(lo, program.out, given[0], node), strict=True):
        if is_float(y.type):
            seed = zeros_like(lo, y) if t is None else t
            seeds.append(fitted(lo, seed, y, next(kinds), node, "the cotangent of a result"))
    all_operands = (*operands[:count], *seeds, *operands[count:])
    grads = iter(run(lo, moved, all_operands, name, node).items[1].items)
    found: list[Any] = []
    for parameter, s in program.arguments.items():
        value = value_of(gradient_spec(s), grads)
        found += value.items if parameter == program.source.starred else [value]
    return Tuple(tuple(found))


def zeros_like(lo: Lowering, y: Atom) -> Any:
    """Zero, of the shape of a result."""
    if isinstance(y.type, Scalar):
        return zero_of(y.type)
    assert isinstance(y, Var)
    return lo.new_array("f8", lo.shape(y), zero=True)


@handles(CALLS, linearize)
def nested_linearize(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``srcad.linearize(f, *primals)``: the value, and the derivative as a function of tangents."""
    given = given_to(lo, linearize, args, keywords, node)
    f = as_object(lo, given["f"], node, "linearize")
    return later(lo, f, list(given.get("primals", ())), pushed, node)


def pushed(
    lo: Lowering,
    call: Call,
    operands: tuple[Atom, ...],
    outs: tuple[Atom, ...],
    given: list[Any],
    node: Any,
) -> Any:
    """The tangent of the result."""
    return moved_along(lo, call, operands, given, node).items[1]
