"""Functions inside a program: helpers at module level, lambdas and local functions."""

from __future__ import annotations

from tests.randprog import calls, control
from tests.randprog.access import element, reading
from tests.randprog.expressions import fit, scalar
from tests.randprog.frame import Build, Event, Frame
from tests.randprog.model import LOOSE, UNIT, Dim, Expr, Function, Shape, Var, add, number, scaled
from tests.randprog.results import give_back

HELPER_HEADROOM = 300.0
RETURNS = ((5, "float"), (3, "none"), (1, "tuple"), (1, "view"), (1, "array"))


def write_helper(build: Build, name: str) -> list[str]:
    """A module-level function, known to the functions written after it; returns its text."""
    chooser = build.chooser
    f = Frame(build, 1, chooser.weighted(RETURNS))
    params = _parameters(f)
    first, last = params[0], params[-1]
    shape: Shape = ()
    if f.returns in ("view", "array"):
        shape = (first.shape[0].plus(-1 if f.returns == "view" else 0),)
        f.return_shape, first.assignable = shape, False
    default = last.kind == "float" and chooser.chance(25)
    headroom, budget = build.headroom, build.budget
    build.headroom, build.budget = HELPER_HEADROOM, chooser.integer(2, 5)
    if last.kind == "int" and f.returns == "float" and chooser.chance(30):
        build.headroom = 0.0
        build.count("recursion")
        _recursive_body(f, name, params)
        cost = 0.0
    else:
        control.block(f, 5, first=chooser.weighted(control.HELPER_STARTS))
        give_back(f, final=True)
        cost = HELPER_HEADROOM - build.headroom
    build.headroom, build.budget = headroom, budget
    function = Function(name, params, f.returns, shape, default=default, cost=cost)
    function.trips = f.most_trips
    function.written = _affected(f.events, params, write=True)
    function.needed = _affected(f.events, params, write=False)
    build.helpers.append(function)
    build.finished.append(f.events)
    names = [v.name for v in params]
    if default:
        names[-1] += "=0.35"
    return [f"def {name}({', '.join(names)}):", *(f.lines or ["    pass"])]


def _affected(events: list[Event], params: list[Var], write: bool) -> frozenset[str]:
    roots = {event.region.root() for event in events if event.write == write}
    return frozenset(v.name for v in params if v.kind == "array" and v.region.root() in roots)


def _parameters(f: Frame) -> list[Var]:
    """One or two arrays of unknown length, a matrix sometimes, floats, an integer."""
    bound = f.build.array_bound()
    length = Dim("n", 0)
    params = [_array_parameter(f, (length,), bound)]
    f.symbols["n"] = f"len({params[0].name})"
    if f.chooser.chance(45):
        second = length if f.chooser.chance(50) else Dim("n2", 0)
        params.append(_array_parameter(f, (second,), f.build.array_bound()))
        f.symbols["n2"] = f"{params[1].name}.shape[0]"
    if f.chooser.chance(20):
        matrix = _array_parameter(f, (Dim("rows", 0), Dim("cols", 0)), f.build.array_bound())
        f.symbols["rows"], f.symbols["cols"] = (f"{matrix.name}.shape[{i}]" for i in (0, 1))
        params.append(matrix)
    for _ in range(f.chooser.integer(0, 2)):
        kind = UNIT if f.chooser.chance(50) else LOOSE
        params.append(f.declare(Var(f.fresh("float"), "float", bound=kind, assignable=True)))
    if f.chooser.chance(35):
        params.append(f.declare(Var(f.fresh("int"), "int", high=number(3))))
    return params


def _array_parameter(f: Frame, shape: Shape, bound: float) -> Var:
    var = Var(f.fresh("array"), "array", shape, bound, assignable=f.chooser.chance(50))
    return f.declare(var)


def _recursive_body(f: Frame, name: str, params: list[Var]) -> None:
    """Recursion on the last parameter, an integer, with statements before the call."""
    count = params[-1]
    f.emit(f"if {count.name} <= 0:")
    with f.block():
        give_back(f)
    f.trips = f.most_trips = 4
    control.block(f, 2)
    again = [v.name for v in params[:-1]]
    for at, var in enumerate(params):
        if var.kind == "float":
            e = fit(f, scalar(f, 1), var.bound)
            f.use(e)
            again[at] = e.text
    arguments = ", ".join([*again, f"{count.name} - 1"])
    target = reading(element(f, params[0]), params[0])
    call = Expr(f"{name}({arguments})", reads=target.reads, needs=target.reads)
    value = add(scaled(0.6, call), scaled(0.3, fit(f, scalar(f, 1), UNIT)))
    f.use(value)
    f.emit(f"return {value.text}")


def local_function(f: Frame) -> bool:
    """A lambda or nested function that reads, perhaps changes, what is around it."""
    if f.inner:
        return False
    inner = Frame(f.build, f.indent + 1, "float")
    inner.inner, inner.outer_loop, inner.events = True, f.outer_loop, f.events
    inner.used_names, inner.symbols = f.used_names, {}
    captured = _captured(f)
    inner.scopes = [captured, []]
    params = [Var(f.fresh("float"), "float") for _ in range(f.chooser.integer(1, 2))]
    inner.scopes[1].extend(params)
    name = f.fresh("function")
    regions = frozenset(v.region for v in captured if v.kind in ("float", "array"))
    function = Function(name, params, "float", bound=UNIT, captured=regions, local=True)
    f.count("closure")
    if f.chooser.chance(50):
        e = fit(inner, scalar(inner, 2), UNIT)
        f.use(e)
        f.emit(f"{name} = lambda {', '.join(p.name for p in params)}: {e.text}")
    else:
        _local_body(f, inner, function, captured)
    f.declare(Var(name, "function", function=function))
    if not f.entry or len(f.scopes) > 1:  # called where it is known
        calls.call(f, function)
    return True


def _captured(f: Frame) -> list[Var]:
    """Copies of a few visible variables, which from now on keep their binding."""
    known = f.vars("array", lambda v: "[" not in v.name and not any(d.symbol for d in v.shape))
    chosen = [v for v in known[:4] if f.chooser.chance(40)]
    chosen += [v for v in f.vars("float", lambda v: "[" not in v.name)[:4] if f.chooser.chance(50)]
    chosen += [v for v in f.vars("int", lambda v: not v.assignable)[:2] if f.chooser.chance(30)]
    copies = []
    for var in chosen:
        var.assignable = False
        copy = Var(var.name, var.kind, var.shape, var.bound, var.region)
        copy.low, copy.high = var.low, var.high
        copies.append(copy)
    return copies


def _local_body(f: Frame, inner: Frame, function: Function, captured: list[Var]) -> None:
    """def inside a function: a few statements and a return."""
    build = f.build
    headroom, budget, seen = build.headroom, build.budget, len(f.events)
    build.budget = f.chooser.integer(1, 3)
    f.emit(f"def {function.name}({', '.join(p.name for p in function.params)}):")
    for param in function.params:
        param.assignable = True
    control.block(inner, 3)
    e = fit(inner, scalar(inner, 2), UNIT)
    f.use(e)
    inner.emit(f"return {scaled(0.9, e).text}")
    function.cost, build.headroom, build.budget = headroom - build.headroom, headroom, budget
    function.trips = inner.most_trips
    changed = _affected(f.events[seen:], captured, write=True)
    function.changed = [v for v in captured if v.name in changed]
    f.lines.extend(inner.lines)
