"""The in-place adjoint: shadows are arguments, nothing is allocated for results.

``adjoint(f)(x, x_b, n, a, a_b, …, out_b)``: every argument with floats is followed by its shadow,
ints are not; the shadows of float results stand at the end.  Shadows of arrays have their shape,
shadows of numbers are one-element arrays.  On exit cotangents of pure inputs are accumulated
into; the shadow of an array that was read and written holds the cotangent of its entry value; the
shadow of a pure output is zero; the arguments are as after the plain call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from srcad.api.function import Transformed
from srcad.api.programs import active_pattern, reversed_program
from srcad.api.safety import located
from srcad.api.seeds import check_kind, with_checks
from srcad.api.selection import Selection, select
from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.frontend.arguments import (
    Leaf,
    Node,
    Opaque,
    Spec,
    leaf_specs,
    leaves_of,
    spec_of,
    whole_type,
    wholes,
)
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Function, Var
from srcad.ir.types import ArrayT, Scalar, is_complex, is_float, shadow_type
from srcad.ir.walk import rewrite_block, variables


def shadow_spec(spec: Spec) -> Spec:
    """Structure of a shadow: numbers become one-element arrays, ints vanish."""
    if isinstance(spec, Leaf):
        if not is_float(spec.type):
            return Opaque(None, None)
        if isinstance(spec.type, Scalar):
            return Leaf(ArrayT(spec.type.kind, 1, "C"))
        return Leaf(shadow_type(spec.type), spec.part)
    if isinstance(spec, Node):
        return replace(spec, parts=tuple(map(shadow_spec, spec.parts)))
    return Opaque(None, None)


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


def adjoint_program(
    program: Program, chosen: list[Selection], names: list[str], specs: dict[str, Spec]
) -> Program:
    """The program whose arguments are interleaved with their shadows."""
    active = active_pattern(program, chosen)
    count = sum(is_float(y.type) for y in program.fn.body.yields)
    given = [n for n in specs if n.startswith(".out_b")]
    results = sum(is_float(t) or is_complex(t) for t, _ in wholes(program.out))
    if len(given) != results:
        raise TypeMismatch(
            f"adjoint of {program.source.name}: it has {results} float results, "
            f"{len(given)} shadows of results were given",
            program.source.loc(program.source.node),
            instead="give one shadow per float result after the arguments",
        )
    fn, report = reversed_program(program, active, (True,) * count, allocate=False)
    fn, arguments = Weave(program, fn, active, names, specs).result()
    out = program.out
    return program.with_fn(fn, arguments=arguments, out=out, reports=(*program.reports, report))


class Weave:
    """Rearranges the parameters of an in-place reverse function."""

    def __init__(
        self,
        program: Program,
        fn: Function,
        active: tuple[bool, ...],
        names: list[str],
        specs: dict[str, Spec],
    ) -> None:
        self.program, self.fn, self.active, self.names, self.specs = (
            program,
            fn,
            active,
            names,
            specs,
        )
        self.b = Builder(Namer(v.name for v in variables(fn)))
        n = len(program.fn.params)
        floats = [y for y in program.fn.body.yields if is_float(y.type)]
        self.seeds = fn.params[n : n + len(floats)]
        shadows = iter(fn.params[n + len(floats) :])
        self.shadow = {
            k: next(shadows)
            for k, p in enumerate(program.fn.params)
            if active[k] and isinstance(p.type, ArrayT)
        }
        cotangents = iter(fn.body.yields[len(program.fn.body.yields) :])
        self.cotangent = {
            k: next(cotangents)
            for k, p in enumerate(program.fn.params)
            if active[k] and isinstance(p.type, Scalar)
        }

    def result(self) -> tuple[Function, dict[str, Spec]]:
        """The function, and the structure of its arguments."""
        params: list[Var] = []
        arguments: dict[str, Spec] = {}
        closing: list[tuple[Var, Atom]] = []
        for name in self.names:
            spec = self.program.arguments[name]
            arguments[name] = spec
            positions = self.program.leaf_range(name)
            params += [self.program.fn.params[k] for k in positions]
            if f"{name}_b" in self.specs:
                arguments[f"{name}_b"] = shadow_spec(spec)
                params += self.shadows(positions, closing)
        substitution = self.open_seeds(params, arguments)
        opening = tuple(self.b.stack.pop())
        self.b.stack.append([])
        body = rewrite_block(
            self.fn.body, lambda a: substitution.get(getattr(a, "name", ""), a), lambda v: v
        )
        kept = [y for y in body.yields[: len(self.program.fn.body.yields)] if is_float(y.type)]
        pairs = [
            (y, v) for y, v in zip(kept, self.seeds, strict=True) if isinstance(v.type, ArrayT)
        ]
        checked = with_checks(body.stmts, pairs, self.b)
        for cell, x_b in closing:
            self.b.accumulate(cell, (ZERO,), substitution.get(getattr(x_b, "name", ""), x_b))
        results = body.yields[: len(self.program.fn.body.yields)]
        whole = Block((*opening, *checked, *self.b.stack[0]), results)
        params += [c.var for c in self.program.captures]
        return replace(self.fn, params=tuple(params), body=whole), arguments

    def shadows(self, positions: range, closing: list[tuple[Var, Atom]]) -> list[Var]:
        """Shadow parameters of one argument."""
        out = []
        for k in positions:
            p = self.program.fn.params[k]
            if not is_float(p.type):
                continue
            if k in self.shadow:
                out.append(self.shadow[k])
            else:
                kind = p.type.kind if isinstance(p.type, Scalar) else p.type.dtype  # type: ignore[union-attr]
                t = ArrayT(kind, 1, "C") if isinstance(p.type, Scalar) else shadow_type(p.type)
                cell = self.b.var(f"{p.hint or p.name}_b", t)
                out.append(cell)
                if k in self.cotangent:
                    closing.append((cell, self.cotangent[k]))
        return out

    def open_seeds(self, params: list[Var], arguments: dict[str, Spec]) -> dict[str, Atom]:
        """Shadow parameters of the results; numbers are read and zeroed at the start."""
        substitution: dict[str, Atom] = {}
        for j, spec in enumerate(results_of(self.program.out)):
            arguments[f".out_b{j}"] = shadow_spec(spec)
            if isinstance(spec, Leaf) and isinstance(spec.type, ArrayT):
                given = self.specs[f".out_b{j}"]
                loc = self.program.source.loc(self.program.source.node)
                check_kind(given.type if isinstance(given, Leaf) else None, spec.type, j, loc)
        for seed in self.seeds:
            if isinstance(seed.type, ArrayT):
                params.append(seed)
                continue
            cell = self.b.var("out_b", ArrayT(seed.type.kind, 1, "C"))  # type: ignore[union-attr]
            params.append(cell)
            substitution[seed.name] = self.b.load(cell, ZERO, hint="seed")
            self.b.store(cell, (ZERO,), const(0.0, seed.type))  # type: ignore[arg-type]
        return substitution


def results_of(spec: Spec) -> Iterator[Spec]:
    """The numbers and arrays of a result that have a shadow."""
    t = whole_type(spec)
    if t is not None:
        if is_float(t) or is_complex(t):
            yield spec
    elif isinstance(spec, Node):
        for p in spec.parts:
            yield from results_of(p)


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
