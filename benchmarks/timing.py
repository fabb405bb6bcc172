"""Time and memory of calls, without anything but NumPy around."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
SLOW, SLOWEST = 0.5, 2.0  # seconds of a call: such calls are repeated less, or hardly
STATUS = Path("/proc/self/status")


class Timed:
    """A call that is timed: ``timed(seconds)`` runs it for about so long, gives seconds a call.

    The clock is read around a batch of calls, as many as take some time, so that a call of less
    than a microsecond can be measured.

    Args:
        run: the call.
        clock: seconds.
        estimate: of a call, if known; else the call is run once to know it.
    """

    def __init__(
        self, run: Callable[[], Any], clock: Callable[[], float], estimate: float | None = None
    ) -> None:
        self.run, self.clock = run, clock
        self.estimate = self.batch(1) if estimate is None else estimate

    def batch(self, count: int) -> float:
        """Seconds of so many calls."""
        run, clock = self.run, self.clock
        collecting = gc.isenabled()
        gc.disable()
        try:
            start = clock()
            for _ in range(count):
                run()
            return clock() - start
        finally:
            if collecting:
                gc.enable()

    def __call__(self, least: float) -> float:
        """Seconds a call."""
        count = max(1, int(least / max(self.estimate, 1e-8)))
        seconds = self.batch(count) / count
        self.estimate = seconds if count > 10 else min(self.estimate, max(seconds, 1e-8))
        return seconds


def peak_memory(run: Callable[[], Any]) -> int | None:
    """Bytes that a call needs on top of what the process has already; None where unknown.

    The kernel's record of the largest resident size is reset before the call (Linux only).
    Memory that an allocator kept from an earlier call is not seen: ask for growing sizes.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
        result = run()
        peak = resident("VmHWM") - before
    except (OSError, KeyError):
        return None
    del result
    return max(0, peak)


def resident(field: str) -> int:
    """A line of the process's status, in bytes."""
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines() if ":" in line)
    return int(lines[field].split()[0]) * 1024
