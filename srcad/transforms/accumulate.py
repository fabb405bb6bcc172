"""Updates in place: ``a[i] = a[i] + v`` becomes ``a[i] += v``.

In: verified IR.  Out: the same function where a load, a sum and a store of the same element, with
no write to the storage between and no other use of the two values, are one ``Accumulate``.

Invariant: bit for bit the same contents; ``a[i] - v`` is ``a[i] + (-v)``.  The reverse sweep then
neither loads the element nor clears and restores its adjoint.  Limits: float elements whose type
is that of ``v``; all three statements in one block.

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
from dataclasses import replace

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
from srcad.ir.types import I8, Type, is_float
from srcad.ir.walk import blocks, operands, statements
from srcad.transforms.program import each_function, key


def run(fn: Function, integers: bool = False) -> Function:
    """The program with its updates in place made explicit, those of integers too if asked."""
    return each_function(fn, lambda f: replace(f, body=_Updates(f, integers).block(f.body)))


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
        at = self.only(made, s.value)
        op = stmts[at] if at is not None else None
        if at is None or not (isinstance(op, Op) and op.op in ("add", "sub")):
            return
        for element, v in (op.args, op.args[::-1])[: 2 if op.op == "add" else 1]:
            start = self.only(made, element)
            load = stmts[start] if start is not None else None
            if not (isinstance(load, Load) and v.type == s.array.type.element):  # type: ignore[union-attr]
                continue
            fits = load.array == s.array and same_index(load, s) and self.counts(v.type)
            if start is None or not fits or self.written(stmts[start:k], s.array):
                continue
            stmts[start], stmts[at] = None, None
            if op.op == "sub":
                stmts[at], v = replace(op, op="neg", args=(v,)), op.target
            stmts[k] = Accumulate(s.array, s.index, v, s.loc)
            return

    def counts(self, t: Type) -> bool:
        """Whether updates of such elements are made explicit."""
        return is_float(t) or self.integers and t == I8

    def only(self, made: dict[str, int], a: Atom) -> int | None:
        """Where a value that is used once is computed in this block."""
        return made.get(a.name) if isinstance(a, Var) and self.uses[a.name] == 1 else None

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


def same_index(load: Load, store: Store) -> bool:
    """Whether two accesses have the same subscripts."""
    return list(map(key, load.index)) == list(map(key, store.index))


def every_block(b: Block) -> list[Block]:
    """A block and all inner ones."""
    return [b, *(x for s in b.stmts for inner in blocks(s) for x in every_block(inner))]
