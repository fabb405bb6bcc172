"""The adjoint of ``prange`` loops on several threads against the same adjoint on one.

    python -m benchmarks.parallel [--scale S] [--repeats N] [--only NAME]

For each program: value and gradient with the options as they are, and with ``parallel=False``, in
turn; the best of all rounds counts (the machine may have other things to do).
The two gradients are compared, and two runs on the threads must give the same bits.  Prints a
table; a whole run is written to ``benchmarks/results/parallel.json``.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

import srcad
from benchmarks.parallel_cases import Case, cases

RESULTS = Path(__file__).parent / "results" / "parallel.json"


def timed(f: Callable[..., Any], args: tuple[Any, ...]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    f(*args)
    return time.perf_counter() - start


def leaves(result: tuple[float, Any]) -> list[np.ndarray]:
    """Value and gradients as arrays."""
    return [np.asarray(result[0]), *map(np.asarray, result[1])]


@dataclass
class Subject:
    """One program: its four functions, their best times, what was found out beforehand."""

    case: Case
    functions: dict[str, Callable[..., Any]]
    known: dict[str, Any]
    best: dict[str, float]

    def round(self) -> None:
        """Call each function once."""
        for name, f in self.functions.items():
            self.best[name] = min(self.best[name], timed(f, self.case.args))

    def row(self) -> dict[str, Any]:
        """What is reported."""
        best = self.best
        return {
            "name": self.case.name,
            "size": self.case.size,
            **{f"{name}_ms": round(1e3 * s, 3) for name, s in best.items()},
            "speedup_primal": round(best["primal_1"] / best["primal"], 2),
            "speedup_adjoint": round(best["adjoint_1"] / best["adjoint"], 2),
            **self.known,
        }


def prepared(case: Case) -> Subject:
    """Compile a program, and compare the results."""
    choices: tuple[dict[str, Any], ...] = ({"parallel": False}, {})
    primal = [srcad.differentiable(case.f, **o) for o in choices]
    both = [srcad.value_and_grad(case.f, argnums=case.wrt, **o) for o in choices]
    start = time.perf_counter()
    found = [leaves(g(*case.args)) for g in both]
    compile_seconds = time.perf_counter() - start
    again = leaves(both[1](*case.args))
    scale = [max(1.0, float(np.max(np.abs(x)))) for x in found[0]]
    error = max(float(np.max(np.abs(x - y))) / s for x, y, s in zip(*found, scale, strict=True))
    for f in primal:
        f(*case.args)
    functions = dict(zip(NAMES, [*primal, *both], strict=True))
    known = {
        "difference": error,
        "same_bits": all(np.array_equal(x, y) for x, y in zip(found[1], again, strict=True)),
        "compile_s": round(compile_seconds, 1),
    }
    return Subject(case, functions, known, dict.fromkeys(NAMES, float("inf")))


NAMES = ("primal_1", "primal", "adjoint_1", "adjoint")
HEAD = ("program", "size", "adjoint, 1 thread", "threads", "speedup", "primal", "difference")


def line(r: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table."""
    return (
        r["name"],
        r["size"],
        f"{r['adjoint_1_ms']:.1f} ms",
        f"{r['adjoint_ms']:.1f} ms",
        f"{r['speedup_adjoint']:.2f}",
        f"{r['speedup_primal']:.2f}",
        f"{r['difference']:.0e}",
    )


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    """Measure and print; the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="length of the outer loops")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--only", default="", help="programs whose name contains this")
    options = parser.parse_args(arguments)
    chosen = [c for c in cases(options.scale) if options.only.lower() in c.name.lower()]
    subjects = [prepared(c) for c in chosen]
    for s in subjects:  # each alone: what a large one gives back to the system, the next has to get
        for _ in range(options.repeats):
            s.round()
    rows = [s.row() for s in subjects]
    print(f"{numba.get_num_threads()} threads, {numba.threading_layer()}")
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    for r in rows:
        print("| " + " | ".join(line(r)) + " |")
    if options.scale == 1.0 and not options.only:
        about = {
            "threads": numba.get_num_threads(),
            "layer": numba.threading_layer(),
            "machine": platform.machine(),
            "numba": numba.__version__,
            "repeats": options.repeats,
        }
        RESULTS.write_text(json.dumps({"about": about, "programs": rows}, indent=1) + "\n")
    return rows


if __name__ == "__main__":
    main()
