"""What a scalar primitive is, and the table of them; helpers for result types and evaluators.

Result types are those Numba infers for the templates (``tests/test_rules_numba.py`` checks
every one).  NumPy's one-byte results of booleans (``np.sign(True)``) count as ``i8``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcad.errors import TypeMismatch
from srcad.ir.types import B1, C8, C16, F4, F8, I8, PART, Scalar, Type, is_complex, promote


@dataclass(frozen=True, slots=True)
class Primitive:
    """A scalar primitive.

    ``result_type`` maps argument types to the result's; ``evaluate`` computes on Python
    numbers (float32 values are Python floats already rounded); ``template`` spells it in
    Python, with ``{0}``, ``{1}`` for the operands, or is an operator such as ``+``.
    """

    name: str
    arity: int
    result_type: Callable[..., Scalar]
    evaluate: Callable[..., Any]
    template: str
    cost: int = 1  # 1 arithmetic, 4 division or square root, 20 transcendental
    helper: str = ""  # the function of ``runtime.RUNTIME_HELPERS`` that the template calls


PRIMITIVES: dict[str, Primitive] = {}


def define(
    name: str,
    arity: int,
    result_type: Callable[..., Scalar],
    evaluate: Callable[..., Any],
    template: str,
    cost: int = 1,
    helper: str = "",
) -> None:
    """Add a primitive to the table."""
    kind = real_or_declared(name, result_type)
    PRIMITIVES[name] = Primitive(name, arity, kind, evaluate, template, cost, helper)


# complex operands: what is not declared is refused
OF_PAIRS: dict[str, Primitive] = {}  # what makes complex numbers or takes them apart
COMPLEX: dict[str, Callable[..., Scalar]] = {}  # primitives of complex numbers: result types
REWRITES = {
    **dict.fromkeys(("f8", "f4", "i8"), ("conversion to a real number", "take z.real or abs(z)"))
}


def primitive(name: str) -> Primitive:
    """A primitive of programs that may have complex numbers."""
    return PRIMITIVES[name] if name in PRIMITIVES else OF_PAIRS[name]


def real_or_declared(name: str, real: Callable[..., Scalar]) -> Callable[..., Scalar]:
    """The result type of a primitive; complex operands are refused where not declared.

    Raises:
        TypeMismatch: a complex operand of a primitive that is not in ``COMPLEX``.
    """

    def kind(*ts: Type) -> Scalar:
        if C16 in ts or C8 in ts:
            if name not in COMPLEX:
                what, instead = REWRITES.get(
                    name, (repr(name), "use its real and imaginary part: z.real, z.imag")
                )
                raise TypeMismatch(
                    f"{what} is not supported for complex numbers",
                    why="it is declared for real numbers only",
                    instead=instead,
                )
            return COMPLEX[name](*ts)
        return real(*ts)

    return kind


def complex_kind(*ts: Type) -> Scalar:
    """The complex type that the operands have in common."""
    out = joined(*ts)
    return out if is_complex(out) else C8 if out == F4 else C16


def part_kind(*ts: Type) -> Scalar:
    """The type of a real or imaginary part, an absolute value, an angle."""
    return PART[complex_kind(*ts)]


# result types
def joined(*ts: Type) -> Scalar:
    """The common type; booleans stay booleans (min, max, np.maximum)."""
    out = ts[0]
    for t in ts[1:]:
        out = out if out == t else promote(out, t)  # type: ignore[arg-type]
    return out  # type: ignore[return-value]


def arith(*ts: Type) -> Scalar:
    """Result type of an arithmetic operator: booleans count as integers."""
    out = joined(*ts)
    return I8 if out == B1 else out


def power(x: Type, y: Type) -> Scalar:
    """As arithmetic, but float32 to an integer stays float32."""
    return F4 if x == F4 and y == I8 else arith(x, y)


def true_float(*ts: Type) -> Scalar:
    """Result type of an operation that gives a float: float32 only from float32 (and bool)."""
    return F4 if F4 in ts and all(t in (F4, B1) for t in ts) else F8


def ufunc_joined(*ts: Type) -> Scalar:
    """The common type as NumPy's functions have it on Numba's scalars: int64 with float32 is
    float32 (the operators give float64)."""
    return F4 if F4 in ts and F8 not in ts else joined(*ts)


def ufunc_float(*ts: Type) -> Scalar:
    """The same where the result is a float: float64 of integers, float32 of booleans."""
    kind = ufunc_joined(*ts)
    return F8 if kind == I8 else F4 if kind == B1 else kind


def rounded(t: Type) -> Scalar:
    """Result type of rounding: the operand's."""
    assert isinstance(t, Scalar)
    return t


def bits(*ts: Type) -> Scalar:
    """Bitwise operations: bool of bools, else int."""
    return B1 if all(t == B1 for t in ts) else I8


def second(*ts: Type) -> Scalar:
    """Result type of a choice between the second and the third operand."""
    return joined(*ts[1:])


def always(kind: Scalar) -> Callable[..., Scalar]:
    """A fixed result type."""
    return lambda *ts: kind


# evaluators
def wrap(n: int) -> int:
    """An integer as Numba keeps it: 64 bits, two's complement."""
    return n if -(1 << 63) <= n < (1 << 63) else (n + (1 << 63)) % (1 << 64) - (1 << 63)


def int_aware(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` with an integer result wrapped to 64 bits."""

    def g(*args: Any) -> Any:
        r = f(*args)
        return wrap(int(r)) if isinstance(r, int) and not isinstance(r, bool) else r

    return g


def quiet(f: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function on float64 scalars, silent about domain errors."""

    def g(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return float(f(*(np.float64(a) for a in args)))

    return g


def keep_int(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` on floats; integers pass (rounding functions)."""
    return lambda a: a if isinstance(a, int) else quiet(f)(a)


def unless_int(f: Callable[..., Any], on_ints: Callable[..., Any]) -> Callable[..., Any]:
    """``on_ints`` where all operands are integers or bools, else ``f`` on floats."""
    g, h = quiet(f), int_aware(on_ints)
    return lambda *args: (h if all(isinstance(a, int) for a in args) else g)(*args)
