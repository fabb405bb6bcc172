"""Statements that write into arrays: elements, parts, overlapping parts, masks, scatters."""

from __future__ import annotations

from tests.randprog.access import axis_slice, element, part_shapes, reading, subarray
from tests.randprog.arrays import array
from tests.randprog.expressions import fit, literal, scalar, unary
from tests.randprog.frame import TRIPS, Frame
from tests.randprog.model import UNIT, Expr, Var, add, scaled
from tests.randprog.updates import update


def _array(f: Frame, ndim: int = 0) -> Var | None:
    found = f.arrays(ndim)
    return f.chooser.pick(found[:6]) if found else None


def store(f: Frame, target: Expr, var: Var, augmented: bool, depth: int = 2) -> None:
    """`target = expression`, or an augmented assignment, with an operand that fits its shape."""

    def operand() -> Expr:
        if target.shape and f.chooser.chance(75):
            return array(f, target.shape, depth - 1)
        return scalar(f, depth)

    if augmented:
        f.emit(update(f, target, operand))
    else:
        e = fit(f, operand(), var.bound)
        f.use(e)
        f.emit(f"{target.text} = {e.text}")
    f.write(var)


def write_element(f: Frame) -> bool:
    """`a[i] = expression`"""
    var = _array(f)
    if var is None:
        return False
    store(f, reading(element(f, var), var), var, augmented=False)
    return True


def update_element(f: Frame) -> bool:
    """`a[i] += expression`"""
    var = _array(f)
    if var is None:
        return False
    store(f, reading(element(f, var), var), var, augmented=True)
    return True


def part(f: Frame, var: Var) -> Expr:
    """A part of the array as the target of an assignment."""
    shape = f.chooser.pick([var.shape, *part_shapes(f, var)])
    text = subarray(f, var, shape)
    if text is None or text == var.name or text.endswith(".T"):
        shape = var.shape
        text = f"{var.name}[:]" if len(shape) == 1 or f.chooser.chance(60) else f"{var.name}[:, :]"
    return reading(text, var, shape)


def write_part(f: Frame) -> bool:
    """`a[1:] = expression`"""
    var = _array(f)
    if var is None:
        return False
    store(f, part(f, var), var, augmented=False)
    return True


def update_part(f: Frame) -> bool:
    """`a[1:] += expression`, `a += expression`"""
    var = _array(f)
    if var is None:
        return False
    whole = "[" not in var.name and (not f.inner or var.assignable) and f.chooser.chance(50)
    target = reading(var.name, var, var.shape) if whole else part(f, var)
    store(f, target, var, augmented=True)
    return True


def overlap(f: Frame) -> bool:
    """Overlapping parts of one array on both sides: shifts, reversals, transposes."""
    var = _array(f)
    if var is None:
        return False
    target, source = _overlapping(f, var)
    f.count("overlap")
    form = f.chooser.weighted(((4, "copy"), (3, "step"), (2, "mix"), (1, "grow"), (2, "function")))
    if form == "grow" and f.trips <= 3 and f.build.stats["grow"] < 2:
        f.count("grow")
        f.emit(f"{target.text} {f.chooser.pick(('+= ', '-= ', '+= 0.5 * '))}{source.text}")
    elif form == "step":
        f.emit(update(f, target, lambda: source))
    else:
        e = source
        if form == "mix":
            e = add(scaled(0.5, source), scaled(0.4, target))
        elif form == "function":
            e = fit(f, unary(f, source), var.bound)
        f.use(e)
        f.emit(f"{target.text} = {e.text}")
    f.write(var)
    return True


