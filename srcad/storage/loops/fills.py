"""The first write instead of zeros: an array is not cleared where it is written before it is read.

In: IR after the last transform.  Out: the same function where
* zeros (of an allocation, or of a loop that clears an array) that are overwritten before anybody
  reads them are not written;
* where the first use is a loop that adds to every element once, in adjoint code, it stores instead
  (the sign of a zero may differ, as it may between any two orders of an adjoint's sums);
* where a loop overwrites all but the first or the last elements, only those are cleared.

Invariant: no element is read that was not written.  Limits: arrays touched element by element under
one name; loops over whole axes, or that differ from them by ``FEW`` elements of a vector.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import I8
>>> b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
>>> n = b.var("n", I8)
>>> a = b.alloc(ArrayT("f8", 1), (n,))
>>> with b.loop(const(0), n) as i:
...     b.accumulate(a, (i,), b.op("f8", i))
>>> print(text(filled(Function("f", (n,), Block(tuple(b.stack[0]), (a,))))), end="")
def f(n: i8):
    a: f8[:]C = empty(n)
    for i in range(0, n, 1):
        t: f8 = f8(i)
        a[i] = t
    return a
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.distances import Distances
from srcad.analyses.polynomials import Poly, collected, plus
from srcad.analyses.tree import Tree
from srcad.ir.build import ONE, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    For,
    Function,
    If,
    Load,
    Loc,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import ArrayT
from srcad.ir.walk import operands, statements, variables
from srcad.storage.loops.facts import ahead
from srcad.transforms.arrays import zero_of
from srcad.transforms.fusion.private import fills
from srcad.transforms.program import each_function, key
from srcad.transforms.separate import alone

FEW = 2


def filled(fn: Function) -> Function:
    """The program without zeros that are overwritten."""
    return each_function(fn, _filled)


def _filled(fn: Function) -> Function:
    made = alone(Tree(fn), results=True)
    cleared = {s.target.name for s in made.values() if s.zero}
    cleared |= {s.body.stmts[0].array.name for s in statements(fn.body) if _clears(s)}  # type: ignore[union-attr]
    made = {name: s for name, s in made.items() if name in cleared and s.shape}
    return replace(fn, body=_Fills(fn, made).block(fn.body, {})) if made else fn


def _clears(s: Stmt) -> bool:
    """Whether a statement is a loop that stores zeros in a vector, and does nothing else."""
    if not (isinstance(s, For) and len(s.body.stmts) == 1 and not s.carried):
        return False
    t = s.body.stmts[0]
    zero = isinstance(t, Store) and isinstance(t.array.type, ArrayT)
    return zero and t.index == (s.index,) and key(t.value) == key(zero_of(t.array.type.element))  # type: ignore[union-attr]


class _Fills:
    """One function."""

    def __init__(self, fn: Function, made: dict[str, Alloc]) -> None:
        self.made = made
        self.distances = Distances(fn)
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self, b: Block, facts: dict[str, int]) -> Block:
        """A block, its fillings first."""
        stmts, known = list(b.stmts), dict(facts)
        out: list[Stmt] = []
        for k, s in enumerate(stmts):  # which grow behind this one
            ahead(self.distances, stmts, k, known)
            self.distances.facts = known
            made = self.cleared(s)
            out += [s] if made is None else self.instead(s, made, stmts, k)
        return Block(tuple(self.inner(s, known) for s in out), b.yields)

    def inner(self, s: Stmt, facts: dict[str, int]) -> Stmt:
        """A statement whose inner blocks are done."""
        if isinstance(s, If):
            return replace(s, then=self.block(s.then, facts), orelse=self.block(s.orelse, facts))
        return replace(s, body=self.block(s.body, facts)) if isinstance(s, (For, While)) else s

    def cleared(self, s: Stmt) -> Alloc | None:
        """The array that a statement clears."""
        if isinstance(s, Alloc):
            return self.made.get(s.target.name) if s.zero else None
        if not _clears(s):
            return None
        assert isinstance(s, For) and isinstance(s.body.stmts[0], Store)
        made = self.made.get(s.body.stmts[0].array.name)
        return made if made is not None and fills((s,), made) else None

    def instead(self, s: Stmt, made: Alloc, stmts: list[Stmt], k: int) -> list[Stmt]:
        """What a statement that clears an array leaves; a later one may change with it."""
        later = (j for j in range(k + 1, len(stmts)) if _touches(stmts[j], made.target.name))
        j = next(later, None)
        if j is None:
            return [s]
        first = self.storing(stmts[j], made)
        if fills([first, *stmts[j + 1 :]], made):
            stmts[j] = first
        else:
            left = self.rest(stmts[j], made)
            if left is None:
                return [s]
            stmts[j + 1 : j + 1] = left
        return [replace(s, zero=False)] if isinstance(s, Alloc) else []

    def storing(self, s: Stmt, made: Alloc) -> Stmt:
        """A loop (nest) that stores where it is the only one, in adjoint code, to add."""
        touching = [
            t
            for t in statements(Block((s,)))
            if isinstance(t, (Load, Store, Accumulate)) and t.array == made.target
        ]
        first = touching[0]
        same = all(list(map(key, t.index)) == list(map(key, first.index)) for t in touching)
        if not (isinstance(first, Accumulate) and _adjoint(first.loc) and same):
            return s
        if first.atomic or first.value.type != made.target.type.element:  # type: ignore[union-attr]
            return s
        stored = Store(first.array, first.index, first.value, first.loc)
        return _swapped(s, first, stored, [t for t in touching if t is not first])

    def rest(self, s: Stmt, made: Alloc) -> list[Stmt] | None:
        """Stores of zero to the elements that a loop over almost all of a vector leaves out."""
        touching = [t for t in statements(Block((s,))) if _touches(t, made.target.name)]
        if not isinstance(s, For) or len(touching) != 2 or len(made.shape) != 1:
            return None
        store, forms = touching[1], self.distances.forms
        if not isinstance(store, Store) or store not in s.body.stmts or s.breaks or s.step != ONE:
            return None
        parts = collected(forms.of(store.index[0]), s.index.name)
        trips = plus(forms.of(s.stop), forms.of(s.start), -1)
        if parts is None or parts[0] != {(): 1} or set(parts[1]) - {()}:
            return None
        first = plus(forms.of(s.start), parts[1])
        last = plus(forms.of(made.shape[0]), plus(forms.of(s.stop), parts[1]), -1)
        counts = [_number(first), _number(last)]
        if None in counts or not forms.nonnegative(trips, self.distances.facts):
            return None
        return self.zeros(s, made, *counts)  # type: ignore[arg-type]

    def zeros(self, s: For, made: Alloc, front: int, back: int) -> list[Stmt]:
        """Zeros at both ends of a vector."""
        with self.b.block() as stmts:
            self.b.loc = made.loc
            zero = zero_of(made.target.type.element)  # type: ignore[union-attr]
            places: list[Atom] = [const(k) for k in range(front)]
            size = made.shape[0]
            for k in range(back, 0, -1):
                places.append(self.b.op("sub", size, const(k), hint="last"))
            for at in places:
                self.b.store(made.target, (at,), zero)
        return stmts


def _number(p: Poly) -> int | None:
    """A small number that is not negative."""
    n = p.get((), 0)
    return n if not set(p) - {()} and 0 <= n <= FEW else None


def _adjoint(loc: Loc | None) -> bool:
    return loc is not None and loc.role == "adjoint"


def _touches(s: Stmt, name: str) -> bool:
    """Whether a statement, or one in it, reads or writes an array."""
    return any(
        isinstance(a, Var) and a.name == name
        for t in statements(Block((s,)))
        if isinstance(t, (Load, Store, Accumulate))
        for a in operands(t)
    )


def _swapped(s: Stmt, old: Stmt, new: Stmt, others: list[Stmt]) -> Stmt:
    """A statement with an inner one replaced, if the others stand in the same block."""

    def block(b: Block) -> Block:
        if any(t is old for t in b.stmts):
            if all(any(t is o for t in b.stmts) for o in others):
                return replace(b, stmts=tuple(new if t is old else t for t in b.stmts))
            return b
        return replace(b, stmts=tuple(one(t) for t in b.stmts))

    def one(t: Stmt) -> Stmt:
        if isinstance(t, For):
            return replace(t, body=block(t.body))
        return t

    return one(s)


__all__ = ["filled"]
