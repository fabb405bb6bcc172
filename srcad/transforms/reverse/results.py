"""Results of calls that may or may not be arguments become copies, where nobody could tell.

In: a function with calls that are not expanded.  Out: the same function, in which a call whose
result is an argument on one path and a new array on another calls a version that returns a copy.

Invariant: neither the result nor what it may be is written after the call, by any name, so contents
agree for ever.  Where that does not hold the call stays, and ``prepare`` refuses it.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.effects import Source, Summary
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.reload import Reload
from srcad.analyses.summaries import summarise
from srcad.analyses.tree import Node, Tree, may_follow
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Call, For, Function, If, Stmt, Var, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import blocks, variables
from srcad.transforms.arrays import copy, fit
from srcad.transforms.family import Family


def ambiguous(source: Source) -> bool:
    """Whether it depends on the path what a result is, or which part of an argument."""
    return bool(source.params) and not (source.exact and not source.fresh)


def with_copies(fn: Function, family: Family) -> Function:
    """``fn`` with calls of copying versions."""
    summaries = summarise(fn)
    if not any(map(ambiguous, (r for s in summaries.values() for r in s.results))):
        return fn
    reload = Reload(Tree(fn), Regions(fn, summaries), summaries)
    chosen = {
        id(s): _copying(s.fn, family, summaries[s.fn])
        for node, position, s in reload.tree.walk()
        if isinstance(s, Call) and _harmless(reload, summaries[s.fn], (node, position), s)
    }
    if not chosen:
        return fn
    return replace(fn, body=_block(fn.body, chosen), callees=family.callees)


def _harmless(reload: Reload, summary: Summary, place: tuple[Node, int], s: Call) -> bool:
    results = [t for t, r in zip(s.targets, summary.results, strict=True) if ambiguous(r)]
    for t in results:
        if not isinstance(t.type, ArrayT):
            return False
        for region in reload.regions.of(t):
            home = reload.tree.home.get(region)
            if home is None:
                return False
            for w in reload.writes.get(region, ()):
                if may_follow(place, (w.node, w.position), home.node):
                    return False
    return bool(results)


def _copying(name: str, family: Family, summary: Summary) -> str:
    def make(new: str, primal: Function) -> Function:
        b = Builder(Namer(v.name for v in variables(primal)))
        with b.block() as closing:
            yields = tuple(
                fit(b, copy(b, y, y.hint), y.type)
                if isinstance(y, Var) and is_reference(y) and ambiguous(source)
                else y
                for y, source in zip(primal.body.yields, summary.results, strict=True)
            )
        body = Block((*primal.body.stmts, *closing), yields)
        return replace(primal, name=new, body=body, callees=family.callees)

    return family.version(("copying", name), f"{name}_copying", name, make)


def _block(block: Block, chosen: dict[int, str]) -> Block:
    return replace(block, stmts=tuple(_statement(s, chosen) for s in block.stmts))


def _statement(s: Stmt, chosen: dict[int, str]) -> Stmt:
    match s:
        case Call() if id(s) in chosen:
            return replace(s, fn=chosen[id(s)])
        case If():
            return replace(s, then=_block(s.then, chosen), orelse=_block(s.orelse, chosen))
        case For() | While() if blocks(s):
            return replace(s, body=_block(s.body, chosen))
    return s
