"""Device form: a program that needs no memory but its arguments and arrays of constant size.

In: IR after the last transform, and after ``storage.reuse``.  Out: the same function where

* it calls no other function (``expanded`` comes first);
* no allocation stands in a loop: an array that outlives the turn of the loop that makes it is a row
  of one array made before the loop, as many rows as the loop has turns;
* results that are arrays are written to parameters of their own, which come last (``outputs``).

``sized`` comes before: it fixes the shapes of parameters, so that what depends on them is
constant.

Invariant: a ``cuda.local.array`` is one piece of memory a call, wherever it stands; after this pass
no program can see that.
Limits, each refused with its place: lists, sizes that are not constant, arrays made in each turn of
a ``while`` loop, recursion, more than ``LIMIT`` bytes a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from srcad.errors import UnsupportedSyntax
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Const,
    Dim,
    Draw,
    For,
    Function,
    If,
    Loc,
    Stmt,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT, ListT, numpy_dtype
from srcad.ir.walk import called, rewrite_block, statements, variables
from srcad.storage.capacity import Most, bounded, capped
from srcad.transforms import inline
from srcad.transforms.arrays import copy, zero_of
from srcad.transforms.trips import trip_number

LIMIT = 512 * 1024  # bytes of local memory that a thread can have
DEEP = "calls are expanded, so that the size of a thread's arrays is known"
MEMORY = "a thread has no memory but its arguments and arrays of constant size"
UNBOUNDED = "a record of a loop whose number of trips is not constant"
LISTS = (
    "say how often it runs at most: for k in range(100): ... if done: break; or use forward mode "
    "(srcad.jvp, srcad.jacfwd), which records nothing"
)
SIZES = (
    "write sizes and numbers of trips as constants (captured numbers are), or as lengths of tuples"
)


def device(fn: Function) -> Function:
    """A program in device form.

    Raises:
        UnsupportedSyntax: it cannot have one.
    """
    fn = capped(bounded(fn))
    fn = replace(fn, body=_Rows(fn).body())
    possible(fn)
    return fn


def expanded(fn: Function) -> Function:
    """A program in one function.

    Raises:
        UnsupportedSyntax: it is recursive.
    """
    for name, f in called(fn.body, fn.callees).items():
        if name in called(f.body, f.callees):
            raise refused(f"recursion of {name}", None, "write it as a loop", DEEP)
    return inline.run(fn, lambda name: True)


# constant shapes
def sized(fn: Function, shapes: Mapping[str, tuple[int, ...]]) -> Function:
    """The function for parameters of the given shapes."""
    known: dict[str, tuple[int | None, ...]] = dict(shapes)
    values: dict[str, Const] = {}
    for s in statements(fn.body):
        if isinstance(s, View):
            known[s.target.name] = _viewed(s, known.get(s.base.name), values)
        elif isinstance(s, Dim) and (shape := known.get(s.array.name)):
            if (size := shape[s.axis]) is not None:
                values[s.target.name] = const(size)
    use: Any = lambda a: values.get(getattr(a, "name", ""), a)  # noqa: E731
    stmts = rewrite_block(fn.body, use, lambda v: v)
    return replace(fn, body=stmts)


def _viewed(
    s: View, base: tuple[int | None, ...] | None, values: Mapping[str, Const]
) -> tuple[int | None, ...]:
    """The shape of a view, as far as it is known."""

    def number(a: Any) -> int | None:
        a = values.get(getattr(a, "name", ""), a)
        return int(a.value) if isinstance(a, Const) else None

    rank = s.target.type.ndim if isinstance(s.target.type, ArrayT) else 0
    if s.kind == "reshape":
        return tuple(map(number, s.spec))
    if base is None:
        return (None,) * rank
    if s.kind == "transpose":
        return tuple(base[k] for k in s.spec)
    if s.kind != "index":
        return base
    out: list[int | None] = []
    axis = 0
    for item in s.spec:
        if item[0] == "new":
            out.append(1)
            continue
        size, axis = base[axis], axis + 1
        if item[0] == "slice":
            out.append(_length(size, item[1:], [number(x) for x in item[1:]]))
    return (*out, *base[axis:])


def _length(size: int | None, given: tuple[Any, ...], parts: list[int | None]) -> int | None:
    """The size of a slice, where it is known."""
    if given == (None, None, None):
        return size
    fixed = all((p is None) == (x is None) for p, x in zip(parts, given, strict=True))
    return len(range(size)[slice(*parts)]) if fixed and size is not None else None


# arrays made in loops
class _Rows:
    """One function; ``loops`` are those around the statement in hand."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.most = Most(fn)
        self.loops: list[For | While] = []
        self.before: list[Stmt] = []

    def body(self) -> Block:
        """The body with its arrays made outside of loops."""
        block = self.block(self.fn.body)
        return Block((*self.before, *block.stmts), block.yields)

    def block(self, b: Block) -> Block:
        """A block whose loops make no arrays."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                self.loops.append(s)
                s = replace(s, body=self.block(s.body))
                self.loops.pop()
            elif isinstance(s, Alloc) and self.loops and isinstance(s.target.type, ArrayT):
                out += self.row(s, s.target.type)
                continue
            out.append(s)
        return Block(tuple(out), b.yields)

    def row(self, s: Alloc, t: ArrayT) -> list[Stmt]:
        """The row of this turn, cleared if it has to be."""
        self.b.loc = s.loc
        turns = [self.turns(loop, s.loc) for loop in self.loops]
        fortran = t.layout == "F" and t.ndim > 1
        shape = s.shape[::-1] if fortran else s.shape
        kind = ArrayT(t.dtype, len(turns) + t.ndim, "C")
        every = self.b.var(s.target.hint or s.target.name, kind)
        self.before.append(Alloc(every, (*map(const, turns), *shape), False, s.loc))
        with self.b.block() as stmts:
            at = tuple(("at", self.turn(loop)) for loop in self.loops)
            if fortran:
                part = self.b.view(every, "index", at, ArrayT(t.dtype, t.ndim, "C"))
                axes = tuple(range(t.ndim))[::-1]
                self.b.emit(View(s.target, part, "transpose", axes, s.loc))
            elif t.layout == "A":
                part = self.b.view(every, "index", at, ArrayT(t.dtype, t.ndim, "C"))
                self.b.emit(View(s.target, part, "same", (), s.loc))
            else:
                self.b.emit(View(s.target, every, "index", at, s.loc))
            if s.zero:
                cleared(self.b, s.target, s.shape)
        return stmts

    def turns(self, loop: For | While, loc: Loc | None) -> int:
        """How often a loop turns at most.

        Raises:
            UnsupportedSyntax: that is not known.
        """
        known = self.most.turns(loop) if isinstance(loop, For) else None
        if known is None:
            raise refused(
                "an array made in each turn of a loop without a constant number of trips",
                loc,
                "make it before the loop, and write its elements in the loop",
            )
        return known

    def turn(self, loop: For | While) -> Atom:
        """The number of the turn of a loop."""
        assert isinstance(loop, For) and isinstance(loop.step, Const)
        return trip_number(self.b, loop.index, loop.start, loop.step)


def cleared(b: Builder, array: Var, shape: tuple[Atom, ...]) -> None:
    """Emit loops that write zeros."""
    assert isinstance(array.type, ArrayT)

    def axis(index: tuple[Atom, ...]) -> None:
        if len(index) == len(shape):
            b.store(array, index, zero_of(array.type.element))  # type: ignore[union-attr]
            return
        with b.loop(const(0), shape[len(index)], hint="k") as k:
            axis((*index, k))

    axis(())


# results
def outputs(fn: Function, shapes: Sequence[tuple[int, ...]], layouts: Sequence[str]) -> Function:
    """The function with parameters for its results that are arrays.

    A result that the function makes at its own level, and gives back once, is made in its
    parameter; the others are copied there.  ``shapes`` and ``layouts`` have one entry a result.
    """
    b = Builder(Namer(v.name for v in variables(fn)))
    made = {s.target.name: s for s in fn.body.stmts if isinstance(s, Alloc)}
    names = [getattr(y, "name", "") for y in fn.body.yields]
    direct: dict[str, tuple[Var, tuple[int, ...]]] = {}
    late: list[tuple[Var, Var]] = []
    params: list[Var] = []
    for y, shape, layout in zip(fn.body.yields, shapes, layouts, strict=True):
        if not isinstance(y, Var) or not isinstance(y.type, ArrayT):
            continue
        out = b.var("out", replace(y.type, layout=layout, mutable=True))
        params.append(out)
        if y.name in made and names.count(y.name) == 1 and y.type == out.type:
            direct[y.name] = (out, shape)
        else:
            late.append((y, out))
    with b.block() as stmts:
        for s in fn.body.stmts:
            if isinstance(s, Alloc) and s.target.name in direct:
                b.loc = s.loc
                if s.zero:
                    cleared(b, s.target, tuple(map(const, direct[s.target.name][1])))
            else:
                b.emit(s)
        for y, out in late:
            copy(b, y, "out", out)
    use: Any = lambda a: direct[a.name][0] if getattr(a, "name", "") in direct else a  # noqa: E731
    numbers = tuple(y for y in fn.body.yields if not isinstance(y.type, ArrayT))
    body = rewrite_block(Block(tuple(stmts), numbers), use, lambda v: v)
    return replace(fn, params=(*fn.params, *params), body=body)


# what is not possible
def operations(fn: Function) -> None:
    """Refuse operations that device code does not have.

    Raises:
        UnsupportedSyntax: naming the place.
    """
    for s in statements(fn.body):
        match s:
            case ArrayOp():
                what, why = f"{s.op} of whole arrays", "there is no device code for it"
                raise refused(what, s.loc, "write it as loops", why)
            case Draw(given=None):
                why = "NumPy's generator does not exist on the device"
                raise refused(
                    "a random number", s.loc, "draw it outside, and pass it as an argument", why
                )


def possible(fn: Function) -> None:
    """Refuse what device code cannot do.

    Raises:
        UnsupportedSyntax: naming the place.
    """
    operations(fn)
    made = [s for s in statements(fn.body) if isinstance(s, Alloc)]
    for s in made:
        if isinstance(s.target.type, ListT):
            role = s.loc.role if s.loc is not None else ""
            if role == "primal":
                raise refused("a list that grows", s.loc, "use an array of constant size")
            raise refused(UNBOUNDED, s.loc, LISTS)
        if not s.shape:
            raise refused("an array without axes", s.loc, "use a number")
        if not all(isinstance(n, Const) for n in s.shape):
            raise refused("an array whose size is known only at run time", s.loc, SIZES)
    total = sum(map(_bytes, made))
    if total > LIMIT:
        raise refused(
            f"{total:,} bytes of arrays a thread",
            None,
            "take fewer trips, or smaller arrays; forward mode (srcad.jvp) records nothing",
            f"a thread has at most {LIMIT:,}",
        )


def _bytes(s: Alloc) -> int:
    t = s.target.type
    assert isinstance(t, ArrayT)
    sizes = [int(n.value) for n in s.shape if isinstance(n, Const)]
    return prod(sizes) * numpy_dtype(t.dtype).itemsize


def refused(what: str, loc: Loc | None, instead: str, why: str = MEMORY) -> UnsupportedSyntax:
    """The error for what device code cannot do."""
    return UnsupportedSyntax(f"{what} in CUDA device code", loc, why, instead)
