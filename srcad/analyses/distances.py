"""How many iterations lie between two accesses to one element: may two loops become one?

In: a function.  Out: ``Distances``, which lists the accesses of statements (views resolved to the
array that they are of) and says of two accesses, each in an iteration of its own loop, whether they
never meet (``NEVER``), meet in iterations a known number apart, or may meet anywhere (``None``).

Invariant: sound.  Subscripts are polynomials (``analyses.polynomials``); they say something only
where they are known not to be negative (``a[-1]`` is the last element) and what the loop's counter
is added to is the same number all along.  Storage of another class (``analyses.aliases``) or of
another element type is never the same.  Limits: bounded slices must start at a known position and
have no step; whole-array operations touch everything.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Function
>>> from srcad.ir.types import I8, ArrayT
>>> b = Builder(Namer())
>>> a = b.var("a", ArrayT("f8", 1))
>>> n = b.dim(a, 0)
>>> with b.loop(const(1), n) as i:
...     b.store(a, (i,), const(0.0))
>>> with b.loop(const(1), n) as j:
...     t = b.load(a, b.op("sub", j, const(1)))
>>> _, first, second = b.stack[0]
>>> found = Distances(Function("f", (a,), Block(tuple(b.stack[0]))))
>>> (write,), (read,) = found.accesses((first,)), found.accesses((second,))
>>> found.trips(write, read, first, second)
1
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.polynomials import Facts, Forms, Poly, collected, names, plus
from srcad.analyses.shapes import DimOf, shapes
from srcad.analyses.views import through
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
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
    View,
)
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import binders, blocks, operands, statements, targets

NEVER: Final = "never"
Trips = int | str | None
Cell = tuple[str, str]  # class of storage, element type


@dataclass(frozen=True, eq=False)
class Access:
    """One access: its statement, what it touches, the loops around it inside what was asked."""

    stmt: Stmt
    cell: Cell
    base: str
    index: tuple[Poly | None, ...] | None  # None: everything
    writes: bool
    reads: bool
    loops: tuple[For, ...] = ()  # inner ones first


class Distances:
    """The questions about one function."""

    def __init__(self, fn: Function) -> None:
        self.aliases, self.forms = Aliases(fn), Forms(fn)
        self.facts: Facts = {}  # what is known of sizes where the questions are asked
        self.views = {s.target.name: s for s in statements(fn.body) if isinstance(s, View)}
        self._sizes(fn)

    def _sizes(self, fn: Function) -> None:
        """Equal sizes get equal polynomials."""
        self.shape = shapes(fn)
        self.first: dict[DimOf, Poly] = {}
        for s in statements(fn.body):
            if not (isinstance(s, Dim) and isinstance(s.array.type, ArrayT)):
                continue
            size = self.shape[s.array.name][s.axis]
            if isinstance(size, DimOf):
                known = self.first.setdefault(size, {(s.target.name,): 1})
            else:
                known = self.forms.of(size)
            self.forms.known[s.target.name] = known

    def size(self, array: Var, axis: int) -> Poly | None:
        """The size of an array, where it has a name."""
        size = self.shape[array.name][axis]
        return self.first.get(size) if isinstance(size, DimOf) else self.forms.of(size)

    # accesses
    def accesses(self, stmts: Iterable[Stmt], loops: tuple[For, ...] = ()) -> list[Access] | None:
        """The accesses of statements and those in them; ``None`` if they do more than access."""
        found: list[Access] = []
        for s in stmts:
            if not isinstance(s, (Op, Load, Store, Accumulate, Dim, View, Alloc, ArrayOp, If, For)):
                return None
            if isinstance(s, For) and not _plain(s):
                return None
            if any(not isinstance(v.type, ArrayT) for v in _references(s)):
                return None
            found += self._own(s, loops)
            inside = (s, *loops) if isinstance(s, For) else loops
            for b in blocks(s):
                more = self.accesses(b.stmts, inside)
                if more is None or any(map(is_reference, b.yields)):
                    return None
                found += more
        return found

    def _own(self, s: Stmt, loops: tuple[For, ...]) -> list[Access]:
        if isinstance(s, (Load, Store, Accumulate)):
            base, index = self.element(s.array, s.index)
            reads, writes = not isinstance(s, Store), not isinstance(s, Load)
            return [Access(s, self.cell(s.array), base, index, writes, reads, loops)]
        if isinstance(s, ArrayOp):
            refs = [a for a in s.args if is_reference(a)]
            return [
                Access(s, self.cell(a), a.name, None, False, True, loops)  # type: ignore[arg-type, union-attr]
                for a in refs
            ]
        return []

    def cell(self, array: Var) -> Cell:
        """What a reference points into."""
        assert isinstance(array.type, ArrayT)
        return self.aliases.root(array), array.type.dtype

    def element(
        self, array: Var, index: tuple[Atom, ...]
    ) -> tuple[str, tuple[Poly | None, ...] | None]:
        """The array at the end of a chain of views, and the subscripts there."""
        forms: list[Poly | None] = [self.subscript(a) for a in index]
        while (view := self.views.get(array.name)) is not None:
            found = through(view, forms, self.subscript, _moved)
            if found is None:
                break
            array, forms = view.base, found
        return array.name, tuple(forms)

    def subscript(self, a: Atom) -> Poly | None:
        """The polynomial of a subscript that counts from the front."""
        low = self.forms.bounds.lower(a)
        form = self.forms.of(a)
        known = low is not None and low >= 0 or self.forms.nonnegative(form, self.facts)
        return form if known else None

    # changes
    def rename(self, old: Var, new: Var) -> None:
        """A counter has another name from now on."""
        known = self.forms.known
        known[old.name] = {(new.name,): 1}
        for name, form in known.items():
            if any(old.name in mono for mono in form):
                known[name] = _renamed(form, old.name, new.name)

    def learn(self, stmts: Iterable[Stmt]) -> None:
        """Statements that are new in the function."""
        for s in stmts:
            if isinstance(s, Op) and s.target.type == I8:
                self.forms.made[s.target.name] = s

    # questions
    def trips(self, a: Access, b: Access, first: For, second: For) -> Trips:
        """In how many iterations of ``second`` after that of ``first`` they meet.

        Both loops have the same range and a constant step.  Negative: in an earlier one.
        """
        if a.cell != b.cell:
            return NEVER
        if a.base != b.base or a.index is None or b.index is None:
            return None
        found: Trips = None
        bound = _bound(first) | _bound(second)
        for x, y in zip(a.index, b.index, strict=True):
            one = self._axis(x, y, first, second, bound)
            if one == NEVER or one is not None and found is not None and one != found:
                return NEVER
            found = found if one is None else one
        return found

    def _axis(
        self, x: Poly | None, y: Poly | None, first: For, second: For, bound: set[str]
    ) -> Trips:
        parts = None if x is None else collected(x, first.index.name)
        others = None if y is None else collected(y, second.index.name)
        if parts is None or others is None or parts[0] != others[0]:
            return None
        rest = plus(parts[1], others[1], -1)
        mixed = (names(parts[1]) | names(others[1])) & bound
        if mixed or set(rest) - {()} or set(parts[0]) - {()}:
            return None
        apart, factor = rest.get((), 0), parts[0].get((), 0)
        if not factor:
            return NEVER if apart else None
        assert isinstance(first.step, Const)
        trips, odd = divmod(apart, factor * int(first.step.value))
        return NEVER if odd else trips

    def apart(self, a: Access, b: Access) -> bool:
        """Whether two accesses never meet, in any iterations of the loops around each."""
        if a.cell != b.cell:
            return True
        if a.base != b.base or a.index is None or b.index is None:
            return False
        mine, theirs = a.loops, b.loops
        more = {**self.forms.facts(mine), **self.forms.facts(theirs)}
        more = {n: max(k, self.facts.get(n, k)) for n, k in {**self.facts, **more}.items()}
        if {s.index.name for s in mine} & {s.index.name for s in theirs}:
            return False
        for x, y in zip(a.index, b.index, strict=True):
            if x is None or y is None:
                continue
            p, q = self.forms.extent(x, mine, more), self.forms.extent(y, theirs, more)
            if p is None or q is None:
                continue
            for low, high in ((p[0], q[1]), (q[0], p[1])):
                if self.forms.nonnegative(plus(plus(low, high, -1), {(): -1}), more):
                    return True
        return False


def _moved(start: Poly | None, form: Poly, step: int) -> Poly | None:
    return plus(form, start or {}) if step == 1 else None


def _plain(s: For) -> bool:
    """Whether a loop runs over its whole range, and carries no references."""
    return not (s.breaks or s.parallel or any(is_reference(c.arg) for c in s.carried))


def _references(s: Stmt) -> list[Var]:
    atoms = (*operands(s), *targets(s), *binders(s))
    return [a for a in atoms if is_reference(a)]  # type: ignore[misc]


def _renamed(form: Poly, old: str, new: str) -> Poly:
    found: Poly = {}
    for mono, k in form.items():
        swapped = tuple(sorted(new if x == old else x for x in mono))
        found[swapped] = found.get(swapped, 0) + k
    return found


def _bound(s: For) -> set[str]:
    """What a loop's body binds: another value in each iteration."""
    inside = {v.name for t in statements(s.body) for v in (*targets(t), *binders(t))}
    return inside | {v.name for v in binders(s)} - {s.index.name}
