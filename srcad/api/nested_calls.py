"""What the functions of the API mean inside a differentiated function; see ``api.nested``.

In: a call of ``srcad.grad``, ``srcad.jvp`` … with abstract values.  Out: the abstract value of its
result.  ``grad`` and its like make objects at compile time; ``jvp`` and ``hvp`` compute at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from srcad.api.adjoint import adjoint
from srcad.api.audit import audit
from srcad.api.batch import batch, batch_jacobian
from srcad.api.check import check_grads
from srcad.api.function import Transformed
from srcad.api.grad import Differentiable, Grad, differentiable, grad, value_and_grad
from srcad.api.hessian_products import hvp
from srcad.api.higher import jvp
from srcad.api.implicit import fixed_point, implicit_minimum, implicit_root
from srcad.api.inspect import explain, source
from srcad.api.jacobian import hessian, jacfwd, jacobian, jacrev
from srcad.api.nested import Call, Held, located_at, run
from srcad.api.programs import jvp_program
from srcad.api.sparse import sparse_hessian, sparse_jacobian
from srcad.compiler import Program
from srcad.frontend.arguments import Leaf, Node, Spec
from srcad.frontend.arrays import nest, shape_of
from srcad.frontend.calls import call_value
from srcad.frontend.core import CALLS, OBJECTS, Lowering, handles
from srcad.frontend.creation import as_array
from srcad.frontend.names import captured
from srcad.frontend.source import get_source
from srcad.frontend.values import (
    FunctionV,
    Record,
    Static,
    Tuple,
    describe,
    flatten,
    is_none,
    is_scalar,
)
from srcad.ir.nodes import Atom, Const, Var
from srcad.ir.types import Scalar, is_float
from srcad.options import Options
from srcad.transforms.arrays import fit, fresh

REFUSED: dict[Any, str] = {
    adjoint: "use srcad.vjp, or write the function so that it returns its result",
    audit: "call it outside the differentiated function",
    fixed_point: "make the object outside, and call it there",
    implicit_minimum: "make the object outside, and call it there",
    implicit_root: "make the object outside, and call it there",
    sparse_jacobian: "use srcad.jacobian there, or srcad.jvp for its products with vectors",
    sparse_hessian: "use srcad.hessian there, or srcad.hvp for its products with vectors",
    check_grads: "call it outside the differentiated function",
    explain: "call it outside the differentiated function",
    source: "call it outside the differentiated function",
}


def as_object(lo: Lowering, f: Any, node: Any, what: str) -> Any:
    """A callable for the constructors of the API, from an abstract value."""
    if isinstance(f, Static) and callable(f.obj):
        return f.obj
    if isinstance(f, FunctionV):
        return Held(f)
    if isinstance(f, Record) and inspect.isfunction(
        inspect.getattr_static(f.cls, "__call__", None)
    ):
        return Held(FunctionV(get_source(f.cls.__call__), bound=(f,)))
    lo.mismatch(
        node,
        f"srcad.{what} of {describe(f)}",
        "it takes a derivative of a function",
        f"pass the function itself: {what}(f)(x), not {what}(f(x))",
    )


def constant(lo: Lowering, v: Any, node: Any, what: str) -> Any:
    """The Python object that an abstract value stands for.

    Raises:
        TypeMismatch: it is known only at run time.
    """
    if isinstance(v, Const):
        return v.value
    if isinstance(v, Static):
        return v.obj
    if isinstance(v, Tuple):
        items = [constant(lo, x, node, what) for x in v.items]
        return items if v.cls is list else tuple(items)
    if isinstance(v, Record) and v.cls is dict:
        return {k: constant(lo, x, node, what) for k, x in v.fields.items()}
    lo.mismatch(
        node,
        f"{what} is {describe(v)} that is known only at run time",
        "what is differentiated decides the code",
        "write it as a constant",
    )


def given_to(
    lo: Lowering, f: Callable[..., Any], args: list[Any], keywords: dict[str, Any], node: Any
) -> dict[str, Any]:
    """Arguments of a function of the API by name, options left out."""
    try:
        bound = inspect.signature(f).bind(*args, **keywords)
    except TypeError as e:
        lo.mismatch(node, f"srcad.{f.__name__}: {e}")
    found = dict(bound.arguments)
    options = found.pop("options", {})
    with located_at(lo, node):
        Options().merged({k: constant(lo, v, node, k) for k, v in options.items()})
    return found


def making(make: Callable[..., Any]) -> None:
    """``srcad.grad`` and its like make an object at compile time."""

    @handles(CALLS, make)
    def handler(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
        given = given_to(lo, make, args, keywords, node)
        f = as_object(lo, given.pop("f"), node, make.__name__)
        named = {k: constant(lo, v, node, f"{k} of {make.__name__}") for k, v in given.items()}
        with located_at(lo, node):
            made = make(f, **named)
        lo.program.facts["kept", id(made)] = made  # objects are told apart by their ids
        return Static(made)


MADE = (
    *(grad, value_and_grad, jacobian, jacfwd, jacrev, hessian, differentiable),
    *(batch, batch_jacobian),
)
for _make in MADE:
    making(_make)


def refusing(f: Callable[..., Any], instead: str) -> None:
    """What has no meaning inside says so."""

    @handles(CALLS, f)
    def handler(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
        lo.fail(
            node,
            f"srcad.{f.__name__} cannot be called in a differentiated function",
            instead=instead,
        )


for _f, _instead in REFUSED.items():
    refusing(_f, _instead)


@handles(OBJECTS, Transformed)
def call_transformed(
    lo: Lowering, obj: Transformed, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """A call of a derivative."""
    if obj.label in ("jvp", "vjp", "adjoint"):
        lo.fail(
            node,
            f"an object of srcad.{obj.label} cannot be called in a differentiated function",
            instead="call srcad.jvp or srcad.vjp there",
        )
    call = Call(lo, obj, args, keywords, node)
    return call.run(call.program)


@handles(OBJECTS, Differentiable)
def call_differentiable(
    lo: Lowering, obj: Differentiable, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """A call of a ``@srcad.differentiable`` function is a call of the function."""
    inner = obj.inner
    f = inner.value if isinstance(inner, Held) else captured(lo, inner, None, node)
    return call_value(lo, f, args, keywords, node)


# at once
@handles(CALLS, jvp, Differentiable.jvp)
def nested_jvp(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``srcad.jvp(f, primals, tangents)``."""
    given = given_to(lo, jvp, args, keywords, node)
    f = as_object(lo, given["f"], node, "jvp")
    primals, tangents = (items(lo, given[k], k, node) for k in ("primals", "tangents"))
    return tangent_of(lo, f, primals, tangents, node)


