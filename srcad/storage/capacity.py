"""Storage whose size is known only at run time, but has a known upper bound.

In: one function (calls expanded), after the last transform.  Out: the same function where

* a list of numbers is an array, if an upper bound of what is reserved in it is known: the record of
  a loop of at most 100 turns that is left early has at most 100 cells (``bounded``);
* an array of another size is the beginning of one of constant size (``capped``): what a loop of
  ``i`` turns records, in a loop where ``i`` is less than 10.

``Most`` knows upper bounds of integers: constants, sums, choices, counters of loops, and what
starts at a bounded value and grows by a bounded amount in each of a bounded number of turns.
Nothing is known of what ``while`` loops count.

Limits: lists that are only read, written and reserved by position (all records are).
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from srcad.ir.bounds import Bounds
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
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
    View,
    While,
)
from srcad.ir.types import I8, ArrayT, ListT, Scalar
from srcad.ir.walk import blocks, operands, rewrite, statements, variables


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
    most = Most(fn)
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
            size = most.of(s.size)
            if size is None:
                other.add(s.array.name)
            else:
                kind, before = found[s.array.name]
                found[s.array.name] = (kind, max(before, size))
    return {n: c for n, c in found.items() if n not in other}


def capped(fn: Function) -> Function:
    """The function with arrays of constant size where a bound of theirs is known."""
    most, b = Most(fn), Builder(Namer(v.name for v in variables(fn)))

    def one(s: Stmt) -> list[Stmt]:
        if isinstance(s, If):
            return [replace(s, then=block(s.then), orelse=block(s.orelse))]
        if isinstance(s, (For, While)):
            return [replace(s, body=block(s.body))]
        if not isinstance(s, Alloc) or all(isinstance(n, Const) for n in s.shape):
            return [s]
        known = [most.of(n) for n in s.shape]
        t = s.target.type
        if not isinstance(t, ArrayT) or t.layout != "C" or None in known:
            return [s]
        with b.block() as stmts:
            b.loc = s.loc
            space = b.alloc(ArrayT(t.dtype, 1, "C"), (const(_product(known)),), s.zero, "space")
            total: Atom = const(1)
            for n in s.shape:
                total = b.op("mul", total, b.op("max", n, const(0)))
            used = (("slice", None, total, None),)
            if t.ndim == 1:
                b.emit(View(s.target, space, "index", used, s.loc))
            else:
                part = b.view(space, "index", used, ArrayT(t.dtype, 1, "C"))
                b.emit(View(s.target, part, "reshape", s.shape, s.loc))
        return stmts

    def block(b_: Block) -> Block:
        return replace(b_, stmts=tuple(x for s in b_.stmts for x in one(s)))

    return replace(fn, body=block(fn.body))


def _product(known: list[int | None]) -> int:
    """The size of an array; negative sizes are none."""
    return prod(max(n or 0, 0) for n in known)


class Most:
    """Upper bounds of the integers of a function, as far as they are known."""

    def __init__(self, fn: Function) -> None:
        self.least = Bounds(fn).lower
        self.made: dict[str, Op] = {}
        self.chosen: dict[str, tuple[Atom, Atom]] = {}
        self.index: dict[str, For] = {}
        self.counted: dict[str, tuple[For, int]] = {}  # carried values, before and after
        self.open: set[str] = set()
        for s in statements(fn.body):
            if isinstance(s, Op):
                self.made[s.target.name] = s
            elif isinstance(s, If):
                arms = zip(s.results, s.then.yields, s.orelse.yields, strict=True)
                self.chosen |= {r.name: (a, b) for r, a, b in arms}
            elif isinstance(s, For):
                self.index[s.index.name] = s
                for k, c in enumerate(s.carried):
                    self.counted[c.arg.name] = self.counted[c.result.name] = (s, k)

    def of(self, a: Atom) -> int | None:
        """The most that ``a`` can be."""
        if isinstance(a, Const):
            return int(a.value) if a.type == I8 else None
        if a.name in self.made:
            return self._result(self.made[a.name])
        if a.name in self.chosen:
            return _largest([self.of(x) for x in self.chosen[a.name]])
        if a.name in self.index:
            return self._last(self.index[a.name])
        if a.name in self.counted:
            s, k = self.counted[a.name]
            inside = a.name == s.carried[k].arg.name
            start, grown = self.of(s.carried[k].init), self._growth(s, k, inside)
            return None if start is None or grown is None else start + grown
        return None

    def turns(self, s: For) -> int | None:
        """The most often that a loop turns."""
        bounds = (s.start, s.stop, s.step)
        known = [int(a.value) for a in bounds if isinstance(a, Const)]
        if len(known) == 3 and known[2]:
            return len(range(*known))
        if not isinstance(s.step, Const) or not s.step.value:
            return None
        up = int(s.step.value) > 0
        first, last = (s.start, s.stop) if up else (s.stop, s.start)
        low, high = self.least(first), self.of(last)
        if low is None or high is None:
            return None
        return max(-((low - high) // abs(int(s.step.value))), 0)

    def _result(self, s: Op) -> int | None:
        known = [self.of(x) for x in s.args]
        if s.op == "min":
            found = [k for k in known if k is not None]
            return min(found) if found else None
        if s.op == "sub" and known[0] is not None:
            low = self.least(s.args[1])
            return None if low is None else known[0] - low
        if s.op == "max":
            return _largest(known)
        if len(known) != 2 or known[0] is None or known[1] is None:
            return None
        if s.op == "add":
            return known[0] + known[1]
        least = [self.least(x) for x in s.args]
        if s.op == "mul" and all(k is not None and k >= 0 for k in least):
            return known[0] * known[1]
        if s.op == "floordiv" and isinstance(s.args[1], Const) and known[1] > 0:
            return known[0] // known[1]
        return None

    def _last(self, s: For) -> int | None:
        """The most that the counter of a loop is."""
        if not isinstance(s.step, Const) or not s.step.value:
            return None
        if int(s.step.value) < 0:
            return self.of(s.start)
        stop = self.of(s.stop)
        return None if stop is None else stop - 1

    def _growth(self, s: For, k: int, inside: bool = False) -> int | None:
        """The most by which a carried value grows in all turns of its loop (before the last)."""
        mark = s.carried[k].arg.name
        if mark in self.open:
            return None
        self.open.add(mark)
        each, turns = self._beyond(s.body.yields[k], s.carried[k].arg), self.turns(s)
        self.open.discard(mark)
        if each is None or turns is None:
            return None
        return max(each, 0) * max(turns - inside, 0)

    def _beyond(self, a: Atom, base: Var) -> int | None:
        """The most by which ``a`` is greater than ``base``, which it was made from."""
        if a == base:
            return 0
        if not isinstance(a, Var):
            return None
        if a.name in self.chosen:
            return _largest([self._beyond(x, base) for x in self.chosen[a.name]])
        if a.name in self.made and self.made[a.name].op == "add":
            one, two = self.made[a.name].args
            for x, y in ((one, two), (two, one)):
                if (far := self._beyond(x, base)) is not None:
                    more = self.of(y)
                    return None if more is None else far + more
        if a.name in self.counted:
            s, k = self.counted[a.name]
            if a.name == s.carried[k].result.name:
                far, grown = self._beyond(s.carried[k].init, base), self._growth(s, k)
                return None if far is None or grown is None else far + grown
        return None


def _largest(known: list[int | None]) -> int | None:
    """The largest, if all are known."""
    return None if None in known else max(known)  # type: ignore[type-var]
