"""The evals of GradBench in srcad, JAX, PyTorch and TensorFlow, measured side by side.

    python -m benchmarks.gradbench.compare [--tools jax,pytorch,tensorflow] [--evals WORD,...]
        [--rounds N] [--clock cpu|wall] [--python TOOL=INTERPRETER]...

Every tool is a process of its own that speaks GradBench's protocol, on one thread; rounds go from
tool to tool, and the table has the median of the rounds.  Every result is compared with srcad's.
What a tool is given: its own tensors, and index arrays that depend on no number it differentiates
by.  ``--python`` names another interpreter for a tool that is installed elsewhere.

Out: ``benchmarks/results/gradbench.json`` (with ``--evals``, those rows of it) and the table, which
``python -m tests.readme`` puts into the README.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gradbench.workloads import workloads

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "gradbench.json"
PEERS = {"jax": "JAX", "pytorch": "PyTorch", "tensorflow": "TensorFlow"}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
TOLERANCE = {"particle": 1e-4, "saddle": 1e-4}  # descents stop a step apart


class Worker:
    """A tool in a process of its own."""

    def __init__(self, name: str, python: str, clock: str) -> None:
        self.name = name
        self.defined: dict[str, dict[str, Any]] = {}
        where = (
            ["benchmarks.gradbench"] if name == "srcad" else ["benchmarks.gradbench.peers", name]
        )
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [python, "-m", *where, "--clock", clock],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
        )

    def ask(self, kind: str, **message: Any) -> dict[str, Any]:
        """One message and its response; an empty one if the process has ended."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"id": 0, "kind": kind, **message}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return {}
        line = self.process.stdout.readline()
        return json.loads(line) if line else {}

    def define(self, module: str) -> dict[str, Any]:
        """The response to the first ``define`` of a module, which is the one that compiles."""
        if module not in self.defined:
            self.defined[module] = self.ask("define", module=module)
        return self.defined[module]

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


def leaves(x: Any) -> Iterator[float]:
    """Numbers of a result, in order."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, list):
        for part in x:
            yield from leaves(part)
    else:
        yield float(x)


def difference(ours: Any, theirs: Any) -> float:
    """Largest difference, relative to the largest number."""
    if isinstance(theirs, dict):
        ours = {k: ours[k] for k in theirs}
    a, b = np.array([*leaves(ours)]), np.array([*leaves(theirs)])
    if a.shape != b.shape:
        return np.inf
    return float(np.max(np.abs(a - b)) / max(1e-2, np.max(np.abs(a))))


def plain(x: Any) -> Any:
    """Arrays as lists."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return x.tolist() if isinstance(x, np.ndarray) else x


def seconds(answer: dict[str, Any]) -> list[float]:
    """Times of the runs of a response."""
    return [t["nanoseconds"] * 1e-9 for t in answer["timings"]]


def first_calls(
    workers: list[Worker], module: str, function: str, given: Any
) -> dict[str, dict[str, Any]]:
    """For each tool that has the function: seconds until it has compiled, and its result's error.

    Raises:
        AssertionError: a result differs from srcad's.
    """
    found: dict[str, dict[str, Any]] = {}
    ours = None
    for worker in workers:
        defined = worker.define(module)
        if not defined.get("success"):
            continue
        answer = worker.ask("evaluate", module=module, function=function, input=given)
        if not answer.get("success"):
            if "no function" not in answer.get("error", ""):
                print(f"{worker.name} {module}.{function}: {answer.get('error')}", file=sys.stderr)
            continue
        ours = answer["output"] if ours is None else ours
        apart = difference(ours, answer["output"])
        assert apart < TOLERANCE.get(module, 1e-7), f"{worker.name} {module}: {apart:.1e} apart"
        compiling = sum(t["nanoseconds"] for t in defined["timings"] if function in t["name"])
        first = seconds(answer)[0]
        found[worker.name] = {"first": compiling * 1e-9 + first, "apart": apart, "slow": first > 3}
    return found