def tangent_of(lo: Lowering, f: Any, primals: list[Any], tangents: list[Any], node: Any) -> Any:
    """Value and tangent."""
    if len(primals) != len(tangents):
        lo.mismatch(
            node,
            f"jvp needs one tangent per primal: {len(primals)} primals, {len(tangents)} tangents",
            instead="give None for what is constant",
        )
    call = Call(lo, f, primals, {}, node)
    return moved_along(lo, call, (*call.inner.operands, *call.inner.extras), tangents, node)


def moved_along(
    lo: Lowering, call: Call, operands: tuple[Atom, ...], tangents: list[Any], node: Any
) -> Any:
    """Value and tangent of an isolated function."""
    program, count = call.program, len(call.inner.operands)
    given = by_name(program, tangents)
    leaves = [
        t for k, s in program.arguments.items() for t in leaves_like(lo, s, given.get(k), node)
    ]
    active = [t is not None and is_float(a.type) for t, a in zip(leaves, operands, strict=False)]
    with located_at(lo, node):
        moved = jvp_program(program, (*active, *(False for _ in program.captures)))
    chosen = [(t, a) for t, a, on in zip(leaves, operands, active, strict=False) if on]
    kinds = [p.type for p in moved.fn.params[count:]]
    seeds = [
        fitted(lo, t, a, kind, node, "a tangent")
        for (t, a), kind in zip(chosen, kinds, strict=False)
    ]
    all_operands = (*operands[:count], *seeds, *operands[count:])
    return run(lo, moved, all_operands, call.inner.source.name, node)


