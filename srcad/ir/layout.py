"""Layout of views: what Numba infers for the view expression that generated code prints.

In: the type of the base, ``kind`` and ``spec`` of a ``View``.  Out: the type of the target.
Source: ``numba.core.typing.arraydecl.get_array_index_type``; ``a.T`` swaps C and F, any other
permutation is ``A``; a reshape of a C array is C.

Invariant: monotone.  A base that is more contiguous gives a view that is at least as contiguous
(a contiguous shadow may stand wherever a strided primal stood, never the other way round).

>>> matrix = ArrayT("f8", 2)
>>> full = ("slice", None, None, None)
>>> str(view_layout(matrix, "index", (full, ("at", 0)))), str(view_layout(matrix, "index", (full,)))
('f8[:]A', 'f8[:,:]C')
>>> str(view_layout(matrix, "transpose", (1, 0)))
'f8[:,:]F'
"""

from __future__ import annotations

from typing import Any

from srcad.ir.types import COMPLEX_DTYPES, ArrayT


def view_layout(base: ArrayT, kind: str, spec: tuple[Any, ...]) -> ArrayT:
    """Type of the view ``kind``/``spec`` of an array of type ``base``."""
    if kind == "same":
        return base
    if kind in PARTS:
        return _parts(base, kind)
    if kind == "reshape":
        return ArrayT(base.dtype, len(spec), "C", base.mutable)
    if kind == "transpose":
        return ArrayT(base.dtype, base.ndim, _transposed(base, spec), base.mutable)
    used = [item for item in spec if item[0] != "new"]
    ndim = base.ndim + len(spec) - len(used) - sum(item[0] == "at" for item in spec)
    return ArrayT(base.dtype, ndim, _indexed(base, spec, len(used)), base.mutable)


PARTS = ("pairs", "complex", "real", "imag")


def _parts(base: ArrayT, kind: str) -> ArrayT:
    if kind == "complex":
        whole = {"f8": "c16", "f4": "c8"}[base.dtype]
        return ArrayT(whole, base.ndim - 1, "C" if base.layout == "C" else "A", base.mutable)
    part = {"c16": "f8", "c8": "f4"}[base.dtype]
    if kind == "pairs":
        return ArrayT(part, base.ndim + 1, "C" if base.layout == "C" else "A", base.mutable)
    return ArrayT(part, base.ndim, "A", base.mutable)


def _transposed(base: ArrayT, axes: tuple[Any, ...]) -> str:
    if base.ndim < 2:
        return base.layout
    if base.dtype in COMPLEX_DTYPES:
        return "A"  # the axis of the pairs stays last
    reverse = tuple(axes) == tuple(range(base.ndim))[::-1]
    return {"C": "F", "F": "C"}.get(base.layout, "A") if reverse else "A"


def _indexed(base: ArrayT, spec: tuple[Any, ...], used: int) -> str:
    """``A`` unless only the axis that varies slowest in memory is sliced, and not strided."""
    if base.layout == "C":
        return "C" if _contiguous(spec) else "A"
    if base.layout == "F" and used == base.ndim:
        return "F" if _contiguous(spec[::-1]) else "A"
    return "A"


def _contiguous(outer: tuple[Any, ...]) -> bool:
    for i, item in enumerate(outer):
        innermost = all(later[0] == "new" for later in outer[i + 1 :])
        if item[0] == "slice" and not (innermost and item[3] is None):
            return False
    return True
