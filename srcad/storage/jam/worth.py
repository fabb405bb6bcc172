"""Whether several iterations at once are worth it: is there a recurrence that must run in order?

In: an outer loop, how it would run several iterations at once.  Out: whether that is faster, by an
estimate.

An innermost loop that carries a number from trip to trip must run in order: a processor waits for
each result before it starts the next operation, and LLVM makes no vector loop.  Sums of adjoint
code may be taken in any order, so they do not count; neither do loops known to be short, which
LLVM unrolls.  What is lost where lanes are not neighbours in memory (``x[i, j]`` in lanes of ``i``)
is weighed against it: a sum alone is not worth a gather.

The estimate counts cycles of an x86-64 processor with vectors of four numbers; all loops have
``TRIPS`` trips.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from srcad.analyses.order import adjoint_sum
from srcad.ir.nodes import Accumulate, Atom, Block, Const, For, Load, Op, Stmt, Store, Var
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import is_float
from srcad.ir.walk import blocks, operands, statements, targets
from srcad.storage.jam.plan import Inner, Item, Plan, Segment, within

FEW = 8  # trips known to be fewer are not worth it
TRIPS = 8.0
GAIN = 0.8  # of the time before, at most
ELEMENTS = (Load, Store, Accumulate)
# cycles: of elements, alone, side by side, and far apart; of an addition to one element in order
ELEMENT, NEAR, GATHER, SCATTER, IN_ORDER = 0.5, 0.25, 4.0, 6.0, 1.0
ENTRY = 15.0  # of a loop, which for all lanes is entered once


def recurrent(s: For) -> bool:
    """Whether an outer loop has an inner loop, not within a branch, that must run in order."""
    return trips(s) >= FEW and any(map(_recurrent, s.body.stmts))


def _recurrent(s: Stmt) -> bool:
    return isinstance(s, For) and (in_order(s) or any(map(_recurrent, s.body.stmts)))


def innermost(s: For) -> bool:
    """Whether there is no loop in a loop."""
    return not any(isinstance(t, For) for t in statements(s.body))


def in_order(s: For) -> bool:
    """Whether a loop is an innermost one that must run in order."""
    return trips(s) >= FEW and innermost(s) and bool(chained(s))


def chained(s: For) -> list[int]:
    """The carried numbers that keep a loop from running in any order."""
    pairs = zip(s.carried, s.body.yields, strict=True)
    return [
        k
        for k, (c, y) in enumerate(pairs)
        if is_float(c.arg.type) and not adjoint_sum(s.body, c.arg, y)
    ]


def trips(s: For) -> float:
    """How often a body runs, as far as that is known (else infinity)."""
    known = isinstance(s.start, Const) and isinstance(s.stop, Const)
    return abs(s.stop.value - s.start.value) if known else float("inf")  # type: ignore[union-attr]


def faster(p: Plan, vector: Collection[str]) -> bool:
    """Whether a plan saves time; ``vector`` are the results that may take vector forms."""
    return _After(p, vector).items(p.items) < GAIN * before(p.loop.body, vector)


# cycles of an operation: until the result is there, and in a stream of them
def waiting(s: Op) -> float:
    """Until the next operation may use it."""
    return max(3.5, 2.5 * PRIMITIVES[s.op].cost)


def alone(s: Op) -> float:
    """One by one."""
    cost = PRIMITIVES[s.op].cost
    return 0.4 if cost <= 2 else 0.8 * cost


def in_vectors(s: Op, vector: Collection[str]) -> float:
    """In a vector loop, if it has a vector form."""
    cost = PRIMITIVES[s.op].cost
    if s.target.name in vector:
        return 4.0
    return 0.15 if cost <= 2 else 0.5 * cost if cost <= 4 else alone(s)


# one iteration at a time
def before(b: Block, vector: Collection[str]) -> float:
    """Cycles of a block."""
    total = 0.0
    for s in b.stmts:
        if not isinstance(s, For):
            total += sum(map(one, within([s])))
        elif not innermost(s):
            total += TRIPS * before(s.body, vector)
        else:
            total += ENTRY + TRIPS * trip(s, vector)
    return total


def trip(s: For, vector: Collection[str]) -> float:
    """Cycles of a trip of an innermost loop."""
    inside = list(statements(s.body))
    if chained(s):
        return max(latency(s), sum(map(one, inside)))
    operations = sum(in_vectors(t, vector) for t in inside if isinstance(t, Op))
    return operations + NEAR * sum(isinstance(t, ELEMENTS) for t in inside)


def one(s: Stmt) -> float:
    """Cycles of a statement among others."""
    return alone(s) if isinstance(s, Op) else ELEMENT if isinstance(s, ELEMENTS) else 0.0


def latency(s: For) -> float:
    """Cycles from what a loop carries into a trip to what it carries out."""
    until = {c.arg.name: 0.0 for c in s.carried}

    def know(atoms: Iterable[Atom]) -> float:
        return max((until.get(a.name, -1.0) for a in atoms if isinstance(a, Var)), default=-1.0)

    def walk(b: Block) -> None:
        for t in b.stmts:
            for inner in blocks(t):
                walk(inner)
            when = know([*operands(t), *(y for inner in blocks(t) for y in inner.yields)])
            if when >= 0.0:
                more = waiting(t) if isinstance(t, Op) else 1.0
                until.update({v.name: when + more for v in targets(t)})

    walk(s.body)
    return know([s.body.yields[k] for k in chained(s)])


# several at once
class _After:
    """The same for a plan: cycles for each lane."""

    def __init__(self, p: Plan, vector: Collection[str]) -> None:
        self.plan, self.vector = p, vector

    def items(self, items: Iterable[Item]) -> float:
        """Cycles of pieces; what is the same for all lanes costs next to nothing."""
        total = 0.0
        for s in items:
            if isinstance(s, Segment):
                kept = len(s.stores) + sum(n not in self.plan.again for n in self.plan.free(s))
                total += NEAR * kept + sum(map(self.statement, within(s.stmts)))
            elif isinstance(s, Inner):
                total += TRIPS * self.items(s.items)
        return total

    def statement(self, s: Stmt) -> float:
        """Cycles of a statement."""
        if isinstance(s, Op):
            return in_vectors(s, self.vector)
        if not isinstance(s, ELEMENTS):
            return 0.0
        if self.own(s.array) or not self.differs(s.array, *s.index):
            return IN_ORDER if isinstance(s, Accumulate) and not self.own(s.array) else NEAR
        near = self.neighbours(s)
        return NEAR if near else GATHER if isinstance(s, Load) else SCATTER

    def own(self, array: Var) -> bool:
        return array.name in self.plan.arrays

    def differs(self, *atoms: Atom) -> bool:
        return any(isinstance(a, Var) and a.name in self.plan.lanes for a in atoms)

    def neighbours(self, s: Load | Store | Accumulate) -> bool:
        """Whether lanes access elements that stand side by side."""
        last = s.index[-1]
        counter = {self.plan.loop.index.name, *self.plan.again}
        if self.differs(s.array, *s.index[:-1]) or s.array.type.layout != "C":  # type: ignore[union-attr]
            return False
        return isinstance(last, Var) and last.name in counter
