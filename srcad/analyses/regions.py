"""Which storage a reference may point to: regions are parameters and allocation sites.

In: a function, summaries of what it calls.  Out: ``Regions``: the regions of every array and list
variable (through views, branches, loops, lists of references, calls), the regions that lists
hold, and groups of regions whose references meet somewhere.

Invariant: sound and flow-insensitive (Andersen).  A region made in a loop stands for all arrays
made there.  Distinct parameters are taken to be distinct storage (checked when called).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from srcad.analyses.effects import Summary
from srcad.ir.nodes import (
    Alloc,
    ArrayOp,
    Atom,
    Call,
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


def is_reference(a: object) -> bool:
    """Whether an operand refers to storage (an array or a list)."""
    return isinstance(a, Var) and isinstance(a.type, (ArrayT, ListT))


class Regions:
    """Points-to sets of a function; built once, then only asked."""

    def __init__(
        self, fn: Function, summaries: dict[str, Summary], copies: Collection[str] = ()
    ) -> None:
        """``copies`` are joins that count as arrays of their own (``analyses.joins``)."""
        self.copies = copies
        self._points: dict[str, set[str]] = defaultdict(set)
        self._holds: dict[str, set[str]] = defaultdict(set)
        self._parent: dict[str, str] = {}
        self._summaries = summaries
        self.origin: dict[str, Var] = {}
        self.meeting: set[str] = set()  # regions whose references pass a join, a list or a call
        for p in fn.params:
            self._own(p)
        todo = [s for s in statements(fn.body) if _moves_references(s)]
        self._changed = True
        while self._changed:
            self._changed = False
            for s in todo:
                self._statement(s)
        for s in todo:
            self._meetings(s)

    def of(self, v: Atom) -> frozenset[str]:
        """The regions a reference may point to."""
        return frozenset(self._points.get(v.name, ())) if isinstance(v, Var) else frozenset()

    def held(self, v: Atom) -> frozenset[str]:
        """The regions of the references that a list may hold."""
        return frozenset(h for r in self.of(v) for h in self._holds.get(r, ()))

    def reached(self, v: Atom) -> frozenset[str]:
        """The regions of a reference and of the references it holds."""
        return self.of(v) | self.held(v)

    def group(self, region: str) -> str:
        """The group of a region (its representative)."""
        while (up := self._parent.get(region, region)) != region:
            region = up
        return region

    def meets(self, v: Atom) -> bool:
        """Whether a reference shares its storage with joins, lists or results of calls."""
        return any(r in self.meeting for r in self.of(v))

    # construction
    def _own(self, v: Var) -> None:
        if not is_reference(v):
            return
        self.origin[v.name] = v
        self._add(v, {v.name})
        if isinstance(v.type, ListT) and isinstance(v.type.element, ArrayT):
            self._hold(v.name, {f"{v.name}[]"})
            self.origin[f"{v.name}[]"] = v
            self._unite([v.name, f"{v.name}[]"])
            self.meeting.update((v.name, f"{v.name}[]"))

    def _add(self, v: Atom, regions: Iterable[str]) -> None:
        assert isinstance(v, Var)
        known = self._points[v.name]
        before = len(known)
        known.update(regions)
        self._changed = getattr(self, "_changed", True) or len(known) != before

    def _hold(self, region: str, regions: Iterable[str]) -> None:
        known = self._holds[region]
        before = len(known)
        known.update(regions)
        self._changed = getattr(self, "_changed", True) or len(known) != before

    def _flow(self, target: Atom, *sources: Atom) -> None:
        if is_reference(target):
            for a in sources:
                self._add(target, self.of(a))

    def _statement(self, s: Stmt) -> None:
        match s:
            case Alloc(target=t):
                self.origin.setdefault(t.name, t)
                self._add(t, {t.name})
            case ArrayOp(targets=ts):
                for t in ts:
                    if is_reference(t):
                        self.origin.setdefault(t.name, t)
                        self._add(t, {t.name})
            case View():
                self._flow(s.target, s.base)
            case Load():
                self._add(s.target, self.held(s.array))
            case Store():
                for r in self.of(s.array):
                    self._hold(r, self.of(s.value))
            case If():
                for result, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    self._flow(result, a, b)
            case For() | While():
                for c, y in zip(s.carried, s.body.yields, strict=True):
                    self._flow(c.arg, c.init, y)
                    self._flow(c.result, c.init, y)
            case Call():
                self._call(s)

    def _call(self, s: Call) -> None:
        for t, source in zip(s.targets, self._summaries[s.fn].results, strict=True):
            if not is_reference(t):
                continue
            if source.fresh:
                self.origin.setdefault(t.name, t)
                self._add(t, {t.name})
            self._flow(t, *(s.args[k] for k in source.params))

    # groups
    def _unite(self, regions: Iterable[str]) -> None:
        roots = [self.group(r) for r in regions]
        for r in roots[1:]:
            if r != roots[0]:
                self._parent[self.group(r)] = self.group(roots[0])

    def _meet(self, *refs: Atom) -> None:
        regions = sorted(set().union(*(self.of(a) for a in refs)))
        self.meeting.update(regions)
        self._unite(regions)

    def _meetings(self, s: Stmt) -> None:
        match s:
            case If():
                for r in filter(is_reference, s.results):
                    if r.name not in self.copies:
                        self._meet(r)
            case For() | While():
                for c in s.carried:
                    if is_reference(c.arg) and c.arg.name not in self.copies:
                        self._meet(c.arg, c.result)
            case Store():
                self._meet(s.array, s.value)
            case Load():
                self._meet(s.array, s.target)
            case Call():
                for t, source in zip(s.targets, self._summaries[s.fn].results, strict=True):
                    if is_reference(t) and (source.params and not source.exact):
                        self._meet(t)
                    elif is_reference(t):
                        self._unite(sorted(self.of(t)))


def _moves_references(s: Stmt) -> bool:
    match s:
        case Alloc() | View():
            return True
        case ArrayOp(targets=ts) | Call(targets=ts):
            return any(map(is_reference, ts))
        case Load():
            return is_reference(s.target)
        case Store():
            return is_reference(s.value)
        case If():
            return any(map(is_reference, s.results))
        case For() | While():
            return any(is_reference(c.arg) for c in s.carried)
    return False
