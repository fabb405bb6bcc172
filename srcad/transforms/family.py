"""The functions of one program while a transform adds versions of them.

In: a function and what it may call.  Out: ``Family``: the growing dictionary of callees, which
version has which name already, silent versions (without prints and checks) for re-runs.

Invariant: a version's name is registered before its body is made, so recursion ends; names never
collide with those of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import Any

from srcad.analyses.effects import Summary
from srcad.analyses.regions import Regions, is_reference
from srcad.errors import NoDerivative
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Call, Check, For, Function, If, Print, Stmt, While
from srcad.ir.types import ArrayT, ListT


class Family:
    """Callees by name, versions by what they are of."""

    def __init__(self, fn: Function) -> None:
        self.callees = dict(fn.callees)
        self.namer = Namer((*fn.callees, fn.name))
        self.made: dict[Hashable, str] = {}
        self.residuals: list[Any] = []  # what versions of outlined iterations use
        self.loops: dict[str, Any] = {}  # calls that stand for checkpointed loops

    def of(self, fn: Function) -> Family:
        """The family of another function of the same program, with the versions made so far."""
        made = Family(replace(fn, callees={**self.callees, **fn.callees}))
        made.made |= self.made
        made.loops |= self.loops
        return made

    def adjoints(self, names: Iterable[str]) -> set[str]:
        """The names of the reverse versions of some functions."""
        keys = {("reverse", name) for name in names}
        return {v for k, v in self.made.items() if isinstance(k, tuple) and k[:2] in keys}

    def version(
        self, key: Hashable, wish: str, primal: str, make: Callable[[str, Function], Function]
    ) -> str:
        """Name of the version ``key`` of a function, made on first use."""
        if key not in self.made:
            name = self.made[key] = self.namer.fresh(wish)
            self.callees[name] = self.callees[primal]
            self.callees[name] = make(name, self.callees[primal])
        return self.made[key]

    def silent(self, name: str, summaries: dict[str, Summary]) -> str:
        """A version that neither prints nor checks (what it would raise has been raised)."""
        if not any(s.effects for n, s in summaries.items() if n == name):
            return name
        return self.version(
            ("silent", name),
            f"{name}_silent",
            name,
            lambda new, fn: self.silenced(fn, new, summaries),
        )

    def silenced(self, fn: Function, name: str, summaries: dict[str, Summary]) -> Function:
        """``fn`` without prints and checks."""

        def block(b: Block) -> Block:
            return replace(
                b, stmts=tuple(one(s) for s in b.stmts if not isinstance(s, (Print, Check)))
            )

        def one(s: Stmt) -> Stmt:
            match s:
                case If():
                    return replace(s, then=block(s.then), orelse=block(s.orelse))
                case For() | While():
                    return replace(s, body=block(s.body))
                case Call():
                    return replace(s, fn=self.silent(s.fn, summaries))
            return s

        return replace(fn, name=name, body=block(fn.body), callees=self.callees)


def refuse_overlaps(s: Call, regions: Regions, summary: Summary) -> None:
    """Operands that may share storage are fine only if the callee writes neither."""
    refs = [k for k, a in enumerate(s.args) if is_reference(a)]
    for k in refs:
        kind = s.args[k].type
        if isinstance(kind, ListT) and isinstance(kind.element, ArrayT):
            raise NoDerivative(
                f"a list of arrays is passed to {s.fn!r}, which is not expanded",
                s.loc,
                instead="pass the arrays themselves",
            )
        for j in refs:
            shared = j != k and regions.reached(s.args[k]) & regions.reached(s.args[j])
            if shared and summary.writes[k]:
                raise NoDerivative(
                    f"two arguments of {s.fn!r} may share memory, and it writes one of them",
                    s.loc,
                    "its derivative is made for arguments that do not overlap",
                    "pass the array once, with the positions of the parts",
                )
