"""Statements that call helpers and local functions which change arrays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.randprog.access import element, part_shapes, subarray
from tests.randprog.arrays import array
from tests.randprog.expressions import fit, integer, scalar
from tests.randprog.frame import Frame
from tests.randprog.model import (
    ATOM,
    LOOSE,
    SYMBOL_LEAST,
    SYMBOL_MOST,
    UNIT,
    Dim,
    Expr,
    Function,
    Shape,
    Var,
    number,
    scaled,
)
from tests.randprog.storage import new_array

CALL_TRIPS = 1000  # iterations a call may cost over all enclosing loops


def call_function(f: Frame) -> bool:
    """A call of a helper, or of a local function that changes what it captured."""
    local = [v.function for v in f.vars("function") if v.function and v.function.changed]
    known = [*f.build.helpers, *local, *local]
    affordable = [
        g
        for g in known
        if g.trips * f.trips <= CALL_TRIPS and g.cost * f.trips <= f.build.headroom / 3
    ]
    if not affordable:
        return False
    return call(f, f.chooser.pick(affordable))


def call_uncalled(f: Frame, percent: int) -> None:
    """Call functions that nothing has called so far, with new arrays where nothing else suits."""
    local = [v.function for v in f.vars("function") if v.function]
    for function in [*f.build.helpers, *local]:
        if function.called or not f.chooser.chance(percent):
            continue
        if not f.chooser.span(partial(call, f, function)):
            for param in function.params:
                if param.kind == "array":
                    shape = tuple(number(3 if i == 0 else 2) for i, _ in enumerate(param.shape))
                    new_array(f, shape, param.bound)
            call(f, function)


def call(f: Frame, function: Function) -> bool:
    """A call of this function, if the scope holds arguments for it."""
    arguments = _Arguments(f, function)
    if not arguments.found():
        return False
    f.build.headroom -= function.cost * f.trips
    function.called = True
    _place_result(f, function, arguments)
    _note_effects(f, function, arguments)
    return True


class _Arguments:
    """Arguments that suit a function's parameters; equal symbols get equal lengths."""

    def __init__(self, f: Frame, function: Function):
        self.f, self.function = f, function
        self.lengths: dict[str, Dim] = {}
        self.texts: list[str] = []
        self.arrays: dict[str, Var] = {}

    def found(self) -> bool:
        """Choose them; False if the scope lacks one."""
        params, f = self.function.params, self.f
        for position, param in enumerate(params):
            last = position == len(params) - 1
            if last and self.function.default and f.chooser.chance(50):
                continue
            if param.kind == "array":
                if not self._array(param):
                    return False
            elif param.kind == "int":
                self.texts.append(integer(f, 4))
            else:
                e = fit(f, scalar(f, 1), param.bound)
                f.use(e)
                # keywords to a local function crash numba's inliner
                keyword = last and not self.function.local and f.chooser.chance(20)
                self.texts.append(f"{param.name}={e.text}" if keyword else e.text)
        return self._may_alias()

    def _array(self, param: Var) -> bool:
        f = self.f
        candidates = [
            (var, shape)
            for var in f.arrays(bound=param.bound)[:6]
            for shape in (var.shape, *part_shapes(f, var))
            if len(shape) == len(param.shape) and self._suits(param.shape, shape)
        ]
        if not candidates:
            return False
        var, shape = f.chooser.pick(candidates)
        text = subarray(f, var, shape)
        if text is None:
            return False
        for wanted, dim in zip(param.shape, shape, strict=True):
            self.lengths[str(wanted.symbol)] = dim
        if f.chooser.chance(8):  # a temporary: what is written into it is lost
            e = fit(f, array(f, shape, 1), param.bound)
            self.texts.append(f"0.9 * {e.at(ATOM)}")
            f.use(e)
            return True
        self.texts.append(text)
        self.arrays[param.name] = var
        return True

    def _suits(self, wanted: Shape, shape: Shape) -> bool:
        return all(
            dim == self.lengths.get(str(want.symbol), dim)
            and dim.least() >= SYMBOL_LEAST
            and dim.most() <= SYMBOL_MOST
            for want, dim in zip(wanted, shape, strict=True)
        )

    def _may_alias(self) -> bool:
        """Refuse, or flag, two arguments in one storage when one of them is written."""
        roots = [v.region.root() for v in self.arrays.values()]
        if len(set(roots)) < len(roots) and self.function.written:
            if not self.f.build.allows("aliased_arguments") or not self.f.chooser.chance(30):
                return False
            self.f.count("aliased_arguments")
        return True


def _note_effects(f: Frame, function: Function, arguments: _Arguments) -> None:
    f.count("call")
    for name, var in arguments.arrays.items():
        if name in function.needed:
            f.use(Expr("", needs=frozenset((var.region,))))
    f.use(Expr("", needs=function.captured))
    written = [var for name, var in arguments.arrays.items() if name in function.written]
    for var in [*written, *function.changed]:
        f.write(var)
    if written:
        f.count("mutating_helper")


def _place_result(f: Frame, function: Function, arguments: _Arguments) -> None:
    """Write the call so that its result goes somewhere."""
    call = f"{function.name}({', '.join(arguments.texts)})"
    reads = frozenset(v.region for v in arguments.arrays.values())
    if function.returns == "none" or f.chooser.chance(12):
        f.emit(call)
    elif function.returns == "float":
        _float_result(f, Expr(call, bound=function.bound, reads=reads))
    elif function.returns == "tuple":
        names = [Var(f.fresh("float"), "float", bound=LOOSE, assignable=True) for _ in range(2)]
        f.emit(f"{names[0].name}, {names[1].name} = {call}")
        for var in names:
            f.write(f.declare(var))
    else:
        _array_result(f, function, arguments, call)


def _float_result(f: Frame, e: Expr) -> None:
    kind = f.chooser.weighted(((4, "new"), (3, "element"), (2, "within")))
    found = f.arrays()
    if kind == "element" and found:
        var = f.chooser.pick(found[:5])
        value = fit(f, e, var.bound)
        f.use(value)
        f.emit(f"{element(f, var)} = {value.text}")
        f.write(var)
        return
    if kind == "within":
        value = Expr(f"0.5 * {e.text} + {scaled(0.5, fit(f, scalar(f, 1), UNIT)).text}", 1)
        value.bound, value.reads = 0.5 * e.bound + 0.5, e.reads
        e = value
    var = Var(f.fresh("float"), "float", bound=LOOSE, assignable=True)
    f.emit(f"{var.name} = {e.text}")
    f.write(f.declare(var))


def _array_result(f: Frame, function: Function, arguments: _Arguments, call: str) -> None:
    """A result that is a view of the first argument, or a new array."""
    first = function.params[0]
    dim = arguments.lengths[str(first.shape[0].symbol)]
    shape = (dim.plus(function.shape[0].offset),)
    bound = first.bound if function.returns == "view" else LOOSE
    var = Var(f.fresh("array"), "array", shape, bound, assignable=f.chooser.chance(40))
    base = arguments.arrays.get(first.name)
    if function.returns == "view" and base is not None:
        var = replace(var, region=base.region)
        f.count("view")
    f.emit(f"{var.name} = {call}")
    f.declare(var)
