"""Statements that make arrays and names for them: allocation, views, rebinding, ping-pong."""

from __future__ import annotations

from tests.randprog.access import part_shapes, reading, subarray
from tests.randprog.arrays import array, shape_text
from tests.randprog.expressions import fit, scalar
from tests.randprog.frame import TRIPS, Frame
from tests.randprog.model import ATOM, UNIT, Dim, Expr, Region, Shape, Var, number


def _declared(f: Frame, shape: Shape, bound: float, contiguous: bool = False) -> Var:
    var = Var(f.fresh("array"), "array", shape, bound, contiguous=contiguous)
    var.assignable = f.chooser.chance(60)
    var.contiguous = contiguous and not var.assignable
    return f.declare(var)


def allocate(f: Frame) -> bool:
    """A new array: zeros, a copy, an expression, a display of scalars, or filled by a loop."""
    found = f.arrays()
    shape = f.chooser.pick(found[:5]).shape if found else (number(3),)
    bound = f.build.array_bound()
    if f.loops:
        f.count("allocation_in_loop")
    kind = f.chooser.weighted(
        ((3, "zeros"), (4, "expression"), (3, "copy"), (2, "display"), (2, "filled"))
    )
    if kind == "filled" and len(shape) == 1 and f.trips * shape[0].most() <= TRIPS:
        return _filled(f, shape, bound)
    if kind == "display":
        return _display(f)
    if kind == "copy" and found:
        return copy(f)
    if kind == "expression":
        new_array(f, shape, bound)
        return True
    like = [v for v in found if v.shape == shape]
    function = f.chooser.pick(("zeros", "ones"))
    text = f"np.{function}({shape_text(f, shape)})"
    if like and f.chooser.chance(40):
        text = f"np.{function}_like({like[0].name})"
    var = _declared(f, shape, bound, contiguous=True)
    f.emit(f"{var.name} = {text}")
    f.write(var)
    return True


def new_array(f: Frame, shape: Shape, bound: float) -> None:
    """`a = expression`, certainly new storage."""
    e = fit(f, array(f, shape, 2), bound)
    if e.level == ATOM and not e.text.startswith(("np.", "math.")):  # a view otherwise
        e = Expr(f"{e.text}.copy()", ATOM, e.bound, shape, e.reads, e.needs)
    f.use(e)
    var = _declared(f, shape, bound)
    f.emit(f"{var.name} = {e.text}")
    f.write(var)


def _filled(f: Frame, shape: Shape, bound: float) -> bool:
    """np.empty and a loop that fills it."""
    name, counter = f.fresh("array"), f.fresh("int")
    f.emit(f"{name} = np.{f.chooser.pick(('empty', 'zeros'))}({shape_text(f, shape)})")
    f.emit(f"for {counter} in range({f.length(shape[0])}):")
    var = Var(name, "array", shape, bound, contiguous=True)
    with f.loop(shape[0].most()):
        f.declare(Var(counter, "int", high=shape[0].plus(-1), counter=True))
        e = fit(f, scalar(f), bound)
        f.use(e)
        f.emit(f"{name}[{counter}] = {e.text}")
        f.write(var)
    f.declare(var)
    return True


def _display(f: Frame) -> bool:
    """np.array([...])"""
    entries = [fit(f, scalar(f, 1), UNIT) for _ in range(f.chooser.integer(2, 4))]
    f.use(*entries)
    entries[0] = Expr(f"1.0 * {entries[0].at(ATOM)}")
    var = _declared(f, (number(len(entries)),), UNIT)
    f.emit(f"{var.name} = np.array([{', '.join(e.text for e in entries)}])")
    f.write(var)
    return True


def copy(f: Frame) -> bool:
    """A copy, of a whole array or of a part."""
    found = f.arrays()
    if not found:
        return False
    source = f.chooser.pick(found[:5])
    shape = f.chooser.pick([source.shape, *part_shapes(f, source)])
    text = subarray(f, source, shape)
    if text is None:
        shape, text = source.shape, source.name
    var = _declared(f, shape, source.bound)
    forms = (f"{text}.copy()", f"1.0 * {text}", f"np.copy({text})")
    f.emit(f"{var.name} = {f.chooser.pick(forms)}")
    f.write(var)
    return True


def view(f: Frame) -> bool:
    """A second name for (part of) an array."""
    found = f.arrays()
    if not found:
        return False
    base = f.chooser.pick(found[:6])
    made = _reshaped(f, base) if f.chooser.chance(25) else None
    if made is None:
        shape = f.chooser.pick([base.shape, *part_shapes(f, base)])
        made = subarray(f, base, shape) or base.name, shape
    text, shape = made
    var = _declared(f, shape, base.bound)
    var.region = base.region
    f.emit(f"{var.name} = {text}")
    f.count("view")
    return True


