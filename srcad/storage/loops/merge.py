"""Neighbouring loops over one range become one loop; what it then only hands on is not stored.

In: IR after the last transform.  Out: the same function where two loops of a block are one, the
body of the second after that of the first, if they go over the same range or all but a few
iterations of it (``ranges``), and touch an array in common; what stands between goes before or
behind.  ``contract`` then keeps values instead of elements.

Why: each pass over an array costs its way from the cache and back, and the reverse of a program
that goes statement by statement over its arrays does so as well (McKinley, Carr & Tseng, "Improving
Data Locality with Loop Transformations", TOPLAS 1996, section 4.2).

Invariant: every element sees the same accesses in the same order: where an iteration of the second
loop meets an element that the first touches, it is not in an earlier iteration
(``analyses.distances``).  No element is read in a later iteration than it is written, which would
keep LLVM from making a vector loop.  Nothing moves past what may raise, print, draw or be called.
Limits: ``ARRAYS`` arrays; loops of one kind (``kinds``); neighbours are looked for ``NEAR``
statements further.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 1))
>>> n = b.dim(x, 0)
>>> y, z = (b.alloc(ArrayT("f8", 1), (n,), False, hint) for hint in "yz")
>>> with b.loop(const(0), n) as i:
...     b.store(y, (i,), b.op("sin", b.load(x, i)))
>>> with b.loop(const(0), n) as i:
...     b.store(z, (i,), b.op("mul", b.load(y, i), b.load(x, i)))
>>> print(text(merged(Function("f", (x,), Block(tuple(b.stack[0]), (z,))))), end="")
def f(x: f8[:]C):
    n: i8 = dim(x, 0)
    z: f8[:]C = empty(n)
    for i in range(0, n, 1):
        t: f8 = x[i]
        t_1: f8 = sin(t)
        t_4: f8 = mul(t_1, t)
        z[i] = t_4
    return z
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from srcad.analyses.aliases import OUTSIDE
from srcad.analyses.distances import NEVER, Access, Distances
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Check, For, Function, If, Stmt, While
from srcad.ir.walk import blocks, free_variables, rewrite_block, statements, targets, variables
from srcad.storage.loops.contract import contracted
from srcad.storage.loops.facts import ahead
from srcad.storage.loops.fills import filled
from srcad.storage.loops.kinds import kind
from srcad.storage.loops.ranges import Aligned, aligned
from srcad.storage.loops.remake import remade
from srcad.storage.loops.share import shared
from srcad.storage.loops.sparse import skipping
from srcad.transforms.program import each_function
from srcad.transforms.separate import separated

ARRAYS = 16  # in a loop; more keep the processor from fetching them ahead
NEAR = 40  # statements between two loops
TRIES = 6  # loops that are tried as the second one


def merged(fn: Function) -> Function:
    """The program with such loops merged; one that runs on several threads stays as it is."""
    family = (fn, *fn.callees.values())
    if any(isinstance(s, For) and s.parallel for f in family for s in statements(f.body)):
        return fn
    return shared(each_function(filled(skipping(fn)), _merged))


def _merged(fn: Function) -> Function:
    if not _neighbours(fn.body):
        return fn
    apart = separated(fn, {v.name for v in variables(fn)}, looping=True) or fn
    work = _Merge(apart)
    body = work.block(apart.body, {})
    return remade(contracted(replace(apart, body=body))) if work.count else fn


def joined(fn: Function, loops: Iterable[str], flat: bool = False) -> tuple[Function, set[str]]:
    """A function, some of its loops merged with those around them, of whatever kind.

    Loops are named by their counters; the second result are the names that they have now.
    ``flat``: only with loops that have no loops inside.
    """
    work = _Merge(fn, set(loops), flat)
    body = work.block(fn.body, {})
    return (replace(fn, body=body) if work.count else fn), work.chosen or set()


def _neighbours(b: Block) -> bool:
    """Whether some block has two loops."""
    inner = any(_neighbours(x) for s in b.stmts for x in blocks(s))
    return inner or sum(isinstance(s, For) for s in b.stmts) > 1


class _Merge:
    """One function; ``count`` loops are gone.  ``chosen``: only these become one with others."""

    def __init__(self, fn: Function, chosen: set[str] | None = None, flat: bool = False) -> None:
        self.chosen, self.flat = chosen, flat
        self.distances = Distances(fn)
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.count = 0

    def block(self, b: Block, facts: dict[str, int]) -> Block:
        """A block whose loops are merged, those inside afterwards."""
        stmts, known, k = list(b.stmts), dict(facts), 0
        while k < len(stmts):
            ahead(self.distances, stmts, k, known)
            self.distances.facts = known
            if isinstance(stmts[k], For):
                found = self.next(stmts, k)
                if found is not None:
                    stmts, self.count = found, self.count + 1
                    continue
            k += 1
        return Block(tuple(self.inner(s, known) for s in stmts), b.yields)

    def inner(self, s: Stmt, facts: dict[str, int]) -> Stmt:
        """A statement whose inner blocks are merged."""
        if isinstance(s, If):
            return replace(s, then=self.block(s.then, facts), orelse=self.block(s.orelse, facts))
        if isinstance(s, For):
            facts = {**facts, **self.distances.forms.facts((s,))}
        return replace(s, body=self.block(s.body, facts)) if isinstance(s, (For, While)) else s

    def next(self, stmts: list[Stmt], k: int) -> list[Stmt] | None:
        """The statements with the loop at ``k`` merged with a later one."""
        first = stmts[k]
        assert isinstance(first, For)
        mine = self.distances.accesses((first,))
        if mine is None or not mine:
            return None
        tries = 0
        for j in range(k + 1, min(k + NEAR, len(stmts))):
            s = stmts[j]
            if isinstance(s, For):
                tries += 1
                found = self.two(first, mine, s, stmts[k + 1 : j])
                if found is not None:
                    return [*stmts[:k], *found, *stmts[j + 1 :]]
            if tries == TRIES or self.distances.accesses((s,)) is None:
                if not isinstance(s, Check):
                    return None
        return None

    def two(
        self, first: For, mine: list[Access], second: For, between: list[Stmt]
    ) -> list[Stmt] | None:
        """Two loops as one, with what stands between them; ``None`` if that cannot be."""
        theirs = self.distances.accesses((second,))
        if theirs is None or not self.worth(first, mine, second, theirs):
            return None
        pair = aligned(self.distances, self.b, first, second, self.distances.facts)
        if pair is None:
            return None
        mine = self.distances.accesses((pair.first,)) or []
        theirs = self.distances.accesses((pair.second,)) or []
        serial = self.chosen is None and kind(self.distances, first, mine) == "serial"
        if not all(self.fine(a, b, pair, serial) for a in mine for b in theirs):
            return None
        middle = [*pair.after[0], *between, *pair.before[1]]
        sides = self.sides(pair, mine, theirs, middle)
        if sides is None:
            return None
        one = self.one(pair.first, pair.second)
        return [*pair.before[0], *sides[0], one, *sides[1], *pair.after[1]]

    def worth(self, first: For, mine: list[Access], second: For, theirs: list[Access]) -> bool:
        """Whether two loops have arrays in common, and one is as good a loop as the other."""
        common = {a.base for a in mine} & {a.base for a in theirs}
        every = {a.base for a in (*mine, *theirs)}
        if not common or len(every) > ARRAYS or first.keep or second.keep:
            return False
        if self.chosen is not None:
            others = [s for s in (first, second) if s.index.name not in self.chosen]
            inner = any(isinstance(t, For) for s in others for t in statements(s.body))
            return len(others) < 2 and not (self.flat and inner)
        return kind(self.distances, first, mine) == kind(self.distances, second, theirs)

    def fine(self, a: Access, b: Access, pair: Aligned, serial: bool) -> bool:
        """Whether the order of two accesses stays what it is."""
        if not (a.writes or b.writes):
            return True
        trips = self.distances.trips(a, b, pair.first, pair.second)
        if trips is None:
            return self.distances.apart(a, b)
        if trips == NEVER or trips == 0:
            return True
        assert isinstance(trips, int)
        return trips > 0 and (serial or not (a.writes and b.reads))

    def sides(
        self, pair: Aligned, mine: list[Access], theirs: list[Access], middle: list[Stmt]
    ) -> tuple[list[Stmt], list[Stmt]] | None:
        """What stands between two loops, before and behind the one that they become."""
        before: list[Stmt] = []
        after: list[Stmt] = []
        made = {v.name for v in targets(pair.first)}
        late = list(mine)  # what a statement passes on its way to the front
        needed = {v.name for v in free_variables(Block((pair.second,)), ())}
        for s in middle:
            own = self.distances.accesses((s,))
            used = {v.name for v in free_variables(Block((s,)), ())}
            if not used & made and self.passes(s, own, late):
                before.append(s)
                continue
            mine_too = {v.name for v in targets(s)}
            if own is None or mine_too & needed or not self.passes(s, own, theirs):
                return None
            after.append(s)
            made |= mine_too
            late += own
        return None if made & needed else (before, after)

    def passes(self, s: Stmt, own: list[Access] | None, others: list[Access]) -> bool:
        """Whether a statement may be executed before others that come before it, or after."""
        if isinstance(s, Check):  # nobody sees what is local when it raises
            return not any(a.writes and a.cell[0] == OUTSIDE for a in others)
        if own is None:
            return False
        return all(self.distances.apart(a, b) for a in own for b in others if a.writes or b.writes)

    def one(self, first: For, second: For) -> For:
        """The body of the second loop after that of the first."""
        self.distances.rename(second.index, first.index)
        if self.chosen is not None:
            self.chosen.add(first.index.name)

        def use(a: object) -> object:
            return first.index if a == second.index else a

        body = rewrite_block(second.body, use, lambda v: v)
        return replace(
            first,
            carried=(*first.carried, *second.carried),
            body=Block((*first.body.stmts, *body.stmts), (*first.body.yields, *body.yields)),
        )
