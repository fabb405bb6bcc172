"""Return statements: every return of a function gives the same type."""

from __future__ import annotations

import math

from tests.randprog.access import reading
from tests.randprog.arrays import array
from tests.randprog.expressions import fit, scalar
from tests.randprog.frame import Frame
from tests.randprog.model import ATOM, LOOSE, MUL, UNIT, Expr, Var, add, multiply, scaled


def give_back(f: Frame, final: bool = False) -> None:
    """`return ...` of the kind this function returns; the last one looks at everything."""
    if f.returns == "none":
        if not final:
            f.emit("return")
        return
    if f.returns == "array":
        e = fit(f, array(f, f.return_shape, 1), LOOSE)
        if final:
            e = _limited(f, add(e, everything(f, 3)))
        f.use(e)
        f.emit(f"return {e.text}" if e.level < ATOM else f"return 1.0 * {e.text}")
        return
    if f.returns == "view":  # part of the first parameter
        name = f.scopes[0][0].name
        f.emit(f"return {name}[1:]" if f.chooser.chance(60) else f"return {name}[:-1]")
        return
    e = _limited(f, everything(f, 5)) if final else fit(f, scalar(f), LOOSE)
    if "." not in e.text:  # the function returns floats on every path
        e = scaled(1.0, e)
    if f.returns == "tuple":
        other = scaled(0.7, fit(f, scalar(f), LOOSE))
        f.use(e, other)
        f.emit(f"return {e.text}, {other.text}")
        return
    f.use(e)
    f.emit(f"return {e.text}")


def _limited(f: Frame, e: Expr) -> Expr:
    """Within the bounds that callers rely on; nobody calls the entry function."""
    return e if f.entry else fit(f, e, LOOSE)


def everything(f: Frame, terms: int) -> Expr:
    """A sum that depends on many of the variables in scope."""
    candidates: list[Var] = [*f.arrays()[:6], *f.vars("float")[:6], *f.vars("list")]
    total = None
    for _ in range(terms):
        if not candidates or (total is not None and not f.chooser.chance(93)):
            break
        var = candidates.pop(f.chooser.integer(0, len(candidates) - 1))
        term = _term(f, var)
        total = term if total is None else add(total, term)
    return total if total is not None else fit(f, scalar(f), UNIT)


def _term(f: Frame, var: Var) -> Expr:
    e = reading(var.name, var, var.shape)
    if var.kind == "array":
        kind = f.chooser.integer(0, 3)
        if kind == 1 and var.bound <= UNIT:
            return _summed(multiply(e, e))
        if kind == 2:
            return _summed(multiply(array(f, var.shape, 0), fit(f, e, UNIT)))
        return _summed(e)
    if var.kind == "list":
        e.text = f"sum({e.text}) / len({e.text})"
        e.level = MUL
        return e
    return scaled(0.5, e) if f.chooser.chance(30) else e


def _summed(e: Expr) -> Expr:
    bound = e.bound * math.prod(dim.most() for dim in e.shape)
    return Expr(f"np.sum({e.text})", ATOM, bound, (), e.reads, e.needs)
