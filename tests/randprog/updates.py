"""Augmented assignments that respect the bound of what they update."""

from __future__ import annotations

from collections.abc import Callable

from tests.randprog.expressions import FACTORS, LONG, fit
from tests.randprog.frame import Frame
from tests.randprog.model import ATOM, UNIT, Expr, guarded_quotient, multiply, scaled, subtract

OPERATORS = ((6, "+="), (2, "-="), (3, "*="), (1, "/="), (1, "**="))


def update(f: Frame, target: Expr, make: Callable[[], Expr]) -> str:
    """The text of an augmented assignment to `target`, with an operand made by `make`.

    Adding draws on the program's headroom; without any left it becomes a convex step towards the
    operand, which keeps every bound.
    """
    operator = f.chooser.weighted(OPERATORS)
    if operator == "**=" and target.bound <= UNIT:
        f.use(Expr("", needs=target.reads))
        return f"{target.text} **= {f.chooser.integer(2, 3)}"
    e = make()
    if operator in ("+=", "-="):
        return _step(f, target, e, operator)
    if operator == "/=" and len(e.text) < LONG:
        f.use(guarded_quotient(target, e))
        return f"{target.text} /= 1.5 + {e.at(ATOM)} * {e.at(ATOM)}"
    factor = fit(f, e, UNIT)
    f.use(multiply(target, factor))
    return f"{target.text} *= {factor.text}"


def _step(f: Frame, target: Expr, e: Expr, operator: str) -> str:
    if target.bound > UNIT:
        small = fit(f, e, 2.0)
        if f.accumulates(small.bound):
            f.use(small)
            return f"{target.text} {operator} {small.text}"
    towards = fit(f, e, target.bound)
    factor = f.chooser.pick(FACTORS)
    difference = subtract(towards, target) if operator == "+=" else subtract(target, towards)
    step = scaled(factor, difference)
    f.use(step)
    return f"{target.text} {operator} {step.text}"
