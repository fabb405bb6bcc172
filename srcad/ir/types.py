"""Types of IR variables.

A type says what Numba would say, no more than code generation and derivative rules need:
scalars (``f8 f4 i8 b1``), arrays with element type, rank and layout, and growable lists.
Complex kinds (``c16 c8``) exist between the frontend and ``transforms.complex_pairs``, which makes
every complex number a pair of reals; no later pass meets one.
Composite Python values (tuples, namedtuples, dataclasses, dicts) never reach the IR: the
frontend takes them apart, so every IR variable is one of these three.

Invariant: types are immutable and compare by value.  Integers of any width load as ``i8``;
an array keeps the width of its elements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

INTEGER_DTYPES = ("i8", "i4", "i2", "i1", "u4", "u2", "u1")
FLOAT_DTYPES = ("f8", "f4")
COMPLEX_DTYPES = ("c16", "c8")
DTYPES = (*FLOAT_DTYPES, *INTEGER_DTYPES, "b1", *COMPLEX_DTYPES)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number: ``f8`` float64, ``f4`` float32, ``i8`` int64, ``b1`` bool; ``c16 c8`` complex."""

    kind: str

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True, slots=True)
class ArrayT:
    """A NumPy array: element dtype (``DTYPES``), rank and layout (``C``, ``F`` or ``A``)."""

    dtype: str
    ndim: int
    layout: str = "C"
    mutable: bool = True

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(':' * self.ndim)}]{self.layout}"

    @property
    def element(self) -> Scalar:
        """Type of a loaded element."""
        return Scalar("i8" if self.dtype in INTEGER_DTYPES else self.dtype)


@dataclass(frozen=True, slots=True)
class ListT:
    """An unbounded sequence of numbers or of array references, addressed by position.

    Cells spring into existence (as zero) when ``Reserve`` is executed; semantically the list
    is infinite, so ``Reserve`` has no derivative.  Tapes with an unknown length, and the lists
    of the user, are of this type.
    """

    element: Scalar | ArrayT

    def __str__(self) -> str:
        return f"list({self.element})"


Type = Scalar | ArrayT | ListT

F8, F4, I8, B1 = Scalar("f8"), Scalar("f4"), Scalar("i8"), Scalar("b1")
C16, C8 = Scalar("c16"), Scalar("c8")
PART = {C16: F8, C8: F4}  # what the real and the imaginary part are


def is_float(t: Type) -> bool:
    """Whether values of this type carry a derivative (arrays and lists: their elements)."""
    if isinstance(t, Scalar):
        return t.kind in FLOAT_DTYPES
    if isinstance(t, ArrayT):
        return t.dtype in FLOAT_DTYPES
    return is_float(t.element)


def is_complex(t: Type) -> bool:
    """Whether values of this type are complex numbers (arrays and lists: their elements)."""
    if isinstance(t, Scalar):
        return t.kind in COMPLEX_DTYPES
    return t.dtype in COMPLEX_DTYPES if isinstance(t, ArrayT) else is_complex(t.element)


def shadow_type(t: Type) -> Type:
    """Type of the shadow (tangent or adjoint) of a variable: same shape, contiguous if fresh."""
    return replace(t, mutable=True) if isinstance(t, ArrayT) else t


def promote(a: Scalar, b: Scalar) -> Scalar:
    """Result type of an arithmetic operator, by Numba's rules (float32 with int64 is float64)."""
    kinds = {a.kind, b.kind}
    if kinds & {"c16", "c8"}:
        return C8 if kinds <= {"c8", "f4", "b1"} else C16
    if kinds == {"f4"} or kinds == {"f4", "b1"}:
        return F4
    if kinds & {"f8", "f4"}:
        return F8
    return I8


def join_scalars(a: Scalar, b: Scalar) -> Scalar:
    """Type of a variable assigned both (Numba's unification: bool widens to int, then float)."""
    return a if a == b else promote(a, b)


def numpy_dtype(code: str) -> np.dtype:
    """NumPy dtype of a dtype code (``b1`` is NumPy's one-byte bool)."""
    return np.dtype("?" if code == "b1" else code)
