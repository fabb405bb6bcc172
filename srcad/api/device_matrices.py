"""Products, factorisations and solves as loops: LAPACK does not exist on the device.

In: IR with array operations.  Out: the same with the statements of a function of
``library.on_device`` in place of each one, which is written in the language that srcad
differentiates.

Limits: operations that are not in ``METHODS`` stay (``storage.device`` refuses them).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from srcad.api.batches import inline
from srcad.api.inside import lowered
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import ArrayOp, Atom, Block, For, Function, If, Op, Stmt, Var, View, While
from srcad.ir.types import ArrayT, Scalar
from srcad.ir.walk import variables
from srcad.library.on_device import METHODS
from srcad.options import Options
from srcad.specs import leaf_of
from srcad.transforms.arrays import fit


def as_loops(fn: Function, options: Options) -> Function:
    """The function with array operations expanded."""
    walk = _Expand(fn, options)
    return replace(fn, body=walk.block(fn.body))


class _Expand:
    """One function."""

    def __init__(self, fn: Function, options: Options) -> None:
        self.options = replace(options, debug=False)
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self, b: Block) -> Block:
        """A block with its array operations expanded."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(s.body))
            elif isinstance(s, ArrayOp) and (method := METHODS.get(kind_of(s))) is not None:
                out += self.expanded(s, method)
                continue
            out.append(s)
        return Block(tuple(out), b.yields)

    def expanded(self, s: ArrayOp, method: Callable[..., Any]) -> list[Stmt]:
        """The statements of one operation."""
        names = method.__code__.co_varnames
        specs = {n: leaf_of(a.type) for n, a in zip(names, s.args, strict=False)}
        made = lowered(method, specs, self.options).fn
        place = replace(made, body=located(made.body, s.loc))
        with self.b.block() as stmts:
            self.b.loc = s.loc
            for t, r in zip(s.targets, inline(self.b, place, s.args), strict=True):
                self.bind(t, r)
        return stmts

    def bind(self, t: Var, r: Atom) -> None:
        """A result under its name."""
        if isinstance(t.type, ArrayT):
            assert isinstance(r, Var)
            self.b.emit(View(t, fit(self.b, r, t.type), "same", (), self.b.loc))
        else:
            assert isinstance(t.type, Scalar)
            self.b.emit(Op(t, t.type.kind, (r,), self.b.loc))


def located(b: Block, loc: Any) -> Block:
    """A block whose statements belong to a line of the user's."""

    def one(s: Stmt) -> Stmt:
        if isinstance(s, If):
            s = replace(s, then=located(s.then, loc), orelse=located(s.orelse, loc))
        elif isinstance(s, (For, While)):
            s = replace(s, body=located(s.body, loc))
        return replace(s, loc=loc)

    return replace(b, stmts=tuple(map(one, b.stmts)))


def kind_of(s: ArrayOp) -> tuple[str, int]:
    """Operation, and the ranks of its arrays as digits."""
    ranks = [a.type.ndim for a in s.args if isinstance(a.type, ArrayT)]
    return s.op, int("".join(map(str, ranks)) or "0")
