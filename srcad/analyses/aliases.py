"""Which array and list variables may refer to the same storage: one partition per function.

In: a function.  Out: ``Aliases``, whose ``root`` names the class of a reference; two variables
in different classes never share an element.

Invariant: flow-insensitive (Steensgaard).  A view joins its base, a loop's carried references
and a branch's results join what flows into them, an array kept in a list joins the class of the
list's elements.  Parameters, and whatever goes through a ``Call``, form the class ``OUTSIDE``
(with ``distinct``, what is known of parameters is trusted: each array, or each of those named, is a
class of its own).  Parameters that a part of a function has classes for (``apart``) are in these.
Limits: one allocation statement in a loop is one class, however many arrays it makes.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Function
>>> from srcad.ir.types import ArrayT
>>> vector = ArrayT("f8", 1)
>>> b = Builder(Namer())
>>> x = b.var("x", vector)
>>> v, a = b.view(x, "same", (), vector), b.alloc(vector, (const(3),))
>>> aliases = Aliases(Function("f", (x,), Block(tuple(b.stack[0]))))
>>> aliases.root(x) == aliases.root(v) == OUTSIDE, aliases.root(x) == aliases.root(a)
(True, False)
"""

from __future__ import annotations

from collections.abc import Collection

from srcad.ir.nodes import (
    ArrayOp,
    Atom,
    Call,
    Check,
    For,
    Function,
    If,
    Load,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT, ListT
from srcad.ir.walk import statements

OUTSIDE = "<outside>"


def is_reference(a: object) -> bool:
    """Whether an operand refers to storage (an array or a list)."""
    return isinstance(a, Var) and isinstance(a.type, (ArrayT, ListT))


def visible(fn: Function, aliases: Aliases) -> set[str]:
    """The classes of storage whose contents somebody may look at after an exception.

    What is given to a part of a function (``Function.apart``) is often that function's own.
    """
    roots = {
        aliases.root(p) for p in fn.params if fn.apart.get(p.name, OUTSIDE).startswith(OUTSIDE)
    }
    return {OUTSIDE, *roots}


def compared(fn: Function) -> set[str]:
    """The array parameters that a function goes on with only if they overlap no other one.

    (It begins with checks of that where the caller gives arrays for the results.)
    """
    arrays = {p.name for p in fn.params if isinstance(p.type, ArrayT)}
    if any(isinstance(p.type, ListT) for p in fn.params):
        return set()
    asked: dict[str, set[str]] = {}
    apart: dict[str, set[str]] = {name: {name} for name in arrays}
    for s in fn.body.stmts:
        if isinstance(s, ArrayOp) and s.op == "apart":
            asked[s.targets[0].name] = {a.name for a in s.args if isinstance(a, Var)}
        elif isinstance(s, Check) and isinstance(s.cond, Var) and s.cond.name in asked:
            for name in asked[s.cond.name] & arrays:
                apart[name] |= asked[s.cond.name]
        elif isinstance(s, (For, While, If, Call)):
            break
    return {name for name in arrays if arrays <= apart[name] and len(arrays) > 1}


class Aliases:
    """The partition; built once from a function, then only asked."""

    def __init__(self, fn: Function, distinct: bool | Collection[str] = False) -> None:
        self._parent: dict[str, str] = {}
        self._element: dict[str, str] = {OUTSIDE: OUTSIDE}
        for p in fn.params:
            known = distinct if isinstance(distinct, bool) else p.name in distinct
            if p.name in fn.apart:
                self._union(p.name, f"<{fn.apart[p.name]}>")
            elif not (known and isinstance(p.type, ArrayT)):
                self._outside(p)
        for s in statements(fn.body):
            self._statement(s)

    def root(self, v: Var) -> str:
        """The class of a reference."""
        return self._find(v.name)

    def element_root(self, v: Var) -> str:
        """The class of the arrays that a list holds."""
        return self._find(self._elements(v.name))

    def _find(self, name: str) -> str:
        parent = self._parent
        while (up := parent.get(name, name)) != name:
            parent[name] = parent.get(up, up)
            name = up
        return name

    def _elements(self, name: str) -> str:
        root = self._find(name)
        return self._element.setdefault(root, f"{root}[]")

    def _union(self, a: str, b: str) -> None:
        pending = [(a, b)]
        while pending:
            ra, rb = map(self._find, pending.pop())
            if ra == rb:
                continue
            if ra == OUTSIDE:
                ra, rb = rb, ra
            self._parent[ra] = rb
            inner = self._element.pop(ra, None)
            if inner is not None:
                pending.append((inner, self._element.setdefault(rb, inner)))

    def _join(self, a: Atom, b: Atom) -> None:
        if is_reference(a) and is_reference(b):
            self._union(a.name, b.name)  # type: ignore[union-attr]

    def _outside(self, a: Atom) -> None:
        if is_reference(a):
            self._union(a.name, OUTSIDE)  # type: ignore[union-attr]
            self._union(self._elements(a.name), OUTSIDE)  # type: ignore[union-attr]

    def _statement(self, s: Stmt) -> None:
        match s:
            case View():
                self._join(s.target, s.base)
            case Load() if is_reference(s.target):
                self._union(s.target.name, self._elements(s.array.name))
            case Store(value=Var() as value) if is_reference(value):
                self._union(value.name, self._elements(s.array.name))
            case If():
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    self._join(r, a)
                    self._join(r, b)
            case For() | While():
                for c, y in zip(s.carried, s.body.yields, strict=True):
                    self._join(c.result, c.arg)
                    self._join(c.arg, c.init)
                    self._join(c.arg, y)
            case Call():
                for a in (*s.args, *s.targets):
                    self._outside(a)
