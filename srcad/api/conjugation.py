"""The convention of JAX for complex numbers, made from the real derivatives of their parts.

In: the reverse function of a program whose complex numbers are pairs of reals; it takes the
cotangent ``u + iv`` of ``x + iy`` as the real pair ``(u, v)`` and applies the transpose of the real
Jacobian to it.  Out: the function that takes and gives cotangents as JAX does, where ``vjp`` is
the transpose of ``jvp`` as a complex linear map, without conjugation: ``z_b = f'(z) out_b``, and
the gradient of a real function is ``df/dx - i df/dy``.  The two differ by a conjugation on the way
in and one on the way out.

Invariant: forward mode needs none of this; a program without complex numbers is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Function, Var
from srcad.ir.types import ArrayT, is_float
from srcad.ir.walk import rewrite_block, variables
from srcad.specs import Leaf, leaf_specs


def conjugated(
    program: Any, fn: Function, active: tuple[bool, ...], seeded: tuple[bool, ...], allocate: bool
) -> Function:
    """``fn`` with cotangents conjugated, those given and those it makes.

    Args:
        program: the program that ``fn`` is the reverse function of.
        active, seeded: which parameters have a cotangent, which float results a seed.
        allocate: whether the cotangents of arrays are results, and not parameters behind the seeds.
    """
    inputs = [leaf for spec in program.arguments.values() for leaf in leaf_specs(spec)]
    outputs = [leaf for leaf in leaf_specs(program.out) if is_float(leaf.type)]
    if not any(leaf.part in ("imag", "pairs") for leaf in (*inputs, *outputs)):
        return fn
    taken = [leaf for leaf, on in zip(outputs, seeded, strict=False) if on]
    made = [leaf for leaf, on in zip(inputs, active, strict=False) if on]
    n = len(program.fn.params)
    given = list(zip(taken, fn.params[n:], strict=False))
    if not allocate:
        arrays = [leaf for leaf in made if isinstance(leaf.type, ArrayT)]
        made = [leaf for leaf in made if not isinstance(leaf.type, ArrayT)]
        given += zip(arrays, fn.params[n + len(taken) :], strict=True)
    b = Builder(Namer(v.name for v in variables(fn)))
    substitution = conjugate_given(b, given)
    before = tuple(b.stack.pop())
    b.stack.append([])
    body = rewrite_block(
        fn.body, lambda a: substitution.get(getattr(a, "name", ""), a), lambda v: v
    )
    n_out = len(program.fn.body.yields)
    results = list(body.yields)
    for k, leaf in enumerate(made, n_out):
        results[k] = conjugate(b, results[k], leaf)
    if not allocate:
        for leaf, v in given:
            conjugate(b, v, leaf)
    return replace(fn, body=Block((*before, *body.stmts, *b.stack[0]), tuple(results)))


def conjugate_given(b: Builder, given: list[tuple[Leaf, Var]]) -> dict[str, Atom]:
    """Conjugate the cotangents that are parameters; what stands for the numbers among them."""
    return {v.name: conjugate(b, v, leaf) for leaf, v in given if leaf.part in ("imag", "pairs")}


def conjugate(b: Builder, v: Atom, leaf: Leaf) -> Atom:
    """The conjugate of one leaf: an array in place, a number anew."""
    if leaf.part == "imag":
        return b.op("neg", v)
    if leaf.part == "pairs":
        assert isinstance(v, Var) and isinstance(v.type, ArrayT)
        negate_imaginary(b, v)
    return v


def negate_imaginary(b: Builder, v: Var, index: tuple[Atom, ...] = ()) -> None:
    """The second number of every pair of an array changes its sign."""
    assert isinstance(v.type, ArrayT)
    if len(index) == v.type.ndim - 1:
        at = (*index, const(1))
        b.store(v, at, b.op("neg", b.load(v, *at)))
        return
    with b.loop(ZERO, b.dim(v, len(index))) as i:
        negate_imaginary(b, v, (*index, i))
