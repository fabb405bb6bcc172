"""What makes it impossible to know who wins an atomic maximum or minimum.

In: a kernel before any transform.  Out: nothing, or ``UnsupportedSyntax`` at the line (see
``cuda.extremes`` for why each is so).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from srcad.analyses.regions import Regions
from srcad.cuda.program import Kernel
from srcad.errors import UnsupportedSyntax
from srcad.ir.nodes import Accumulate, Atom, Call, Load, Loc, Stmt, Store, Var
from srcad.ir.threads import EXTREMES, how_atomic, is_atomic
from srcad.ir.types import is_float
from srcad.ir.walk import statements

NEXT = (
    "call cuda.syncthreads() right after it, in the same block of statements; in a loop, take the "
    "maximum of the thread first (m = max(m, v)) and update the array once"
)


def is_extreme(s: Stmt) -> bool:
    """Whether a statement is an atomic maximum or minimum of floats."""
    return is_atomic(s) and how_atomic(s.fn) in EXTREMES and is_float(s.args[0].type)  # type: ignore[union-attr]


@dataclass(frozen=True)
class Entry:
    """A call on a shared array that waits for the next barrier."""

    array: Var
    index: tuple[Atom, ...]
    value: Atom
    raised: Atom  # whether the call changed the element
    called: Atom
    loc: Loc | None


def unsettled(e: Entry) -> UnsupportedSyntax:
    """The error for a call whose outcome is not known at the next barrier."""
    name = e.array.hint or e.array.name
    return UnsupportedSyntax(
        f"an atomic maximum or minimum in {name!r} with no barrier after it",
        e.loc,
        "which thread has won is known when all have come to the next barrier, and a loop or a "
        "branch with a barrier in it comes between",
        NEXT,
    )


def check_contested(kernel: Kernel, regions: Regions) -> None:
    """Refuse what makes it impossible to know who wins a global array.

    Raises:
        UnsupportedSyntax: something does.
    """
    names = {p.name for p in kernel.arguments}
    calls: dict[str, list[Call]] = defaultdict(list)
    for s in statements(kernel.fn.body):
        if isinstance(s, Call) and is_extreme(s):
            check_reference(s, kernel, regions)
            for r in regions.of(s.args[0]) & names:
                calls[r].append(s)
    for name, group in calls.items():
        if len({how_atomic(s.fn) for s in group}) > 1:
            raise UnsupportedSyntax(
                f"different atomic updates of {name!r} in one kernel",
                group[-1].loc,
                "what they leave depends on the order of the threads",
                "use an array for each",
            )
        check_alone(kernel, regions, name)
    if calls:
        check_reproducible(kernel, regions, next(iter(calls.values()))[0])


def check_reference(s: Call, kernel: Kernel, regions: Regions) -> None:
    """Refuse calls on slices, and on what may be one array or another."""
    a = s.args[0]
    params = {p.name for p in kernel.fn.params}
    if regions.of(a) & params and (len(regions.of(a)) > 1 or a.name not in params):  # type: ignore[union-attr]
        raise UnsupportedSyntax(
            "an atomic maximum or minimum in a slice of an array",
            s.loc,
            "who has won is kept in a table with the subscripts of the array",
            "give the array itself and all subscripts: cuda.atomic.max(a, (i, j), v)",
        )


def check_alone(kernel: Kernel, regions: Regions, name: str) -> None:
    """Refuse other accesses to a global array with such calls."""
    for s in statements(kernel.fn.body):
        touches = isinstance(s, (Load, Store, Accumulate)) and name in regions.of(s.array)
        if touches or is_atomic(s) and not is_extreme(s) and name in regions.of(s.args[0]):  # type: ignore[union-attr]
            raise UnsupportedSyntax(
                f"{name!r} is read or written beside its atomic maximum or minimum",
                s.loc,  # type: ignore[union-attr]
                "the extreme is known when all blocks are done",
                "set it before the launch, and read it in a kernel after this one",
            )


def check_reproducible(kernel: Kernel, regions: Regions, call: Call) -> None:
    """Refuse values that are others in another order of the threads."""
    summed: set[str] = set()
    read: set[str] = set()
    counts = False
    for s in statements(kernel.fn.body):
        if isinstance(s, Accumulate) and s.atomic and is_float(s.array.type):
            summed |= regions.of(s.array)
        elif isinstance(s, Load):
            read |= regions.of(s.array)
        counts |= is_atomic(s) and bool(s.targets)  # type: ignore[union-attr]
    if counts or summed & read:
        raise UnsupportedSyntax(
            "an atomic maximum or minimum in a kernel whose values depend on the order of the "
            "threads",
            call.loc,
            "who has won is found by running the kernel again, which then computes other values",
            "take the maximum in a kernel of its own, or sum in shared memory without atomics",
        )
