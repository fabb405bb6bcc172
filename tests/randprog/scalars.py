"""Statements about scalars, tuples and lists.

Each statement function writes one statement and returns True, or returns False when the scope
does not hold what it needs.
"""

from __future__ import annotations

from tests.randprog.access import element, reading
from tests.randprog.expressions import condition, fit, integer, literal, scalar
from tests.randprog.frame import Frame
from tests.randprog.model import LOOSE, UNIT, Expr, Var, number
from tests.randprog.updates import update

COUNT = 100_000  # no counting variable gets this far


def assignable(f: Frame, kind: str = "float") -> list[Var]:
    """Scalars that may be assigned here, the latest first."""
    return f.vars(kind, lambda v: v.assignable)[:6]


def new_float(f: Frame, bound: float | None = None) -> Var:
    """`s = expression`"""
    if bound is None:
        bound = LOOSE if f.chooser.chance(55) else UNIT
    e = fit(f, scalar(f), bound)
    f.use(e)
    var = Var(f.fresh("float"), "float", bound=bound, assignable=True)
    if bound == LOOSE and f.chooser.chance(20):
        e = Expr(f.chooser.pick(("0.0", "0", "1.0")))
    f.emit(f"{var.name} = {e.text}")
    f.write(var)
    return f.declare(var)


def assign(f: Frame) -> bool:
    """A new scalar, or a new value for one."""
    found = assignable(f)
    if not found or f.chooser.chance(45):
        new_float(f)
        return True
    var = f.chooser.pick(found)
    e = fit(f, scalar(f), var.bound)
    f.use(e)
    f.emit(f"{var.name} = {e.text}")
    f.write(var)
    return True


def augment(f: Frame) -> bool:
    """`s += expression` and its like."""
    found = assignable(f)
    if not found:
        return assign(f)
    var = f.chooser.pick(found)
    f.emit(update(f, reading(var.name, var), lambda: scalar(f)))
    f.write(var)
    return True


def swap(f: Frame) -> bool:
    """`s, t = t, s`, also with an expression on one side, also three at once."""
    found = assignable(f)
    first = found[0] if found else None
    others = [v for v in found[1:] if first and v.bound == first.bound]
    if first is None or not others:
        return False
    second = f.chooser.pick(others)
    names, values = [first.name, second.name], [second.name, first.name]
    if len(others) > 1 and f.chooser.chance(25):
        names = [first.name, others[0].name, others[1].name]
        values = names[1:] + names[:1]
    elif f.chooser.chance(40):
        e = fit(f, scalar(f), first.bound)
        f.use(e)
        values[1] = e.text
    f.emit(f"{', '.join(names)} = {', '.join(values)}")
    for var in found:
        if var.name in names:
            f.write(var)
    f.count("swap")
    return True


def new_int(f: Frame) -> bool:
    """`j = integer expression`, new or again; `j += 1` for one that only counts."""
    found = assignable(f, "int")
    if found and f.chooser.chance(55):
        var = f.chooser.pick(found)
        if var.high.offset == COUNT:
            f.emit(f"{var.name} += {f.chooser.pick(('1', '2', integer(f, 3)))}")
        else:
            f.emit(f"{var.name} = {integer(f, var.high.offset + 1)}")
        return True
    if f.chooser.chance(30):
        var = Var(f.fresh("int"), "int", high=number(COUNT), assignable=True)
        f.emit(f"{var.name} = 0")
        f.declare(var)
        return True
    modulus = f.chooser.integer(2, 4)
    text = integer(f, modulus)
    var = Var(f.fresh("int"), "int", high=number(modulus - 1), assignable=True)
    f.emit(f"{var.name} = {text}")
    f.declare(var)
    return True


def new_bool(f: Frame) -> bool:
    """`flag = condition`"""
    text = condition(f)
    var = Var(f.fresh("bool"), "bool")
    f.emit(f"{var.name} = {text}")
    f.declare(var)
    return True


