"""Adjoints of array operations and of calls.

In: the statement, the state of the reverse sweep.  Out: its adjoint statements.

* An array operation has a rule (``array_rules``), which accumulates into the operands' shadows.
* No residual crosses the boundary of a call.  Its adjoint re-runs the callee's own reverse version
  on the values of its operands at the call, shadows passed along.  What the callee writes, or
  what is overwritten later, is a snapshot taken before the call (``Prepare``), so the re-run
  touches no storage of the primal; its prints and checks are left out, and the random numbers it
  drew are not drawn again but taken from its record (``draws``).

Invariant: ``contents`` names every region whose contents are read here (poisoning spares them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from srcad.analyses.activity import Activity
from srcad.analyses.effects import Summary
from srcad.analyses.regions import is_reference
from srcad.analyses.reload import Reload
from srcad.errors import InternalError
from srcad.ir.build import Builder
from srcad.ir.nodes import ArrayOp, Atom, Call, Function, Var
from srcad.ir.threads import barrier, is_barrier, is_inert
from srcad.ir.types import is_float, shadow_type
from srcad.transforms.array_rules import array_rule
from srcad.transforms.arrays import fit, zero_of
from srcad.transforms.checkpoints.calls import LoopCall
from srcad.transforms.draws import replay_of
from srcad.transforms.family import Family, refuse_overlaps
from srcad.transforms.fusion import Candidate
from srcad.transforms.reverse.adjoint import Adjoint
from srcad.transforms.reverse.custom import ruled_call
from srcad.transforms.reverse.loops import LoopAdjoint, left

Versions = Callable[[str, tuple[bool, ...], tuple[bool, ...]], str]


def wanted_snapshots(
    activity: Activity,
    reload: Reload,
    iterations: Mapping[str, Candidate],
    loops: dict[str, LoopCall],
) -> dict[int, frozenset[int]]:
    """Which operands (and, after them, results) of each operation need a snapshot, by identity.

    Of outlined ``iterations`` that are run again it is the state, others are run but once.
    """
    found = {}
    for node, position, s in reload.tree.walk():
        if isinstance(s, Call) and s.fn in iterations:
            state = {a.name for a in iterations[s.fn].state}
            found[id(s)] = frozenset(
                k for k, a in enumerate(s.args) if isinstance(a, Var) and a.name in state
            )
            continue
        if is_inert(s):
            continue
        if isinstance(s, (ArrayOp, Call)) and any(map(activity.carries, (*s.args, *s.targets))):
            read, written = _used(s, activity, loops)
            atoms = (*s.args, *s.targets)
            found[id(s)] = frozenset(
                k
                for k in read | written
                if isinstance(a := atoms[k], Var)
                and is_reference(a)
                and (k in written or not reload.stable((node, position), a))
            )
    return found


def _used(
    s: ArrayOp | Call, activity: Activity, loops: dict[str, LoopCall]
) -> tuple[frozenset[int], frozenset[int]]:
    """Operands whose contents the adjoint reads, operands that it would write."""
    if isinstance(s, ArrayOp):
        return array_rule(s).needs(tuple(map(activity.carries, s.args))), frozenset()
    if s.fn in loops:  # it keeps what it writes
        return frozenset(k for k, role in loops[s.fn].arrays() if role == "read"), frozenset()
    summary = activity.summaries[s.fn]
    reads = frozenset(k for k, a in enumerate(s.args) if is_reference(a))
    return reads, frozenset(k for k, w in enumerate(summary.writes) if w)


class Operations:
    """The hooks of the reverse sweep for ``ArrayOp`` and ``Call``."""

    def __init__(self, family: Family, versions: Versions) -> None:
        self.family, self.versions = family, versions
        self.contents: set[str] = set()

    def array_op(self, adjoint: Adjoint, s: ArrayOp) -> None:
        """The rule's vjp, if anything it computes has an adjoint."""
        context = RuleContext(adjoint, s, self)
        seeded = any(adjoint.activity.shadowed(t) or t.name in adjoint.env for t in s.targets)
        if seeded and any(map(adjoint.activity.carries, s.args)):
            array_rule(s).vjp(context)
        for t in s.targets:
            adjoint.env.pop(t.name, None)

    def reference(self, adjoint: Adjoint, s: ArrayOp | Call, k: int) -> Var:
        """Operand (or result) ``k`` with the contents it had when ``s`` was executed."""
        atoms = (*s.args, *s.targets)
        kept = adjoint.prepared.snapshots[id(s)].get(k)
        a = atoms[k] if kept is None else kept
        assert isinstance(a, Var)
        self.contents |= adjoint.activity.regions.reached(a) | {a.name}
        found = adjoint.scopes.value(a)
        assert isinstance(found, Var)
        return found

    def call(self, adjoint: Adjoint, s: Call) -> None:
        """A call of the callee's reverse version, which accumulates into the shadows."""
        if is_barrier(s):  # what is written before it and read after it is the other way round
            adjoint.b.emit(barrier(adjoint.b.loc))
            return
        if is_inert(s):
            return
        if s.fn in self.family.loops:
            loop = self.family.loops[s.fn]
            self.contents |= left(s, loop)
            LoopAdjoint(self.family, self.versions, self.reference, adjoint, s, loop).emit()
            return
        rule = self.family.callees[s.fn].rule
        if rule is not None and rule.kind in ("pullback", "jvp"):
            ruled_call(self, adjoint, s, rule)
            return
        self.run_again(adjoint, s)

    def run_again(self, adjoint: Adjoint, s: Call) -> None:
        """The call of the callee's reverse version, if anything it computes has an adjoint."""
        again_by = replay_of(self.family, s.fn) or s.fn
        summary, primal = adjoint.activity.summaries[s.fn], self.family.callees[again_by]
        refuse_overlaps(s, adjoint.activity.regions, summary)
        given = dict(enumerate(s.args))
        if again_by != s.fn:  # the last result is the record of what the call drew
            given[len(s.args) + len(s.targets) - 1] = s.targets[-1]
        active = tuple(map(adjoint.activity.carries, given.values()))
        seeds = self.seeds(adjoint, s, summary, primal)
        written = any(w and on for w, on in zip(summary.writes, active, strict=False))
        if all(x is None for x in seeds) and not written:
            return
        fn = self.versions(again_by, active, tuple(x is not None for x in seeds))
        b, params = adjoint.b, primal.params
        operands = [
            fit(b, self.reference(adjoint, s, k), p.type)
            if is_reference(a)
            else adjoint.scopes.value(a)
            for (k, a), p in zip(given.items(), params, strict=True)
        ]
        carrying = [(a, p) for a, p, on in zip(given.values(), params, active, strict=True) if on]
        shadows = [
            fit(b, adjoint.scopes.shadow(a), shadow_type(p.type))
            for a, p in carrying
            if is_reference(a)
        ]
        scalars = [a for a, _ in carrying if not is_reference(a)]
        again = [b.var("again", y.type) for y in primal.body.yields]
        made = [b.var(adjoint.hint(a), a.type) for a in scalars]
        given_seeds = [x for x in seeds if x is not None]
        b.emit(Call((*again, *made), fn, (*operands, *given_seeds, *shadows), b.loc))
        for a, m in zip(scalars, made, strict=True):
            adjoint.add(a, m)

    def seeds(
        self, adjoint: Adjoint, s: Call, summary: Summary, primal: Function
    ) -> list[Atom | None]:
        """The adjoint of each result of floats, ``None`` where it is zero."""
        found: list[Atom | None] = []
        for t, y, source in zip(s.targets, primal.body.yields, summary.results, strict=False):
            if not is_float(y.type):
                continue
            seed = self.seed(adjoint, t) if source.fresh or not is_reference(t) else None
            if isinstance(seed, Var) and is_reference(seed):
                seed = fit(adjoint.b, seed, shadow_type(y.type))
            found.append(seed)
        return found

    @staticmethod
    def seed(adjoint: Adjoint, t: Var) -> Atom | None:
        """The adjoint of a result of a call, ``None`` if it is zero."""
        if not is_reference(t):
            return adjoint.env.pop(t.name, None)
        return adjoint.scopes.shadow(t) if adjoint.activity.shadowed(t) else None


