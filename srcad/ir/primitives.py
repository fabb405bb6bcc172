"""The scalar primitives: result type, meaning (for the reference backend), spelling in Python.

A primitive is pure.  Its derivative stands in ``rules``; here is only what it computes, with
Numba's semantics: ``sqrt(-1)`` is NaN, ``log(0)`` is -inf, integers are 64 bits wide, a
division by zero gives an IEEE result (the frontend emits a ``Check`` where Python would raise).

Here: operators, comparisons, conversions, choice, and ``fold``; ``primitives_math`` has the
functions, ``primitives_base`` the table itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from srcad.ir import primitives_complex, primitives_math
from srcad.ir.nodes import Atom, Const
from srcad.ir.primitives_base import (
    OF_PAIRS,
    PRIMITIVES,
    Primitive,
    always,
    arith,
    bits,
    define,
    int_aware,
    joined,
    power,
    primitive,
    quiet,
    second,
    true_float,
    unless_int,
    wrap,
)
from srcad.ir.types import B1, F4, F8, I8, Scalar, is_complex


def _pow(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        return a**b if b >= 0 else int(quiet(pow)(a, b))
    return quiet(lambda x, y: x**y)(a, b)


def _to_int(a: Any) -> int:
    return wrap(int(a)) if math.isfinite(a) else -(1 << 63)


def _invert(a: Any) -> Any:
    return not a if isinstance(a, bool) else ~a


_OPERATORS: list[tuple[str, Callable[..., Any], str, Callable[..., Scalar], int]] = [
    ("add", lambda a, b: a + b, "+", arith, 1),
    ("sub", lambda a, b: a - b, "-", arith, 1),
    ("mul", lambda a, b: a * b, "*", arith, 1),
    ("pow", _pow, "**", power, 20),
    ("floordiv", unless_int(lambda a, b: a // b, lambda a, b: a // b if b else 0), "//", arith, 8),
    ("mod", unless_int(lambda a, b: a % b, lambda a, b: a % b if b else 0), "%", arith, 8),
    ("bitand", lambda a, b: a & b, "&", bits, 1),
    ("bitor", lambda a, b: a | b, "|", bits, 1),
    ("bitxor", lambda a, b: a ^ b, "^", bits, 1),
    ("lshift", lambda a, b: a << b, "<<", always(I8), 1),
    ("rshift", lambda a, b: a >> b, ">>", always(I8), 1),
]
for _name, _f, _t, _result, _cost in _OPERATORS:
    define(_name, 2, _result, int_aware(_f), _t, _cost)
define("truediv", 2, true_float, quiet(lambda a, b: a / b), "/", 4)
# a product that is zero where the first operand is, whatever the second (inf, NaN)
define(
    "guarded_mul", 2, arith, lambda a, b: a if a == 0 else a * b, "({0} if {0} == 0 else {0} * {1})"
)
# a quotient that is zero where the first operand is; one whose derivative is guarded
define(
    "guarded_div",
    2,
    true_float,
    quiet(lambda a, b: a if a == 0 else a / b),
    "({0} if {0} == 0 else {0} / {1})",
    4,
)
define("steep_div", 2, true_float, quiet(lambda a, b: a / b), "/", 4)
define("neg", 1, arith, int_aware(lambda a: -a), "-{0}")
define("stop_gradient", 1, lambda a: a, lambda a: a, "{0}")
# the number itself; where it has a vector form, LLVM does not see that (``storage.opaque``)
define("opaque", 1, arith, int_aware(lambda a: +a), "+{0}")
define("positive", 1, arith, int_aware(lambda a: +a), "+{0}")
define("square", 1, arith, int_aware(lambda a: a * a), "{0} * {0}")
define("abs", 1, arith, int_aware(abs), "abs({0})")
for _name, _f, _t in [
    ("lt", lambda a, b: a < b, "<"),
    ("le", lambda a, b: a <= b, "<="),
    ("gt", lambda a, b: a > b, ">"),
    ("ge", lambda a, b: a >= b, ">="),
    ("eq", lambda a, b: a == b, "=="),
    ("ne", lambda a, b: a != b, "!="),
    # operands of these two are bools; ``logical_and`` and the like take any number
    ("and", lambda a, b: bool(a and b), "and"),
    ("or", lambda a, b: bool(a or b), "or"),
]:
    define(_name, 2, always(B1), _f, _t)
define("not", 1, always(B1), lambda a: not a, "not {0}")
define("invert", 1, bits, int_aware(_invert), "~{0}")

# conversions
define("f8", 1, always(F8), float, "np.float64({0})")
define("f4", 1, always(F4), float, "np.float32({0})")
define("i8", 1, always(I8), _to_int, "np.int64({0})")
define("b1", 1, always(B1), bool, "bool({0})")

# choice: pure operands only, both are evaluated
define("select", 3, second, lambda c, a, b: a if c else b, "({1} if {0} else {2})")
# Python's min and max: the first operand wins ties; a NaN compares false
define("min", 2, joined, lambda a, b: b if b < a else a, "min({0}, {1})")
define("max", 2, joined, lambda a, b: b if b > a else a, "max({0}, {1})")

primitives_math.define_all()
primitives_complex.define_all()

# one operand is an integer (an order, an exponent) and stays one next to float32
WITH_ORDER = {"ldexp", "polygamma", "erfc_integral", "bessel_i", "bessel_i_scaled", "bessel_j"}

_EXACT = {
    "add",
    "sub",
    "mul",
    "floordiv",
    "mod",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "and",
    "or",
    "not",
    "neg",
    "min",
    "max",
    "i8",
    "b1",
    "f8",
    "select",
}


def fold(name: str, args: tuple[Atom, ...]) -> Atom | None:
    """The result where it is known without computing at run time, else ``None``.

    Constants are folded for exact operations; an integer ``x + 0``, ``x * 1`` and the like, and
    the float identities that hold for every value (``x * 1``, ``x / 1``), give the operand.
    """
    if name in OF_PAIRS:
        return None
    for a in args:
        if is_complex(a.type):
            return None
    if name == "select" and isinstance(args[0], Const):
        chosen = args[1] if args[0].value else args[2]
        return chosen if args[1].type == args[2].type else None
    numbers = [a.value for a in args if isinstance(a, Const) and a.type != F4]
    if len(numbers) == len(args) and name in _EXACT:
        kind = PRIMITIVES[name].result_type(*(a.type for a in args))
        divides_by_zero = name in ("floordiv", "mod") and not numbers[1]
        if kind != F4 and not divides_by_zero:
            value = PRIMITIVES[name].evaluate(*numbers)
            return Const({"f8": float, "i8": int, "b1": bool}[kind.kind](value), kind)
    return _identity(name, args)


_NEUTRAL = frozenset({"mul", "truediv", "floordiv", "pow", "add", "sub", "lshift", "rshift"})


def _identity(name: str, args: tuple[Atom, ...]) -> Atom | None:
    if name in ("and", "or"):
        for a, b in (args, args[::-1]):
            if isinstance(a, Const):
                return b if bool(a.value) == (name == "and") else a
    if name not in _NEUTRAL:
        return None
    a, b = args
    if not isinstance(a, Const) and not isinstance(b, Const):
        return None
    out = PRIMITIVES[name].result_type(a.type, b.type)
    if out not in (a.type, b.type):
        return None
    integer = out == I8
    if name in ("mul", "truediv", "floordiv", "pow") and _is(b, 1) and a.type == out:
        return a if name != "floordiv" or integer else None
    if name == "mul" and _is(a, 1) and b.type == out:
        return b
    if integer and name in ("add", "sub", "lshift", "rshift") and _is(b, 0) and a.type == out:
        return a
    if integer and name == "add" and _is(a, 0) and b.type == out:
        return b
    if integer and name == "mul" and (_is(a, 0) or _is(b, 0)):
        return Const(0, I8)
    return None


def _is(a: Atom, value: int) -> bool:
    return isinstance(a, Const) and a.value == value and not isinstance(a.value, bool)


__all__ = ["PRIMITIVES", "WITH_ORDER", "Primitive", "define", "fold", "primitive"]
