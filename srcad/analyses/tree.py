"""Where everything in a function stands: the tree of its blocks, the home of every variable.

In: a function.  Out: ``Tree``: block nodes (with the loop they stand in), for every variable the
block and position of its definition, and ``may_follow`` (can one statement run after another).

Invariant: a position is an index into ``Block.stmts``; binders (parameters, loop indices, carried
arguments) stand at position -1 of the block they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from srcad.ir.nodes import Atom, Block, For, Function, Stmt, Var, While
from srcad.ir.types import Scalar
from srcad.ir.walk import binders, blocks, operands, targets


@dataclass(eq=False)
class Node:
    """A block: its place in the parent and the statement that owns it."""

    block: Block
    parent: Node | None = None
    position: int = 0
    owner: Stmt | None = None
    branch: int = 0
    children: dict[int, tuple[Node, ...]] = field(default_factory=dict)

    @property
    def is_loop(self) -> bool:
        """Whether this is the body of a loop."""
        return isinstance(self.owner, (For, While))

    @property
    def loop(self) -> Node | None:
        """The innermost loop body that this block is, or stands in."""
        return next((n for n in self.ancestors() if n.is_loop), None)

    def ancestors(self) -> Iterator[Node]:
        """This block and those around it, from the inside out."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def loops(self) -> list[Node]:
        """The loop bodies around, from the inside out (this one included)."""
        return [n for n in self.ancestors() if n.is_loop]

    def subtree(self) -> Iterator[Node]:
        """This block and all blocks in it."""
        yield self
        for children in self.children.values():
            for child in children:
                yield from child.subtree()

    def path(self) -> list[Node]:
        """The blocks from the function's body down to this one."""
        return list(self.ancestors())[::-1]


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """Where a variable is defined: block, position (-1: binder) and the statement, if any."""

    node: Node
    position: int
    stmt: Stmt | None


class Tree:
    """Block nodes and homes of a function."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.root = Node(fn.body)
        self.home: dict[str, Home] = {p.name: Home(self.root, -1, None) for p in fn.params}
        self.nodes: list[Node] = []
        self._visit(self.root)

    def _visit(self, node: Node) -> None:
        self.nodes.append(node)
        for position, s in enumerate(node.block.stmts):
            for t in targets(s):
                self.home[t.name] = Home(node, position, s)
            inner = blocks(s)
            if not inner:
                continue
            children = tuple(Node(b, node, position, s, k) for k, b in enumerate(inner))
            node.children[position] = children
            for v in binders(s):
                self.home[v.name] = Home(children[0], -1, s)
            for child in children:
                self._visit(child)

    def walk(self) -> Iterator[tuple[Node, int, Stmt]]:
        """Every statement with its place."""
        for node in self.nodes:
            for position, s in enumerate(node.block.stmts):
                yield node, position, s

    def free_floats(self, node: Node) -> dict[str, Var]:
        """Float scalars that a block (with its inner ones) reads but that are defined outside."""
        inside = set(node.subtree())
        found: dict[str, Var] = {}
        for n in node.subtree():
            for s in n.block.stmts:
                self._collect(operands(s), inside, found)
            self._collect(n.block.yields, inside, found)
        return found

    def _collect(self, atoms: tuple[Atom, ...], inside: set[Node], found: dict[str, Var]) -> None:
        for a in atoms:
            if isinstance(a, Var) and isinstance(a.type, Scalar) and a.type.kind in ("f8", "f4"):
                if self.home[a.name].node not in inside:
                    found[a.name] = a


def may_follow(
    first: tuple[Node, int], second: tuple[Node, int], birth: Node | None = None
) -> bool:
    """Whether ``second`` may run after ``first``, on the same instance of a storage.

    ``birth`` is the block whose every execution makes a new instance of the storage in question
    (``None``: the storage lives outside all loops).
    """
    a, b = first[0].path(), second[0].path()
    shared = [n for n, m in zip(a, b, strict=False) if n is m]
    renewing = set() if birth is None else set(birth.ancestors())
    if any(n.is_loop and n not in renewing for n in shared):
        return True
    depth = len(shared)
    here = a[depth].position if depth < len(a) else first[1]
    there = b[depth].position if depth < len(b) else second[1]
    if here == there and depth < len(a) and depth < len(b):
        return False  # two branches of one If
    return there > here


def loop_key(s: Stmt) -> str:
    """A name that identifies a loop: that of its index, or of its condition."""
    if isinstance(s, For):
        return s.index.name
    assert isinstance(s, While)
    return s.carried[0].arg.name
