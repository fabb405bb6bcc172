"""What loops run over: ``range``, ``numba.prange``, ``enumerate``, ``zip``, ``reversed``.

Each handler takes ``(lowering, args, keywords, node)`` with abstract values and gives what
``loops`` knows how to run over.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numba

from srcad.frontend.core import CALLS, FALSE, PLAIN, Lowering, handles
from srcad.frontend.loops import indexed
from srcad.frontend.statements import settle
from srcad.frontend.values import IterV, RangeV, describe
from srcad.ir.build import ONE, ZERO
from srcad.ir.nodes import Atom, Const


@handles(CALLS, range)
def range_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``range(stop)``, ``range(start, stop)``, ``range(start, stop, step)``."""
    values = [lo.integer(a, node, "a bound of range") for a in args]
    if not 1 <= len(values) <= 3:
        lo.mismatch(node, f"range takes 1 to 3 arguments, got {len(values)}", PLAIN)
    start, stop, step = [ZERO, values[0], ONE] if len(values) == 1 else [*values, ONE][:3]
    if isinstance(step, Const):
        if step.value == 0:
            lo.mismatch(node, "the step of a range must not be zero", PLAIN)
    else:
        lo.b.check(lo.b.op("ne", step, ZERO), "ValueError", "range() arg 3 must not be zero")
    return RangeV(start, stop, step)


@handles(CALLS, numba.prange)
def prange_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """The same with the wish that the loop runs on several threads."""
    return replace(range_(lo, args, keywords, node), parallel=True)


@handles(CALLS, enumerate)
def enumerate_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``enumerate(xs, start)``."""
    start = args[1] if len(args) > 1 else keywords.get("start", ZERO)
    return IterV("enumerate", (settle(lo, args[0]),), lo.integer(start, node))


@handles(CALLS, zip)
def zip_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``zip(xs, ys, …)``; with ``strict``, lengths are compared before the first item."""
    if not args:
        lo.mismatch(node, "zip of nothing", instead="give it something to iterate over")
    parts = tuple(settle(lo, a) for a in args)
    strict = lo.truth(keywords.get("strict", FALSE), node)
    if not (isinstance(strict, Const) and not strict.value):
        same_lengths(lo, parts, strict, node)
    return IterV("zip", parts)


def same_lengths(lo: Lowering, parts: tuple[Any, ...], strict: Atom, node: Any) -> None:
    """Raise as ``zip`` does where lengths differ, if ``strict``."""
    lengths = [indexed(lo, p, node)[0] for p in parts]
    free = lo.b.op("not", strict)
    for k, n in enumerate(lengths[1:], 1):
        before = "argument 1" if k == 1 else f"arguments 1-{k}"
        for order, word in (("ge", "shorter"), ("le", "longer")):
            fits = lo.b.op("or", free, lo.b.op(order, n, lengths[0]))
            lo.b.check(fits, "ValueError", f"zip() argument {k + 1} is {word} than {before}")


@handles(CALLS, reversed)
def reversed_(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``reversed(xs)``."""
    v = settle(lo, args[0])
    if isinstance(v, IterV):
        lo.mismatch(node, f"cannot reverse {describe(v)}", PLAIN)
    return IterV("reversed", (v,))
