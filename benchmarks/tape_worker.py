"""Runs rows of ``benchmarks.tape`` in a process of its own, with one of the two libraries.

    python -m benchmarks.tape_worker srcad.tf|tensorflow

Reads requests as JSON lines, ``{"row": index, "least": seconds}``, and answers each with a line:
seconds a call by the wall clock and of all threads' work, seconds of the row's first call, for a
first call also seconds until what it has left to other threads is done, and a sum of what that call
gave.  A worker is started for each library, so that neither shares a thread
pool, an interpreter, or its packages with the other.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # Keras 2: the package tf-keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.tape_rows import ROWS, Call

WARM = 8  # calls before the first sample: a function may be compiled after some eager calls
ENOUGH = 3.0  # seconds after which no more of them are made
SETTLE = 60.0  # seconds to wait, at most, for work that a call has left to other threads


def timed(call: Call, least: float) -> tuple[float, float]:
    """Wall and processor seconds a call, over at least ``least`` seconds."""
    count = 0
    gc.disable()
    try:
        cpu, start = time.process_time(), time.perf_counter()
        while time.perf_counter() - start < least:
            call()
            count += 1
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    finally:
        gc.enable()
    return wall / count, cpu / count


class Worker:
    """Builds rows when they are first asked for."""

    def __init__(self, module: str) -> None:
        self.tf: Any = importlib.import_module(module)
        self.version = self.tf.__version__
        self.made: dict[int, tuple[Call, float, float, float]] = {}

    def prepare(self, index: int) -> tuple[Call, float, float, float]:
        """The call of a row, what its first call took by both clocks, and what that gave."""
        call = ROWS[index].build(self.tf)
        cpu, start = time.process_time(), time.perf_counter()
        result = call()
        first, cpu = time.perf_counter() - start, time.process_time() - cpu
        if not ROWS[index].first:
            for _ in range(WARM):
                if time.perf_counter() - start < ENOUGH:
                    call()
                settle(self.tf)
        return call, first, cpu, float(np.sum(np.abs(np.asarray(result, np.float64))))

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One sample of a row."""
        index = request["row"]
        if index not in self.made:
            self.made[index] = self.prepare(index)
        call, first, first_cpu, total = self.made[index]
        if ROWS[index].first:
            start = time.perf_counter()
            settle(self.tf)
            ready = first + time.perf_counter() - start
            return {"wall": first, "cpu": first_cpu, "ready": ready, "total": total}
        wall, cpu = timed(call, request["least"])
        return {"wall": wall, "cpu": cpu, "first": first, "total": total}


def settle(tf: Any) -> None:
    """Wait for functions that are being compiled while they run eagerly."""
    if tf.__name__ == "srcad.tf":
        from srcad.tf import background

        background.wait(SETTLE)


def main() -> None:
    """Answer until the input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    worker = Worker(sys.argv[1])
    print(json.dumps({"version": worker.version}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
