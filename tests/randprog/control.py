"""Blocks, branches, loops and exits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.randprog import calls, definitions, ranges, scalars, storage, writes
from tests.randprog.access import reading
from tests.randprog.expressions import condition, fit, likely, scalar, unlikely
from tests.randprog.frame import DEPTH, TRIPS, Frame
from tests.randprog.model import LOOSE, UNIT, Var, add, number, scaled
from tests.randprog.results import give_back

Statement = Callable[[Frame], bool]


def block(f: Frame, at_most: int, first: Statement | None = None, more: int = 82) -> None:
    """Some statements, `first` being the first; another one follows in `more` percent."""

    def another(written: int) -> bool:
        if not f.chooser.chance(more if written else 98):
            return False
        f.build.budget -= 1
        _statement(f, None if written else first)
        return True

    for written in range(at_most):
        if written and f.build.budget <= 0:
            break
        if not f.chooser.span(partial(another, written)):  # one statement, its flag included
            break


def _statement(f: Frame, chosen: Statement | None) -> None:
    if chosen is None:
        simple = len(f.scopes) > DEPTH or f.build.budget <= 0
        chosen = f.chooser.weighted(SIMPLE if simple else STATEMENTS)
    if not _allowed(f, chosen) or not chosen(f):
        scalars.assign(f)


def _allowed(f: Frame, statement: Statement) -> bool:
    feature = FEATURES.get(statement)
    return feature is None or f.build.allows(feature)


def branch(f: Frame) -> bool:
    """if, elif, else; sometimes every branch defines a variable that lives on."""
    joined = Var(f.fresh("float"), "float", bound=UNIT, assignable=True)
    join = f.chooser.chance(25)

    def arm(header: str) -> None:
        f.emit(header)
        with f.block():
            block(f, 2)
            if join:
                e = fit(f, scalar(f), UNIT)
                f.use(e)
                f.emit(f"{joined.name} = {e.text}")
                f.write(joined)

    arm(f"if {condition(f)}:")
    if f.chooser.chance(20):
        arm(f"elif {condition(f)}:")
    if join or f.chooser.chance(35):
        arm("else:")
    if join:
        f.declare(joined)
    return True


def for_loop(f: Frame) -> bool:
    """A for loop over a range or over data."""
    header = ranges.counted(f) if f.chooser.chance(70) else ranges.over_data(f)
    if f.trips * header.trips > TRIPS:
        return False
    for flag in header.flags:
        f.count(flag)
    if len(f.loops):
        f.count("nested_loop")
    keep = [v for v in header.bound if v.kind == "int"] if f.chooser.chance(15) else []
    for var in keep:  # bound before the loop, so it is there after an empty one
        f.emit(f"{var.name} = 0")
    if header.locks:
        header.locks.locked = True
    f.emit(f"for {header.text}:")
    with f.loop(header.trips) as loop:
        for var in header.bound:
            f.declare(var)
            if var.kind == "float":
                f.write(var)
        block(f, 4, first=exit_loop if f.chooser.chance(12) else None)
        _nest(f)
    if header.locks:
        header.locks.locked = False
    if loop.broken and f.chooser.chance(35):
        _loop_else(f)
    for var in keep:
        after = Var(var.name, "int", low=min(var.low, 0), high=var.high)
        f.declare(after if var.high.most() >= 0 else Var(var.name, "int", low=var.low))
    return True


def _nest(f: Frame) -> None:
    """More often than chance would: a second loop inside the first."""
    if len(f.loops) < 3 and len(f.scopes) <= DEPTH and f.chooser.chance(45):
        f.build.budget -= 1
        f.chooser.span(partial(for_loop, f))


def while_loop(f: Frame) -> bool:
    """A while loop on data, with a counter that ends it for certain."""
    most = f.chooser.integer(2, 5)
    if f.trips * most > TRIPS:
        return False
    counter = Var(f.fresh("int"), "int", high=number(most), counter=True)
    endless = f.chooser.chance(20)
    test = unlikely(f) if endless else likely(f) if f.chooser.chance(60) else condition(f)
    f.emit(f"{counter.name} = 0")
    parts = [f"{counter.name} < {most}", f"({test})" if " or " in test else test]
    if f.chooser.chance(50):
        parts.reverse()
    f.emit(f"while {'True' if endless else ' and '.join(parts)}:")
    f.count("while")
    with f.loop(most, is_while=True) as loop:
        f.declare(counter)
        f.emit(f"{counter.name} += 1")
        if endless:
            word = f.chooser.pick(("or", "and"))
            f.emit(f"if {counter.name} >= {most}{f' or {test}' if word == 'or' else ''}:")
            f.emit("    break")
            loop.broken = True
            f.count("early_exit")
        block(f, 4, first=scalars.augment)
    if not endless and loop.broken and f.chooser.chance(25):
        _loop_else(f)
    f.declare(Var(counter.name, "int", high=number(most)))
    return True


def _loop_else(f: Frame) -> None:
    f.emit("else:")
    f.count("loop_else")
    with f.block():
        block(f, 2)


def exit_loop(f: Frame) -> bool:
    """Under a condition: break, continue or return; outside loops, return."""
    kind = f.chooser.weighted(((5, "break"), (4, "continue"), (2, "return")))
    if not f.loops:
        kind = "return"
    often = kind != "return" and f.chooser.chance(60)
    f.emit(f"if {condition(f) if often else unlikely(f)}:")
    with f.block():
        if f.chooser.chance(40):
            f.chooser.span(partial(_statement, f, f.chooser.weighted(SIMPLE)))
        if kind == "return":
            give_back(f)
        else:
            f.emit(kind)
            f.loops[-1].broken |= kind == "break"
    f.count("continue" if kind == "continue" else "early_exit")
    return True


def accumulate(f: Frame) -> bool:
    """A sum over a product of neighbours, the commonest loop there is."""
    found = f.arrays(ndim=1)
    if not found or f.trips * found[0].shape[0].most() > TRIPS:
        return False
    var = f.chooser.pick(found[:5])
    total = scalars.new_float(f, LOOSE)
    counter = f.fresh("int")
    f.emit(f"for {counter} in range({f.length(var.shape[0])}):")
    with f.loop(var.shape[0].most()):
        f.declare(Var(counter, "int", high=var.shape[0].plus(-1), counter=True))
        e = fit(f, scalar(f), UNIT)
        value = add(scaled(0.8, reading(total.name, total)), e)
        f.use(value)
        f.emit(f"{total.name} = {value.text}")
        f.write(total)
        block(f, 2)
    return True


SIMPLE: tuple[tuple[int, Statement], ...] = (
    (9, scalars.assign),
    (8, scalars.augment),
    (8, writes.write_element),
    (8, writes.update_element),
    (4, writes.write_part),
    (4, writes.update_part),
    (5, writes.overlap),
    (1, writes.masked),
    (3, writes.scatter),
    (1, writes.swap_rows),
    (3, scalars.swap),
    (3, scalars.swap_elements),
    (2, scalars.new_int),
    (1, scalars.new_bool),
    (2, scalars.tuples),
    (2, scalars.lists),
    (4, storage.allocate),
    (2, storage.copy),
    (11, storage.view),
    (6, storage.rebind),
    (14, calls.call_function),
)
STATEMENTS: tuple[tuple[int, Statement], ...] = (
    *SIMPLE,
    (9, branch),
    (15, for_loop),
    (5, while_loop),
    (6, exit_loop),
    (2, accumulate),
    (2, writes.pass_along),
    (2, storage.ping_pong),
    (3, definitions.local_function),
    (1, scalars.array_pair),
    (1, scalars.unbound_until_loop),
)
HELPER_STARTS: tuple[tuple[int, Statement], ...] = (
    (4, for_loop),
    (2, writes.write_element),
    (2, writes.update_part),
    (2, writes.overlap),
    (2, writes.pass_along),
)
FEATURES: dict[Statement, str] = {
    storage.view: "view",
    storage.rebind: "rebind",
    storage.ping_pong: "rebind",
    writes.overlap: "overlap",
    writes.masked: "mask",
    writes.scatter: "gather",
    writes.swap_rows: "overlap",
    scalars.tuples: "tuple",
    scalars.array_pair: "tuple",
    scalars.lists: "list",
    scalars.unbound_until_loop: "bound_by_trip",
    calls.call_function: "helper",
    definitions.local_function: "closure",
    while_loop: "while",
    exit_loop: "exit",
}
