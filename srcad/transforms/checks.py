"""Checks whose outcome a loop does not change are made once, before the loop.

In: verified IR in which what is invariant stands outside of loops (``hoist``).  Out: the same
function where a ``Check`` standing directly in a loop's body, of a condition from outside the loop,
comes before the loop: it then fails only if the loop is entered.  A loop that may raise cannot
become a vector loop, and ``(x[i] - mean) / deviation`` is as common as anything.

Invariant: the same exception, after the same effects: nothing that a caller can see happens in
an iteration before such a check, or the check stays (writes to arrays made here are not seen).

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8, I8
>>> b = Builder(Namer())
>>> x, n = b.var("x", F8), b.var("n", I8)
>>> ok = b.op("ne", x, const(0.0), hint="ok")
>>> with b.loop(const(0), n) as i:
...     b.check(ok, "ZeroDivisionError", "division by zero")
>>> print(text(run(Function("f", (x, n), Block(tuple(b.stack[0]))))), end="")
def f(x: f8, n: i8):
    ok: b1 = ne(x, 0.0)
    t: b1 = le(n, 0)
    t_1: b1 = or(ok, t)
    check t_1 else ZeroDivisionError('division by zero')
    for i in range(0, n, 1):
        pass
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.aliases import OUTSIDE, Aliases, is_reference
from srcad.ir.bounds import Bounds
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Check,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import B1
from srcad.ir.walk import binders, blocks, operands, statements, targets, variables
from srcad.transforms.program import each_function

UNSEEN = (Op, Load, Dim, View, Alloc, If)


def run(fn: Function) -> Function:
    """The program with such checks before their loops."""
    if not any(
        isinstance(s, Check) for f in (fn, *fn.callees.values()) for s in statements(f.body)
    ):
        return fn
    return each_function(fn, lambda f: replace(f, body=_Checks(f).block(f.body)))


class _Checks:
    """One function; innermost loops first, so that a check leaves all the loops it can."""

    def __init__(self, fn: Function) -> None:
        self.aliases, self.bounds = Aliases(fn), Bounds(fn)
        self.made = {
            s.target.name: s
            for s in statements(fn.body)
            if isinstance(s, Op) and s.target.type == B1
        }
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self, b: Block) -> Block:
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, Check) and self.certain(s):
                continue
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
                s = self.loop(s, out)
            out.append(s)
        return Block(tuple(out), b.yields)

    def certain(self, s: Check) -> bool:
        """Whether a check cannot fail: an integer known to be positive is not zero."""
        made = self.made.get(s.cond.name) if isinstance(s.cond, Var) else None
        if made is None or made.op != "ne" or made.args[1] != ZERO:
            return False
        low = self.bounds.lower(made.args[0])
        return low is not None and low > 0

    def loop(self, s: For | While, before: list[Stmt]) -> For | While:
        """A loop without its checks, which go to ``before``."""
        bound = {v.name for t in statements(s.body) for v in (*targets(t), *binders(t))}
        bound |= {v.name for v in binders(s)}
        stay: list[Stmt] = []
        first = not (isinstance(s, For) and s.parallel)
        for t in s.body.stmts:
            if isinstance(t, Check) and first and self.fixed(t, bound):
                before += self.once(s, t)
                continue
            first = first and self.unseen(t)
            stay.append(t)
        return replace(s, body=Block(tuple(stay), s.body.yields))

    def fixed(self, s: Check, bound: set[str]) -> bool:
        """Whether a check does not depend on the loop."""
        return all(not isinstance(a, Var) or a.name not in bound for a in operands(s))

    def unseen(self, s: Stmt) -> bool:
        """Whether nobody outside can see that a statement was executed."""
        if isinstance(s, (Store, Accumulate)):
            return self.aliases.root(s.array) != OUTSIDE and not is_reference(s.value)
        inner = (t for b in blocks(s) for t in b.stmts)
        return isinstance(s, UNSEEN) and all(map(self.unseen, inner))

    def once(self, s: For | While, check: Check) -> list[Stmt]:
        """The check, made where the loop is entered."""
        b = self.b
        b.loc = check.loc
        with b.block() as stmts:
            b.check(b.op("or", check.cond, self.skipped(s)), check.exception, *check.message)
        return stmts

    def skipped(self, s: For | While) -> Atom:
        """Whether a loop is not entered."""
        b = self.b
        if isinstance(s, While):
            return b.op("not", s.carried[0].init)
        if isinstance(s.step, Const):
            return b.op("le" if s.step.value > 0 else "ge", s.stop, s.start)
        up = b.op("and", b.op("gt", s.step, const(0)), b.op("lt", s.start, s.stop))
        down = b.op("and", b.op("lt", s.step, const(0)), b.op("gt", s.start, s.stop))
        return b.op("not", b.op("or", up, down))
