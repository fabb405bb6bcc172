"""Valid indices, slices and parts of arrays."""

from __future__ import annotations

from tests.randprog.frame import Frame
from tests.randprog.model import Dim, Expr, Shape, Var


def index(f: Frame, dim: Dim) -> str:
    """An index that is valid for an axis of this length."""
    least = dim.least()
    fitting = f.vars("int", lambda v: v.low >= -least and v.high.under(dim))
    if fitting and f.chooser.chance(65):
        return _derived_index(f, dim, f.chooser.pick(fitting[:3]))
    any_int = f.vars("int", lambda v: v.low >= 0)
    if any_int and f.chooser.chance(40):
        return _computed_index(f, dim, any_int)
    orders = f.vars("index", lambda v: v.high.under(dim))
    if orders and f.chooser.chance(20):
        order = f.chooser.pick(orders)
        return f"{order.name}[{index(f, order.shape[0])}]"
    at = f.chooser.integer(0, least - 1)
    return str(-1 - at) if f.chooser.chance(25) else str(at)


def _derived_index(f: Frame, dim: Dim, var: Var) -> str:
    """From a variable that is a valid index itself."""
    name = var.name
    choices = [(8, name)]
    if var.low >= 1 - dim.least():
        choices.append((3, f"{name} - 1"))
    if var.high.plus(1).under(dim):
        choices.append((3, f"{name} + 1"))
    if var.low >= 0:
        choices += [(1, f"-1 - {name}"), (1, f"-{name}"), (1, f"{f.length(dim)} - 1 - {name}")]
    return f.chooser.weighted(choices)


def _computed_index(f: Frame, dim: Dim, ints: list[Var]) -> str:
    """Any integer, modulo the length."""
    value = f.chooser.pick(ints[:4]).name
    form = f.chooser.integer(0, 3)
    if form == 1:
        value = f"({value} + {f.chooser.integer(1, 3)})"
    elif form == 2:
        value = f"({value} + {f.chooser.pick(ints[:4]).name})"
    elif form == 3:
        value = f"(2 * {value} + 1)"
    return f"{value} % {f.length(dim)}"


def axis_slice(f: Frame, have: Dim, want: Dim) -> str | None:
    """A slice that takes `want` entries from an axis of length `have`, if there is one."""
    cut = have.offset - want.offset
    known = want.symbol is None
    if known:
        starts = f.vars("int", lambda v: v.low >= 0 and v.high.plus(want.offset - 1).under(have))
        if starts and f.chooser.chance(40):
            name = f.chooser.pick(starts).name
            return f"{name}:{name} + {want.offset}"
    if have.symbol != want.symbol or cut < 0:
        return None
    if known and cut and f.chooser.chance(25):
        if want.offset == (have.offset + 1) // 2:
            return "::2"
        if want.offset == have.offset // 2:
            return "1::2"
    start = f.chooser.integer(0, cut)
    end = cut - start
    if f.chooser.chance(20):
        return f"{-1 - end if end else ''}:{start - 1 if start else ''}:-1"
    if known and cut and f.chooser.chance(30):
        return f"{start or ''}:{start + want.offset}"
    return f"{start or ''}:{-end if end else ''}"


def subarray(f: Frame, var: Var, shape: Shape) -> str | None:
    """Text of a part of `var` that has this shape: itself, slices, a row, a column, a transpose."""
    name, have = var.name, var.shape
    if have == shape and f.chooser.chance(60):
        return name
    if len(have) == len(shape) == 1:
        part = axis_slice(f, have[0], shape[0])
        return part and f"{name}[{part}]"
    if len(have) == 2 and len(shape) == 1:
        return _row_or_column(f, var, shape[0])
    if len(have) == len(shape) == 2:
        if have == shape[::-1] and f.chooser.chance(50):
            return f"{name}.T"
        parts = [axis_slice(f, h, w) for h, w in zip(have, shape, strict=True)]
        return None if None in parts else f"{name}[{parts[0]}, {parts[1]}]"
    return None


def _row_or_column(f: Frame, var: Var, want: Dim) -> str | None:
    rows, columns = var.shape
    along_row, along_column = axis_slice(f, columns, want), axis_slice(f, rows, want)
    if along_row and (not along_column or f.chooser.chance(60)):
        at = index(f, rows)
        return f"{var.name}[{at}]" if along_row == ":" else f"{var.name}[{at}, {along_row}]"
    return along_column and f"{var.name}[{along_column}, {index(f, columns)}]"


def element(f: Frame, var: Var) -> str:
    """Text of an element of an array."""
    indices = [index(f, dim) for dim in var.shape]
    if len(indices) == 2 and f.chooser.chance(15):
        return f"{var.name}[{indices[0]}][{indices[1]}]"
    return f"{var.name}[{', '.join(indices)}]"


def reading(text: str, var: Var, shape: Shape = ()) -> Expr:
    """The expression that reads (part of) a float variable."""
    return Expr(text, bound=var.bound, shape=shape, reads=frozenset((var.region,)))


def part_shapes(f: Frame, var: Var) -> list[Shape]:
    """Shapes of parts of an array worth writing or viewing: shorter, a row, a column, blocks."""

    def shorter(dim: Dim) -> list[Dim]:
        return [dim.plus(-cut) for cut in (1, 2) if dim.plus(-cut).least() >= 1]

    if len(var.shape) == 1:
        dim = var.shape[0]
        shapes: list[Shape] = [(d,) for d in shorter(dim)]
        if dim.symbol is None and dim.offset > 3:
            shapes.append((Dim(None, (dim.offset + 1) // 2),))
        return shapes or [var.shape]
    rows, columns = var.shape
    shapes = [(columns,), (rows,), *((d,) for d in shorter(columns))]
    return shapes + [(d, columns) for d in shorter(rows)] + [(rows, d) for d in shorter(columns)]
