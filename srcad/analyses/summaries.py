"""What a call does to the arrays it is given: reads, writes, and where its results come from.

In: a function with the functions it may call.  Out: ``Summary`` by function name: which parameters'
contents are read and written, and for every result whether it is fresh storage or refers to that
of a parameter.

Invariant: a fixed point over recursion, from "does nothing" upwards; flow-insensitive.
"""

from __future__ import annotations

from collections import defaultdict

from srcad.analyses.effects import Source, Summary
from srcad.analyses.regions import Regions, is_reference
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Call,
    Check,
    Dim,
    For,
    Function,
    If,
    Load,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.walk import statements


def summarise(fn: Function) -> dict[str, Summary]:
    """Summaries of everything ``fn`` may call, directly or not."""
    family = reachable(fn)
    found = {name: _bottom(f) for name, f in family.items()}
    while True:
        again = {name: _summary(f, found) for name, f in family.items()}
        if again == found:
            return found
        found = again


def summary_of(fn: Function) -> Summary:
    """Summary of ``fn`` itself."""
    return _summary(fn, summarise(fn))


def reachable(fn: Function) -> dict[str, Function]:
    """Everything that ``fn`` may call, by name."""
    found: dict[str, Function] = {}
    todo = [fn] if fn.callees else []
    while todo:
        for s in statements(todo.pop().body):
            if isinstance(s, Call) and s.fn not in found:
                found[s.fn] = fn.callees[s.fn]
                todo.append(found[s.fn])
    return found


def _bottom(fn: Function) -> Summary:
    nothing = (False,) * len(fn.params)
    return Summary(nothing, nothing, (Source(exact=True),) * len(fn.body.yields))


def _summary(fn: Function, known: dict[str, Summary]) -> Summary:
    regions = Regions(fn, known)
    reads: set[str] = set()
    writes: set[str] = set()
    effects = False
    for s in statements(fn.body):
        _effects(s, regions, known, reads, writes)
        effects |= isinstance(s, (Check, Print)) or isinstance(s, Call) and known[s.fn].effects
    names = [p.name for p in fn.params]
    exact = _Exact(fn, known)
    results = tuple(_source(y, names, regions, exact) for y in fn.body.yields)
    return Summary(
        tuple(_touched(n, reads) for n in names),
        tuple(_touched(n, writes) for n in names),
        results,
        effects,
    )


def _touched(name: str, regions: set[str]) -> bool:
    return name in regions or f"{name}[]" in regions


def _effects(
    s: Stmt, regions: Regions, known: dict[str, Summary], reads: set[str], writes: set[str]
) -> None:
    match s:
        case Load():
            reads |= regions.of(s.array)
        case Store():
            writes |= regions.of(s.array)
        case Reserve():
            writes |= regions.of(s.array)
        case Accumulate():
            writes |= regions.of(s.array)
            reads |= regions.of(s.array)
        case ArrayOp():
            for a in filter(is_reference, s.args):
                reads |= regions.reached(a)
        case Dim():
            if not hasattr(s.array.type, "ndim"):
                reads |= regions.of(s.array)
        case Call():
            for a, r, w in zip(s.args, known[s.fn].reads, known[s.fn].writes, strict=True):
                reads |= regions.reached(a) if r else set()
                writes |= regions.reached(a) if w else set()


def _source(y: Atom, names: list[str], regions: Regions, exact: _Exact) -> Source:
    found = regions.of(y)
    if not found:
        return Source(exact=True)
    params = frozenset(k for k, n in enumerate(names) if n in found or f"{n}[]" in found)
    fresh = any(r not in names and not r.endswith("[]") for r in found)
    return Source(fresh, params, not fresh and len(params) == 1 and exact.same(y))


class _Exact:
    """Whether a result is, whatever path is taken, the very reference one parameter got."""

    def __init__(self, fn: Function, known: dict[str, Summary]) -> None:
        self.params = {p.name for p in fn.params}
        self.from_: dict[str, list[Atom]] = defaultdict(list)
        for s in statements(fn.body):
            self._statement(s, known)

    def _statement(self, s: Stmt, known: dict[str, Summary]) -> None:
        match s:
            case View(kind="same"):
                self.from_[s.target.name].append(s.base)
            case If():
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    self.from_[r.name] += [a, b]
            case For() | While():
                for c, y in zip(s.carried, s.body.yields, strict=True):
                    self.from_[c.arg.name] += [c.init, y]
                    self.from_[c.result.name] += [c.init, y]
            case Call():
                for t, source in zip(s.targets, known[s.fn].results, strict=True):
                    if source.exact:
                        self.from_[t.name] += [s.args[k] for k in source.params] or [t]

    def same(self, y: Atom) -> bool:
        """Whether all that ``y`` may be is one parameter."""
        leaves: set[str] = set()
        seen: set[str] = set()
        todo = [y]
        while todo:
            a = todo.pop()
            if not isinstance(a, Var) or a.name in seen:
                continue
            seen.add(a.name)
            if a.name in self.from_:
                todo += self.from_[a.name]
            else:
                leaves.add(a.name)
        return len(leaves) == 1 and leaves <= self.params
