"""Arrays that change places in each step, one of them to be filled: that one is made anew instead.

In: a function before differentiation.  Out: the same function where in loops like::

    for _ in range(steps):                     new = np.empty(n)
        for i in range(n):                     for i in range(n):
            new[i] = f(u, i)                       new[i] = f(u, i)
        u, new = new, u                        u = new

the step on the left became the one on the right, as ``copied`` leaves states that are copied.
``storage.reuse`` is the way back for code that keeps none of them.

Invariant: every load sees what it saw.  Each iteration fills the array before it reads of it; all
arrays that come to its place are made here, of one size, and known by no other name in the loop or
behind it; what is left in its place after the last iteration nobody uses.
Limits: no parallel loops, no checkpoints, arrays touched element by element.

>>> from srcad.ir.build import ONE, ZERO, Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import I8, ArrayT
>>> b = Builder(Namer())
>>> n = b.var("n", I8)
>>> u, v = (b.alloc(ArrayT("f8", 1), (n,), hint=h) for h in "uv")
>>> p, q, r, s = (b.var(h, u.type) for h in "pqrs")
>>> with b.block() as stmts:
...     with b.loop(ZERO, n) as i:
...         b.store(q, (i,), b.op("sin", b.load(p, i)))
>>> carried = (Carried(r, p, u), Carried(s, q, v))
>>> b.for_(b.var("t", I8), ZERO, n, ONE, carried, Block(tuple(stmts), (q, p)))
>>> fn = without_swap(Function("f", (n,), Block(tuple(b.stack[0]), (r,))))
>>> print("".join(text(fn).splitlines(True)[3:5]), end="")
    for t_2 in range(0, n, 1) carrying p: f8[:]C = u -> r:
        q: f8[:]C = empty(n)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from srcad.analyses.tree import Home, Tree
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Carried,
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
from srcad.ir.walk import operands
from srcad.transforms.fusion.private import fills, sums
from srcad.transforms.program import key
from srcad.transforms.renew.copied import place, steps


def without_swap(fn: Function) -> Function:
    """The function with such arrays made anew."""
    loops = (node.owner for node in Tree(fn).nodes if node.is_loop)
    if not any(_permuted(s) for s in loops):  # type: ignore[arg-type]
        return fn
    found = _Search(fn).found()
    return replace(fn, body=_rebuilt(fn.body, found)) if found else fn


def _permuted(s: For | While) -> list[int]:
    """Positions of arrays that stand at another position after an iteration."""
    args = [c.arg for c in s.carried]
    return [
        k
        for k, y in enumerate(s.body.yields)
        if isinstance(y.type, ArrayT) and y in args and y != args[k]
    ]


class _Search:
    """The arrays of one function that can be made anew."""

    def __init__(self, fn: Function) -> None:
        self.tree = Tree(fn)
        self.uses: dict[str, list[tuple[Home, Stmt | None]]] = {}
        self.sums = sums(fn.body)
        for node, position, s in self.tree.walk():
            for a in operands(s):
                self._use(a, Home(node, position, s), s)
        for node in self.tree.nodes:
            for y in node.block.yields:
                self._use(y, Home(node, len(node.block.stmts), None), None)

    def _use(self, a: Atom, where: Home, s: Stmt | None) -> None:
        if isinstance(a, Var) and isinstance(a.type, ArrayT):
            self.uses.setdefault(a.name, []).append((where, s))

    def found(self) -> dict[int, tuple[For | While, int, Alloc]]:
        """By loop (identity): it, the position of the array in what it carries, how it is made."""
        out: dict[int, tuple[For | While, int, Alloc]] = {}
        for _, s in steps(self.tree):
            for k in _permuted(s):
                made = self.scratch(s, k)
                if made is not None:
                    out[id(s)] = s, k, made
                    break
        return out

    def scratch(self, s: For | While, k: int) -> Alloc | None:
        """The array at a position, as made in an iteration, if it can be."""
        c = s.carried[k]
        if c.result.name in self.uses or not isinstance(c.arg.type, ArrayT):
            return None
        cycle = self.cycle(s, k)
        shapes = self.shapes(s, cycle)
        if shapes is None or not all(self.touched(s.carried[j].arg) for j in cycle):
            return None
        made = Alloc(c.arg, shapes, False, s.loc)
        return made if fills(s.body.stmts, made, self.sums) else None

    def cycle(self, s: For | While, k: int) -> list[int]:
        """The positions from which arrays come to a position, in as many iterations as it takes."""
        args, found = [c.arg for c in s.carried], [k]
        while True:
            y = s.body.yields[found[-1]]
            if y not in args:
                return []
            at = args.index(y)
            if at == k:
                return found
            if at in found:
                return []
            found.append(at)

    def shapes(self, s: For | While, cycle: Sequence[int]) -> tuple[Atom, ...] | None:
        """The one size of the arrays of a cycle, if nobody else knows them."""
        shapes, names = [], set()
        for k in cycle:
            c = s.carried[k]
            if not isinstance(c.init, Var) or c.arg.type != c.init.type:
                return None
            names.add(c.init.name)
            home = self.tree.home[c.init.name]
            if not isinstance(home.stmt, Alloc):
                return None
            if not self.forgotten(c.init.name, home, s):
                return None
            shapes.append(home.stmt.shape)
        same = len({tuple(map(key, x)) for x in shapes}) == 1
        return shapes[0] if same and len(names) == len(cycle) else None

    def forgotten(self, name: str, home: Home, loop: For | While) -> bool:
        """Whether an array is touched by its name before a loop in its block, not after."""
        for where, s in self.uses[name]:
            if s is loop:
                continue
            at = place(home.node, where.node, where.position)
            if at is None or not self._own(s, name) or at >= self._position(home, loop):
                return False
        return True

    def _own(self, s: Stmt | None, name: str) -> bool:
        """Whether a statement touches elements of an array, and does nothing else with it."""
        if not isinstance(s, (Load, Store, Accumulate, Dim)):
            return False
        return all(getattr(a, "name", "") != name for a in operands(s)[1:])

    def _position(self, home: Home, loop: For | While) -> int:
        """Where a loop stands in the block of an array; -1 if it stands elsewhere."""
        stmts = home.node.block.stmts
        return next((k for k, s in enumerate(stmts) if s is loop), -1)

    def touched(self, v: Var) -> bool:
        """Whether a carried array is touched by elements, and handed on once, by the loop."""
        uses = [s for _, s in self.uses.get(v.name, ())]
        return uses.count(None) == 1 and all(s is None or self._own(s, v.name) for s in uses)


def _rebuilt(b: Block, found: dict[int, tuple[For | While, int, Alloc]]) -> Block:
    """A block, arrays made in the loops they are filled in."""
    out: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, If):
            s = replace(s, then=_rebuilt(s.then, found), orelse=_rebuilt(s.orelse, found))
        elif isinstance(s, (For, While)):
            known = found.get(id(s))
            s = replace(s, body=_rebuilt(s.body, found))
            s = s if known is None else _without(s, *known[1:])
        out.append(s)
    return Block(tuple(out), b.yields)


def _without(s: For | While, k: int, made: Alloc) -> For | While:
    """A loop that makes an array instead of carrying it."""
    carried: tuple[Carried, ...] = (*s.carried[:k], *s.carried[k + 1 :])
    yields = (*s.body.yields[:k], *s.body.yields[k + 1 :])
    return replace(s, carried=carried, body=Block((made, *s.body.stmts), yields))


__all__ = ["without_swap"]
