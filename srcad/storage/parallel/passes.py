"""Loops on several threads, as the last pass: outermost loops first.

In: a program after the last transform.  Out: the program in which loops that the user wrote with
``numba.prange`` (forward and reverse mode keep the mark), or all loops if asked, run on several
threads where that is proved to be right (``plan``), and one ``Region`` for each that was looked at.

Invariant: every other loop is an ordinary loop afterwards; a marked one that runs on one thread
says why in a comment of the generated code.  What decides anything (``analyses.deciding``) is the
same from run to run: it is never added atomically, nor is anything in functions that are called,
of which it is not known what decides in the caller.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from srcad.analyses.deciding import deciding
from srcad.ir.bounds import Bounds
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, For, Function, If, Load, Loc, Stmt, Store, While
from srcad.ir.types import I8
from srcad.ir.walk import statements, variables
from srcad.storage.loops.fills import filled
from srcad.storage.parallel.atomics import atomically
from srcad.storage.parallel.emit import GRAIN, Emitter, Names
from srcad.storage.parallel.facts import Facts
from srcad.storage.parallel.plan import Plan, Planner, shown
from srcad.storage.parallel.stops import Stops
from srcad.storage.parallel.work import small
from srcad.transforms import accumulate


@dataclass(frozen=True)
class Region:
    """What became of a loop: the function that runs it on threads, or the reason why none does."""

    loc: Loc | None
    function: str = ""
    part: str = ""  # the function that this one runs on each thread
    reason: str = ""
    reductions: tuple[str, ...] = ()
    private: tuple[str, ...] = ()  # arrays of which each thread has a copy
    atomic: tuple[str, ...] = ()  # arrays that all threads add to
    copies: tuple[int, ...] = ()  # which parameters of the function hold these copies
    window: int = 0


def parallelised(
    fn: Function, every: bool | None, atomics: bool = False
) -> tuple[Function, list[Region]]:
    """The program with its loops on threads.

    Args:
        every: ``None``: the loops marked by the user; ``True``: all that are worth it; ``False``:
            none.
        atomics: whether threads add to one array atomically, not each to a copy.
    """
    family = {fn.name: fn, **fn.callees}
    loops = (s for f in family.values() for s in statements(f.body) if isinstance(s, For))
    if not every and not any(s.parallel for s in loops):
        return fn, []
    fn = filled(accumulate.run(fn, integers=True))
    regions: list[Region] = []
    how = (every, atomics)
    shared: dict[str, Function] = {}
    done = {}
    for name, f in fn.callees.items():
        done[id(f)] = made = _Function(f, (every, False), shared, fn.callees, regions).run()
        shared[name] = made
    if id(fn) in done:
        whole = done[id(fn)]
    else:
        whole = _Function(fn, how, shared, fn.callees, regions).run()
    for name, f in list(shared.items()):
        shared[name] = replace(f, callees=shared)
    return shared[fn.name] if id(fn) in done else replace(whole, callees=shared), regions


class _Function:
    """One function; new ones go to ``shared``."""

    def __init__(
        self,
        fn: Function,
        how: tuple[bool | None, bool],
        shared: dict[str, Function],
        taken: dict[str, Function],
        regions: list[Region],
    ) -> None:
        self.fn, self.shared, self.taken = fn, shared, taken
        (self.every, self.atomics), self.regions = how, regions
        self.planner = Planner(fn)
        self.bounds, self.facts = Bounds(fn), Facts(fn)
        self.decides = frozenset(deciding(fn))
        self.made: dict[Hashable, Names] = {}
        self.asked = any(isinstance(s, For) and s.parallel for s in statements(fn.body))
        self.b = Builder(Namer(v.name for v in variables(fn)))
        lows = {v.name: self.bounds.lower(v) for v in variables(fn) if v.type == I8}
        self.least = {name: low for name, low in lows.items() if low is not None and low >= 0}

    def run(self) -> Function:
        """The function with its loops on threads."""
        return replace(self.fn, body=self.block(self.fn.body))

    def block(self, b: Block) -> Block:
        """A block, its loops rebuilt."""
        out: list[Stmt] = []
        for s in b.stmts:
            if isinstance(s, If):
                out.append(replace(s, then=self.block(s.then), orelse=self.block(s.orelse)))
            elif isinstance(s, While):
                out.append(replace(s, body=self.block(s.body)))
            elif isinstance(s, For):
                out += self.loop(s)
            else:
                out.append(s)
        return Block(tuple(out), b.yields)

    def loop(self, s: For) -> list[Stmt]:
        """A loop: on threads, or its inner loops on threads."""
        wanted = s.parallel or bool(self.every) or self.asked and copies(s)
        wanted = wanted and self.every is not False
        if not wanted or not s.parallel and small(s, GRAIN):
            return [replace(s, body=self.block(s.body), parallel=False)]
        plan = self.planner.plan(s)
        if isinstance(plan, Plan):
            return self.emitted(plan)
        loc = s.loc
        if s.parallel:
            self.regions.append(Region(s.loc, reason=str(plan)))
            loc = s.loc and replace(s.loc, role=f"serial: {plan}")
        return [replace(s, body=self.block(s.body), parallel=False, loc=loc)]

    def emitted(self, plan: Plan) -> list[Stmt]:
        """The statements in place of a loop."""
        s = plan.loop
        if self.atomics:
            plan.atomic = [v for v in plan.private if v.name not in self.decides]
            plan.private = [v for v in plan.private if v.name in self.decides]
        plan.loop = replace(s, body=atomically(plain(s.body), {v.name for v in plan.atomic}))
        names = Names(self.name("chunk"), self.name("threads"))
        stops = Stops(plan.loop.body, self.bounds, self.b)
        known = (self.least, self.decides, self.facts, self.made)
        emitter = Emitter(self.b, plan, names, stops, s.parallel, *known)
        with self.b.block() as out:
            emitter.emit()
        for name in (names.chunk, names.threads):
            del self.shared[name]
        self.shared.update(emitter.functions)
        names = emitter.names
        self.regions.append(
            Region(
                s.loc,
                names.threads,
                names.chunk,
                reductions=tuple(shown(c.arg) for c in s.carried),
                private=tuple(map(shown, plan.private)),
                atomic=tuple(map(shown, plan.atomic)),
                copies=emitter.held,
                window=plan.window,
            )
        )
        return out

    def name(self, role: str) -> str:
        """A name for a new function."""
        base = name = f"{self.fn.name}_{role}"
        k = 1
        while name in self.shared or name in self.taken:
            name = f"{base}_{k}"
            k += 1
        self.shared[name] = self.fn  # a place for it
        return name


def copies(s: For) -> bool:
    """Whether a loop of the program itself, or of its tape, does nothing but copy an array.

    Where the user asked for threads, one alone would take as long for it as all for a step; Numba
    puts such loops on threads as well.  Those of adjoint code often vanish (``merged``,
    ``exchanged``).
    """
    inner = list(statements(s.body))
    moves = [t for t in inner if isinstance(t, (Load, Store))]
    nest = all(isinstance(t, For) and not t.carried for t in (s, *inner) if t not in moves)
    return nest and len(moves) == 2 and s.loc is not None and s.loc.role == "primal"


def plain(b: Block) -> Block:
    """A block none of whose loops is marked."""
    out: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, If):
            s = replace(s, then=plain(s.then), orelse=plain(s.orelse))
        elif isinstance(s, For):
            s = replace(s, body=plain(s.body), parallel=False)
        elif isinstance(s, While):
            s = replace(s, body=plain(s.body))
        out.append(s)
    return Block(tuple(out), b.yields)
