"""Integers of a kernel as polynomials in what is known of the launch.

In: a function, the places that its hidden parameters stand for.  Out: ``Forms.of``: an integer as
a sum of products of atoms with integer coefficients.  Atoms are the positions and sizes of the
launch (``"@tx"`` thread, ``"@bx"`` block, ``"@wx"`` width of a block, ``"@gx"`` blocks of the
grid), the numbers of trips of loops, and variables that are no such formula.

Invariant: exact in integer arithmetic.  ``fixed`` atoms have one value in the whole launch (sizes
of arrays, numbers given to the kernel); ``least`` is a bound from below where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping

from srcad.analyses.tree import Tree
from srcad.ir.nodes import Atom, Const, Dim, For, Function, Op, Var
from srcad.ir.threads import AXES
from srcad.ir.types import I8, ArrayT

Monomial = tuple[str, ...]
Form = dict[Monomial, int]
WIDE = 24  # terms; beyond that a formula says nothing
LETTER = {"thread": "t", "block": "b", "width": "w", "blocks": "g"}


def atom(letter: str, axis: str) -> str:
    """A position or a size of the launch (no variable's name has an ``@``)."""
    return f"@{letter}{axis}"


def add(a: Form, b: Form, factor: int = 1) -> Form:
    """``a + factor * b``."""
    out = dict(a)
    for m, c in b.items():
        out[m] = out.get(m, 0) + factor * c
    return {m: c for m, c in out.items() if c}


def multiply(a: Form, b: Form) -> Form:
    """``a * b``."""
    out: Form = {}
    for m, c in a.items():
        for n, d in b.items():
            key = tuple(sorted((*m, *n)))
            out[key] = out.get(key, 0) + c * d
    return {m: c for m, c in out.items() if c}


def place_form(place: str) -> Form:
    """The formula of a place of the launch, such as ``"grid_x"``."""
    kind, axis = place.rsplit("_", 1)
    if kind == "grid":
        return {(atom("t", axis),): 1, (atom("b", axis), atom("w", axis)): 1}
    if kind == "gridsize":
        return {(atom("g", axis), atom("w", axis)): 1}
    return {(atom(LETTER[kind], axis),): 1}


class Forms:
    """Formulas of the integers of one function, made once each."""

    def __init__(self, fn: Function, places: Mapping[str, str], axes: frozenset[str]) -> None:
        """``axes``: those along which the launch has more than one thread."""
        self.tree, self.places, self.axes = Tree(fn), places, axes
        self.known: dict[str, Form] = {}
        self.fixed: set[str] = {atom(c, a) for a in AXES for c in "wg"}
        self.least: dict[str, int] = {atom(c, a): 0 for a in AXES for c in "tbwg"}
        self.most: dict[str, int] = {}

    def of(self, a: Atom) -> Form:
        """The formula of an integer."""
        if isinstance(a, Const):
            return {(): int(a.value)} if a.value else {}
        if a.name not in self.known:
            self.known[a.name] = {(a.name,): 1}  # while it is being made
            made = self._make(a)
            self.known[a.name] = made if len(made) <= WIDE else {(a.name,): 1}
        return self.known[a.name]

    def _make(self, v: Var) -> Form:
        if v.name in self.places:
            return self._single(place_form(self.places[v.name]))
        home = self.tree.home[v.name]
        match home.stmt:
            case None:
                self.fixed.add(v.name)
            case Dim(array=array) if isinstance(array.type, ArrayT):
                self.fixed.add(v.name)
                self.least[v.name] = 0
            case Op(op="add" | "sub" | "mul" | "neg" as op, target=t, args=args) if t.type == I8:
                if all(x.type == I8 for x in args):
                    return self._arithmetic(op, [self.of(x) for x in args])
            case Op(args=args, target=t):
                if t.type == I8 and all(self.is_fixed(x) for x in args):
                    self.fixed.add(v.name)
            case For(index=index) if index.name == v.name:
                return self._index(home.stmt)
        return {(v.name,): 1}

    def _single(self, f: Form) -> Form:
        """Along axes with one thread, positions are zero and sizes one."""
        out: Form = {}
        for m, c in f.items():
            if any(x[1] in "tb" and x[2] not in self.axes for x in m):
                continue
            key = tuple(x for x in m if x[2] in self.axes)
            out[key] = out.get(key, 0) + c
        return out

    def _arithmetic(self, op: str, args: list[Form]) -> Form:
        if op == "neg":
            return add({}, args[0], -1)
        if op == "mul":
            return multiply(*args)
        return add(args[0], args[1], -1 if op == "sub" else 1)

    def _index(self, s: For) -> Form:
        """The counter of a loop: its start plus trips times its step."""
        start, step, stop = self.of(s.start), self.of(s.step), self.of(s.stop)
        trip = f"{s.index.name}#"
        self.least[trip] = 0
        ends = [set(x) <= {()} for x in (start, step, stop)]
        if all(ends) and step:
            first, by, end = (x.get((), 0) for x in (start, step, stop))
            self.most[trip] = max(len(range(first, end, by)) - 1, 0)
        if step == {(): -1} and set(stop) <= {()}:  # backwards to a constant: count from there
            low = stop.get((), 0) + 1
            self.most.pop(trip, None)
            if all(ends):
                self.most[trip] = max(start.get((), 0) - low, 0)
            return add({(trip,): 1}, {(): low} if low else {})
        return add(start, multiply(step, {(trip,): 1}))

    def is_fixed(self, a: Atom) -> bool:
        """Whether a value is one and the same in the whole launch."""
        if isinstance(a, Const):
            return True
        return all(x in self.fixed for m in self.of(a) for x in m)

    def nonnegative(self, m: Monomial, c: int) -> bool:
        """Whether a term is known not to be negative."""
        return c >= 0 and all(self.least.get(x, -1) >= 0 for x in m)
