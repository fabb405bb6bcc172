"""Sums into one element through a loop are made in a local; so is what it reads again and again.

In: IR after the last transform.  Out: the same function where a loop that adds to an element whose
subscripts it does not change, and whose other accesses meet that element in none of its
iterations, loads the element before it, carries it, and stores it after the loop.  Of an atomic sum
the local begins at zero and is added atomically after the loop.  An innermost loop that writes,
which keeps LLVM from seeing what it does not write (``a[i, k]`` while it updates ``a[i, j]``),
loads before it what none of its writes meets.

Invariant: the same sums in the same order, so the same bits (but for atomic ones).  A loop of no
trips must not touch an element that need not exist: where it is not known to, everything stands
behind the condition that there are trips.
Limits: sums and loads directly in the loop's body; no calls, checks, prints or draws in it, no
references carried through it (an exception would leave the element half way).

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import I8, ArrayT
>>> b = Builder(Namer())
>>> x, n = b.var("x", ArrayT("f8", 1)), b.var("n", I8)
>>> a = b.alloc(ArrayT("f8", 1), (n,), hint="a")
>>> with b.loop(const(0), b.dim(x, 0)) as i:
...     b.accumulate(a, (n,), b.load(x, i))
>>> print(text(summed(Function("f", (x, n), Block(tuple(b.stack[0]))))), end="")
def f(x: f8[:]C, n: i8):
    a: f8[:]C = zeros(n)
    n_1: i8 = dim(x, 0)
    t_1: b1 = lt(0, n_1)
    if t_1:
        a_1: f8 = a[n]
        for i in range(0, n_1, 1) carrying a_2: f8 = a_1 -> a_4:
            t: f8 = x[i]
            a_3: f8 = add(a_2, t)
            yield a_3
        a[n] = a_4
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.elements import Access
from srcad.analyses.meetings import Meetings
from srcad.analyses.shapes import DimOf, Size, shapes
from srcad.analyses.systems import plus
from srcad.analyses.tree import Node, Tree
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Check,
    Const,
    Dim,
    Draw,
    For,
    Function,
    If,
    Load,
    Op,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import ArrayT, Scalar, is_float
from srcad.ir.walk import blocks, operands, variables
from srcad.transforms.program import each_function, key

LEVELS = 3  # loops that a sum may leave
WORLDLY = (Call, Check, Print, Draw, Reserve)

Group = list[Accumulate]


def summed(fn: Function) -> Function:
    """The program with such sums in locals."""
    return each_function(fn, _one)


def _one(fn: Function) -> Function:
    for _ in range(LEVELS):
        if not any(isinstance(n.owner, For) for n in Tree(fn).nodes):
            return fn
        sums = _Sums(fn)
        fn = replace(fn, body=sums.block(sums.tree.root))
        if not sums.found:
            return fn
    return fn


class _Sums:
    """One function, one loop out."""

    def __init__(self, fn: Function) -> None:
        self.tree, self.aliases, self.shapes = Tree(fn), Aliases(fn), shapes(fn)
        self.meetings = Meetings(self.tree)
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.found = False

    def block(self, node: Node) -> Block:
        """A block rebuilt."""
        out: list[Stmt] = []
        for position, s in enumerate(node.block.stmts):
            inner = node.children.get(position, ())
            if isinstance(s, If):
                s = replace(s, then=self.block(inner[0]), orelse=self.block(inner[1]))
            elif isinstance(s, (For, While)):
                body = self.block(inner[0])
                groups = self.groups(s, inner[0]) if isinstance(s, For) else []
                loads = self.loads(s, inner[0], groups) if isinstance(s, For) else []
                s = replace(s, body=body)
                if isinstance(s, For) and (groups or loads):
                    self.found = True
                    out += self.carrying(s, groups, loads, node)
                    continue
            out.append(s)
        return Block(tuple(out), node.block.yields)

    # which
    def groups(self, s: For, body: Node) -> list[Group]:
        """Sums that can be carried, by element."""
        every = [(n, k, t) for n in body.subtree() for k, t in enumerate(n.block.stmts)]
        if not self.simple(s, every):
            return []
        inside = set(body.subtree())
        found: dict[object, Group] = defaultdict(list)
        for t in body.block.stmts:
            if isinstance(t, Accumulate) and self.fits(t, inside):
                found[t.array.name, tuple(map(key, t.index))].append(t)
        return [g for g in found.values() if self.alone(g, every, body)]

    def loads(self, s: For, body: Node, groups: list[Group]) -> list[Load]:
        """Elements read in each iteration of an innermost loop that none of its writes meets."""
        every = [(n, k, t) for n in body.subtree() for k, t in enumerate(n.block.stmts)]
        carried = {id(t) for g in groups for t in g}
        writes = [
            x for x in every if isinstance(x[2], (Store, Accumulate)) and id(x[2]) not in carried
        ]
        if not writes or not self.simple(s, every):
            return []
        if any(isinstance(t, (For, While)) for _, _, t in every):
            return []
        inside = set(body.subtree())
        found = [t for t in body.block.stmts if isinstance(t, Load) and self.fixed(t, inside)]
        return [t for t in found if not is_reference(t.target) and self.alone([t], writes, body)]

    def simple(self, s: For, every: list[tuple[Node, int, Stmt]]) -> bool:
        """Whether a loop runs all its trips, of known steps, and nothing else can happen."""
        if s.breaks or s.parallel or not isinstance(s.step, Const) or not s.step.value:
            return False
        return not any(isinstance(t, WORLDLY) or self.hands_on(t) for _, _, t in every)

    def hands_on(self, t: Stmt) -> bool:
        """Whether references go through a statement."""
        return any(is_reference(y) for b in blocks(t) for y in b.yields)

    def fits(self, t: Accumulate, inside: set[Node]) -> bool:
        """Whether a sum is a float's, into an element that the loop does not change."""
        kind = t.array.type.element if isinstance(t.array.type, ArrayT) else None
        return self.fixed(t, inside) and kind == t.value.type and is_float(t.value.type)

    def fixed(self, t: Accumulate | Load, inside: set[Node]) -> bool:
        """Whether the element of an access is the same in all iterations."""
        return isinstance(t.array.type, ArrayT) and not any(
            isinstance(a, Var) and self.tree.home[a.name].node in inside
            for a in (t.array, *t.index)
        )

    def alone(
        self, group: Sequence[Accumulate | Load], every: list[tuple[Node, int, Stmt]], body: Node
    ) -> bool:
        """Whether nothing else, of certain statements in the loop, touches the element."""
        root = self.aliases.root(group[0].array)
        first = next((body, k) for k, t in enumerate(body.block.stmts) if t is group[0])
        mine = Access(*first, root, group[0].array, group[0].index)
        for node, position, t in every:
            if isinstance(t, ArrayOp):
                if any(is_reference(a) and self.aliases.root(a) == root for a in operands(t)):  # type: ignore[arg-type]
                    return False
            if not isinstance(t, (Load, Store, Accumulate)) or any(t is g for g in group):
                continue
            if is_reference(t.value if isinstance(t, Store) else None):
                return False
            if self.aliases.root(t.array) == root and self.meetings.anyhow(
                mine, Access(node, position, root, t.array, t.index), body
            ):
                return False
        return True

    def runs(self, s: For, around: Node) -> bool:
        """Whether a loop certainly has trips."""
        assert isinstance(s.step, Const)
        start, stop = self.meetings.form(s.start), self.meetings.form(s.stop)
        span = plus(stop, start, -1) if s.step.value > 0 else plus(start, stop, -1)
        return self.meetings.natural(plus(span, {"": -1}), around)

    def exists(self, t: Accumulate | Load, around: Node) -> bool:
        """Whether the element is there, trips or not."""
        sizes = self.shapes.get(t.array.name, ())
        every = zip(t.index, sizes, strict=False)
        return len(sizes) == len(t.index) and all(self.inside(i, n, around) for i, n in every)

    def inside(self, index: Atom, size: Size, around: Node) -> bool:
        """Whether a subscript is that of an element."""
        if isinstance(size, DimOf):
            return any(self.inside(index, n, around) for n in self.names(size))
        form = self.meetings.form(index)
        rest = plus(plus(self.meetings.form(size), form, -1), {"": -1})
        return self.meetings.natural(form, around) and self.meetings.natural(rest, around)

    def names(self, size: DimOf) -> list[Var]:
        """Variables that a size is known as."""
        return [
            t.target
            for _, _, t in self.tree.walk()
            if isinstance(t, Dim)
            and t.axis == size.axis
            and self.shapes.get(t.array.name, ())[t.axis : t.axis + 1] == (size,)
        ]

    # how
    def carrying(self, s: For, groups: list[Group], loads: list[Load], around: Node) -> list[Stmt]:
        """The loop with elements in locals, loaded before and stored after it."""
        every: list[Accumulate | Load] = [*(g[0] for g in groups), *loads]
        self.b.loc = every[0].loc
        with self.b.block() as out:
            if self.runs(s, around) or all(self.exists(t, around) for t in every):
                self.loop(s, groups, loads)
                return out
            up = isinstance(s.step, Const) and s.step.value > 0
            trips = self.b.op("lt", *((s.start, s.stop) if up else (s.stop, s.start)))
            fresh = tuple(self.b.var(c.result.hint or "t", c.result.type) for c in s.carried)
            given = tuple(replace(c, result=f) for c, f in zip(s.carried, fresh, strict=True))
            with self.b.block() as then:
                self.loop(replace(s, carried=given), groups, loads)
            orelse = Block((), tuple(c.init for c in s.carried))
            results = tuple(c.result for c in s.carried)
            self.b.if_(trips, Block(tuple(then), fresh), orelse, results)
        return out

    def loop(self, s: For, groups: list[Group], loads: list[Load]) -> None:
        """Loads, the loop, stores."""
        carried, ends = list(s.carried), list(s.body.yields)
        stmts = [t for t in s.body.stmts if not any(t is x for x in loads)]
        for x in loads:
            self.b.emit(x)
        after: list[tuple[Accumulate, Var]] = []
        for group in groups:
            t = group[0]
            hint = t.array.hint or t.array.name
            kind = t.value.type
            assert isinstance(kind, Scalar)
            zero = const(0.0, kind)
            init = zero if t.atomic else self.b.load(t.array, *t.index, hint=hint)
            arg = head = self.b.var(hint, kind)
            for g in group:
                new = self.b.var(hint, kind)
                place = next(k for k, x in enumerate(stmts) if x is g)
                stmts[place] = Op(new, "add", (head, g.value), g.loc)
                head = new
            result = self.b.var(hint, kind)
            carried.append(Carried(result, arg, init))
            ends.append(head)
            after.append((t, result))
        body = Block(tuple(stmts), tuple(ends))
        self.b.emit(replace(s, carried=tuple(carried), body=body))
        for t, result in after:
            self.b.loc = t.loc
            if t.atomic:
                self.b.emit(replace(t, value=result))
            else:
                self.b.store(t.array, t.index, result)
