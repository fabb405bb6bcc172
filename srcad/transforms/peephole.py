"""Rules for one scalar operation: what it equals, looking at how its operands were made.

In: a primitive, its operands, and the operation that made a variable (if any).  Out: an operand
that is the result, or the cheapest operation found.

Invariant: bit for bit the same result, also for NaN, infinities and signed zeros; integers wrap
at 64 bits.  Floats are never reassociated and ``x - x``, ``x * 0``, ``x + 0`` stay.
"""

from __future__ import annotations

from collections.abc import Callable

from srcad.ir.nodes import Atom, Const, Op, Var
from srcad.ir.primitives import fold
from srcad.ir.types import B1, I8, Type, is_float
from srcad.transforms.program import key
from srcad.transforms.signs import positive

Maker = Callable[[Atom], Op | None]
Rewritten = Atom | tuple[str, tuple[Atom, ...]]

TRUE, FALSE = Const(True, B1), Const(False, B1)
_OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "le": "gt", "gt": "le"}
_SAME_INT: dict[str, Const] = {
    "sub": Const(0, I8),
    "eq": TRUE,
    "le": TRUE,
    "ge": TRUE,
    "ne": FALSE,
    "lt": FALSE,
    "gt": FALSE,
    "bitxor": Const(0, I8),
}
_SAME_ANY = ("and", "or", "bitand", "bitor", "min", "max")


def simplest(name: str, args: tuple[Atom, ...], out: Type, maker: Maker) -> Rewritten:
    """The operand equal to ``name(args)``, or the simplest operation that gives it.

    >>> x, c = Var("x", I8), Var("c", B1)
    >>> simplest("sub", (x, x), I8, lambda a: None)
    Const(value=0, type=Scalar(kind='i8'))
    >>> inner = Op(c, "not", (Var("d", B1),))
    >>> simplest("not", (c,), B1, lambda a: inner if a == c else None).name
    'd'
    """
    while True:
        known: Atom | None = fold(name, args)
        if known is None or known.type != out:
            known = _equal_operand(name, args, out, maker)
        if known is not None and known.type == out:
            return known
        better = _better(name, args, out, maker)
        if better is None:
            return name, args
        name, args = better


def _equal_operand(name: str, args: tuple[Atom, ...], out: Type, maker: Maker) -> Atom | None:
    first = maker(args[0])
    if name in ("not", "neg") and first is not None and first.op == name:
        return first.args[0]
    if name == "b1" and first is not None and first.op == "i8":
        return first.args[0]
    if name in ("f8", "f4", "i8", "b1"):
        return args[0]
    if name == "guarded_mul" and isinstance(args[0], Const) and not args[0].value:
        return args[0]
    if name == "select":
        c, a, b = args
        if key(a) == key(b):
            return a
        return c if (key(a), key(b)) == (key(TRUE), key(FALSE)) else None
    if name in ("eq", "ne") and isinstance(args[1], Const) and not args[1].value:
        return (FALSE, TRUE)[name == "ne"] if positive(args[0], maker) else None
    if len(args) == 2 and isinstance(args[0], Var) and args[0] == args[1]:
        if name in _SAME_INT and not is_float(args[0].type):
            return _SAME_INT[name]
        return args[0] if name in _SAME_ANY else None
    if name == "sub" and out == I8:
        (base, i), (other, j) = _offset(args[0], maker), _offset(args[1], maker)
        if base is not None and base == other:
            return Const(_wrap(i - j), I8)
    return None


def _better(
    name: str, args: tuple[Atom, ...], out: Type, maker: Maker
) -> tuple[str, tuple[Atom, ...]] | None:
    first = maker(args[0])
    if name == "not" and first is not None and first.op in _OPPOSITE:
        ordered = first.op in ("eq", "ne") or not any(is_float(a.type) for a in first.args)
        return (_OPPOSITE[first.op], first.args) if ordered else None
    if name == "guarded_mul" and isinstance(args[0], Const) and args[0].value:
        return "mul", args
    if name == "select":
        c, a, b = args
        if first is not None and first.op == "not" and first.args[0].type == B1:
            return "select", (first.args[0], b, a)
        if (key(a), key(b)) == (key(FALSE), key(TRUE)) and out == B1:
            return "not", (c,)
    if name in ("add", "sub") and out == I8:
        return _chain(name, args, maker)
    return None


def _chain(name: str, args: tuple[Atom, ...], maker: Maker) -> tuple[str, tuple[Atom, ...]] | None:
    """``(x + 1) + 2`` is ``x + 3``: constants of chained integer additions are summed."""
    if name == "add" and isinstance(args[0], Const):
        args = args[::-1]
    inner, last = args
    if not isinstance(inner, Var) or not isinstance(last, Const):
        return None
    base, offset = _offset(inner, maker)
    if base is None or base == inner:
        return None
    total = _wrap(offset + (int(last.value) if name == "add" else -int(last.value)))
    if -(1 << 63) < total < 0:
        return "sub", (base, Const(-total, I8))
    return "add", (base, Const(total, I8))


def _offset(a: Atom, maker: Maker) -> tuple[Var | None, int]:
    """``a`` as variable plus constant (``None`` if it is a constant or not an integer)."""
    if not isinstance(a, Var) or a.type != I8:
        return None, 0
    made = maker(a)
    if made is not None and made.op in ("add", "sub"):
        left, right = made.args
        if made.op == "add" and isinstance(left, Const):
            left, right = right, left
        if isinstance(left, Var) and left.type == I8 and isinstance(right, Const):
            value = int(right.value)
            return left, value if made.op == "add" else -value
    return a, 0


def _wrap(n: int) -> int:
    return (n + (1 << 63)) % (1 << 64) - (1 << 63)
