"""``deterministic=True``: sums over threads that are bit for bit the same in every order.

In: a kernel after its last transform, whose remaining atomic additions of floats are known.  Out:
``exactly``: the same kernel where these go to exact accumulators (``runtime.exact``), rows of a
workspace in global memory, one for each element of an array (of a shared array: in each block).

Where the kernel reads an element of such an array, it adds what its row holds; where it stores
one, it clears the row.  So the array and its rows together are at every moment what the array was.
After the launch a second kernel (``backends.cuda_kernel.settling``) adds the rows of global arrays
to them.

Invariant: whoever reads or stores an element is alone with it until the next barrier, or only
reads (``cuda.program``), so nobody adds to a row that is being read or cleared.

Limits: an array is reached by its own subscripts or by slices that only drop axes or start at a
constant; the workspace takes 568 bytes for an element of float64 and 112 for one of float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.errors import NoDerivative
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Call,
    Const,
    For,
    Function,
    If,
    Load,
    Loc,
    Op,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.threads import Hidden, exact_function, is_atomic, is_barrier
from srcad.ir.types import I8, ArrayT, is_float
from srcad.ir.walk import statements, variables

TABLE = ArrayT("i8", 2)


def summed(fn: Function) -> tuple[Accumulate, ...]:
    """The additions whose order depends on the threads."""
    found = (s for s in statements(fn.body) if isinstance(s, Accumulate))
    return tuple(s for s in found if s.atomic and is_float(s.array.type))


def exactly(
    fn: Function, hidden: Mapping[str, Hidden], axes: frozenset[str]
) -> tuple[Function, dict[str, Hidden]]:
    """The kernel with exact sums, and its hidden parameters.

    Raises:
        NoDerivative: something else depends on the order of the threads.
    """
    for s in statements(fn.body):
        counter = is_atomic(s) and not is_float(s.args[0].type)  # type: ignore[union-attr]
        if counter and s.targets:  # type: ignore[union-attr]
            raise NoDerivative(
                "deterministic=True, and an atomic whose result is used",
                s.loc,  # type: ignore[union-attr]
                "which thread gets which number depends on their order",
                "compute the number from the position of the thread",
            )
    sums = summed(fn)
    if not sums:
        return fn, dict(hidden)
    made = _Exact(fn, hidden, axes)
    return made.run(sums), made.hidden


class _Exact:
    def __init__(self, fn: Function, hidden: Mapping[str, Hidden], axes: frozenset[str]) -> None:
        self.fn, self.hidden, self.axes = fn, dict(hidden), sorted(axes)
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.regions = Regions(fn, summarise(fn))
        self.params = {p.name: p for p in fn.params}
        self.views = {s.target.name: s for s in statements(fn.body) if isinstance(s, View)}
        self.places = {h.what: Var(n, I8, n) for n, h in hidden.items() if h.kind == "place"}
        self.tables: dict[str, Var] = {}
        self.extra: list[Var] = []
        self.callees = dict(fn.callees)

    def run(self, sums: tuple[Accumulate, ...]) -> Function:
        """The whole function."""
        for s in sums:
            for name in sorted(self.regions.of(s.array) & self.params.keys()):
                self.table(name)
        with self.b.block() as opening:
            self.block_number = self.number()
        body = self.block(self.fn.body)
        body = replace(body, stmts=(*opening, *body.stmts))
        params = (*self.fn.params, *self.extra)
        return replace(self.fn, params=params, body=body, callees=self.callees)

    def table(self, name: str) -> None:
        """The accumulators of an array."""
        if name not in self.tables:
            v = self.b.var(f"{name}_exact", TABLE)
            self.tables[name] = v
            self.hidden[v.name] = Hidden("exact", name)
            self.extra.append(v)

    def number(self) -> Atom:
        """The number of the block, if shared arrays have accumulators."""
        number: Atom = ZERO
        if any(self.hidden[n].kind == "shared" for n in self.tables if n in self.hidden):
            for axis in self.axes[::-1]:
                wide = self.b.op("mul", number, self.place(f"blocks_{axis}"), hint="number")
                number = self.b.op("add", wide, self.place(f"block_{axis}"), hint="number")
        return number

    def place(self, name: str) -> Var:
        """Where the thread stands."""
        if name not in self.places:
            self.places[name] = v = self.b.var(name, I8)
            self.hidden[v.name] = Hidden("place", name)
            self.extra.append(v)
        return self.places[name]

    # statements
    def block(self, b: Block) -> Block:
        """A block."""
        with self.b.block() as out:
            for s in b.stmts:
                self.b.loc = getattr(s, "loc", None)
                self.statement(s)
        return Block(tuple(out), b.yields)

    def statement(self, s: Stmt) -> None:
        """One statement."""
        match s:
            case If():
                self.b.emit(replace(s, then=self.block(s.then), orelse=self.block(s.orelse)))
            case For() | While():
                self.b.emit(replace(s, body=self.block(s.body)))
            case Load() if self.touches(s.array):
                self.load(s)
            case Store() if self.touches(s.array):
                self.b.emit(s)
                self.call("clear", s.array, s.index, s.loc)
            case Accumulate(atomic=True) if self.touches(s.array):
                kind = s.array.type.element  # type: ignore[union-attr]
                value = self.b.cast(self.b.cast(s.value, kind), const(0.0).type)  # type: ignore[arg-type]
                self.call("add", s.array, s.index, s.loc, value)
            case Call() if not is_barrier(s):
                for a in s.args:
                    if is_reference(a) and self.touches(a):  # type: ignore[arg-type]
                        raise unknown(a, s.loc)  # type: ignore[arg-type]
                self.b.emit(s)
            case _:
                self.b.emit(s)

    def touches(self, a: Var) -> bool:
        """Whether a reference may be of an array with accumulators."""
        return not self.regions.of(a).isdisjoint(self.tables)

    def load(self, s: Load) -> None:
        """The element, and what its row holds."""
        was = self.b.var(s.target.hint or "was", s.target.type)
        self.b.emit(replace(s, target=was))
        more = self.call("value", s.array, s.index, s.loc)
        assert more is not None
        more = self.b.cast(more, s.target.type)  # type: ignore[arg-type]
        self.b.emit(Op(s.target, "add", (was, more), s.loc))

    def call(
        self, what: str, a: Var, index: tuple[Atom, ...], loc: Loc | None, *value: Atom
    ) -> Atom | None:
        """An operation on the row of an element."""
        base, at = self.position(a, index, loc)
        f = exact_function(what)
        self.callees.setdefault(f.name, f)
        got = (self.b.var("sum", f.body.yields[0].type),) if f.body.yields else ()
        row = self.row(base, at)
        self.b.emit(Call(got, f.name, (self.tables[base.name], row, *value), loc))
        return got[0] if got else None

    def row(self, base: Var, index: tuple[Atom, ...]) -> Atom:
        """The number of an element's row."""
        known = self.hidden[base.name].shape if base.name in self.hidden else None
        at: Atom = ZERO if known is None else self.block_number
        if known is not None:
            at = self.b.op("mul", at, const(prod(known)), hint="at")
        inner: Atom = ZERO
        for k, i in enumerate(index):
            n = self.b.dim(base, k) if known is None else const(known[k])
            if not (isinstance(i, Const) and i.value >= 0):  # a negative one counts from the end
                behind = self.b.op("add", i, n)
                i = self.b.op("select", self.b.op("lt", i, ZERO), behind, i, hint="at")
            inner = self.b.op("add", self.b.op("mul", inner, n, hint="at"), i, hint="at")
        return self.b.op("add", at, inner, hint="at")

    def position(
        self, array: Var, index: tuple[Atom, ...], loc: Loc | None
    ) -> tuple[Var, tuple[Atom, ...]]:
        """The parameter that a reference is a part of, and the subscripts in it.

        Raises:
            NoDerivative: it may be one part or another.
        """
        first = array
        while array.name in self.views:
            view = self.views[array.name]
            if view.kind == "same":
                array = view.base
                continue
            if view.kind != "index" or any(item[0] == "new" for item in view.spec):
                raise unknown(first, loc)
            rest, found = list(index), []
            for item in view.spec:
                if item[0] == "at":
                    found.append(item[1])
                    continue
                i, (start, stop, step) = rest.pop(0), item[1:]
                whole = start is None and stop is None
                ahead = (start is None or nonnegative(start)) and nonnegative(i)
                if step is not None or not (whole or ahead):
                    raise unknown(first, loc)
                found.append(i if start is None else self.b.op("add", i, start))
            array, index = view.base, (*found, *rest)
        if array.name not in self.params or len(self.regions.of(first)) != 1:
            raise unknown(first, loc)
        return self.params[array.name], index


def nonnegative(i: Atom) -> bool:
    """Whether a subscript is known not to count from the end."""
    return isinstance(i, Const) and i.value >= 0


def unknown(a: Var, loc: Loc | None) -> NoDerivative:
    """The error for an element whose row is not known."""
    return NoDerivative(
        f"deterministic=True, and {a.hint or a.name} is a sum over threads through a slice",
        loc,
        "which element of the whole array is meant is not known",
        "give the array itself and all subscripts",
    )


def rows(h: Hidden, hidden: Mapping[str, Hidden], shapes: Mapping[str, Any], blocks: int) -> int:
    """How many rows an array's accumulators take in a launch."""
    if h.what in hidden:
        return blocks * prod(hidden[h.what].shape)
    return prod(shapes[h.what])
