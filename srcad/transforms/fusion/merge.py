"""One loop in place of two: over the iterations of the primal, and over those of its adjoint.

In: an adjoint made with outlined loop bodies.  Out: the same function where, for each of them, the
loop that calls the primal body is gone, and the one that calls the body's adjoint, which gives
the body's results as well, runs upwards and carries what both carried.

What stands between the two and needs results of the first moves behind the new loop.

Invariant: the same numbers.  It fails (the name is reported) where the adjoints need what the first
loop computes, or where moving would carry a statement past another that touches the same storage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.build import ZERO
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Check,
    Draw,
    For,
    Function,
    If,
    Load,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.walk import blocks, operands, rewrite_block, statements, targets
from srcad.transforms import simplify
from srcad.transforms.family import Family
from srcad.transforms.fusion.eligible import Candidate


def merged(
    fn: Function, names: dict[str, Candidate], outlined: set[str], family: Family
) -> tuple[Function, set[str]]:
    """The function with its pairs of loops merged, and the names for which it failed."""
    failed = set()
    for name in reversed(names):
        again = _Merge(fn, name, outlined, family).run()
        if again is None:
            failed.add(name)
        else:
            fn = again
    return fn, failed


@dataclass(frozen=True)
class _Pair:
    """The two loops, their places in the function's body, and their calls."""

    first: For
    second: For
    at: tuple[int, int]
    primal: Call
    adjoint: Call


class _Merge:
    """One outlined body."""

    def __init__(self, fn: Function, name: str, names: set[str], family: Family) -> None:
        self.fn, self.name, self.family = fn, name, family
        body = family.callees[name].body
        self.raises = any(isinstance(s, Check) for s in statements(body))
        self.versions = family.adjoints({name})
        self.storage = _Storage(fn, names, family)

    def run(self) -> Function | None:
        """The function with the loops merged, ``None`` if they cannot be."""
        pair = self.pair()
        new = None if pair is None else self.loop(pair)
        if pair is None or new is None:
            return None
        order = self.order(pair, new[0])
        if order is None:
            return None

        def use(a: Atom) -> Atom:
            return new[1].get(a.name, a) if isinstance(a, Var) else a

        return replace(
            self.fn, body=rewrite_block(Block(order, self.fn.body.yields), use, lambda v: v)
        )

    def pair(self) -> _Pair | None:
        """The loop of the primal and that of the adjoint."""
        loops: list[tuple[int, For, Call]] = []
        for k, s in enumerate(self.fn.body.stmts):
            for t in s.body.stmts if isinstance(s, For) else ():
                if isinstance(t, Call) and t.fn in {self.name, *self.versions}:
                    loops.append((k, s, t))  # type: ignore[arg-type]
        if [t.fn == self.name for _, _, t in loops] != [True, False]:
            return None
        (k, first, primal), (j, second, adjoint) = loops
        if len(first.carried) != len(primal.targets):
            return None
        return _Pair(first, second, (k, j), primal, adjoint)

    def loop(self, p: _Pair) -> tuple[For, dict[str, Atom]] | None:
        """The loop that does both, if everything it is given is known before it.

        And what the results of the adjoint's loop are that it has not any more.
        """
        n = len(p.primal.args)
        made = {v.name for s in p.second.body.stmts for v in targets(s)} | {p.second.index.name}
        known: dict[str, Atom] = {}
        kept: list[tuple[Carried, Atom]] = []
        for c, y in zip(p.second.carried, p.second.body.yields, strict=True):
            if self.passed_on(p, c.arg, y):
                known |= {c.arg.name: c.init, c.result.name: c.init}
            else:
                kept.append((c, y))
        rest = tuple(known.get(a.name, a) if isinstance(a, Var) else a for a in p.adjoint.args[n:])
        sums = self.sums(p, [c for c, _ in kept])
        moving = made | {c.arg.name for c, _ in kept}
        if sums is None or any(isinstance(a, Var) and a.name in moving for a in rest):
            return None
        call = replace(
            p.adjoint,
            args=(*p.primal.args, *rest),
            targets=(*p.primal.targets, *p.adjoint.targets[len(p.primal.targets) :]),
        )
        body = Block((call, *sums), (*p.first.body.yields, *(y for _, y in kept)))
        carried = (*p.first.carried, *(c for c, _ in kept))
        return replace(p.first, carried=carried, body=body), known

    def passed_on(self, p: _Pair, arg: Var, end: Atom) -> bool:
        """Whether the reverse loop hands a carried adjoint on as it is."""
        if end == arg:
            return True
        if end not in p.adjoint.targets:
            return False
        callee = simplify.run(replace(self.family.callees[p.adjoint.fn], callees={}))
        y = callee.body.yields[p.adjoint.targets.index(end)]
        given = dict(zip(callee.params, p.adjoint.args, strict=True))
        return isinstance(y, Var) and given.get(origin(callee, y)) == arg

    def sums(self, p: _Pair, carried: list[Carried]) -> list[Stmt] | None:
        """The statements after the adjoint's call, if they only add its results up."""
        k = p.second.body.stmts.index(p.adjoint)
        rest = list(p.second.body.stmts[k + 1 :])
        used = {c.arg.name for c in carried}
        early = {a.name for a in p.adjoint.args[len(p.primal.args) :] if isinstance(a, Var)}
        before = {v.name for s in p.second.body.stmts[:k] for v in targets(s)}
        fine = all(getattr(s, "op", "") in ("add", "sub", "f4", "f8", "neg") for s in rest)
        fine &= not any(a.name in before for s in rest for a in all_operands(s))
        return rest if fine and not used & early else None

    def order(self, p: _Pair, new: For) -> tuple[Stmt, ...] | None:
        """The function's statements with the new loop, dependent ones behind it."""
        stmts = self.fn.body.stmts
        k, j = p.at
        results = {v.name for v in targets(p.first)}
        dependent: list[Stmt] = []
        independent: list[Stmt] = []
        seen = _Touched(self.storage)
        seen.add(p.first)
        for s in stmts[k + 1 : j]:
            uses = {a.name for a in all_operands(s)}
            if uses & results or seen.conflicts(s):
                dependent.append(s)
                results |= {v.name for v in targets(s)}
                seen.add(s)
            else:
                independent.append(s)
        behind = _Touched(self.storage)
        for s in dependent:
            behind.add(s)
        if {a.name for a in all_operands(new)} & results - {v.name for v in targets(p.first)}:
            return None
        if _effects(dependent) and _effects(independent):
            return None
        shadows = replace(p.second, body=replace(p.second.body, stmts=(self.shadows(p),)))
        if behind.conflicts(shadows) or self.raises and not self.unseen(independent):
            return None
        return (*stmts[:k], *independent, new, *dependent, *stmts[j + 1 :])

    @staticmethod
    def shadows(p: _Pair) -> Call:
        """The adjoint's call as far as it touches shadows: the rest is what the first loop does."""
        kept = [a if k >= len(p.primal.args) else ZERO for k, a in enumerate(p.adjoint.args)]
        return replace(p.adjoint, args=tuple(kept))

    def unseen(self, stmts: list[Stmt]) -> bool:
        """Whether statements that now run before a loop that may raise are not noticed then."""
        touched = _Touched(self.storage)
        for s in stmts:
            touched.add(s)
        visible = {r for v in self.fn.params for r in self.storage.roots(v)}
        return not _effects(stmts) and not touched.writes & visible


