"""Headers of counted loops and of loops over data, with what they declare."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.randprog.access import axis_slice
from tests.randprog.expressions import fit, scalar
from tests.randprog.frame import Frame
from tests.randprog.model import ATOM, UNIT, Dim, Region, Var, number


@dataclass
class Header:
    """A loop header: text after `for`, variables it binds, most trips, features."""

    text: str
    trips: int
    bound: list[Var] = field(default_factory=list)
    flags: tuple[str, ...] = ()
    locks: Var | None = None


def counted(f: Frame) -> Header:
    """`for i in range(...)`"""
    outer = f.vars("int", lambda v: v.counter and v.low >= 0)
    if outer and f.chooser.chance(65):
        text, low, high, trips = _ragged(f, f.chooser.pick(outer[:2]))
        flags: tuple[str, ...] = ("ragged",)
    else:
        text, low, high, trips = _regular(f)
        flags = ()
    if text.startswith("reversed"):
        flags += ("reversed",)
    var = Var(f.fresh("int"), "int", low=low, high=high, counter=True)
    return Header(f"{var.name} in {text}", trips, [var], flags)


Bounds = tuple[str, int, Dim, int]  # text, lowest and highest value, most trips


def _regular(f: Frame) -> Bounds:
    found = f.arrays()
    var = f.chooser.pick(found[:5]) if found else None
    dim = f.chooser.pick(var.shape) if var else number(3)
    length, last, most = f.length(dim), dim.plus(-1), dim.most()
    options: list[tuple[int, Bounds]] = [
        (8, (f"range({length})", 0, last, most)),
        (3, (f"range(1, {length})", 1, last, most - 1)),
        (2, (f"range({length} - 1, -1, -1)", 0, last, most)),
        (1, (f"range({length} - 1, 0, -1)", 1, last, most - 1)),
        (2, (f"range(0, {length}, 2)", 0, last, (most + 1) // 2)),
        (1, (f"range({length} - 1, -1, -2)", 0, last, (most + 1) // 2)),
    ]
    if dim.least() > 1:
        options.append((1, (f"range({length} - 2, -1, -1)", 0, dim.plus(-2), most - 1)))
    if dim.symbol is None:
        options.append((1, (f"range(-1, -{length} - 1, -1)", -dim.offset, number(-1), most)))
    times = f.chooser.integer(2, 4)
    options.append((4, (f"range({times})", 0, number(times - 1), times)))
    empty = f.chooser.pick(("range(0)", "range(2, 2)", "range(3, 1)", "range(1, 3, -1)"))
    options.append((1, (empty, 0, number(0), 1)))
    if f.build.allows("reversed") and f.chooser.chance(40):  # numba itself lacks it
        options.append((1, (f"reversed(range({length}))", 0, last, most)))
    counts = f.vars("int", lambda v: v.low >= 0 and not v.counter and 0 < v.high.most() < 6)
    if counts:
        count = f.chooser.pick(counts)
        top = count.high.most()
        options += [
            (4, (f"range({count.name})", 0, number(max(top - 1, 0)), top)),
            (2, (f"range({count.name}, 0, -1)", 1, number(top), top)),
            (1, (f"range({count.name} - 2)", 0, number(max(top - 3, 0)), top)),
        ]
    return f.chooser.weighted(options)


def _ragged(f: Frame, outer: Var) -> Bounds:
    """Bounds that depend on the counter of an enclosing loop."""
    name, high = outer.name, outer.high
    most = high.most() + 1
    options: list[tuple[int, Bounds]] = [
        (5, (f"range({name} + 1)", 0, high, most)),
        (4, (f"range({name})", 0, high.plus(-1), most - 1)),
        (2, (f"range({name}, -1, -1)", 0, high, most)),
        (1, (f"range(2 * {name} % 3)", 0, number(1), 2)),
        (1, (f"range(3 - {name})", 0, number(2 - min(outer.low, 2)), 3)),
    ]
    dims = [dim for var in f.arrays() for dim in var.shape if high.under(dim)]
    if dims:
        dim = f.chooser.pick(dims)
        length, last, trips = f.length(dim), dim.plus(-1), dim.most()
        options += [
            (4, (f"range({name}, {length})", outer.low, last, trips)),
            (3, (f"range({name} + 1, {length})", outer.low + 1, last, trips)),
            (3, (f"range({length} - {name})", 0, last, trips)),
            (1, (f"range({length} - 1, {name}, -1)", outer.low + 1, last, trips)),
            (1, (f"range({name}, {length}, 2)", outer.low, last, trips)),
        ]
    text, low, top, trips = f.chooser.weighted(options)
    return text, low, top if top.most() >= 0 else number(0), max(trips, 1)


def over_data(f: Frame) -> Header:
    """`for v in a`, enumerate, zip, rows of a matrix, index arrays, lists, tuples."""
    kind = f.chooser.weighted(
        ((4, "array"), (4, "enumerate"), (3, "zip"), (3, "rows"), (2, "order"), (2, "tuple"),
         (2, "list"), (1, "reversed"))
    )  # fmt: skip
    vectors = f.arrays(ndim=1)
    if kind == "rows" and (matrices := f.arrays(ndim=2)):
        return _rows(f, f.chooser.pick(matrices))
    if kind == "order" and (orders := f.vars("index")):
        order = f.chooser.pick(orders)
        var = Var(f.fresh("int"), "int", high=order.high)
        return Header(f"{var.name} in {order.name}", order.shape[0].most(), [var], ("over_array",))
    if kind == "list" and not f.loops and not f.inner and (lists := f.vars("list")):
        items = f.chooser.pick(lists)
        value = _value(f, items)
        return Header(f"{value.name} in {items.name}", items.high.most(), [value], ("list",), items)
    if kind == "tuple" or not vectors:
        values = [fit(f, scalar(f, 1), UNIT) for _ in range(f.chooser.integer(2, 3))]
        f.use(*values)
        var = Var(f.fresh("float"), "float", assignable=True)
        display = ", ".join([f"1.0 * {values[0].at(ATOM)}", *(e.text for e in values[1:])])
        return Header(f"{var.name} in ({display})", len(values), [var], ("tuple",))
    first = f.chooser.pick(vectors[:5])
    trips = first.shape[0].most()
    value = _value(f, first)
    if kind == "enumerate":
        at = Var(f.fresh("int"), "int", high=first.shape[0].plus(-1), counter=True)
        text = f"{at.name}, {value.name} in enumerate({first.name})"
        return Header(text, trips, [at, value], ("over_array",))
    if kind == "zip":
        return _zip(f, first, value, vectors)
    if kind == "reversed" and f.build.allows("reversed") and f.chooser.chance(40):
        flags: tuple[str, ...] = ("over_array", "reversed")
        return Header(f"{value.name} in reversed({first.name})", trips, [value], flags)
    return Header(f"{value.name} in {first.name}", trips, [value], ("over_array",))


def _value(f: Frame, source: Var) -> Var:
    """The loop variable that takes the entries of an array or list."""
    return Var(f.fresh("float"), "float", bound=source.bound, region=Region(), assignable=True)


def _zip(f: Frame, first: Var, value: Var, vectors: list[Var]) -> Header:
    second = f.chooser.pick(vectors)
    other = _value(f, second)
    trips = min(first.shape[0].most(), second.shape[0].most())
    source = second.name
    if second is first:
        source = f"{first.name}[{axis_slice(f, first.shape[0], first.shape[0].plus(-1)) or '1:'}]"
    text = f"{value.name}, {other.name} in zip({first.name}, {source})"
    if f.chooser.chance(30):
        at = Var(f.fresh("int"), "int", high=number(trips - 1))
        if first.shape[0].symbol is None and second.shape[0].symbol is None:
            text = (
                f"{at.name}, ({value.name}, {other.name}) in enumerate(zip({first.name}, {source}))"
            )
            return Header(text, trips, [at, value, other], ("over_array",))
    return Header(text, trips, [value, other], ("over_array",))


def _rows(f: Frame, matrix: Var) -> Header:
    """Each row is a view: writes to it are writes to the matrix."""
    row = Var(f.fresh("array"), "array", matrix.shape[1:], matrix.bound, matrix.region)
    trips = matrix.shape[0].most()
    flags = ("over_array", "view")
    if f.chooser.chance(40):
        at = Var(f.fresh("int"), "int", high=matrix.shape[0].plus(-1), counter=True)
        text = f"{at.name}, {row.name} in enumerate({matrix.name})"
        return Header(text, trips, [at, row], flags)
    return Header(f"{row.name} in {matrix.name}", trips, [row], flags)
