"""Which outer loops may run several iterations at once, and in which pieces.

In: a function after the last transform, a loop in it.  Out: a ``Plan``, or ``None``.

The body of the outer loop is cut at its inner loops.  What is left are *segments*, which run lane
by lane (a *lane* is one of the iterations in hand), and the inner loops, which run once for all
lanes, with segments inside (Allen & Kennedy, "Optimizing Compilers for Modern Architectures",
2001: scalar expansion, 5.3; loop interchange, 5.2; unroll-and-jam, 8.4).

Invariant: in each lane every operation is the same, in the same order.  Lanes do not notice each
other, since what one writes is
* storage made in the iteration, of which each lane has its own (``private``),
* elements that no other iteration touches, or sums of adjoint code (``analyses.order``),
* a carried value used in one segment only, where lanes come in their old order,
* a carried sum of adjoint code, which each lane begins anew (``apart``).

Limits: ascending loops of step one over operations, elements, views, branches without loops, and
counted loops whose trips are the same for all lanes; no breaks, calls or array operations.  Checks
must all be for the same division by zero, where nothing outside has been written to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from srcad.analyses.order import Iterations, Order, adjoint_sum
from srcad.ir.build import ONE
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Check,
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
from srcad.ir.types import I8, ListT, Scalar
from srcad.ir.walk import binders, blocks, operands, statements, targets
from srcad.storage.jam.varying import Varying

CHEAP = ("add", "sub", "mul")  # of integers: made again in each segment
ELEMENTS = (Load, Store, Accumulate)


@dataclass(eq=False)
class Segment:
    """Statements that run lane by lane; ``stores`` are values to be kept, by place."""

    stmts: list[Stmt] = field(default_factory=list)
    stores: list[tuple[str, Atom]] = field(default_factory=list)
    carried: list[int] = field(default_factory=list)  # values of the outer loop that it carries
    check: Check | None = None  # made when it has run in all lanes


@dataclass(eq=False)
class Inner:
    """A loop that runs once for all lanes."""

    loop: For
    items: list[Item]


Item = Segment | Inner | Stmt  # a statement alone means the same in all lanes


@dataclass
class Plan:
    """How a loop runs several iterations at once."""

    loop: For
    items: list[Item]
    lanes: set[str]  # names of values that differ from lane to lane
    private: dict[str, Alloc]  # arrays of which each lane has its own
    arrays: set[str]  # the same and their views
    again: dict[str, Stmt]  # made again in each segment: views and subscripts
    place: dict[str, str]  # carried values and results of inner loops: where lanes keep them
    added: set[str]  # arrays from outside that are only accumulated into
    apart: list[int]  # sums of the outer loop that each lane begins anew

    def free(self, s: Segment) -> list[str]:
        """What a segment uses that lanes keep or that is made again, in the order of making."""
        own = {v.name for t in within(s.stmts) for v in (*targets(t), *binders(t))}
        own |= {*self.arrays, *(self.loop.carried[k].arg.name for k in s.carried)}
        found: dict[str, None] = {}

        def use(name: str) -> None:
            if name in own or name not in self.lanes or name in found:
                return
            if name in self.again:
                for a in operands(self.again[name]):
                    if isinstance(a, Var):
                        use(a.name)
            found[name] = None

        for a in used(s):
            use(a.name)
        for k in s.carried:
            y = self.loop.body.yields[k]
            if isinstance(y, Var):
                use(y.name)
        return list(found)


def within(stmts: Iterable[Stmt]) -> Iterator[Stmt]:
    """Statements and those in them."""
    return statements(Block(tuple(stmts)))


def used(s: Segment) -> Iterator[Var]:
    """The variables that a segment reads."""
    for t in within(s.stmts):
        yield from (a for a in operands(t) if isinstance(a, Var))
        yield from (y for b in blocks(t) for y in b.yields if isinstance(y, Var))
    yield from (a for _, a in s.stores if isinstance(a, Var))
    if s.check is not None and isinstance(s.check.cond, Var):
        yield s.check.cond


def segments(items: Iterable[Item]) -> Iterator[Segment]:
    """All segments, those in inner loops too."""
    for item in items:
        if isinstance(item, Segment):
            yield item
        elif isinstance(item, Inner):
            yield from segments(item.items)


def plan(order: Order, s: For, visible: Collection[str]) -> Plan | None:
    """How a loop runs several iterations at once, ``None`` if it cannot or had better not."""
    if s.step != ONE or s.breaks or s.parallel or s.keep is not None:
        return None
    try:
        return _Cutting(order, s).plan(order, visible)
    except _Refused:
        return None


def is_simple(s: Stmt) -> bool:
    """Whether a statement is a branch of operations on numbers and elements."""
    inner = [t for b in blocks(s) for t in statements(b)]
    return isinstance(s, If) and all(isinstance(t, (Op, If, *ELEMENTS)) for t in inner)


class _Refused(Exception):
    """The loop stays as it is."""


def require(fine: bool) -> None:
    """Stop if something is not as it must be."""
    if not fine:
        raise _Refused


class _Cutting:
    """One loop."""

    def __init__(self, order: Order, s: For) -> None:
        self.loop, self.iterations = s, Iterations(order, s)
        inside = self.inside = self.iterations.inside
        self.blocks = [b for t in inside for b in blocks(t)]
        self.made = {v.name for t in (s, *inside) for v in (*targets(t), *binders(t))}
        self.again: dict[str, Stmt] = {}
        self.place: dict[str, str] = {}
        self.private: dict[str, Alloc] = {}
        self.group: dict[str, str] = {}  # by array of an iteration, or view of one: the array
        for t in inside:
            names = self.own(t.target) if isinstance(t, Alloc) else None
            if names is not None:
                self.private[t.target.name] = t  # type: ignore[union-attr, assignment]
                self.group |= dict.fromkeys(names, t.target.name)  # type: ignore[union-attr]
        accesses = self.iterations.accesses.items()
        written = {r for r, group in accesses if not all(isinstance(t, Load) for t in group)}
        self.varying = Varying(s, self.group, lambda a: order.aliases.root(a) in written)

    def own(self, array: Var) -> set[str] | None:
        """An array made in the loop and its views, if used by element only.

        Lanes are then one axis more.
        """
        names = {array.name}
        if isinstance(array.type, ListT) or any(array in b.yields for b in self.blocks):
            return None
        for t in (t for t in self.inside if array in operands(t)):
            if isinstance(t, View) and t.base == array and t.kind in ("index", "same"):
                more = self.own(t.target)
                if more is None:
                    return None
                names |= more
            elif not isinstance(t, (*ELEMENTS, Dim)) or t.array != array:
                return None
        return names

    def plan(self, order: Order, visible: Collection[str]) -> Plan:
        """The plan, if the loop is not refused."""
        s = self.loop
        for root, group in self.iterations.accesses.items():
            alone = all(t.array.name in self.group for t in group)
            require(alone or self.iterations.independent(root))
        for t in self.inside:
            require(not any(isinstance(getattr(a, "type", None), ListT) for a in operands(t)))
            require(not isinstance(t, Alloc) or t.target.name in self.private)
        self.failures(order, visible)
        items = self.block(s.body, [])
        varying = self.varying.names
        own = {name: t for name, t in self.private.items() if name in varying}
        require(
            all(
                not isinstance(a, Var) or a.name not in self.made
                for t in own.values()
                for a in t.shape
            )
        )
        arrays = {name for name in self.group if name in varying}
        made = Plan(s, items, varying, own, arrays, self.again, self.place, self.added(), [])
        for k in range(len(s.carried)):
            self.carried(made, k)
        return made

    def added(self) -> set[str]:
        """The arrays of classes of storage that are only accumulated into."""
        groups = self.iterations.accesses.values()
        only = (g for g in groups if all(isinstance(t, Accumulate) for t in g))
        return {t.array.name for g in only for t in g} - set(self.group)

    def failures(self, order: Order, visible: Collection[str]) -> None:
        """Checks must all fail alike, and nobody may see in which iteration one did.

        A loop may be meant to end by raising, so that later iterations would be beyond the end of
        an array; dividing by zero is no way to end one.
        """
        checks = [t for t in self.inside if isinstance(t, Check)]
        if not checks:
            return
        require(len({(t.exception, t.message) for t in checks}) == 1)
        require(not any(isinstance(a, Var) for t in checks for a in t.message))
        require(checks[0].exception == "ZeroDivisionError")
        for t in self.inside:
            if isinstance(t, (Store, Accumulate)):
                require(order.aliases.root(t.array) not in visible)

    # the body in pieces
    def block(self, b: Block, last: list[tuple[str, Atom]]) -> list[Item]:
        """A block in pieces; ``last`` is handed over at its end."""
        items: list[Item] = []
        segment = Segment()
        for s in b.stmts:
            if isinstance(s, For):
                segment.stores += self.enter(s)
                items += self.closed(segment)
                segment = Segment()
                items.append(Inner(s, self.block(s.body, self.leave(s))))
                continue
            require(isinstance(s, (Op, Dim, View, Alloc, Check, *ELEMENTS)) or is_simple(s))
            if not self.varying.differs(s):
                items.append(s)
            elif isinstance(s, View) and s.base.name in self.group:
                raise _Refused
            elif isinstance(s, Check):
                segment.check = s
                items.append(segment)
                segment = Segment()
            elif self.repeated(s):
                self.again[targets(s)[0].name] = s
                here = {v.name for t in segment.stmts for v in targets(t)}
                if any(isinstance(a, Var) and a.name in here for a in operands(s)):
                    segment.stmts.append(s)  # in this segment not before what it is made of
            else:
                segment.stmts.append(s)
        segment.stores += last
        return items + self.closed(segment)

    def closed(self, s: Segment) -> list[Item]:
        """The segment, if there is anything in it."""
        return [s] if s.stmts or s.stores else []

    def enter(self, s: For) -> list[tuple[str, Atom]]:
        """What an inner loop starts with, of what differs from lane to lane."""
        differs = any(map(self.varying.has, (s.start, s.stop, s.step)))
        require(not differs and not s.breaks and not s.parallel and s.keep is None)
        require(all(isinstance(c.arg.type, Scalar) for c in s.carried))
        found = [c for c in s.carried if self.varying.has(c.arg)]
        for c in found:
            self.place[c.arg.name] = self.place[c.result.name] = c.arg.name
        return [(c.arg.name, c.init) for c in found]

    def leave(self, s: For) -> list[tuple[str, Atom]]:
        """What a trip of an inner loop hands to the next one."""
        pairs = zip(s.carried, s.body.yields, strict=True)
        return [(c.arg.name, y) for c, y in pairs if self.varying.has(c.arg)]

    def repeated(self, s: Stmt) -> bool:
        """Whether a statement is made again wherever its result is used."""
        if isinstance(s, View):
            return True
        if not isinstance(s, Op) or s.op not in CHEAP or s.target.type != I8:
            return False
        known = {self.loop.index.name, *self.again}
        return all(not self.varying.has(a) or a.name in known for a in s.args)  # type: ignore[union-attr]

    # what the outer loop carries
    def carried(self, made: Plan, k: int) -> None:
        """Find a segment for a carried value, or begin it anew in each lane."""
        c, y = made.loop.carried[k], made.loop.body.yields[k]
        require(isinstance(c.arg.type, Scalar))
        users = [t for t in segments(made.items) if any(a.name == c.arg.name for a in used(t))]
        user = users[0] if users else self.last(made)
        if len(users) <= 1 and user in made.items and self.known(made, user, y):
            user.carried.append(k)
            return
        require(adjoint_sum(made.loop.body, c.arg, y))
        made.apart.append(k)
        self.place[c.arg.name] = c.arg.name
        self.last(made).stores.append((c.arg.name, y))

    @staticmethod
    def last(made: Plan) -> Segment:
        """The segment at the end."""
        if not made.items or not isinstance(made.items[-1], Segment):
            made.items.append(Segment())
        end = made.items[-1]
        assert isinstance(end, Segment)
        return end

    def known(self, made: Plan, segment: Segment, y: Atom) -> bool:
        """Whether an operand is known when a segment at the top level has run in a lane."""
        after = made.items[made.items.index(segment) + 1 :]
        later = {v.name for t in segments(after) for s in t.stmts for v in targets(s)}
        later |= {c.result.name for t in after if isinstance(t, Inner) for c in t.loop.carried}
        same = (t for t in after if not isinstance(t, (Segment, Inner)))
        later |= {v.name for t in same for v in targets(t)}
        return not isinstance(y, Var) or y.name not in later
