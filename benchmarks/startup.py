"""The first call: cold, from the cache in a new process, and what a later call costs from Python.

    python -m benchmarks.startup [--cases WORD,...] [--repeats N] [--out FILE]

Three tables, and the numbers as JSON.

* Cold: seconds from the call until the first gradient is there, code generation and compilation
  included, for every case of ``benchmarks.cases``; the same for JAX (``jit`` of ``value_and_grad``)
  where it is installed and has the case; and for Numba's compilation of the objective alone.
* Warm: the same call in a fresh process that finds the code on disk, beyond ``import numba``,
  against the first call of a trivial ``njit(cache=True)`` function that is in Numba's own cache.
* Overhead: nanoseconds of a call of ``srcad.grad(f)`` over a hand-written ``njit`` function of the
  same arguments and results.

Every number of the first two is taken in a process of its own, the smallest of the repeats counts.
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
def first_call(tool: str, name: str) -> dict[str, float]:
    """Seconds of the first gradient of a case, and of what came before it."""
    start = time.perf_counter()
    import numba

    imported = time.perf_counter()
    from benchmarks.cases import cases

    case = next(c for c in cases() if c.name == name)
    arguments = case.arguments
    if tool == "jax":
        from benchmarks import peers

        run: Any = peers.TOOLS["jax"]().gradient(case.objective.__name__, arguments, case.argnums)
    elif tool == "primal":
        plain = numba.njit(case.objective.py_func)
        run = lambda: plain(*arguments)  # noqa: E731
    else:
        begin = time.perf_counter()
        import srcad

        loading = time.perf_counter() - begin
        derivative = srcad.value_and_grad(case.objective, argnums=case.argnums)
        run = lambda: derivative(*arguments)  # noqa: E731
    begin = time.perf_counter()
    run()
    first = time.perf_counter() - begin
    begin = time.perf_counter()
    run()
    again = time.perf_counter() - begin
    extra = loading if tool == "srcad" else 0.0
    return {"numba": imported - start, "first": first + extra - again}


def trivial() -> dict[str, float]:
    """Seconds of the first call of a trivial function from Numba's own cache."""
    start = time.perf_counter()

    imported = time.perf_counter()
    from benchmarks.startup_trivial import double

    double(1.0)
    return {"numba": imported - start, "first": time.perf_counter() - imported}


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
    return {name: pair(ours, by_hand, args) for name, (ours, by_hand, args) in pairs.items()}


def pair(ours: Any, by_hand: Any, args: tuple[Any, ...], count: int = 20_000) -> list[float]:
    """Nanoseconds a call of two functions, measured in turn."""
    runs = [lambda: ours(*args), lambda: by_hand(*args)]
    rounds = [[timeit.timeit(f, f, time.process_time, count) for f in runs] for _ in range(15)]
    return [min(column) / count * 1e9 for column in zip(*rounds, strict=True)]


# running them
def in_process(what: str, cache: str, *args: str) -> Any:
    """What a fresh process says; ``None`` where it fails."""
    environment = dict(
        os.environ, SRCAD_CACHE="1", SRCAD_CACHE_DIR=cache, NUMBA_CACHE_DIR=cache + "/numba"
    )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.startup", "--do", what, *args],
        env=environment, cwd=HERE.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def smallest(found: list[Any]) -> float | None:
    """The smallest time of the first call."""
    times = [x["first"] for x in found if x is not None]
    return min(times) if times else None


def measure(words: tuple[str, ...], repeats: int) -> dict[str, Any]:
    """All numbers."""
    from benchmarks.cases import cases

    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as cache:
        in_process("trivial", cache)
        base = smallest([in_process("trivial", cache) for _ in range(repeats)])
        for case in cases():
            if not case.name.startswith(words):
                continue
            cold, n = [], case.name
            for k in range(repeats):
                cold.append(in_process("first", f"{cache}/{k}", "srcad", n))
            rows[n] = {
                "cold": smallest(cold),
                "primal": smallest(
                    [in_process("first", cache, "primal", n) for _ in range(repeats)]
                ),
                "jax": smallest([in_process("first", cache, "jax", n) for _ in range(repeats)]),
                "warm": smallest(
                    [in_process("first", f"{cache}/0", "srcad", n) for _ in range(repeats)]
                ),
                "trivial": base,
            }
            print(f"{n}: {rows[n]}", file=sys.stderr, flush=True)
        return {"first calls": rows, "overhead": in_process("overhead", cache)}


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
    parser.add_argument("--out", type=Path, default=HERE / "results" / "startup.json")
    parser.add_argument("--do", nargs="+", help=argparse.SUPPRESS)
    given, rest = parser.parse_known_args()
    if given.do:
        what, *args = given.do
        todo = {"first": first_call, "trivial": trivial, "overhead": overhead}
        print(json.dumps(todo[what](*args, *rest)))
        return
    found = measure(tuple(given.cases.split(",")), given.repeats)
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(tables(found))


if __name__ == "__main__":
    main()
