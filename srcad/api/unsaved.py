"""Why a variable is not saved: the other half of ``explain``.

In: a program before it is differentiated, its active parameters, the names of what is saved.  Out:
an ``Unsaved`` for every float variable of the user's source that the reverse sweep does without.

Limits: by name, so a name that stands for several values is listed where none of them is saved.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.compiler import Program
from srcad.ir.nodes import Block, For, Function, If, Var, While
from srcad.ir.types import is_float
from srcad.ir.walk import binders, statements, targets

CONSTANT = "does not depend on what is differentiated"
UNUSED = "no differentiated result depends on it"
LINEAR = "used linearly only: no derivative needs its value"


@dataclass(frozen=True)
class Unsaved:
    """A variable that the reverse sweep does without."""

    variable: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"  {self.variable:<12} {'not needed':<13} {'':>12}  line {self.line}: {self.why}"


def unsaved(
    program: Program, active: tuple[bool, ...], seeded: tuple[bool, ...], saved: set[str]
) -> tuple[Unsaved, ...]:
    """The variables of the user that are not among ``saved``, in the order of their lines."""
    fn, summaries = program.fn, summarise(program.fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, active, seeded)
    users = names(program.source.node)
    lines: dict[str, int] = {}
    found: dict[str, list[Var]] = {}
    for v, line in definitions(fn):
        name = v.hint or v.name
        if name in users and name not in saved and is_float(v.type):
            found.setdefault(name, []).append(v)
            lines.setdefault(name, line)
    rows = [Unsaved(name, lines[name], reason(activity, vs)) for name, vs in found.items()]
    return tuple(sorted(rows, key=lambda r: r.line))


def names(node: ast.AST) -> set[str]:
    """The names that a function assigns."""
    return {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def definitions(fn: Function) -> list[tuple[Var, int]]:
    """All variables but parameters, and the line that makes each."""
    found: list[tuple[Var, int]] = []
    for s in statements(Block(fn.body.stmts)):
        loc = getattr(s, "loc", None)
        made = (*targets(s), *binders(s)) if isinstance(s, (If, For, While)) else targets(s)
        found += [(v, loc.line if loc is not None else 0) for v in made]
    return found


def reason(activity: Activity, found: list[Var]) -> str:
    """Why none of the values of a name is saved."""
    if not any(activity.varied.has(v) for v in found):
        return CONSTANT
    if any(activity.shadowed(v) if is_reference(v) else activity.active(v) for v in found):
        return LINEAR
    return UNUSED
