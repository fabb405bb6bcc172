"""Jacobians as programs: a loop of tangents, or a loop of cotangents.

In: a program.  Out: a program whose results have shape output + input.  Forward mode runs the
tangent function once for every element of the input, reverse mode the adjoint once for every
element of the output; both are ordinary IR (a loop around a ``Call``), so a Jacobian can be
differentiated again.  Arrays that the function overwrites are handed to all runs but the last as
copies, so the exit state is that of the plain call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.analyses.summaries import summary_of
from srcad.api.jacobian_blocks import (
    Whole,
    block_type,
    check_complex,
    group,
    jacobian_spec,
    kind_of,
)
from srcad.api.programs import active_pattern, reversed_program
from srcad.api.selection import Selection, select
from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, For, Function, If, Print, Stmt, Var, While
from srcad.ir.types import ArrayT, Scalar, is_complex, is_float
from srcad.ir.walk import variables
from srcad.specs import wholes
from srcad.transforms.arrays import copy
from srcad.transforms.draws import draws, recorded, replayed
from srcad.transforms.family import Family
from srcad.transforms.forward import forward


def jacobian_program(
    program: Program, argnums: Any, mode: str, holomorphic: bool = False
) -> Program:
    """``jacfwd`` (``mode="fwd"``), ``jacrev`` (``"rev"``) or whichever fits (``"auto"``)."""
    chosen = select(program, argnums)
    floats = [y for y in program.fn.body.yields if is_float(y.type)]
    if not floats:
        raise TypeMismatch(
            f"jacobian of {program.source.name}, which returns no float",
            program.source.loc(program.source.node),
            "the derivative of an integer is zero by definition",
            "return a float or an array of floats",
        )
    if mode == "auto":
        scalars = all(isinstance(y.type, Scalar) for y in floats)
        arrays_in = any(
            isinstance(program.fn.params[k].type, ArrayT) for s in chosen for k in s.active
        )
        mode = "rev" if scalars and arrays_in else "fwd"
        if any(is_complex(t) for t, _ in wholes(program.out)):
            mode = "fwd"
        elif any(is_complex(t) for s in chosen for t, _ in wholes(s.spec)):
            mode = "rev"
    check_complex(program, chosen, mode, holomorphic)
    out = jacobian_spec(program.out, chosen, isinstance(argnums, (tuple, list)), mode)
    from srcad.api.jacobian_chunks import chunked

    if mode == "fwd" and (fn := chunked(program, chosen)) is not None:
        return program.with_fn(fn, out=out)
    maker = Forward(program, chosen) if mode == "fwd" else Reverse(program, chosen)
    fn = maker.function()
    return program.with_fn(fn, out=out, reports=(*program.reports, *maker.reports))


def silent(fn: Function) -> Function:
    """The function without its prints (they have run in the plain call)."""
    return replace(fn, body=_silent(fn.body))


def _silent(block: Block) -> Block:
    stmts: list[Stmt] = []
    for s in block.stmts:
        if isinstance(s, If):
            s = replace(s, then=_silent(s.then), orelse=_silent(s.orelse))
        elif isinstance(s, (For, While)):
            s = replace(s, body=_silent(s.body))
        if not isinstance(s, Print):
            stmts.append(s)
    return Block(tuple(stmts), block.yields)


def with_own_results(fn: Function) -> Function:
    """The function, returning copies of those parts of its arguments that it would return.

    A Jacobian only reads results; the adjoint of a call has to know what they are a part of.
    """
    sources = summary_of(fn).results
    parts = [
        bool(s.params) and isinstance(y.type, ArrayT)
        for s, y in zip(sources, fn.body.yields, strict=True)
    ]
    if not any(parts):
        return fn
    b = Builder(Namer(v.name for v in variables(fn)))
    ends = tuple(
        copy(b, y, "r") if part and isinstance(y, Var) else y
        for y, part in zip(fn.body.yields, parts, strict=True)
    )
    return replace(fn, body=Block((*fn.body.stmts, *b.stack[0]), ends))


class Maker:
    """What both directions share: names, copies of overwritten arrays, the blocks of the result."""

    def __init__(self, program: Program, chosen: list[Selection]) -> None:
        self.program, self.chosen = program, chosen
        self.fn = program.fn
        self.namer = Namer([p.name for p in self.fn.params])
        self.b = Builder(self.namer)
        self.active = active_pattern(program, chosen)
        self.inputs = [
            w for s in chosen for w in group([s.spec], [self.fn.params[k] for k in s.positions])
        ]
        self.outputs = [k for k, y in enumerate(self.fn.body.yields) if is_float(y.type)]
        self.callees: dict[str, Function] = dict(self.fn.callees)
        self.reports: tuple[Any, ...] = ()
        self.repeated, plain = self.fn, self.fn
        self.drawn: list[Atom] = []  # the random numbers of the plain call, for all other runs
        if draws(self.fn):
            family = Family(self.fn)
            plain, self.repeated = recorded(self.fn, family), replayed(self.fn, family)
            self.active = (*self.active, False)
        self.primal = self.add(plain, self.fn.name, quiet=False)
        summary = summary_of(self.fn)
        self.written = [
            isinstance(p.type, ArrayT) and w
            for p, w in zip(self.fn.params, summary.writes, strict=True)
        ]

    def add(self, fn: Function, wish: str, quiet: bool = True) -> str:
        """Enter a function among the callees under a free name."""
        for name, callee in fn.callees.items():
            self.callees.setdefault(name, silent(callee) if quiet else callee)
        fn = with_own_results(silent(fn) if quiet else fn)
        name = Namer(self.callees).fresh(wish)
        self.callees[name] = replace(fn, name=name, callees=self.callees)
        return name

    def finish(self, results: list[Atom]) -> Function:
        """The Jacobian's function."""
        body = Block(tuple(self.b.stack[0]), tuple(results))
        shared: dict[str, Function] = {}
        for name, f in self.callees.items():
            shared[name] = replace(f, callees=shared)
        return Function(f"{self.fn.name}_jac", self.fn.params, body, shared)

    def snapshots(self) -> list[Var | None]:
        """Entry values of the arrays that the function overwrites."""
        return [
            self.copy(p) if w else None for p, w in zip(self.fn.params, self.written, strict=True)
        ]

    def copy(self, a: Var) -> Var:
        """A fresh array of the parameter's own layout with the contents of ``a``."""
        assert isinstance(a.type, ArrayT)
        shape = self.shape(a)
        order = range(a.type.ndim) if a.type.layout != "F" else range(a.type.ndim)[::-1]
        base = self.b.alloc(
            ArrayT(a.type.dtype, a.type.ndim, "C"),
            tuple(shape[k] for k in order),
            zero=False,
            hint=a.name,
        )
        out = base
        if a.type.layout == "F" and a.type.ndim > 1:
            out = self.b.view(base, "transpose", tuple(order), replace(a.type, mutable=True))
        elif a.type.layout == "A":
            out = self.b.view(base, "same", (), replace(a.type, mutable=True))
        self.nest(shape, lambda i: self.b.store(out, i, self.b.load(a, *i)))
        return out

    def shape(self, v: Atom) -> tuple[Atom, ...]:
        """Sizes of an array; a number has none."""
        if isinstance(v, Var) and isinstance(v.type, ArrayT):
            return tuple(self.b.dim(v, k) for k in range(v.type.ndim))
        return ()

    def nest(self, shape: tuple[Atom, ...], action: Any, index: tuple[Atom, ...] = ()) -> None:
        """Loops over all indices of a shape."""
        if len(index) == len(shape):
            action(index)
            return
        with self.b.loop(ZERO, shape[len(index)], hint="ijkl"[len(index) % 4]) as i:
            self.nest(shape, action, (*index, i))

    def arguments(self, snapshots: list[Var | None]) -> list[Atom]:
        """Arguments of one run: fresh copies of what it overwrites."""
        return [
            *(
                p if s is None else self.copy(s)
                for p, s in zip(self.fn.params, snapshots, strict=True)
            ),
            *self.drawn,
        ]

    def plain_call(self) -> tuple[Var, ...]:
        """The call that leaves the arguments (and the random numbers) as they end."""
        results = self.call(self.primal, list(self.fn.params))
        self.drawn = list(results[len(self.fn.body.yields) :])
        return results

    def call(self, name: str, args: list[Atom]) -> tuple[Var, ...]:
        """A call of one of the callees."""
        fn = self.callees[name]
        results = tuple(self.b.var("r", y.type) for y in fn.body.yields)
        self.b.emit(Call(results, name, tuple(args)))
        return results

    mode = "fwd"

    def user_shape(self, w: Whole) -> tuple[Atom, ...]:
        """Sizes of a number or an array as the user sees it."""
        shape = self.shape(w.held[0])
        return shape[:-1] if w.complex_array else shape

    def block(self, y: Whole, x: Whole) -> Var:
        """Storage for one block of the Jacobian (a 0-d one for scalar by scalar)."""
        t = block_type(y.type, x.type, self.mode)
        shape = (*self.user_shape(y), *self.user_shape(x))
        if isinstance(t, Scalar):
            t = ArrayT(t.kind, 0, "C")
        if is_complex(t):
            t, shape = view_layout(t, "pairs", ()), (*shape, const(2))
        return self.b.alloc(t, shape, zero=True, hint="jac")

    def blocks(self, outs: list[Whole]) -> list[list[Var]]:
        """Storage for all blocks."""
        return [[self.block(y, x) for x in self.inputs] for y in outs]

    def outs(self, results: Any) -> list[Whole]:
        """The results of a run that have derivatives."""
        return group([self.program.out], list(results))

    def copy_into(self, target: Var, index: Any, value: Atom) -> None:
        """``target[index(i)] = value[i]`` for all ``i`` (a number: once)."""
        kind = kind_of(target.type)

        def put(i: tuple[Atom, ...]) -> None:
            v = self.b.load(value, *i) if isinstance(value.type, ArrayT) else value  # type: ignore[arg-type]
            self.b.store(target, index(i), self.b.cast(v, kind))

        self.nest(self.shape(value), put)

    def results(self, outs: list[Whole], blocks: list[list[Var]]) -> list[Atom]:
        """The blocks as results: those of a number by a number are numbers."""
        found: list[Atom] = []
        for y, row in zip(outs, blocks, strict=True):
            for x, block in zip(self.inputs, row, strict=True):
                t = block_type(y.type, x.type, self.mode)
                if isinstance(t, ArrayT):
                    found.append(block)
                elif is_complex(t):
                    found += [self.b.load(block, const(k)) for k in (0, 1)]
                else:
                    found.append(self.b.load(block))
        return found


