"""Whole-array code that transforms emit: zeros of the same shape, element loops, copies.

In: a ``Builder`` and references.  Out: statements of the ordinary IR (loops over elements).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from srcad.errors import InternalError
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.nodes import Atom, Const, Var
from srcad.ir.types import F8, ArrayT, ListT, Scalar, Type

FLAT = ArrayT("f8", 1)


def zero_of(kind: Type) -> Const:
    """The number zero of a scalar type."""
    assert isinstance(kind, Scalar)
    value: float | int | bool = {"i8": 0, "b1": False}.get(kind.kind, 0.0)
    return Const(value, kind)


def sizes(b: Builder, ref: Var) -> tuple[Atom, ...]:
    """The shape of an array (the number of cells of a list)."""
    ndim = ref.type.ndim if isinstance(ref.type, ArrayT) else 1
    return tuple(b.dim(ref, axis) for axis in range(ndim))


def fresh(b: Builder, kind: Type, shape: tuple[Atom, ...], zero: bool, hint: str) -> Var:
    """New storage of a shape: F-contiguous for that layout, else C-contiguous."""
    if isinstance(kind, ListT):
        made = b.alloc(kind, (), zero, hint)
        if shape:
            b.reserve(made, shape[0])
        return made
    assert isinstance(kind, ArrayT)
    plain = replace(kind, layout="C", mutable=True)
    if kind.layout != "F" or kind.ndim < 2:
        return b.alloc(plain, shape, zero, hint)
    turned = b.alloc(plain, shape[::-1], zero, hint)
    axes = tuple(range(kind.ndim))[::-1]
    return b.view(turned, "transpose", axes, replace(plain, layout="F"), hint)


def contiguous(kind: Type) -> Type:
    """The type of what ``fresh`` makes."""
    if not isinstance(kind, ArrayT):
        return kind
    turned = kind.layout == "F" and kind.ndim > 1
    return replace(kind, layout="F" if turned else "C", mutable=True)


def like(b: Builder, ref: Var, hint: str, zero: bool = True) -> Var:
    """New contiguous storage of the shape of ``ref``."""
    return fresh(b, ref.type, sizes(b, ref), zero, hint)


def fit(b: Builder, ref: Var, kind: Type, hint: str = "") -> Var:
    """``ref`` as a reference of exactly the type ``kind`` (which may forget the layout)."""
    if not isinstance(ref.type, ArrayT):
        return ref
    assert isinstance(kind, ArrayT)
    if replace(ref.type, mutable=kind.mutable) == kind:
        return ref
    shape = replace(kind, layout="A", mutable=True)
    plain = kind.layout == "A" or kind.ndim == 1 and ref.type.layout != "A"
    if not plain or replace(ref.type, layout="A", mutable=True) != shape:
        raise InternalError(f"a reference of type {ref.type} cannot stand for {kind}")
    if kind.ndim == 1 and (ref.type.layout, kind.layout) == ("C", "F"):
        return _column(b, ref, kind, hint or ref.hint)
    return b.view(ref, "same", (), kind, hint or ref.hint)


def _column(b: Builder, ref: Var, kind: ArrayT, hint: str) -> Var:
    """A C vector as the column of a matrix, which Numba calls an F vector."""
    matrix = replace(kind, ndim=2, layout="C")
    row = b.view(ref, "reshape", (ONE, b.dim(ref, 0)), matrix, hint)
    turned = b.view(row, "transpose", (1, 0), replace(matrix, layout="F"), hint)
    whole = ("slice", None, None, None)
    return b.view(turned, "index", (whole, ("at", ZERO)), kind, hint)


def each(
    b: Builder,
    ref: Var,
    body: Callable[[tuple[Atom, ...]], None],
    shape: tuple[Atom, ...] | None = None,
) -> None:
    """Loops over the elements of an array or list around what ``body(index)`` emits."""
    bounds = sizes(b, ref) if shape is None else shape
    with ExitStack() as loops:
        body(tuple(loops.enter_context(b.loop(ZERO, n)) for n in bounds))


def copy(b: Builder, source: Var, hint: str, into: Var | None = None) -> Var:
    """A copy of the contents of an array or list of numbers, in new contiguous storage."""
    shape = sizes(b, source)
    made = fresh(b, source.type, shape, False, hint) if into is None else into

    def element(index: tuple[Atom, ...]) -> None:
        b.store(made, index, b.load(source, *index))

    each(b, source, element, shape)
    return made


def add_to(b: Builder, target: Var, x: Var, sign: float = 1.0) -> None:
    """``target += sign * x``."""

    def element(index: tuple[Atom, ...]) -> None:
        value: Atom = b.load(x, *index)
        b.accumulate(target, index, value if sign == 1 else b.op("neg", value))

    each(b, target, element)


def fill(b: Builder, ref: Var, value: float) -> None:
    """Every element of a float array or list becomes ``value``."""
    assert isinstance(ref.type, (ArrayT, ListT))
    kind = ref.type.element
    assert isinstance(kind, Scalar)
    number = const(value, F8 if kind == F8 else kind)
    each(b, ref, lambda index: b.store(ref, index, number))
