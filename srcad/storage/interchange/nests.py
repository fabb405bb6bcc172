"""Which two loops, one directly in the other, may change places.

In: a function, a block of it.  Out: ``Nest``: an outer loop whose body is pure statements (the
*prefix*) and one inner loop, where both orders of iterations do the same to every element; and its
*states*, the arrays whose elements are written again in every iteration of the outer loop.

Invariant: legal is what no two accesses forbid that meet an element in a later iteration of the
outer and an earlier one of the inner loop (Allen & Kennedy, "Automatic Loop Interchange", 1984:
no direction ``(<, >)``); these alone come in another order.  Every element then sees its
operations in the old order, so values keep their bits.  The range of the inner loop must not depend
on the outer one; nothing in there may raise, print, draw, be called, break or be handed on.
The swap is worth a try where a state is read, which would be recorded in each iteration of the
outer loop; where states are only added to, if no access then walks with strides, or no more than
before and there is something nonlinear to be recorded.
Limits: numbers carried by either loop; prefixes that cost more than ``CHEAP``, which would be
computed anew for every element; conditional loops.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.elements import Access
from srcad.analyses.meetings import Meetings
from srcad.analyses.tree import Node, Tree
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
)
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import ListT, is_float
from srcad.ir.walk import binders, blocks, operands, statements, targets, variables

CHEAP = 8  # what may be computed again for every element
ELEMENTARY = 20  # the cost of a function that has vector forms, at least
INSIDE = (Op, Load, Store, Accumulate, Dim, View, Alloc, If, For)
PURE = (Op, Load, Dim, View)
ELEMENTS = (Load, Store, Accumulate)
LINEAR = ("add", "sub", "neg", "f8", "f4")


@dataclass(frozen=True, eq=False)
class Nest:
    """An outer loop, the pure statements before the inner one, the inner one; arrays of states."""

    outer: For
    prefix: tuple[Stmt, ...]
    inner: For
    states: frozenset[str]
    worth: bool

    def swapped(self) -> For:
        """The inner loop around the outer one."""
        body = Block((*self.prefix, *self.inner.body.stmts))
        return replace(self.inner, body=Block((replace(self.outer, body=body),)))


def counted(s: Stmt) -> bool:
    """Whether a statement is a loop over its whole range, in known steps, that carries nothing."""
    return (
        isinstance(s, For)
        and isinstance(s.step, Const)
        and bool(s.step.value)
        and not (s.carried or s.breaks or s.parallel or s.keep)
    )


def promising(s: Stmt) -> bool:
    """Whether a loop has loops directly inside that store into what does not depend on it."""
    if not counted(s):
        return False
    assert isinstance(s, For)
    return any(
        counted(t)
        and any(
            isinstance(u, (Store, Accumulate)) and s.index not in u.index and t.index in u.index
            for u in statements(t.body)
        )
        for t in s.body.stmts
        if isinstance(t, For)
    )


class Nests:
    """The questions about one function."""

    def __init__(self, fn: Function) -> None:
        self.tree, self.aliases = Tree(fn), Aliases(fn)
        self.meetings = Meetings(self.tree)
        self.layouts = {v.name: getattr(v.type, "layout", "A") for v in variables(fn)}
        self.bodies = {n.owner.index.name: n for n in self.tree.nodes if isinstance(n.owner, For)}

    def of(self, s: For) -> Nest | None:
        """A loop as a nest whose loops may change places, if it is one."""
        inner = [t for t in s.body.stmts if isinstance(t, For)]
        if not counted(s) or len(inner) != 1 or not counted(inner[0]):
            return None
        (loop,) = inner
        prefix = tuple(t for t in s.body.stmts if t is not loop)
        if not self.plain(loop, prefix) or not self.rectangular(s, loop):
            return None
        touched = list(self.accesses(self.bodies[s.index.name]))
        if not self.apart(prefix, touched) or not self.legal(touched, s, loop):
            return None
        states = self.states(touched, s, loop)
        return Nest(s, prefix, loop, states, bool(states) and self.worth(touched, states, s, loop))

    def plain(self, loop: For, prefix: tuple[Stmt, ...]) -> bool:
        """Whether there is nothing inside but numbers and elements, and the prefix is cheap."""
        if not all(isinstance(t, PURE) for t in prefix):
            return False
        cost = sum(
            PRIMITIVES[t.op].cost for t in prefix if isinstance(t, Op) and is_float(t.target.type)
        )
        inside = list(statements(loop.body))
        atoms = [a for t in inside for a in (*operands(t), *targets(t))]
        return (
            cost <= CHEAP
            and all(isinstance(t, INSIDE) for t in inside)
            and not any(isinstance(t, For) and (t.breaks or t.parallel or t.keep) for t in inside)
            and not any(is_reference(y) for t in inside for b in blocks(t) for y in b.yields)
            and not any(isinstance(a.type, ListT) for a in atoms)
        )

    def rectangular(self, outer: For, inner: For) -> bool:
        """Whether the range of the inner loop is known before the outer one."""
        inside = set(self.bodies[outer.index.name].subtree())
        return not any(
            isinstance(a, Var) and self.tree.home[a.name].node in inside
            for a in (inner.start, inner.stop, inner.step)
        )

    def accesses(self, body: Node) -> Iterator[tuple[Stmt, Access]]:
        """The accesses in a loop's body."""
        for node in body.subtree():
            for position, t in enumerate(node.block.stmts):
                if isinstance(t, ELEMENTS):
                    root = self.aliases.root(t.array)
                    yield t, Access(node, position, root, t.array, t.index)

    def apart(self, prefix: tuple[Stmt, ...], touched: list[tuple[Stmt, Access]]) -> bool:
        """Whether the prefix reads nothing that the nest writes."""
        written = {a.root for t, a in touched if not isinstance(t, Load)}
        return not any(
            isinstance(t, Load) and self.aliases.root(t.array) in written for t in prefix
        )

    def legal(self, touched: list[tuple[Stmt, Access]], outer: For, inner: For) -> bool:
        """Whether no element is met later by the outer and earlier by the inner loop."""
        around, within = self.bodies[outer.index.name], self.bodies[inner.index.name]
        fresh = set(within.subtree())
        mine = [
            (t, a)
            for t, a in touched
            if self.tree.home[self.meetings.place(a)[0]].node not in fresh
        ]
        for k, (t, a) in enumerate(mine):
            for u, b in mine[k:]:
                if a.root != b.root or isinstance(t, Load) and isinstance(u, Load):
                    continue
                if any(self.meetings.crossed(*pair, around, within) for pair in ((a, b), (b, a))):
                    return False
        return True

    def states(self, touched: list[tuple[Stmt, Access]], outer: For, inner: For) -> frozenset[str]:
        """The arrays whose elements each iteration of the outer loop reads and writes again."""
        found: set[str] = set()
        for root in {a.root for t, a in touched if not isinstance(t, Load)}:
            group = [(t, a) for t, a in touched if a.root == root]
            used = [self.counters(a) for _, a in group]
            if all(inner.index.name in c and outer.index.name not in c for c in used):
                found |= {self.meetings.place(a)[0] for _, a in group}
        inside = set(self.bodies[outer.index.name].subtree())
        return frozenset(n for n in found if self.tree.home[n].node not in inside)

    def counters(self, access: Access) -> set[str]:
        """The unknowns in the subscripts of an access; ``?`` where they are not known."""
        _, forms = self.meetings.place(access)
        return {n for f in forms for n in (["?"] if f is None else f)}

    def worth(
        self, touched: list[tuple[Stmt, Access]], states: frozenset[str], outer: For, inner: For
    ) -> bool:
        """Whether less is recorded or walked with strides when the loops are swapped.

        Elementary functions of one element after the other are vector functions.  Swapped they are
        again where lanes take several elements at once; in a third loop around they do not.
        """
        around = self.bodies[outer.index.name].parent
        costs = (PRIMITIVES[t.op].cost for t in statements(inner.body) if isinstance(t, Op))
        if around is not None and around.loops() and max(costs, default=0) >= ELEMENTARY:
            return False
        if any(isinstance(t, Load) and self.meetings.place(a)[0] in states for t, a in touched):
            return True
        body = self.bodies[inner.index.name]
        near = [a for _, a in touched if a.node.loop is body]
        before, after = (self.strides(near, s) for s in (inner, outer))
        return after <= before and nonlinear(inner.body) or after == 0 < before

    def strides(self, accesses: list[Access], s: For) -> int:
        """How many accesses walk with strides through memory from trip to trip of a loop."""
        moving = {s.index.name}
        for t in statements(s.body):
            if any(isinstance(a, Var) and a.name in moving for a in operands(t)):
                moving |= {v.name for v in targets(t)}
        return sum(self.strided(a, s.index.name, moving) for a in accesses)

    def strided(self, access: Access, counter: str, moving: set[str]) -> bool:
        """Whether an access does: not to neighbours, nor to the same element again."""
        base, forms = self.meetings.place(access)
        near = {"C": len(forms) - 1, "F": 0}.get(self.layouts[base])
        for k, f in enumerate(forms):
            if f is None:  # all that it may depend on
                own_axis = base == access.array.name
                atoms = access.index[k : k + 1] if own_axis else (access.array, *access.index)
                f = {a.name: 1 for a in atoms if isinstance(a, Var)}
            own = moving & set(f)
            if own and not (k == near and own == {counter} and abs(f[counter]) == 1):
                return True
        return False


def nonlinear(b: Block) -> bool:
    """Whether a block computes what its adjoint records: what is dear, products of results."""
    inside = list(statements(b))
    made = {v.name for t in inside if not isinstance(t, Load) for v in (*targets(t), *binders(t))}
    for t in inside:
        if isinstance(t, Op) and is_float(t.target.type):
            own = [isinstance(a, Var) and a.name in made for a in t.args]
            if PRIMITIVES[t.op].cost > CHEAP and any(isinstance(a, Var) for a in t.args):
                return True
            if t.op not in LINEAR and (all(own) if t.op == "mul" else any(own)):
                return True
    return False