def row(
    workers: list[Worker], module: str, function: str, given: Any, rounds: int, least: float
) -> dict[str, dict[str, Any]]:
    """Median seconds and seconds of the first call of each tool."""
    found = first_calls(workers, module, function, given)
    samples: dict[str, list[float]] = {name: [] for name in found}
    timed = given if not isinstance(given, dict) else {**given, "min_runs": 1, "min_seconds": least}
    for k in range(rounds):
        for worker in workers:
            if worker.name in found and not (k and found[worker.name]["slow"]):
                again = 1 if isinstance(given, dict) else 50  # a lone number asks for one run
                asked = [
                    worker.ask("evaluate", module=module, function=function, input=timed)
                    for _ in range(again)
                ]
                samples[worker.name].append(
                    statistics.median(t for answer in asked for t in seconds(answer))
                )
    return {
        name: {"seconds": statistics.median(samples[name]), "first": facts["first"]}
        for name, facts in found.items()
    }


def times(ratio: float) -> str:
    """A ratio with two or three digits."""
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}"


def table(results: dict[str, Any]) -> str:
    """Markdown: srcad's time and first call, the others as multiples of the time."""
    names = [n for n in PEERS if any(n in r for r in results["rows"].values())]
    heads = ["eval", "srcad, ms", *(f"{PEERS[n]} / srcad" for n in names)]
    heads += ["compiling: srcad, s", *(f"{PEERS[n]}, s" for n in names if n == "jax")]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for label, found in results["rows"].items():
        ours = found["srcad"]
        cells = [f"{ours['seconds'] * 1e3:.3g}"]
        cells += [
            times(found[n]["seconds"] / ours["seconds"]) if n in found else "-" for n in names
        ]
        cells += [f"{found[n]['first']:.1f}" if n in found else "-" for n in ["srcad", "jax"]]
        lines.append(f"| {label} | " + " | ".join(cells[: len(heads) - 1]) + " |")
    return "\n".join(lines)


def readme() -> str:
    """The README's part, from the kept results."""
    results = json.loads(RESULTS.read_text())
    return f"{results['about']}\n\n{table(results)}\n"


def about(workers: list[Worker], clock: str) -> str:
    """What was measured, in words."""
    versions = [worker.ask("start").get("config", worker.name) for worker in workers]
    return (
        f"Medians of {'CPU' if clock == 'cpu' else 'wall-clock'} time on one thread of a "
        f"{os.cpu_count()}-core {platform.machine()} machine with Python "
        f"{platform.python_version()}: {', '.join(versions)}."
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, keep the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default=",".join(PEERS))
    parser.add_argument("--evals", default="", help="words that the labels begin with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="least time of a round")
    parser.add_argument("--clock", choices=["cpu", "wall"], default="cpu")
    parser.add_argument("--python", action="append", default=[], metavar="TOOL=INTERPRETER")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    pythons = dict(p.split("=", 1) for p in chosen.python)
    names = ["srcad", *filter(None, chosen.tools.split(","))]
    workers = [Worker(n, pythons.get(n, sys.executable), chosen.clock) for n in names]
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"about": about(workers, chosen.clock), "rows": {}}
    if chosen.evals and chosen.out.exists():
        results["rows"] = json.loads(chosen.out.read_text())["rows"]
    for label, (module, functions, given) in workloads().items():
        for function in functions:
            name = f"{label} {function}" if len(functions) > 1 else label
            if name.startswith(tuple(chosen.evals.split(","))):
                found = row(workers, module, function, plain(given), chosen.rounds, chosen.seconds)
                results["rows"][name] = found
                chosen.out.write_text(json.dumps(results, indent=1) + "\n")
                shown = ", ".join(f"{n} {f['seconds'] * 1e3:.3g} ms" for n, f in found.items())
                print(f"{name}: {shown}", file=sys.stderr, flush=True)
    for worker in workers:
        worker.close()
    print(table(results))


if __name__ == "__main__":
    main()
