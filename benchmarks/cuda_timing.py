"""Seconds of a launch on a GPU, and the least that its memory traffic takes.

In: a ``Runner``, what one tool does for one row of the table.  Out: seconds of a run, when many
follow each other.

How: after a run that compiles, as many runs as take some 20 ms are started one behind the other
and waited for together, so that starting one overlaps with the one before; the median of 20 such
series.  What a tool needs on the host is hidden as far as the device is busy, as in a program.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import cuda

REPEATS = 20
SERIES = 0.02  # seconds
SIMULATED = "simulator" in getattr(cuda.to_device, "__module__", "")


def nothing(last: Any) -> None:
    """The device is waited for anyway."""


@dataclass(frozen=True)
class Runner:
    """One tool: ``run`` starts the work; ``wait`` ends when the result of a run is there.

    ``gradients`` are those of the first run, on the host.
    """

    run: Callable[[], Any]
    gradients: Callable[[], list[np.ndarray]]
    wait: Callable[[Any], None] = nothing


def series(runner: Runner, count: int) -> float:
    """Seconds of a run, of so many behind each other."""
    cuda.synchronize()
    start = time.perf_counter()
    for _ in range(count):
        last = runner.run()
    runner.wait(last)
    cuda.synchronize()
    return (time.perf_counter() - start) / count


def seconds(runner: Runner) -> float:
    """The median over the series."""
    if SIMULATED:  # to see that everything runs
        return series(runner, 1)
    series(runner, 1)
    count = int(min(max(SERIES / series(runner, 3), 1), 1000))
    return statistics.median(series(runner, count) for _ in range(REPEATS))


def blocks(n: int, threads: int, most: int = 1 << 30) -> int:
    """Blocks for ``n`` threads."""
    return max(1, min(-(-n // threads), most))


@cuda.jit
def copied(source, target):
    """As many bytes read as written."""
    for i in range(cuda.grid(1), source.shape[0], cuda.gridsize(1)):
        target[i] = source[i]


@cache
def floor(count: int) -> float:
    """Seconds in which ``count`` numbers of 8 bytes can be moved: half read, half written.

    The faster one of a copying kernel and the driver's own copy.
    """
    n = max(count // 2, 1)
    source = cuda.to_device(np.zeros(n))
    target = cuda.device_array_like(source)
    ways = [
        Runner(lambda: copied[blocks(n, 256), 256](source, target), list),
        Runner(lambda: copied[blocks(n, 256, 4096), 256](source, target), list),
        Runner(lambda: target.copy_to_device(source), list),
    ]
    return min(map(seconds, ways))