def _reshaped(f: Frame, base: Var) -> tuple[str, Shape] | None:
    """A reshape or transpose that is a view of the base."""
    if len(base.shape) == 2:
        rows, columns = base.shape
        known = rows.symbol is None and columns.symbol is None
        if base.contiguous and known and f.chooser.chance(60):
            form = f.chooser.pick(("ravel()", "reshape(-1)", "reshape({})"))
            size = rows.offset * columns.offset
            return f"{base.name}.{form.format(size)}", (number(size),)
        return f"{base.name}.T", (columns, rows)
    length = base.shape[0]
    if not base.contiguous or length.symbol is not None:
        return None
    for height in (2, 3):
        if length.offset % height == 0:
            shape = (number(height), number(length.offset // height))
            return f"{base.name}.reshape({height}, {shape[1].offset})", shape
    return None


def rebind(f: Frame) -> bool:
    """An array name bound to something else: a new array, another array, two names swapped."""
    found = f.vars("array", lambda v: v.assignable)
    if not found:
        return False
    var = f.chooser.pick(found[:4])
    others = [
        v for v in f.arrays() if v is not var and v.shape == var.shape and v.bound == var.bound
    ]
    swappable = [v for v in others if v.assignable]
    kind = f.chooser.weighted(((4, "swap"), (4, "new"), (2, "alias"), (1, "copy")))
    f.count("rebind")
    if kind == "swap" and swappable:
        other = f.chooser.pick(swappable[:3])
        f.emit(f"{var.name}, {other.name} = {other.name}, {var.name}")
        var.region.merge(other.region)
        f.count("swap")
        return True
    if kind == "alias" and others:
        other = f.chooser.pick(others[:3])
        f.emit(f"{var.name} = {other.name}")
        var.region.merge(other.region)
        f.count("view")
        return True
    if kind == "copy" and others:
        f.emit(f"{var.name} = {others[0].name}.copy()")
        _leave(f, var)
        return True
    e = fit(f, array(f, var.shape, 2), var.bound)
    if e.level == ATOM:
        e = Expr(f"1.0 * {e.text}", 2, e.bound, e.shape, e.reads, e.needs)
    f.use(e)
    f.emit(f"{var.name} = {e.text}")
    _leave(f, var)
    return True


def _leave(f: Frame, var: Var) -> None:
    """The name is bound to new storage, certainly so outside loops and branches."""
    if not f.loops and len(f.scopes) == 1:
        var.region = Region()


def ping_pong(f: Frame) -> bool:
    """A stencil time loop over two buffers that trade places."""
    found = f.vars("array", lambda v: len(v.shape) == 1 and v.shape[0].least() >= 2)
    if not found or f.inner or f.loops:
        return False
    start = f.chooser.pick(found[:4])
    length = start.shape[0]
    f.count("rebind")
    names = [f.fresh("array"), f.fresh("array")]
    now, after = (Var(name, "array", start.shape, start.bound) for name in names)
    f.emit(f"{names[0]} = {start.name}.copy()")
    f.emit(f"{names[1]} = {f.chooser.pick(('np.zeros_like({})', '{}.copy()')).format(start.name)}")
    steps, trips = f.chooser.pick((("3", 3), ("2", 2), ("4", 4)))
    counters = f.vars("int", lambda v: v.low >= 0 and 0 < v.high.most() < 6)
    if counters and f.chooser.chance(40):
        steps, trips = counters[0].name, counters[0].high.most()
    f.emit(f"for {f.fresh('int')} in range({steps}):")
    with f.loop(trips):
        _stencil(f, now, after, length)
        if f.chooser.chance(50):
            f.emit(f"{names[0]}, {names[1]} = {names[1]}, {names[0]}")
            f.count("swap")
        else:
            spare = f.fresh("array")
            f.emit(f"{spare} = {names[0]}")
            f.emit(f"{names[0]} = {names[1]}")
            f.emit(f"{names[1]} = {spare}")
        f.write(after)
    now.region.merge(after.region)
    f.declare(after)
    f.declare(now)
    return True


def _stencil(f: Frame, now: Var, after: Var, length: Dim) -> None:
    """after[i] from now[i - 1], now[i], by a loop or by slices."""
    a, b = now.name, after.name
    weight = f.chooser.pick(("0.5", "0.3", "0.7"))
    inside = fit(f, scalar(f, 1), UNIT)
    e = reading(a, now)
    nonlinear = f.chooser.chance(60)
    f.use(inside, Expr("", needs=e.reads if nonlinear else frozenset()))
    if f.chooser.chance(50):
        counter = f.fresh("int")
        f.emit(f"for {counter} in range(1, {f.length(length)}):")
        value = f"{weight} * {a}[{counter} - 1] + 0.3 * {a}[{counter}]"
        value = f"math.sin({value})" if nonlinear else value
        f.emit(f"    {b}[{counter}] = {value}")
    else:
        value = f"{weight} * {a}[:-1] + 0.3 * {a}[1:]"
        f.emit(f"{b}[1:] = {f'np.sin({value})' if nonlinear else value}")
    f.emit(f"{b}[0] = 0.5 * {a}[-1] + 0.2 * {inside.at(ATOM)}")
    f.write(after)
