"""Scratch arrays: those that every iteration of a loop fills before it reads them.

In: the body of a loop, an array that is allocated outside and touched nowhere else.  Out: whether
each iteration writes every element that it reads, before it does, so that it could as well have
an array of its own.

Invariant: sound; an element counts as written where a store to it is certain to have been executed
in the same iteration: a store with the same subscripts earlier in the same or an outer block, or
a loop (nest) over the whole array that stores every element.
Limits: parts of an array (``for j in range(i)``) are not followed, except all of a vector but its
ends; views and whole-array
operations count as reads of everything.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> n = b.dim(b.var("x", ArrayT("f8", 1)), 0)
>>> a = b.alloc(ArrayT("f8", 1), (n,), zero=False)
>>> made = b.stack[0][-1]
>>> with b.block() as filled:
...     with b.loop(const(0), n) as i:
...         b.store(a, (i,), const(1.0))
...     t = b.load(a, const(0))
>>> is_private(Block(tuple(filled)), made), is_private(Block(tuple(filled[1:])), made)
(True, False)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Const,
    Dim,
    For,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import I8
from srcad.ir.walk import binders, blocks, operands, statements, targets
from srcad.transforms.program import key

Index = tuple[Hashable, ...]
ALL = "*"  # in a subscript: every position of this axis
FEW = 16  # constant positions of an axis that are looked at one by one


def is_private(body: Block, made: Alloc, sums: Mapping[str, Op] | None = None) -> bool:
    """Whether each execution of ``body`` writes what it reads of the array, before it does.

    ``sums`` are integer sums that are made outside, by name.
    """
    scan = _Scan(made)
    scan.sums.update(sums or {})
    return scan.block(body, set())


class _Scan:
    """One array: ``written`` are the subscripts stored to so far."""

    def __init__(self, made: Alloc) -> None:
        self.array = made.target.name
        self.shape = made.shape
        self.sums: dict[str, Op] = {}  # integers seen so far that are sums
        self.everything: Index = (ALL,) * len(made.shape)

    def block(self, b: Block, written: set[Index]) -> bool:
        """Walk a block; ``written`` grows.  False: something is read that may not be written."""
        return all(self.statement(s, written) for s in b.stmts)

    def touches(self, s: Stmt) -> bool:
        """Whether a statement or one in it uses the array (asking for its size does not count)."""
        inner = (t for b in blocks(s) for t in statements(b))
        return any(
            isinstance(a, Var) and a.name == self.array
            for t in (s, *inner)
            if not isinstance(t, Dim)
            for a in (*operands(t), *(y for b in blocks(t) for y in b.yields))
        )

    def statement(self, s: Stmt, written: set[Index]) -> bool:
        """Walk one statement."""
        if _sum(s):
            self.sums[s.target.name] = s  # type: ignore[union-attr, assignment]
        if not self.touches(s):
            return True
        if isinstance(s, (If, For, While)) and self.handed(s):  # read under another name
            return self.known(self.everything, written)
        match s:
            case Store(array=a, index=index, value=v):
                self.add(tuple(map(self.place, index, self.shape)), written)
                return a.name == self.array and v != a
            case Load(array=a, index=index) | Accumulate(array=a, index=index):
                place = tuple(map(self.place, index, self.shape))
                return a.name == self.array and self.known(place, written)
            case If():
                return self.branches(s, written)
            case For() | While():
                fine = self.block(s.body, set(written))
                if isinstance(s, For):
                    for part in self.covered(s, {}, written):
                        self.add(part, written)
                return fine
        return self.known(self.everything, written)

    def handed(self, s: Stmt) -> bool:
        """Whether a loop carries the array, or a block hands it out."""
        inner = (t for b in blocks(s) for t in statements(b))
        atoms = [a for t in (s, *inner) if blocks(t) for a in operands(t)]
        atoms += [y for t in (s, *inner) for b in blocks(t) for y in b.yields]
        return any(isinstance(a, Var) and a.name == self.array for a in atoms)

    def branches(self, s: If, written: set[Index]) -> bool:
        """Both sides; written afterwards is what both have written."""
        then, orelse = set(written), set(written)
        if not (self.block(s.then, then) and self.block(s.orelse, orelse)):
            return False
        written |= {i for i in then if self.known(i, orelse)}
        written |= {i for i in orelse if self.known(i, then)}
        return True

    def known(self, index: Index, written: set[Index]) -> bool:
        """Whether an element (or a part) has been written."""
        return any(
            len(w) == len(index) and all(x in (ALL, i) for x, i in zip(w, index, strict=True))
            for w in written
        )

    def place(self, a: Atom, n: Atom) -> Hashable:
        """A position; that of ``n - 1`` counts from the end."""
        before = self.before(a, n)
        return ("end", before) if before else key(a)

    def before(self, a: Atom, n: Atom) -> int | None:
        """How far a position is before ``n``, if it is by a constant."""
        far = 0
        while isinstance(a, Var) and isinstance(n, Var) and a != n:
            made = self.sums.get(a.name)
            by = made.args[1] if made is not None else None
            if made is None or not isinstance(by, Const):
                return None
            far += int(by.value) if made.op == "sub" else -int(by.value)
            a = made.args[0]
        return far if a == n and isinstance(n, Var) and far >= 0 else None

    def add(self, index: Index, written: set[Index]) -> None:
        """Note a store; where all positions of an axis are written, the axis is."""
        written.add(index)
        for front, back in [part for i in written if (part := _part(i)) is not None]:
            ends: list[Hashable] = [key(Const(k, I8)) for k in range(front)]
            ends += [("end", k) for k in range(1, back + 1)]
            if all(self.known((k,), written) for k in ends):
                written.add(self.everything)
        for axis, n in enumerate(self.shape):
            if not isinstance(n, Const) or len(index) != len(self.shape) or index[axis] == ALL:
                continue
            every = [key(Const(k, n.type)) for k in range(min(int(n.value), FEW + 1))]
            row = [(*index[:axis], k, *index[axis + 1 :]) for k in every]
            if len(every) <= FEW and all(self.known(i, written) for i in row):
                self.add((*index[:axis], ALL, *index[axis + 1 :]), written)

    def covered(
        self, s: For, outer: dict[str, tuple[int, Hashable]], written: set[Index]
    ) -> set[Index]:
        """What a loop (nest) over whole axes, or the rest of them, certainly stores."""
        rising = isinstance(s.step, Const) and s.step.value == 1 and isinstance(s.start, Const)
        if s.breaks or not rising:
            return set()
        assert isinstance(s.start, Const)
        counters = {**outer, s.index.name: (int(s.start.value), key(s.stop))}
        inside = {v.name for t in statements(s.body) for v in (*targets(t), *binders(t))}
        found: set[Index] = set()
        for t in s.body.stmts:
            if isinstance(t, Store) and t.array.name == self.array:
                found |= self.pattern(t.index, counters, written) or self.part(s, t, outer)
            elif isinstance(t, For):
                found |= self.covered(t, counters, written)
        return {i for i in found if not inside & set(i)}

    def part(self, s: For, t: Store, outer: dict[str, tuple[int, Hashable]]) -> set[Index]:
        """All of a vector but some elements at both ends (a subscript may be shifted down)."""
        (a, *others), (n, *_) = t.index, self.shape
        start, by = s.start, Const(0, I8)
        made = self.sums.get(a.name) if isinstance(a, Var) else None
        if a != s.index:
            if made is None or made.op != "sub" or made.args[0] != s.index:
                return set()
            if not isinstance(made.args[1], Const):
                return set()
            by = made.args[1]
        rest = self.before(s.stop, n) if key(s.stop) != key(n) else 0
        if others or outer or rest is None or not isinstance(start, Const):
            return set()
        shift = int(by.value)
        front, back = int(start.value) - shift, rest + shift
        small = 0 <= front <= FEW and shift >= 0 and back <= FEW
        return {(("part", front, back),)} if small else set()

    def pattern(
        self,
        index: tuple[Atom, ...],
        counters: dict[str, tuple[int, Hashable]],
        written: set[Index],
    ) -> set[Index]:
        """A subscript with ``ALL`` for each counter, if all counters run over whole axes.

        A counter may start later where the positions before are written already.
        """
        found: list[Hashable] = []
        starts: dict[int, int] = {}
        for axis, (a, n) in enumerate(zip(index, self.shape, strict=True)):
            counter = counters.get(a.name) if isinstance(a, Var) else None
            if counter is not None and counter[1] == key(n) and 0 <= counter[0] <= FEW:
                starts[axis] = counter[0]
            elif counter is not None:
                return set()
            found.append(self.place(a, n) if counter is None else ALL)
        names = {a.name for axis, a in enumerate(index) if axis in starts and isinstance(a, Var)}
        before = (
            (*found[:axis], key(Const(k, index[axis].type)), *found[axis + 1 :])
            for axis, start in starts.items()
            for k in range(start)
        )
        fine = len(names) == len(starts) == len(counters)
        return {tuple(found)} if fine and all(self.known(i, written) for i in before) else set()


def _part(index: Index) -> tuple[int, int] | None:
    """How many elements at both ends of a vector a part of it leaves out."""
    match index:
        case (("part", int(front), int(back)),):
            return front, back
    return None


def sums(b: Block) -> dict[str, Op]:
    """The integer sums and differences of a block and those in it, by name."""
    return {s.target.name: s for s in statements(b) if _sum(s)}  # type: ignore[union-attr, misc]


def _sum(s: Stmt) -> bool:
    return isinstance(s, Op) and s.op in ("add", "sub") and s.target.type == I8


def fills(stmts: Iterable[Stmt], made: Alloc, sums: Mapping[str, Op] | None = None) -> bool:
    """Whether statements write all of the array before one of them reads of it.

    ``sums`` as for ``is_private``.
    """
    scan, written = _Scan(made), set[Index]()
    scan.sums.update(sums or {})
    for s in stmts:
        if not scan.statement(s, written):
            return False
        if scan.known(scan.everything, written):
            return True
    return False
