"""Sums in a loop of their own, where sums may be taken in any order.

In: IR after the last transform, of which values may be reassociated (``fastmath="all"``).  Out: the
same function, where a loop that carries sums and a recurrence whose values it also keeps in an
array (``mul_tape[j] = mul; r -= x[j] * mul; mul *= t``) becomes two: the first makes the
recurrence, the second reads what the first one has kept, and sums.  The recurrence keeps LLVM from
making vectors of the sum; the sum is a third use of it, with which LLVM does not reassociate it.

Invariant: every operation is the same, in the same order for each sum, so values are bit for bit
the same until LLVM reorders them.  Limits: counted loops of step one whose body is straight; what
is added depends on arrays that the loop does not write, and on carried values that it keeps.

>>> from srcad.ir.build import ONE, Builder, const
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8, I8, ArrayT
>>> b = Builder(Namer())
>>> x, kept = b.var("x", ArrayT("f8", 1)), b.alloc(ArrayT("f8", 1), (const(9),), False, "kept")
>>> i, r, p, out, last = b.var("i", I8), *(b.var(n, F8) for n in ("r", "p", "out", "last"))
>>> with b.block() as body:
...     b.store(kept, (i,), p)
...     s = b.op("add", r, b.op("mul", b.load(x, i), p))
...     q = b.op("mul", p, const(0.5), hint="q")
>>> carried = (Carried(out, r, const(0.0)), Carried(last, p, const(1.0)))
>>> b.for_(i, const(0), const(9), ONE, carried, Block(tuple(body), (s, q)))
>>> print(text(sums_apart(Function("f", (x,), Block(tuple(b.stack[0]), (out, last))))), end="")
def f(x: f8[:]C):
    kept: f8[:]C = empty(9)
    for i in range(0, 9, 1) carrying p: f8 = 1.0 -> last:
        kept[i] = p
        q: f8 = mul(p, 0.5)
        yield q
    for i_1 in range(0, 9, 1) carrying r_1: f8 = 0.0 -> out:
        p_1: f8 = kept[i_1]
        t_3: f8 = x[i_1]
        t_4: f8 = mul(t_3, p_1)
        t_5: f8 = add(r_1, t_4)
        yield t_5
    return out, last
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcad.analyses.aliases import Aliases
from srcad.ir.bounds import Bounds
from srcad.ir.build import ONE
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Atom,
    Block,
    Carried,
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
from srcad.ir.types import ArrayT
from srcad.ir.walk import operands, rewrite, targets, variables
from srcad.storage.strips import sum_of
from srcad.transforms.program import each_function


def sums_apart(fn: Function) -> Function:
    """The program with such loops in two."""
    return each_function(fn, lambda f: replace(f, body=_Apart(f).block(f.body)))


class _Apart:
    """One function."""

    def __init__(self, fn: Function) -> None:
        self.aliases, self.bounds = Aliases(fn), Bounds(fn)
        self.namer = Namer(v.name for v in variables(fn))

    def block(self, b: Block) -> Block:
        return Block(tuple(t for s in b.stmts for t in self.statement(s)), b.yields)

    def statement(self, s: Stmt) -> Iterator[Stmt]:
        if isinstance(s, If):
            yield replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
        elif isinstance(s, For) and (found := self.two(s)) is not None:
            yield from found
        elif isinstance(s, (For, While)):
            yield replace(s, body=self.block(s.body))
        else:
            yield s

    def two(self, s: For) -> tuple[For, For] | None:
        """The loop of the recurrence, and that of the sums."""
        straight = all(isinstance(t, (Op, Load, Store)) for t in s.body.stmts)
        if not straight or s.breaks or s.parallel or s.keep is not None or s.step != ONE:
            return None
        sums = {k: found for k in range(len(s.carried)) if (found := sum_of(s, k))}
        if not sums or len(sums) == len(s.carried):
            return None
        added = [x for group in sums.values() for x in group]
        needed = self.slice(s, [x.value for x in added])
        if needed is None:
            return None
        mine = {x.op.target.name for x in added}
        stmts, kept = needed
        return self.first(s, set(sums), mine), self.second(s, sorted(sums), mine, stmts, kept)

    def slice(self, s: For, values: list[Var]) -> tuple[set[str], dict[str, Store]] | None:
        """What makes the values again: names of statements' targets, and of carried values the
        stores that keep them; ``None`` if that cannot be."""
        made = {t.name: x for x in s.body.stmts for t in targets(x)}
        carried = {c.arg.name for c in s.carried}
        stores = [t for t in s.body.stmts if isinstance(t, Store)]
        written = [self.aliases.root(t.array) for t in stores]
        needed, kept, todo = set[str](), dict[str, Store](), [v.name for v in values]
        while todo:
            name = todo.pop()
            if name in carried and name not in kept:
                home = next((t for t in stores if self.keeps(s, t, name, made)), None)
                if home is None or written.count(self.aliases.root(home.array)) > 1:
                    return None
                kept[name] = home
                todo += [a.name for a in home.index if isinstance(a, Var)]
            elif name in made and name not in needed:
                x = made[name]
                if isinstance(x, Load) and self.aliases.root(x.array) in written:
                    return None
                needed.add(name)
                todo += [a.name for a in operands(x) if isinstance(a, Var)]
        return (needed, kept) if kept else None

    def keeps(self, s: For, t: Store, name: str, made: dict[str, Stmt]) -> bool:
        """Whether a store keeps a carried value, at another place in every iteration."""
        if not (isinstance(t.value, Var) and t.value.name == name):
            return False
        if not isinstance(t.array.type, ArrayT) or t.array.type.dtype != str(t.value.type):
            return False
        (at,) = t.index if len(t.index) == 1 else (None,)
        x = made.get(at.name) if isinstance(at, Var) else None
        if isinstance(x, Op) and x.op in ("add", "sub") and s.index in x.args:
            others = [a for a in x.args if a != s.index]
            fixed = len(others) == 1 and getattr(others[0], "name", "") not in made
            return fixed and (
                x.op == "sub" and x.args == (s.index, s.start) or self.natural(x.target)
            )
        return at == s.index and self.natural(s.index)

    def natural(self, a: Atom) -> bool:
        """Whether a subscript is never one that counts from the end (and may come back)."""
        low = self.bounds.lower(a)
        return low is not None and low >= 0

    def first(self, s: For, sums: set[int], mine: set[str]) -> For:
        """The loop without the sums, and without what only they use."""
        left = [k for k in range(len(s.carried)) if k not in sums]
        yields = tuple(s.body.yields[k] for k in left)
        used = {a.name for a in yields if isinstance(a, Var)}
        stmts: list[Stmt] = []
        for t in reversed(s.body.stmts):
            names = {v.name for v in targets(t)}
            if isinstance(t, Store) or names & used and not names & mine:
                stmts.append(t)
                used |= {a.name for a in operands(t) if isinstance(a, Var)}
        return replace(
            s, carried=tuple(s.carried[k] for k in left), body=Block(tuple(stmts[::-1]), yields)
        )

    def second(
        self, s: For, sums: list[int], mine: set[str], needed: set[str], kept: dict[str, Store]
    ) -> For:
        """The loop of the sums."""
        new: dict[str, Var] = {}

        def define(v: Var) -> Var:
            new[v.name] = replace(v, name=self.namer.fresh(v.hint or v.name))
            return new[v.name]

        def use(a: Atom) -> Atom:
            return new.get(a.name, a) if isinstance(a, Var) else a

        index = define(s.index)
        carried = tuple(
            Carried(c.result, define(c.arg), c.init) for c in (s.carried[k] for k in sums)
        )
        stmts: list[Stmt] = []
        homes = {id(t): name for name, t in kept.items()}
        places = {v.name for t in kept.values() for v in t.index if isinstance(v, Var)}
        for t in s.body.stmts:
            if any(v.name in places for v in targets(t)):
                stmts.append(rewrite(t, use, define))
        for t in s.body.stmts:
            if id(t) in homes and isinstance(t, Store) and isinstance(t.value, Var):
                found = define(t.value)
                stmts.append(Load(found, t.array, tuple(map(use, t.index)), t.loc))
        for t in s.body.stmts:
            if any(v.name in needed | mine and v.name not in places for v in targets(t)):
                stmts.append(rewrite(t, use, define))
        yields = tuple(use(s.body.yields[k]) for k in sums)
        body = Block(tuple(stmts), yields)
        return replace(s, index=index, carried=carried, body=body)
