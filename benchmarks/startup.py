"""The first call: cold, from the cache in a new process, and what a later call costs from Python.

    python -m benchmarks.startup [--cases WORD,...] [--repeats N] [--clock wall|cpu] [--out FILE]

Three tables, and the numbers as JSON.

* Cold: seconds from the call until the first gradient is there, code generation and compilation
  included, for every case of ``benchmarks.cases``; the same for JAX (``jit`` of ``value_and_grad``)
  where it is installed and has the case; and for Numba's compilation of the objective alone.
* Warm: the same call in a fresh process that finds the code on disk, beyond ``import numba``,
  against the first call of a trivial ``njit(cache=True)`` function that is in Numba's own cache.
* Overhead: nanoseconds of a call of ``srcad.grad(f)`` over a hand-written ``njit`` function of the
  same arguments and results.

Every number of the first two is taken in a process of its own, the smallest of the repeats counts.
Seconds include the import of the compiler, but not that of NumPy, Numba or JAX.  On a busy machine
use ``--clock cpu``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
NONE = "-"


# what the processes do
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def first_call(tool: str, name: str, clock: str) -> dict[str, float]:
    """Seconds of the first gradient of a case."""
    now = CLOCKS[clock]
    import numba

    from benchmarks.cases import cases

    case = next(c for c in cases() if c.name == name)
    arguments = case.arguments
    if tool == "jax":
        from benchmarks import peers

        run: Any = peers.make("jax").gradient(case.objective.__name__, arguments, case.argnums)
    elif tool == "primal":
        plain = numba.njit(case.objective.py_func)
        run = lambda: plain(*arguments)  # noqa: E731
    else:
        begin = now()
        import srcad

        loading = now() - begin
        derivative = srcad.value_and_grad(case.objective, argnums=case.argnums)
        run = lambda: derivative(*arguments)  # noqa: E731
    begin = now()
    run()
    first = now() - begin
    begin = now()
    run()
    again = now() - begin
    return {"first": first - again + (loading if tool == "srcad" else 0.0)}


def trivial(clock: str) -> dict[str, float]:
    """Seconds of the first call of a trivial function from Numba's own cache."""
    import numba  # noqa: F401

    begin = CLOCKS[clock]()
    from benchmarks.startup_trivial import double

    double(1.0)
    return {"first": CLOCKS[clock]() - begin}


def overhead() -> dict[str, list[float]]:
    """Nanoseconds a call: srcad's gradient, the function by hand."""
    import srcad
    from benchmarks import startup_trivial as t

    a, b, c = (np.array([0.3, 0.7, 1.1, 1.3]) for _ in range(3))
    pairs: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
        "one float": (srcad.grad(t.wave), t.wave_by_hand, (0.7,)),
        "three floats": (srcad.grad(t.product, (0, 1, 2)), t.product_by_hand, (0.7, 0.3, 1.1)),
        "one array": (srcad.grad(t.squares), t.squares_by_hand, (a,)),
        "three arrays, two floats": (srcad.grad(t.mixed), t.mixed_by_hand, (a, b, c, 1.5, 2.5)),
    }
    found = {
        name: pair(lambda: ours(*args), lambda: by_hand(*args))  # noqa: B023
        for name, (ours, by_hand, args) in pairs.items()
    }
    gradient, out = srcad.grad(t.squares), np.empty(4)
    found["one array, out="] = pair(
        lambda: gradient(a, out=out), lambda: t.squares_into(a, out=out)
    )
    return found


def pair(ours: Any, by_hand: Any, count: int = 20_000) -> list[float]:
    """Nanoseconds a call of two functions, measured in turn."""
    runs = [ours, by_hand]
    for run in runs:
        run()
    rounds = [[timeit.timeit(f, f, time.process_time, count) for f in runs] for _ in range(15)]
    return [min(column) / count * 1e9 for column in zip(*rounds, strict=True)]


# running them
def in_process(what: str, cache: str, *args: str) -> Any:
    """What a fresh process says; ``None`` where it fails."""
    environment = dict(
        os.environ, SRCAD_CACHE="1", SRCAD_CACHE_DIR=cache, NUMBA_CACHE_DIR=cache + "/numba"
    )
    environment["PYTHONPYCACHEPREFIX"] = str(Path(cache).parent / "pyc")  # as if installed
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.startup", "--do", what, *args],
        env=environment, cwd=HERE.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def smallest(found: list[Any]) -> float | None:
    """The smallest time of the first call."""
    times = [x["first"] for x in found if x is not None]
    return min(times) if times else None


def measure(words: tuple[str, ...], repeats: int, clock: str) -> dict[str, Any]:
    """All numbers."""
    from benchmarks.cases import cases

    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as cache:

        def best(what: str, *args: str, fresh: bool = False) -> float | None:
            folders = [f"{cache}/{k if fresh else 0}" for k in range(repeats)]
            return smallest([in_process(what, f, *args, clock) for f in folders])

        in_process("trivial", f"{cache}/0", clock)
        in_process("first", f"{cache}/none", "srcad", cases()[0].name, clock)
        base = best("trivial")
        for case in cases():
            if case.name.startswith(words):
                rows[case.name] = {
                    "cold": best("first", "srcad", case.name, fresh=True),
                    "primal": best("first", "primal", case.name),
                    "jax": best("first", "jax", case.name),
                    "warm": best("first", "srcad", case.name),
                    "trivial": base,
                }
                print(f"{case.name}: {rows[case.name]}", file=sys.stderr, flush=True)
        return {"clock": clock, "first calls": rows, "overhead": in_process("overhead", cache)}


def cell(x: float | None, digits: int = 2) -> str:
    """A number of a table."""
    return NONE if x is None else f"{x:.{digits}f}"


def tables(found: dict[str, Any]) -> str:
    """The tables in Markdown."""
    lines = [
        "| case | cold, s | jax, s | cold / jax | primal alone, s | warm, s | trivial njit, s "
        "| warm beyond it, s |",
        "|---" * 8 + "|",
    ]
    for name, r in found["first calls"].items():
        ratio = r["cold"] / r["jax"] if r["cold"] and r["jax"] else None
        beyond = r["warm"] - r["trivial"] if r["warm"] and r["trivial"] else None
        cells = [cell(r["cold"]), cell(r["jax"]), cell(ratio), cell(r["primal"])]
        cells += [cell(r["warm"], 3), cell(r["trivial"], 3), cell(beyond, 3)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| arguments | srcad, ns | by hand, ns | overhead, ns |", "|---" * 4 + "|"]
    for name, (ours, by_hand) in (found["overhead"] or {}).items():
        lines.append(f"| {name} | {ours:.0f} | {by_hand:.0f} | {ours - by_hand:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default="", help="words that the names of cases begin with")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "startup.json")
    parser.add_argument("--do", nargs="+", help=argparse.SUPPRESS)
    given, rest = parser.parse_known_args()
    if given.do:
        what, *args = given.do
        todo = {"first": first_call, "trivial": trivial, "overhead": overhead}
        print(json.dumps(todo[what](*args, *rest)))
        return
    found = measure(tuple(given.cases.split(",")), given.repeats, given.clock)
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(tables(found))


if __name__ == "__main__":
    main()