def tuples(f: Frame) -> bool:
    """A tuple of floats, unpacked or kept; unpacking an element-wise computed tuple."""
    values = [fit(f, scalar(f, 1), UNIT) for _ in range(f.chooser.integer(2, 3))]
    f.use(*values)
    text = ", ".join(e.text for e in values)
    f.count("tuple")
    if f.chooser.chance(50):
        names = [Var(f.fresh("float"), "float", assignable=True) for _ in values]
        f.emit(f"{', '.join(v.name for v in names)} = {text}")
        for var in names:
            f.write(f.declare(var))
        return True
    name = f.fresh("tuple")
    f.emit(f"{name} = ({text})")
    for position in range(len(values)):
        f.write(f.declare(Var(f"{name}[{position}]", "float")))
    return True


def array_pair(f: Frame) -> bool:
    """A tuple of arrays: its items are more names for them."""
    found = f.vars("array", lambda v: "[" not in v.name)
    if len(found) < 2:
        return False
    first, second = f.chooser.pick(found), f.chooser.pick(found)
    name = f.fresh("tuple")
    f.emit(f"{name} = ({first.name}, {second.name})")
    f.count("tuple")
    for position, var in enumerate((first, second)):
        item = f"{name}[{position}]"
        f.declare(Var(item, "array", var.shape, var.bound, var.region))
    return True


def lists(f: Frame) -> bool:
    """A new list, an append, or a changed item."""
    found = f.vars("list", lambda v: not v.locked)
    f.count("list")
    if not found or f.chooser.chance(15):
        return _new_list(f)
    var = f.chooser.pick(found)
    e = fit(f, scalar(f), var.bound)
    f.use(e)
    if f.chooser.chance(65):
        f.emit(f"{var.name}.append({e.text})")
        var.high = var.high.plus(f.trips)
    else:
        ints = f.vars("int")
        at = f"{ints[0].name} % len({var.name})" if ints else "0"
        f.emit(f"{var.name}[{at}] = {e.text}")
        f.write(var)
    return True


def _new_list(f: Frame) -> bool:
    var = Var("", "list", bound=UNIT)
    vectors = f.arrays(ndim=1)
    if vectors and f.chooser.chance(40):
        source = f.chooser.pick(vectors[:4])
        function = f.chooser.pick(("math.sin(0.9 * v)", "v * v", "0.5 * v", "v"))
        var.bound = UNIT if "sin" in function else source.bound ** (1 + function.count("*"))
        if var.bound > LOOSE:
            return False
        e = reading(source.name, source)
        f.use(Expr("", needs=e.reads))
        text = f"[{function} for v in {source.name}]"
        var.high = source.shape[0]
    else:
        e = fit(f, scalar(f), UNIT)
        f.use(e)
        text, var.high = f"[{e.text}]", number(1)
        if "." not in text:
            text = f"[1.0 * {e.text}]"
    var.name = f.fresh("list")
    f.emit(f"{var.name} = {text}")
    f.write(f.declare(var))
    return True


def unbound_until_loop(f: Frame) -> bool:
    """A variable first assigned in a loop that certainly runs, read after it."""
    found = f.arrays(ndim=1)
    if not found or f.inner or not f.chooser.chance(40):
        return False
    var = f.chooser.pick(found)
    if var.shape[0].symbol is not None:
        return False
    f.use(reading(var.name, var))
    counter, name = f.fresh("int"), f.fresh("float")
    f.emit(f"for {counter} in range({f.chooser.integer(1, var.shape[0].offset)}):")
    f.emit(f"    {name} = {var.name}[{counter}] - {literal(f):.3f}")
    f.declare(Var(name, "float", bound=2 * var.bound))
    f.declare(Var(counter, "int", high=var.shape[0].plus(-1)))
    f.count("bound_by_trip")
    return True


def swap_elements(f: Frame) -> bool:
    """`a[i], a[j] = a[j], a[i]`, also between arrays, also with expressions."""
    found = f.arrays()
    if not found:
        return False
    first = f.chooser.pick(found[:5])
    same = [v for v in found if v.bound == first.bound]
    second = f.chooser.pick(same[:5])
    one, two = element(f, first), element(f, second)
    value = reading(two, second)
    if f.chooser.chance(30):
        value = fit(f, scalar(f), first.bound)
        f.use(value)
    f.emit(f"{one}, {two} = {value.text}, {one}")
    f.write(first)
    f.write(second)
    f.count("swap")
    return True
