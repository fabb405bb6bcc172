"""Results written into arrays of the caller.

In: a function, as late as it is known what it does: the passes before have seen results as arrays
of its own, so a tape may have its place in one, and what is written first is not cleared.  Out:
the function with further parameters in front of those for captured arrays; it returns only numbers.
Where it allocates a result the caller's array takes its place; what comes from elsewhere (a view,
the result of a branch) is copied at the end.

Invariant: what is given overlaps no other array parameter, which is tested at the beginning; the
size of an array is compared before it is written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Function, Stmt, Var
from srcad.ir.types import B1, ArrayT
from srcad.ir.walk import rewrite, variables
from srcad.transforms.arrays import copy, fill

SIZES, SHARED = "out has another shape than the result", "out shares memory with an argument"


def written(fn: Function, given: tuple[ArrayT, ...], captures: int) -> Function:
    """``fn`` with its array results in arrays of these types; ``captures`` parameters come last."""
    arrays = [y for y in fn.body.yields if isinstance(y.type, ArrayT)]
    writer = Writer(fn, given)
    first: dict[str, Var] = {}
    for y, out in zip(arrays, writer.outs, strict=True):
        assert isinstance(y, Var) and isinstance(y.type, ArrayT) and isinstance(out.type, ArrayT)
        if y.type == replace(out.type, mutable=y.type.mutable):
            first.setdefault(y.name, out)
    stmts = writer.opening() + writer.body(first)
    stmts += writer.closing([(y, o) for y, o in zip(arrays, writer.outs, strict=True)])
    numbers = tuple(y for y in fn.body.yields if not isinstance(y.type, ArrayT))
    here = len(fn.params) - captures
    relaxed = {out.name for name, out in writer.stands.items() if name in fn.relaxed}
    return replace(
        fn,
        params=(*fn.params[:here], *writer.outs, *fn.params[here:]),
        body=replace(fn.body, stmts=tuple(stmts), yields=numbers),
        relaxed=fn.relaxed | relaxed,
    )


class Writer:
    """Puts the caller's arrays in the place of results."""

    def __init__(self, fn: Function, given: tuple[ArrayT, ...]) -> None:
        self.fn = fn
        self.b = Builder(Namer(v.name for v in variables(self.fn)))
        self.outs = [self.b.var("out", t) for t in given]
        self.taken: set[str] = set()  # names of the outs that stand for a result already
        self.stands: dict[str, Var] = {}

    def opening(self) -> list[Stmt]:
        """Nothing overlaps."""
        with self.b.block() as stmts:
            for k, out in enumerate(self.outs):
                for other in (*self.fn.params, *self.outs[:k]):
                    if isinstance(other.type, ArrayT):
                        (apart,) = self.b.array_op("apart", (B1,), out, other, hint="apart")
                        self.b.check(apart, "ValueError", SHARED)
        return stmts

    def body(self, first: dict[str, Var]) -> list[Stmt]:
        """The statements, with allocations of results replaced."""
        stands = self.stands
        stmts: list[Stmt] = []
        for s in self.fn.body.stmts:
            if isinstance(s, Alloc) and s.target.name in first:
                stands[s.target.name] = first[s.target.name]
                self.taken.add(first[s.target.name].name)
                stmts += self.instead(s, first[s.target.name])
            else:
                stmts.append(
                    rewrite(
                        s, lambda a: stands.get(a.name, a) if isinstance(a, Var) else a, lambda v: v
                    )
                )
        return stmts

    def instead(self, s: Alloc, out: Var) -> list[Stmt]:
        """What an allocation leaves: comparison of sizes, zeros."""
        self.b.loc = s.loc
        with self.b.block() as stmts:
            for axis, n in enumerate(s.shape):
                same = self.b.op("eq", self.b.dim(out, axis), n)
                self.b.check(same, "ValueError", SIZES)
            if s.zero:
                fill(self.b, out, 0.0)
        return stmts

    def closing(self, pairs: list[tuple[Any, Var]]) -> list[Stmt]:
        """Copies of the results that are not made in place."""
        with self.b.block() as stmts:
            todo = [(self.stands.get(y.name, y), o) for y, o in pairs if o.name not in self.taken]
            for y, out in todo:
                for axis in range(out.type.ndim):  # type: ignore[union-attr]
                    same = self.b.op("eq", self.b.dim(out, axis), self.b.dim(y, axis))
                    self.b.check(same, "ValueError", SIZES)
            for y, out in todo:
                copy(self.b, y, "out", into=out)
        return stmts
