"""Where the tangents of a bundle are: numbers in variables, arrays with one axis more.

In: a variable of the primal.  Out: its tangents, ``width`` of them (``transforms.bundle`` says what
for).  The last axis of the tangents of an array is that of the lanes, in lists the tangents of a
number follow each other.

Invariant: the tangents of an array are contiguous where the array is C-contiguous; those of others
may be strided.
"""

from __future__ import annotations

from srcad.analyses.activity import Activity
from srcad.analyses.regions import is_reference
from srcad.ir.build import Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Atom, Const, Load, Var, View
from srcad.ir.types import I8, ArrayT, ListT, Scalar, Type
from srcad.transforms.arrays import fit, fresh, sizes, zero_of
from srcad.transforms.family import Family
from srcad.transforms.forward import Forward

Lanes = tuple[Atom, ...]


class Unbundled(Exception):
    """The function has no bundle of tangents; one at a time it has."""


def laned(t: Type) -> Type:
    """The type of the tangents of what has type ``t`` (of a number: of each one)."""
    if isinstance(t, ArrayT):
        return ArrayT(t.dtype, t.ndim + 1, "C" if t.layout == "C" else "A")
    if isinstance(t, ListT) and isinstance(t.element, ArrayT):
        inner = laned(t.element)
        assert isinstance(inner, ArrayT)
        return ListT(inner)
    return t


class LaneSweep(Forward):
    """``lanes`` maps the name of a number to its tangents; ``shadow`` that of a reference."""

    def __init__(self, builder: Builder, activity: Activity, family: Family, width: int) -> None:
        super().__init__(builder, activity, family)
        self.width = width
        self.lanes: dict[str, Lanes] = {}
        self.units: dict[str, Var] = {}

    # numbers
    def lanes_of(self, a: Atom, kind: Type) -> Lanes:
        """The tangents of a number as numbers of ``kind`` (zero where it has none)."""
        assert isinstance(kind, Scalar)
        if isinstance(a, Var) and a.name in self.lanes:
            return tuple(self.b.cast(t, kind) for t in self.lanes[a.name])
        return (zero_of(kind),) * self.width

    def fresh_lanes(self, v: Var, kind: Type) -> tuple[Var, ...]:
        """New variables for the tangents of a number."""
        made = tuple(self.b.var(f"{self.wish(v)}{k}", kind) for k in range(self.width))
        self.lanes[v.name] = made
        return made

    def pieces(self, a: Atom, kind: Type) -> Lanes:
        """Numbers are handed on lane by lane."""
        return self.lanes_of(a, kind) if isinstance(kind, Scalar) else (self.of(a, kind),)

    def new_pieces(self, v: Var, kind: Type) -> tuple[Var, ...]:
        """Numbers are handed on lane by lane."""
        if isinstance(kind, Scalar):
            return self.fresh_lanes(v, kind)
        return (self.companion(v, kind),)

    # unit vectors
    def unit(self, p: Var) -> tuple[Var, ...]:
        """The parameter in place of the tangents of ``p``."""
        self.units[p.name] = self.b.var(f"{p.name}_first", I8)
        return (self.units[p.name],)

    def unit_lanes(self, s: Load) -> Lanes:
        """The tangents of an element: 1 in the lane that belongs to it."""
        b = self.b
        flat: Atom | None = None
        for axis, i in enumerate(s.index):
            if not (isinstance(i, Const) and i.value >= 0):
                below = b.op("lt", i, const(0))
                i = b.op("select", below, b.op("add", i, b.dim(s.array, axis)), i)
            flat = i if flat is None else b.op("add", b.op("mul", flat, b.dim(s.array, axis)), i)
        lane = b.op("sub", const(0) if flat is None else flat, self.units[s.array.name])
        kind = s.target.type
        assert isinstance(kind, Scalar)
        one, none = const(1.0, kind), const(0.0, kind)
        return tuple(
            b.op("select", b.op("eq", lane, const(k)), one, none, hint=self.wish(s.target))
            for k in range(self.width)
        )

    # references
    def kind(self, t: Type) -> Type:
        """An array has one more axis."""
        return laned(t)

    def of(self, a: Atom, kind: Type) -> Atom:
        """The shadow of a reference; a contiguous one cannot be made of another."""
        if isinstance(a, Var) and a.name in self.shadow:
            made = self.shadow[a.name].type
            if isinstance(kind, ArrayT) and isinstance(made, ArrayT):
                if kind.layout == "C" and made.layout != "C":
                    raise Unbundled
        return super().of(a, kind)

    def blank(self, v: Var) -> Var:
        """Zero tangents for a reference."""
        if isinstance(v.type, ArrayT):
            return self.storage(v, sizes(self.b, v))
        return self.storage(v, sizes(self.b, v) if isinstance(v.type, ListT) else ())

    def storage(self, v: Var, shape: tuple[Atom, ...]) -> Var:
        """Zero tangents for a reference of a shape."""
        kind = laned(v.type)
        if isinstance(kind, ArrayT):
            plain = ArrayT(kind.dtype, kind.ndim, "C")
            return self.b.alloc(plain, (*shape, const(self.width)), True, self.wish(v))
        if shape and isinstance(kind.element, Scalar):  # type: ignore[union-attr]
            shape = (self.place(shape[0]),)
        return fresh(self.b, kind, shape, True, self.wish(v))

    def place(self, position: Atom, lane: int = 0) -> Atom:
        """Where the tangent of a number in a list stands."""
        start = self.b.op("mul", position, const(self.width))
        return self.b.op("add", start, const(lane)) if lane else start

    def index(self, array: Var, index: tuple[Atom, ...], lane: int) -> tuple[Atom, ...]:
        """Where the tangent of an element stands."""
        if isinstance(array.type, ListT):
            return (self.place(index[0], lane),)
        return (*index, const(lane))

    def results(self, y: Atom) -> Lanes:
        """The tangents of a result of the function."""
        if is_reference(y) and not self.carries(y):
            assert isinstance(y, Var)
            return (fit(self.b, self.blank(y), laned(y.type)),)
        return self.pieces(y, laned(y.type))

    def view(self, s: View) -> None:
        """The same view of all lanes."""
        base = self.shadow[s.base.name]
        assert isinstance(base.type, ArrayT)
        spec = s.spec
        match s.kind:
            case "same":
                made = self.of(s.base, laned(s.target.type))
                assert isinstance(made, Var)
                self.shadow[s.target.name] = made
                return
            case "transpose":
                spec = (*spec, base.type.ndim - 1)
            case "reshape" if base.type.layout != "C":
                raise Unbundled
            case "reshape":
                spec = (*spec, const(self.width))
        kind = view_layout(base.type, s.kind, spec)
        self.b.emit(View(self.companion(s.target, kind), base, s.kind, spec, self.b.loc))
