"""The forward sweep: the primal's statements, plus recording.

In: the prepared function and the plan.  Out: its statements with tapes allocated before the
outermost statement they belong to, needed values stored right after they are assigned, values
assigned in branches outside all loops handed out of them, and cursors of ragged loops carried.

Invariant: everything is ordinary IR; primal variables keep their names.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace

from srcad.analyses.tree import Node, Tree
from srcad.ir.build import ONE, ZERO, Builder
from srcad.ir.nodes import (
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Const,
    For,
    If,
    Loc,
    Stmt,
    Var,
    While,
)
from srcad.ir.types import I8, ListT, Scalar
from srcad.ir.walk import binders, targets
from srcad.transforms.arrays import fill, fit, fresh, zero_of
from srcad.transforms.reverse.positions import Numbering, Positions, cursor_key, top_position
from srcad.transforms.reverse.prepare import Prepared
from srcad.transforms.reverse.storage import Plan, tape_type
from srcad.transforms.trips import counted, trip_count, trip_number


class Sweep:
    """Emits the forward sweep; afterwards ``cursors`` are their final values."""

    def __init__(
        self,
        b: Builder,
        tree: Tree,
        positions: Positions,
        prepared: Prepared,
        plan: Plan,
        poison: set[str] | None = None,
    ) -> None:
        self.poison = poison or set()
        self.b, self.tree, self.positions = b, tree, positions
        self.prepared, self.plan = prepared, plan
        self.cursors: dict[str, Atom] = {}
        self.threaded: dict[str, Var] = {}
        self.position: dict[Node, Atom] = {}
        self.used: set[Numbering] = set()
        self.of_cursor: dict[Numbering, list[Var]] = defaultdict(list)
        self.at_top: dict[int, list[Var]] = defaultdict(list)
        for name in plan.kind:
            if plan.taped(name):
                self._register(plan.vars[name])

    def _register(self, v: Var) -> None:
        node = self.tree.home[v.name].node
        loop = node.loop
        assert loop is not None
        here: Numbering | None = self.positions.numbering(loop)
        assert here is not None
        if here.cursor is not None:
            self.of_cursor[here.cursor].append(v)
        self.at_top[top_position(node)].append(v)
        while here is not None:
            self.used.add(here)
            here = here.parent if here.kind != "cursor" else None

    def cursors_in(self, node: Node) -> list[str]:
        """Keys of the cursors of loops in a block (its own not included)."""
        return [
            cursor_key(n)
            for n in self.of_cursor
            if n.node is not node and node in n.node.ancestors()
        ]

    def run(self) -> None:
        """Emit the whole forward sweep into the block in hand."""
        for position, s in enumerate(self.tree.root.block.stmts):
            self._tapes(position, s)
            self._statement(self.tree.root, position, s)
        self._poison(self.tree.root)

    def _poison(self, node: Node) -> None:
        for s in node.block.stmts:
            for t in targets(s) if isinstance(s, (Alloc, ArrayOp, Call)) else ():
                if t.name in self.poison:
                    fill(self.b, t, math.nan)

    # tapes
    def _tapes(self, position: int, s: Stmt) -> None:
        self.b.loc = taping(s)
        for v in self.at_top.get(position, ()):
            kind = self.plan.kind[v.name]
            wish = f"{v.hint or v.name}_tape"
            shape: tuple[Atom, ...] = ()
            loop = self.tree.home[v.name].node.loop
            assert loop is not None
            inner = self.positions.numbering(loop)
            if inner.cursor is None:
                shape = (self._product(inner.inner()),)
            self.plan.tapes[v.name] = fresh(self.b, tape_type(v, kind), shape, False, wish)
            for n in inner.inner():
                self.positions.count(self.b, n)  # has to stand here, outside all loops

    def _product(self, loops: list[Numbering]) -> Atom:
        total: Atom = ONE
        for n in loops:
            total = self.b.op("mul", self.positions.count(self.b, n), total, hint="size")
        return total

    def _record(self, v: Atom, node: Node) -> None:
        """Store a value that was just assigned, if it is on a tape."""
        if isinstance(v, Var) and self.plan.taped(v.name):
            loop = node.loop
            assert loop is not None
            tape = self.plan.tapes[v.name]
            self.b.store(tape, (self.position[loop],), v)

    # blocks
    def _block(self, node: Node) -> None:
        for position, s in enumerate(node.block.stmts):
            self._statement(node, position, s)
        self._poison(node)

    def _statement(self, node: Node, position: int, s: Stmt) -> None:
        children = node.children.get(position)
        if children is None:
            self.b.emit(s)
        elif isinstance(s, If):
            self._branch(s, *children)
        else:
            assert isinstance(s, (For, While))
            self._loop(s, children[0])
        self.b.loc = taping(s)
        for t in targets(s):
            self._record(t, node)

    def _branch(self, s: If, then: Node, orelse: Node) -> None:
        before = dict(self.cursors)
        handed = [self._handed(then), self._handed(orelse)]
        made: list[list[Stmt]] = []
        ends: list[dict[str, Atom]] = []
        outs: list[list[Var]] = []
        for child, names in zip((then, orelse), handed, strict=True):
            self.cursors = dict(before)
            with self.b.block() as stmts:
                self._block(child)
                outs.append([self.threaded.get(n.name, n) for n in names])
            made.append(stmts)
            ends.append(self.cursors)
        changed = sorted({k for end in ends for k in end if end[k] != before.get(k, ZERO)})
        results = list(s.results)
        yields = [list(s.then.yields), list(s.orelse.yields)]
        for k in changed:
            results.append(self.b.var("cursor", I8))
            for branch in (0, 1):
                yields[branch].append(ends[branch].get(k, ZERO))
        self.cursors = before | dict(zip(changed, results[len(s.results) :], strict=True))
        for branch in (0, 1):
            for name, inner in zip(handed[branch], outs[branch], strict=True):
                outer = self.b.var(name.hint or name.name, name.type)
                self.threaded[name.name] = outer
                results.append(outer)
                yields[branch].append(inner)
                with self.b.block() as extra:
                    yields[1 - branch].append(self._placeholder(name))
                made[1 - branch] += extra
        blocks = [Block(tuple(m), tuple(y)) for m, y in zip(made, yields, strict=True)]
        self.b.emit(replace(s, then=blocks[0], orelse=blocks[1], results=tuple(results)))

    def _handed(self, child: Node) -> list[Var]:
        """Needed variables assigned in a branch that stands outside all loops."""
        if child.loop is not None:
            return []
        inside = set(child.subtree())
        return [
            v
            for n, v in self.plan.vars.items()
            if self.plan.kind[n] == "kept" and self.tree.home[n].node in inside
        ]

    def _placeholder(self, v: Var) -> Atom:
        if isinstance(v.type, Scalar):
            return zero_of(v.type)
        if isinstance(v.type, ListT):
            return self.b.alloc(v.type, (), True, "none")
        return fit(self.b, fresh(self.b, v.type, (ZERO,) * v.type.ndim, True, "none"), v.type)

    # loops
    def _loop(self, s: For | While, body: Node) -> None:
        self.b.loc = taping(s)
        number = self.positions.numbering(body)
        key = cursor_key(number)
        own = number in self.of_cursor
        base = self.cursors.get(key, ZERO)
        trips = self._reserve(s, number, base) if own else ZERO
        carried = self.cursors_in(body)
        inits = [self.cursors.get(k, ZERO) for k in carried]
        outer = dict(self.cursors)
        args = [self.b.var("cursor", I8) for _ in carried]
        self.cursors = dict(zip(carried, args, strict=True))
        with self.b.block() as stmts:
            self._enter(s, body, number, base, own)
            self._block(body)
        self.b.loc = taping(s)
        ends = [self.cursors[k] for k in carried]
        results = [self.b.var("cursor", I8) for _ in carried]
        extra = tuple(Carried(r, a, i) for r, a, i in zip(results, args, inits, strict=True))
        new = replace(
            s, carried=(*s.carried, *extra), body=Block(tuple(stmts), (*s.body.yields, *ends))
        )
        self.b.emit(new)
        self.cursors = outer | dict(zip(carried, results, strict=True))
        if own:
            done = trips if counted(s) else self.prepared.counter[number.key][1]
            self.cursors[key] = self.b.op("add", base, done, hint="cursor")

    def _reserve(self, s: For | While, number: Numbering, base: Atom) -> Atom:
        """Trip count of a counted loop with a cursor, its tapes long enough for all of it."""
        if not counted(s):
            return ZERO
        assert isinstance(s, For)
        trips = trip_count(self.b, s.start, s.stop, s.step)
        self._grow(number, self.b.op("add", base, trips, hint="size"))
        return trips

    def _grow(self, number: Numbering, iterations: Atom) -> None:
        for v in self.of_cursor[number]:
            loop = self.tree.home[v.name].node.loop
            assert loop is not None
            inner = self._product(self.positions.numbering(loop).inner())
            self.b.reserve(
                self.plan.tapes[v.name], self.b.op("mul", iterations, inner, hint="size")
            )

    def _enter(self, s: For | While, body: Node, number: Numbering, base: Atom, own: bool) -> None:
        """The beginning of an iteration: its position, room on tapes, carried arguments."""
        if number in self.used:
            self.position[body] = self._position(s, number, base)
            if own and not counted(s):
                self._grow(number, self.b.op("add", self.position[body], ONE, hint="size"))
        for v in binders(s):
            self._record(v, body)

    def _position(self, s: For | While, number: Numbering, base: Atom) -> Atom:
        if counted(s):
            assert isinstance(s, For) and isinstance(s.step, Const)
            k = trip_number(self.b, s.index, s.start, s.step)
        else:
            k = self.prepared.counter[number.key][0]
        if number.kind == "cursor":
            return self.b.op("add", base, k, hint="at")
        if number.parent is None:
            return k
        outer = self.position[number.parent.node]
        row = self.b.op("mul", outer, self.positions.counts[number.key], hint="at")
        return self.b.op("add", row, k, hint="at")


def taping(s: Stmt) -> Loc | None:
    """The location of a statement, in the role of recording."""
    loc = getattr(s, "loc", None)
    return replace(loc, role="tape") if loc is not None else None
