"""Updates in place: ``a[i] = a[i] + v`` becomes ``a[i] += v``.

In: verified IR.  Out: the same function where a load, a sum and a store of the same element, with
no write to the storage between and no other use of the two values, are one ``Accumulate``; so are
further sums with what has just been stored, each.

Invariant: bit for bit the same contents; ``a[i] - v`` is ``a[i] + (-v)``.  The reverse sweep then
neither loads the element nor clears and restores its adjoint.  Limits: float elements whose type
is that of ``v``, or float64 to which float32 or an integer is added; all three statements in one
block.

>>> from srcad.ir.build import Builder
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.build import const
>>> from srcad.ir.types import F8, ArrayT
>>> b = Builder(Namer())
>>> x, a = b.var("x", F8), b.var("a", ArrayT("f8", 1))
>>> zero = const(0)
>>> b.store(a, (zero,), b.op("sub", b.load(a, zero), b.op("sin", x)))
>>> print(text(run(Function("f", (x, a), Block(tuple(b.stack[0]))))), end="")
def f(x: f8, a: f8[:]C):
    t_1: f8 = sin(x)
    t_2: f8 = neg(t_1)
    a[0] += t_2
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from srcad.analyses.aliases import Aliases
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Call,
    For,
    Function,
    If,
    Load,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import F4, F8, I8, Type, is_float
from srcad.ir.walk import blocks, operands, statements
from srcad.transforms.program import each_function, key


def run(fn: Function, integers: bool = False) -> Function:
    """The program with its updates in place made explicit, those of integers too if asked."""
    return each_function(fn, lambda f: replace(f, body=_Updates(f, integers).block(f.body)))


@dataclass(frozen=True)
class Link:
    """One update: positions of the load, or of the store before; of the sum and of the store."""

    load: int | None
    before: int | None
    at: int
    store: int
    added: Atom


class _Updates:
    """One function."""

    def __init__(self, fn: Function, integers: bool) -> None:
        self.integers = integers
        self.aliases = Aliases(fn)
        self.uses: Counter[str] = Counter()
        for block in every_block(fn.body):
            atoms = [*block.yields, *(a for s in block.stmts for a in operands(s))]
            self.uses.update(a.name for a in atoms if isinstance(a, Var))

    def block(self, b: Block) -> Block:
        """A block and its inner blocks, rebuilt."""
        stmts: list[Stmt | None] = list(map(self.inner, b.stmts))
        made: dict[str, int] = {}
        for k, s in enumerate(stmts):
            if isinstance(s, Store):
                self.update(stmts, made, k, s)
            elif isinstance(s, (Op, Load)):
                made[s.target.name] = k
        return Block(tuple(s for s in stmts if s is not None), b.yields)

    def inner(self, s: Stmt) -> Stmt:
        """A statement with its inner blocks rebuilt."""
        if isinstance(s, If):
            return replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
        return replace(s, body=self.block(s.body)) if isinstance(s, (For, While)) else s

    def update(self, stmts: list[Stmt | None], made: dict[str, int], k: int, s: Store) -> None:
        """Replace the statements that update the element which ``s`` stores to, if they do."""
        found: list[Link] = []
        place: int | None = k
        while place is not None:
            link = self.link(stmts, made, place, uses=2 if found else 1)
            if link is None:
                return
            found.append(link)
            place = link.before
        for link in found:
            op, last = stmts[link.at], stmts[link.store]
            assert isinstance(op, Op) and isinstance(last, Store)
            if link.load is not None:
                stmts[link.load] = None
            stmts[link.at], v = None, link.added
            if v.type != last.array.type.element:  # type: ignore[union-attr]
                stmts[link.at], v = replace(op, op="f8", args=(v,)), op.target
            elif op.op == "sub":
                stmts[link.at], v = replace(op, op="neg", args=(v,)), op.target
            stmts[link.store] = Accumulate(last.array, last.index, v, last.loc)

    def link(
        self, stmts: list[Stmt | None], made: dict[str, int], k: int, uses: int
    ) -> Link | None:
        """The update of an element that ends with the store ``k``, whose value is used so often."""
        s = stmts[k]
        assert isinstance(s, Store)
        at = self.only(made, s.value, uses)
        op = stmts[at] if at is not None else None
        if at is None or not (isinstance(op, Op) and op.op in ("add", "sub")):
            return None
        for element, v in (op.args, op.args[::-1])[: 2 if op.op == "add" else 1]:
            start = self.only(made, element)
            load = stmts[start] if start is not None else None
            if not self.fits(op, v, s):
                continue
            if not isinstance(load, Load):
                before = self.stored(stmts, k, s, element)
                if before is not None:
                    return Link(None, before, at, k, v)
            elif load.array == s.array and same_index(load, s):
                if not self.written(stmts[start:k], s.array):
                    return Link(start, None, at, k, v)
        return None

    def stored(self, stmts: list[Stmt | None], k: int, s: Store, value: Atom) -> int | None:
        """Where the element was given the value that it still has before statement ``k``."""
        for before in range(k - 1, -1, -1):
            t = stmts[before]
            if isinstance(t, Store) and t.value == value and t.array == s.array:
                return before if same_index(t, s) else None
            if self.written([t], s.array):
                return None
        return None

    def fits(self, op: Op, v: Atom, s: Store) -> bool:
        """Whether a sum may be an update: the types say that the bits are the same."""
        kind = s.array.type.element  # type: ignore[union-attr]
        widened = op.op == "add" and kind == op.target.type == F8 and v.type in (F4, I8)
        return self.counts(kind) and (v.type == kind or widened)

    def counts(self, t: Type) -> bool:
        """Whether updates of such elements are made explicit."""
        return is_float(t) or self.integers and t == I8

    def only(self, made: dict[str, int], a: Atom, uses: int = 1) -> int | None:
        """Where a value that is used so often is computed in this block."""
        return made.get(a.name) if isinstance(a, Var) and self.uses[a.name] == uses else None

    def written(self, stmts: list[Stmt | None], array: Var) -> bool:
        """Whether statements may write to the storage of an array."""
        root = self.aliases.root(array)
        for s in stmts:
            inner = () if s is None else (s, *(t for b in blocks(s) for t in statements(b)))
            for t in inner:
                writes = isinstance(t, (Store, Accumulate, Reserve))
                if isinstance(t, Call) or writes and self.aliases.root(t.array) == root:  # type: ignore[union-attr]
                    return True
        return False


def same_index(load: Load | Store, store: Store) -> bool:
    """Whether two accesses have the same subscripts."""
    return list(map(key, load.index)) == list(map(key, store.index))


def every_block(b: Block) -> list[Block]:
    """A block and all inner ones."""
    return [b, *(x for s in b.stmts for inner in blocks(s) for x in every_block(inner))]
