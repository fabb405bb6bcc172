"""Integers as polynomials of loop counters and sizes, and which of these are never negative.

In: a function.  Out: ``Forms``: the polynomial of an integer (sums, differences and products are
expanded, everything else is an unknown of its own), the range it has over given loops, and whether
a polynomial is known not to be negative.

Invariant: sound; integers are taken not to overflow, as array sizes do not.  Limits: signs follow
from lower bounds (``ir.bounds``) and from ``max(x, y) >= x``, a few replacements deep.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Function
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a = b.var("a", ArrayT("f8", 2))
>>> n, m = b.dim(a, 0), b.dim(a, 1)
>>> at = b.op("add", b.op("mul", n, m), b.op("sub", n, const(2)))
>>> forms = Forms(Function("f", (a,), Block(tuple(b.stack[0]))))
>>> print(forms.of(at))
{('n', 'n_1'): 1, ('n',): 1, (): -2}
>>> forms.nonnegative(forms.of(at)), forms.nonnegative(plus(forms.of(at), {(): 2}))
(False, True)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from srcad.ir.bounds import Bounds
from srcad.ir.nodes import Atom, Const, For, Function, Op, Var
from srcad.ir.types import I8
from srcad.ir.walk import statements

Monomial = tuple[str, ...]
Poly = dict[Monomial, int]
Facts = Mapping[str, int]  # lower bounds that hold where the question is asked

TERMS = 24  # of a polynomial; longer ones are unknowns
DEPTH = 4  # replacements in a proof


def plus(p: Poly, q: Poly, factor: int = 1) -> Poly:
    """``p + factor * q``."""
    out = dict(p)
    for mono, k in q.items():
        out[mono] = out.get(mono, 0) + factor * k
    return {mono: k for mono, k in out.items() if k}


def times(p: Poly, q: Poly) -> Poly:
    """``p * q``."""
    out: Poly = {}
    for a, x in p.items():
        for b, y in q.items():
            mono = tuple(sorted(a + b))
            out[mono] = out.get(mono, 0) + x * y
    return {mono: k for mono, k in out.items() if k}


def collected(p: Poly, name: str) -> tuple[Poly, Poly] | None:
    """``c`` and ``r`` with ``p = c * name + r``, ``None`` where it is not linear in it."""
    factor: Poly = {}
    rest: Poly = {}
    for mono, k in p.items():
        if mono.count(name) > 1:
            return None
        if name in mono:
            others = list(mono)
            others.remove(name)
            factor[tuple(others)] = k
        else:
            rest[mono] = k
    return factor, rest


def names(p: Poly) -> set[str]:
    """The unknowns of a polynomial."""
    return {name for mono in p for name in mono}


class Forms:
    """The polynomials of one function."""

    def __init__(self, fn: Function, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds(fn)
        self.made = {
            s.target.name: s
            for s in statements(fn.body)
            if isinstance(s, Op) and s.target.type == I8
        }
        self.known: dict[str, Poly] = {}

    def of(self, a: Atom) -> Poly:
        """An integer as a polynomial."""
        if isinstance(a, Const):
            return {(): int(a.value)} if a.value else {}
        if a.name not in self.known:
            self.known[a.name] = {(a.name,): 1}  # also where it is too long
            s = self.made.get(a.name)
            found = self._operation(s) if s is not None else None
            if found is not None and len(found) <= TERMS:
                self.known[a.name] = found
        return self.known[a.name]

    def _operation(self, s: Op) -> Poly | None:
        if any(a.type != I8 for a in s.args):
            return None
        parts = [self.of(a) for a in s.args]
        match s.op:
            case "add" | "sub":
                return plus(parts[0], parts[1], 1 if s.op == "add" else -1)
            case "mul":
                return times(parts[0], parts[1])
            case "neg":
                return plus({}, parts[0], -1)
            case "i8" | "positive":
                return parts[0]
            case "max":
                for k in (0, 1):  # of a number and what is known to be no smaller
                    low, other = self.bounds.lower(s.args[k]), parts[1 - k]
                    if low is not None and not set(other) - {()} and other.get((), 0) <= low:
                        return parts[k]
        return None

    # signs
    def nonnegative(self, p: Poly, facts: Facts | None = None, depth: int = DEPTH) -> bool:
        """Whether a polynomial is known not to be negative."""
        facts = facts or {}
        if self._plainly(p, facts):
            return True
        return depth > 0 and any(
            self.nonnegative(q, facts, depth - 1) for q in self._smaller(p, facts)
        )

    def _lower(self, name: str, facts: Facts) -> int | None:
        low = self.bounds.lower(Var(name, I8))
        fact = facts.get(name)
        return low if fact is None else fact if low is None else max(low, fact)

    def _plainly(self, p: Poly, facts: Facts) -> bool:
        """Whether all coefficients are, with the unknowns counted from their lower bounds."""
        shifted: Poly = {}
        for mono, k in p.items():
            term: Poly = {(): k}
            for name in mono:
                low = self._lower(name, facts)
                if low is None:
                    return False
                term = times(term, plus({(name,): 1}, {(): low}))
            shifted = plus(shifted, term)
        return all(k >= 0 for k in shifted.values())

    def _smaller(self, p: Poly, facts: Facts) -> Iterable[Poly]:
        """Polynomials that are never greater: ``max(x, y)`` replaced by ``x`` or ``y``."""
        for mono, k in p.items():
            for at, name in enumerate(mono):
                s = self.made.get(name)
                others = (*mono[:at], *mono[at + 1 :])
                if k <= 0 or s is None or s.op != "max":
                    continue
                if all((low := self._lower(n, facts)) is not None and low >= 0 for n in others):
                    for x in s.args:
                        less = times({others: k}, self.of(x))
                        yield plus(plus(p, {mono: k}, -1), less)

    # ranges
    def extent(self, p: Poly, loops: Iterable[For], facts: Facts) -> tuple[Poly, Poly] | None:
        """Least and greatest value over loops (inner ones first), as polynomials."""
        low: Poly | None = p
        high: Poly | None = p
        for s in loops:
            low = None if low is None else self._end(low, s, facts, True)
            high = None if high is None else self._end(high, s, facts, False)
        return None if low is None or high is None else (low, high)

    def _end(self, p: Poly, s: For, facts: Facts, least: bool) -> Poly | None:
        if s.index.name not in names(p):
            return p
        parts = collected(p, s.index.name)
        if parts is None or not isinstance(s.step, Const) or not s.step.value:
            return None
        factor, rest = parts
        rising = self.nonnegative(factor, facts)
        if not rising and not self.nonnegative(plus({}, factor, -1), facts):
            return None
        up = s.step.value > 0
        first, last = self.of(s.start), plus(self.of(s.stop), {(): -1 if up else 1})
        bottom, top = (first, last) if up else (last, first)
        return plus(rest, times(factor, bottom if rising == least else top))

    def facts(self, loops: Iterable[For]) -> dict[str, int]:
        """What is known of sizes because loops over them have at least one trip."""
        found: dict[str, int] = {}
        for s in loops:
            if not isinstance(s.step, Const) or not s.step.value:
                continue
            sign = 1 if s.step.value > 0 else -1
            trips = plus({}, plus(self.of(s.stop), self.of(s.start), -1), sign)
            unknowns = [mono for mono in trips if mono]
            if len(unknowns) == 1 and len(unknowns[0]) == 1 and trips[unknowns[0]] == 1:
                (name,) = unknowns[0]
                found[name] = max(1 - trips.get((), 0), found.get(name, 1 - trips.get((), 0)))
        return found
