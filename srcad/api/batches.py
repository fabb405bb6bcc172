"""A program run over many samples, as one loop.

In: the program of one sample, the axis along which each of its parameters is stacked (``None``: the
same for all samples), the axis along which each result is to be stacked.  Out: a function of the
stacked parameters: ``for i in range(n)`` around the sample's own statements, which read views of
the stacked arrays; every result is copied to its place.  It is ordinary IR, so every transform
applies to it, and it costs one compiled call.

Invariant: the effects are those of the loop that a user would write: samples run in order, arrays
that the function overwrites are overwritten (shared ones by every sample in turn), random numbers
are drawn in the order of the samples.

How the stacked results get their shapes: the sample's statements are copied in front of the loop
for sample 0, with the sizes of the results as the only results; dead code elimination leaves of
them what sizes depend on, mostly nothing but sizes.  Each sample's sizes are checked against
these.  Limits: array results need at least one sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from srcad.analyses.summaries import summarise, summary_of
from srcad.compiler import Program, clean
from srcad.errors import UnsupportedSyntax
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Draw, For, Function, If, Op, Print, Stmt, Var, While
from srcad.ir.types import ArrayT, Scalar
from srcad.ir.walk import rewrite_block
from srcad.transforms.arrays import copy, each, fit
from srcad.transforms.arrays import sizes as sizes_of
from srcad.transforms.draws import draws
from srcad.transforms.family import Family

UNEVEN = "the results of the samples have different shapes"
DIFFER = "the arrays to map over have different sizes along the mapped axes"
EMPTY = "a batch whose results are arrays needs at least one sample"


def sample_type(t: ArrayT, axis: int) -> ArrayT | Scalar:
    """Type of one sample of a stacked array (a number where no axis is left).

    >>> str(sample_type(ArrayT("f8", 3, "C"), 0)), str(sample_type(ArrayT("f8", 3, "C"), 2))
    ('f8[:,:]C', 'f8[:,:]A')
    """
    return t.element if t.ndim == 1 else view_layout(t, "index", at(axis, ZERO))


def at(axis: int, i: Atom) -> tuple[tuple[Any, ...], ...]:
    """The view of one position along an axis."""
    return (*(("slice", None, None, None),) * axis, ("at", i))


def stacked_type(t: Any) -> ArrayT:
    """Type of the results of all samples."""
    if isinstance(t, Scalar):
        return ArrayT(t.kind, 1, "C")
    return ArrayT(t.dtype, t.ndim + 1, "C")


class Batch:
    """Makes the loop around one sample's program; see the module docstring."""

    def __init__(
        self,
        program: Program,
        stacked: Sequence[Any],
        axes: Sequence[int | None],
        out_axes: Sequence[int],
    ) -> None:
        """``stacked`` are the types of the parameters of the result."""
        self.program, self.fn, self.axes, self.out_axes = program, program.fn, axes, out_axes
        self.params = tuple(
            replace(p, type=t) for p, t in zip(self.fn.params, stacked, strict=True)
        )
        self.loc = program.source.loc(program.source.node)
        self.b = Builder(Namer((*(p.name for p in self.params), *self.fn.callees)), self.loc)
        self.callees = dict(self.fn.callees)

    def function(self) -> Function:
        """The function of all samples."""
        n = self.samples()
        sizes = self.sizes(n)
        results = [
            self.b.alloc(stacked_type(y.type), (*s[:axis], n, *s[axis:]), False, "stacked")
            for y, s, axis in zip(self.fn.body.yields, sizes, self.out_axes, strict=True)
        ]
        with self.b.loop(ZERO, n, hint="sample") as i:
            outs = inline(self.b, self.fn, [self.sample(k, i) for k in range(len(self.params))])
            for out, result, s, axis in zip(outs, results, sizes, self.out_axes, strict=True):
                self.put(out, result, s, axis, i)
        body = Block(tuple(self.b.stack[0]), tuple(results))
        shared: dict[str, Function] = {}
        for name, f in self.callees.items():
            shared[name] = replace(f, callees=shared)
        return Function(f"{self.fn.name}_batch", self.params, body, shared)

    def samples(self) -> Atom:
        """How many there are; all stacked parameters must agree."""
        sizes = [
            self.b.dim(p, axis)
            for p, axis in zip(self.params, self.axes, strict=True)
            if axis is not None
        ]
        for other in sizes[1:]:
            self.b.check(self.b.op("eq", sizes[0], other), "ValueError", DIFFER)
        return sizes[0]

    def sample(self, k: int, i: Atom) -> Atom:
        """One sample of a parameter."""
        p, axis = self.params[k], self.axes[k]
        if axis is None:
            return p
        assert isinstance(p.type, ArrayT)
        kind = sample_type(p.type, axis)
        if isinstance(kind, Scalar):
            return self.b.load(p, i, hint=p.hint or p.name)
        return self.b.view(p, "index", at(axis, i), kind, p.hint or p.name)

    def sizes(self, n: Atom) -> list[tuple[Atom, ...]]:
        """Sizes of the results of one sample, from what sample 0 needs to know them."""
        ranks = [getattr(y.type, "ndim", 0) for y in self.fn.body.yields]
        if not any(ranks):
            return [() for _ in ranks]
        self.b.check(self.b.op("gt", n, ZERO), "ValueError", EMPTY)
        fn = self.size_function()
        flat = iter(inline(self.b, fn, [self.sample(k, ZERO) for k in range(len(self.params))]))
        self.callees.update(fn.callees)
        return [tuple(next(flat) for _ in range(rank)) for rank in ranks]

    def size_function(self) -> Function:
        """The sample's program with the sizes of its results as its only results."""
        fn = quiet(self.fn)
        b = Builder(Namer([p.name for p in fn.params]), self.loc)
        args: list[Atom] = [
            fit(b, copy(b, p, p.hint), p.type) if written and isinstance(p.type, ArrayT) else p
            for p, written in zip(fn.params, summary_of(self.fn).writes, strict=True)
        ]
        outs = inline(b, fn, args)
        dims = [d for y in outs if isinstance(y.type, ArrayT) for d in sizes_of(b, y)]  # type: ignore[arg-type]
        body = Block(tuple(b.stack[0]), tuple(dims))
        fn = clean(replace(fn, body=body), replace(self.program.options, debug=False))
        if draws(fn):
            raise UnsupportedSyntax(
                f"batch of {self.program.source.name}: the shape of a sample's result is known "
                "only after a call that draws random numbers",
                self.loc,
                "shapes must be known before the first sample runs, without drawing",
                "return numbers, or write the loop over the samples in the function",
            )
        return fn

    def put(self, out: Atom, stacked: Var, sizes: tuple[Atom, ...], axis: int, i: Atom) -> None:
        """Copy a sample's result to its place."""
        if not isinstance(out.type, ArrayT):
            self.b.store(stacked, (i,), out)
            return
        assert isinstance(out, Var)
        for d, size in zip(sizes_of(self.b, out), sizes, strict=True):
            self.b.check(self.b.op("eq", d, size), "ValueError", UNEVEN)
        each(
            self.b,
            out,
            lambda j: self.b.store(stacked, (*j[:axis], i, *j[axis:]), self.b.load(out, *j)),
            sizes,
        )


