"""Two names of one moment: is an array certainly new, where another one is known already?

In: a function.  Out: ``Births``; ``apart(a, b)`` says that two references, wherever both can be
used, never share an element.

Invariant: sound.  One of the two is a name for storage that a statement allocates (or a view of
it), the other one is bound before that statement, in the same block or one around it: what an
allocation gives is nothing that anybody knows by then.  It does not matter that the second one is
what the first was in an earlier iteration (``u = new`` at the end of it), which is why a partition
of all names (``analyses.aliases``) cannot say so.

>>> from srcad.ir.build import ONE, ZERO, Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Carried
>>> from srcad.ir.types import I8, ArrayT
>>> vector, b = ArrayT("f8", 1), Builder(Namer())
>>> start, now, end = (b.var(h, vector) for h in ("start", "now", "end"))
>>> with b.block() as body:
...     new = b.alloc(vector, (const(3),), hint="new")
>>> pair = (Carried(end, now, start),)
>>> b.for_(b.var("t", I8), ZERO, const(4), ONE, pair, Block(tuple(body), (new,)))
>>> births = Births(Function("f", (start,), Block(tuple(b.stack[0]))))
>>> births.apart(new, now), births.apart(start, new), births.apart(now, start)
(True, True, False)
"""

from __future__ import annotations

from srcad.analyses.tree import Home, Tree
from srcad.ir.nodes import Alloc, Function, Var, View


class Births:
    """The names of one function."""

    def __init__(self, fn: Function) -> None:
        self.home = Tree(fn).home

    def apart(self, a: Var, b: Var) -> bool:
        """Whether two references never share an element where both are known."""
        first, second = self.origin(a), self.origin(b)
        return first != second and (self.new(first, second) or self.new(second, first))

    def origin(self, v: Var) -> str:
        """The name at the end of the chain of views."""
        name = v.name
        while isinstance(s := self.home[name].stmt, View):
            name = s.base.name
        return name

    def new(self, name: str, known: str) -> bool:
        """Whether the first names storage that is allocated when the second is bound already."""
        made, bound = self.home[name], self.home[known]
        return isinstance(made.stmt, Alloc) and _before(bound, made)


def _before(first: Home, second: Home) -> bool:
    """Whether what is bound first can be seen where the second is."""
    if first.node is second.node:
        return first.position < second.position
    for node in second.node.ancestors():
        if node.parent is first.node:
            return first.position < node.position
    return False
