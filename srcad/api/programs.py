"""Transforms of programs: gradient, tangent, cotangent, Jacobian, the in-place adjoint.

In: a ``Program`` and what is selected.  Out: a ``Program`` of the transformed function, with the
structures of its new arguments and results.  Only IR is touched here; calls, conversions and
caches are ``api.function``'s.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.api.conjugation import conjugated
from srcad.api.selection import Selection, in_words, select
from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.ir.build import const
from srcad.ir.nodes import Block, Const, Function
from srcad.ir.types import Scalar, is_complex, is_float
from srcad.ir.verify import verify
from srcad.ir.walk import rewrite_block
from srcad.specs import (
    Leaf,
    Node,
    Opaque,
    Spec,
    gradient_spec,
    leaf_specs,
    pack,
    whole_type,
    wholes,
)
from srcad.transforms.forward import forward
from srcad.transforms.reverse import reverse_with_report


def active_pattern(program: Program, chosen: list[Selection]) -> tuple[bool, ...]:
    """Which parameters are active."""
    on = {k for s in chosen for k in s.active}
    return tuple(k in on for k in range(len(program.fn.params)))


def captured_count(program: Program) -> int:
    """Number of hidden parameters at the end."""
    return len(program.captures)


def substitute(fn: Function, values: dict[str, Const]) -> Function:
    """A function with some parameters fixed."""
    body = rewrite_block(fn.body, lambda a: values.get(getattr(a, "name", ""), a), lambda v: v)
    params = tuple(p for p in fn.params if p.name not in values)
    return replace(fn, params=params, body=body)


def move_captures(fn: Function, captures: int, before: int) -> Function:
    """Parameters added behind the captured ones go before them (captured ones stay last)."""
    if not captures:
        return fn
    p = fn.params
    start = before - captures
    params = (*p[:start], *p[before:], *p[start:before])
    return replace(fn, params=params)


def yields(fn: Function, positions: list[int]) -> Function:
    """A function that returns some of its results."""
    return replace(fn, body=Block(fn.body.stmts, tuple(fn.body.yields[k] for k in positions)))


def reversed_program(
    program: Program, active: tuple[bool, ...], seeded: tuple[bool, ...], allocate: bool = True
) -> tuple[Function, Any]:
    """Reverse mode on a program's IR."""
    fn, report = reverse_with_report(
        program.fn,
        active,
        seeded,
        allocate=allocate,
        poison=program.options.poison,
        fuse=program.options.target == "cpu",  # in one loop there would be few threads
    )
    fn = conjugated(program, fn, active, seeded, allocate)
    if program.options.verify:
        verify(fn)
    if program.options.memory_limit is not None:
        from srcad.storage.limit import limit_memory

        fn = limit_memory(fn, program.options.memory_limit)
    return fn, report


def scalar_output(program: Program, what: str, name: str, holomorphic: bool = False) -> None:
    """The first result must be one float, or, of a holomorphic function, one complex number.

    Raises:
        TypeMismatch: it is an array, an int, a tuple or nothing.
    """
    out = program.out
    whole = whole_type(out)
    if isinstance(whole, Scalar) and is_complex(whole) and not holomorphic:
        raise TypeMismatch(
            f"{what} of {name}, which returns a complex number",
            program.source.loc(program.source.node),
            f"{what} needs a real result, unless the function is holomorphic",
            "pass holomorphic=True if it is, or return z.real, z.imag or abs(z)",
        )
    if isinstance(whole, Scalar) and (is_complex(whole) if holomorphic else is_float(whole)):
        return
    raise TypeMismatch(
        f"{what} of {name}, which returns {in_words(out)}",
        program.source.loc(program.source.node),
        f"{what} needs a function that returns one float"
        if not holomorphic
        else "a holomorphic function of which there is a gradient returns one complex number",
        "use vjp or jacobian, or return a single float (has_aux=True for extra results)",
    )


