"""Primal values and shadows inside the reverse sweep.

In: the plan.  Out: ``Scopes.value`` and ``Scopes.shadow``: an atom that holds, where it is asked
for, the value a primal variable had, or the shadow of a reference.

Invariant: whatever is fetched is emitted into the *prologue* of a reverse block, which runs before
its adjoint statements, so that a fetched value is visible in all that follows and in inner
blocks.  Values from outside a loop are fetched outside that loop, others where they are used.
Without a plan (the dry run) every value is simply noted as needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from srcad.analyses.activity import Activity
from srcad.analyses.regions import is_reference
from srcad.analyses.tree import Node, Tree
from srcad.errors import InternalError
from srcad.ir.build import Builder
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Alloc, ArrayOp, Atom, Call, Const, For, Load, Loc, Stmt, Var, View
from srcad.ir.types import ArrayT
from srcad.ir.walk import rewrite
from srcad.transforms.arrays import contiguous, fit, fresh, like
from srcad.transforms.reverse.positions import Positions
from srcad.transforms.reverse.prepare import Prepared
from srcad.transforms.reverse.storage import Plan
from srcad.transforms.trips import trip_number


@dataclass(eq=False)
class Scope:
    """The reverse of one block: what is known in it, and its prologue."""

    node: Node
    parent: Scope | None
    prologue: list[Stmt] = field(default_factory=list)
    known: dict[str, Atom] = field(default_factory=dict)
    shadows: dict[str, Var] = field(default_factory=dict)
    trip: Atom | None = None  # number of the iteration, in the body of a loop
    base: Atom | None = None  # its cursor
    at: Atom | None = None  # its position

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


Mark = tuple[int, list[tuple[Scope, int, int]]]


class Scopes:
    """The stack of reverse blocks, and everything that is fetched from the forward sweep."""

    def __init__(
        self,
        b: Builder,
        tree: Tree,
        activity: Activity,
        prepared: Prepared,
        positions: Positions,
        plan: Plan | None,
    ) -> None:
        self.b, self.tree, self.activity = b, tree, activity
        self.prepared, self.positions, self.plan = prepared, positions, plan
        self.threaded: dict[str, Var] = {}
        self.scope = Scope(tree.root, None)
        self.needed: dict[str, tuple[Var, Loc | None]] = {}
        self.reason: Loc | None = None

    @contextmanager
    def enter(self, node: Node) -> Iterator[Scope]:
        """The reverse of an inner block, for the duration of the ``with``."""
        self.scope = Scope(node, self.scope)
        try:
            yield self.scope
        finally:
            parent = self.scope.parent
            assert parent is not None
            self.scope = parent

    # primal values
    def value(self, a: Atom) -> Atom:
        """The value a primal atom had when the statement being reversed was executed."""
        if isinstance(a, Const):
            return a
        if self.plan is None:
            self.needed.setdefault(a.name, (a, self.reason))
            return a
        return self._fetch(a, self.scope)

    def mark(self) -> Mark:
        """The state to go back to with ``rollback``."""
        return len(self.needed), [(x, len(x.shadows), len(x.prologue)) for x in self.scope.chain()]

    def rollback(self, mark: Mark) -> None:
        """Forget needs and shadows that only code asked for which is left out (dry run)."""
        known, scopes = mark
        for name in list(self.needed)[known:]:
            del self.needed[name]
        for scope, shadows, prologue in scopes:
            for name in list(scope.shadows)[shadows:]:
                del scope.shadows[name]
            del scope.prologue[prologue:]

    def _fetch(self, a: Atom, scope: Scope) -> Atom:
        if isinstance(a, Const):
            return a
        for outer in scope.chain():
            if a.name in outer.known:
                return outer.known[a.name]
        node = self.tree.home[a.name].node
        if node is self.tree.root:
            return a
        if node.loop is None:
            return self.threaded[a.name]
        place = self._place(node, scope)
        found = self._emit_in(place, "recompute", lambda: self._make(a, place))
        place.known[a.name] = found
        return found

    def _place(self, home: Node, scope: Scope) -> Scope:
        """Where to fetch what is assigned in ``home``: there if loops lie between, else here."""
        between = False
        for outer in scope.chain():
            if outer.node is home:
                return outer if between else scope
            between |= outer.node.is_loop
        raise InternalError("a value is needed outside the block that assigns it")

    def _emit_in(self, scope: Scope, role: str, make: Callable[[], Atom]) -> Atom:
        loc = self.b.loc
        if loc is not None:
            self.b.loc = replace(loc, role=role)
        self.b.stack.append(scope.prologue)
        try:
            return make()
        finally:
            self.b.stack.pop()
            self.b.loc = loc

    def _make(self, v: Var, scope: Scope) -> Atom:
        assert self.plan is not None
        kind = self.plan.kind.get(v.name)
        home = self.tree.home[v.name]
        hint = v.hint or v.name
        if kind in ("preallocated", "list"):
            loop = home.node.loop
            assert loop is not None
            return self.b.load(self.plan.tapes[v.name], self.position(loop, scope), hint=hint)
        if kind == "index":
            assert isinstance(home.stmt, For)
            trip = next(x.trip for x in scope.chain() if x.node is home.node)
            assert trip is not None
            far = self.b.op("mul", trip, self._fetch(home.stmt.step, scope), hint=hint)
            return self.b.op("add", self._fetch(home.stmt.start, scope), far, hint=hint)
        if kind == "stored":
            array, index = self.plan.loads[v.name]
            kept = self._fetch(array, scope)
            assert isinstance(kept, Var)
            return self.b.load(kept, *(self._fetch(x, scope) for x in index), hint=hint)
        if kind == "progression":
            first, step = self.plan.progression[v.name]
            body = next(x for x in scope.chain() if x.node is home.node)
            far = self.b.op("mul", self.trip(home.node, body), self._fetch(step, scope), hint=hint)
            return self.b.op("add", self._fetch(first, scope), far, hint=hint)
        if kind not in ("recomputed", "reloaded") or home.stmt is None:
            raise InternalError(f"no way to have {v.name!r} in the reverse sweep ({kind})")
        made, again = self.b.var(hint, v.type), home.stmt
        if isinstance(again, Load):
            again = replace(again, array=self.plan.source(again))
        fetched = rewrite(again, lambda x: self._fetch(x, scope), lambda _: made)
        self.b.emit(replace(fetched, loc=self.b.loc))
        return made

    def position(self, loop: Node, scope: Scope) -> Atom:
        """Position on tapes of the current iteration of a loop."""
        here = next(s for s in scope.chain() if s.node is loop)
        if here.at is None:
            here.at = self._emit_in(here, "recompute", lambda: self._position(loop, here))
        return here.at

    def _position(self, loop: Node, scope: Scope) -> Atom:
        number = self.positions.numbering(loop)
        k = self.trip(loop, scope)
        if number.kind == "cursor":
            assert scope.base is not None
            return self.b.op("add", scope.base, k, hint="at")
        if number.parent is None:
            return k
        outer = self.position(number.parent.node, scope)
        row = self.b.op("mul", outer, self.positions.counts[number.key], hint="at")
        return self.b.op("add", row, k, hint="at")

    def trip(self, loop: Node, scope: Scope) -> Atom:
        """Number of the current iteration."""
        if scope.trip is None:
            s = loop.owner
            assert isinstance(s, For) and isinstance(s.step, Const)
            start, step = self._fetch(s.start, scope), s.step
            scope.trip = self._emit_in(
                scope,
                "recompute",
                lambda: trip_number(self.b, scope.known[s.index.name], start, step),
            )
        return scope.trip

    # shadows
    def shadow(self, a: Atom) -> Var:
        """The shadow of a reference, where the statement being reversed stands."""
        assert isinstance(a, Var)
        return self._shadow(a, self.scope)

    def _shadow(self, a: Var, scope: Scope) -> Var:
        if a.name in self.prepared.shadow:
            made = self.prepared.shadow[a.name]
            found = self.value(made) if self.plan is None else self._fetch(made, scope)
            assert isinstance(found, Var)
            return found
        for outer in scope.chain():
            if a.name in outer.shadows:
                return outer.shadows[a.name]
        home = self.tree.home[a.name]
        place = (
            self._place(home.node, scope)
            if self._borrowed(a, home.stmt)
            else next(s for s in scope.chain() if s.node is home.node)
        )
        found = self._emit_in(place, "adjoint", lambda: self._shade(a, home.stmt, place))
        assert isinstance(found, Var)
        place.shadows[a.name] = found
        return found

    def adopt(self, a: Atom, array: Var) -> bool:
        """Make ``array`` the shadow of what a block hands out, if the block made that itself."""
        if (
            not isinstance(a, Var)
            or a.name in self.prepared.shadow
            or (a.name in self.scope.shadows)
        ):
            return False
        home = self.tree.home[a.name]
        own = isinstance(home.stmt, (Alloc, ArrayOp)) or a.name in self.activity.regions.copies
        if home.node is not self.scope.node or not own or contiguous(a.type) != array.type:
            return False
        self.scope.shadows[a.name] = array
        return True

    def has_shadow(self, a: Var) -> bool:
        """Whether a shadow was made that the statement being reversed can see."""
        return any(a.name in outer.shadows for outer in self.scope.chain())

    def fresh(self, a: Var) -> bool:
        """Whether the reverse sweep itself makes the shadow, with zeros, where ``a`` is made."""
        root = a
        while isinstance(s := self.tree.home[root.name].stmt, View):
            root = s.base
        made = isinstance(s, (Alloc, ArrayOp)) or root.name in self.activity.regions.copies
        return made and root.name not in self.prepared.shadow

    def _borrowed(self, a: Var, s: Stmt | None) -> bool:
        """Whether a shadow is a view of another, or the very shadow of an argument."""
        if isinstance(s, Call):
            return not self.activity.summaries[s.fn].results[s.targets.index(a)].fresh
        return isinstance(s, View)

    def _shade(self, a: Var, s: Stmt | None, scope: Scope) -> Var:
        """Make the shadow of a reference that is not moved by the forward sweep."""
        wish = f"{a.hint or a.name}_b"

        def use(x: Atom) -> Atom:
            if is_reference(x):
                return self._shadow(x, scope)  # type: ignore[arg-type]
            return self.value(x) if self.plan is None else self._fetch(x, scope)

        if s is None:
            return like(self.b, a, wish)
        if isinstance(s, Call) and self._borrowed(a, s):
            source = self.activity.summaries[s.fn].results[s.targets.index(a)]
            alias = s.args[min(source.params)]
            assert isinstance(alias, Var)
            return self._shadow(alias, scope)
        if isinstance(s, View):
            return self._view(a, s, use, wish)
        array = isinstance(a.type, ArrayT)  # possibly of no axes; a list has no shape either
        shape = s.shape if isinstance(s, Alloc) and array else self.prepared.sizes.get(a.name)
        if shape is None:
            raise InternalError(f"the size of {a.name!r} is not known in the reverse sweep")
        return fresh(self.b, a.type, tuple(map(use, shape)), True, wish)

    def _view(self, a: Var, s: View, use: Callable[[Atom], Atom], wish: str) -> Var:
        made = self.b.var(wish, a.type)
        again = rewrite(s, use, lambda _: made)
        assert isinstance(again, View)
        if s.kind == "same":
            return fit(self.b, again.base, a.type, wish)
        assert isinstance(again.base.type, ArrayT)
        made = replace(made, type=view_layout(again.base.type, s.kind, again.spec))
        self.b.emit(replace(again, target=made, loc=self.b.loc))
        return made
