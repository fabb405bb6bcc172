"""``source`` and ``explain``: what srcad generated, and what it saves."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srcad.api.costs import CheckpointedLoop, Costs
from srcad.api.function import Transformed, as_function
from srcad.api.grad import Differentiable
from srcad.api.safety import compiling
from srcad.api.threads import ParallelLoop, Threads
from srcad.api.unsaved import Unsaved, unsaved
from srcad.specs import Spec

if TYPE_CHECKING:
    from srcad.transforms.reverse.storage import Residual


def source(g: Any, *args: Any, **kwargs: Any) -> str:
    """The generated Python of a function object for given arguments.

    With ``target="cuda"`` it shows the kernels and the driver that launches them.  The text runs by
    itself with numpy and numba (and ``srcad.runtime`` where it says ``vmath``); a
    comment names the user's line above each group of adjoint statements.

    Args:
        g: what ``grad``, ``jacobian``, ``differentiable``, … gave, or a plain function.
        *args: arguments it would be called with (only their kinds matter).

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> "def " in source(square_sum, np.ones(2))
    True
    """
    from srcad.backends.printer import emit
    from srcad.compiler import finished

    f: Transformed = as_function(g)
    bound = f.bind(args, kwargs)
    specs = f.specs(bound)
    if f.options.target == "cuda":
        from srcad.api.offload import text_of
        from srcad.specs import leaves_of

        with compiling(f):
            leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])]
            return text_of(f.program(specs), leaves).source
    with compiling(f):
        return emit(finished(f.program(specs)), linecache.getlines).source


@dataclass(frozen=True)
class Saved:
    """One primal value that the reverse sweep uses."""

    variable: str
    how: str
    line: int
    text: str
    needed_by: int
    bytes: int

    @property
    def why(self) -> str:
        """Why it is recorded, or why that is not necessary."""
        return WHY.get(self.how, self.how)

    def __str__(self) -> str:
        size = f"{self.bytes:>10,} B" if self.bytes else " " * 12
        need = f"for line {self.needed_by}" if self.needed_by else ""
        return f"  {self.variable:<12} {self.how:<13} {size}  line {self.line}: {self.text}  {need}"


@dataclass(frozen=True)
class Explanation:
    """What ``explain`` found: one entry per primal value, and the bytes of all tapes.

    Of tapes that each thread has for itself it is the bytes of one thread.  ``loops`` has one entry
    for each loop marked by ``srcad.checkpointed``, ``parallel`` one for each that runs on several
    threads, or was to and does not.  ``unsaved`` has one for each other float variable of the
    source, and says why the reverse sweep does without.  ``workspace_bytes`` is what the function's
    workspace has from the system now.
    """

    name: str
    saved: tuple[Saved, ...]
    tape_bytes: int
    loops: tuple[CheckpointedLoop, ...] = ()
    parallel: tuple[ParallelLoop, ...] = ()
    unsaved: tuple[Unsaved, ...] = ()
    workspace_bytes: int | None = None

    def __str__(self) -> str:
        head = f"{self.name}: {self.tape_bytes:,} bytes recorded"
        lines = [*self.saved, *self.unsaved, *self.loops, *self.parallel]
        if self.workspace_bytes is not None:
            lines.append(f"  workspace: {self.workspace_bytes:,} bytes")
        return "\n".join([head, *map(str, lines)])


HOW = {
    "kept": "kept",
    "index": "loop counter",
    "recomputed": "recomputed",
    "reloaded": "read again",
    "preallocated": "recorded",
    "list": "recorded*",
    "state": "each step's",
}

WHY = {
    "kept": "still there: never overwritten",
    "loop counter": "known from the trip",
    "recomputed": "cheap, and its operands are still there",
    "read again": "the array it was read from still holds it",
    "recorded": "overwritten by the next trip",
    "recorded*": "overwritten by the next trip; the number of trips is not known on entry",
    "each step's": "the step is run again from the state before it",
}


def explain(g: Any, *args: Any, **kwargs: Any) -> Explanation:
    """What a derivative saves for its reverse sweep, where, why, and how many bytes.

    Args:
        g: what ``grad`` or ``value_and_grad`` gave (or a plain function: its gradient).
        *args: arguments; the derivative is run once on copies of them.

    Returns:
        An ``Explanation``; it prints as a table.  ``recorded*`` means a growing list (the trip
        count is not known on entry), ``each step's`` the state before every iteration, from which
        it is run again.

    >>> from srcad.examples import fixed_steps
    >>> explain(fixed_steps, 0.3, 4).tape_bytes
    32
    """
    from srcad.api.grad import Grad
    from srcad.api.higher import snapshot
    from srcad.backends.reference import run
    from srcad.compiler import finished
    from srcad.specs import leaves_of
    from srcad.storage.loops import merged
    from srcad.storage.measure import measured, tape_bytes

    f: Transformed = as_function(g)
    if type(f) in (Transformed, Differentiable):
        f = Grad(f)
    bound = f.bind(args, kwargs)
    specs = f.specs(bound)
    with compiling(f):
        program = f.program(specs)
    leaves = [snapshot(x) for k, v in bound.items() for x in leaves_of(v, specs[k])]
    leaves += [snapshot(c.now()) for c in program.captures]
    final = finished(program, whole=True)  # as it runs: a tape may have its place in a result
    fn, found = measured(final if program.options.backend == "cuda" else merged(final))
    costs = Costs({k: v for report in program.reports for k, v in report.loops.items()})
    threads = Threads(program, final)

    def observe(*call: Any) -> None:
        costs.observe(*call)
        threads.observe(*call)

    sizes = tape_bytes(found, run(fn, tuple(leaves), observe=observe)) | threads.recorded()
    rows = tuple(row(r, sizes) for report in program.reports for r in report.residuals)
    total = sum(r.bytes for r in rows) + sum(sizes.values())
    rest = without(f, specs, {r.variable for r in rows})
    found_loops = tuple(costs.found.values())
    held = None if f.workspace is None else f.workspace.bytes
    return Explanation(f.__name__, rows, total, found_loops, threads.found(), rest, held)


def row(r: Residual, sizes: dict[str, int]) -> Saved:
    """What is said of one value that the reverse sweep needs; its tape is taken from ``sizes``."""
    text = linecache.getline(r.loc.file, r.loc.line).strip()[:60] if r.loc else ""
    how = HOW.get(r.kind, r.kind)
    line, reason = (loc.line if loc else 0 for loc in (r.loc, r.reason))
    return Saved(r.primal, how, line, text, reason, sizes.pop(r.tape, 0))


def without(f: Transformed, specs: dict[str, Spec], saved: set[str]) -> tuple[Unsaved, ...]:
    """What the reverse sweep of a gradient does without."""
    from srcad.api.grad import Grad
    from srcad.api.programs import active_pattern
    from srcad.api.selection import select
    from srcad.ir.types import is_float

    if not isinstance(f, Grad):
        return ()
    with compiling(f):
        program = Transformed.program(f, specs)
        active = active_pattern(program, select(program, f.argnums))
    count = sum(is_float(y.type) for y in program.fn.body.yields)
    return unsaved(program, active, tuple(k == 0 for k in range(count)), saved)
