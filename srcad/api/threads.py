"""What became of loops that were to run on several threads, for ``explain``.

In: a program, and every call that the reference backend observes.  Out: one ``ParallelLoop`` for
each such loop of the generated code (of forward and reverse sweep).
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcad.backends.reference import run
from srcad.compiler import Program
from srcad.ir.nodes import Function
from srcad.storage.measure import allocating, measured, tape_bytes
from srcad.storage.parallel import parallelised


@dataclass(frozen=True)
class ParallelLoop:
    """A loop that runs on several threads, or the reason why it does not (``serial``).

    ``role`` is ``"primal"`` or ``"adjoint"``; ``private_bytes`` is what the copies of ``private``
    arrays take for each thread (0 where the loop ran in one piece), ``recorded_bytes`` what each
    records of an iteration, ``atomic`` are arrays that all threads add to, ``window`` the number of
    iterations at the start of each thread's part that wait for its neighbour.
    """

    line: int
    text: str
    role: str
    serial: str = ""
    reductions: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    atomic: tuple[str, ...] = ()
    private_bytes: int = 0
    recorded_bytes: int = 0
    window: int = 0

    def __str__(self) -> str:
        head = f"  line {self.line}: {self.text} ({self.role})"
        if self.serial:
            return f"{head}\n    one thread: {self.serial}"
        notes = []
        if self.reductions:
            notes.append(f"partial results of {', '.join(self.reductions)}")
        if self.private:
            size = f" ({self.private_bytes:,} B for each)" if self.private_bytes else ""
            notes.append(f"copies of {', '.join(self.private)}{size}")
        if self.recorded_bytes:
            notes.append(f"tapes of one iteration ({self.recorded_bytes:,} B for each)")
        if self.atomic:
            notes.append(f"atomic additions to {', '.join(self.atomic)}")
        if self.window:
            notes.append(f"{self.window} iterations at the start of each part run later")
        return f"{head}\n    several threads: {'; '.join(notes) or 'no element is shared'}"


class Threads:
    """Collects what the calls of a run show."""

    def __init__(self, program: Program, final: Function) -> None:
        _, self.regions = parallelised(
            program.fn, program.options.parallel, program.options.atomics
        )
        self.sizes: dict[str, int] = {}
        self.tapes: dict[str, dict[str, int]] = {}  # bytes by tape, by function that runs a part
        parts = {r.part for r in self.regions}
        self.parts = {
            name: measured(allocating(f)) for name, f in final.callees.items() if name in parts
        }

    def recorded(self) -> dict[str, int]:
        """Bytes of the tapes that a thread has of its own, by tape."""
        return {name: size for sizes in self.tapes.values() for name, size in sizes.items()}

    def observe(self, name: str, args: tuple[Any, ...], results: tuple[Any, ...]) -> None:
        """A call has returned."""
        if name in self.parts and name not in self.tapes:
            fn, counted = self.parts[name]
            self.tapes[name] = tape_bytes(counted, run(fn, args))
        region = next((r for r in self.regions if r.function == name), None)
        if region is not None and region.private:
            copies = [args[k] for k in region.copies if isinstance(args[k], np.ndarray)]
            others = int(args[0]) - 1  # the first part adds to the array itself
            size = sum(a.nbytes for a in copies) // others
            self.sizes[name] = max(size, self.sizes.get(name, 0))

    def found(self) -> tuple[ParallelLoop, ...]:
        """The loops, in the order of the generated code."""
        return tuple(
            ParallelLoop(
                r.loc.line if r.loc else 0,
                linecache.getline(r.loc.file, r.loc.line).strip() if r.loc else "",
                "adjoint" if r.loc and r.loc.role == "adjoint" else "primal",
                r.reason,
                r.reductions,
                r.private,
                r.atomic,
                self.sizes.get(r.function, 0),
                sum(self.tapes.get(r.part, {}).values()),
                r.window,
            )
            for r in self.regions
        )
