"""First step of reverse mode: everything the reverse sweep will ask for becomes ordinary IR.

In: the primal function and its activity.  Out: the same function with
* a counter carried through every loop whose trip count is not a formula of its bounds,
* the sizes of arrays that operations and calls return, and of lists at the end of their block,
* snapshots of array operands whose contents a reverse rule needs and may find overwritten,
* shadows, allocated and moved in tandem, of references that meet others (``Regions.meeting``);
  shadows of all other arrays are made by the reverse sweep itself.

Invariant: values and effects are the primal's; the additions are read by the reverse sweep only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from srcad.analyses.activity import Activity
from srcad.analyses.effects import Source
from srcad.analyses.reload import Reload
from srcad.analyses.shapes import DimOf, Size, shapes
from srcad.analyses.tree import loop_key
from srcad.errors import NoDerivative
from srcad.ir.build import ONE, ZERO, Builder
from srcad.ir.layout import view_layout
from srcad.ir.nodes import (
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Const,
    For,
    If,
    Stmt,
    Var,
    While,
)
from srcad.ir.types import I8, ArrayT, ListT, Type
from srcad.ir.walk import targets
from srcad.transforms.array_rules import result_sizes
from srcad.transforms.arrays import copy, fit, like, sizes
from srcad.transforms.fusion.eligible import Candidate
from srcad.transforms.tandem import Tandem
from srcad.transforms.trips import counted, trip_number

Snapshots = dict[int, Var]  # position of the operand (after the operands: of the result)


@dataclass
class Prepared:
    """What the preparation made: companions by the name or identity of what they belong to."""

    body: Block = field(default_factory=lambda: Block(()))
    shadow: dict[str, Var] = field(default_factory=dict)
    counter: dict[str, tuple[Var, Var]] = field(default_factory=dict)  # loop -> (inside, after)
    sizes: dict[str, tuple[Atom, ...]] = field(default_factory=dict)
    snapshots: dict[int, Snapshots] = field(default_factory=dict)  # id of the statement


class Prepare(Tandem):
    """Rewrites the primal; ``wanted(s)`` says which operands of a call to snapshot."""

    role = "tape"

    def __init__(
        self,
        builder: Builder,
        activity: Activity,
        reload: Reload,
        wanted: dict[int, frozenset[int]],
        iterations: Mapping[str, Candidate],
    ) -> None:
        super().__init__(builder, self._moves)
        self.activity, self.reload = activity, reload
        self.copies = activity.regions.copies
        self.shapes = shapes(reload.tree.fn)
        self.wanted, self.iterations = wanted, iterations
        self.done = Prepared(shadow=self.shadow)

    def _moves(self, a: Atom) -> bool:
        return (
            isinstance(a, Var)
            and self.activity.shadowed(a)
            and self.activity.regions.meets(a)
            and self.reload.root(a) not in self.copies
        )

    def block(self, block: Block, extra: tuple[tuple[Atom, Type], ...] = ()) -> Block:
        """A block; sizes of its lists are taken at its end."""
        made = super().block(block, extra)
        with self.b.block() as closing:
            for s in block.stmts:
                if isinstance(s, Alloc) and isinstance(s.target.type, ListT):
                    self._size_of_list(s.target)
        return replace(made, stmts=(*made.stmts, *closing))

    def _size_of_list(self, v: Var) -> None:
        if self.activity.shadowed(v) and not self._moves(v):
            self.done.sizes[v.name] = (self.b.dim(v, 0),)

    def statement(self, s: Stmt) -> None:
        """Array operations and calls are surrounded by snapshots and sizes."""
        if isinstance(s, (ArrayOp, Call)):
            self._operation(s)
            return
        super().statement(s)
        if isinstance(s, (If, For, While)):
            for t in targets(s):
                self._size_of_copy(t)

    def _size_of_copy(self, v: Var) -> None:
        if v.name in self.copies and self.activity.shadowed(v):
            self.done.sizes[v.name] = self._known(self.shapes[v.name])

    def _known(self, known: tuple[Size, ...]) -> tuple[Atom, ...]:
        return tuple(
            self.b.dim(size.array, size.axis) if isinstance(size, DimOf) else size for size in known
        )

    def _operation(self, s: ArrayOp | Call) -> None:
        wanted = self.wanted.get(id(s), frozenset())
        one = replace(s)  # an object of its own, for identity is its key
        rows = self.iterations[s.fn].rows if isinstance(s, Call) and s.fn in self.iterations else {}
        snapshots = {
            k: self._kept(s, a, rows)
            for k, a in enumerate(s.args)
            if k in wanted and isinstance(a, Var)
        }
        self.b.emit(one)
        for k, t in enumerate(s.targets, len(s.args)):
            if k in wanted:
                snapshots[k] = copy(self.b, t, f"{t.hint or t.name}_kept")
        self.done.snapshots[id(one)] = snapshots
        for t in filter(self.activity.shadowed, s.targets):
            self._result(one, t)

    def _kept(self, s: ArrayOp | Call, a: Var, rows: dict[str, Var]) -> Var:
        """A copy of an operand; of the state of a loop in its row (the counter comes first)."""
        wish = f"{a.hint or a.name}_kept"
        if a.name not in rows:
            return copy(self.b, a, wish)
        assert isinstance(s, Call)
        loop = self.iterations[s.fn].loop
        assert isinstance(loop.step, Const)
        k = trip_number(self.b, loop.index, loop.start, loop.step)
        table = rows[a.name]
        assert isinstance(table.type, ArrayT)
        spec = (("at", k),)
        row = self.b.view(table, "index", spec, view_layout(table.type, "index", spec), wish)
        return copy(self.b, a, wish, into=row)

    def _result(self, s: ArrayOp | Call, t: Var) -> None:
        source = Source(fresh=True)
        if isinstance(s, Call):
            source = self.activity.summaries[s.fn].results[s.targets.index(t)]
        if source.params and not (source.exact and not source.fresh):
            raise NoDerivative(
                f"the call of {s.fn!r} returns an array that may or may not be a part of an "  # type: ignore[union-attr]
                "argument",
                s.loc,
                "the adjoint of a call that is not expanded has to know which",
                "return nothing and write into the argument, or return a copy",
            )
        if self._moves(t):
            alias = next((s.args[k] for k in source.params), None)
            self.shadow[t.name] = (
                fit(self.b, self.shadow[alias.name], t.type)  # type: ignore[union-attr]
                if alias is not None
                else like(self.b, t, self.wish(t))
            )
        elif source.fresh:
            known = result_sizes(s, self.shapes) if isinstance(s, ArrayOp) else None
            self.done.sizes[t.name] = sizes(self.b, t) if known is None else self._known(known)

    def loop(self, s: For | While) -> None:
        """A loop; where the trip count is no formula, with a counter."""
        if counted(s):
            super().loop(self._measured(s))
            return
        arg, result = self.b.var("trip", I8), self.b.var("trips", I8)
        self.done.counter[loop_key(s)] = (arg, result)
        loc = self.b.loc
        with self.b.block() as tail:
            after = self.b.op("add", arg, ONE, hint="trip")
        body = Block((*s.body.stmts, *tail), (*s.body.yields, after))
        self.b.loc = loc
        super().loop(
            self._measured(replace(s, body=body, carried=(*s.carried, Carried(result, arg, ZERO))))
        )

    def _measured(self, s: For | While) -> For | While:
        """The loop, with the sizes of arguments that count as copies taken at the start."""
        with self.b.block() as head:
            for c in s.carried:
                self._size_of_copy(c.arg)
        return replace(s, body=replace(s.body, stmts=(*head, *s.body.stmts)))
