"""Kinds of the results of elementwise operations on arrays: Numba's, where numbers' differ.

In: the name of a primitive, the kinds of its operands.  Out: the primitive that is meant, the kind
of the result, operands of the kind in which it is computed.

Differs from operations on numbers: float32 with integers stays float32; functions of bools are
float32; sums and products of bools are bools; ``np.fmod`` of integers is an integer.
"""

from __future__ import annotations

from collections.abc import Iterable

from srcad.frontend.core import PLAIN, Lowering
from srcad.ir.build import ZERO
from srcad.ir.nodes import Atom, Const
from srcad.ir.primitives import PRIMITIVES, WITH_ORDER, primitive
from srcad.ir.types import B1, C8, C16, F4, F8, I8, Scalar, is_complex

# what NumPy makes of arithmetic of arrays of bools
OF_BOOLS = {"add": "bitor", "mul": "bitand", "abs": "b1"}


def meant(lo: Lowering, name: str, kinds: list[Scalar], node: object) -> str:
    """The primitive that an operation on arrays of these kinds is."""
    if set(kinds) != {B1}:
        return name
    if name in ("sub", "neg"):
        lo.mismatch(
            node,
            f"{'-' if name == 'neg' else 'a difference'} of arrays of bools",
            PLAIN,
            "use ~ or ^, or convert with .astype(int)",
        )
    return OF_BOOLS.get(name, name)


def float_of_bools(name: str, kinds: Iterable[object]) -> bool:
    """Whether operands are bools and the primitive makes floats of them, float32 of float32."""
    p = PRIMITIVES[name]
    return (
        set(kinds) == {B1}
        and p.result_type(*[B1] * p.arity) == F8
        and p.result_type(*[F4] * p.arity) == F4
    )


def result_kind(name: str, kinds: list[Scalar]) -> Scalar:
    """The kind of the elements of a result."""
    if {C8, C16} & set(kinds):
        single = not {F8, C16} & set(kinds)
        kinds = [F4 if single and k in (I8, B1) else k for k in kinds]
        return primitive(name).result_type(*kinds)  # refuses what is for reals only
    single = F4 in kinds and F8 not in kinds
    if name == "fmod" and not {F8, F4} & set(kinds):
        return I8
    if name == "sinc" and single:  # of a number it is float64
        return F4
    if single or float_of_bools(name, kinds):
        kinds = [F4] * len(kinds)
    return PRIMITIVES[name].result_type(*kinds)


def narrow(lo: Lowering, name: str, xs: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """Operands in float32 where the result is."""
    types = {x.type for x in xs}
    if {C8, C16} & types:
        single = bool({I8, B1} & types) and not {F8, C16} & types
        return tuple(lo.b.cast(x, F4) if single and x.type in (I8, B1) else x for x in xs)
    single = types in ({F4, I8}, {F4, B1}, {F4, I8, B1}) or float_of_bools(name, types)
    if name not in WITH_ORDER and single:
        return tuple(lo.b.cast(x, F4) for x in xs)
    return xs


def fix_kinds(lo: Lowering, name: str, xs: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """Operands as the primitive wants them (integer division of arrays is float division)."""
    if name == "truediv" and all(x.type in (I8, B1) for x in xs):
        return tuple(lo.b.cast(x, F8) for x in xs)
    if name == "pow":
        return tuple(lo.b.cast(x, I8) if x.type == B1 else x for x in xs)
    return xs


def of_elements(lo: Lowering, name: str, xs: tuple[Atom, ...]) -> Atom:
    """A primitive of elements.

    Between numbers ``/`` raises where the divisor is zero; between elements it does not, so its
    derivative must be guarded: zero cotangents stay zero.
    """
    xs = fix_kinds(lo, name, xs)
    known = isinstance(xs[1], Const) and xs[1].value if name == "truediv" else True
    if not known and not any(is_complex(x.type) for x in xs):
        name = "steep_div"
    if name == "fmod" and all(x.type in (I8, B1) for x in xs):
        x, y = (lo.b.cast(x, I8) for x in xs)
        rest = lo.b.op("mod", lo.b.op("abs", x), lo.b.op("abs", y))
        return lo.b.op("select", lo.b.op("lt", x, ZERO), lo.b.op("neg", rest), rest)
    return lo.b.op(name, *xs)