def _overlapping(f: Frame, var: Var) -> tuple[Expr, Expr]:
    """Two different parts of equal shape, the first of which can be assigned to."""
    name, shape = var.name, var.shape
    if len(shape) == 1:
        shorter = shape[0].plus(-1)
        if shorter.least() < 2 or f.chooser.chance(20):
            pair, shape = ("[:]", "[::-1]"), var.shape
        else:
            pair = f.chooser.pick((("[1:]", "[:-1]"), ("[:-1]", "[1:]"), ("[1:]", "[-2::-1]")))
            shape = (shorter,)
    elif shape[0] == shape[1] and f.chooser.chance(35):
        pair = ("[:, :]", ".T")
    elif shape[0].least() > 1 and f.chooser.chance(50):
        pair, shape = ("[1:, :]", "[:-1, :]"), (shape[0].plus(-1), shape[1])
        pair = pair[::-1] if f.chooser.chance(50) else pair
    elif shape[1].least() > 1 and f.chooser.chance(70):
        pair, shape = ("[:, 1:]", "[:, :-1]"), (shape[0], shape[1].plus(-1))
    else:
        pair = ("[:, :]", "[::-1]")
    return reading(name + pair[0], var, shape), reading(name + pair[1], var, shape)


def masked(f: Frame) -> bool:
    """Assignment and update through a boolean mask."""
    var = _array(f, 1)
    if var is None:
        return False
    same = [v for v in f.arrays(1) if v.shape == var.shape]
    tested = f.chooser.pick(same)
    sign = f.chooser.pick("><")
    mask = f"{tested.name} {sign} {literal(f) - f.chooser.integer(0, 1):.3f}"
    if f.chooser.chance(40):
        name = f.fresh("bool")
        f.emit(f"{name} = {mask}")
        mask = name
    f.count("mask")
    target = reading(f"{var.name}[{mask}]", var)
    form = f.chooser.weighted(((3, "scalar"), (3, "update"), (2, "other")))
    if form == "update":
        f.emit(update(f, target, lambda: scalar(f, 1)))
    elif form == "other":
        other = f.chooser.pick([v for v in same if v.bound <= var.bound])
        f.emit(f"{target.text} = {f.chooser.pick(('', '0.7 * '))}{other.name}[{mask}]")
    else:
        e = fit(f, scalar(f), var.bound)
        f.use(e)
        f.emit(f"{target.text} = {e.text}")
    f.write(var)
    return True


def scatter(f: Frame) -> bool:
    """Assignment and update through an index array, duplicates included."""
    found = [
        (order, var)
        for order in f.vars("index")
        for var in f.arrays(1)
        if order.high.under(var.shape[0])
    ]
    if not found:
        return False
    order, var = f.chooser.pick(found)
    target = reading(f"{var.name}[{order.name}]", var, order.shape)
    f.count("scatter")
    store(f, target, var, augmented=f.chooser.chance(50), depth=1)
    return True


def pass_along(f: Frame) -> bool:
    """A recurrence along an array, element from element: `a[i] = 0.6 * a[i - 1] + ...`"""
    var = _array(f, 1)
    if var is None or f.trips * var.shape[0].most() > TRIPS:
        return False
    counter = f.fresh("int")
    length = f.length(var.shape[0])
    header, step = f.chooser.pick(
        ((f"range(1, {length})", "-"), (f"range({length} - 2, -1, -1)", "+"))
    )
    here, before = f"{var.name}[{counter}]", f"{var.name}[{counter} {step} 1]"
    f.emit(f"for {counter} in {header}:")
    with f.loop(var.shape[0].most()):
        source = reading(before, var)
        value = add(scaled(0.6, source), scaled(0.4, fit(f, scalar(f, 1), UNIT)))
        if f.chooser.chance(50):
            value = fit(f, unary(f, value), var.bound)
        f.use(value)
        f.emit(f"{here} = {value.text}")
        f.write(var)
    return True


def swap_rows(f: Frame) -> bool:
    """Rows of a matrix exchanged through copies, or one row from another."""
    var = _array(f, 2)
    if var is None or var.shape[0].least() < 2:
        return False
    row = axis_slice(f, var.shape[1], var.shape[1])
    first, second = (f"{var.name}[{i}]" for i in (f.chooser.pick((0, -1)), 1))
    if f.chooser.chance(50) or row is None:
        f.emit(f"{first}, {second} = {second}.copy(), {first}.copy()")
        f.count("swap")
    else:
        f.emit(f"{first} = {f.chooser.pick(('', '0.8 * '))}{var.name}[1, {row}]")
        f.count("overlap")
    f.write(var)
    return True
