"""An array that each iteration makes, in place of the one before, takes turns with a spare one.

In: IR after the last transform.  Out: the same function where a loop that replaces an array by one
that the iteration has made (``u = new``; in a reverse sweep ``u_b = u_b_1``) makes one array before
the loop, and the two change places: what was replaced is what the next iteration fills.  What an
iteration clears in the array that it replaces, after it has read it, is left out.

Invariant: no iteration can see what is in the spare array (zeros are written where they were asked
for and are read), nor can anybody else: the arrays are touched element by element under the names
that the loop gives them.
Limits: the first array is made in the loop's block, of the same size, and not used under its own
name from there on; nothing parallel.

>>> from srcad.ir.build import ONE, ZERO, Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import I8
>>> b = Builder(Namer())
>>> n = b.var("n", I8)
>>> u = b.alloc(ArrayT("f8", 1), (n,), hint="u")
>>> now, end = (b.var(h, u.type) for h in ("now", "end"))
>>> with b.block() as body:
...     new = b.alloc(u.type, (n,), False, "new")
...     b.store(new, (ZERO,), b.load(now, ONE))
>>> b.for_(b.var("t", I8), ZERO, n, ONE, (Carried(end, now, u),), Block(tuple(body), (new,)))
>>> print(text(spared(Function("f", (n,), Block(tuple(b.stack[0]), (end,))))), end="")
def f(n: i8):
    u: f8[:]C = zeros(n)
    new_1: f8[:]C = empty(n)
    for t_1 in range(0, n, 1) carrying now: f8[:]C = u -> end, new_2: f8[:]C = new_1 -> new_3:
        t: f8 = now[1]
        new_2[0] = t
        yield new_2, now
    return end
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from srcad.analyses.aliases import is_reference
from srcad.analyses.polynomials import Forms, plus
from srcad.ir.build import ONE, Builder
from srcad.ir.names import Namer
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
from srcad.ir.walk import blocks, operands, rewrite, statements, variables
from srcad.transforms.arrays import each, zero_of
from srcad.transforms.fusion.private import fills, sums
from srcad.transforms.program import each_function, key


def spared(fn: Function) -> Function:
    """The program with such arrays taking turns."""
    return each_function(fn, _spared)


def _spared(fn: Function) -> Function:
    if not any(_renewed(s) for s in statements(fn.body)):
        return fn
    return replace(fn, body=_Spare(fn).block(fn.body))


def _renewed(s: Stmt) -> list[tuple[int, Alloc]]:
    """Which carried arrays an iteration replaces by one that it makes."""
    if not isinstance(s, (For, While)) or isinstance(s, For) and s.parallel:
        return []
    if not any(is_reference(y) for y in s.body.yields):
        return []
    made = {t.target: t for t in s.body.stmts if isinstance(t, Alloc)}
    return [(k, made[y]) for k, y in enumerate(s.body.yields) if y in made]  # type: ignore[index]


class _Spare:
    """One function; ``handed`` counts how often a reference is used other than by element."""

    def __init__(self, fn: Function) -> None:
        self.forms = Forms(fn)
        self.handed, self.touched = Counter[str](), Counter[str]()
        self.count(fn.body, self.touched, self.handed)
        self.sums = sums(fn.body)
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def count(self, b: Block, touched: Counter[str], handed: Counter[str]) -> None:
        """How often references are touched by element in a block, and used otherwise."""
        handed.update(y.name for y in b.yields if isinstance(y, Var))
        for s in statements(b):
            own = isinstance(s, (Load, Store, Accumulate, Dim))
            touched.update([s.array.name] if own else [])  # type: ignore[union-attr]
            rest = operands(s)[1:] if own else operands(s)
            handed.update(a.name for a in rest if isinstance(a, Var))
            for inner in blocks(s):
                handed.update(y.name for y in inner.yields if isinstance(y, Var))

    def block(self, b: Block) -> Block:
        """A block and its inner blocks, rebuilt."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
                for k, made in _renewed(s):
                    if self.fits(s.carried[k], made, out):
                        s = self.turns(s, k, made, out)
            out.append(s)
        return Block(tuple(out), b.yields)

    def fits(self, c: Carried, made: Alloc, before: list[Stmt]) -> bool:
        """Whether nobody else knows the arrays, and the first one is made in the loop's block."""
        first = next((s for s in before if isinstance(s, Alloc) and s.target == c.init), None)
        if first is None or not isinstance(made.target.type, ArrayT):
            return False
        types = {first.target.type, made.target.type, c.arg.type, c.result.type}
        if len(types) > 1 or list(map(key, first.shape)) != list(map(key, made.shape)):
            return False
        names = (first.target.name, made.target.name, c.arg.name)
        if [self.handed[name] for name in names] != [1, 1, 0]:
            return False
        touched: Counter[str] = Counter()
        self.count(Block(tuple(before)), touched, Counter())
        return touched[names[0]] == self.touched[names[0]]

    def turns(self, s: For | While, k: int, made: Alloc, before: list[Stmt]) -> For | While:
        """A loop with a spare array."""
        c, old = s.carried[k], made.target
        spare, arg, result = (self.b.var(old.hint or old.name, old.type) for _ in range(3))
        before.append(replace(made, target=spare, zero=False))
        at = next(j for j, t in enumerate(s.body.stmts) if isinstance(t, Alloc) and t.target == old)
        rest = s.body.stmts[at + 1 :]  # the next iteration reads all of it
        zeros = self.zeros(made) if made.zero and not fills(rest, made, self.sums) else []
        stmts = self.alive(c.arg, [*s.body.stmts[:at], *zeros, *rest])

        def use(a: Atom) -> Atom:
            return arg if a == old else a

        ends = (*(use(y) for y in s.body.yields), c.arg)
        body = Block(tuple(rewrite(t, use, lambda v: v) for t in stmts), ends)
        return replace(s, carried=(*s.carried, Carried(result, arg, spare)), body=body)

    def zeros(self, made: Alloc) -> list[Stmt]:
        """The statements that clear an array."""
        assert isinstance(made.target.type, ArrayT)
        zero = zero_of(made.target.type.element)
        self.b.loc = made.loc
        with self.b.block() as stmts:
            each(self.b, made.target, lambda at: self.b.store(made.target, at, zero), made.shape)
        return stmts

    def alive(self, array: Var, stmts: list[Stmt]) -> list[Stmt]:
        """Without loops that only write elements of an array which nobody reads afterwards."""
        return [
            s
            for j, s in enumerate(stmts)
            if not (self.writes(s, array) and self.unread(s, array, stmts[j + 1 :]))  # type: ignore[arg-type]
        ]

    def writes(self, s: Stmt, array: Var) -> bool:
        """Whether a loop does no more than store in a range of a vector."""
        if not isinstance(s, For) or s.carried or s.breaks or s.step != ONE:
            return False
        match s.body.stmts:
            case (Store(array=a, index=(i,), value=v),):
                low = self.forms.bounds.lower(s.start)
                return a == array and i == s.index and v != i and low is not None and low >= 0
        return False

    def unread(self, s: For, array: Var, later: list[Stmt]) -> bool:
        """Whether what follows reads the array outside of a range only."""
        first, end = self.forms.of(s.start), self.forms.of(s.stop)
        for t in later:
            match t:
                case Load(array=a, index=(i,)) if a == array:
                    at, low = self.forms.of(i), self.forms.bounds.lower(i)
                    if self.forms.nonnegative(plus(at, end, -1)):
                        continue  # beyond; if it counts from the end, the range is empty
                    below = plus(plus(first, at, -1), {(): -1})
                    if low is None or low < 0 or not self.forms.nonnegative(below):
                        return False
                case _ if self.reads(t, array):
                    return False
        return True

    def reads(self, s: Stmt, array: Var) -> bool:
        """Whether a statement or one in it reads of an array."""
        inner = (t for b in blocks(s) for t in statements(b))
        return any(isinstance(t, (Load, Accumulate)) and t.array == array for t in (s, *inner))
