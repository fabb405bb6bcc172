"""Which array parameters a function writes, from its statements alone.

In: a function.  Out: its parameters whose storage a ``Store``, an ``Accumulate`` or a called
function may write.  References that may be to the same storage are one class (views, carried
values, results of branches), so that the answer may be larger than the truth, never smaller.
"""

from __future__ import annotations

from srcad.ir.nodes import Accumulate, Atom, Call, For, Function, If, Stmt, Store, Var, View, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import statements


def written(fn: Function) -> list[Var]:
    """The array parameters that are written, in order."""
    return [p for p, on in zip(fn.params, _flags(fn, frozenset()), strict=True) if on]


def _flags(fn: Function, open_: frozenset[str]) -> list[bool]:
    classes: dict[str, str] = {}

    def root(name: str) -> str:
        while name in classes:
            name = classes[name]
        return name

    def join(a: Atom, b: Atom) -> None:
        if isinstance(a, Var) and isinstance(b, Var) and isinstance(a.type, ArrayT):
            x, y = root(a.name), root(b.name)
            if x != y:
                classes[x] = y

    touched: list[str] = []
    for s in statements(fn.body):
        for a, b in _same(s):
            join(a, b)
        if isinstance(s, (Store, Accumulate)):
            touched.append(s.array.name)
        elif isinstance(s, Call):
            callee = fn.callees[s.fn]
            known = callee.name not in open_
            on = _flags(callee, open_ | {fn.name}) if known else [True] * len(s.args)
            touched += [a.name for a, w in zip(s.args, on, strict=True) if w and isinstance(a, Var)]
    roots = {root(n) for n in touched}
    return [isinstance(p.type, ArrayT) and root(p.name) in roots for p in fn.params]


def _same(s: Stmt) -> list[tuple[Atom, Atom]]:
    """Pairs of references that a statement makes one of."""
    match s:
        case View():
            return [(s.target, s.base)]
        case If():
            arms = (s.then.yields, s.orelse.yields)
            return [(r, y) for ys in arms for r, y in zip(s.results, ys, strict=True)]
        case For() | While():
            pairs: list[tuple[Atom, Atom]] = []
            for c, y in zip(s.carried, s.body.yields, strict=True):
                pairs += [(c.arg, c.init), (c.arg, y), (c.arg, c.result)]
            return pairs
    return []
