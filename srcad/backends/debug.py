"""Debug mode of the reference backend: where an error happened, where the first NaN came from.

``guarded`` wraps the closure of a statement; ``poisoned`` makes uninitialised storage whose
floats are NaNs with a mark, so that a read before the first write is told from an ordinary NaN.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.errors import source_excerpt
from srcad.ir.nodes import Accumulate, ArrayOp, Check, For, If, Load, Op, Stmt, Var, While
from srcad.ir.text import statement_text
from srcad.ir.walk import operands, targets

MARK = 0x7FF8_DEAD_0000_0000  # a quiet NaN; survives rounding to float32
_POISON_INT = 0x5DEAD5


class DebugNaN(FloatingPointError):
    """A NaN appeared (or storage was read that nobody wrote); the message says where."""


def poisoned(shape: tuple[int, ...], dtype: Any, order: Any = "C") -> np.ndarray:
    """Storage with undefined contents, recognisable."""
    out = np.empty(shape, dtype, order)
    if out.dtype.kind == "f":
        out.fill(np.uint64(MARK).view(np.float64))
    elif out.dtype.kind != "b":
        out.fill(_POISON_INT % 127 if out.dtype.itemsize == 1 else _POISON_INT % 32749)
    else:
        out.fill(True)
    return out


def place(s: Stmt) -> str:
    """The user's line with a caret, and the statement that srcad made of it."""
    lines = source_excerpt(s.loc) if s.loc is not None else []
    role = f" (its {s.loc.role})" if s.loc is not None and s.loc.role != "primal" else ""
    return "\n".join(["", *lines, f"  computing{role}: {statement_text(s)}"])


def has_nan(x: Any) -> bool:
    """Whether a number is, or an array contains, NaN."""
    if isinstance(x, np.ndarray):
        return x.dtype.kind == "f" and bool(np.isnan(x).any())
    return isinstance(x, float) and x != x


def is_poison(x: Any) -> bool:
    """Whether a number is the mark of storage that nobody wrote."""
    if not (isinstance(x, float) and x != x):
        return False
    bits: int = struct.unpack("<Q", struct.pack("<d", x))[0]
    return bits >> 32 == MARK >> 32


def guarded(
    step: Callable[[list], None], s: Stmt, slot: Callable[[Any], int]
) -> Callable[[list], None]:
    """``step`` with its errors located and the first NaN reported."""
    if isinstance(s, (If, For, While)):
        return step
    if isinstance(s, Check):
        return _located(step, s)
    reads = [slot(a) for a in operands(s) if isinstance(a, Var)]
    writes = [slot(t) for t in targets(s)]
    located = _located(step, s)
    if isinstance(s, Load):
        (t,) = writes

        def load(fr: list) -> None:
            located(fr)
            if is_poison(fr[t]):
                raise DebugNaN(f"storage read before it was written{place(s)}")

        return load
    if isinstance(s, (Op, ArrayOp)):

        def compute(fr: list) -> None:
            located(fr)
            if any(has_nan(fr[t]) for t in writes) and not any(has_nan(fr[r]) for r in reads):
                values = ", ".join(repr(fr[r]) for r in reads)
                raise DebugNaN(f"NaN from ({values}){place(s)}")

        return compute
    return _accumulating(located, s, slot) if isinstance(s, Accumulate) else located


def _accumulating(
    step: Callable[[list], None], s: Accumulate, slot: Callable[[Any], int]
) -> Callable[[list], None]:
    array, index, value = slot(s.array), [slot(i) for i in s.index], slot(s.value)

    def accumulate(fr: list) -> None:
        at: Any = tuple(fr[i] for i in index)
        cells = fr[array]
        at = at[0] if isinstance(cells, list) else at
        before = float(cells[at])
        if is_poison(before):
            raise DebugNaN(f"storage accumulated into before it was written{place(s)}")
        step(fr)
        if not has_nan(before) and not has_nan(fr[value]) and has_nan(float(cells[at])):
            raise DebugNaN(f"NaN from ({before!r} += {fr[value]!r}){place(s)}")

    return accumulate


def _located(step: Callable[[list], None], s: Stmt) -> Callable[[list], None]:
    def wrapped(fr: list) -> None:
        try:
            step(fr)
        except Exception as error:
            if not hasattr(error, "loc"):
                error.loc = s.loc  # type: ignore[attr-defined]
                if not isinstance(s, Check) and error.args and isinstance(error.args[0], str):
                    error.args = (f"{error.args[0]}{place(s)}", *error.args[1:])
            raise

    return wrapped
