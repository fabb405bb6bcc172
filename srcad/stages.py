"""What is done to a program after the last transform, in which order, and why in that one.

In: IR after the last transform, what it is for (``Purpose``).  Out (``arranged``): the IR that is
printed or run.  Each stage names those that have to come before it; ``tests/test_architecture.py``
holds the order against that.  With ``verify=True`` the IR is verified after every stage.

Invariant: every stage keeps values to the last bit, as far as the options ask for that, and the
sums of adjoint code up to their order.  Limits: what concerns the whole of the call (results in
arrays of the caller, long functions in parts, memory kept between calls) is the compiler's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from srcad.ir.nodes import Function
from srcad.ir.verify import verify
from srcad.options import Options
from srcad.storage.apart import sums_apart
from srcad.storage.exchange import exchanged
from srcad.storage.gathers import gathered
from srcad.storage.jam import jammed
from srcad.storage.loops import merged
from srcad.storage.opaque import hidden
from srcad.storage.parallel import parallelised, stopped
from srcad.storage.phases import phased
from srcad.storage.relaxed import relaxed
from srcad.storage.remembered import remembered
from srcad.storage.reuse import reused
from srcad.storage.rows import matrices
from srcad.storage.spare import spared
from srcad.storage.strips import in_strips
from srcad.storage.sums import summed
from srcad.storage.unused import only_used
from srcad.storage.vectors import vectorised


@dataclass(frozen=True)
class Purpose:
    """What the code is for.

    ``kind`` is ``"machine"`` (compiled for the processor), ``"text"`` (run as it stands, or by the
    interpreter) or ``"whole"`` (made part of something else: no vector forms, loops as they are).
    ``names`` says which elementary functions have vector forms, ``counted`` which functions keep
    the calls and results that nobody uses, ``given`` and ``results`` which parameters and results
    are derivatives (empty: unknown).
    """

    options: Options
    kind: str
    threads: bool = True
    names: Collection[str] = ()
    counted: Collection[str] = ()
    given: Sequence[bool] = ()
    results: Sequence[bool] = ()


@dataclass(frozen=True)
class Stage:
    """One step; ``after`` names stages that come before it where they run, ``why`` says why."""

    name: str
    run: Callable[[Function, Purpose], Function]
    after: tuple[str, ...]
    why: str
    kinds: tuple[str, ...] = ("machine", "text", "whole")


def threads(fn: Function, p: Purpose) -> Function:
    """Loops on several threads."""
    wanted = p.options.parallel if p.threads else False
    return parallelised(fn, wanted, p.options.atomics)[0]


def apart(fn: Function, p: Purpose) -> Function:
    """Sums in loops of their own, where their order is free."""
    return sums_apart(fn) if p.options.fastmath == "all" else fn


def flags(fn: Function, p: Purpose) -> Function:
    """Marks on the operations that may be fused and reordered."""
    mode = p.options.fastmath
    return fn if mode is False else relaxed(fn, [*p.given], [*p.results], mode == "all")


HERE, LOOPS = ("machine",), ("machine", "text")
STAGES = (
    Stage("used", lambda fn, p: only_used(fn, p.counted), (), "less to do for all others"),
    Stage("remembered", lambda fn, p: remembered(fn), ("used",), "it records calls", LOOPS),
    Stage("rows", lambda fn, p: matrices(fn), ("used",), "a tape nobody reads needs no rows"),
    Stage("threads", threads, ("rows",), "rows of a tape belong to iterations, so to threads"),
    Stage(
        "gathers",
        lambda fn, p: gathered(fn, distinct=p.kind != "whole"),  # else overlaps are not looked at
        ("threads",),
        "threads cut the ranges of loops whose neighbours are still to be seen",
    ),
    Stage(
        "lanes",
        lambda fn, p: jammed(fn, p.names),
        ("threads", "gathers"),
        "a part of a thread is a loop like any other; arrays still belong to iterations",
        HERE,
    ),
    Stage(
        "allocations",
        lambda fn, p: reused(fn),
        ("lanes",),
        "an array made in an iteration is one for each lane only as long as it is made there",
        LOOPS,
    ),
    Stage(
        "merged",
        lambda fn, p: merged(fn),
        ("lanes", "allocations"),
        "lanes cut loops anew; loops are neighbours once no array is made between them",
        LOOPS,
    ),
    Stage("sums", lambda fn, p: summed(fn), ("merged",), "merging brings sums into one loop"),
    Stage("apart", apart, ("sums",), "a sum in a local can be seen as one"),
    Stage(
        "strips",
        lambda fn, p: in_strips(fn, p.names),
        ("merged", "apart"),
        "a sum in the user's order is what loops are cut into strips for",
        HERE,
    ),
    Stage("phases", lambda fn, p: phased(fn, p.names), ("strips",), "strips are cheaper", HERE),
    Stage(
        "buffers",
        lambda fn, p: reused(fn),
        ("strips", "phases"),
        "rows of strips and phases leave the loops around",
        ("machine", "whole"),
    ),
    Stage(
        "vectors",
        lambda fn, p: vectorised(fn, p.names),
        ("strips", "phases"),
        "these make the loops in which functions are computed for several elements at once",
        HERE,
    ),
    Stage("spare", lambda fn, p: spared(fn), ("buffers",), "what left the loop is made once", HERE),
    Stage(
        "exchanged",
        lambda fn, p: exchanged(fn),
        ("merged", "spare"),
        "what an iteration adds at its end is one loop; arrays that take turns have done so",
        HERE,
    ),
    Stage("flags", flags, ("apart", "exchanged"), "they are on operations, which are all made"),
    Stage("stops", lambda fn, p: stopped(fn), ("lanes", "phases"), "these know checks, not tables"),
    Stage("hidden", lambda fn, p: hidden(fn), ("stops",), "it is for LLVM alone", HERE),
)


def arranged(fn: Function, purpose: Purpose) -> Function:
    """The program after all stages that its purpose has."""
    fn = replace(fn, nogil=purpose.options.nogil)
    for stage in STAGES:
        if purpose.kind in stage.kinds:
            made = stage.run(fn, purpose)
            if purpose.options.verify and made is not fn:
                verify(made)
            fn = made
    return fn
