"""Calls replaced by the body of what they call.

In: verified IR, a predicate on the names of functions.  Out: the same function where the calls of
these stand expanded, variables renamed.

Invariant: the same statements in the same order; functions that call themselves are not for this.

>>> from srcad.ir.build import Builder
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Function
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8
>>> inner = Builder(Namer())
>>> a = inner.var("a", F8)
>>> results = (inner.op("mul", a, a),)
>>> square = Function("square", (a,), Block(tuple(inner.stack[0]), results))
>>> x, y = inner.var("x", F8), inner.var("y", F8)
>>> fn = Function("f", (x,), Block((Call((y,), "square", (x,)),), (y,)), {"square": square})
>>> print(text(run(fn, lambda name: True)), end="")
def f(x: f8):
    t: f8 = mul(x, x)
    return t
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, For, Function, If, Stmt, Var, While
from srcad.ir.walk import rewrite, rewrite_block, variables


def run(fn: Function, chosen: Callable[[str], bool]) -> Function:
    """``fn`` with its calls of the chosen functions expanded."""
    return expanded(fn, chosen)[0]


def expanded(fn: Function, chosen: Callable[[str], bool]) -> tuple[Function, dict[str, str]]:
    """The same, and the new names of the callees' variables."""
    walk = _Inline(fn, chosen)
    return replace(fn, body=walk.block(fn.body)), walk.renamed


class _Inline:
    """One function; ``known`` maps results of expanded calls to what they are."""

    def __init__(self, fn: Function, chosen: Callable[[str], bool]) -> None:
        self.fn, self.chosen = fn, chosen
        self.namer = Namer(v.name for v in variables(fn))
        self.known: dict[str, Atom] = {}
        self.renamed: dict[str, str] = {}

    def use(self, a: Atom) -> Atom:
        """An operand, if it was the result of an expanded call: what that is."""
        while isinstance(a, Var) and a.name in self.known:
            a = self.known[a.name]
        return a

    def block(self, b: Block) -> Block:
        """A block with its calls expanded."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, Call) and self.chosen(s.fn):
                out += self.expanded(s)
            else:
                out.append(self.one(s))
        return Block(tuple(out), tuple(map(self.use, b.yields)))

    def one(self, s: Stmt) -> Stmt:
        """Another statement, its operands replaced."""
        if isinstance(s, If):
            return replace(
                s, cond=self.use(s.cond), then=self.block(s.then), orelse=self.block(s.orelse)
            )
        if isinstance(s, (For, While)):
            if isinstance(s, For):
                start, stop, step = map(self.use, (s.start, s.stop, s.step))
                s = replace(s, start=start, stop=stop, step=step)
            carried = tuple(replace(c, init=self.use(c.init)) for c in s.carried)
            return replace(s, carried=carried, body=self.block(s.body))
        return rewrite(s, self.use, lambda v: v)

    def expanded(self, s: Call) -> list[Stmt]:
        """The statements of a call."""
        callee = self.fn.callees[s.fn]
        new: dict[str, Atom] = {
            p.name: self.use(a) for p, a in zip(callee.params, s.args, strict=True)
        }

        def use(a: Atom) -> Atom:
            return new.get(a.name, a) if isinstance(a, Var) else a

        def define(v: Var) -> Var:
            made = replace(v, name=self.namer.fresh(v.name))
            new[v.name] = made
            self.renamed[v.name] = made.name
            return made

        body = rewrite_block(callee.body, use, define)
        self.known |= {t.name: y for t, y in zip(s.targets, body.yields, strict=True)}
        return list(self.block(Block(body.stmts)).stmts)
