"""Views made where they are used: every loop begins with the views that its body looks through.

In: a function without calls.  Out: the same function where no loop body uses a view from outside;
it makes its own from the same array.  What is not used any more stays, and does nothing.

Invariant: a view is a reference; made again, of the same array with the same bounds, it is the same
one.  So it can be seen in the loop that two views are of one array, and a kernel takes that array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, For, Function, If, Stmt, Var, View, While
from srcad.ir.walk import binders, free_variables, rewrite_block, statements, variables


def sunk(fn: Function) -> Function:
    """The function with its views in the loops that use them."""
    views = {s.target.name: s for s in statements(fn.body) if isinstance(s, View)}
    walk = Sinking(Namer(v.name for v in variables(fn)), views)
    return replace(fn, body=walk.block(fn.body))


class Sinking:
    """One function; ``views`` are those that may be made again."""

    def __init__(self, namer: Namer, views: Mapping[str, View]) -> None:
        self.namer, self.views = namer, dict(views)

    def block(self, b: Block) -> Block:
        """A block; its loops make their own views."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            elif isinstance(s, (For, While)):
                s = replace(s, body=self.block(self.own(s.body, binders(s))))
            out.append(s)
        return Block(tuple(out), b.yields)

    def own(self, body: Block, bound: Iterable[Var]) -> Block:
        """A body that begins with the views it used from outside."""
        made, names = self.copies(free_variables(body, bound))
        if not made:
            return body

        def use(a: Atom) -> Atom:
            return names.get(a.name, a) if isinstance(a, Var) else a

        found: Block = rewrite_block(body, use, lambda v: v)
        return Block((*made, *found.stmts), found.yields)

    def copies(self, used: Iterable[Var]) -> tuple[list[View], dict[str, Var]]:
        """New views like those among ``used``, in order, and what stands for which."""
        made: list[View] = []
        names: dict[str, Var] = {}

        def copy(v: Var) -> Var:
            if v.name not in self.views or v.name in names:
                return names.get(v.name, v)
            view = self.views[v.name]
            base = copy(view.base)
            target = replace(v, name=self.namer.fresh(v.name))
            made.append(replace(view, target=target, base=base))
            self.views[target.name] = made[-1]
            names[v.name] = target
            return target

        for v in used:
            copy(v)
        return made, names