class Forward(Maker):
    """One tangent after another."""

    def function(self) -> Function:
        """The program's Jacobian by forward mode."""
        tangent = self.add(forward(self.repeated, self.active), f"{self.fn.name}_t")
        saved = self.snapshots()
        outs = self.outs(self.plain_call())
        blocks = self.blocks(outs)
        params = [p for p, on in zip(self.repeated.params, self.active, strict=True) if on]
        zeros = {p.name: self.zero(p) for p in params}
        for x in self.inputs:
            self.columns(x, tangent, params, zeros, saved, blocks)
        return self.finish(self.results(outs, blocks))

    def zero(self, p: Var) -> Atom:
        """A zero tangent."""
        if isinstance(p.type, Scalar):
            return const(0.0, p.type)
        return self.b.alloc(ArrayT(p.type.dtype, p.type.ndim, "C"), self.shape(p), hint="e")  # type: ignore[union-attr]

    def columns(
        self,
        w: Whole,
        tangent: str,
        params: list[Var],
        zeros: dict[str, Atom],
        saved: list[Var | None],
        blocks: list[list[Var]],
    ) -> None:
        """The columns of one input (of a complex one: moved along the real axis)."""
        fn, x = self.callees[tangent], w.held[0]
        types = {
            p.name: t.type
            for p, t in zip(params, fn.params[len(self.repeated.params) :], strict=True)
        }
        n_out = len(self.fn.body.yields)

        def column(i: tuple[Atom, ...]) -> None:
            seeds = []
            for p in params:
                seed = zeros[p.name]
                if p is x or p.name == x.name:
                    if i or isinstance(p.type, ArrayT):
                        seed = self.b.alloc(seed.type, self.shape(p), hint="e")
                        self.b.store(seed, w.unit(i), const(1.0, kind_of(p.type)))
                    else:
                        seed = const(1.0, kind_of(p.type))
                elif isinstance(seed, Var) and self.written[self.fn.params.index(p)]:
                    seed = self.b.alloc(seed.type, self.shape(p), hint="e")
                seeds.append(self.fit(seed, types[p.name]))
            results = self.call(tangent, [*self.arguments(saved), *seeds])
            k = self.inputs.index(w)
            tangents = iter(results[n_out:])
            made = [next(tangents) if is_float(r.type) else r for r in results[:n_out]]
            for row, y in zip(blocks, self.outs(made), strict=True):
                for t, last in y.places():
                    split = -1 if y.complex_array else None  # the pairs stay last
                    self.copy_into(
                        row[k], lambda j, s=split, q=last: (*j[:s], *i, *(j[s:] if s else q)), t
                    )

        self.nest(self.user_shape(w), column)

    def fit(self, seed: Atom, t: Any) -> Atom:
        """A tangent of the type (layout) the tangent function takes."""
        if isinstance(seed, Var) and seed.type != t:
            return fit_layout(self, seed, t)
        return seed


