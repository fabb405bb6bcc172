"""Results that no caller uses are not computed.

In: a program after the last transform.  Out: the same program, where functions that are called do
not return what nobody reads, and calls are left out of which nothing is used and which do nothing
else.  The reverse version of a recursive function returns the function's value, for those who want
it; where only its cotangents are used, it need not evaluate the function at each level again.

Invariant: results of ``fn`` itself, what is written, checks, prints and draws stay as they were.
Limits: functions with a derivative of the user (``Rule``) keep their results.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from srcad.analyses.summaries import reachable, summarise
from srcad.ir.nodes import Block, Call, For, Function, If, Stmt, Var, While
from srcad.ir.walk import blocks, operands, statements
from srcad.transforms import dead_code
from srcad.transforms.draws import draws

Used = dict[str, frozenset[int]]


def only_used(fn: Function, whole: Collection[str] = ()) -> Function:
    """The program without such results and calls; functions in ``whole`` keep theirs."""
    while fn.callees:
        idle, used = quiet(fn) - set(whole), needed(fn, whole)
        family = reachable(fn)
        spare = any(len(ks) < len(family[n].body.yields) for n, ks in used.items())
        if not spare and not any(dead_calls(f, idle) for f in (fn, *family.values())):
            break
        fn = dead_code.run(without(fn, used, idle))
    return fn


def needed(fn: Function, whole: Collection[str] = ()) -> Used:
    """Which results have a use in the end, that is not just in further results without one."""
    family = reachable(fn)
    given = [*whole, *(n for n, f in family.items() if f.rule or f is fn)]
    given += [n for f in family.values() if f.rule for n in f.rule.names]
    used: Used = {n: frozenset() for n in family if n not in given}
    while True:
        again = results_used(dead_code.run(without(fn, used, set(), whole=True)), set(used))
        again = {n: used[n] | ks for n, ks in again.items()}
        if again == used:
            return used
        used = again


def without(fn: Function, used: Used, idle: set[str], whole: bool = False) -> Function:
    """The program without results beyond ``used``, and calls of ``idle`` for nothing.

    With ``whole`` calls still name all results: to see which of them are read.
    """
    at_calls: Used = {} if whole else used
    shared: dict[str, Function] = {}
    for name, f in fn.callees.items():
        made = _Without(f, at_calls, idle).function(used.get(name))
        shared[name] = replace(made, callees=shared)
    if fn.callees.get(fn.name) is fn:
        return shared[fn.name]
    return replace(_Without(fn, at_calls, idle).function(None), callees=shared)


def quiet(fn: Function) -> set[str]:
    """The functions that do nothing but return results."""
    summaries = summarise(fn)
    return {
        name
        for name, f in reachable(fn).items()
        if not (any(summaries[name].writes) or summaries[name].effects or draws(f))
    }


def results_used(fn: Function, names: set[str]) -> Used:
    """Which results of each function are read by one of its callers."""
    used: dict[str, set[int]] = {n: set() for n in names}
    for f in {id(f): f for f in (fn, *reachable(fn).values())}.values():
        read = names_read(f)
        for s in statements(f.body):
            if isinstance(s, Call) and s.fn in used:
                used[s.fn] |= {k for k, t in enumerate(s.targets) if t.name in read}
    return {n: frozenset(ks) for n, ks in used.items()}


def names_read(fn: Function) -> set[str]:
    """The names that a function reads."""
    found = {y.name for y in fn.body.yields if isinstance(y, Var)}
    for s in statements(fn.body):
        found |= {a.name for a in operands(s) if isinstance(a, Var)}
        found |= {y.name for b in blocks(s) for y in b.yields if isinstance(y, Var)}
    return found


def dead_calls(fn: Function, idle: set[str]) -> bool:
    """Whether a function calls one of ``idle`` for nothing."""
    calls = [s for s in statements(fn.body) if isinstance(s, Call) and s.fn in idle]
    read = names_read(fn) if calls else set()
    return any(not any(t.name in read for t in s.targets) for s in calls)


class _Without:
    """One function."""

    def __init__(self, fn: Function, used: Used, idle: set[str]) -> None:
        self.fn, self.used, self.idle = fn, used, idle
        self.read = names_read(fn)

    def function(self, kept: frozenset[int] | None) -> Function:
        """Its calls, and those of its results that are ``kept``."""
        made = self.block(self.fn.body)
        if kept is not None:
            made = replace(made, yields=tuple(y for k, y in enumerate(made.yields) if k in kept))
        return replace(self.fn, body=made)

    def block(self, b: Block) -> Block:
        """Its statements."""
        return replace(b, stmts=tuple(new for s in b.stmts for new in self.statement(s)))

    def statement(self, s: Stmt) -> tuple[Stmt, ...]:
        """A statement, or nothing."""
        match s:
            case If():
                return (replace(s, then=self.block(s.then), orelse=self.block(s.orelse)),)
            case For() | While():
                return (replace(s, body=self.block(s.body)),)
            case Call():
                if s.fn in self.idle and not any(t.name in self.read for t in s.targets):
                    return ()
                if s.fn in self.used:
                    kept = self.used[s.fn]
                    here = tuple(t for k, t in enumerate(s.targets) if k in kept)
                    return (replace(s, targets=here),)
        return (s,)