class _Storage:
    """What statements read and write, by class of storage; calls by what their callees do."""

    def __init__(self, fn: Function, outlined: set[str], family: Family) -> None:
        self.known = summarise(replace(fn, callees=family.callees))
        harmless = outlined | family.adjoints(outlined)
        self.aliases = Aliases(replace(fn, body=_without(fn.body, harmless)), distinct=True)

    def of(self, s: Stmt) -> tuple[set[str], set[str]]:
        """What a statement, with what is in it, reads and writes."""
        reads: set[str] = set()
        writes: set[str] = set()
        for t in (s, *(x for b in blocks(s) for x in statements(b))):
            if isinstance(t, Call):
                summary = self.known[t.fn]
                for a, r, w in zip(t.args, summary.reads, summary.writes, strict=True):
                    reads |= self.roots(a) if r else set()
                    writes |= self.roots(a) if w else set()
                continue
            if isinstance(t, (Load, ArrayOp, Accumulate)):
                reads |= {r for a in operands(t) for r in self.roots(a)}
            if isinstance(t, (Store, Accumulate, Reserve)):
                writes |= self.roots(t.array)
        return reads, writes

    def roots(self, a: Atom) -> set[str]:
        """The class of a reference, and of what it holds."""
        if not isinstance(a, Var) or not is_reference(a):
            return set()
        return {self.aliases.root(a), self.aliases.element_root(a)}


class _Touched:
    """Classes of storage that statements read and write."""

    def __init__(self, storage: _Storage) -> None:
        self.storage = storage
        self.reads: set[str] = set()
        self.writes: set[str] = set()

    def add(self, s: Stmt) -> None:
        """Note a statement and what is in it."""
        reads, writes = self.storage.of(s)
        self.reads |= reads
        self.writes |= writes

    def conflicts(self, s: Stmt) -> bool:
        """Whether a statement may not change places with those noted."""
        reads, writes = self.storage.of(s)
        return bool(self.writes & (reads | writes) or self.reads & writes)


def _without(b: Block, calls: set[str]) -> Block:
    """A block without certain calls (they hand no references on)."""
    stmts: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, If):
            s = replace(s, then=_without(s.then, calls), orelse=_without(s.orelse, calls))
        elif isinstance(s, (For, While)):
            s = replace(s, body=_without(s.body, calls))
        if not (isinstance(s, Call) and s.fn in calls):
            stmts.append(s)
    return Block(tuple(stmts), b.yields)


def all_operands(s: Stmt) -> list[Var]:
    """Every variable that a statement or one in it uses."""
    inner = [t for b in blocks(s) for t in statements(b)]
    atoms = [a for t in (s, *inner) for a in operands(t)]
    atoms += [y for t in (s, *inner) for b in blocks(t) for y in b.yields]
    return [a for a in atoms if isinstance(a, Var)]


def origin(fn: Function, y: Var) -> Var:
    """The parameter (or variable) that a result is, seen through loops that hand it on."""
    while True:
        for s in fn.body.stmts:
            if isinstance(s, For) and y in targets(s):
                k = targets(s).index(y)
                if s.body.yields[k] == s.carried[k].arg and isinstance(s.carried[k].init, Var):
                    y = s.carried[k].init  # type: ignore[assignment]
                    break
        else:
            return y


def _effects(stmts: list[Stmt]) -> bool:
    return any(
        isinstance(t, (Check, Print, Draw))
        for s in stmts
        for t in (s, *(x for b in blocks(s) for x in statements(b)))
    )
