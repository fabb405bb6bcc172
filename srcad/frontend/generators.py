"""Generator expressions where something takes their items at once: ``sum(x * x for x in xs)``.

In: a generator expression that is an argument of a call.  Out: the list of its items, for functions
that take every one of them; a loop that ends early for ``any`` and ``all``.  Anywhere else a
generator is refused: what it computes when depends on who asks.
"""

from __future__ import annotations

import ast
from typing import Any

from srcad.errors import UnsupportedSyntax
from srcad.frontend.core import Lowering
from srcad.frontend.expansion import expand
from srcad.frontend.fence import REFUSED
from srcad.frontend.statements import make_closure
from srcad.frontend.values import Static, Tuple

TAKE_ALL = {sum, min, max, list, sorted}
DECIDE = {any: True, all: False}  # the truth of an item that ends the search


def argument(lo: Lowering, f: Any, node: ast.GeneratorExp) -> Any:
    """What a call of ``f`` gets for a generator expression."""
    obj = f.obj if isinstance(f, Static) else None
    if obj in DECIDE:
        return _search(lo, node, DECIDE[obj])
    if obj in TAKE_ALL:
        return lo.expr(_like(node, "_srcad_list", lambda: ast.ListComp(node.elt, node.generators)))
    return refuse(lo, node)


def refuse(lo: Lowering, node: ast.GeneratorExp) -> Any:
    """A function that does not take all items at once."""
    what, why, instead = REFUSED["GeneratorExp"]
    raise UnsupportedSyntax(f"{what} is not supported", lo.loc(node), why, instead)


def _search(lo: Lowering, node: ast.GeneratorExp, ends: bool) -> Any:
    """``any`` or ``all``, as a tuple of the one answer: a function that returns when it knows."""
    f = _like(node, "_srcad_search", lambda: _searching(node, ends))
    first = node.generators[0].iter
    over = lo.read(lo.expr(first), first)
    return Tuple((expand(lo, make_closure(lo, f, f.name), [over], {}, node),))


def _searching(node: ast.GeneratorExp, ends: bool) -> ast.FunctionDef:
    """``def search(over): for … in over: if item: return …`` of a generator's clauses."""
    test = node.elt if ends else ast.UnaryOp(ast.Not(), node.elt)
    inner: ast.stmt = ast.If(test, [ast.Return(ast.Constant(ends))], [])
    for gen in reversed(node.generators):
        for condition in reversed(gen.ifs):
            inner = ast.If(condition, [inner], [])
        first = gen is node.generators[0]
        inner = ast.For(
            gen.target, ast.Name(".over", ast.Load()) if first else gen.iter, [inner], []
        )
    last = ast.Return(ast.Constant(not ends))
    parameters = ast.arguments([], [ast.arg(".over")], None, [], [], None, [])
    return ast.FunctionDef("search", parameters, [inner, last], [], None)


def _like(node: Any, name: str, make: Any) -> Any:
    """Syntax made for a node, once, at the node's place in the source."""
    if not hasattr(node, name):
        made = make()
        for n in ast.walk(made):
            if not hasattr(n, "lineno"):
                ast.copy_location(n, node)
        setattr(node, name, made)
    return getattr(node, name)
