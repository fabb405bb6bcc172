"""Forward mode for several tangents at once: one primal, ``width`` tangents beside it.

In: verified IR, which parameters are active, how many tangents.  Out: a function of the primal
parameters and then the tangents of the active ones, ``width`` numbers for a number, one array with
a last axis of that size for an array; its results are the primal's and then the same for every
float result.  Values, partial derivatives, branches and subscripts are computed once for all
tangents, which is what a Jacobian is for (Griewank and Walther 2008, section 3.1, "vector mode").

Invariant: lane ``k`` of what goes in and out is what ``transforms.forward`` does with the ``k``-th
tangent; the operations of all lanes on one value are next to each other and memory holds the lanes
side by side, so that LLVM makes vector instructions of them.  The result is ordinary IR.
An array parameter of which only elements are read needs no tangents in memory where they are unit
vectors (``units``): in their place stands the position of the element that the first belongs to.
Limits (``Unbundled`` is raised, one tangent at a time then): calls of functions with rules of
their own; views that need a contiguous shadow of what was transposed.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Dim,
    Draw,
    Function,
    Load,
    Op,
    Reserve,
    Store,
    Var,
)
from srcad.ir.types import F8, ArrayT, Scalar, is_float
from srcad.ir.walk import blocks, operands, statements, variables
from srcad.transforms.array_rules import array_rule
from srcad.transforms.arrays import each, sizes, zero_of
from srcad.transforms.draws import refuse_parameters
from srcad.transforms.family import Family, refuse_overlaps
from srcad.transforms.implicit import slope
from srcad.transforms.lanes import Lanes, LaneSweep, Unbundled, laned
from srcad.transforms.multiply import chosen, guard_of, partials, times_chosen


def bundle(
    fn: Function, active: tuple[bool, ...], width: int, units: frozenset[str] = frozenset()
) -> Function:
    """``width`` tangents of ``fn`` at once, with respect to its active parameters.

    Args:
        units: parameters among those of ``readers`` that take consecutive unit vectors: in place
            of their tangents stands the flat position of the first one's element.

    Raises:
        Unbundled: see the limits in the module docstring.
    """
    family = Family(fn)
    name = family.namer.fresh(f"{fn.name}_t{width}")
    return replace(_bundle(fn, active, width, name, family, units), packed=True)


def readers(fn: Function) -> frozenset[str]:
    """Array parameters of which nothing is used but single elements and sizes."""
    arrays = {p.name for p in fn.params if isinstance(p.type, ArrayT)}
    for s in statements(fn.body):
        plain = isinstance(s, (Load, Dim))
        used = [a for a in operands(s) if not (plain and a is s.array)]  # type: ignore[union-attr]
        ends = [y for block in blocks(s) for y in block.yields]
        arrays -= {a.name for a in (*used, *ends) if isinstance(a, Var)}
    return frozenset(arrays - {y.name for y in fn.body.yields if isinstance(y, Var)})


def _bundle(
    fn: Function,
    active: tuple[bool, ...],
    width: int,
    name: str,
    family: Family,
    units: frozenset[str] = frozenset(),
) -> Function:
    summaries = summarise(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, active)
    refuse_parameters(fn, activity)
    builder = Builder(Namer(v.name for v in variables(fn)))
    sweep = Bundle(builder, activity, family, width)
    params = [
        v
        for p, on in zip(fn.params, active, strict=True)
        if on
        for v in (sweep.unit(p) if p.name in units else sweep.new_pieces(p, laned(p.type)))
    ]
    for p, on in zip(fn.params, active, strict=True):
        if not on and activity.shadowed(p):
            sweep.shadow[p.name] = sweep.blank(p)
    opening = tuple(builder.stack[0])
    body = sweep.block(fn.body)
    with builder.block() as closing:
        tangents = [t for y in fn.body.yields if is_float(y.type) for t in sweep.results(y)]
    whole = Block((*opening, *body.stmts, *closing), (*fn.body.yields, *tangents))
    return Function(name, (*fn.params, *params), whole, family.callees, fn.doc)


class Bundle(LaneSweep):
    """The tangents of statements."""

    # statements
    def beside(self, s: object) -> None:
        """The tangents of a statement without blocks."""
        match s:
            case Alloc(target=t) if self.carries(t):
                self.shadow[t.name] = self.storage(t, s.shape)
            case Reserve() if self.carries(s.array):
                numbers = isinstance(s.array.type.element, Scalar)  # type: ignore[union-attr]
                size = self.place(s.size) if numbers else s.size
                self.b.reserve(self.shadow[s.array.name], size)
            case Load(target=t) if s.array.name in self.units:
                self.put(t, self.unit_lanes(s))
            case Load(target=t) if isinstance(t.type, Scalar) and self.carries(t):
                for k, made in enumerate(self.fresh_lanes(t, t.type)):
                    where = self.index(s.array, s.index, k)
                    self.b.emit(Load(made, self.shadow[s.array.name], where, self.b.loc))
            case Store(value=v) if not is_reference(v) and self.carries(s.array):
                kind = s.array.type.element  # type: ignore[union-attr]
                for k, value in enumerate(self.lanes_of(v, kind)):
                    self.b.store(self.shadow[s.array.name], self.index(s.array, s.index, k), value)
            case Accumulate(value=v) if self.carries(s.array) and self.carries(v):
                kind = s.array.type.element  # type: ignore[union-attr]
                for k, value in enumerate(self.lanes_of(v, kind)):
                    where = self.index(s.array, s.index, k)
                    self.b.accumulate(self.shadow[s.array.name], where, value)
            case Op(target=t) if self.carries(t):
                self.lanes[t.name] = self.op_lanes(s)
            case Draw(targets=(t,), args=(a,)) if self.carries(t):
                by = slope(self.b, s.kind, t, a)
                self.put(t, tuple(self.b.op("mul", by, a_t) for a_t in self.lanes_of(a, F8)))
            case _:
                super().beside(s)  # type: ignore[arg-type]

    def put(self, v: Var, lanes: Lanes) -> None:
        """Give a number its tangents (each in a variable)."""
        assert isinstance(v.type, Scalar)
        self.lanes[v.name] = tuple(
            t if isinstance(t, Var) else self.b_const(t, v.type, self.wish(v)) for t in lanes
        )

    def op_lanes(self, s: Op) -> Lanes:
        """Sums of partials times tangents; the partials are computed once."""
        kind, hint = s.target.type, self.wish(s.target)
        assert isinstance(kind, Scalar)
        if s.op == "select":
            sides = [self.lanes_of(a, kind) for a in s.args[1:]]
            totals = [
                self.b.op("select", s.args[0], *t, hint=hint) for t in zip(*sides, strict=True)
            ]
        else:
            totals = self.sums(s, kind, hint)
        return tuple(t if isinstance(t, Var) else self.b_const(t, kind, hint) for t in totals)

    def sums(self, s: Op, kind: Scalar, hint: str) -> list[Atom]:
        """One sum for every lane, term by term."""
        b = self.b
        found = partials(b, s, s.args, s.target, tuple(map(self.carries, s.args)))
        choices = [None if p is None else chosen(b, p) for p in found]
        totals: list[Atom] | None = None
        for k, p in enumerate(found):
            if p is None:
                continue
            guard = guard_of(s, k)
            terms = [
                times_chosen(b, t, p, guard, hint, choices[k])
                for t in self.lanes[s.args[k].name]  # type: ignore[union-attr]
            ]
            if totals is None:
                totals = terms
            else:
                totals = [b.op("add", x, y, hint=hint) for x, y in zip(totals, terms, strict=True)]
        if totals is None:
            return [zero_of(kind)] * self.width
        return [b.cast(t, kind, hint=hint) for t in totals]

    # operations on whole arrays, calls
    def array_op(self, s: ArrayOp) -> None:
        """The operation's own rule, lane by lane."""
        results: list[list[Atom | None]] = []
        on = [isinstance(a, Var) and self.carries(a) for a in s.args]
        for k in range(self.width):
            tangents = tuple(
                self.lane(a, k) if yes else None  # type: ignore[arg-type]
                for a, yes in zip(s.args, on, strict=True)
            )
            none: tuple[Var | None, ...] = (None,) * len(s.targets)
            results.append(list(array_rule(s).jvp(self.b, s, tangents) if any(on) else none))
        for j, t in enumerate(s.targets):
            if not self.carries(t):
                continue
            column = [row[j] for row in results]
            if isinstance(t.type, Scalar):
                self.put(t, tuple(zero_of(t.type) if x is None else x for x in column))
            else:
                self.shadow[t.name] = self.joined(t, column)

    def lane(self, a: Var, k: int) -> Var:
        """One tangent of an operand, an array of its own."""
        if isinstance(a.type, Scalar):
            return self.lanes[a.name][k]  # type: ignore[return-value]
        assert isinstance(a.type, ArrayT)
        kind = ArrayT(a.type.dtype, a.type.ndim, "C")
        made = self.b.alloc(kind, sizes(self.b, a), False, self.wish(a))
        together = self.shadow[a.name]
        each(self.b, made, lambda i: self.b.store(made, i, self.b.load(together, *i, const(k))))
        return made

    def joined(self, t: Var, lanes: list[Atom | None]) -> Var:
        """Tangents of a result, side by side."""
        made = self.blank(t)
        for k, x in enumerate(lanes):
            if isinstance(x, Var):
                self.spread(made, x, k)
        return made

    def spread(self, made: Var, x: Var, k: int) -> None:
        """Write one tangent into its lane."""
        each(self.b, x, lambda i: self.b.store(made, (*i, const(k)), self.b.load(x, *i)))

    def call(self, s: Call) -> None:
        """A call of the version with as many tangents."""
        active = tuple(self.carries(a) for a in s.args)
        refuse_overlaps(s, self.activity.regions, self.activity.summaries[s.fn])
        if self.family.callees[s.fn].rule is not None:
            raise Unbundled
        fn = self.family.version(
            ("bundle", self.width, s.fn, active),
            f"{s.fn}_t{self.width}",
            s.fn,
            lambda name, primal: _bundle(primal, active, self.width, name, self.family),
        )
        kinds = [p.type for p in self.family.callees[s.fn].params]
        tangents = [
            t
            for a, kind, on in zip(s.args, kinds, active, strict=True)
            if on
            for t in self.pieces(a, laned(kind))
        ]
        made: list[Var] = []
        for t in s.targets:
            if not is_float(t.type):
                continue
            if self.carries(t):
                made += self.new_pieces(t, laned(t.type))
            else:
                count = self.width if isinstance(t.type, Scalar) else 1
                made += [self.b.var(self.wish(t), laned(t.type)) for _ in range(count)]
        self.b.emit(Call((*s.targets, *made), fn, (*s.args, *tangents), s.loc))
