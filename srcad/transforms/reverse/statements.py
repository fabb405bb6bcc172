"""The adjoint of every statement without blocks, and the environment of adjoints.

In: the prepared function, its activity, a way to fetch primal values (``Scopes``).  Out: the
statements of the reverse sweep.

Invariant: ``env`` maps a primal number to the atom that holds its adjoint so far (absent: zero);
an adjoint is complete when the statement that assigns the number is reached, and leaves ``env``
there.  Cursors of ragged loops are entries of ``env`` like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from srcad.analyses.activity import Activity
from srcad.analyses.regions import is_reference
from srcad.analyses.reload import Place, Reload
from srcad.analyses.sheltered import sheltered
from srcad.analyses.tree import Node
from srcad.ir.build import Builder
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Call,
    Draw,
    For,
    Load,
    Loc,
    Op,
    Stmt,
    Store,
    Var,
)
from srcad.ir.types import ArrayT, Scalar
from srcad.rules import needs
from srcad.transforms.arrays import add_to, zero_of
from srcad.transforms.implicit import slope
from srcad.transforms.multiply import guard_of, partials, times
from srcad.transforms.reverse.prepare import Prepared
from srcad.transforms.reverse.scope import Scopes

Env = dict[str, Atom]


class Statements:
    """The environment, and the adjoints of statements without blocks."""

    def __init__(
        self,
        b: Builder,
        reload: Reload,
        activity: Activity,
        prepared: Prepared,
        scopes: Scopes,
        cursors_in: Callable[[Node], list[str]],
        hooks: Mapping[type, Callable[..., None]],
        idle: set[Node],
    ) -> None:
        self.b, self.reload, self.activity = b, reload, activity
        self.tree = reload.tree
        self.place: Place = (reload.tree.root, 0)
        self.prepared, self.scopes, self.cursors_in = prepared, scopes, cursors_in
        self.hooks = hooks
        self.idle = idle  # blocks without adjoint, found by the dry run
        self.dry = scopes.plan is None
        self.env: Env = {}
        self.sheltered = sheltered(prepared.body)

    # the environment
    def add(self, a: Atom, value: Atom) -> None:
        """Contribute to the adjoint of a primal number."""
        if not isinstance(a, Var) or is_reference(a) or not self.activity.active(a):
            return
        assert isinstance(a.type, Scalar)
        hint = self.wish(a)
        term = self.b.cast(value, a.type, hint=hint)
        known = self.env.get(a.name)
        self.env[a.name] = term if known is None else self.b.op("add", known, term, hint=hint)

    def copied(self, v: Var) -> bool:
        """Whether an array handed out by a join counts as a copy with a shadow of its own."""
        return v.name in self.activity.regions.copies and self.activity.shadowed(v)

    def hand(self, a: Atom, value: Atom, own: bool = True) -> None:
        """Contribute to the adjoint of what a block hands out (for arrays: to its shadow).

        With ``own`` the array ``value`` is there from the start of the block, for it to keep.
        """
        if not is_reference(a):
            self.add(a, value)
        elif self.activity.shadowed(a) and not (own and self.scopes.adopt(a, value)):  # type: ignore[arg-type]
            add_to(self.b, self.scopes.shadow(a), value)  # type: ignore[arg-type]

    @staticmethod
    def wish(v: Var) -> str:
        """The name that the adjoint of ``v`` should have."""
        return f"{v.hint or v.name}_b"

    def index(self, index: tuple[Atom, ...]) -> tuple[Atom, ...]:
        """Subscripts as they were."""
        return tuple(map(self.scopes.value, index))

    # statements
    def locate(self, loc: Loc | None) -> None:
        """What is emitted next belongs to a primal statement."""
        self.scopes.reason = loc
        self.b.loc = replace(loc, role="adjoint") if loc is not None else None

    def statement(self, s: Stmt) -> None:
        """The adjoint of a statement without blocks."""
        match s:
            case Op(target=t):
                adjoint = self.env.pop(t.name, None)
                if adjoint is not None:
                    self.op(s, adjoint)
            case Load(target=t) if not is_reference(t):
                adjoint = self.env.pop(t.name, None)
                if adjoint is not None and self.activity.shadowed(s.array):
                    self.load(s, adjoint)
            case Store(value=v) if not is_reference(v) and self.activity.shadowed(s.array):
                self.store(s)
            case Accumulate(value=v) if self.activity.shadowed(s.array):
                if self.activity.active(v):
                    shadow = self.scopes.shadow(s.array)
                    self.add(v, self.b.load(shadow, *self.index(s.index), hint=self.hint(v)))
            case Draw(targets=(t,)):
                adjoint = self.env.pop(t.name, None)
                if adjoint is not None:
                    z, a = self.scopes.value(t), self.scopes.value(s.args[0])
                    moved = slope(self.b, s.kind, z, a)
                    self.add(s.args[0], self.b.op("mul", adjoint, moved, hint=self.hint(s.args[0])))
            case ArrayOp() | Call():
                if any(map(self.activity.carries, (*s.targets, *s.args))):
                    self.hooks[type(s)](self, s)

    def load(self, s: Load, adjoint: Atom) -> None:
        """Contribute to the shadow's element; the last access to an element is the first here.

        Which is the first is not said of the iterations of a loop on several threads.
        """
        shadow, index = self.scopes.shadow(s.array), self.index(s.index)
        plain = isinstance(s.array.type, ArrayT) and self.scopes.fresh(s.array)
        around = (n.owner for n in self.place[0].loops())
        plain = plain and not any(isinstance(o, For) and o.parallel for o in around)
        if plain and self.reload.last(*self.place, s):
            self.b.store(shadow, index, adjoint)
        else:
            self.b.accumulate(shadow, index, adjoint)

    @staticmethod
    def hint(a: Atom) -> str:
        """The name of a contribution to ``a``."""
        return f"{a.hint or a.name}_b" if isinstance(a, Var) else "t"

    def store(self, s: Store) -> None:
        """Read the shadow's element, contribute to the stored value, clear the element.

        The first access to an element is the last to its shadow, which need not be cleared.
        """
        shadow, index = self.scopes.shadow(s.array), self.index(s.index)
        element = shadow.type.element  # type: ignore[union-attr]
        taken = None
        if self.activity.active(s.value):
            taken = self.b.load(shadow, *index, hint=self.hint(s.value))
        if not self.reload.first(*self.place, s):
            self.b.store(shadow, index, zero_of(element))
        if taken is not None:
            self.add(s.value, taken)

    def op(self, s: Op, adjoint: Atom) -> None:
        """Partials times the adjoint of the result."""
        active = tuple(map(self.activity.active, s.args))
        if not any(active):
            return
        if s.op == "select":
            self.choice(s, adjoint, active)
            return
        wanted = needs(s.op, active, s.args)
        args = tuple(self.scopes.value(a) if k in wanted else a for k, a in enumerate(s.args))
        out = self.scopes.value(s.target) if "out" in wanted else s.target
        inside = s.target.name in self.sheltered
        for k, p in enumerate(partials(self.b, s, args, out, active)):
            if p is not None:
                a = s.args[k]
                self.add(a, times(self.b, adjoint, p, guard_of(s, k, inside), self.hint(a)))

    def choice(self, s: Op, adjoint: Atom, active: tuple[bool, ...]) -> None:
        """The chosen operand gets the adjoint, the other one zero (no product: 0 * inf is NaN)."""
        chosen = self.scopes.value(s.args[0])
        zero = zero_of(adjoint.type)
        for k, pair in ((1, (adjoint, zero)), (2, (zero, adjoint))):
            if active[k]:
                part = self.b.op("select", chosen, *pair, hint=self.hint(s.args[k]))
                self.add(s.args[k], part)