def grad_program(
    program: Program,
    argnums: Any,
    has_aux: bool,
    with_value: bool,
    name: str,
    holomorphic: bool = False,
) -> Program:
    """``grad`` and ``value_and_grad`` of the function that goes by ``name``."""
    aux: Spec = Opaque(None, None)
    outer = program.out
    if has_aux:
        if not (isinstance(outer, Node) and len(outer.parts) == 2):
            raise TypeMismatch(
                f"has_aux=True, but {name} does not return a pair",
                program.source.loc(program.source.node),
                instead="return (value, aux)",
            )
        program = replace(program, out=outer.parts[0])
        aux = outer.parts[1]
    chosen = select(program, argnums)
    scalar_output(program, "grad", name, holomorphic)
    if holomorphic:
        complex_inputs(program, chosen)
    active = active_pattern(program, chosen)
    n_out = len(program.fn.body.yields)
    floats = [is_float(y.type) for y in program.fn.body.yields]
    count = 2 if holomorphic else 1  # leaves of the value
    seeded = tuple(k < count for k in range(sum(floats)))
    fn, report = reversed_program(program, active, seeded)
    seeds = fn.params[len(program.fn.params) :]
    fn = substitute(fn, {s.name: const(1.0 - k, s.type) for k, s in enumerate(seeds)})  # type: ignore[arg-type]
    place = {k: n_out + j for j, k in enumerate(k for k, on in enumerate(active) if on)}
    leaves = [place[k] for s in chosen for k in s.active]
    n_aux = sum(1 for _ in leaf_specs(aux))
    values = range(count) if with_value else []
    positions = [*values, *(range(count, count + n_aux) if has_aux else []), *leaves]
    out = _grad_spec(chosen, argnums, outer, aux, has_aux, with_value)
    return program.with_fn(yields(fn, list(positions)), out=out, reports=(*program.reports, report))


def complex_inputs(program: Program, chosen: list[Selection]) -> None:
    """What a holomorphic function is differentiated with respect to is complex.

    Raises:
        TypeMismatch: a real argument.
    """
    for s in chosen:
        if any(is_float(t) for t, _ in wholes(s.spec)):
            raise TypeMismatch(
                f"holomorphic=True, but {s.label} is real",
                program.source.loc(program.source.node),
                "a holomorphic function maps complex numbers to complex numbers",
                "leave holomorphic out, or pass a complex number",
            )


def _grad_spec(
    chosen: list[Selection], argnums: Any, outer: Spec, aux: Spec, has_aux: bool, with_value: bool
) -> Spec:
    parts = tuple(gradient_spec(s.spec) for s in chosen)
    grads: Spec = pack(parts) if isinstance(argnums, (tuple, list)) else parts[0]
    if with_value:
        return pack((outer, grads))
    if has_aux:  # yields come as aux, then gradients
        return Node("swapped", tuple, (0, 1), (aux, grads))
    return grads


def floats_of(spec: Spec) -> Spec:
    """Structure of a tangent or seed argument: like ``gradient_spec``."""
    return gradient_spec(spec)


def jvp_program(program: Program, active: tuple[bool, ...]) -> Program:
    """Arguments, then one tangent per active parameter; results, then their tangents."""
    fn = forward(program.fn, active)
    if program.options.verify:
        verify(fn)
    n = captured_count(program)
    fn = move_captures(fn, n, len(program.fn.params))
    tangents = pack(
        tuple(Leaf(p.type) for p, on in zip(program.fn.params, active, strict=True) if on)
    )
    arguments = {**program.arguments, ".tangents": tangents}
    return program.with_fn(
        fn, arguments=arguments, out=pack((program.out, gradient_spec(program.out)))
    )


def vjp_program(program: Program, active: tuple[bool, ...]) -> Program:
    """Arguments, then one seed per float result; results, then cotangents of active parameters."""
    count = sum(is_float(y.type) for y in program.fn.body.yields)
    fn, report = reversed_program(program, active, (True,) * count)
    n = captured_count(program)
    fn = move_captures(fn, n, len(program.fn.params))
    seeds = pack(tuple(Leaf(y.type) for y in program.fn.body.yields if is_float(y.type)))
    wanted = [p.type for p, on in zip(program.fn.params, active, strict=True) if on]
    grads = pack(tuple(Leaf(t, derived=True) for t in wanted))
    return program.with_fn(
        fn,
        arguments={**program.arguments, ".seeds": seeds},
        out=pack((program.out, grads)),
        reports=(*program.reports, report),
    )
