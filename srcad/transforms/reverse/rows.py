"""Whole rows instead of single values: copies of arrays that a later iteration overwrites.

In: a function, the plan of its residuals.  Out: the same function with copies, or ``None``.  A
loop over an array that it does not write itself (a sweep of a stencil over the old state) may
need several values that were read from it, each recorded in every iteration.  A copy of the
array taken before the loop, from which the loop then reads, holds them all; the reverse sweep
finds it again, since nobody writes to a copy.  A loop that writes the array itself counts where it
reads old values only (``in_place``); those that it carries from one iteration to the next are then
read as well.  One value is enough where more loops than the array has axes read it again and again
(a product with a matrix in a time step): it would be recorded in every iteration of them all.

Invariant: the copy is taken where the array has the contents that the loop reads, and it has no
more elements than the loop has iterations (one subscript a loop, each loop as long as its axis).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from srcad.analyses.tree import Node, Tree
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Call,
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
    While,
)
from srcad.ir.types import ArrayT, is_float
from srcad.ir.walk import blocks, operands, statements, variables
from srcad.transforms.arrays import copy
from srcad.transforms.inward import inward
from srcad.transforms.reverse.in_place import carried_element, reads_old
from srcad.transforms.reverse.storage import Storage

WORTH = 2  # recorded values that one copy saves


@dataclass
class Row:
    """An array to copy before a loop, and the recorded values that this makes superfluous."""

    array: Var
    loop: str
    elements: dict[str, int]  # carried numbers that are its elements: how far from the counter
    saved: set[str] = field(default_factory=set)
    again: bool = False  # whether elements are read more than once
    beside: bool = False  # whether the loop goes on reading the array, the reverse sweep the copy


@dataclass(frozen=True)
class WithRows:
    """A function with copies; with ``more``, there may be others.

    ``rows``: the copies in which the reverse sweep finds what loads have read, by their targets.
    """

    fn: Function
    rows: dict[str, Var] = field(default_factory=dict)
    more: bool = False


def with_rows(fn: Function, storage: Storage) -> WithRows | None:
    """``fn`` with the copies that save more than they cost, or ``None``.

    Where an iteration fills the array itself, the array is made there instead (``inward``).
    """
    found: dict[tuple[str, str], Row] = {}
    for name, v in storage.plan.vars.items():
        loads = storage.reads(v) if storage.plan.taped(name) and is_float(v.type) else []
        if len({s.array for s in loads}) != 1 or not isinstance(loads[0].array.type, ArrayT):
            continue
        array, again = loads[0].array, True
        loop = only({repeated(storage, s) for s in loads})
        if loop is None:
            loop, again = only({nest(storage.tree, s) for s in loads}), False
        if loop is not None and readable(storage, loop, array):
            assert isinstance(loop.owner, For)
            key = loop.owner.index.name, array.name
            elements = carried_elements(storage, loop, array)
            beside = not elements and unwritten(storage, loop, array)
            row = found.setdefault(key, Row(array, key[0], elements, again=again, beside=beside))
            row.saved.add(name)
    known = {v.name for v in variables(fn)}
    worth = [r for r in found.values() if r.again or len(r.saved) >= WORTH]
    rows = [r for r in worth if r.array.name in known]
    own = inward(fn, {r.array.name for r in rows})
    if own is not None:
        return WithRows(own[0], more=True)
    if not rows:
        return None
    copies = _Copies(fn, rows)
    return WithRows(copies.function(), copies.found)


def only(nodes: set[Node | None]) -> Node | None:
    """The one that all agree on."""
    return nodes.pop() if len(nodes) == 1 else None


def repeated(storage: Storage, s: Load) -> Node | None:
    """The outermost loop around a load that does not write the array, if elements come again.

    That is so where there are more loops up to it than the array has axes; as many of them as there
    are axes must be as long as these.
    """
    loops = storage.tree.home[s.target.name].node.loops()
    inside = []
    for loop in loops:
        if not isinstance(loop.owner, For) or not unwritten(storage, loop, s.array):
            break
        inside.append(loop)
    axes = range(len(s.index))
    if len(inside) <= len(axes):
        return None
    long = [{n for n in inside if _as_long(storage.tree, n, s.array, axis)} for axis in axes]
    if not all(long) or len(set().union(*long)) < len(axes):
        return None
    return inside[-1]


def nest(tree: Tree, s: Load) -> Node | None:
    """The outermost of the loops over the axes of the array that a load reads, if it is so."""
    counters = [_counter(tree, i) for i in s.index]
    loops = [tree.home[c.name].node if c is not None else None for c in counters]
    if not loops or len(set(loops)) < len(loops):
        return None
    for axis, loop in enumerate(loops):
        if loop is None or not _as_long(tree, loop, s.array, axis):
            return None
    here = tree.home[s.target.name].node.loops()[: len(loops)]
    return here[-1] if set(here) == set(loops) else None


def _counter(tree: Tree, index: Atom) -> Var | None:
    """The loop counter in ``i``, ``i + 1``, ``i - 1``."""
    a: Atom | None = index
    while isinstance(a, Var):
        s = tree.home[a.name].stmt
        if isinstance(s, For) and s.index == a:
            return a
        a = _base(s)
    return None


def _base(s: Stmt | None) -> Atom | None:
    """What a constant is added to, or taken from, in a statement."""
    if isinstance(s, Op) and s.op in ("add", "sub"):
        x, y = s.args
        if isinstance(y, Const):
            return x
        if isinstance(x, Const) and s.op == "add":
            return y
    return None


def _as_long(tree: Tree, loop: Node, array: Var, axis: int) -> bool:
    """Whether a loop runs over an axis, up to a constant."""
    s = loop.owner
    assert isinstance(s, For)
    if not isinstance(s.step, Const) or abs(s.step.value) != 1:
        return False
    end: Atom | None = s.stop if s.step.value > 0 else s.start
    while isinstance(end, Var):
        made = tree.home[end.name].stmt
        if end in _sizes(tree, array, axis, end):
            return True
        end = _base(made)
    return False


def _sizes(tree: Tree, array: Var, axis: int, candidate: Var) -> list[Atom]:
    """Variables that are known to be the size of an axis, among them maybe ``candidate``."""
    made, asked = tree.home[array.name].stmt, tree.home[candidate.name].stmt
    sizes: list[Atom] = [made.shape[axis]] if isinstance(made, Alloc) else []
    if isinstance(asked, Dim) and (asked.array, asked.axis) == (array, axis):
        sizes.append(candidate)
    return sizes


def readable(storage: Storage, loop: Node, array: Var) -> bool:
    """Whether all that a loop reads of an array is what the array holds before it."""
    if unwritten(storage, loop, array):
        return True
    outside = loop not in storage.tree.home[array.name].node.ancestors()
    return outside and reads_old(storage.tree, storage.reload.regions, loop, array)


def carried_elements(storage: Storage, loop: Node, array: Var) -> dict[str, int]:
    """The numbers a loop carries that are elements of an array, and not used after it."""
    assert isinstance(loop.owner, For)
    found: dict[str, int] = {}
    for c in loop.owner.carried:
        element = carried_element(storage.tree, storage.reload.regions, c.arg)
        if element is not None and element.load.array == array:
            found[c.arg.name] = element.offset
    return found


def unwritten(storage: Storage, loop: Node, array: Var) -> bool:
    """Whether an array is made outside of a loop and not written in it."""
    tree, regions = storage.tree, storage.reload.regions
    assert loop.parent is not None
    if not isinstance(array.type, ArrayT) or loop in tree.home[array.name].node.ancestors():
        return False
    own = regions.of(array)
    for s in statements(loop.block):
        if isinstance(s, Call) or isinstance(s, (Store, Accumulate)) and regions.of(s.array) & own:
            return False
    return True


class _Copies:
    """Takes the copies, each before its loop, and reads from them in the loop.

    Where the loop does not write the array, only the reverse sweep will read from the copy
    (``found``): the copy then has no shadow to be cleared, and added to that of the array.
    """

    def __init__(self, fn: Function, rows: list[Row]) -> None:
        self.fn, self.rows = fn, defaultdict(list)
        self.found: dict[str, Var] = {}
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.used = {a.name for a in atoms(fn.body) if isinstance(a, Var)}
        for r in rows:
            self.rows[r.loop].append(r)

    def function(self) -> Function:
        """The function rebuilt."""
        return replace(self.fn, body=self.block(self.fn.body, {}))

    def block(self, b: Block, instead: dict[Var, tuple[Row, Var]]) -> Block:
        """A block, loads from the copied arrays redirected."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, Load) and s.array in instead:
                r, row = instead[s.array]
                if r.beside:
                    self.found[s.target.name] = row
                else:
                    s = replace(s, array=row)
            elif isinstance(s, If):
                s = replace(
                    s, then=self.block(s.then, instead), orelse=self.block(s.orelse, instead)
                )
            elif isinstance(s, For) and s.index.name in self.rows:
                s = self.loop(s, instead, out)
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body, instead))
            out.append(s)
        return Block(tuple(out), b.yields)

    def loop(self, s: For, instead: dict[Var, tuple[Row, Var]], out: list[Stmt]) -> For:
        """A loop that reads from copies; these are taken in ``out``."""
        self.b.loc = s.loc
        copies: list[tuple[Row, Var]] = []
        for r in self.rows[s.index.name]:
            with self.b.block() as made:
                copies.append((r, copy(self.b, r.array, f"{r.array.hint or r.array.name}_row")))
            out += made
        inner = {**instead, **{r.array: (r, v) for r, v in copies}}
        s = replace(s, body=self.block(s.body, inner))
        for r, v in copies:
            s = self.elements(s, r, v)
        return s

    def elements(self, s: For, r: Row, row: Var) -> For:
        """A loop that reads from the copy what it carried."""
        out = [k for k, c in enumerate(s.carried) if c.arg.name in r.elements]
        out = [k for k in out if s.carried[k].result.name not in self.used]
        if not out:
            return s
        read: list[Stmt] = []
        for k in out:
            v, offset = s.carried[k].arg, r.elements[s.carried[k].arg.name]
            with self.b.block() as made:
                at = self.b.op("sub" if offset < 0 else "add", s.index, const(abs(offset)))
            read += [*made, Load(v, row, (at,), s.loc)]
        kept = [k for k in range(len(s.carried)) if k not in out]
        body = Block((*read, *s.body.stmts), tuple(s.body.yields[k] for k in kept))
        return replace(s, carried=tuple(s.carried[k] for k in kept), body=body)


def atoms(b: Block) -> Iterator[Atom]:
    """Every operand in a block."""
    yield from b.yields
    for s in statements(b):
        yield from operands(s)
        for inner in blocks(s):
            yield from inner.yields
