"""Arrays that are copied into others at the end of an iteration change places with them instead.

In: IR after the last transform.  Out: the same function where an iteration that ends by adding to
an array, or storing in it, element by element what it has computed in a second one (``u_b +=
old_b`` in the reverse sweep of a time step) adds the few elements that count to the second one, and
the two change places (as one does by hand: ``b, new_b = new_b, b``).

The elements of the first array that are cleared before that (those that the step has written) count
for nothing: the sum there is what the second array holds.

Invariant: the sums are the same, up to the sign of a zero.  The second array is the iteration's own
(``fusion.private``): nobody reads what is in it when the next one begins.  Both are made in the
block of the loop, of one size, and known by no other names.
Limits: vectors; all elements but a range that is cleared right before; adjoint code only.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Loc
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8
>>> b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
>>> n = b.dim(b.var("x", ArrayT("f8", 1)), 0)
>>> u, w = (b.alloc(ArrayT("f8", 1), (n,), False, h) for h in "uw")
>>> with b.loop(const(0), const(9)):
...     with b.loop(const(0), n) as i:
...         b.store(w, (i,), b.op("sin", b.load(u, i)))
...     with b.loop(const(0), n) as i:
...         b.store(u, (i,), b.load(w, i))
>>> fn = Function("f", (), Block(tuple(b.stack[0]), (u,)))
>>> print("".join(text(exchanged(fn)).splitlines(True)[4:]), end="")
    for i in range(0, 9, 1) carrying u_1: f8[:]C = u -> u_2, w_1: f8[:]C = w -> w_2:
        for i_1 in range(0, n, 1):
            t: f8 = u_1[i_1]
            t_1: f8 = sin(t)
            w_1[i_1] = t_1
        yield w_1, u_1
    return u_2
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from srcad.analyses.tree import Tree
from srcad.ir.bounds import Bounds
from srcad.ir.build import ONE, ZERO, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Carried,
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
from srcad.ir.walk import blocks, operands, rewrite, statements, variables
from srcad.transforms.arrays import zero_of
from srcad.transforms.fusion.private import is_private, sums
from srcad.transforms.program import each_function, key
from srcad.transforms.separate import alone


def exchanged(fn: Function) -> Function:
    """The program with such arrays changing places."""
    return each_function(fn, _exchanged)


def _exchanged(fn: Function) -> Function:
    if not any(_moves(s) for s in statements(fn.body)):
        return fn
    return _Exchange(fn).function()


@dataclass(frozen=True)
class _Move:
    """``into[i] += source[i]`` for all ``i`` (or ``=``), the last statement to touch either."""

    into: Var
    source: Var
    adds: bool


def _moves(s: Stmt) -> _Move | None:
    """A loop that does no more than such a move."""
    if not isinstance(s, For) or s.carried or s.breaks or s.parallel or s.step != ONE:
        return None
    match s.body.stmts:
        case (Load(target=t, array=x, index=(i,)), Store() | Accumulate() as w):
            plain = s.start == ZERO and i == s.index and w.index == (i,) and w.value == t
            adjoint = w.loc is not None and w.loc.role == "adjoint"
            same = x.type == w.array.type and isinstance(x.type, ArrayT) and x != w.array
            if plain and adjoint and same and not getattr(w, "atomic", False):
                return _Move(w.array, x, isinstance(w, Accumulate))
    return None


def _clears(s: Stmt, array: Var) -> bool:
    """Whether a loop stores zeros in a range of a vector, and does nothing else."""
    if not isinstance(s, For) or s.carried or s.breaks or s.parallel or s.step != ONE:
        return False
    match s.body.stmts:
        case (Store(array=a, index=(i,), value=v),):
            assert isinstance(a.type, ArrayT)
            return a == array and i == s.index and key(v) == key(zero_of(a.type.element))
    return False


def _counts(b: Block) -> Counter[str]:
    """How often variables are used in a block."""
    found = Counter(a.name for a in b.yields if isinstance(a, Var))
    for s in statements(b):
        found.update(a.name for a in operands(s) if isinstance(a, Var))
        for inner in blocks(s):
            found.update(a.name for a in inner.yields if isinstance(a, Var))
    return found


class _Exchange:
    """One function."""

    def __init__(self, fn: Function) -> None:
        self.fn, self.bounds = fn, Bounds(fn)
        self.made = alone(Tree(fn), results=True)
        self.uses = _counts(fn.body)
        self.sums = sums(fn.body)
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def function(self) -> Function:
        """The function rebuilt."""
        return replace(self.fn, body=self.block(self.fn.body))

    def block(self, b: Block) -> Block:
        """A block and its inner blocks, rebuilt."""
        out: list[Stmt] = []
        here: dict[str, Alloc] = {}
        names: dict[str, Var] = {}  # after the loops so far

        def now(a: Atom) -> Atom:
            return names.get(a.name, a) if isinstance(a, Var) else a

        for s in b.stmts:
            s = rewrite(s, now, lambda v: v) if names else s
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
                while not getattr(s, "parallel", False) and (found := self.found(s, here)):
                    s = self.changing(s, *found, names)
            elif isinstance(s, Alloc) and s.target.name in self.made:
                here[s.target.name] = s
            out.append(s)
        return Block(tuple(out), tuple(map(now, b.yields)))

    def found(self, s: For | While, here: dict[str, Alloc]) -> tuple[_Move, int, int | None] | None:
        """A move in a loop that may be an exchange, its position, and that of what clears."""
        stmts, own = s.body.stmts, None
        for j in reversed(range(len(stmts))):
            move = _moves(stmts[j])
            if move is None or not {move.into.name, move.source.name} <= set(here):
                continue
            made, second = here[move.into.name], here[move.source.name]
            if list(map(key, made.shape)) != list(map(key, second.shape)):
                continue
            whole = stmts[j]
            assert isinstance(whole, For)
            if key(whole.stop) != key(made.shape[0]) or _touch(stmts[j + 1 :], move):
                continue
            at = next((k for k in reversed(range(j)) if _touch(stmts[k : k + 1], move)), None)
            if move.adds and (at is None or not self.range(stmts[at], move.into)):
                continue
            own = own or _counts(Block((s,)))
            inside = own[move.source.name] == self.uses[move.source.name]
            if inside and is_private(s.body, second, self.sums):
                return move, j, at if move.adds else None
        return None

    def range(self, s: Stmt, array: Var) -> bool:
        """Whether a statement clears a range that does not begin before the first element."""
        if not _clears(s, array):
            return False
        assert isinstance(s, For)
        low = self.bounds.lower(s.start)
        return low is not None and low >= 0

    def changing(
        self, s: For | While, move: _Move, j: int, at: int | None, names: dict[str, Var]
    ) -> For | While:
        """A loop that hands the two arrays on in each other's place."""
        stmts = list(s.body.stmts)
        stmts[j : j + 1] = [] if at is None else self.rest(stmts[at], stmts[j], move)
        if at is not None:
            del stmts[at]
        b, pair = self.b, (move.into, move.source)
        args = [b.var(v.hint or v.name, v.type) for v in pair]
        results = [b.var(v.hint or v.name, v.type) for v in pair]
        new = {v.name: arg for v, arg in zip(pair, args, strict=True)}

        def use(a: Atom) -> Atom:
            return new.get(a.name, a) if isinstance(a, Var) else a

        inner = tuple(rewrite(t, use, lambda v: v) for t in stmts)
        carried = tuple(map(Carried, results, args, pair))
        body = Block(inner, (*s.body.yields, args[1], args[0]))
        names[move.into.name] = results[0]
        return replace(s, carried=(*s.carried, *carried), body=body)

    def rest(self, cleared: Stmt, whole: Stmt, move: _Move) -> list[Stmt]:
        """The sums outside of the range that is cleared."""
        assert isinstance(cleared, For) and isinstance(whole, For)
        b, n = self.b, whole.stop
        with b.block() as out:
            b.loc = whole.body.stmts[1].loc
            last = b.op("max", cleared.start, cleared.stop, hint="end")
            for start, stop in ((ZERO, b.op("min", cleared.start, n, hint="end")), (last, n)):
                with b.loop(start, stop) as i:
                    b.accumulate(move.source, (i,), b.load(move.into, i))
        return out


def _touch(stmts: tuple[Stmt, ...], move: _Move) -> bool:
    used = _counts(Block(stmts))
    return bool(used[move.into.name] or used[move.source.name])
