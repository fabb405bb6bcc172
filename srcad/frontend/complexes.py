"""Complex numbers in the frontend: what makes them, their parts, and which functions take them.

Operators and elementwise functions are guarded by the table of primitives
(``ir.primitives_complex``).  For every other function srcad knows, ``check`` is the guard: a
function takes complex arguments only if it stands in ``CAPABLE`` (it moves data, or is a polynomial
or quotient of its operands without conjugation, and ``tests/test_complex.py`` calls it), or has a
definition for complex arguments of its own (``HANDLERS``, ``library.complexes``).  Everything else
is refused by name.
"""

from __future__ import annotations

import builtins
import cmath
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.frontend.arrays import apply_elementwise, elementwise, shape_of
from srcad.frontend.attributes import imaginary_attribute, same_attribute
from srcad.frontend.conversions import convert
from srcad.frontend.core import ATTRIBUTES, CALLS, METHODS, PLAIN, Lowering, handles
from srcad.frontend.creation import as_array
from srcad.frontend.values import (
    FunctionV,
    IterV,
    Lazy,
    ListV,
    Maybe,
    Tuple,
    flatten,
    is_array,
    is_scalar,
)
from srcad.frontend.views import derived
from srcad.ir.build import const
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Atom, Var
from srcad.ir.primitives_base import COMPLEX
from srcad.ir.types import C8, C16, F4, F8, is_complex
from srcad.library import LIBRARY, LIBRARY_COMPLEX
from srcad.library.complexes import CAPABLE as CAPABLE_LIBRARY
from srcad.library.complexes import CAPABLE_CODE
from srcad.library.complexes import CAPABLE_METHODS as CAPABLE_LIBRARY_METHODS
from srcad.rules.registry import FUNCTIONS

_NP = """all any append array array_equal array_equiv asarray ascontiguousarray asfortranarray
broadcast_to column_stack concatenate copy count_nonzero cumprod cumsum diagonal einsum empty_like
expand_dims flip fliplr flipud full full_like hstack mean moveaxis ndenumerate ndim ones_like outer
prod ravel reshape result_type shape size squeeze stack sum swapaxes transpose tril triu vectorize
vstack where zeros_like isscalar"""
CAPABLE = {
    *(getattr(np, name) for name in _NP.split()),
    *(abs, all, any, bool, builtins.sum, dict, enumerate, getattr, isinstance, len, list, pow),
    *(reversed, tuple, zip, np.lib.stride_tricks.sliding_window_view),
    *CAPABLE_LIBRARY,
}
CAPABLE_METHODS = {
    *(
        [
            "copy",
            "fill",
            "flatten",
            "item",
            "ravel",
            "reshape",
            "squeeze",
            "swapaxes",
            "transpose",
            "diagonal",
            "astype",
        ]
    ),
    *(["sum", "prod", "mean", "cumsum", "cumprod", "all", "any", "conj", "conjugate"]),
    *CAPABLE_LIBRARY_METHODS,
}
HANDLERS: dict[Any, Callable] = {}  # of complex arguments, where the real definition differs


def holds_complex(v: Any) -> bool:
    """Whether a value is a complex number, or has one anywhere in it."""
    if isinstance(v, Maybe):
        return holds_complex(v.value)
    if isinstance(v, Lazy):
        return v.dtype in ("c16", "c8")
    if isinstance(v, ListV):
        return holds_complex(v.element)
    if isinstance(v, (Tuple, IterV)):
        return any(map(holds_complex, v.items if isinstance(v, Tuple) else v.parts))
    return any(is_complex(a.type) for a in flatten(v)[0])


def complex_handler(lo: Lowering, obj: Any, args: list, keywords: dict, node: Any) -> Any:
    """How a known function is called with these arguments: ``None``, as ever.

    Raises:
        TypeMismatch: an argument is complex, and the function is declared for real ones only.
    """
    if not any(map(holds_complex, (*args, *keywords.values()))):
        return None
    if obj in HANDLERS:
        return HANDLERS[obj]
    if capable(obj) or obj in CALLS_OF_SRCAD:
        return None
    from srcad.frontend.calls import full_name

    refuse(lo, full_name(obj), node)


def capable(f: Any) -> bool:
    """Whether the real definition of a function holds for complex arguments as it stands."""
    return f in CAPABLE or f in LIBRARY and LIBRARY[f].code in CAPABLE_CODE


