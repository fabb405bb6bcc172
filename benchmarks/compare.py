"""Gradient times of srcad, of hand-written Numba adjoints and of other AD tools.

    python -m benchmarks.compare [--data ADBENCH_FOLDER] [--tools autograd,jax] [--cases WORD,...]
                                 [--rounds N] [--clock wall|cpu]

All tools run interleaved in one process, on one thread, on the same data; the table gives the
median of the rounds.  Every gradient is compared with srcad's.  On a busy machine use ``--clock
cpu`` and look at ratios.  Tools that are not installed, or have no version of a case, show ``-``.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import argparse  # noqa: E402  (the variables above must be set before NumPy is imported)
import gc  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

import srcad  # noqa: E402
from benchmarks import peers  # noqa: E402
from benchmarks.cases import Case, cases  # noqa: E402

Call = Callable[[], Any]


def flat(result: Any) -> np.ndarray:
    """Value and gradients as one vector."""
    value, gradient = result
    parts = gradient if isinstance(gradient, (tuple, list)) else (gradient,)
    return np.concatenate([[float(value)], *(np.ravel(np.asarray(g)) for g in parts)])


def calls(case: Case, tools: list[peers.Tool]) -> dict[str, Call]:
    """What is timed: the primal, srcad's gradient, and those of the others that have one."""
    derivative = srcad.value_and_grad(case.objective, argnums=case.argnums)
    found: dict[str, Call] = {
        "primal": lambda: case.objective(*case.arguments),
        "srcad": lambda: derivative(*case.arguments),
    }
    if case.by_hand is not None:
        by_hand = case.by_hand
        found["by hand"] = lambda: by_hand(*case.arguments)
    for tool in tools:
        if case.objective.__name__ in peers.OBJECTIVES:
            found[tool.name] = tool.gradient(case.objective.__name__, case.arguments, case.argnums)
    return found


def check(case: Case, runs: dict[str, Call]) -> float:
    """First calls (which compile); seconds of srcad's.

    Raises:
        AssertionError: gradients differ by more than 1e-8 of the largest entry.
    """
    start = time.perf_counter()
    ours = flat(runs["srcad"]())
    first = time.perf_counter() - start
    for name, run in runs.items():
        result = run()
        if name == "primal":
            assert abs(result - ours[0]) <= 1e-10 * abs(ours[0]), f"{case.name}: value"
        else:
            worst = np.max(np.abs(flat(result) - ours)) / np.max(np.abs(ours))
            assert worst < 1e-8, f"{case.name}: {name} differs by {worst:.0e}"
    return first


def timed(run: Call, clock: Callable[[], float], least: float) -> float:
    """Seconds a call, over at least ``least`` seconds of calls."""
    count, total = 0, 0.0
    gc.disable()
    try:
        while total < least:
            start = clock()
            run()
            total += clock() - start
            count += 1
    finally:
        gc.enable()
    return total / count


def row(
    case: Case, tools: list[peers.Tool], rounds: int, clock: Callable[[], float], least: float = 0.1
) -> dict[str, float]:
    """Median seconds of each, and the seconds of srcad's first call."""
    runs = calls(case, tools)
    first = check(case, runs)
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            samples[name].append(timed(run, clock, least))
    return {**{name: statistics.median(s) for name, s in samples.items()}, "first call": first}


def table(rows: dict[str, dict[str, float]], names: list[str]) -> str:
    """The table in Markdown: the primal in ms, gradients as multiples of it."""
    others = ["by hand", *names]
    lines = [
        "| case | primal, ms | srcad, ms | srcad / primal | "
        + " | ".join(f"{n} / primal" for n in others)
        + " | first call, s |",
        "|---" * (len(others) + 5) + "|",
    ]
    for case, found in rows.items():
        cells = [f"{found['primal'] * 1e3:.3f}", f"{found['srcad'] * 1e3:.3f}"]
        cells += [
            f"{found[n] / found['primal']:.2f}" if n in found else "-" for n in ["srcad", *others]
        ]
        lines.append(f"| {case} | " + " | ".join([*cells, f"{found['first call']:.1f}"]) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder of ADBench's files")
    parser.add_argument("--tools", default=",".join(peers.TOOLS), help="AD tools to compare with")
    parser.add_argument("--cases", default="", help="words that the names of cases begin with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    chosen = parser.parse_args(arguments)
    tools = []
    for name in filter(None, chosen.tools.split(",")):
        try:
            tools.append(peers.TOOLS[name]())
        except ImportError:
            print(f"{name} is not installed")
    clock = time.process_time if chosen.clock == "cpu" else time.perf_counter
    wanted = tuple(chosen.cases.split(","))
    rows = {}
    for case in cases(chosen.data):
        if case.name.startswith(wanted):
            rows[case.name] = row(case, tools, chosen.rounds, clock)
            print(f"{case.name}: {rows[case.name]}", flush=True)
    print("\n" + table(rows, [tool.name for tool in tools]))


if __name__ == "__main__":
    main()
