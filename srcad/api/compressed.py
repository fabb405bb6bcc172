"""Compressed Jacobians as programs: a tangent a colour of columns, a cotangent a colour of rows.

In: a program, what is selected.  Out: a program of the arguments, one colour for every element of
every selected input (or of every float result), and the number of colours.  It runs the function
once and the tangent function once for several colours (the adjoint once a colour), all in one
compiled call; its results are the stacked tangents of every float result (cotangents of every
input), then the fingerprint of the run (``transforms.fingerprint``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.api.jacobian_blocks import kind_of
from srcad.api.jacobian_chunks import widths
from srcad.api.jacobians import Maker, fit_layout
from srcad.api.programs import reversed_program
from srcad.api.selection import Selection
from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.ir.build import ZERO, const
from srcad.ir.nodes import Atom, Block, Function, Var
from srcad.ir.types import I8, ArrayT, Scalar, Type, is_complex
from srcad.specs import Leaf, pack, wholes
from srcad.transforms.arrays import fit
from srcad.transforms.bundle import bundle
from srcad.transforms.fingerprint import fingerprinted
from srcad.transforms.forward import forward
from srcad.transforms.lanes import Unbundled

COLOURS = ArrayT("i8", 1, "C", False)


def compressed_program(
    program: Program, chosen: list[Selection], by_rows: bool, width: int = 1
) -> Program:
    """The program that evaluates a Jacobian: ``width`` colours of columns, one of rows, a run."""
    maker: Compressed = Rows(program, chosen) if by_rows else Columns(program, chosen)
    if not by_rows and width > 1:
        maker = Bundles(program, chosen, width)
    try:
        fn = maker.function()
    except Unbundled:
        maker = Columns(program, chosen)
        fn = maker.function()
    colours = pack(tuple(Leaf(COLOURS) for _ in maker.colours))
    arguments = {**program.arguments, ".colours": colours, ".count": Leaf(I8)}
    out = pack(tuple(Leaf(y.type, derived=True) for y in fn.body.yields))
    return program.with_fn(fn, arguments=arguments, out=out)


class Compressed(Maker):
    """What both directions share: colours to seeds, stacked results."""

    def __init__(self, program: Program, chosen: list[Selection]) -> None:
        super().__init__(program, chosen)
        results = [t for t, _ in wholes(program.out)]
        if any(map(is_complex, (*results, *(w.type for w in self.inputs)))):
            raise TypeMismatch(
                "a sparse derivative of complex numbers",
                program.source.loc(program.source.node),
                "patterns are those of real inputs and results",
                "write the function of real and imaginary parts, or use jacobian",
            )
        self.entries = [w.held[0] for w in self.inputs]
        self.primal = self.add(fingerprinted(self.fn), self.fn.name, quiet=False)
        self.count = self.b.var("colours", I8)
        self.colours: list[Var] = []

    def function(self) -> Function:
        """The whole program."""
        derivative = self.derivative()
        saved = self.snapshots()
        *first, way = self.call(self.primal, list(self.fn.params))
        outs = [first[k] for k in self.outputs]
        self.colours = [self.b.var("colour", COLOURS) for _ in self.seeded(outs)]
        stacks = [self.stack(v) for v in self.wanted(outs)]
        self.runs(derivative, saved, outs, stacks)
        fn = self.finish([*stacks, way])
        here = len(fn.params) - len(self.program.captures)
        params = (*fn.params[:here], *self.colours, self.count, *fn.params[here:])
        return replace(fn, params=params)

    def runs(
        self, derivative: str, saved: list[Var | None], outs: list[Var], stacks: list[Var]
    ) -> None:
        """One run a colour."""
        with self.b.loop(ZERO, self.count, hint="colour") as c:
            seeds = [
                self.seed(v, colour, c, t)
                for v, colour, t in zip(
                    self.seeded(outs), self.colours, self.seed_types(derivative), strict=True
                )
            ]
            results = self.call(derivative, [*self.arguments(saved), *self.ordered(seeds)])
            for stack, value in zip(stacks, self.picked(results), strict=True):
                self.copy_into(stack, lambda j: (c, *j), value)

    def stack(self, v: Var) -> Var:
        """Room for one value of the type of ``v`` a colour."""
        kind = kind_of(v.type).kind
        t = ArrayT(kind, getattr(v.type, "ndim", 0) + 1, "C")
        return self.b.alloc(t, (self.count, *self.shape(v)), zero=True, hint="stack")

    def seed(self, like: Var, colours: Var, c: Atom, t: Type) -> Atom:
        """The sum of the unit vectors of the elements that have colour ``c``."""
        kind = kind_of(like.type)
        if isinstance(like.type, Scalar):
            return self.one(kind, self.b.load(colours, ZERO), c)
        shape = self.shape(like)
        made = self.b.alloc(ArrayT(kind.kind, len(shape), "C"), shape, zero=False, hint="e")

        def put(i: tuple[Atom, ...]) -> None:
            colour = self.b.load(colours, self.flat(i, shape))
            self.b.store(made, i, self.one(kind, colour, c))

        self.nest(shape, put)
        return made if made.type == t else fit_layout(self, made, t)  # type: ignore[arg-type]

    def one(self, kind: Scalar, colour: Atom, c: Atom) -> Atom:
        """1 where an element has the colour."""
        hit = self.b.op("eq", colour, c)
        return self.b.op("select", hit, const(1.0, kind), const(0.0, kind))

    def flat(self, i: tuple[Atom, ...], shape: tuple[Atom, ...]) -> Atom:
        """The position of an element in order."""
        flat: Atom = ZERO
        for k, n in zip(i, shape, strict=True):
            flat = self.b.op("add", self.b.op("mul", flat, n), k)
        return flat

    # what differs
    def derivative(self) -> str:
        """Name of the tangent or adjoint function."""
        raise NotImplementedError

    def seeded(self, outs: list[Var]) -> list[Var]:
        """What has colours: the inputs, or the results."""
        raise NotImplementedError

    def wanted(self, outs: list[Var]) -> list[Var]:
        """What is stacked: the other of the two."""
        raise NotImplementedError

    def seed_types(self, derivative: str) -> list[Type]:
        """Types of the parameters that take the seeds, in the order of ``seeded``."""
        raise NotImplementedError

    def ordered(self, seeds: list[Atom]) -> list[Atom]:
        """The seeds in the order of the parameters."""
        return seeds

    def picked(self, results: tuple[Var, ...]) -> list[Var]:
        """The results of the derivative function that are stacked."""
        raise NotImplementedError


class Columns(Compressed):
    """Tangents: columns that share no row, at once."""

    def derivative(self) -> str:
        params = [p for p, on in zip(self.fn.params, self.active, strict=True) if on]
        self.position = {p.name: k for k, p in enumerate(params)}
        return self.add(forward(self.fn, self.active), f"{self.fn.name}_t")

    def seeded(self, outs: list[Var]) -> list[Var]:
        return self.entries

    def wanted(self, outs: list[Var]) -> list[Var]:
        return outs

    def seed_types(self, derivative: str) -> list[Type]:
        params = self.callees[derivative].params[len(self.fn.params) :]
        return [params[self.position[x.name]].type for x in self.entries]

    def ordered(self, seeds: list[Atom]) -> list[Atom]:
        order = sorted(range(len(seeds)), key=lambda k: self.position[self.entries[k].name])
        return [seeds[k] for k in order]

    def picked(self, results: tuple[Var, ...]) -> list[Var]:
        return list(results[len(self.fn.body.yields) :])


class Bundles(Columns):
    """Several colours of columns in one run (``transforms.bundle``)."""

    def __init__(self, program: Program, chosen: list[Selection], width: int) -> None:
        super().__init__(program, chosen)
        self.width = width

    def derivative(self) -> str:
        params = [p for p, on in zip(self.fn.params, self.active, strict=True) if on]
        self.position = {p.name: k for k, p in enumerate(params)}
        self.width = min(self.width, widths(self.fn)[0])
        made = bundle(self.fn, self.active, self.width)
        tangents = made.body.yields[len(self.fn.body.yields) :]
        made = replace(made, body=Block(made.body.stmts, tangents))
        return self.add(made, f"{self.fn.name}_t{self.width}")

    def runs(
        self, derivative: str, saved: list[Var | None], outs: list[Var], stacks: list[Var]
    ) -> None:
        """One run for ``width`` colours."""
        types = iter(self.callees[derivative].params[len(self.fn.params) :])
        colours = {x.name: c for x, c in zip(self.entries, self.colours, strict=True)}
        with self.b.loop(ZERO, self.count, const(self.width), hint="colour") as c:
            seeds: list[Atom] = []
            for x in sorted(self.entries, key=lambda x: self.position[x.name]):
                if isinstance(x.type, Scalar):
                    seeds += self.numbers(x.type, self.b.load(colours[x.name], ZERO), c)
                    [next(types) for _ in range(self.width)]
                else:
                    seeds.append(fit(self.b, self.lanes(x, colours[x.name], c), next(types).type))
            rest = iter(self.call(derivative, [*self.arguments(saved), *seeds]))
            for stack, y in zip(stacks, self.wanted(outs), strict=True):
                several = self.width if isinstance(y.type, Scalar) else 1
                self.spread(stack, [next(rest) for _ in range(several)], c)

    def numbers(self, kind: Scalar, colour: Atom, c: Atom) -> list[Atom]:
        """The seeds of a number (or an element) of a colour."""
        lane = self.b.op("sub", colour, c)
        return [self.one(kind, lane, const(k)) for k in range(self.width)]

    def lanes(self, x: Var, colours: Var, c: Atom) -> Var:
        """The seeds of an array."""
        kind, shape = kind_of(x.type), self.shape(x)
        together = ArrayT(kind.kind, len(shape) + 1, "C")
        made = self.b.alloc(together, (*shape, const(self.width)), zero=False, hint="e")

        def put(i: tuple[Atom, ...]) -> None:
            colour = self.b.load(colours, self.flat(i, shape))
            for k, seed in enumerate(self.numbers(kind, colour, c)):
                self.b.store(made, (*i, const(k)), seed)

        self.nest(shape, put)
        return made

    def spread(self, stack: Var, lanes: list[Var], c: Atom) -> None:
        """The tangents of a result into the rows of their colours."""
        for k in range(self.width):
            with self.b.block() as then:
                if isinstance(lanes[0].type, Scalar):
                    self.b.store(stack, (self.b.op("add", c, const(k)),), lanes[k])
                else:
                    row = self.b.op("add", c, const(k))

                    def put(i: tuple[Atom, ...], row: Atom = row, k: int = k) -> None:
                        self.b.store(stack, (row, *i), self.b.load(lanes[0], *i, const(k)))

                    self.nest(self.shape(lanes[0])[:-1], put)
            there = self.b.op("lt", self.b.op("add", c, const(k)), self.count)
            self.b.if_(there, Block(tuple(then)), Block(()))


class Rows(Compressed):
    """Cotangents: rows that share no column, at once."""

    def derivative(self) -> str:
        fn, report = reversed_program(self.program, self.active, (True,) * len(self.outputs))
        self.reports = (report,)
        return self.add(fn, f"{self.fn.name}_b")

    def seeded(self, outs: list[Var]) -> list[Var]:
        return outs

    def wanted(self, outs: list[Var]) -> list[Var]:
        return self.entries

    def seed_types(self, derivative: str) -> list[Type]:
        n = len(self.fn.params)
        return [p.type for p in self.callees[derivative].params[n : n + len(self.outputs)]]

    def picked(self, results: tuple[Var, ...]) -> list[Any]:
        order = [p.name for p, on in zip(self.fn.params, self.active, strict=True) if on]
        cotangents = results[len(self.fn.body.yields) :]
        return [cotangents[order.index(x.name)] for x in self.entries]