def takes_complex(f: Any) -> bool:
    """Whether a function of Python or NumPy takes complex arguments."""
    op = FUNCTIONS.get(f)
    analytic = op in COMPLEX and getattr(f, "__module__", "") != "math"
    return capable(f) or f in HANDLERS or f in CALLS_OF_SRCAD or analytic


def check_method(lo: Lowering, name: str, owner: Any, args: list, node: Any) -> None:
    """Refuse a method of numbers and arrays that is declared for real ones only."""
    kind, _, short = name.partition(".")
    if kind in ("array", "scalar") and short not in CAPABLE_METHODS:
        if any(map(holds_complex, (owner, *args))):
            refuse(lo, f"the method {short}", node)


def refuse(lo: Lowering, what: str, node: Any) -> Any:
    """The refusal of a function by name."""
    lo.mismatch(
        node,
        f"{what} is not supported for complex numbers",
        "its value and its derivative are declared for real arguments only",
        "apply it to z.real and z.imag, or write it with arithmetic, exp, log, sqrt, abs, conj",
    )


ORDER = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OF_INTEGERS = {"floordiv": "//", "mod": "%"}


def refuse_operator(lo: Lowering, name: str, a: Any, b: Any, node: Any) -> None:
    """Refuse an operator that complex numbers do not have."""
    symbol = ORDER.get(name) or OF_INTEGERS.get(name)
    for v in (a, b):
        if symbol and (is_array(v) or is_scalar(v)) and holds_complex(v):
            lo.mismatch(
                node,
                f"{symbol} is not supported for complex numbers",
                "complex numbers have no order" if name in ORDER else PLAIN,
                "use abs(z) or z.real",
            )


# parts
def part(lo: Lowering, v: Any, name: str, node: Any) -> Any:
    """The real or imaginary part: of an array, a view of it."""
    if is_scalar(v):
        return lo.b.op(name, v)
    if isinstance(v, Var) and shape_of(lo, v):
        made = lo.b.view(v, name, (), view_layout(v.type, name, ()), v.hint or "v")  # type: ignore[arg-type]
        return derived(lo, made, v, lo.shape(v), (name,))
    return elementwise(lo, name, [v], node)


@handles(ATTRIBUTES, "real")
def real_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``z.real``; of a real value itself."""
    return part(lo, v, "real", node) if holds_complex(v) else same_attribute(lo, v, node)


@handles(ATTRIBUTES, "imag")
def imag_attribute(lo: Lowering, v: Any, node: Any) -> Any:
    """``z.imag``; of a real value zero."""
    return part(lo, v, "imag", node) if holds_complex(v) else imaginary_attribute(lo, v, node)


def write_part(lo: Lowering, owner: Any, name: str, value: Any, node: Any) -> bool:
    """``a.real = value``: whether that is what the assignment means."""
    from srcad.frontend.arrays import write_array

    if not (isinstance(owner, Var) and is_complex(owner.type) and shape_of(lo, owner)):
        return False
    write_array(lo, part(lo, owner, name, node), value, node)
    return True


def unary(name: str) -> Callable:
    """Handler of a primitive of one complex argument (tuples and lists are arrays)."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        v = as_array(lo, only(lo, args, keywords, name, node), node)
        return lo.b.op(name, v) if is_scalar(v) else elementwise(lo, name, [v], node)

    return handler


def only(lo: Lowering, args: list, keywords: dict, name: str, node: Any) -> Any:
    """The one argument of a function."""
    given = [*args, *keywords.values()]
    if len(given) != 1:
        lo.mismatch(node, f"{name} of a complex number takes 1 argument, got {len(given)}")
    return given[0]


def of_part(name: str) -> Callable:
    """Handler of ``np.real`` and ``np.imag``."""
    return lambda lo, args, keywords, node: part(
        lo, as_array(lo, only(lo, args, keywords, name, node), node), name, node
    )


HANDLERS[np.real], HANDLERS[np.imag] = of_part("real"), of_part("imag")
HANDLERS[np.conjugate] = unary("conj")


