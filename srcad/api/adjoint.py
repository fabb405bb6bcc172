"""The in-place adjoint: shadows are arguments, nothing is allocated for results.

``adjoint(f)(x, x_b, n, a, a_b, …, out_b)``: every argument with floats is followed by its shadow,
ints are not; the shadows of float results stand at the end.  Shadows of arrays have their shape,
shadows of numbers are one-element arrays.  On exit cotangents of pure inputs are accumulated
into; the shadow of an array that was read and written holds the cotangent of its entry value; the
shadow of a pure output is zero; the arguments are as after the plain call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.api.function import Transformed
from srcad.api.safety import located
from srcad.errors import TypeMismatch
from srcad.ir.types import is_float
from srcad.specs import Node, Spec, leaf_specs, leaves_of, shadow_spec, spec_of

if TYPE_CHECKING:
    from srcad.compiler import Program


def has_shadow(spec: Spec) -> bool:
    """Whether any leaf is a float."""
    return any(is_float(leaf.type) for leaf in leaf_specs(spec))


class Adjoint(Transformed):
    """See the module docstring."""

    label = "adjoint"

    def __init__(self, f: Any, argnums: Any = None, **options: Any) -> None:
        self.argnums = tuple(argnums) if isinstance(argnums, list) else argnums
        super().__init__(f, **options)

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.inner, self.argnums, self._own)

    @located
    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by name: ``x``, ``x_b``, …, then ``.out_b0``, ``.out_b1``, …"""
        if kwargs:
            raise TypeMismatch(
                "adjoint takes its arguments by position",
                instead="adjoint(f)(x, x_b, n, …): each argument, then its shadow",
            )
        out: dict[str, Any] = {}
        rest = list(args)
        for name in self.signature.parameters:
            if not rest:
                raise TypeMismatch(
                    f"adjoint of {self.inner.__name__}: argument {name!r} is missing",
                    instead="give each argument, and after each its shadow",
                )
            out[name] = rest.pop(0)
            spec = spec_of(out[name], f"argument {name!r}")
            if has_shadow(spec) and self.selected(name):
                if not rest:
                    raise TypeMismatch(
                        f"adjoint of {self.inner.__name__}: the shadow of {name!r} is missing",
                        instead="follow every float argument by its shadow",
                    )
                out[f"{name}_b"] = rest.pop(0)
                check_shadow(name, spec, out[name], out[f"{name}_b"])
        for k, b in enumerate(rest):
            out[f".out_b{k}"] = b
        return out

    def selected(self, name: str) -> bool:
        """Whether the argument is differentiated."""
        if self.argnums is None:
            return True
        items = self.argnums if isinstance(self.argnums, tuple) else (self.argnums,)
        names = list(self.signature.parameters)
        return any(name == a or isinstance(a, int) and names[a] == name for a in items)

    def program(self, specs: dict[str, Spec]) -> Program:
        """The in-place adjoint of the inner program."""
        from srcad.api.selection import select
        from srcad.api.weaving import adjoint_program

        names = [n for n in self.signature.parameters if n in specs]
        inner = super().program({n: specs[n] for n in names})
        chosen = [s for n in names if f"{n}_b" in specs for s in select(inner, n)]
        return adjoint_program(inner, chosen, names, specs)


def check_shadow(name: str, spec: Spec, x: Any, x_b: Any) -> None:
    """A shadow must have the structure, shapes and dtypes of what it shadows.

    Raises:
        TypeMismatch: it does not.
    """
    wanted = shadow_spec(spec)
    try:
        shadows = list(leaves_of(x_b, wanted))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise TypeMismatch(
            f"the shadow of {name!r} has another structure than {name!r}",
            instead="give a shadow of the structure of the argument",
        ) from None
    primals = [
        v
        for v, leaf in zip(leaves_of(x, spec), leaf_specs(spec), strict=True)
        if is_float(leaf.type)
    ]
    for v, b, leaf in zip(primals, shadows, leaf_specs(wanted), strict=True):
        shape = np.shape(v) or ((1,) if not isinstance(v, np.ndarray) else ())
        if leaf.part != "pairs" and np.iscomplexobj(b):
            b = None
        fits = (
            isinstance(b, np.ndarray)
            and b.shape == shape
            and b.dtype == np.dtype(leaf.type.dtype)  # type: ignore[union-attr]
            and b.flags.writeable
        )
        if not fits:
            kind = (
                f"shape {np.shape(x_b)} {x_b.dtype}"
                if isinstance(x_b, np.ndarray)
                else f"a {type(x_b).__name__}"
            )
            whole = np.shape(x) or (1,) if isinstance(spec, Node) else shape
            dtype = np.dtype(leaf.type.dtype)  # type: ignore[union-attr]
            if leaf.part:
                whole = shape[:-1] if leaf.part == "pairs" else whole
                dtype = np.result_type(dtype, np.complex64)
            raise TypeMismatch(
                f"the shadow of {name!r} must be a writable array of shape {whole} "
                f"and dtype {dtype}, got {kind}",
                instead="np.zeros_like of the argument; np.zeros(1, its dtype) for a number",
            )


def adjoint(f: Any, argnums: Any = None, **options: Any) -> Adjoint:
    """The adjoint with shadows as arguments, for functions that write their results into arrays.

    Args:
        f: the function.
        argnums: what to differentiate with respect to (default: every float argument).

    Returns:
        A function of ``(x, x_b, …, out_b)``: every float argument is followed by its shadow, the
        shadows of float results come last.  It returns what ``f`` returns.

    Raises:
        TypeMismatch: a shadow of another shape or dtype, or memory that overlaps.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> x, x_b = np.array([1.0, 2.0]), np.zeros(2)
    >>> adjoint(square_sum, backend="reference")(x, x_b, np.ones(1))
    5.0
    >>> x_b
    array([2., 4.])
    """
    return Adjoint(f, argnums, **options)
