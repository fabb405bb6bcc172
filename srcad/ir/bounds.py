"""Lower bounds of integers: which subscripts are known not to be negative.

In: a function.  Out: ``Bounds``, whose ``lower`` gives the least value an integer can have, or
``None``; ``hidden`` says that a subscript is never negative and that this is not obvious from its
own loop.  Numba turns a negative subscript into one from the end, which keeps loops from being
vectorised unless the compiler can see the sign by itself, as it does in ascending loops from 0
or 1; elsewhere the printer casts the subscript to an unsigned number (worth a factor of
several where a loop then becomes a vector loop).

Invariant: integers are taken not to overflow, as array sizes do not.  Limits: intervals have no
upper end, conditions teach nothing, values that come from arrays or calls are not known.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a = b.var("a", ArrayT("f8", 1))
>>> n = b.dim(a, 0)
>>> with b.loop(b.op("sub", n, const(1)), const(-1), const(-1)) as i:
...     b.store(a, (i,), const(0.0))
>>> bounds = Bounds(Function("f", (a,), Block(tuple(b.stack[0]))))
>>> bounds.lower(i), bounds.hidden(i), bounds.lower(n)
(0, True, 0)
>>> with b.loop(const(0), n) as i:
...     k = b.op("sub", b.op("sub", n, const(1)), i)
>>> Bounds(Function("f", (a,), Block(tuple(b.stack[0])))).lower(k)
0
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.ir.nodes import (
    Alloc,
    Atom,
    Block,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import statements

Bound = int | None


class Bounds:
    """The bounds of one function; built once, then only asked."""

    def __init__(self, fn: Function) -> None:
        self._lower: dict[str, Bound] = dict(fn.least)
        self._plain: set[str] = set()  # signs that are obvious
        self._start: dict[str, Atom] = {}  # of upward loops, by the name of the counter
        self._stop: dict[str, Atom] = {}
        self._down: dict[str, Atom] = {}  # the same of downward loops
        self._made: dict[str, Op] = {}
        self._tapes = _tapes(fn)
        self._block(fn.body)

    def lower(self, a: Atom) -> Bound:
        """The least value of an integer, where one is known."""
        if isinstance(a, Const):
            return int(a.value) if a.type == I8 else None
        return self._lower.get(a.name)

    def hidden(self, a: Atom) -> bool:
        """Whether a subscript is known not to be negative, though not at first sight."""
        low = self.lower(a)
        return isinstance(a, Var) and low is not None and low >= 0 and a.name not in self._plain

    def _block(self, b: Block) -> None:
        for s in b.stmts:
            self._statement(s)

    def _statement(self, s: Stmt) -> None:
        match s:
            case Op(target=t, op=op, args=args) if t.type == I8:
                self._made[t.name] = s
                self._lower[t.name] = self._result(op, args)
                if op in ("add", "sub") and self._plain_sum(args) and not self._negative(t):
                    self._plain.add(t.name)
            case Dim(target=t):
                self._lower[t.name] = 0
            case Store(array=a, value=v) if a.name in self._tapes:
                known = self._tapes[a.name]
                self._tapes[a.name] = [*known, self.lower(v)]
            case Load(target=t, array=a) if a.name in self._tapes:
                known = self._tapes[a.name]
                self._lower[t.name] = min(known) if known and None not in known else None  # type: ignore[type-var]
            case If():
                self._block(s.then)
                self._block(s.orelse)
                for r, x, y in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    self._lower[r.name] = _least(self.lower(x), self.lower(y))
            case For() | While():
                self._loop(s)

    def _result(self, op: str, args: tuple[Atom, ...]) -> Bound:
        """The lower bound of an operation."""
        if op == "sub":
            x, y = self.lower(args[0]), args[1]
            if self._from(args[0], y, self._start) or self._from(y, args[0], self._down):
                return 0
            room = self._room(args[0], y)
            if room is not None and room >= 0:
                return room
            return x - int(y.value) if x is not None and isinstance(y, Const) else None
        rule = _RULES.get(op)
        return rule(*map(self.lower, args)) if rule else None

    def _from(self, index: Atom, start: Atom, starts: dict[str, Atom]) -> bool:
        """Whether a counter started at a number, or at a counter that did."""
        while isinstance(index, Var) and index.name in starts:
            index = starts[index.name]
            if self._same(index, start):
                return True
        return False

    def _room(self, x: Atom, index: Atom) -> Bound:
        """The least of ``x`` minus an upward counter, where ``x`` is near the end of its range."""
        if not isinstance(index, Var) or index.name not in self._stop:
            return None
        (base, more), (end, less) = self._apart(x), self._apart(self._stop[index.name])
        return more - less + 1 if base == end else None

    def _apart(self, a: Atom) -> tuple[Atom | None, int]:
        """An integer as a variable plus a constant."""
        total = 0
        while isinstance(a, Var):
            s = self._made.get(a.name)
            if s is None or s.op not in ("add", "sub") or not isinstance(s.args[1], Const):
                return a, total
            total += int(s.args[1].value) if s.op == "add" else -int(s.args[1].value)
            a = s.args[0]
        return None, total + int(a.value)

    def _seen(self, a: Atom | None) -> Any:
        """What is hidden from LLVM is not from us."""
        made = self._made.get(a.name) if isinstance(a, Var) else None
        return made.args[0] if made is not None and made.op == "opaque" else a

    def _same(self, x: Atom | None, y: Atom) -> bool:
        """Whether two integers are one and the same, or made by the same operation."""
        x, y = self._seen(x), self._seen(y)
        if x is None or x == y or isinstance(x, Const) or isinstance(y, Const):
            return x == y
        a, b = self._made.get(x.name), self._made.get(y.name)
        return a is not None and b is not None and a.op == b.op and a.args == b.args

    def _plain_sum(self, args: tuple[Atom, ...]) -> bool:
        return all(isinstance(a, Const) or a.name in self._plain for a in args)

    def _negative(self, v: Var) -> bool:
        low = self._lower.get(v.name)
        return low is None or low < 0

    def _loop(self, s: For | While) -> None:
        if isinstance(s, For):
            self._index(s)
        pairs = zip(s.carried, s.body.yields, strict=True)
        integers = [(c, y) for c, y in pairs if c.arg.type == I8]
        for c, _ in integers:
            self._lower[c.arg.name] = self.lower(c.init)
        self._block(s.body)
        wrong = [c for c, y in integers if not self._holds(self.lower(c.arg), self.lower(y))]
        if wrong:  # what was assumed of them does not last: again without
            for c, _ in integers:
                self._lower[c.arg.name] = None
            self._block(s.body)
        for c, y in integers:
            self._lower[c.result.name] = _least(self.lower(c.init), self.lower(y))

    @staticmethod
    def _holds(assumed: Bound, found: Bound) -> bool:
        return assumed is None or found is not None and found >= assumed

    def _index(self, s: For) -> None:
        low = None
        if isinstance(s.step, Const) and s.step.value > 0:
            low = self.lower(s.start)
            self._start[s.index.name], self._stop[s.index.name] = s.start, s.stop
            if isinstance(s.start, Const) and low in (0, 1):  # LLVM does not see it from 2 on
                self._plain.add(s.index.name)
        elif isinstance(s.step, Const):
            stop = self.lower(s.stop)
            self._down[s.index.name] = s.start
            low = None if stop is None else stop + 1
        self._lower[s.index.name] = low


def _tapes(fn: Function) -> dict[str, list[Bound]]:
    """The tapes of integers, with the bounds of what is stored so far: they are written first."""
    return {
        s.target.name: []
        for s in statements(fn.body)
        if isinstance(s, Alloc)
        and isinstance(s.target.type, ArrayT)
        and s.target.type.element == I8
        and (s.loc is not None and s.loc.role == "tape")
    }


def _least(x: Bound, y: Bound) -> Bound:
    return None if x is None or y is None else min(x, y)


def _most(x: Bound, y: Bound) -> Bound:
    return max((v for v in (x, y) if v is not None), default=None)


def _sum(x: Bound, y: Bound) -> Bound:
    return None if x is None or y is None else x + y


def _product(x: Bound, y: Bound) -> Bound:
    return x * y if x is not None and y is not None and min(x, y) >= 0 else None


def _quotient(x: Bound, y: Bound) -> Bound:
    return 0 if x is not None and y is not None and x >= 0 and y > 0 else None


_RULES: dict[str, Callable[..., Bound]] = {
    "add": _sum,
    "mul": _product,
    "max": _most,
    "min": _least,
    "select": lambda c, x, y: _least(x, y),
    "floordiv": _quotient,
    "mod": lambda x, y: 0 if y is not None and y > 0 else None,
    "abs": lambda x: 0,
    "i8": lambda x: x,
    "opaque": lambda x: x,
}
