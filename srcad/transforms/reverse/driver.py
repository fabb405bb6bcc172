"""Reverse mode on one screen: prepare, dry run, plan, forward sweep, reverse sweep.

In: verified IR, which parameters are active, which float results are seeded.  Out: a function of
the primal parameters, one seed for each seeded result and, without ``allocate``, one shadow array
for each active array parameter; its results are the primal's and then the cotangents of the
active parameters (without ``allocate`` of the scalar ones only).

Invariant: values and effects are the primal's, derivatives are with respect to values on entry,
and the reverse sweep never writes primal storage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import srcad.rules  # noqa: F401  (fills the registry)
from srcad.analyses.activity import Activity
from srcad.analyses.joins import by_value
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.reload import Reload
from srcad.analyses.summaries import summarise
from srcad.analyses.tree import Node, Tree
from srcad.errors import NoDerivative
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import ArrayOp, Atom, Block, Call, Function, Loc, Var
from srcad.ir.types import ArrayT, ListT, is_float, shadow_type
from srcad.ir.walk import variables
from srcad.transforms.arrays import add_to, like, zero_of
from srcad.transforms.checkpoints import LoopCall, with_calls
from srcad.transforms.custom import settled, taken
from srcad.transforms.draws import lifted, refuse_parameters
from srcad.transforms.family import Family
from srcad.transforms.fusion import Candidate, fused, without_writes
from srcad.transforms.reverse.adjoint import Adjoint
from srcad.transforms.reverse.operations import Operations, wanted_snapshots
from srcad.transforms.reverse.poison import poisoned
from srcad.transforms.reverse.positions import Positions
from srcad.transforms.reverse.prepare import Prepare, Prepared
from srcad.transforms.reverse.results import with_copies
from srcad.transforms.reverse.rows import with_rows
from srcad.transforms.reverse.scope import Scopes
from srcad.transforms.reverse.storage import CHEAP, Plan, Residual, Storage
from srcad.transforms.reverse.sweep import Sweep
from srcad.transforms.rotate import rotated
from srcad.transforms.separate import separated


@dataclass
class Report:
    """What the reverse sweep uses of the forward sweep."""

    residuals: list[Residual] = field(default_factory=list)
    loops: dict[str, LoopCall] = field(default_factory=dict)  # by the name of the forward sweep


@dataclass(frozen=True)
class Request:
    """What is asked of reverse mode."""

    fn: Function
    active: tuple[bool, ...]
    seeded: tuple[bool, ...]
    allocate: bool
    poison: bool
    lean: bool
    name: str
    family: Family
    rows: bool = True  # whether copies of whole arrays may be taken
    copies: Mapping[str, Var] = field(default_factory=dict)  # by load: has what it read
    separate: bool = True  # whether arrays that are filled again may be several
    fuse: bool = False  # whether loops may run forwards and backwards at once
    iterations: Mapping[str, Candidate] = field(default_factory=dict)  # outlined (``fusion``)
    cheap: int = CHEAP  # what recomputing one value may cost
    unwritten: frozenset[str] = frozenset()  # parameters whose writes will be left out


def reverse(
    fn: Function,
    active: tuple[bool, ...],
    seeded: tuple[bool, ...] | None = None,
    *,
    allocate: bool = True,
    poison: bool = False,
    lean: bool = True,
    fuse: bool = True,
) -> Function:
    """The adjoint of ``fn`` with respect to its active parameters."""
    return reverse_with_report(
        fn, active, seeded, allocate=allocate, poison=poison, lean=lean, fuse=fuse
    )[0]


def reverse_with_report(
    fn: Function,
    active: tuple[bool, ...],
    seeded: tuple[bool, ...] | None = None,
    *,
    allocate: bool = True,
    poison: bool = False,
    lean: bool = True,
    fuse: bool = True,
) -> tuple[Function, Report]:
    """``reverse``, and what was stored, kept, recomputed or read again, and why."""
    if seeded is None:
        seeded = tuple(True for y in fn.body.yields if is_float(y.type))
    family = Family(fn)
    made = generate(
        Request(
            fn,
            active,
            seeded,
            allocate,
            poison,
            lean,
            family.namer.fresh(f"{fn.name}_b"),
            family,
            fuse=lean and fuse,
        )
    )
    settled(family)
    return made


def generate(request: Request) -> tuple[Function, Report]:
    """The reverse version that is asked for."""
    if not request.iterations:  # else it has been done
        fn = with_calls(request.fn, request.family)
        fn = lifted(with_copies(fn, request.family), request.family)
        inout = not request.allocate
        fn = taken(fn, request.active, request.seeded, inout, request.family)
        request = replace(request, fn=rotated(fn, _varying(request, fn)) if request.lean else fn)
    return _Reverse(request).run()


def _varying(request: Request, fn: Function) -> Callable[[Var], bool]:
    """Whether an array has a shadow."""
    found: list[Activity] = []  # made when it is first asked for

    def varying(v: Var) -> bool:
        if not found:
            known, inout = summarise(fn), not request.allocate
            regions = Regions(fn, known)
            found.append(Activity(fn, regions, known, request.active, request.seeded, inout))
        return found[0].shadowed(v)

    return varying


class _Reverse:
    def __init__(self, request: Request) -> None:
        self.request = request
        fn = request.fn
        self.summaries = summarise(fn)
        primal = Reload(Tree(fn), Regions(fn, self.summaries), self.summaries)
        copies = by_value(primal, self.summaries) if request.lean else set()
        self.activity = Activity(
            fn,
            Regions(fn, self.summaries, copies),
            self.summaries,
            request.active,
            request.seeded,
            not request.allocate,
        )
        refuse_parameters(fn, self.activity)
        self.namer = Namer(v.name for v in variables(fn))
        self.b = Builder(self.namer)
        floats = [y for y in fn.body.yields if is_float(y.type)]
        self.seeds = [
            (y, self._param(y, "seed")) for y, on in zip(floats, request.seeded, strict=True) if on
        ]
        self.shadows = (
            {}
            if request.allocate
            else {
                p.name: self._param(p, "b")
                for p, on in zip(fn.params, request.active, strict=True)
                if on and is_reference(p)
            }
        )
        self.prepared = self._prepare(primal)
        whole = (*fn.params, *(v for _, v in self.seeds), *self.shadows.values())
        self.fn = replace(fn, params=whole, body=self.prepared.body)
        self.tree = Tree(self.fn)
        self.regions = Regions(self.fn, self.summaries)
        self.reload = Reload(self.tree, self.regions, self.summaries, self.request.unwritten)
        self.positions = Positions(self.tree)
        self.idle: set[Node] = set()

    def _param(self, a: Atom, role: str) -> Var:
        hint = (a.hint or a.name) if isinstance(a, Var) else "out"
        return self.b.var(f"{hint}_{role}", shadow_type(a.type))

    def _prepare(self, primal: Reload) -> Prepared:
        """The primal with what the reverse sweep will ask for."""
        iterations = self.request.iterations
        wanted = wanted_snapshots(self.activity, primal, iterations, self.request.family.loops)
        prepare = Prepare(self.b, self.activity, primal, wanted, iterations)
        for p in self.request.fn.params:
            if p.name in self.shadows:
                prepare.shadow[p.name] = self.shadows[p.name]
            elif prepare.carries(p):
                _refuse_lists(p)
                prepare.shadow[p.name] = like(self.b, p, prepare.wish(p))
        opening = tuple(self.b.stack[0])
        body = prepare.block(self.request.fn.body)
        prepare.done.body = replace(body, stmts=(*opening, *body.stmts))
        return prepare.done

    def run(self) -> tuple[Function, Report]:
        dry = self._sweep(None, None)
        cheap = self.request.cheap
        copies = self.request.copies
        storage = Storage(self.tree, self.positions, self.reload, self.request.lean, cheap, copies)
        plan = storage.decide(dry.scopes.needed)
        taped = {n: v for n, v in plan.vars.items() if plan.taped(n)}
        apart = self._separated(storage, taped)
        if apart is not None:
            return generate(replace(self.request, fn=apart, separate=False))
        if self.request.fuse:
            request = replace(self.request, fuse=False)
            found = fused(request, self.activity, self.tree, taped, generate)
            if found is not None:
                return found
        rows = self.request.lean and self.request.rows
        copied = with_rows(self.request.fn, storage) if rows else None
        if copied is not None:
            return generate(
                replace(self.request, fn=copied.fn, rows=copied.more, copies=copied.rows)
            )
        self.b = Builder(self.namer)
        kept = {v.name for c in self.request.iterations.values() for v in c.rows.values()}
        declared = plan.reloads | self.contents | kept
        fn = self.request.fn
        regions = Regions(fn, self.summaries)  # carried references are one storage to the primal
        names = poisoned(fn, Tree(fn), regions, declared) if self.request.poison else set()
        sweep = Sweep(self.b, self.tree, self.positions, self.prepared, plan, names)
        sweep.run()
        body_forward = tuple(self.b.stack[0])
        done = self._sweep(plan, sweep)
        cotangents = tuple(self._cotangents(done))
        stmts = (*body_forward, *done.scopes.scope.prologue, *self.b.stack[0])
        body = Block(stmts, (*self.request.fn.body.yields, *cotangents))
        made = Function(
            self.request.name,
            self.fn.params,
            body,
            self.request.family.callees,
            self.request.fn.doc,
            reverses=self.request.fn.name,
        )
        return made, _report(plan, self.tree, self.request.family)

    def _separated(self, storage: Storage, taped: dict[str, Var]) -> Function | None:
        """The primal, where arrays whose elements would be recorded keep them instead."""
        if not (self.request.lean and self.request.separate):
            return None
        read = {s.array.name for v in taped.values() for s in storage.reads(v)}
        return separated(self.request.fn, read) if read else None

    def _sweep(self, plan: Plan | None, forward: Sweep | None) -> Adjoint:
        """The reverse sweep; without a plan a dry run that only notes what it needs."""
        names = self.namer if plan is not None else Namer(self.namer.taken)
        self.b = Builder(names)
        scopes = Scopes(self.b, self.tree, self.activity, self.prepared, self.positions, plan)
        operations = Operations(self.request.family, self._version)
        self.contents = operations.contents
        cursors_in = forward.cursors_in if forward is not None else lambda node: []
        hooks: dict[type, Callable[..., None]] = {
            ArrayOp: operations.array_op,
            Call: operations.call,
        }
        adjoint = Adjoint(
            self.b, self.reload, self.activity, self.prepared, scopes, cursors_in, hooks, self.idle
        )
        adjoint.remember(list(variables(self.fn)))
        if forward is not None:
            scopes.threaded = forward.threaded
            adjoint.env.update(forward.cursors)
        self._seed(adjoint)
        adjoint.block(self.tree.root)
        return adjoint

    def _version(self, name: str, active: tuple[bool, ...], seeded: tuple[bool, ...]) -> str:
        """Name of the reverse version of a callee: silent, accumulating into given shadows."""
        family = self.request.family

        def make(new: str, primal: Function) -> Function:
            own = self.request.iterations.get(name)
            once = own is not None and not own.again
            quiet = primal if once else family.callees[family.silent(name, self.summaries)]
            idle = frozenset() if own is None else own.idle
            lean = self.request.lean
            made, report = generate(
                Request(quiet, active, seeded, False, False, lean, new, family, unwritten=idle)
            )
            if own is not None:
                family.residuals += report.residuals
                made = without_writes(made, idle)
            return made

        return family.version(("reverse", name, active, seeded), f"{name}_b", name, make)

    def _seed(self, adjoint: Adjoint) -> None:
        for y, seed in self.seeds:
            if not is_reference(y):
                adjoint.add(y, seed)
            elif self.activity.shadowed(y):
                _refuse_lists(y)
                add_to(self.b, adjoint.scopes.shadow(y), seed)

    def _cotangents(self, adjoint: Adjoint) -> list[Atom]:
        adjoint.locate(None)
        found: list[Atom] = []
        for p, on in zip(self.request.fn.params, self.request.active, strict=True):
            if not on:
                continue
            if not is_reference(p):
                found.append(adjoint.env.get(p.name, zero_of(p.type)))
            elif self.request.allocate:
                _refuse_lists(p)
                made = (
                    adjoint.scopes.shadow(p)
                    if self.activity.shadowed(p)
                    else like(self.b, p, f"{p.name}_b")
                )
                found.append(made)
        return found


def _refuse_lists(a: Atom) -> None:
    if isinstance(a.type, ListT) and isinstance(a.type.element, ArrayT):
        raise NoDerivative(
            "a list of arrays is a parameter or result of the function",
            None,
            "its cotangent would be a list of arrays",
            "pass the arrays themselves",
        )


def _report(plan: Plan, tree: Tree, family: Family) -> Report:
    def where(name: str) -> Loc | None:
        return getattr(tree.home[name].stmt, "loc", None)

    states = {
        t.name
        for _, _, s in tree.walk()
        if isinstance(s, Call) and s.fn in family.loops
        for t in family.loops[s.fn].own(s)
    }

    return Report(
        [
            Residual(
                name,
                kind,
                plan.tapes[name].name if name in plan.tapes else "",
                where(name),
                plan.reasons.get(name),
            )
            for name, kind in plan.kind.items()
            if kind != "kept" or name not in states
        ],
        family.loops,
    )
