"""Jacobians by forward mode, several columns in one run of the function.

In: a program, what is selected.  Out: the program of its Jacobian, in which the function runs once
for every ``WIDE`` columns, with as many tangents beside it (``transforms.bundle``).  Inputs that
are numbers share runs; the elements of an array are taken in order, the last of them, where they
are at most ``NARROW``, by a version with fewer tangents.

Where the shapes of the results are plain from those of the arguments, and the function has no other
effect, the runs for the columns are the only ones.

Limits: real numbers; functions that are too long for so many tangents of each statement, and those
that ``transforms.bundle`` refuses, are left to one tangent after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcad.analyses.summaries import reachable, summary_of
from srcad.api.jacobian_blocks import Whole, block_type, kind_of
from srcad.api.jacobians import Maker, silent
from srcad.api.selection import Selection
from srcad.compiler import Program, clean
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    ArrayOp,
    Atom,
    Block,
    Call,
    Check,
    Const,
    Draw,
    For,
    Function,
    If,
    Print,
    Stmt,
    Var,
    While,
)
from srcad.ir.types import I8, ArrayT, Scalar, is_complex, is_float
from srcad.ir.walk import statements, variables
from srcad.specs import wholes
from srcad.transforms.arrays import fit
from srcad.transforms.bundle import bundle, readers
from srcad.transforms.lanes import Unbundled

WIDE, NARROW = 8, 4
NOWHERE = const(-2 * WIDE)  # the position of unit vectors that touch no element
# up to so many statements of the function there are versions with so many tangents: every
# statement that varies becomes two to three for each tangent, at about 2 ms of compilation each
LENGTHS = ((30, (WIDE, NARROW)), (120, (WIDE,)), (300, (NARROW,)))


def widths(fn: Function) -> tuple[int, ...]:
    """The numbers of tangents that there are versions for, the largest first.

    Raises:
        Unbundled: the function is too long.
    """
    length = sum(1 for _ in everything(fn))
    for limit, found in LENGTHS:
        if length <= limit:
            return found
    raise Unbundled


def everything(fn: Function) -> Iterator[Stmt]:
    """The statements of a function and of those that it calls."""
    for f in {id(f): f for f in (fn, *reachable(fn).values())}.values():
        yield from statements(f.body)


class Chunks(Maker):
    """Several tangents in one run."""

    def __init__(self, program: Program, chosen: list[Selection]) -> None:
        super().__init__(program, chosen)
        self.widths = widths(self.repeated)
        self.versions: dict[int, str] = {}
        active = [p for p, on in zip(self.repeated.params, self.active, strict=True) if on]
        self.units = readers(self.repeated) & {p.name for p in active}
        self.zeros: dict[tuple[str, int], Var] = {}
        self.shapes: dict[str, tuple[Atom, ...]] = {}  # of results that are not there

    def function(self) -> Function:
        """The program's Jacobian.

        Raises:
            Unbundled: see the module docstring.
        """
        self.saved = self.snapshots()
        numbers = [x for x in self.inputs if isinstance(x.type, Scalar)]
        arrays = [x for x in self.inputs if not isinstance(x.type, Scalar)]
        shapes = self.outlook()
        outs = self.outs(shapes)
        blocks = {id(x): [self.flat_block(y, x) for y in outs] for x in self.inputs}
        for group in self.groups(numbers):
            self.together(group, blocks)
        for x in arrays:
            self.elements(x, blocks[id(x)])
        table = [
            [self.shaped(blocks[id(x)][k], y, x) for x in self.inputs] for k, y in enumerate(outs)
        ]
        return self.finish(self.results(outs, table))

    def version(self, width: int) -> str:
        """Name of the function with so many tangents."""
        if width not in self.versions:
            made = bundle(self.repeated, self.active, width, self.units)
            tangents = made.body.yields[len(self.fn.body.yields) :]
            made = replace(made, body=Block(made.body.stmts, tangents))
            self.versions[width] = self.add(made, f"{self.fn.name}_t{width}")
        return self.versions[width]

    # the shapes of the results
    def outlook(self) -> list[Var]:
        """Variables with the types and sizes of the results, of a plain call or stand-ins."""
        found = sizing(self.program) if self.pure() else None
        if found is None:
            return list(self.plain_call())
        self.at_least_once()
        name = self.add(found, f"{self.fn.name}_shape")
        ends = iter(self.call(name, list(self.fn.params)))
        made = []
        for y in self.fn.body.yields:
            v = self.b.var("r", y.type)
            self.shapes[v.name] = tuple(next(ends) for _ in range(getattr(y.type, "ndim", 0)))
            made.append(v)
        return made

    def pure(self) -> bool:
        """Whether a run leaves nothing but its results, so that there may be one less."""
        effects = (Print, Draw)
        return not any(self.written) and not any(
            isinstance(s, effects) for s in everything(self.fn)
        )

    def at_least_once(self) -> None:
        """Where there is no column, the plain call raises what there is to raise."""
        if any(isinstance(x.type, Scalar) for x in self.inputs):
            return
        empty: Atom = const(True)
        for x in self.inputs:
            none = self.b.op("eq", self.total(x), ZERO)
            empty = none if isinstance(empty, Const) else self.b.op("bitand", empty, none)
        with self.b.block() as then:
            self.plain_call()
        self.b.if_(empty, Block(tuple(then)), Block(()))

    def shape(self, v: Atom) -> tuple[Atom, ...]:
        """Sizes of an array, those of a result perhaps without the result."""
        if isinstance(v, Var) and v.name in self.shapes:
            return self.shapes[v.name]
        return super().shape(v)

    # storage
    def flat_block(self, y: Whole, x: Whole) -> Var:
        """Storage for a block, the axes of the input as one."""
        kind = kind_of(y.type)
        shape = self.shape(y.held[0])
        if isinstance(x.type, ArrayT):
            shape = (*shape, self.total(x))
        return self.b.alloc(ArrayT(kind.kind, len(shape), "C"), shape, zero=False, hint="jac")

    def total(self, x: Whole) -> Atom:
        """Number of elements of an input."""
        count: Atom = const(1)
        for n in self.shape(x.held[0]):
            count = n if count == const(1) else self.b.op("mul", count, n, hint="size")
        return count

    def shaped(self, block: Var, y: Whole, x: Whole) -> Var:
        """A block with the axes of the input."""
        t = block_type(y.type, x.type, self.mode)
        ndim = getattr(x.type, "ndim", 1)
        if ndim == 1 or not isinstance(t, ArrayT):
            return block
        shape = (*self.shape(y.held[0]), *self.shape(x.held[0]))
        return self.b.view(block, "reshape", shape, ArrayT(t.dtype, t.ndim, "C"), "jac")

    # seeds
    def seeds(self, width: int, given: dict[str, list[Atom]]) -> list[Atom]:
        """All tangents of a run: those given by name, zeros for the rest."""
        fn = self.callees[self.version(width)]
        params = iter(fn.params[len(self.repeated.params) :])
        found: list[Atom] = []
        for p, on in zip(self.repeated.params, self.active, strict=True):
            if not on:
                continue
            if isinstance(p.type, Scalar):
                lanes = [next(params) for _ in range(width)]
                zeros: list[Atom] = [const(0.0, p.type)] * width
                found += given.get(p.name, zeros)
                assert len(lanes) == width
            elif p.name in self.units:
                assert next(params).type == I8
                found += given.get(p.name, [NOWHERE])
            else:
                seed = given[p.name][0] if p.name in given else self.zero(p, width)
                assert isinstance(seed, Var)
                found.append(fit(self.b, seed, next(params).type))
        return found

    def zero(self, p: Var, width: int) -> Var:
        """Zero tangents of an array; fresh ones where the function would change them."""
        if self.written[self.fn.params.index(p)]:
            return self.room(p, width)
        key = p.name, width
        if key not in self.zeros:
            self.zeros[key] = self.room(p, width)
        return self.zeros[key]

    def room(self, p: Var, width: int) -> Var:
        """Zeros with an axis for the tangents."""
        assert isinstance(p.type, ArrayT)
        kind = ArrayT(p.type.dtype, p.type.ndim + 1, "C")
        return self.b.alloc(kind, (*self.shape(p), const(width)), hint="e")

    # runs
    def run(self, width: int, given: dict[str, list[Atom]]) -> Iterator[list[Var]]:
        """One call; for every result that has derivatives its tangents."""
        seeds = self.seeds(width, given)
        results = self.call(self.version(width), [*self.arguments(self.saved), *seeds])
        rest = iter(results)
        for y in self.fn.body.yields:
            if is_float(y.type):
                yield [next(rest) for _ in range(width if isinstance(y.type, Scalar) else 1)]

    def groups(self, numbers: list[Whole]) -> Iterator[list[Whole]]:
        """Numbers that share a run."""
        widest = self.widths[0]
        for k in range(0, len(numbers), widest):
            yield numbers[k : k + widest]

    def fitting(self, count: int) -> int:
        """The narrowest version for a number of tangents (of its own where there is no array)."""
        if all(isinstance(x.type, Scalar) for x in self.inputs):
            return count
        return min(w for w in self.widths if w >= count)

    def together(self, group: list[Whole], blocks: dict[int, list[Var]]) -> None:
        """The columns of inputs that are numbers."""
        width = self.fitting(len(group))
        given: dict[str, list[Atom]] = {
            x.held[0].name: [const(float(j == k), kind_of(x.type)) for j in range(width)]
            for k, x in enumerate(group)
        }
        for n, lanes in enumerate(self.run(width, given)):
            for k, x in enumerate(group):
                self.put_number(blocks[id(x)][n], lanes, k)

    def put_number(self, block: Var, lanes: list[Var], k: int) -> None:
        """Write one tangent of a result into the block of an input that is a number."""
        if isinstance(lanes[0].type, Scalar):
            self.b.store(block, (), lanes[k])
            return
        self.nest(
            self.shape(block), lambda i: self.b.store(block, i, self.b.load(lanes[0], *i, const(k)))
        )

    def elements(self, x: Whole, blocks: list[Var]) -> None:
        """The columns of an array."""
        total, widest = self.total(x), self.widths[0]
        seeds: dict[int, Var] = {}
        for width in self.widths:  # outside of the loop what is the same for all runs
            for p in self.constant_arrays(x):
                self.zero(p, width)
            if not self.changes(x) and x.held[0].name not in self.units:
                seeds[width] = self.room(x.held[0], width)
        with self.b.loop(ZERO, total, const(widest), hint="first") as first:
            left = self.b.op("sub", total, first)
            wide = self.b.op("lt", const(widest), left)
            count = self.b.op("select", wide, const(widest), left, hint="count")
            if len(self.widths) == 1:
                self.chunk(widest, x, blocks, (first, count), seeds)
                return
            with self.b.block() as then:
                self.chunk(NARROW, x, blocks, (first, count), seeds)
            with self.b.block() as orelse:
                self.chunk(widest, x, blocks, (first, count), seeds)
            few = self.b.op("le", count, const(NARROW))
            self.b.if_(few, Block(tuple(then)), Block(tuple(orelse)))

    def constant_arrays(self, x: Whole) -> Iterator[Var]:
        """The other arrays that have tangents, which are zero and stay so."""
        for p, on in zip(self.repeated.params, self.active, strict=True):
            if on and isinstance(p.type, ArrayT) and p.name not in {x.held[0].name, *self.units}:
                if not self.written[self.fn.params.index(p)]:
                    yield p

    def changes(self, x: Whole) -> bool:
        """Whether the function writes an input."""
        return self.written[self.fn.params.index(x.held[0])]

    def chunk(
        self,
        width: int,
        x: Whole,
        blocks: list[Var],
        span: tuple[Atom, Atom],
        seeds: dict[int, Var],
    ) -> None:
        """``span``: the first column of one run, and the number of columns."""
        (first, count), p = span, x.held[0]
        seed = None
        if p.name not in self.units:
            seed = seeds[width] if seeds else self.room(p, width)
            self.mark(x, seed, span, 1.0)
        given = {p.name: [first if seed is None else seed]}
        for block, lanes in zip(blocks, self.run(width, given), strict=True):
            if isinstance(lanes[0].type, Scalar):
                self.put_lanes(block, lanes, span)
            else:
                together = lanes[0]

                def put(i: tuple[Atom, ...], block: Var = block, together: Var = together) -> None:
                    with self.b.loop(ZERO, count, hint="k") as k:
                        column = self.b.op("add", first, k)
                        self.b.store(block, (*i, column), self.b.load(together, *i, k))

                self.nest(self.shape(together)[:-1], put)
        if seeds and seed is not None:
            self.mark(x, seed, span, 0.0)

    def mark(self, x: Whole, seed: Var, span: tuple[Atom, Atom], value: float) -> None:
        """Set the element that each tangent of a run belongs to."""
        (first, count), kind = span, kind_of(x.type)
        width = self.shape(seed)[-1]
        spec = (self.total(x), width)
        flat = self.b.view(seed, "reshape", spec, ArrayT(kind.kind, 2, "C"), "e")
        with self.b.loop(ZERO, count, hint="k") as k:
            self.b.store(flat, (self.b.op("add", first, k), k), const(value, kind))

    def put_lanes(self, block: Var, lanes: list[Var], span: tuple[Atom, Atom]) -> None:
        """Write the tangents of a number."""
        first, count = span
        for k, t in enumerate(lanes):
            with self.b.block() as then:
                self.b.store(block, (self.b.op("add", first, const(k)),), t)
            self.b.if_(self.b.op("lt", const(k), count), Block(tuple(then)), Block(()))


def chunked(program: Program, chosen: list[Selection]) -> Function | None:
    """The Jacobian's function, or ``None`` where there are no bundles of tangents."""
    if any(
        is_complex(t)
        for t, _ in (*wholes(program.out), *(w for s in chosen for w in wholes(s.spec)))
    ):
        return None
    try:
        return Chunks(program, chosen).function()
    except Unbundled:
        return None


def sizing(program: Program) -> Function | None:
    """A function of the same parameters that gives the sizes of all arrays among the results,
    if that takes neither loops nor calls."""
    fn = program.fn
    namer = Namer(v.name for v in variables(fn))
    b = Builder(namer)
    sizes = tuple(
        b.dim(y, axis)
        for y in fn.body.yields
        if isinstance(y, Var) and isinstance(y.type, ArrayT)
        for axis in range(y.type.ndim)
    )
    kept = unchecked(silent(fn).body)
    whole = replace(fn, body=Block((*kept.stmts, *b.stack[0]), sizes))
    made = clean(whole, program.options)
    stays = any(isinstance(s, (For, While, Call, ArrayOp)) for s in statements(made.body))
    return None if stays or summary_of(made).effects else made


def unchecked(block: Block) -> Block:
    """A block without checks (they hold, or a run raises)."""
    stmts: list[Stmt] = []
    for s in block.stmts:
        if isinstance(s, If):
            s = replace(s, then=unchecked(s.then), orelse=unchecked(s.orelse))
        elif isinstance(s, (For, While)):
            s = replace(s, body=unchecked(s.body))
        if not isinstance(s, Check):
            stmts.append(s)
    return Block(tuple(stmts), block.yields)
