"""Very long functions in parts: what Numba and LLVM do with one takes more than linear time.

In: a function after the last transform.  Out: the same function, where long runs of statements
outside of loops stand in functions of their own, called in their place.  A part takes the
variables that it reads and returns those that are read after it, so it means what its statements
meant; arrays go by reference.  Functions of ordinary length stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from srcad.ir.nodes import Block, Call, For, Function, Stmt, Var, While
from srcad.ir.walk import binders, blocks, operands, statements, targets

LONG = 500  # statements, from which on a function is split
PART = 250  # statements of a part


def split(fn: Function, long: int = LONG, part: int = PART) -> Function:
    """``fn`` in parts, if it has more than ``long`` statements outside of loops."""
    loose = [s for s in fn.body.stmts if not isinstance(s, (For, While))]
    if sum(map(weight, loose)) <= long:
        return fn
    callees = dict(fn.callees)
    rest: list[Stmt] = []
    needed = {y.name for y in fn.body.yields if isinstance(y, Var)}
    groups = list(runs(fn.body.stmts, part))
    for k in range(len(groups), 0, -1):
        run = groups[k - 1]
        if sum(map(weight, run)) > part // 2 and not isinstance(run[0], (For, While)):
            run = [outlined(f"{fn.name}_part{k}", run, needed, callees, fn)]
        for s in reversed(run):
            needed |= {v.name for v in free(s)}
        rest[:0] = run
    return replace(fn, body=Block(tuple(rest), fn.body.yields), callees=callees)


def weight(s: Stmt) -> int:
    """Statements in a statement."""
    return 1 + sum(1 for b in blocks(s) for _ in statements(b))


def runs(stmts: tuple[Stmt, ...], part: int) -> Iterator[list[Stmt]]:
    """Statements in groups of about ``part``; a loop is a group of its own."""
    group: list[Stmt] = []
    for s in stmts:
        alone = isinstance(s, (For, While))
        if group and (alone or sum(map(weight, group)) + weight(s) > part):
            yield group
            group = []
        group.append(s)
        if alone:
            yield group
            group = []
    if group:
        yield group


def outlined(
    name: str, run: list[Stmt], needed: set[str], callees: dict[str, Function], whole: Function
) -> Call:
    """A call of a new function that has the statements; ``needed`` are read after them."""
    made = {v.name for s in run for v in targets(s)}
    params = {v.name: v for s in run for v in free(s) if v.name not in made}
    results = tuple(v for s in run for v in targets(s) if v.name in needed)
    while name in callees:
        name += "_"
    body = Block(tuple(run), results)
    marks: dict[str, Any] = {"vector": whole.vector, "relaxed": whole.relaxed}
    marks["reordered"] = whole.reordered
    callees[name] = Function(name, tuple(params.values()), body, callees, **marks)
    return Call(results, name, tuple(params.values()), run[0].loc)


def free(s: Stmt) -> Iterator[Var]:
    """Variables that a statement reads and does not make itself."""
    yield from (a for a in operands(s) if isinstance(a, Var))
    own = {v.name for v in binders(s)}
    for block in blocks(s):
        inside = set(own)
        for t in block.stmts:
            yield from (v for v in free(t) if v.name not in inside)
            inside |= {v.name for v in targets(t)}
        yield from (y for y in block.yields if isinstance(y, Var) and y.name not in inside)
