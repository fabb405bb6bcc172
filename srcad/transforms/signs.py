"""Signs of floats that follow from how they are made: what can never be zero.

In: an operand, the operation that made a variable (if any).  Out: whether its value is a number
above zero, or at least zero; NaN counts as either (it is not equal to zero).

So ``1 / (1 + exp(-x))`` needs no check for a division by zero, which would keep its loop from
becoming a vector loop.
"""

from __future__ import annotations

from collections.abc import Callable

from srcad.ir.nodes import Atom, Const, Op
from srcad.ir.types import is_float

Maker = Callable[[Atom], Op | None]
DEPTH = 4  # operations looked through
_NOT_BELOW = {"exp", "exp2", "abs", "fabs", "sqrt", "square", "cosh", "erfc", "hypot"}


def positive(a: Atom, maker: Maker, depth: int = DEPTH) -> bool:
    """Whether a float is never zero nor below.

    >>> from srcad.ir.nodes import Var
    >>> from srcad.ir.types import F8
    >>> x, e, y = (Var(n, F8) for n in "xey")
    >>> made = {"e": Op(e, "exp", (x,)), "y": Op(y, "add", (Const(1.0, F8), e))}
    >>> [positive(v, lambda a: made.get(a.name)) for v in (x, e, y)]
    [False, False, True]
    """
    if isinstance(a, Const):
        return is_float(a.type) and a.value > 0
    s = maker(a)
    if s is None or not depth or not is_float(a.type):
        return False
    if s.op == "add":
        x, y = s.args
        above = positive(x, maker, depth - 1), positive(y, maker, depth - 1)
        return any(above) and all(not_negative(z, maker, depth - 1) for z in (x, y))
    return s.op == "cosh"


def not_negative(a: Atom, maker: Maker, depth: int = DEPTH) -> bool:
    """Whether a float is never below zero."""
    if isinstance(a, Const):
        return is_float(a.type) and a.value >= 0
    s = maker(a)
    if s is None or not depth or not is_float(a.type):
        return False
    if s.op in ("mul", "add", "truediv"):
        x, y = s.args
        if s.op == "mul" and x == y:
            return is_float(x.type)
        return all(not_negative(z, maker, depth - 1) for z in (x, y))
    return s.op in _NOT_BELOW
