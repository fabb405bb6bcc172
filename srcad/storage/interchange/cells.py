"""Elements that belong to one iteration of a loop, as small arrays made in it.

In: a function, the names of loops.  Out: the same function where an array of which an iteration of
such a loop touches certain elements only (``p[i]``, or ``y[i, 0]`` and ``y[i, 1]``, in the loop of
``i``) is a small array in it, the elements read before and written after; and nothing of the array
is left if only this loop uses it.
``transforms.scalarise`` makes numbers of such cells, through branches and inner loops.

Invariant: the same values.  An element is read before and written after only where it is known to
exist: where every iteration touches it, or where its position is below the array's size.  No other
reference to the storage is used in the loop, and nothing in it can raise between.
Limits: subscripts are counters and what is known outside of the loop, and differ in constants if at
all; no views; ``MOST`` elements.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> x = Var("x", ArrayT("f8", 1))
>>> b = Builder(Namer(["x"]))
>>> n = b.dim(x, 0)
>>> p = b.alloc(ArrayT("f8", 1), (n,), hint="p")
>>> with b.loop(const(0), n) as i:
...     with b.loop(const(0), const(9), hint="j"):
...         b.accumulate(p, (i,), b.op("sin", b.load(p, i)))
>>> fn, gone = celled(Function("f", (x,), Block(tuple(b.stack[0]))), {"i"})
>>> print(gone, text(fn).partition("for i")[2], sep="", end="")
{'p'} in range(0, n, 1):
        p_1: f8[:]C = zeros(1)
        for j in range(0, 9, 1):
            t: f8 = p_1[0]
            t_1: f8 = sin(t)
            p_1[0] += t_1
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.meetings import Meetings
from srcad.analyses.shapes import DimOf, shapes
from srcad.analyses.systems import plus
from srcad.analyses.tree import Node, Tree
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
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
from srcad.ir.types import ArrayT
from srcad.ir.walk import blocks, operands, statements, variables
from srcad.transforms.program import key

ELEMENTS = (Load, Store, Accumulate)
QUIET = (Op, *ELEMENTS, Dim, View, Alloc, ArrayOp, If, For)
MOST = 8

Touch = Load | Store | Accumulate


@dataclass(frozen=True)
class _Cell:
    """An array, the elements that an iteration touches; ``made`` if nobody else uses the array."""

    array: Var
    elements: tuple[tuple[Atom, ...], ...]
    made: Alloc | None


def celled(fn: Function, loops: Collection[str]) -> tuple[Function, set[str]]:
    """The function with such cells, and the names of the arrays that they stand for."""
    work = _Cells(fn, loops)
    made = replace(fn, body=work.block(work.tree.root))
    return made, work.found


class _Cells:
    """One function."""

    def __init__(self, fn: Function, loops: Collection[str]) -> None:
        self.fn, self.loops = fn, loops
        self.tree, self.aliases, self.shapes = Tree(fn), Aliases(fn), shapes(fn)
        self.meetings = Meetings(self.tree)
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.found: set[str] = set()

    def block(self, node: Node) -> Block:
        """A block rebuilt."""
        out: list[Stmt] = []
        for position, s in enumerate(node.block.stmts):
            inner = node.children.get(position, ())
            if isinstance(s, For) and s.index.name in self.loops:
                s = self.loop(s, inner[0])
            elif isinstance(s, If):
                s = replace(s, then=self.block(inner[0]), orelse=self.block(inner[1]))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(inner[0]))
            out.append(s)
        return Block(tuple(out), node.block.yields)

    def loop(self, s: For, body: Node) -> For:
        """A loop with cells."""
        inside = list(statements(s.body))
        if not all(isinstance(t, QUIET) for t in inside) or s.breaks or s.parallel:
            return s
        cells = self.cells(s, body, inside)
        if not cells:
            return s
        self.found |= {c.array.name for c in cells}
        names: dict[str, tuple[Var, _Cell]] = {}
        self.b.loc = s.loc
        with self.b.block() as before:
            for c in cells:
                assert isinstance(c.array.type, ArrayT)
                kind, hint = ArrayT(c.array.type.dtype, 1), c.array.hint or c.array.name
                zero = c.made is not None and c.made.zero
                cell = self.b.alloc(kind, (const(len(c.elements)),), zero, hint)
                names[c.array.name] = cell, c
                for k, index in enumerate(c.elements if c.made is None else ()):
                    self.b.store(cell, (const(k),), self.b.load(c.array, *index, hint=hint))
        with self.b.block() as after:
            for cell, c in names.values():
                for k, index in enumerate(c.elements if c.made is None else ()):
                    self.b.store(c.array, index, self.b.load(cell, const(k)))
        stmts = (*before, *(_instead(t, names) for t in s.body.stmts), *after)
        return replace(s, body=Block(stmts, s.body.yields))

    def cells(self, s: For, body: Node, inside: list[Stmt]) -> list[_Cell]:
        """The arrays of which each iteration touches certain elements only."""
        touched: dict[str, list[Touch]] = {}
        refused: set[str] = set()
        for t in inside:
            if isinstance(t, ELEMENTS):
                touched.setdefault(t.array.name, []).append(t)
            own = isinstance(t, (*ELEMENTS, Dim))
            atoms = (*operands(t)[int(own) :], *(y for b in blocks(t) for y in b.yields))
            refused |= {self.aliases.root(a) for a in atoms if is_reference(a)}  # type: ignore[arg-type]
        roots = [self.aliases.root(group[0].array) for group in touched.values()]
        found = []
        for root, group in zip(roots, touched.values(), strict=True):
            if root not in refused and roots.count(root) == 1:
                cell = self.cell(s, body, group)
                found += [] if cell is None else [cell]
        return found

    def cell(self, s: For, body: Node, group: list[Touch]) -> _Cell | None:
        """An array as a cell, if it can be one."""
        array = group[0].array
        if all(isinstance(t, Load) for t in group) or not isinstance(array.type, ArrayT):
            return None
        within = set(body.subtree())
        elements = {tuple(map(key, t.index)): t.index for t in group}
        atoms = {a for index in elements.values() for a in (array, *index)}
        if any(
            isinstance(a, Var) and a != s.index and self.tree.home[a.name].node in within
            for a in atoms
        ):
            return None
        found = tuple(elements.values())
        if len(found) > MOST or not all(
            _distinct(x, y) for k, x in enumerate(found) for y in found[:k]
        ):
            return None
        if not all(s.index in index for index in found):
            return None
        made = self.alone(array, body)
        if made is not None and self.meetings.natural(self.meetings.form(s.index)):
            return _Cell(array, found, made)
        if all(self.exists(array, index, body) for index in found):
            return _Cell(array, found, None)
        return None

    def alone(self, array: Var, body: Node) -> Alloc | None:
        """The allocation of an array, new where the loop starts, that nothing else uses."""
        home = self.tree.home[array.name]
        if not isinstance(home.stmt, Alloc) or home.node is not body.parent:
            return None
        within = set(body.subtree())
        for node in self.tree.nodes:
            if array in node.block.yields:
                return None
            for t in node.block.stmts:
                if array in operands(t) and node not in within and not isinstance(t, Dim):
                    return None
        return home.stmt

    def exists(self, array: Var, index: tuple[Atom, ...], body: Node) -> bool:
        """Whether the element is there, as the loop's body shows or the array's size."""
        wanted = list(map(key, index))
        for t in body.block.stmts:
            if isinstance(t, ELEMENTS) and t.array == array and list(map(key, t.index)) == wanted:
                return True
        sizes = self.shapes[array.name]
        return all(self.inside(a, n, body) for a, n in zip(index, sizes, strict=True))

    def inside(self, a: Atom, size: object, body: Node) -> bool:
        """Whether a subscript is below a size."""
        form = self.meetings.form(a)
        if not self.meetings.natural(form, body):
            return False
        return any(
            self.meetings.natural(plus(plus(n, form, -1), {"": -1}), body) for n in self.sizes(size)
        )

    def sizes(self, size: object) -> list[dict[str, int]]:
        """A size as formulas."""
        if not isinstance(size, DimOf):
            return [self.meetings.form(size)]  # type: ignore[arg-type]
        return [
            self.meetings.form(t.target)
            for _, _, t in self.tree.walk()
            if isinstance(t, Dim)
            and t.axis == size.axis
            and self.shapes[t.array.name][t.axis] == size
        ]


def _distinct(x: tuple[Atom, ...], y: tuple[Atom, ...]) -> bool:
    """Whether subscripts differ in a constant that counts from the front."""
    return any(
        isinstance(a, Const)
        and isinstance(b, Const)
        and a.value != b.value
        and min(a.value, b.value) >= 0
        for a, b in zip(x, y, strict=True)
    )


def _instead(s: Stmt, names: dict[str, tuple[Var, _Cell]]) -> Stmt:
    """A statement with cells in the place of elements."""
    if isinstance(s, If):
        then, orelse = (_block(b, names) for b in (s.then, s.orelse))
        return replace(s, then=then, orelse=orelse)
    if isinstance(s, (For, While)):
        return replace(s, body=_block(s.body, names))
    if isinstance(s, ELEMENTS) and s.array.name in names:
        cell, c = names[s.array.name]
        wanted = list(map(key, s.index))
        k = next(k for k, x in enumerate(c.elements) if list(map(key, x)) == wanted)
        return replace(s, array=cell, index=(const(k),))
    return s


def _block(b: Block, names: dict[str, tuple[Var, _Cell]]) -> Block:
    return replace(b, stmts=tuple(_instead(s, names) for s in b.stmts))
