"""Live ranges of IR variables on the printed order, and which pairs would like one name.

In: a verified function.  Out: a ``Liveness`` with, for every variable, the intervals of
positions where its value is needed, how often it is used and in which block, and *affinities*:
pairs (an initial value and the carried variable, a branch's value and the result of the ``If``)
that need no copy if they share a name.

How: one backward walk.  Positions count down from 0, so later means larger.  A value defined
outside a loop and used inside is needed to the loop's end.  The storage of a carried value is
described under the name of its ``arg``: from its initialisation to the header, from there to
the last use inside, from the hand-over at the end of the body to the last use after the loop.
A carried value is *idle* if neither ``arg`` nor ``result`` is used: then nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srcad.ir.nodes import (
    Alloc,
    Atom,
    Block,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Var,
    View,
    While,
)
from srcad.ir.walk import binders, blocks, operands, statements, targets

Interval = tuple[int, int]
DISPENSABLE = (Op, Load, View, Dim, Alloc)


@dataclass
class Liveness:
    """What the backward walk finds (see the module's text)."""

    intervals: dict[str, list[Interval]] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    use_block: dict[str, int] = field(default_factory=dict)  # id of the block of the first use
    affinities: list[tuple[int, int, Var, Var]] = field(default_factory=list)
    idle: set[str] = field(default_factory=set)  # args of carried values that nobody reads
    dead: set[int] = field(default_factory=set)  # ids of statements without use or effect
    spans: dict[str, Interval] = field(default_factory=dict)  # loop variables: the whole loop


def liveness(fn: Function) -> Liveness:
    """Live ranges of a function's variables."""
    walk = _Walk(fn)
    walk.run()
    return walk.out


def free_variables(stmt: Stmt, cache: dict[int, frozenset[str]]) -> frozenset[str]:
    """Names used in a statement (inner blocks included) that it does not bind."""
    if id(stmt) not in cache:
        names = {a.name for a in operands(stmt) if isinstance(a, Var)}
        inner: set[str] = set()
        for b in blocks(stmt):
            inner |= _free_in_block(b, cache)
        names |= inner - {v.name for v in binders(stmt)}
        cache[id(stmt)] = frozenset(names)
    return cache[id(stmt)]


def _free_in_block(b: Block, cache: dict[int, frozenset[str]]) -> set[str]:
    names = {y.name for y in b.yields if isinstance(y, Var)}
    for s in reversed(b.stmts):
        names -= {t.name for t in targets(s)}
        names |= free_variables(s, cache)
    return names


class _Walk:
    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.out = Liveness()
        self.pos = 0
        self.depth = 0
        self.live: list[dict[str, int]] = [{}]  # per open block: name -> end of its interval
        self.free: dict[int, frozenset[str]] = {}
        self.mentioned = self._mentioned()

    def run(self) -> None:
        body = self.fn.body
        end = self.tick()
        for y in body.yields:
            self.use(y, end, body)
        self.block(body)
        start = self.tick()
        for p in self.fn.params:
            self.interval(p.name, start, self.live[-1].pop(p.name, start))

    def _mentioned(self) -> set[str]:
        """Every name that is read anywhere."""
        names: set[str] = {y.name for y in self.fn.body.yields if isinstance(y, Var)}
        for s in statements(self.fn.body):
            names.update(a.name for a in operands(s) if isinstance(a, Var))
            for b in blocks(s):
                names.update(y.name for y in b.yields if isinstance(y, Var))
        return names

    # positions and ranges
    def tick(self) -> int:
        self.pos -= 1
        return self.pos

    def interval(self, name: str, start: int, end: int) -> None:
        self.out.intervals.setdefault(name, []).append((start, end))

    def touch(self, name: str, at: int) -> None:
        """The value is needed at ``at``."""
        if not any(name in live for live in self.live):
            self.live[-1][name] = at

    def use(self, a: Atom, at: int, block: Block) -> None:
        if isinstance(a, Var):
            self.out.uses[a.name] = self.out.uses.get(a.name, 0) + 1
            self.out.use_block.setdefault(a.name, id(block))
            self.touch(a.name, at)

    def define(self, v: Var, at: int) -> None:
        self.interval(v.name, at, self.live[-1].pop(v.name, at))

    def affinity(self, kind: int, a: Atom, b: Var) -> None:
        if isinstance(a, Var) and a.type == b.type:
            self.out.affinities.append((-self.depth, kind, a, b))

    # statements
    def block(self, b: Block) -> None:
        for s in reversed(b.stmts):
            match s:
                case If():
                    self.branch(s, b)
                case For() | While():
                    self.loop(s, b)
                case _:
                    self.simple(s, b)

    def simple(self, s: Stmt, b: Block) -> None:
        if isinstance(s, DISPENSABLE) and not any(s.target.name in d for d in self.live):
            self.out.dead.add(id(s))
            return
        at = self.tick()
        for t in targets(s):
            self.define(t, at)
        at = self.tick()
        for a in operands(s):
            self.use(a, at, b)

    def branch(self, s: If, b: Block) -> None:
        after = self.tick()
        wanted = []
        for i, r in enumerate(s.results):
            if r.name in self.live[-1]:
                wanted.append(i)
                self.define(r, after)
        reaching: set[str] = set()
        for inner in (s.orelse, s.then):
            reaching |= self.arm(s, inner, wanted)
        at = self.tick()
        for name in reaching:
            self.touch(name, at)
        self.use(s.cond, at, b)
        self.out.idle.update(r.name for i, r in enumerate(s.results) if i not in wanted)

    def arm(self, s: If, b: Block, wanted: list[int]) -> set[str]:
        """One branch; the names needed at its start."""
        end, handed, read = self.tick(), self.tick(), self.tick()
        self.live.append({})
        for i in wanted:
            self.interval(s.results[i].name, handed, end)
            self.use(b.yields[i], read, b)
            self.affinity(1, b.yields[i], s.results[i])
        self.block(b)
        start = self.tick()
        needed = self.live.pop()
        for name, last in needed.items():
            self.interval(name, start, last)
        return set(needed)

    def loop(self, s: For | While, b: Block) -> None:
        end = self.tick()
        stored = []
        for k, c in enumerate(s.carried):
            last = self.live[-1].pop(c.result.name, None)
            if last is not None:
                self.interval(c.arg.name, end, last)
            if last is not None or c.arg.name in self.mentioned:
                stored.append(k)
            else:
                self.out.idle.add(c.arg.name)
        for name in free_variables_of_body(s, self.free):
            self.touch(name, end)
        self.body(s, stored, end)
        header, handed, at = self.tick(), self.tick(), self.tick()
        for k in stored:
            self.interval(s.carried[k].arg.name, handed, header)
        for k, c in enumerate(s.carried):
            if k in stored or (k == 0 and isinstance(s, While)):
                self.use(c.init, at, b)
            if k in stored:
                self.affinity(2, c.init, c.arg)
        if isinstance(s, For):
            for a in (s.start, s.stop, s.step):
                self.use(a, at, b)

    def body(self, s: For | While, stored: list[int], end: int) -> None:
        handed, read = self.tick(), self.tick()
        self.live.append({})
        self.depth += 1
        flag = isinstance(s, While) or s.breaks
        for k, c in enumerate(s.carried):
            y = s.body.yields[k]
            if k in stored:
                self.use(y, read, s.body)
                self.interval(c.arg.name, handed, end)
                self.affinity(0, y, c.arg)
            elif k == 0 and flag:
                self.use(y, end, s.body)
        self.block(s.body)
        header = self.tick()
        for c in s.carried:
            last = self.live[-1].pop(c.arg.name, None)
            if last is not None:
                self.interval(c.arg.name, header, last)
        if isinstance(s, For):
            self.define(s.index, header)
            self.out.spans[s.index.name] = (header, end)
        self.depth -= 1
        self.live.pop()


def free_variables_of_body(s: For | While, cache: dict[int, frozenset[str]]) -> frozenset[str]:
    """Names a loop's body uses and does not bind."""
    return frozenset(_free_in_block(s.body, cache) - {v.name for v in binders(s)})
