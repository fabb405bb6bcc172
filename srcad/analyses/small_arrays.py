"""Small arrays of fixed size that need not be arrays: every access names an element.

In: a function.  Out: ``Plan``: the classes of references (``analyses.aliases``) whose arrays can
become scalars, and the loops that have to be unrolled for that, by the name of their index.

An array qualifies if its size is known and at most ``ELEMENTS``, it is only read and written
element by element (also through views), and every position is a constant or follows from the
indices of short loops of fixed length.  It must not leave the function, nor go to a call, a list
or an array operation.  References that go round a loop or come out of a branch are followed where
each array is complete before it is handed on (``x = x - rate * slope``): its value is then as
good as the reference.

Limits: elements are ``f8 f4 i8 b1``; a loop that is unrolled has at most ``TRIPS`` trips, all of
them together at most ``BUDGET`` statements; tapes stay arrays.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from srcad.analyses.aliases import OUTSIDE, Aliases, is_reference
from srcad.ir.nodes import (
    Accumulate,
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
    View,
    While,
)
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import blocks, operands, statements, targets, view_atoms

ELEMENTS = 16
TRIPS = 8
BUDGET = 300
KINDS = ("f8", "f4", "i8", "b1")
_FOLLOWED = ("add", "sub", "mul", "neg")


@dataclass(frozen=True)
class Plan:
    """What becomes scalars: classes of references; and what must be unrolled: loop indices."""

    classes: frozenset[str]
    unroll: frozenset[str]
    aliases: Aliases


def plan(fn: Function, refused: Iterable[str] = ()) -> Plan | None:
    """The plan for a function, or ``None`` where nothing qualifies."""
    small = [s for s in statements(fn.body) if isinstance(s, Alloc) and is_small(s)]
    if not small:
        return None
    found = _Uses(fn, {s.target.name for s in small})
    found.out |= {OUTSIDE, *refused}
    found.block(fn.body)
    for y in fn.body.yields:
        found.leave(y)
    classes = {found.aliases.root(s.target) for s in small} - found.out
    classes = {c for c in classes if found.consistent(c)}
    if not classes:
        return None
    unroll = frozenset().union(*(found.needs[c] for c in classes))
    return Plan(frozenset(classes), unroll, found.aliases)


def is_small(s: Alloc) -> bool:
    """Whether an allocation is of an array with few elements, their number known."""
    t = s.target.type
    if not isinstance(t, ArrayT) or t.dtype not in KINDS or not s.shape:
        return False
    if s.loc is not None and s.loc.role == "tape":
        return False
    sizes = [n.value for n in s.shape if isinstance(n, Const)]
    return len(sizes) == len(s.shape) and min(sizes) >= 0 and 1 <= math.prod(sizes) <= ELEMENTS


def fixed_trips(s: Stmt) -> int | None:
    """Trips of a loop that can be unrolled, else ``None``."""
    if not isinstance(s, For) or s.breaks or s.parallel or s.keep is not None:
        return None
    known = [a.value for a in (s.start, s.stop, s.step) if isinstance(a, Const)]
    trips = len(range(*known)) if len(known) == 3 and known[2] else TRIPS + 1
    return trips if trips <= TRIPS else None


def unrolled(s: Stmt) -> int:
    """Statements in a statement, short loops counted once a trip."""
    inner = sum(unrolled(t) for b in blocks(s) for t in b.stmts)
    return 1 + inner * (fixed_trips(s) or 1)


@dataclass
class _Class:
    """What is known of one class of references."""

    shapes: set[tuple[int, ...]] = field(default_factory=set)
    joined: bool = False  # goes round a loop or comes out of a branch
    views: bool = False
    indirect: bool = False  # written through something else than the name of an allocation
    late: bool = False  # written after it was handed on


class _Uses:
    """One walk in order of execution."""

    def __init__(self, fn: Function, small: set[str]) -> None:
        self.aliases = Aliases(fn)
        self.small = small
        self.out: set[str] = set()  # classes that stay arrays
        self.classes: dict[str, _Class] = defaultdict(_Class)
        self.needs: dict[str, set[str]] = defaultdict(set)
        self.short: set[str] = set()  # indices of loops that can be unrolled
        self.made: dict[str, Op] = {}
        self.depth = 0
        self.where: dict[str, int] = {}  # loops around each allocation
        self.serial: dict[str, int] = {}  # parallel ones among them
        self.parallel = 0
        self.handed: set[str] = set()  # allocations handed on
        self.deep: set[str] = set()  # allocations written in a loop that does not make them
        self.budget = BUDGET
        self.counted = False  # inside a loop whose unrolled size is counted already

    def consistent(self, c: str) -> bool:
        """Whether the references of a class can be followed."""
        k = self.classes[c]
        if not k.joined:
            return True
        return len(k.shapes) == 1 and not (k.views or k.indirect or k.late)

    def of(self, v: Var) -> _Class:
        return self.classes[self.aliases.root(v)]

    def leave(self, a: Atom) -> None:
        """A use that needs the array."""
        if is_reference(a):
            assert isinstance(a, Var)
            self.out.add(self.aliases.root(a))

    def indices(self, a: Atom) -> set[str] | None:
        """Loop indices that a position follows from; ``None`` where it is not known."""
        if isinstance(a, Const):
            return set()
        if a.name in self.short:
            return {a.name}
        s = self.made.get(a.name)
        if s is None:
            return None
        parts = [self.indices(x) for x in s.args]
        return None if None in parts else set().union(*parts)  # type: ignore[arg-type]

    def access(self, v: Var, positions: Iterable[Atom]) -> None:
        """An element, or a view of some."""
        root = self.aliases.root(v)
        for p in positions:
            found = self.indices(p)
            if found is None:
                self.out.add(root)
            else:
                self.needs[root] |= found

    def write(self, v: Var) -> None:
        """An element written."""
        k = self.of(v)
        if v.name not in self.where:
            k.indirect = True
        elif v.name in self.handed:
            k.late = True
        elif self.depth > self.where[v.name]:
            self.deep.add(v.name)
        if self.parallel > self.serial.get(v.name, 0):
            self.leave(v)

    def hand(self, a: Atom) -> None:
        """A reference handed on to a loop, or out of a block."""
        if not is_reference(a):
            return
        assert isinstance(a, Var)
        k = self.of(a)
        k.joined = True
        if a.name in self.where:
            self.handed.add(a.name)
            if self.depth > self.where[a.name] and a.name in self.deep:
                k.late = True  # the next iteration may write what this one has handed on

    def block(self, b: Block) -> None:
        for s in b.stmts:
            self.statement(s)

    def statement(self, s: Stmt) -> None:
        match s:
            case Alloc():
                self.alloc(s)
            case Op():
                if s.target.type == I8 and s.op in _FOLLOWED:
                    self.made[s.target.name] = s
            case Load(array=v):
                self.access(v, s.index)
                self.leave(s.target)
            case Store(array=v) | Accumulate(array=v):
                self.access(v, s.index)
                self.leave(s.value)
                self.write(v)
            case View(base=v):
                self.of(v).views = True
                self.access(v, view_atoms(s))
            case Dim():
                pass
            case If():
                for inner in (s.then, s.orelse):
                    self.block(inner)
                    for y in inner.yields:
                        self.hand(y)
            case For() | While():
                self.loop(s)
            case _:
                for a in (*operands(s), *targets(s)):
                    self.leave(a)

    def alloc(self, s: Alloc) -> None:
        if s.target.name not in self.small:
            self.leave(s.target)
            return
        sizes = tuple(n.value for n in s.shape if isinstance(n, Const))
        self.of(s.target).shapes.add(sizes)
        self.where[s.target.name] = self.depth
        self.serial[s.target.name] = self.parallel

    def loop(self, s: For | While) -> None:
        for c in s.carried:
            self.hand(c.init)
        short = isinstance(s, For) and fixed_trips(s) is not None
        size = 0 if self.counted else unrolled(s)
        short = short and size <= self.budget
        if short:
            self.budget -= size
            self.short.add(s.index.name)  # type: ignore[union-attr]
        outer, self.counted = self.counted, self.counted or short
        parallel = isinstance(s, For) and s.parallel
        self.depth += 1
        self.parallel += parallel
        self.block(s.body)
        for y in s.body.yields:
            self.hand(y)
        self.parallel -= parallel
        self.depth -= 1
        self.counted = outer