@handles(HANDLERS, np.angle)
def angle(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.angle(z, deg)``."""
    deg = keywords.pop("deg", args[1] if len(args) > 1 else const(False))
    out = unary("angle")(lo, args[:1], keywords, node)
    if getattr(deg, "value", None) is False:
        return out
    if getattr(deg, "value", None) is not True:
        lo.fail(node, "deg must be a constant", instead="np.angle(z, deg=True)")
    return elementwise(lo, "rad2deg", [out], node) if is_array(out) else lo.b.op("rad2deg", out)


def conjugate_method(lo: Lowering, v: Any, args: list, keywords: dict, node: Any) -> Any:
    """``z.conj()``, ``z.conjugate()``; of a real value itself."""
    return unary("conj")(lo, [v], {}, node) if holds_complex(v) else v


for _name in ("scalar.conj", "scalar.conjugate", "array.conj", "array.conjugate"):
    METHODS[_name] = conjugate_method


def of_library(code: Callable) -> Callable:
    """Handler that expands a function of ``library.complexes``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        from srcad.frontend.expansion import expand
        from srcad.frontend.source import get_source

        return expand(lo, FunctionV(get_source(code)), args, keywords, node)

    return handler


HANDLERS.update({f: of_library(code) for f, code in LIBRARY_COMPLEX.items()})


# tests
def test_of(f: Callable[[Lowering, Atom], Atom]) -> Callable:
    """Handler of a test of every element."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        v = as_array(lo, only(lo, args, keywords, "a test", node), node)
        if is_scalar(v):
            return f(lo, v)
        return apply_elementwise(lo, lambda z: f(lo, z), [v], "b1", node)

    return handler


def _is_complex(lo: Lowering, z: Atom) -> Atom:
    return lo.b.op("ne", lo.b.op("imag", z), const(0.0))


HANDLERS[np.iscomplex] = test_of(_is_complex)
HANDLERS[np.isreal] = test_of(lambda lo, z: lo.b.op("not", _is_complex(lo, z)))
HANDLERS[np.iscomplexobj] = lambda lo, args, keywords, node: const(True)
HANDLERS[np.isrealobj] = lambda lo, args, keywords, node: const(False)


# making them
@handles(CALLS, complex)
def complex_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``complex(re, im)``, ``complex(z)``; complex parts count as in Python."""
    given = [*args, *([keywords["imag"]] if "imag" in keywords else [])]
    if "real" in keywords:
        given.insert(0, keywords["real"])
    elif "imag" in keywords and not args:
        given.insert(0, const(0.0))
    if not 1 <= len(given) <= 2:
        return const(0j) if not given else lo.mismatch(node, "complex takes 2 numbers", PLAIN)
    parts = [lo.scalar(a, node) for a in given]
    if len(parts) == 1:
        return lo.b.cast(parts[0], C16)
    if not any(is_complex(p.type) for p in parts):
        kind = F4 if all(p.type == F4 for p in parts) else F8
        return lo.b.op("complex", *(lo.b.cast(p, kind) for p in parts))
    turned = lo.b.op("mul", lo.b.cast(parts[1], C16), const(1j))
    return lo.b.op("add", lo.b.cast(parts[0], C16), turned)


@handles(CALLS, np.complex128)
def complex128_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.complex128(x)``."""
    return convert(lo, args, C16, "c16", node)


@handles(CALLS, np.complex64)
def complex64_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.complex64(x)``."""
    return convert(lo, args, C8, "c8", node)


# cmath
def of_cmath(name: str) -> Callable:
    """Handler of a function of ``cmath``: of one number, which is made complex."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        z = lo.scalar(only(lo, args, keywords, f"cmath.{name}", node), node)
        return lo.b.op(name, z if is_complex(z.type) else lo.b.cast(z, C16))

    return handler


_ELEMENTARY = "exp sqrt log10 sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh"
for _name in (*_ELEMENTARY.split(), "isnan", "isinf", "isfinite"):
    CALLS[getattr(cmath, _name)] = of_cmath(_name)
CALLS[cmath.phase] = of_cmath("angle")


@handles(CALLS, cmath.log)
def log_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``cmath.log(z)`` and ``cmath.log(z, base)``."""
    logs = [of_cmath("log")(lo, [a], {}, node) for a in args]
    return logs[0] if len(logs) == 1 else lo.b.op("truediv", *logs)


@handles(CALLS, cmath.polar)
def polar(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``cmath.polar(z)``: modulus and angle."""
    return Tuple((of_cmath("abs")(lo, args, keywords, node), of_cmath("angle")(lo, args, {}, node)))


@handles(CALLS, cmath.rect)
def rect(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``cmath.rect(r, angle)``."""
    r, turn = (lo.b.cast(lo.scalar(a, node), F8) for a in args)
    sides = (lo.b.op("mul", r, lo.b.op(f, turn)) for f in ("cos", "sin"))
    return lo.b.op("complex", *sides)


CALLS_OF_SRCAD = {complex, np.complex128, np.complex64}
CALLS_OF_SRCAD |= {f for f in CALLS if getattr(f, "__module__", "") == "cmath"}
