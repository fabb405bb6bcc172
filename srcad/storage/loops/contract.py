"""Values instead of elements: what an iteration stores and reads again, it keeps in a variable.

In: a function, its loops merged.  Out: the same function where an element that was just stored is
not loaded again (``transforms.cse``), not even where it was added to in between, and where nothing
is stored that nobody reads; arrays that nobody reads any more are gone.

Invariant: the same values.  A store is dead if no load can meet its element afterwards
(``analyses.elements``), in the same round of the innermost loop in which the array is scratch
(each round writes what it reads).  Limits: arrays without views that are not handed on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import replace

from srcad.analyses.elements import Access, touches_again
from srcad.analyses.tree import Tree
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Block,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    View,
    While,
)
from srcad.ir.types import ArrayT
from srcad.ir.walk import variables
from srcad.storage.loops.births import birth
from srcad.storage.loops.twins import united
from srcad.transforms import cse, dead_code, simplify
from srcad.transforms.program import key
from srcad.transforms.separate import alone

ROUNDS = 3


def contracted(fn: Function) -> Function:
    """``fn`` without loads and stores that only hand values on."""
    fn = replace(fn, body=_Updates(fn).block(fn.body))
    for _ in range(ROUNDS):
        fn = simplify.run(cse.run(fn))
        dead = _dead(fn) | _overwritten(fn)
        fn = dead_code.run(replace(fn, body=_without(fn.body, dead)))
        if not dead:
            break
    return united(fn)


class _Updates:
    """Additions to elements that are known, or read again, in the same block."""

    def __init__(self, fn: Function) -> None:
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self, b: Block) -> Block:
        """A block: such an ``a[i] += v`` is a load, a sum and a store."""
        out: list[Stmt] = []
        for k, s in enumerate(b.stmts):
            if isinstance(s, If):
                out.append(replace(s, then=self.block(s.then), orelse=self.block(s.orelse)))
            elif isinstance(s, (For, While)):
                out.append(replace(s, body=self.block(s.body)))
            elif isinstance(s, Accumulate) and self.opened(b, k, s):
                with self.b.block() as made:
                    self.b.loc = s.loc
                    old = self.b.load(s.array, *s.index, hint=s.array.hint or s.array.name)
                    new = self.b.op("add", old, s.value, hint=old.hint)
                    self.b.store(s.array, s.index, new)
                out += made
            else:
                out.append(s)
        return Block(tuple(out), b.yields)

    def opened(self, b: Block, at: int, s: Accumulate) -> bool:
        """Whether an element is stored before, or read or added to after, in the same block."""
        if not isinstance(s.array.type, ArrayT) or s.value.type != s.array.type.element:
            return False
        here = [key(i) for i in s.index]
        return any(
            isinstance(t, (Load, Store, Accumulate))
            and not s.atomic
            and t is not s
            and t.array == s.array
            and [key(i) for i in t.index] == here
            for t in b.stmts
        )


def _dead(fn: Function) -> set[int]:
    """The stores (by identity) whose elements nobody reads."""
    tree = Tree(fn)
    made = alone(tree)
    writes: dict[str, list[Access]] = defaultdict(list)
    reads: dict[str, list[Access]] = defaultdict(list)
    for node, position, s in tree.walk():
        if isinstance(s, (Load, Store, Accumulate)) and s.array.name in made:
            access = Access(node, position, s.array.name, s.array, s.index)
            if not isinstance(s, Load):
                writes[s.array.name].append(access)
            if not isinstance(s, Store):
                reads[s.array.name].append(access)
    found: set[int] = set()
    for name, group in writes.items():
        home = birth(tree, made[name], [*group, *reads[name]])
        for w in group:
            if not any(touches_again(tree, w, r, home) for r in reads[name] if r is not w):
                found.add(id(w.node.block.stmts[w.position]))
    return found


def _overwritten(fn: Function) -> set[int]:
    """The stores (by identity) that a later one in the same block makes superfluous."""
    tree = Tree(fn)
    made, found = alone(tree, results=True), set[int]()
    for node in tree.nodes:
        last: dict[str, dict[Hashable, Store]] = defaultdict(dict)  # by array and subscripts
        for s in node.block.stmts:
            if isinstance(s, Store) and s.array.name in made:
                index = tuple(map(key, s.index))
                before = last[s.array.name].get(index)
                if before is not None:
                    found.add(id(before))
                last[s.array.name][index] = s
            elif isinstance(s, (Load, Accumulate)):
                last.pop(s.array.name, None)
            elif not isinstance(s, (Op, Dim, View, Alloc)):
                last.clear()
    return found


def _without(b: Block, dead: set[int]) -> Block:
    """A block without these statements."""
    out: list[Stmt] = []
    for s in b.stmts:
        if id(s) in dead:
            continue
        if isinstance(s, If):
            s = replace(s, then=_without(s.then, dead), orelse=_without(s.orelse, dead))
        elif isinstance(s, (For, While)):
            s = replace(s, body=_without(s.body, dead))
        out.append(s)
    return Block(tuple(out), b.yields)
