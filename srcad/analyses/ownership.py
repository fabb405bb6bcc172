"""Which elements of an array one iteration of a loop touches, and whether others touch them too.

In: a function, a loop in it.  Out: ``Touches``: the accesses of its body by the array from outside
the loop that they go to, and for each of these arrays whether every element belongs to one
iteration (``owned``), or how far apart iterations have to be to meet nowhere (``window``).

Invariant: sound.  On one axis of the array every subscript is ``c * i + r`` with one and the same
``c``; ``r`` ranges over less than ``c`` (``owned``) or over a known number of positions
(``window``); and no subscript counts from the end.  Limits: linear subscripts (a flattened
``i * m + j`` is one); views are followed where they fix positions, slice or turn axes.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a, m = b.var("a", ArrayT("f8", 1)), b.dim(b.var("w", ArrayT("f8", 1)), 0)
>>> with b.loop(const(0), const(9)) as i:
...     with b.loop(const(0), m) as j:
...         b.store(a, (b.op("add", b.op("mul", i, m), j),), const(0.0))
>>> with b.loop(const(1), const(9)) as k:
...     b.accumulate(a, (b.op("sub", k, const(1)),), const(1.0))
...     b.accumulate(a, (b.op("add", k, const(1)),), const(1.0))
>>> first, second = b.stack[0][1:]
>>> fn = Function("f", (a,), Block(tuple(b.stack[0])))
>>> [(t.owned(a), t.window(a)) for t in (Touches(fn, first), Touches(fn, second))]
[(True, None), (False, 2)]
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from srcad.analyses.aliases import is_reference
from srcad.analyses.polynomials import Forms, Poly, collected, names, plus
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Const,
    For,
    Function,
    Load,
    Stmt,
    Store,
    Var,
    View,
)
from srcad.ir.walk import binders, blocks, statements, targets

Access = Load | Store | Accumulate


@dataclass(frozen=True)
class Subscript:
    """A position on one axis; ``safe``: it does not count from the end."""

    form: Poly
    safe: bool


@dataclass(frozen=True)
class Touch:
    """An access to an array from outside the loop: positions by axis (``None``: not known)."""

    stmt: Access
    array: Var
    index: tuple[Subscript | None, ...]
    loops: tuple[For, ...]  # around it in the body, inner ones first


@dataclass(frozen=True)
class Span:
    """``factor * i + r`` with ``r`` between ``low`` and ``high``."""

    factor: Poly
    low: Poly
    high: Poly
    facts: dict[str, int]


class Touches:
    """The accesses of one loop."""

    def __init__(self, fn: Function, s: For, forms: Forms | None = None) -> None:
        self.loop, self.forms = s, forms or Forms(fn)
        inside = list(statements(s.body))
        self.views = {t.target.name: t for t in inside if isinstance(t, View)}
        self.made = {v.name for t in inside for v in (*targets(t), *binders(t))} | {s.index.name}
        self.made |= {c.arg.name for c in s.carried}
        self.found: dict[str, list[Touch]] = defaultdict(list)
        self._walk(s.body, ())

    def base(self, v: Var) -> Var:
        """The array that a reference is a view of, as far as views of the body go."""
        while v.name in self.views:
            v = self.views[v.name].base
        return v

    def _walk(self, b: Block, loops: tuple[For, ...]) -> None:
        for s in b.stmts:
            if isinstance(s, (Load, Store, Accumulate)) and is_reference(s.array):
                self._access(s, loops)
            inner: Stmt = s
            around = (inner, *loops) if isinstance(inner, For) else loops
            for block in blocks(s):
                self._walk(block, around)

    def _access(self, s: Access, loops: tuple[For, ...]) -> None:
        index: tuple[Subscript | None, ...] = tuple(self._subscript(a, loops) for a in s.index)
        array = s.array
        while array.name in self.views:
            view = self.views[array.name]
            array, index = view.base, self._through(view, index, loops)
        if array.name not in self.made:
            self.found[array.name].append(Touch(s, array, index, loops))

    def _subscript(self, a: Atom, loops: tuple[For, ...]) -> Subscript:
        form = self.forms.of(a)
        low = self.forms.bounds.lower(a)
        return Subscript(form, low is not None and low >= 0 or self._safe(form, loops))

    def _safe(self, form: Poly, loops: tuple[For, ...]) -> bool:
        facts = self.forms.facts((*loops, self.loop))
        found = self.forms.extent(form, (*loops, self.loop), facts)
        return found is not None and self.forms.nonnegative(found[0], facts)

    def _through(
        self, view: View, index: tuple[Subscript | None, ...], loops: tuple[For, ...]
    ) -> tuple[Subscript | None, ...]:
        """Positions in a view's base from those in the view."""
        if view.kind == "same":
            return index
        ndim = getattr(view.base.type, "ndim", 1)
        if view.kind == "transpose":
            turned: list[Subscript | None] = [None] * ndim
            for axis, x in zip(view.spec, index, strict=True):
                turned[axis] = x
            return tuple(turned)
        if view.kind != "index":
            return (None,) * ndim
        rest = list(index)
        out: list[Subscript | None] = []
        for item in view.spec:
            if item[0] == "new":
                rest.pop(0)
            elif item[0] == "at":
                out.append(self._subscript(item[1], loops))
            else:
                out.append(self._sliced(item, rest.pop(0), loops))
        return (*out, *rest)

    def _sliced(
        self, item: tuple[Any, ...], x: Subscript | None, loops: tuple[For, ...]
    ) -> Subscript | None:
        """A position from one in a slice (which starts where it says, or is empty)."""
        one = item[3] is None or isinstance(item[3], Const) and item[3].value == 1
        if x is None or not one:
            return None
        if item[1] is None:
            return x
        start = self._subscript(item[1], loops)
        return Subscript(plus(start.form, x.form), start.safe and x.safe) if start.safe else None

    # questions
    def owned(self, array: Var) -> bool:
        """Whether every element that is touched is touched by one iteration only."""
        return any(self._apart(spans) for spans in self._axes(array))

    def window(self, array: Var) -> int | None:
        """Iterations that are further apart than this touch different elements."""
        reach = [w for spans in self._axes(array) if (w := self._reach(spans)) is not None]
        return min(reach, default=None)

    def _axes(self, array: Var) -> list[list[Span]]:
        """The spans of all accesses, for each axis on which they are known."""
        touches = self.found[array.name]
        if not touches:
            return []
        axes = []
        for column in zip(*(t.index for t in touches), strict=True):
            spans = [self._span(x, t.loops) for x, t in zip(column, touches, strict=True)]
            known = [s for s in spans if s is not None]
            if len(known) == len(spans) and all(s.factor == known[0].factor for s in known):
                axes.append(known)
        return axes

    def _span(self, x: Subscript | None, loops: tuple[For, ...]) -> Span | None:
        parts = None if x is None or not x.safe else collected(x.form, self.loop.index.name)
        if parts is None or not parts[0]:
            return None
        facts = self.forms.facts((*loops, self.loop))
        found = self.forms.extent(parts[1], loops, facts)
        if found is None or any(names(p) & self.made for p in (parts[0], *found)):
            return None
        return Span(parts[0], *found, facts)

    def _apart(self, spans: list[Span]) -> bool:
        """Whether the ranges of all pairs together are shorter than the factor."""
        factor = spans[0].factor
        for sign in (1, -1):
            step = plus({(): -1}, factor, sign)  # |c| - 1
            if all(
                self.forms.nonnegative(
                    plus(step, plus(a.high, b.low, -1), -1), {**a.facts, **b.facts}
                )
                for a in spans
                for b in spans
            ):
                return True
        return False

    def _reach(self, spans: list[Span]) -> int | None:
        """How many iterations the ranges cover, where factor and ranges are numbers."""
        if list(spans[0].factor) != [()]:
            return None
        factor = abs(spans[0].factor[()])
        widths = [plus(a.high, b.low, -1) for a in spans for b in spans]
        if any(p.keys() - {()} for p in widths):
            return None
        assert isinstance(self.loop.step, Const)
        return max(p.get((), 0) for p in widths) // (factor * abs(int(self.loop.step.value)))
