"""The program of the in-place adjoint: parameters rearranged so that shadows follow arguments.

In: a program, what is active, the specs of its arguments and shadows.  Out: the program that
``api.adjoint`` calls: its parameters are each argument and then its shadow, the shadows of results
come last; numbers have one-element shadows, read at the start and added to at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcad.api.programs import active_pattern, reversed_program
from srcad.api.seeds import check_kind, with_checks
from srcad.api.selection import Selection
from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Function, Var
from srcad.ir.types import ArrayT, Scalar, is_complex, is_float, shadow_type
from srcad.ir.walk import rewrite_block, variables
from srcad.specs import Leaf, Node, Spec, shadow_spec, whole_type, wholes


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
