"""What a Jacobian consists of: blocks, one for each output and each input.

In: structures of outputs and inputs.  Out: the structure of the Jacobian, the type of each block,
and, for complex numbers, which variables hold a number or an array (``Whole``).  The conditions
are JAX's: forward mode needs real inputs, reverse mode real outputs, unless the function is
holomorphic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from srcad.api.selection import Selection
from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.ir.build import ZERO, const
from srcad.ir.nodes import Atom, Var
from srcad.ir.primitives_base import complex_kind
from srcad.ir.types import ArrayT, Scalar, Type, is_complex, is_float
from srcad.specs import Node, Opaque, Spec, gradient_spec, leaf_of, pack, whole_type, wholes


def jacobian_spec(out: Spec, chosen: list[Selection], many: bool, mode: str) -> Spec:
    """Structure of the output with the structure of the input at every number and array."""
    t = whole_type(out)
    if t is not None:
        if not varies(t):
            return Opaque(None, None)
        parts = tuple(_block_spec(t, gradient_spec(s.spec), mode) for s in chosen)
        return pack(parts) if many else parts[0]
    if isinstance(out, Node):
        return replace(out, parts=tuple(jacobian_spec(p, chosen, many, mode) for p in out.parts))
    return out


def _block_spec(y: Type, spec: Spec, mode: str) -> Spec:
    x = whole_type(spec)
    if x is not None:
        return gradient_spec(leaf_of(block_type(y, x, mode)))
    if isinstance(spec, Node):
        return replace(spec, parts=tuple(_block_spec(y, p, mode) for p in spec.parts))
    return spec


def varies(t: Type) -> bool:
    """Whether values of a type have derivatives."""
    return is_float(t) or is_complex(t)


@dataclass(frozen=True)
class Whole:
    """A number or an array, and the variables that hold it (two of a complex number)."""

    type: Type
    held: tuple[Var, ...]

    @property
    def complex_array(self) -> bool:
        """Whether the variable holds pairs."""
        return is_complex(self.type) and isinstance(self.type, ArrayT)

    def unit(self, index: tuple[Atom, ...]) -> tuple[Atom, ...]:
        """Where the variable holds the real part of an element."""
        return (*index, ZERO) if self.complex_array else index

    def places(self) -> list[tuple[Var, tuple[Atom, ...]]]:
        """The variables, and the last index each has in an array of pairs."""
        if not is_complex(self.type) or self.complex_array:
            return [(self.held[0], ())]
        return [(v, (const(k),)) for k, v in enumerate(self.held)]


def group(specs: list[Spec], held: list[Any]) -> list[Whole]:
    """The numbers and arrays of structures that have derivatives, from the variables in order."""
    out, rest = [], iter(held)
    for spec in specs:
        for t, n in wholes(spec):
            mine = tuple(next(rest) for _ in range(n))
            if varies(t):
                out.append(Whole(t, mine))
    return out


def check_complex(program: Program, chosen: list[Selection], mode: str, holomorphic: bool) -> None:
    """The conditions under which JAX defines a Jacobian of complex numbers.

    Raises:
        TypeMismatch: ``jacfwd`` of complex inputs, ``jacrev`` of complex outputs, unless
            ``holomorphic``, which needs both to be complex.
    """
    inputs = [t for s in chosen for t, _ in wholes(s.spec) if varies(t)]
    outputs = [t for t, _ in wholes(program.out) if varies(t)]
    loc = program.source.loc(program.source.node)
    name = program.source.name
    if holomorphic:
        for what, types in (("input", inputs), ("output", outputs)):
            if not all(map(is_complex, types)):
                raise TypeMismatch(
                    f"holomorphic=True for {name}, which has a real {what}",
                    loc,
                    "a holomorphic function maps complex numbers to complex numbers",
                    "leave holomorphic out",
                )
        return
    what, types = ("input", inputs) if mode == "fwd" else ("output", outputs)
    if any(map(is_complex, types)):
        raise TypeMismatch(
            f"jac{mode} of {name}, which has a complex {what}",
            loc,
            "its derivative is one complex number only if the function is holomorphic",
            "pass holomorphic=True if it is, or differentiate real and imaginary parts",
        )


def kind_of(t: Type) -> Scalar:
    """Scalar type of a number or of the elements of an array."""
    assert isinstance(t, (Scalar, ArrayT))
    return t if isinstance(t, Scalar) else t.element


def block_type(y: Any, x: Any, mode: str) -> Any:
    """Type of the derivative of ``y`` with respect to ``x``; complex where the results of the
    runs are: tangents of ``y`` in forward, cotangents of ``x`` in reverse mode."""
    ndim = getattr(y, "ndim", 0) + getattr(x, "ndim", 0)
    kind = kind_of(y)
    if is_complex(x) and mode == "rev":
        kind = complex_kind(kind)
    return ArrayT(kind.kind, ndim, "C") if ndim else kind
