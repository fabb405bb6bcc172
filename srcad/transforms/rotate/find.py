"""Loops whose arrays change places (``u, v = v, u``): which iteration has which is known.

In: a function.  Out: for such loops, by their counters, a ``Rotation``: the permutation of carried
arrays that every iteration makes, and the loops around that only hand these arrays on.

Invariant: arrays that are used after the loop may be moved, by copying contents, back to where they
came from.  They are made in this function, those of a cycle of one size, before the outermost of
those loops and in its block; and nothing in or after a loop knows them by names from before it.
Limits: every iteration makes the same permutation (no swap under a condition), trip counts that
follow from the bounds, cycles of ``LONGEST``; all carried arrays belong to cycles.

>>> from srcad.ir.build import ONE, ZERO, Builder
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Carried
>>> from srcad.ir.types import I8, ArrayT
>>> b = Builder(Namer())
>>> n = b.var("n", I8)
>>> u, v = (b.alloc(ArrayT("f8", 1), (n,), hint=h) for h in "uv")
>>> p, q, r, s = (b.var(h, u.type) for h in "pqrs")
>>> body = Block((), (q, p))
>>> b.for_(b.var("t", I8), ZERO, n, ONE, (Carried(r, p, u), Carried(s, q, v)), body)
>>> found = rotations(Function("f", (n,), Block(tuple(b.stack[0]), (r,))))["t"]
>>> found.order, found.after(0, 3), found.moved
(2, 1, frozenset({0}))
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from srcad.analyses.aliases import OUTSIDE, Aliases, is_reference
from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import Alloc, Atom, Block, For, Function, Load, Stmt, Store, Var
from srcad.ir.walk import binders, blocks, operands, statements, targets
from srcad.transforms.program import key
from srcad.transforms.trips import counted

LONGEST = 4


@dataclass(frozen=True)
class Rotation:
    """``step[k]``: the position whose array position ``k`` gets in one iteration."""

    step: dict[int, int]
    order: int
    moved: frozenset[int]  # positions whose arrays are used after the loop
    shapes: dict[int, tuple[Atom, ...]] = field(default_factory=dict)  # if some are moved
    handing: dict[str, frozenset[int]] = field(default_factory=dict)  # loops around: positions

    def after(self, k: int, trips: int) -> int:
        """The position whose array position ``k`` has after so many iterations."""
        for _ in range(trips):
            k = self.step[k]
        return k


def rotations(fn: Function) -> dict[str, Rotation]:
    """The loops of a function in which arrays change places, by the names of their counters."""
    loops = [s for s in statements(fn.body) if isinstance(s, For)]
    steps = {s.index.name: step for s in loops if (step := permutation(s)) is not None}
    while steps:
        work = _Rotations(fn, steps)
        found = {s.index.name: work.rotation(s) for s in loops if s.index.name in steps}
        if None not in found.values():
            return {name: r for name, r in found.items() if r is not None}
        steps = {name: step for name, step in steps.items() if found[name] is not None}
    return {}


def permutation(s: For) -> dict[int, int] | None:
    """What an iteration does to the carried arrays, if it only permutes them."""
    if not counted(s) or s.parallel or s.keep is not None:
        return None
    here = {c.arg.name: k for k, c in enumerate(s.carried) if is_reference(c.arg)}
    step: dict[int, int] = {}
    for k in here.values():
        y, c = s.body.yields[k], s.carried[k]
        if not isinstance(y, Var) or y.name not in here:
            return None
        if not c.init.type == c.arg.type == c.result.type == y.type:
            return None
        step[k] = here[y.name]
    moving = any(k != to for k, to in step.items()) and len(set(step.values())) == len(step)
    return step if moving and _order(step) <= LONGEST else None


def _order(step: dict[int, int]) -> int:
    lengths = []
    for k in step:
        length, at = 1, step[k]
        while at != k and length <= len(step):
            length, at = length + 1, step[at]
        lengths.append(length)
    return math.lcm(*lengths)


class _Rotations:
    """One function; ``steps`` are the loops that are taken to be rotations."""

    def __init__(self, fn: Function, steps: dict[str, dict[int, int]]) -> None:
        self.tree, self.aliases, self.steps = Tree(fn), Aliases(fn), steps
        self.used = {a.name for a in _atoms(fn.body) if isinstance(a, Var)}
        self.came: dict[str, Var] = {}  # a result of such a loop: what it came in as
        for s in statements(fn.body):
            if isinstance(s, For) and s.index.name in steps:
                for c in (s.carried[k] for k in steps[s.index.name]):
                    assert isinstance(c.init, Var)
                    self.came[c.result.name] = c.init

    def origin(self, a: Atom) -> Var:
        """What an array is called before such loops."""
        assert isinstance(a, Var)
        while a.name in self.came:
            a = self.came[a.name]
        return a

    def rotation(self, s: For) -> Rotation | None:
        """What a loop does to its arrays; ``None`` where that is not enough to go by."""
        step = self.steps[s.index.name]
        moved = frozenset(k for k in step if s.carried[k].result.name in self.used)
        if not moved:
            return Rotation(step, _order(step), moved)
        names, loop = {k: self.origin(s.carried[k].init) for k in step}, s
        handing: dict[str, frozenset[int]] = {}
        while True:
            node, position = self.place(loop)
            if not self.hidden(node, position, set(names.values())):
                return None
            allocs = self.made(names, node)
            if allocs is not None:
                shapes = {k: s.shape for k, s in allocs.items()}
                fits = all(_kind(allocs[k]) == _kind(allocs[to]) for k, to in step.items())
                return Rotation(step, _order(step), moved, shapes, handing) if fits else None
            places = self.handed(node.owner, names)
            if places is None:
                return None
            loop = node.owner  # type: ignore[assignment]
            handing[loop.index.name] = frozenset(places.values())
            names = {k: self.origin(loop.carried[at].init) for k, at in places.items()}

    def place(self, s: For) -> tuple[Node, int]:
        """The block in which a loop stands, and where."""
        body = self.tree.home[s.index.name].node
        assert body.parent is not None
        return body.parent, body.position

    def made(self, names: dict[int, Var], node: Node) -> dict[int, Alloc] | None:
        """The statements of a block that make the arrays, each its own, if it makes them all."""
        found: dict[int, Alloc] = {}
        for k, v in names.items():
            home = self.tree.home[v.name]
            if home.node is node and isinstance(home.stmt, Alloc):
                found[k] = home.stmt
        different = {s.target.name for s in found.values()}
        return found if len(different) == len(names) else None

    def handed(self, around: Stmt | None, names: dict[int, Var]) -> dict[int, int] | None:
        """Where a loop carries arrays that the ones in it give back as they got them."""
        if not isinstance(around, For) or around.breaks or around.parallel or around.keep:
            return None
        given = {c.arg.name: at for at, c in enumerate(around.carried)}
        places = {k: given[v.name] for k, v in names.items() if v.name in given}
        if len(set(places.values())) < len(names):
            return None
        back = all(self.origin(around.body.yields[at]) == names[k] for k, at in places.items())
        return places if back else None

    def hidden(self, node: Node, position: int, names: set[Var]) -> bool:
        """Whether a loop and what follows it in its block know the arrays by newer names only."""
        roots = {self.aliases.root(v) for v in names}
        rest = Block(node.block.stmts[position:], node.block.yields)
        late = {v.name for s in statements(rest) for v in (*targets(s), *binders(s))}
        uses = list(_atoms(Block(rest.stmts[1:], rest.yields)))
        for inner in blocks(rest.stmts[0]):
            uses += _atoms(inner)
        early = any(self.shares(a, roots) and a.name not in late for a in uses)  # type: ignore[union-attr]
        return not early and not self.kept(roots)

    def kept(self, roots: set[str]) -> bool:
        """Whether a list, a call or the caller has one of the arrays."""
        for node in self.tree.nodes:
            for s in node.block.stmts:
                if isinstance(s, (Store, Load)):
                    value = s.value if isinstance(s, Store) else s.target
                    if self.shares(value, roots):
                        return True
        return OUTSIDE in roots

    def shares(self, a: Atom, roots: set[str]) -> bool:
        """Whether something is a reference to storage of these classes."""
        return isinstance(a, Var) and is_reference(a) and self.aliases.root(a) in roots


def _kind(s: Alloc) -> tuple[object, ...]:
    """Equal for arrays of one type and size."""
    return (s.target.type, *map(key, s.shape))


def _atoms(b: Block) -> Iterator[Atom]:
    """All that is read in a block."""
    yield from b.yields
    for s in statements(b):
        yield from operands(s)
        for inner in blocks(s):
            yield from inner.yields
