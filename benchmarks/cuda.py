"""Derivatives on a GPU, beside the bandwidth of its memory and other libraries.

    python -m benchmarks.cuda [--samples N] [--json FILE]

Each row is a gradient of a function of one sample over many, by ``srcad.batch`` with
``target="cuda"`` and, where they are installed with support for the GPU, by JAX and PyTorch on the
same numbers.
"floor" is the time of a copy kernel that reads and writes as many bytes as the row's arguments and
results have: no program that moves them can be faster.  Medians of repeated launches, the device
waited for before and after each.  Before anything is timed ``tests/test_cuda_gpu.py`` runs; its
outcome, the device and the date go into the file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import cuda

import srcad

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "cuda.json"
REPEATS = 20


def option(spot, sigma):
    """A European call; many transcendental functions."""
    d = (math.log(spot / 100.0) + 0.5 * sigma * sigma) / sigma
    tail = 0.5 * math.erfc(-(d - sigma) / math.sqrt(2.0))
    return spot * 0.5 * math.erfc(-d / math.sqrt(2.0)) - 100.0 * tail


def rosenbrock(x):
    """Arithmetic on a small vector."""
    s = 0.0
    for i in range(len(x) - 1):
        s += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return s


def pendulum(angle, speed):
    """Runge-Kutta steps, recorded in the thread's memory."""
    h = 0.05
    for _ in range(20):
        a = angle + 0.5 * h * speed
        b = speed - 0.5 * h * math.sin(angle)
        angle, speed = angle + h * b, speed - h * math.sin(a)
    return angle * angle + speed * speed


@cuda.jit
def copied(source, target):
    """As many bytes read and written."""
    for i in range(cuda.grid(1), source.shape[0], cuda.gridsize(1)):
        target[i] = source[i]


def median(run: Callable[[], Any]) -> float:
    """Seconds of a launch."""
    run()
    times = []
    for _ in range(REPEATS):
        cuda.synchronize()
        start = time.perf_counter()
        run()
        cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def floor(count: int) -> float:
    """Seconds of a copy that moves ``count`` numbers of 8 bytes."""
    source = cuda.to_device(np.zeros(max(count // 2, 1)))
    target = cuda.device_array_like(source)
    return median(lambda: copied[4096, 128](source, target))


def by_jax(f: Callable[..., Any], args: list[np.ndarray], axis: int) -> float:
    """The same by ``jax.jit(jax.vmap(jax.value_and_grad(...)))``."""
    import jax

    jax.config.update("jax_enable_x64", True)
    if jax.default_backend() != "gpu":
        raise RuntimeError(f"JAX runs on {jax.default_backend()}")
    wanted = tuple(range(len(args)))
    run = jax.jit(jax.vmap(jax.value_and_grad(f, wanted), in_axes=axis))
    given = [jax.device_put(a) for a in args]
    return median(lambda: jax.block_until_ready(run(*given)))


def by_torch(f: Callable[..., Any], args: list[np.ndarray], axis: int) -> float:
    """The same by PyTorch's tape, on whole arrays."""
    import torch

    given = [torch.tensor(a, device="cuda", requires_grad=True) for a in args]

    def run() -> Any:
        return torch.autograd.grad(f(*given).sum(), given)

    return median(run)


def in_modules(library: str) -> dict[str, Callable[..., Any]]:
    """The functions written for another library."""
    if library == "jax":
        import jax.numpy as m
        from jax.scipy.special import erfc
    else:
        import torch as m

        erfc = m.special.erfc

    def call(spot, sigma):
        d = (m.log(spot / 100.0) + 0.5 * sigma * sigma) / sigma
        tail = 0.5 * erfc(-(d - sigma) / math.sqrt(2.0))
        return spot * 0.5 * erfc(-d / math.sqrt(2.0)) - 100.0 * tail

    def valley(x):
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum(0)

    def swing(angle, speed):
        h = 0.05
        for _ in range(20):
            a = angle + 0.5 * h * speed
            b = speed - 0.5 * h * m.sin(angle)
            angle, speed = angle + h * b, speed - h * m.sin(a)
        return angle * angle + speed * speed

    return {"option": call, "rosenbrock": valley, "pendulum": swing}


def others(row: str, args: list[np.ndarray], axis: int) -> dict[str, float | str]:
    """Seconds by the other libraries, or why there is no number."""
    found: dict[str, float | str] = {}
    for name, run in (("jax", by_jax), ("torch", by_torch)):
        try:
            found[name] = run(in_modules(name)[row], args, axis)
        except Exception as e:  # a library that is not there, or has no GPU, stops nothing
            found[name] = f"{type(e).__name__}: {str(e)[:80]}"
    return found


def rows(n: int) -> list[tuple[str, Callable[..., Any], list[np.ndarray], int]]:
    """Name, function, arguments, and the axis of the samples."""
    g = np.random.default_rng(0)
    spot, sigma = g.uniform(80, 120, n), g.uniform(0.1, 0.5, n)
    x = g.normal(size=(8, n))
    return [
        ("option", option, [spot, sigma], 0),
        ("rosenbrock", rosenbrock, [x], 1),
        ("pendulum", pendulum, [g.normal(size=n), g.normal(size=n)], 0),
    ]


def measure(n: int) -> list[dict[str, Any]]:
    """All rows."""
    out = []
    for name, f, args, axis in rows(n):
        wanted = tuple(range(len(args)))
        batched = srcad.batch(
            srcad.value_and_grad(f, wanted), axis, (0, (axis,) * len(args)), target="cuda"
        )
        given = [cuda.to_device(a) for a in args]
        moved = 2 * sum(a.size for a in args) + n
        row: dict[str, Any] = {"row": name, "samples": n, "bytes": 8 * moved}
        row["seconds"] = {
            "floor": floor(moved),
            "srcad": median(lambda f=batched, a=given: f(*a)),  # type: ignore[misc]
            **others(name, args, axis),
        }
        print(json.dumps(row), flush=True)
        out.append(row)
    return out


def tested() -> str:
    """The last line of the tests on the GPU."""
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "tests/test_cuda_gpu.py"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return made.stdout.strip().splitlines()[-1]


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4_000_000)
    parser.add_argument("--json", type=Path, default=RESULT)
    chosen = parser.parse_args()
    device = cuda.get_current_device()
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "device": str(getattr(device, "name", device)),
        "numba": cuda.__file__.split("site-packages/")[-1],
        "tests": tested(),
        "rows": measure(chosen.samples),
    }
    chosen.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