def by_name(program: Program, given: list[Any]) -> dict[str, Any]:
    """What is given by position, by parameter; all that are left for ``*args``."""
    star = program.source.starred
    out: dict[str, Any] = {}
    for k, name in enumerate(program.arguments):
        if name == star:
            out[name] = Tuple(tuple(given[k:]))
        elif k < len(given):
            out[name] = given[k]
    return out


def items(lo: Lowering, v: Any, name: str, node: Any) -> list[Any]:
    """The items of a tuple of primals or tangents."""
    if not isinstance(v, Tuple):
        lo.mismatch(
            node,
            f"{name} must be a tuple of arguments, got {describe(v)}",
            instead="write (x,), with the comma",
        )
    return list(v.items)


def leaves_like(lo: Lowering, spec: Spec, v: Any, node: Any) -> Iterator[Any]:
    """Leaves of a value of the structure of ``spec``, ``None`` where nothing is given."""
    if isinstance(spec, Leaf):
        yield None if v is None or is_none(v) else v
    elif isinstance(spec, Node):
        for key, part in zip(spec.keys, spec.parts, strict=True):
            yield from leaves_like(lo, part, child(lo, v, spec, key, node), node)


def child(lo: Lowering, v: Any, spec: Node, key: Any, node: Any) -> Any:
    """The part of a tangent or cotangent that belongs to a part of a structure."""
    if v is None or is_none(v):
        return None
    if isinstance(v, Tuple) and isinstance(key, int) and len(v.items) == len(spec.parts):
        return v.items[key]
    if isinstance(v, Record) and key in v.fields:
        return v.fields[key]
    lo.mismatch(
        node,
        f"{describe(v)} where a part for {key!r} is expected",
        instead="give it the structure of what it belongs to",
    )


def fitted(lo: Lowering, t: Any, x: Atom, kind: Any, node: Any, what: str) -> Atom:
    """A tangent or cotangent as the code takes it: its own copy, of the type ``kind``."""
    if isinstance(kind, Scalar):
        return lo.b.cast(lo.scalar(t, node, f"{what} that is a number"), kind)
    v = as_array(lo, t, node)
    assert isinstance(x, Var)
    sizes, given = lo.shape(x), () if is_scalar(v) else shape_of(lo, v)
    if len(sizes) != len(given):
        lo.mismatch(
            node,
            f"{what} is {describe(v)}, but it belongs to {describe(x)}",
            instead="give an array of the shape of what it belongs to",
        )
    for n, m in zip(given, sizes, strict=True):
        if not lo.same_size(n, m):
            lo.b.check(lo.b.op("eq", n, m), "ValueError", f"{what} has another shape than it needs")
    made = fresh(lo.b, kind, sizes, False, "seed")
    element = v.element if not isinstance(v, Var) else lambda i: lo.b.load(v, *i)
    nest(lo, sizes, lambda i: lo.b.store(made, i, lo.b.cast(element(i), kind.element)))
    return fit(lo.b, made, kind)


@handles(CALLS, hvp)
def nested_hvp(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``srcad.hvp(f, primals, tangents)``: the tangent of the gradient."""
    given = given_to(lo, hvp, args, keywords, node)
    f = as_object(lo, given["f"], node, "hvp")
    primals, tangents = (items(lo, given[k], k, node) for k in ("primals", "tangents"))
    if "out" in given:
        lo.mismatch(node, "srcad.hvp with out in a function to compile", instead="leave out= away")
    positions = tuple(k for k, v in enumerate(primals) if holds_float(v))
    if not positions:
        lo.mismatch(
            node, "hvp needs an argument that is a float or an array of floats", instead="pass 1.0"
        )
    rows = tangent_of(lo, Grad(f, positions), primals, tangents, node).items[1]
    found = dict(zip(positions, rows.items, strict=True))
    return Tuple(tuple(found.get(k, Static(None)) for k in range(len(primals))))


def holds_float(v: Any) -> bool:
    """Whether a value has a float in it."""
    return any(is_float(a.type) for a in flatten(v)[0]) or hasattr(v, "element")
