"""Which loops may run forwards and backwards iteration by iteration.

In: a function, its activity.  Out: for a loop at the top level of the function its scratch arrays,
if its iterations are independent as far as derivatives go, else ``None``.

Invariant: the adjoint of each iteration then needs nothing of other iterations, and only adds to
shadows and numbers outside, or touches elements that no other iteration touches, so the adjoints
may come in the order of the primal.  That holds where
* an active carried number is only added to (its adjoint is the same all along),
* storage that is written is made in the iteration, or scratch (``private``), or only accumulated
  into, or every access to it is to an element of this iteration (``analyses.order``).
Limits: no calls, prints, draws, lists or breaks.  A loop with checks only where
shadows are made here (``allocate``): those given are not to be touched when one fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srcad.analyses.activity import Activity
from srcad.analyses.aliases import is_reference
from srcad.analyses.order import Order, only_added
from srcad.analyses.sheltered import sheltered
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Check,
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
from srcad.ir.types import ArrayT, ListT
from srcad.ir.walk import binders, blocks, operands, statements, targets
from srcad.transforms.fusion.private import is_private

HARMLESS = (Op, Load, Store, Accumulate, Dim, View, Alloc, ArrayOp, If, For, While, Check)


@dataclass(frozen=True)
class Candidate:
    """A loop, its position in the function's body, and the scratch arrays it can make itself.

    Where an iteration is run ``again`` (``stepwise``) also what it changes (``state``), what it
    only writes (``final``), where the state at the start of each is kept (``rows``), and what
    it need not write when it is run again (``idle``).
    """

    position: int
    loop: For
    private: tuple[Alloc, ...]
    state: tuple[Var, ...] = ()
    final: tuple[Var, ...] = ()
    again: bool = False
    rows: dict[str, Var] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()


def candidates(fn: Function, activity: Activity, allocate: bool) -> list[Candidate]:
    """The loops at the top level whose iterations are independent, and whose sums are simple."""
    found = []
    eligible = Eligible(fn, activity)
    for position, s in enumerate(fn.body.stmts):
        if not allocate and any(isinstance(t, Check) for b in blocks(s) for t in statements(b)):
            continue
        private = eligible.scratch(s) if isinstance(s, For) else None
        if private is not None and linear_after(fn, position):
            assert isinstance(s, For)
            found.append(Candidate(position, s, private))
    return found


class Eligible:
    """The questions about one function."""

    def __init__(self, fn: Function, activity: Activity) -> None:
        self.activity = activity
        self.sheltered = sheltered(fn.body)
        self.order = Order(fn, distinct=True)
        self.aliases = self.order.aliases
        self.everything = list(statements(fn.body))
        self.top_statements = [list(statements(Block((s,)))) for s in fn.body.stmts]
        self.top = set(map(id, fn.body.stmts))
        self.returned = {self.aliases.root(y) for y in fn.body.yields if is_reference(y)}  # type: ignore[arg-type]
        self.params = {self.aliases.root(p) for p in fn.params if is_reference(p)}

    def scratch(self, s: For) -> tuple[Alloc, ...] | None:
        """The scratch arrays of a loop, ``None`` if its iterations are not independent."""
        sums = self.plain(s) and all(
            not self.activity.active(c.arg) or only_added(s.body, c.arg, y)
            for c, y in zip(s.carried, s.body.yields, strict=True)
        )
        return self.storage(s, list(statements(s.body))) if sums else None

    def plain(self, s: For) -> bool:
        """Whether a loop is made of nothing but what can stand in a function of its own."""
        inside = list(statements(s.body))
        if s.breaks or any(is_reference(c.arg) for c in s.carried):
            return False
        known = {v.name for t in inside for v in targets(t)}
        known |= {a.name for t in inside for a in operands(t) if isinstance(a, Var)}
        if self.sheltered & known - sheltered(s.body):  # it would be forgotten in a function
            return False
        return all(isinstance(t, HARMLESS) for t in inside) and not _lists(inside)

    def storage(self, s: For, inside: list[Stmt]) -> tuple[Alloc, ...] | None:
        """The scratch arrays, if everything else that is written is written independently."""
        iterations = self.order.of(s)
        private: list[Alloc] = []
        for root, group in iterations.accesses.items():
            if all(isinstance(t, Load) for t in group):
                continue
            if any(isinstance(t, Alloc) and self.of(t.target, root) for t in inside):
                refs = {a.name for t in inside for a in operands(t) if self.of(a, root)}  # type: ignore[union-attr]
                if not refs <= iterations.made:
                    return None
                continue
            alloc = self.alone(s, root)
            if alloc is not None and is_private(s.body, alloc):
                private.append(alloc)
                continue
            if len(self.outside(inside, root, iterations.made)) > 1 or not iterations.independent(
                root, added=True
            ):
                return None
        return tuple(private)

    def outside(self, inside: list[Stmt], root: str, made: set[str]) -> set[Var]:
        """The references from outside a loop through which it uses a class of storage."""
        own = made | {v.name for t in inside for v in binders(t)}  # carried by inner loops
        return {
            a  # type: ignore[misc]
            for t in inside
            for a in operands(t)
            if self.of(a, root) and a.name not in own  # type: ignore[union-attr]
        }

    def of(self, a: Atom, root: str) -> bool:
        """Whether an operand refers to a class of storage."""
        return is_reference(a) and self.aliases.root(a) == root  # type: ignore[arg-type]

    def alone(self, s: For, root: str) -> Alloc | None:
        """The allocation of an array that is used by this loop only."""
        if root in self.returned or root in self.params:
            return None
        inside = set(map(id, statements(s.body)))
        allocs: list[Alloc] = []
        for t in self.everything:
            touches = any(self.of(a, root) for a in (*operands(t), *targets(t), *binders(t)))
            handed = any(self.of(y, root) for b in blocks(t) for y in b.yields)
            if not touches and not handed:
                continue
            if isinstance(t, Alloc) and id(t) in self.top and isinstance(t.target.type, ArrayT):
                allocs.append(t)
            elif id(t) not in inside or handed:
                return None
        return allocs[0] if len(allocs) == 1 else None


def _lists(inside: list[Stmt]) -> bool:
    return any(
        isinstance(a, Var) and isinstance(a.type, ListT)
        for t in inside
        for a in (*operands(t), *targets(t))
    )


def linear_after(fn: Function, position: int) -> bool:
    """Whether what a loop computes enters the rest by additions and constant factors only.

    The adjoints of its results are then known without them, before it has run.  (Numbers only:
    what goes through arrays is found out when the loops are merged.)
    """
    tainted = {v.name for v in targets(fn.body.stmts[position])}
    for s in fn.body.stmts[position + 1 :]:
        inner = [t for b in blocks(s) for t in statements(b)]
        used = [a for t in (s, *inner) for a in operands(t)]
        used += [y for t in (s, *inner) for b in blocks(t) for y in b.yields]
        hit = [a for a in used if isinstance(a, Var) and a.name in tainted]
        if not hit:
            continue
        if not isinstance(s, Op):
            return False
        factor = s.op == "mul" and len(hit) == 1 or s.op == "truediv" and s.args[1] not in hit
        if not (factor or s.op in ("add", "sub", "neg", "f8", "f4")):
            return False
        tainted.add(s.target.name)
    return True
