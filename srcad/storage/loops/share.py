"""Arrays that take turns share their storage: a tape that has been read becomes the adjoint.

In: IR after the last transform.  Out: the same function where an array that is written only where
another one, of the same shape and type, is not needed any more (element by element: the tape is
read for the last time at ``i`` where the adjoint is first written at ``i``) is that other one.  An
array less is one less to fetch, and a large one less is memory that the system need not provide.

Invariant: no element of the first array is touched after the same element of the second
(``analyses.elements``); what the first holds is needed nowhere else.  Both are made in the same
block and touched element by element.  Limits: ``MANY`` arrays of one shape, ``OFTEN`` accesses.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Loc
>>> from srcad.ir.text import text
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 1))
>>> n = b.dim(x, 0)
>>> made = []
>>> for role, hint in (("tape", "tape"), ("adjoint", "x_b")):
...     b.loc = Loc("f.py", 1, role=role)
...     made.append(b.alloc(ArrayT("f8", 1), (n,), False, hint))
>>> tape, x_b = made
>>> with b.loop(const(0), n) as i:
...     b.store(tape, (i,), b.op("exp", b.load(x, i)))
>>> with b.loop(const(0), n) as i:
...     b.store(x_b, (i,), b.load(tape, i))
>>> print(text(shared(Function("f", (x,), Block(tuple(b.stack[0]), (x_b,))))), end="")
def f(x: f8[:]C):
    n: i8 = dim(x, 0)
    x_b: f8[:]C = empty(n)
    for i in range(0, n, 1):
        t: f8 = x[i]
        t_1: f8 = exp(t)
        x_b[i] = t_1
    for i_1 in range(0, n, 1):
        t_2: f8 = x_b[i_1]
        x_b[i_1] = t_2
    return x_b
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import replace

from srcad.analyses.elements import Access, touches_again
from srcad.analyses.polynomials import Forms
from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Block,
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
from srcad.ir.walk import rewrite
from srcad.storage.loops.births import birth
from srcad.transforms.program import each_function
from srcad.transforms.separate import alone

MANY = 24
OFTEN = 48


def shared(fn: Function) -> Function:
    """The program with fewer arrays."""
    return each_function(fn, _shared)


def _shared(fn: Function) -> Function:
    work = _Share(fn)
    stands = work.found()
    if not stands:
        return fn
    return replace(fn, body=_renamed(fn.body, stands, work))


class _Share:
    """One function: which array stands for which."""

    def __init__(self, fn: Function) -> None:
        self.tree = Tree(fn)
        self.made = alone(self.tree, results=True)
        self.results = {y.name for y in fn.body.yields if isinstance(y, Var)}
        self.forms = Forms(fn)
        self.accesses: dict[str, list[Access]] = defaultdict(list)
        for node, position, s in self.tree.walk():
            if isinstance(s, (Load, Store, Accumulate)) and s.array.name in self.made:
                access = Access(node, position, s.array.name, s.array, s.index)
                self.accesses[s.array.name].append(access)

    def found(self) -> dict[str, str]:
        """By name: the array that takes its place."""
        groups: dict[Hashable, list[str]] = defaultdict(list)
        for name, s in self.made.items():
            if isinstance(s.target.type, ArrayT) and s.shape and self.accesses[name]:
                sizes = tuple(frozenset(self.forms.of(n).items()) for n in s.shape)
                groups[self.tree.home[name].node, s.target.type, sizes].append(name)
        stands: dict[str, str] = {}
        for names in groups.values():
            if 1 < len(names) <= MANY:
                self.group(names, stands)
        return stands

    def group(self, names: list[str], stands: dict[str, str]) -> None:
        """Arrays of one shape, in the order in which they are made."""
        heads: list[str] = []
        for name in names:
            earlier = next((h for h in heads if self.takes(h, name)), None)
            if earlier is None:
                heads.append(name)
                continue
            stands[name] = earlier
            self.accesses[earlier] += self.moved(name, earlier)
            if name in self.results:
                self.results.add(earlier)

    def takes(self, first: str, second: str) -> bool:
        """Whether the second array can be put where the first one was."""
        mine, theirs = self.accesses[first], self.accesses[second]
        if not self.akin(self.made[first], self.made[second]):
            return False
        if first in self.results or self.made[second].zero or len(mine) + len(theirs) > OFTEN:
            return False
        node = self.together(first, second)
        moved = self.moved(second, first)
        return not any(touches_again(self.tree, b, a, node) for b in moved for a in mine)

    def moved(self, name: str, to: str) -> list[Access]:
        """The accesses to an array as if they were to another one."""
        array = self.made[to].target
        return [replace(a, root=to, array=array) for a in self.accesses[name]]

    def akin(self, first: Alloc, second: Alloc) -> bool:
        """Whether who reads the code will see why: two of one name, a tape and an adjoint."""
        if first.target.hint == second.target.hint:
            return True
        return [_role(first), _role(second)] == ["tape", "adjoint"]

    def together(self, first: str, second: str) -> Node:
        """The innermost block each execution of which makes, as it were, both arrays anew."""
        one, two = (birth(self.tree, self.made[n], self.accesses[n]) for n in (first, second))
        return one if one in two.ancestors() else two if two in one.ancestors() else self.tree.root


def _role(s: Alloc) -> str:
    return s.loc.role if s.loc is not None else ""


def _renamed(b: Block, stands: dict[str, str], work: _Share) -> Block:
    """A block with the arrays' new names: that of a result, of an adjoint, or of the first."""
    made = work.made
    heads = {head: made[head] for head in stands.values()}
    for name, head in reversed(stands.items()):
        if name in work.results or _role(made[head]) == "tape" and head not in work.results:
            heads[head] = made[name]
    new = {name: heads[head].target for name, head in stands.items()}
    new |= {head: s.target for head, s in heads.items()}

    def use(a: object) -> object:
        return new.get(a.name, a) if isinstance(a, Var) else a

    def block(x: Block) -> Block:
        out: list[Stmt] = []
        for s in x.stmts:
            if isinstance(s, Alloc) and s.target.name in stands:
                continue
            if isinstance(s, Alloc):
                s = replace(s, loc=heads[s.target.name].loc) if s.target.name in heads else s
                out.append(replace(s, target=use(s.target)))  # type: ignore[arg-type]
            elif isinstance(s, If):
                out.append(replace(s, then=block(s.then), orelse=block(s.orelse)))
            elif isinstance(s, (For, While)):
                out.append(replace(s, body=block(s.body)))
            else:
                out.append(rewrite(s, use, lambda v: v))  # type: ignore[arg-type]
        return Block(tuple(out), tuple(map(use, x.yields)))  # type: ignore[arg-type]

    return block(b)
