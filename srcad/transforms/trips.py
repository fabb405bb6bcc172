"""How often a counted loop runs, and which iteration a counter value belongs to."""

from __future__ import annotations

from srcad.ir.build import ZERO, Builder, const
from srcad.ir.nodes import Atom, Const, For, While


def counted(s: For | While) -> bool:
    """Whether the trip count follows from the bounds by a formula with constant divisor."""
    return isinstance(s, For) and not s.breaks and isinstance(s.step, Const) and s.step.value != 0


def trip_count(b: Builder, start: Atom, stop: Atom, step: Atom) -> Atom:
    """Iterations of ``range(start, stop, step)`` for a constant step, never negative."""
    assert isinstance(step, Const)
    s = int(step.value)
    span = b.op("sub", stop, start, hint="n") if s > 0 else b.op("sub", start, stop, hint="n")
    if abs(s) > 1:
        span = b.op("add", span, const(abs(s) - 1), hint="n")
        span = b.op("floordiv", span, const(abs(s)), hint="n")
    return b.op("max", span, ZERO, hint="n")


def trip_number(b: Builder, index: Atom, start: Atom, step: Const) -> Atom:
    """Which iteration of ``range(start, …, step)`` has this index."""
    s = int(step.value)
    far = b.op("sub", index, start, hint="k") if s > 0 else b.op("sub", start, index, hint="k")
    return far if abs(s) == 1 else b.op("floordiv", far, const(abs(s)), hint="k")
