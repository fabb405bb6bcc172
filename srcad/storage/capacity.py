"""Lists of numbers that cannot grow beyond a constant become arrays of that size.

In: one function (calls expanded), after the last transform.  Out: the same function where a list
is an array if an upper bound of what is reserved in it is known: the record of a loop of at most
100 turns that is left early has at most 100 cells.

The bound is that of the integers that ``Reserve`` statements ask for: constants, sums, choices, and
counters, which start at a bounded value and grow by a bounded amount in each of a constant number
of turns.  Nothing is known of what ``while`` loops count.

Limits: lists that are only read, written and reserved by position (all records are).
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.build import const
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Const,
    For,
    Function,
    If,
    Load,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import I8, ArrayT, ListT, Scalar
from srcad.ir.walk import blocks, operands, rewrite, statements


def bounded(fn: Function) -> Function:
    """The function with such lists as arrays."""
    sizes = capacities(fn)
    if not sizes:
        return fn
    kinds = {n: ArrayT(element, 1, "C") for n, (element, _) in sizes.items()}

    def var(a: Atom) -> Atom:
        known = isinstance(a, Var) and a.name in kinds
        return replace(a, type=kinds[a.name]) if known else a  # type: ignore[union-attr,type-var]

    def one(s: Stmt) -> list[Stmt]:
        if isinstance(s, Alloc) and s.target.name in sizes:
            return [Alloc(var(s.target), (const(sizes[s.target.name][1]),), True, s.loc)]  # type: ignore[arg-type]
        if isinstance(s, Reserve) and s.array.name in sizes:
            return []
        if isinstance(s, If):
            return [replace(s, then=block(s.then), orelse=block(s.orelse))]
        if isinstance(s, (For, While)):
            return [replace(s, body=block(s.body))]
        return [rewrite(s, var, lambda v: v)]

    def block(b: Block) -> Block:
        return replace(b, stmts=tuple(x for s in b.stmts for x in one(s)))

    return replace(fn, body=block(fn.body))


def capacities(fn: Function) -> dict[str, tuple[str, int]]:
    """Element and size of each list that can be an array."""
    bounds = _Bounds(fn)
    found: dict[str, tuple[str, int]] = {}
    other: set[str] = {y.name for y in fn.body.yields if isinstance(y, Var)}
    for s in statements(fn.body):
        if isinstance(s, Alloc) and isinstance(s.target.type, ListT):
            if isinstance(s.target.type.element, Scalar):
                found[s.target.name] = (s.target.type.element.kind, 1)
        used = operands(s)
        if isinstance(s, (Load, Store, Accumulate, Reserve)):
            used = tuple(a for a in used if a is not s.array)
        other |= {a.name for a in used if isinstance(a, Var)}
        other |= {y.name for b in blocks(s) for y in b.yields if isinstance(y, Var)}
        if isinstance(s, Reserve) and s.array.name in found:
            size = bounds.upper(s.size)
            if size is None:
                other.add(s.array.name)
            else:
                kind, before = found[s.array.name]
                found[s.array.name] = (kind, max(before, size))
    return {n: c for n, c in found.items() if n not in other}


class _Bounds:
    """Upper bounds of the integers of a function, as far as they are known."""

    def __init__(self, fn: Function) -> None:
        self.made: dict[str, Op] = {}
        self.chosen: dict[str, tuple[Atom, Atom]] = {}
        self.counted: dict[str, tuple[For, int]] = {}  # carried values, before and after
        for s in statements(fn.body):
            if isinstance(s, Op):
                self.made[s.target.name] = s
            elif isinstance(s, If):
                arms = zip(s.results, s.then.yields, s.orelse.yields, strict=True)
                self.chosen |= {r.name: (a, b) for r, a, b in arms}
            elif isinstance(s, For):
                for k, c in enumerate(s.carried):
                    self.counted[c.arg.name] = self.counted[c.result.name] = (s, k)
        self.open: set[tuple[str, str]] = set()

    def upper(self, a: Atom) -> int | None:
        """The most that ``a`` can be."""
        if isinstance(a, Const):
            return int(a.value) if a.type == I8 else None
        if a.name in self.made:
            return self._of(self.made[a.name])
        if a.name in self.chosen:
            return _most([self.upper(x) for x in self.chosen[a.name]])
        if a.name in self.counted:
            s, k = self.counted[a.name]
            inside = a.name == s.carried[k].arg.name
            start, grown = self.upper(s.carried[k].init), self._growth(s, k, inside)
            return None if start is None or grown is None else start + grown
        return None

    def _of(self, s: Op) -> int | None:
        known = [self.upper(x) for x in s.args]
        if s.op == "add" and None not in known:
            return sum(known)  # type: ignore[arg-type]
        if s.op == "max":
            return _most(known)
        if s.op == "sub" and known[0] is not None and isinstance(s.args[1], Const):
            return known[0] - int(s.args[1].value)
        return None

    def _growth(self, s: For, k: int, inside: bool = False) -> int | None:
        """The most by which a carried value grows in all turns of its loop (before the last)."""
        bounds = [int(a.value) for a in (s.start, s.stop, s.step) if isinstance(a, Const)]
        mark = (s.carried[k].arg.name, s.carried[k].arg.name)
        if len(bounds) != 3 or not bounds[2] or mark in self.open:
            return None
        self.open.add(mark)
        each = self._beyond(s.body.yields[k], s.carried[k].arg)
        self.open.discard(mark)
        return None if each is None else max(each, 0) * max(len(range(*bounds)) - inside, 0)

    def _beyond(self, a: Atom, base: Var) -> int | None:
        """The most by which ``a`` is greater than ``base``, which it was made from."""
        if a == base:
            return 0
        if not isinstance(a, Var):
            return None
        if a.name in self.chosen:
            return _most([self._beyond(x, base) for x in self.chosen[a.name]])
        if a.name in self.made and self.made[a.name].op == "add":
            one, two = self.made[a.name].args
            for x, y in ((one, two), (two, one)):
                if (far := self._beyond(x, base)) is not None:
                    more = self.upper(y)
                    return None if more is None else far + more
        if a.name in self.counted:
            s, k = self.counted[a.name]
            if a.name == s.carried[k].result.name:
                far, grown = self._beyond(s.carried[k].init, base), self._growth(s, k)
                return None if far is None or grown is None else far + grown
        return None


def _most(known: list[int | None]) -> int | None:
    """The largest, if all are known."""
    return None if None in known else max(known)  # type: ignore[type-var]
