"""Which loops run in phases, and what belongs to which phase.

In: an innermost loop, flattened.  Out: a ``Plan``: for each statement its phase.  Even phases run
iteration by iteration (elements, functions without vector form), odd ones may become vector loops
(arithmetic on numbers); in the last, even one, stand all writes and everything that depends on
what the loop carries (loop distribution, Allen & Kennedy, "Optimizing Compilers for Modern
Architectures", 2001, section 5.4, within strips).

Invariant: a statement comes in a later phase than what it needs, or later in the same one.  Writes
keep their order.  What is read has not been written to by the iterations of a strip: storage that
is written is either not read in the loop, or each iteration has elements of its own, which it reads
before it writes them.  A check is made in all iterations of a strip before anything of a later
phase, and all checks raise the same where nothing outside has been written to.

Limits: loops of step one, up or down, not in other loops, over numbers and elements; checks for
division by zero only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from srcad.analyses.order import Order, adjoint_sum
from srcad.ir.build import ONE, Builder, const
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Check,
    Const,
    Dim,
    For,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    View,
)
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, I8, ArrayT, Scalar, is_float
from srcad.ir.walk import binders, operands, statements, targets
from srcad.storage.phases.flatten import ARITHMETIC, Flat, Item, needed, require

CHEAP = ("add", "sub", "mul")  # of integers: made again in each phase
LOGIC = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "not", "bitand", "bitor"})
PHASES = 11  # at most
DOWN = const(-1)
DEEP = 8  # subscripts made of others
LARGEST = 800  # statements
ZERO_DIVISION = ("ZeroDivisionError", ("division by zero",))
# cycles: saved of an operation, by its cost; of a number kept from one phase for another; of phases
SAVED, SAVED_DIVISION, SAVED_FUNCTION, KEPT, ENTRY = 0.5, 2.5, 12.0, 0.8, 1.5
GAIN = 8.0


@dataclass
class Plan:
    """A loop in phases."""

    loop: For
    items: list[Item]
    phase: dict[int, int]  # by the statement's id
    of: dict[str, int]  # by the name of a variable that is kept between phases
    again: dict[str, Stmt]  # made again where they are needed, by what they make
    last: int = 0
    ends: list[Atom] = field(default_factory=list)  # what an iteration hands on
    fetched: dict[int, list[str]] = field(default_factory=dict)  # by phase: from earlier ones

    def leaves(self, a: Var, seen: set[str] | None = None) -> Iterator[str]:
        """The variables of phases that a variable is made of."""
        seen = set() if seen is None else seen
        if a.name in seen:
            return
        seen.add(a.name)
        if a.name in self.again:
            for x in operands(self.again[a.name]):
                if isinstance(x, Var):
                    yield from self.leaves(x, seen)
        elif a.name in self.of:
            yield a.name

    def ready(self, reads: Collection[Var]) -> int:
        """The first phase in which variables are known, -1 if they always are."""
        return max((self.of[n] for a in reads for n in self.leaves(a)), default=-1)


def plan(
    order: Order, s: For, visible: Collection[str], vector: set[str], b: Builder, always: bool
) -> Plan:
    """The phases of a loop.

    Raises:
        Refused: it stays as it is, since it must or (unless ``always``) had better.
    """
    simple = s.step in (ONE, DOWN) and not s.breaks and not s.parallel and s.keep is None
    require(simple and all(isinstance(c.arg.type, Scalar) for c in s.carried))
    flat = Flat(b, vector)
    flat.block(s.body)
    ends = tuple(map(flat.use, s.body.yields))
    items = needed(flat.items, ends)
    _memory(order, s, items, visible)
    found = _Phases(s, items, flat).plan()
    require(any(k % 2 for k in found.phase.values()))
    require(always or _ordered(s) or any(_obstacle(found, item) for item in items))
    require(always or _saved(found) > GAIN)
    return found


def _memory(order: Order, s: For, items: list[Item], visible: Collection[str]) -> None:
    """See the invariant."""
    iterations = order.of(s)
    written: set[str] = set()
    checks = False
    for item in items:
        for t in (item.stmt, *_within(item.stmt)):
            if isinstance(t, Check):
                checks = True
                require((t.exception, t.message) == ZERO_DIVISION)
            if not isinstance(t, (Load, Store, Accumulate)):
                continue
            require(isinstance(t.array.type, ArrayT))
            root = order.aliases.root(t.array)
            if isinstance(t, Load):
                require(root not in written)
            else:
                written.add(root)
    for root in written:
        reads = any(isinstance(t, Load) for t in iterations.accesses[root])
        require(not reads or iterations.independent(root))
        require(not checks or root not in visible)


def _within(s: Stmt) -> Iterator[Stmt]:
    if isinstance(s, If):
        yield from statements(s.then)
        yield from statements(s.orelse)


class _Phases:
    """Finds the phases of one loop."""

    def __init__(self, s: For, items: list[Item], flat: Flat) -> None:
        self.loop, self.items, self.flat = s, items, flat
        self.inside = {s.index.name, *(c.arg.name for c in s.carried)}
        for item in items:
            self.inside |= {v.name for v in targets(item.stmt)}
            self.inside |= {v.name for t in _within(item.stmt) for v in (*targets(t), *binders(t))}
        self.plan_ = Plan(s, [], {}, {}, {})
        self.depth: dict[str, int] = {}  # of subscripts that are made again
        self.late = {c.arg.name for c in s.carried}  # what depends on carried values

    def plan(self) -> Plan:
        """The plan."""
        p = self.plan_
        final: list[Item] = []
        for item in self.items:
            s = item.stmt
            if self.is_late(item):
                require(not isinstance(s, (Check, View, Dim)))
                self.late |= {v.name for v in targets(s)}
                final.append(item)
            elif self.repeated(s):
                p.again[targets(s)[0].name] = s
            else:
                self.put(item)
        p.last = max(p.phase.values(), default=0)
        p.last += p.last % 2 or 2 * self.checked(p.last)
        require(p.last < PHASES)
        for item in final:
            self.at(item, p.last)
        p.ends = [self.flat.use(y) for y in self.loop.body.yields]
        self.later()
        self.fetch()
        return p

    def is_late(self, item: Item) -> bool:
        """Whether a statement belongs to the last phase."""
        s = item.stmt
        writes = (s, *_within(s))
        if any(isinstance(t, (Store, Accumulate)) for t in writes):
            return True
        return any(a.name in self.late for a in item.reads())

    def repeated(self, s: Stmt) -> bool:
        """Whether a statement is made again where its result is used."""
        if isinstance(s, (View, Dim)):
            return True
        if not isinstance(s, Op):
            return False
        if s.target.type == B1:
            return s.op in LOGIC
        known = (
            not isinstance(a, Var)
            or a.name not in self.inside
            or a.name in self.plan_.again
            or a == self.loop.index
            for a in s.args
        )
        if s.op not in CHEAP or s.target.type != I8 or not all(known):
            return False
        deep = 1 + max((self.depth.get(a.name, 0) for a in s.args if isinstance(a, Var)), default=0)
        self.depth[s.target.name] = deep
        return deep <= DEEP

    def put(self, item: Item) -> None:
        """Its phase, the first possible one."""
        s, p = item.stmt, self.plan_
        first = p.ready([a for a in item.reads() if isinstance(a, Var)])
        if isinstance(s, Check):
            require(first >= 0)
            self.at(item, first)
            return
        odd = isinstance(s, Op) and self.flat.arithmetic(s) and s.target.type != I8
        first = max(first, 0)
        self.at(item, first + (first % 2 != odd))

    def at(self, item: Item, phase: int) -> None:
        """A statement in a phase."""
        p = self.plan_
        p.items.append(item)
        p.phase[id(item.stmt)] = phase
        p.of |= {v.name: phase for v in targets(item.stmt)}

    def later(self) -> None:
        """Arithmetic where its result is needed, if its operands are kept until then anyway."""
        p = self.plan_
        until: dict[str, list[int]] = defaultdict(list)  # phases that need a variable
        for n in (n for y in p.ends if isinstance(y, Var) for n in p.leaves(y)):
            until[n].append(p.last)
        for item in reversed(p.items):
            s, old = item.stmt, p.phase[id(item.stmt)]
            new = old
            if isinstance(s, Op) and old % 2:
                first = min(until[s.target.name], default=old)
                new = max(old, first - (first + 1) % 2)
            needs = {n for a in item.reads() for n in p.leaves(a)}
            more = [n for n in needs if p.of[n] < new and max(until[n], default=0) <= p.of[n]]
            if new > old and len(more) <= 1:
                p.phase[id(s)] = p.of[s.target.name] = new  # type: ignore[union-attr]
            for n in needs:
                until[n].append(p.phase[id(s)])

    def checked(self, phase: int) -> bool:
        """Whether there are checks in a phase."""
        p = self.plan_
        return any(isinstance(t.stmt, Check) and p.phase[id(t.stmt)] == phase for t in p.items)

    def fetch(self) -> None:
        """What each phase needs from earlier ones."""
        p = self.plan_
        wanted: dict[int, dict[str, None]] = {k: {} for k in range(p.last + 1)}
        reads = [(p.phase[id(t.stmt)], a) for t in p.items for a in t.reads()]
        reads += [(p.last, y) for y in p.ends if isinstance(y, Var)]
        for phase, a in reads:
            wanted[phase] |= {n: None for n in p.leaves(a) if p.of[n] < phase}
        p.fetched = {k: list(names) for k, names in wanted.items()}


# what it is good for
def _ordered(s: For) -> bool:
    """Whether a loop carries a float that keeps LLVM from making a vector loop."""
    pairs = zip(s.carried, s.body.yields, strict=True)
    return any(is_float(c.arg.type) and not adjoint_sum(s.body, c.arg, y) for c, y in pairs)


def _obstacle(p: Plan, item: Item) -> bool:
    """Whether a statement keeps LLVM from making a vector loop."""
    s = item.stmt
    if isinstance(s, (Check, If)):
        return True
    if isinstance(s, Op) and PRIMITIVES[s.op].cost >= 20:
        return p.phase.get(id(s), 1) % 2 == 0
    if not isinstance(s, (Store, Accumulate)):
        return False
    return any(isinstance(a, Var) and list(p.leaves(a)) for a in (s.array, *s.index))


def _saved(p: Plan) -> float:
    """Cycles of an iteration that are saved, by an estimate."""
    total = -ENTRY * (p.last + 1)
    total -= KEPT * len({n for names in p.fetched.values() for n in names})
    for item in p.items:
        s = item.stmt
        if not isinstance(s, Op) or p.phase[id(s)] % 2 == 0:
            continue
        cost = PRIMITIVES[s.op].cost
        total += SAVED if cost < 4 else SAVED_DIVISION if s.op in ARITHMETIC else SAVED_FUNCTION
    return total


def is_long(s: For) -> bool:
    """Whether a loop is not known to be short."""
    known = isinstance(s.start, Const) and isinstance(s.stop, Const)
    return not known or abs(s.stop.value - s.start.value) >= 64  # type: ignore[union-attr]


def worth_a_look(s: For) -> bool:
    """Whether a loop is an innermost one with enough to compute."""
    if not is_long(s) or len(s.body.stmts) < 16:
        return False
    inside = list(statements(s.body))
    simple = all(isinstance(t, (Op, If, Load, Store, Accumulate, Check, View, Dim)) for t in inside)
    simple &= len(inside) <= LARGEST
    return simple and sum(isinstance(t, Op) and is_float(t.target.type) for t in inside) >= 24
