"""Derivatives on a GPU, beside the bandwidth of its memory, adjoints by hand and other libraries.

    python -m benchmarks.cuda [--samples N] [--json FILE]

Rows are gradients of a function of one sample over many (``cuda_batches``) and adjoint kernels
(``cuda_kernels``: a map, a reduction, a stencil); columns srcad, adjoints by hand, and, where they
are installed with support for the GPU, JAX, PyTorch and Warp on the same numbers.  "floor" is the
time of a copy that reads and writes as many bytes as the row's arguments and results have: no
program that moves them can be faster (``cuda_timing`` says how it is measured).  Before a tool is
timed its gradients are compared with srcad's; before anything is timed the tests that need a GPU
run, and their outcome, the device and the date go into the file.

Under Numba's simulator (``NUMBA_ENABLE_CUDASIM=1``, with few samples) everything runs once, and the
numbers mean nothing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import cuda

from benchmarks import cuda_batches, cuda_kernels
from benchmarks.cuda_timing import SIMULATED, Runner, floor, seconds

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "cuda.json"
TOOLS = ("floor", "srcad", "by hand", "jax", "torch", "warp")
TESTS = ("tests/test_cuda_gpu.py", "tests/test_kernel_gpu.py", "tests/test_offload_gpu.py")


def timed(make: Callable[[], Runner], expected: list[np.ndarray]) -> float | str:
    """Seconds of a tool, or why there is no number."""
    try:
        runner = make()
        for a, b in zip(runner.gradients(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
        return seconds(runner)
    except Exception as e:  # a tool that is not there, or has no GPU, stops nothing
        return f"{type(e).__name__}: {' '.join(str(e).split())[:80]}"


def measured(name: str, n: int, rows: Any) -> dict[str, Any]:
    """One row."""
    moved, makers = rows.runners(name, n)
    expected = makers["srcad"]().gradients()
    found: dict[str, float | str] = {"floor": floor(moved)}
    found |= {tool: timed(make, expected) for tool, make in makers.items()}
    row = {"row": name, "samples": n, "bytes": 8 * moved, "seconds": found}
    print(line(name, found), flush=True)
    return row


def line(name: str, found: dict[str, float | str]) -> str:
    """Microseconds, and how many times the floor that is."""
    least = found["floor"]
    cells = [f"{name:12s}"]
    for tool in TOOLS:
        x = found.get(tool, "")
        if isinstance(x, float) and isinstance(least, float):
            cells.append(f"{tool} {1e6 * x:9.1f} us ({x / least:5.2f})")
        elif x:
            cells.append(f"{tool} -- {x}")
    return "  ".join(cells)


def tested() -> str:
    """The last line of the tests that need a GPU."""
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", *TESTS]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return next(reversed((made.stdout + made.stderr).strip().splitlines()), "no output")


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1 << 24)
    parser.add_argument("--json", type=Path, default=None if SIMULATED else RESULT)
    parser.add_argument("--no-tests", action="store_true", help="do not run the tests before")
    chosen = parser.parse_args()
    device = "simulator" if SIMULATED else cuda.get_current_device().name
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "device": device.decode() if isinstance(device, bytes) else str(device),
        "numba": cuda.__file__.split("site-packages/")[-1],
        "tests": "not run" if chosen.no_tests else tested(),
        "rows": [
            measured(name, chosen.samples, rows)
            for rows in (cuda_batches, cuda_kernels)
            for name in rows.NAMES
        ],
    }
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
