"""The bodies of chosen loops become functions that the loops call.

In: a function and candidates.  Out: the same program with each body in a function of its own, whose
parameters are the counter, the carried values, and whatever else the body uses, and which makes
the scratch arrays itself.  Reverse mode then has one call to differentiate, and no value crosses
its boundary (``reverse.operations``).

Invariant: the same statements in the same order; variables keep their names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from srcad.analyses.aliases import is_reference
from srcad.analyses.tree import Node, Tree, may_follow
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Block,
    Call,
    Const,
    Dim,
    For,
    Function,
    If,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT
from srcad.ir.walk import binders, free_variables, operands, targets, variables
from srcad.transforms.arrays import sizes
from srcad.transforms.fusion.eligible import Candidate
from srcad.transforms.trips import trip_count

Place = tuple[Node, int]


def outlined(fn: Function, found: list[Candidate]) -> tuple[Function, dict[str, Candidate]]:
    """The function with these loops' bodies outlined, and the new functions' names."""
    callees = dict(fn.callees)
    functions = Namer((*callees, fn.name))
    namer = Namer(v.name for v in variables(fn))
    at = {c.position: c for c in found}
    made: dict[str, Candidate] = {}
    scratch = {a.target.name for c in found for a in c.private}
    b = Builder(namer)
    for position, s in enumerate(fn.body.stmts):
        c = at.get(position)
        if c is not None:
            name = functions.fresh(f"{fn.name}_iteration")
            callees[name] = iteration(name, c)
            made[name] = replace(
                c,
                rows={a.name: rows(b, c.loop, a) for a in c.state},
                idle=idle_writes(callees[name], [a.name for a in (*c.state, *c.final)]),
            )
            s = caller(c.loop, callees[name], namer)
        if not scratch & {t.name for t in targets(s)}:
            b.emit(s)
    kept = tuple(b.stack[0])
    shared = {k: replace(f, callees=callees) for k, f in callees.items()}
    callees.update(shared)
    return replace(fn, body=Block(kept, fn.body.yields), callees=callees), made


def rows(b: Builder, loop: For, array: Var) -> Var:
    """Room for the contents of an array at the start of each iteration."""
    assert isinstance(loop.step, Const) and isinstance(array.type, ArrayT)
    b.loc = None if loop.loc is None else replace(loop.loc, role="tape")
    trips = trip_count(b, loop.start, loop.stop, loop.step)
    kind = ArrayT(array.type.dtype, array.type.ndim + 1)
    return b.alloc(kind, (trips, *sizes(b, array)), False, f"{array.hint or array.name}_tape")


def iteration(name: str, c: Candidate) -> Function:
    """The body of a loop as a function."""
    loop = c.loop
    inputs = tuple(binders(loop))
    allocs = tuple(replace(a, zero=False) for a in c.private)
    body = Block((*allocs, *loop.body.stmts), loop.body.yields)
    free = free_variables(body, inputs)
    return Function(name, (*inputs, *free), body)


def caller(loop: For, body: Function, namer: Namer) -> For:
    """The loop with a call in place of its body."""
    results = tuple(
        Var(namer.fresh(c.arg.hint or c.arg.name), y.type, c.arg.hint)
        for c, y in zip(loop.carried, loop.body.yields, strict=True)
    )
    call = Call(results, body.name, body.params, loop.loc)
    return replace(loop, body=Block((call,), results))


def idle_writes(fn: Function, arrays: Iterable[str]) -> frozenset[str]:
    """Those of some parameters of a function that it does not read after it has written to them.

    Run again for its derivative only, it need not write to them.
    """
    tree = Tree(fn)
    reads: dict[str, list[Place]] = defaultdict(list)
    writes: dict[str, list[Place]] = defaultdict(list)
    for node, position, s in tree.walk():
        if isinstance(s, (Store, Accumulate)):
            writes[root(tree, s.array)].append((node, position))
        else:
            for a in () if isinstance(s, (View, Dim)) else operands(s):
                if isinstance(a, Var) and is_reference(a):
                    reads[root(tree, a)].append((node, position))
    return frozenset(
        a for a in arrays if not any(may_follow(w, r, None) for w in writes[a] for r in reads[a])
    )


def root(tree: Tree, v: Var) -> str:
    """The array at the end of a chain of views."""
    while isinstance(s := tree.home[v.name].stmt, View):
        v = s.base
    return v.name


def without_writes(fn: Function, arrays: frozenset[str]) -> Function:
    """A function that does not write to some of its parameters."""
    tree = Tree(fn)

    def block(b: Block) -> Block:
        return replace(b, stmts=tuple(one(s) for s in b.stmts if not dropped(s)))

    def dropped(s: Stmt) -> bool:
        return isinstance(s, (Store, Accumulate)) and root(tree, s.array) in arrays

    def one(s: Stmt) -> Stmt:
        if isinstance(s, If):
            return replace(s, then=block(s.then), orelse=block(s.orelse))
        return replace(s, body=block(s.body)) if isinstance(s, (For, While)) else s

    return replace(fn, body=block(fn.body)) if arrays else fn
