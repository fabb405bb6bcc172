"""Arrays that are filled again and again: each filling gets storage of its own.

In: a function, the arrays in question.  Out: the same function where an array that is filled
several times in one block (``at`` in the stages of a Runge-Kutta step) is several arrays, one for
each filling, or ``None`` where no array is like that.  Nothing is then overwritten that the reverse
sweep needs, and loops over the fillings may be merged (array renaming: Feautrier, "Array
Expansion", ICS 1988; Cytron & Ferrante, "What's in a Name?", ICPP 1987).

Invariant: every load sees what it saw.  A filling ends where the next one begins, which writes all
of the array before it reads of it; what comes before the first one and from the last one on stays
with the old array, so what a loop hands on to its next iteration stays there as well.
Limits: arrays touched element by element under one name, ``FEW`` fillings, ``LONG`` statements.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 1))
>>> n = b.dim(x, 0)
>>> t = b.alloc(ArrayT("f8", 1), (n,), False, "t")
>>> for name in ("sin", "cos"):
...     with b.loop(const(0), n) as i:
...         b.store(t, (i,), b.op(name, b.load(x, i)))
...     with b.loop(const(0), n) as i:
...         b.accumulate(x, (i,), b.load(t, i))
>>> fn = separated(Function("f", (x,), Block(tuple(b.stack[0]))), {"t"})
>>> print("".join(text(fn).splitlines(True)[2:7]), end="")
    t: f8[:]C = empty(n)
    t_7: f8[:]C = empty(n)
    for i in range(0, n, 1):
        t_1: f8 = x[i]
        t_2: f8 = sin(t_1)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from srcad.analyses.aliases import is_reference
from srcad.analyses.tree import Node, Tree
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Dim,
    For,
    Function,
    If,
    Load,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import ArrayT
from srcad.ir.walk import operands, rewrite, variables
from srcad.transforms.fusion.private import fills

FEW = 6  # fillings of an array
LONG = 64  # statements of a block that touch it


def alone(tree: Tree, results: bool = False) -> dict[str, Alloc]:
    """The arrays that are made here, and touched only element by element under their own name.

    ``results``: also those that the function returns.
    """
    made: dict[str, Alloc] = {}
    for _, _, s in tree.walk():
        if isinstance(s, Alloc) and isinstance(s.target.type, ArrayT):
            made[s.target.name] = s
    for node in tree.nodes:
        atoms: list[Atom] = [] if results and node is tree.root else list(node.block.yields)
        for s in node.block.stmts:
            own = isinstance(s, (Load, Store, Accumulate, Dim))
            atoms += operands(s)[1:] if own else operands(s)
        for a in atoms:
            if is_reference(a):
                made.pop(a.name, None)  # type: ignore[union-attr]
    return made


@dataclass(frozen=True)
class _Fillings:
    """An array, the block in which it is filled, the positions there where fillings start."""

    made: Alloc
    node: Node
    starts: tuple[int, ...]


def separated(fn: Function, arrays: Collection[str], looping: bool = False) -> Function | None:
    """The function with such arrays separated, ``None`` where there are none.

    ``looping``: those filled in a loop outside of which they are made, else those that are not.
    """
    tree = Tree(fn)
    made = {name: s for name, s in alone(tree).items() if name in arrays}
    touched: dict[str, list[tuple[Node, int]]] = {name: [] for name in made}
    for node, position, s in tree.walk():
        if isinstance(s, (Load, Store, Accumulate)) and s.array.name in touched:
            touched[s.array.name].append((node, position))
    found = [_fillings(tree, s, touched[name], looping) for name, s in made.items()]
    several = [f for f in found if f is not None]
    return _Separate(fn, several).function() if several else None


def _fillings(
    tree: Tree, made: Alloc, touched: list[tuple[Node, int]], looping: bool
) -> _Fillings | None:
    """Where an array is filled, if it is more than once."""
    if len(touched) < 2:
        return None
    paths = [node.path() for node, _ in touched]
    node = [n for n in paths[0] if all(n in p for p in paths)][-1]
    between = node.loops()[: len(node.loops()) - len(tree.home[made.target.name].node.loops())]
    if bool(between) != looping:
        return None
    depth = len(node.path())
    positions = sorted(
        {
            p[depth].position if len(p) > depth else k
            for p, (_, k) in zip(paths, touched, strict=True)
        }
    )
    if len(positions) > LONG:
        return None
    stmts = node.block.stmts
    starts = [
        k
        for at, k in enumerate(positions)
        if isinstance(stmts[k], (Store, For)) and fills([stmts[j] for j in positions[at:]], made)
    ]
    return _Fillings(made, node, tuple(starts)) if 1 < len(starts) <= FEW else None


class _Separate:
    """Rebuilds the function with a name for each filling but the last."""

    def __init__(self, fn: Function, found: list[_Fillings]) -> None:
        self.fn = fn
        self.found = found
        self.namer = Namer(v.name for v in variables(fn))
        self.new = {
            f.made.target.name: [
                replace(f.made.target, name=self.namer.fresh(f.made.target.hint or "a"))
                for _ in f.starts[:-1]
            ]
            for f in found
        }

    def function(self) -> Function:
        return replace(self.fn, body=self.block(self.fn.body, {}))

    def block(self, b: Block, now: dict[str, Var]) -> Block:
        """A block; ``now`` are the names that arrays have in it."""
        here = [f for f in self.found if f.node.block is b]
        out: list[Stmt] = []
        for k, s in enumerate(b.stmts):
            for f in here:
                if k in f.starts:
                    name, nth = f.made.target.name, f.starts.index(k)
                    names = self.new[name]
                    now = {**now, name: names[nth] if nth < len(names) else f.made.target}
            out.append(self.statement(s, now))
            if isinstance(s, Alloc):
                out += [replace(s, target=v, zero=False) for v in self.new.get(s.target.name, ())]
        return Block(tuple(out), b.yields)

    def statement(self, s: Stmt, now: dict[str, Var]) -> Stmt:
        """A statement, with the present names."""
        if isinstance(s, If):
            return replace(s, then=self.block(s.then, now), orelse=self.block(s.orelse, now))
        if isinstance(s, (For, While)):
            return replace(s, body=self.block(s.body, now))
        if isinstance(s, (Load, Store, Accumulate, Dim)):
            return rewrite(s, lambda a: now.get(a.name, a) if isinstance(a, Var) else a, _same)
        return s


def _same(v: Var) -> Var:
    return v
