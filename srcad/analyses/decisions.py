"""Which comparisons of floats decide what a program does: branches taken, trips, positions.

In: a function.  Out: ``Decisions``: the operations with a float operand and a discrete result
(comparisons, truncations) on which control flow, subscripts or sizes depend, and the branches that
are *plain*: both sides only compute numbers, so they can be considered together.

Invariant: two runs in which integer arguments, shapes and the recorded results are the same execute
the same statements on the same places.  Comparisons that only choose between two numbers
(``select``, plain branches) or only raise exceptions are no decisions.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Function
>>> from srcad.ir.types import F8, ArrayT
>>> b = Builder(Namer())
>>> x, a = b.var("x", F8), b.var("a", ArrayT("f8", 1))
>>> y = b.op("select", b.op("gt", x, const(0.0)), x, const(1.0))
>>> z = b.load(a, b.op("i8", x, hint="place"))
>>> fn = Function("f", (x, a), Block(tuple(b.stack[0]), (y, z)))
>>> [s.target.name for s in statements(fn.body) if Decisions(fn).records(s)]
['place']
"""

from __future__ import annotations

from srcad.ir.nodes import (
    ArrayOp,
    Block,
    Call,
    Check,
    Draw,
    For,
    Function,
    If,
    Load,
    Op,
    Print,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import Scalar, is_float
from srcad.ir.walk import operands, statements, targets


def is_plain(s: If) -> bool:
    """Whether both sides of a branch do nothing but compute float numbers."""
    floats = all(isinstance(r.type, Scalar) and is_float(r.type) for r in s.results)
    return floats and all(map(_computes, (s.then, s.orelse)))


def _computes(block: Block) -> bool:
    return all(isinstance(s, Op) or (isinstance(s, If) and is_plain(s)) for s in block.stmts)


class Decisions:
    """Discrete variables that matter for what is executed."""

    def __init__(self, fn: Function) -> None:
        self.names: set[str] = set()
        self._put(*fn.body.yields)  # a caller may decide by them
        todo = list(statements(fn.body))
        size = -1
        while size != len(self.names):
            size = len(self.names)
            for s in reversed(todo):
                self._use(s)

    def records(self, s: Stmt) -> bool:
        """Whether the discrete result of a statement is a decision that floats took."""
        match s:
            case Op(target=t, args=args):
                return t.name in self.names and any(is_float(a.type) for a in args)
            case ArrayOp(targets=ts) | Draw(targets=ts):
                return any(t.name in self.names for t in ts)
        return False

    def _put(self, *atoms: object) -> None:
        for a in atoms:
            if isinstance(a, Var) and isinstance(a.type, Scalar) and not is_float(a.type):
                self.names.add(a.name)

    def _use(self, s: Stmt) -> None:
        match s:
            case Op(target=t):
                if t.name in self.names:
                    self._put(*s.args)
            case If():
                if not is_plain(s):
                    self._put(s.cond)
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    if r.name in self.names:
                        self._put(a, b)
            case For() | While():
                self._loop(s)
            case Store(value=v):
                self._put(*s.index, v)  # what an integer array is used for is not followed
            case Check() | Print() | Draw():
                pass
            case Call() | ArrayOp() | Load() | _:
                self._put(*operands(s))

    def _loop(self, s: For | While) -> None:
        if isinstance(s, For):
            self._put(s.start, s.stop, s.step)
        if isinstance(s, While) or s.breaks:
            self._put(s.carried[0].arg)
        for c, y in zip(s.carried, s.body.yields, strict=True):
            if {c.arg.name, c.result.name} & self.names:
                self._put(c.arg, c.result, c.init, y)


def discrete_targets(s: Stmt) -> list[Var]:
    """The discrete numbers that a statement makes."""
    return [t for t in targets(s) if isinstance(t.type, Scalar) and not is_float(t.type)]
