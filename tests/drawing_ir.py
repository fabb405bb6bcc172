"""Random IR programs that draw: numbers of other random programs replaced by random numbers."""

from __future__ import annotations

import random
from dataclasses import replace

from srcad.ir.build import const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Const, Draw, For, Function, If, Op, Stmt, Var, While
from srcad.ir.types import F8, I8
from srcad.ir.walk import variables


def drawing(fn: Function, seed: int) -> Function:
    """``fn``, and what it calls, with draws in it; the generator is seeded at the start."""
    rnd = random.Random(seed)
    callees: dict[str, Function] = {}
    for name, callee in fn.callees.items():
        callees[name] = replace(callee, body=_Noise(callee, rnd).block(callee.body))
    for name in callees:
        callees[name] = replace(callees[name], callees=callees)
    body = _Noise(fn, rnd).block(fn.body)
    body = replace(body, stmts=(Draw((), "seed", (const(seed),)), *body.stmts))
    return replace(fn, body=body, callees=callees)


class _Noise:
    def __init__(self, fn: Function, rnd: random.Random) -> None:
        self.rnd = rnd
        self.namer = Namer(v.name for v in variables(fn))

    def block(self, b: Block) -> Block:
        """A block with random numbers in it, some of them not used."""
        out: list[Stmt] = []
        for s in b.stmts:
            if self.rnd.random() < 0.05:
                self.number(out)
            if isinstance(s, Op) and s.op in ("add", "sub", "mul"):
                s = replace(s, args=tuple(self.operand(a, s.op, out) for a in s.args))
            elif isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
            out.append(s)
        return Block(tuple(out), b.yields)

    def operand(self, a: Atom, op: str, out: list[Stmt]) -> Atom:
        """A float constant, or now and then a factor, becomes random."""
        factor = op == "mul" and self.rnd.random() < 0.15
        return self.number(out) if a.type == F8 and (isinstance(a, Const) or factor) else a

    def number(self, out: list[Stmt]) -> Var:
        """A random float, some made of integers."""
        z = Var(self.namer.fresh("z"), F8)
        kind = self.rnd.choice(("random", "standard_normal", "randint"))
        if kind == "randint":
            k = Var(self.namer.fresh("k"), I8)
            out += [Draw((k,), kind, (const(1), const(4))), Op(z, "f8", (k,))]
        else:
            out.append(Draw((z,), kind))
        return z
