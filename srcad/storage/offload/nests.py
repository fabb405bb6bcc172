"""Which loop of a nest becomes a kernel, and which of its loops the threads share.

In: a function after ``sink``, a loop in it.  Out: a ``Nest``: the loops whose iterations the
threads take, what a thread executes in one of them, the numbers that are reduced, the arrays to
which several threads may add, the pairs of arrays that must be found to be apart when the loop is
reached.

* The proof is ``storage.parallel.plan``'s; each loop that joins has one of its own.
* Loops that stand right in each other join as long as the proof holds, so that there are as many
  threads as elements and neighbours touch neighbours.
* Where iterations of the outer loop depend on each other (or meet in sums) and those of the inner
  one do not, the two change places, if the proof holds for the result: a thread then runs through
  the outer loop, in its order.
* What is added to elements that several threads share is added atomically.

Invariant: as ``storage.parallel``'s, with atomic additions in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Block,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT, Scalar
from srcad.ir.walk import binders, operands, statements, targets
from srcad.storage.parallel.atomics import bases_of
from srcad.storage.parallel.plan import Plan, Planner

SMALL = 16  # trips that are not worth a kernel
LOCAL = 64  # elements of an array that a thread makes, at most
ATOMIC = ("f8", "f4", "i8", "i4")


@dataclass
class Nest:
    """What becomes of a nest of loops."""

    loops: list[For]
    body: Block  # what is executed for one element; yields are those of the innermost
    reductions: list[str] = field(default_factory=list)
    atomic: set[str] = field(default_factory=set)
    apart: list[tuple[Var, Var]] = field(default_factory=list)


def kernelable(s: Stmt) -> bool:
    """Whether a thread can execute a statement."""
    if isinstance(s, (For, While)) and not all(isinstance(c.arg.type, Scalar) for c in s.carried):
        return False
    if isinstance(s, If) and not all(isinstance(r.type, Scalar) for r in s.results):
        return False
    if isinstance(s, (If, For, While)):
        return all(kernelable(t) for b in inner_blocks(s) for t in b.stmts)
    if isinstance(s, Alloc):
        return local(s)
    if isinstance(s, (Load, Store, Accumulate, Dim)):
        return isinstance(s.array.type, ArrayT)
    return isinstance(s, (Op, View))


def inner_blocks(s: If | For | While) -> tuple[Block, ...]:
    """The blocks of a statement."""
    return (s.then, s.orelse) if isinstance(s, If) else (s.body,)


def local(s: Alloc) -> bool:
    """Whether an array is a small one of the thread."""
    count = 1
    for n in s.shape:
        if not isinstance(n, Const):
            return False
        count *= int(n.value)
    return isinstance(s.target.type, ArrayT) and bool(s.shape) and count <= LOCAL


def few(s: For) -> bool:
    """Whether a loop is known to have few trips, and so are those in it."""
    total = trips(s)
    for t in statements(s.body):
        if isinstance(t, While):
            return False
        if isinstance(t, For):
            total *= trips(t)
    return total <= SMALL


def trips(s: For) -> int:
    """The trips of a loop, many where they are not known."""
    parts = (s.start, s.stop, s.step)
    if not all(isinstance(a, Const) for a in parts):
        return 10 * SMALL
    return len(range(*(int(a.value) for a in parts)))  # type: ignore[union-attr]


class Nests:
    """The nests of one function."""

    def __init__(self, fn: Function, deterministic: bool = False) -> None:
        self.fn, self.deterministic = fn, deterministic
        self.planner = Planner(fn)
        self.reasons: dict[str, str] = {}  # by loop counter: why its trips come one by one

    def of(self, s: For) -> Nest | None:
        """What the threads make of a loop, ``None`` where it stays one."""
        if not kernelable(s) or few(s):
            return None
        made = self.straight(s) or self.turned(s)
        if made is not None and all(trips(x) <= SMALL for x in made.loops):
            return None if any(trips(t) > SMALL for t in loops_in(made.body)) else made
        return made

    def plan(self, s: For) -> Plan | None:
        """The proof for one loop."""
        plan = self.planner.plan(s)
        if isinstance(plan, Plan):
            return plan
        self.reasons.setdefault(s.index.name, str(plan))
        return None

    def straight(self, s: For) -> Nest | None:
        """The loops of a nest in their order, from the outermost on."""
        plan = self.plan(s)
        if plan is None or (shared(plan) and (self.deterministic or self.turnable(s))):
            return None
        nest = Nest([s], s.body, plan.reductions, shared(plan), list(plan.apart))
        while (inner := within(nest)) is not None:
            plan = self.plan(inner)
            if plan is None or plan.reductions != nest.reductions:
                break
            if shared(plan) and self.deterministic:
                break
            nest.loops.append(inner)
            nest.body = Block((*nest.body.stmts[:-1], *inner.body.stmts), inner.body.yields)
            nest.atomic |= shared(plan)
            nest.apart += [p for p in plan.apart if p not in nest.apart]
        return nest if addable(nest) and self.compared(nest) else None

    def turnable(self, s: For) -> bool:
        """Whether the loop in a loop can change places with it, and needs no sums then."""
        return not s.carried and self.turned(s) is not None

    def turned(self, s: For) -> Nest | None:
        """A nest with the inner loop outside."""
        inner = within(Nest([s], s.body))
        if inner is None or s.carried or not counted(s):
            return None
        before = s.body.stmts[:-1]
        rest = replace(s, body=Block((*before, *inner.body.stmts)), parallel=False)
        swapped = replace(inner, body=Block((rest,)))
        fn = replace(self.fn, body=exchanged(self.fn.body, s, swapped))
        plan = Planner(fn).plan(swapped)
        if not isinstance(plan, Plan) or shared(plan) or plan.reductions:
            return None
        nest = Nest([swapped], swapped.body, [], set(), list(plan.apart))
        return nest if self.compared(nest) else None

    def compared(self, nest: Nest) -> bool:
        """Whether it can be found out when the loop is reached that arrays are apart."""
        inside = {v.name for t in statements(nest.body) for v in (*targets(t), *binders(t))}
        nest.apart = [p for p in nest.apart if not self.fresh(*p) and not self.given(*p)]
        return not any(v.name in inside for pair in nest.apart for v in pair)

    def given(self, a: Var, b: Var) -> bool:
        """Whether both are arguments: what is written is compared when the function is called."""
        names = {p.name for p in self.fn.params}
        return a.name in names and b.name in names and a.name != b.name

    def fresh(self, a: Var, b: Var) -> bool:
        """Whether one was made when the other was there already."""
        at = self.positions
        return (a.name in self.made and at[b.name] < at[a.name]) or (
            b.name in self.made and at[a.name] < at[b.name]
        )

    @property
    def positions(self) -> dict[str, int]:
        """Where variables are defined, in the order of the text."""
        if not hasattr(self, "_positions"):
            found: dict[str, int] = {p.name: -1 for p in self.fn.params}
            self.made: set[str] = set()
            number(self.fn.body, found, self.made)
            self._positions = found
        return self._positions


def number(b: Block, found: dict[str, int], made: set[str]) -> None:
    """Number the definitions of a block; results of a loop come after what is in it."""
    for s in b.stmts:
        for v in binders(s):
            found[v.name] = len(found)
        if isinstance(s, (If, For, While)):
            for inner in inner_blocks(s):
                number(inner, found, made)
        for v in targets(s):
            found[v.name] = len(found)
        if isinstance(s, Alloc):
            made.add(s.target.name)


def loops_in(b: Block) -> list[For]:
    """All counted loops in a block."""
    return [t for t in statements(b) if isinstance(t, For)]


def shared(plan: Plan) -> set[str]:
    """Arrays to elements of which several iterations may add."""
    return {v.name for v in (*plan.private, *plan.meeting)}


def addable(nest: Nest) -> bool:
    """Whether the additions have an atomic form."""
    base = bases_of(nest.body)
    nest.atomic = set(map(base, nest.atomic))
    return all(
        s.array.type.dtype in ATOMIC  # type: ignore[union-attr]
        for s in statements(nest.body)
        if isinstance(s, Accumulate) and base(s.array.name) in nest.atomic
    )


def counted(s: For) -> bool:
    """Whether the number of trips follows from the bounds."""
    return not s.breaks and isinstance(s.step, Const) and bool(s.step.value)


def within(nest: Nest) -> For | None:
    """The loop that a body ends with, if all before it can be computed again for each trip."""
    if not nest.body.stmts or not isinstance(nest.body.stmts[-1], For):
        return None
    outer, inner, before = nest.loops[-1], nest.body.stmts[-1], nest.body.stmts[:-1]
    if not counted(inner) or not all(isinstance(t, (Op, Load, View, Dim)) for t in before):
        return None
    inside = {v.name for t in before for v in targets(t)}
    inside |= {v.name for s in nest.loops for v in binders(s)}
    if any(isinstance(a, Var) and a.name in inside for a in (inner.start, inner.stop)):
        return None
    args = [c.arg for c in outer.carried]
    used = {a for t in before for a in operands(t)}
    through = [c.init for c in inner.carried] == args and not used & set(args)
    handed = nest.body.yields == tuple(c.result for c in inner.carried)
    return inner if through and handed else None


def exchanged(b: Block, old: Stmt, new: Stmt) -> Block:
    """A block with one statement for another."""
    out: list[Stmt] = []
    for s in b.stmts:
        if s is old:
            s = new
        elif isinstance(s, If):
            s = replace(s, then=exchanged(s.then, old, new), orelse=exchanged(s.orelse, old, new))
        elif isinstance(s, (For, While)):
            s = replace(s, body=exchanged(s.body, old, new))
        out.append(s)
    return Block(tuple(out), b.yields)