def inline(b: Builder, fn: Function, args: Sequence[Atom]) -> list[Atom]:
    """Emit the statements of a function on given arguments; its results."""
    table: dict[str, Atom] = {p.name: a for p, a in zip(fn.params, args, strict=True)}

    def define(v: Var) -> Var:
        new = replace(b.var(v.hint or v.name, v.type), hint=v.hint)
        table[v.name] = new
        return new

    def use(a: Any) -> Any:
        return table[a.name] if isinstance(a, Var) else a

    block = rewrite_block(fn.body, use, define)
    for s in block.stmts:
        b.emit(s)
    return list(block.yields)


def quiet(fn: Function) -> Function:
    """The function without what it must not do twice: no prints, zeros instead of draws."""
    family, summaries = Family(fn), summarise(fn)

    def block(b: Block) -> Block:
        return replace(b, stmts=tuple(x for s in b.stmts for x in one(s)))

    def one(s: Stmt) -> tuple[Stmt, ...]:
        match s:
            case Print():
                return ()
            case Draw():
                return tuple(Op(t, str(t.type), (const(0, t.type),), s.loc) for t in s.targets)  # type: ignore[arg-type]
            case If():
                return (replace(s, then=block(s.then), orelse=block(s.orelse)),)
            case For() | While():
                return (replace(s, body=block(s.body)),)
            case Call():
                return (replace(s, fn=family.silent(s.fn, summaries)),)
        return (s,)

    return replace(fn, body=block(fn.body), callees=family.callees)