class RuleContext:
    """``array_rules.Context`` on the state of the reverse sweep."""

    def __init__(self, adjoint: Adjoint, s: ArrayOp, operations: Operations) -> None:
        self.adjoint, self.op, self.operations = adjoint, s, operations
        self.b: Builder = adjoint.b

    def active(self, k: int) -> bool:
        """Whether operand ``k`` has an adjoint to contribute to."""
        return self.adjoint.activity.carries(self.op.args[k])

    def seeded(self, k: int) -> bool:
        """Whether result ``k`` has an adjoint."""
        t = self.op.targets[k]
        return self.adjoint.activity.shadowed(t) or t.name in self.adjoint.env

    def operand(self, k: int) -> Var:
        """Operand ``k`` as it was."""
        return self.operations.reference(self.adjoint, self.op, k)

    def result(self, k: int) -> Atom:
        """Result ``k`` as it was."""
        t = self.op.targets[k]
        if not is_reference(t):
            return self.adjoint.scopes.value(t)
        return self.operations.reference(self.adjoint, self.op, len(self.op.args) + k)

    def shadow(self, k: int) -> Var:
        """The shadow of operand ``k``."""
        a = self.op.args[k]
        if not is_reference(a):
            raise InternalError("a number has no shadow")
        return self.adjoint.scopes.shadow(a)

    def seed(self, k: int) -> Atom:
        """The adjoint of result ``k``."""
        t = self.op.targets[k]
        if is_reference(t):
            return self.adjoint.scopes.shadow(t)
        return self.adjoint.env.get(t.name, zero_of(t.type))