def fit_layout(m: Maker, seed: Var, t: ArrayT) -> Var:
    """A contiguous array as the type a parameter states."""
    if t.layout == "F" and t.ndim > 1:
        base = m.b.alloc(ArrayT(t.dtype, t.ndim, "C"), m.shape(seed)[::-1], hint="e")
        out = m.b.view(base, "transpose", tuple(range(t.ndim))[::-1], t)
        m.nest(m.shape(seed), lambda i: m.b.store(out, i, m.b.load(seed, *i)))
        return out
    return m.b.view(seed, "same", (), t)


class Reverse(Maker):
    """One cotangent after another."""

    mode = "rev"

    def function(self) -> Function:
        """The program's Jacobian by reverse mode."""
        count = len(self.outputs)
        program = replace(self.program, fn=self.repeated)
        fn, report = reversed_program(program, self.active, (True,) * count)
        self.reports = (report,)
        adjoint = self.add(fn, f"{self.fn.name}_b")
        saved = self.snapshots()
        first = self.plain_call()
        outs = self.outs(first)
        blocks = self.blocks(outs)
        for k in range(len(outs)):
            self.rows(outs[k], [first[j] for j in self.outputs], adjoint, saved, blocks[k])
        return self.finish(self.results(outs, blocks))

    def rows(
        self, w: Whole, outs: list[Var], adjoint: str, saved: list[Var | None], blocks: list[Var]
    ) -> None:
        """The rows of one output (of a complex one: for the cotangent 1)."""
        fn = self.callees[adjoint]
        n_in, n_out = len(self.repeated.params), len(self.fn.body.yields)
        order = [p.name for p, on in zip(self.repeated.params, self.active, strict=True) if on]

        def row(i: tuple[Atom, ...]) -> None:
            seeds: list[Atom] = []
            for y, p in zip(outs, fn.params[n_in:], strict=True):
                chosen = y.name == w.held[0].name
                if isinstance(y.type, Scalar):
                    seeds.append(const(1.0 if chosen else 0.0, y.type))
                    continue
                seed = self.b.alloc(
                    ArrayT(y.type.dtype, y.type.ndim, "C"),  # type: ignore[union-attr]
                    self.shape(y),
                    hint="e",
                )
                if chosen:
                    self.b.store(seed, w.unit(i), const(1.0, kind_of(y.type)))
                seeds.append(seed if seed.type == p.type else fit_layout(self, seed, p.type))  # type: ignore[arg-type]
            results = self.call(adjoint, [*self.arguments(saved), *seeds])
            for block, x in zip(blocks, self.inputs, strict=True):
                for v, last in x.places():
                    x_b = results[n_out + order.index(v.name)]
                    self.copy_into(block, lambda j, q=last: (*i, *j, *q), x_b)

        self.nest(self.user_shape(w), row)
