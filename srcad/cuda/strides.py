"""Loops over elements: each trip forwards and backwards at once.

In: a kernel that is one loop over elements of its own (as a grid-stride loop is), what is active, a
function that reverses.  Out: its adjoint in which every trip runs forwards and then backwards, so
that what is recorded is that of one trip; ``None`` where the kernel is not like that.

Invariant: the adjoint of a trip needs nothing of other trips: no element is written in one and
touched in another, except by additions alone.  That holds where every array of the kernel is only
read, or only added to, or has a subscript that in every access is the same, and another in each
trip.  Limits: the loop is the kernel's last statement, carries nothing, has no barrier and no
``break``, and what stands before it computes no active float.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from srcad.analyses.linear_forms import Form, Forms
from srcad.analyses.regions import is_reference
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Block,
    Call,
    Carried,
    Dim,
    For,
    Function,
    Load,
    Op,
    Store,
    Var,
    View,
)
from srcad.ir.threads import AXES
from srcad.ir.types import Scalar, is_float
from srcad.ir.walk import free_variables, statements, targets, variables
from srcad.transforms.arrays import zero_of

Reverse = Callable[[Function, tuple[bool, ...]], Function]
Vacate = Callable[[Function, set[str]], Function]


def stridewise(
    fn: Function,
    active: tuple[bool, ...],
    places: Mapping[str, str],
    reverse: Reverse,
    vacate: Vacate,
) -> Function | None:
    """The adjoint, trip by trip: parameters and results as those of ``reverse(fn, active)``."""
    loop = fn.body.stmts[-1] if fn.body.stmts else None
    before = fn.body.stmts[:-1]
    if not isinstance(loop, For) or not simple(loop, before) or not Trips(fn, places).apart(loop):
        return None
    names = {p.name for p in fn.params}
    free = free_variables(loop.body, (*fn.params, loop.index))
    if any(is_reference(v) or is_float(v.type) for v in free):
        return None
    extra = (*free, loop.index)
    inner = replace(fn, params=(*fn.params, *extra), body=loop.body)
    made = reverse(inner, (*active, *(False for _ in extra)))
    own = {t.name for s in before for t in targets(s)} - {v.name for v in free} - names
    made = vacate(made, own)
    given = {v.name for v in extra}
    params = tuple(p for p in made.params if p.name not in given)
    return replace(made, params=params, body=around(made, before, loop))


def simple(loop: For, before: tuple) -> bool:
    """Whether a kernel has the shape."""
    plain = not loop.carried and not loop.breaks
    pure = all(isinstance(s, (Op, Dim)) for s in before)
    inside = all(not isinstance(s, Call) for s in statements(loop.body))
    return plain and pure and inside


def around(made: Function, before: tuple, loop: For) -> Block:
    """The loop around the adjoint of a trip; cotangents of numbers are summed over the trips."""
    b = Builder(Namer(v.name for v in (*variables(made), *(t for s in before for t in targets(s)))))
    carried, ends = [], []
    with b.block() as tail:
        for y in made.body.yields:
            assert isinstance(y.type, Scalar)
            hint = (y.hint or y.name) if isinstance(y, Var) else "sum"
            arg, result = b.var(hint, y.type), b.var(hint, y.type)
            carried.append(Carried(result, arg, zero_of(y.type)))
            ends.append(b.op("add", arg, y, hint=hint))
    body = Block((*made.body.stmts, *tail), tuple(ends))
    whole = replace(loop, carried=tuple(carried), body=body)
    return Block((*before, whole), tuple(c.result for c in carried))


class Trips:
    """Which elements the trips of a loop touch."""

    def __init__(self, fn: Function, places: Mapping[str, str]) -> None:
        self.fn = fn
        self.forms = Forms(fn, places, frozenset(AXES))

    def apart(self, loop: For) -> bool:
        """Whether no element is written in one trip and touched in another."""
        accesses: dict[str, list[Load | Store | Accumulate]] = defaultdict(list)
        made = {s.target.name for s in statements(loop.body) if isinstance(s, (Alloc, View))}
        views = {s.base.name for s in statements(loop.body) if isinstance(s, View)}
        for s in statements(loop.body):
            if isinstance(s, (Load, Store, Accumulate)) and s.array.name not in made:
                accesses[s.array.name].append(s)
        for name, group in accesses.items():
            kinds = {type(s) for s in group}
            if kinds == {Load} or kinds == {Accumulate} and name not in views:
                continue
            columns = zip(*(s.index for s in group), strict=True)
            if name in views or not any(self.distinct(column, loop) for column in columns):
                return False
        return not self.written_views(loop, made)

    def written_views(self, loop: For, made: set[str]) -> bool:
        """Whether anything is written through a view."""
        views = {s.target.name for s in statements(loop.body) if isinstance(s, View)}
        return any(
            isinstance(s, (Store, Accumulate)) and s.array.name in views
            for s in statements(loop.body)
        )

    def distinct(self, column: tuple, loop: For) -> bool:
        """Whether a subscript is the same in all accesses, and another in each trip."""
        forms: list[Form] = [self.forms.of(a) for a in column]
        first, trip = forms[0], f"{loop.index.name}#"
        if any(f != first for f in forms) or not first:
            return False
        if not all(self.forms.nonnegative(m, c) for m, c in first.items()):
            return False  # a subscript from the end may be the same element
        with_trip = {m: c for m, c in first.items() if trip in m}
        rest = [x for m in first if trip not in m for x in m]
        steps = [x for m in with_trip for x in m if x != trip]
        fixed = all(x in self.forms.fixed or x.startswith(("@t", "@b")) for x in rest)
        return bool(with_trip) and fixed and all(x.startswith(("@w", "@g")) for x in steps)
