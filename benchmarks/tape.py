"""The tape and its functions beside TensorFlow, where it is installed.

    python -m benchmarks.tape [--tensorflow PYTHON] [--rounds N] [--rows WORD,...] [--threads N]
                              [--json FILE] [--png FILE]

``--tensorflow`` names the interpreter that has TensorFlow (2.21 and tf-keras); it may be another
environment than this one, since each library runs in a process of its own.  The two take turns;
the table gives medians of the rounds, by the wall clock and in processor time of all threads
(which other programs on the machine disturb less).  Some rows measured again replace those in the
file.  First calls are measured in new processes:
"cold" with an empty cache directory, "warm" with the cache of the cold run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.tape_rows import ROWS

LIBRARIES = {"srcad": "srcad.tf", "TensorFlow": "tensorflow"}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
TOLERANCE = 2e-3  # of sums of absolute values in single precision

Samples = dict[str, dict[str, list[float]]]


class Process:
    """A worker and the lines that go to and fro."""

    def __init__(self, python: str, module: str, extra: dict[str, str]) -> None:
        self.running = subprocess.Popen(
            [python, "-m", "benchmarks.tape_worker", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **extra},
            cwd=Path(__file__).resolve().parents[1],
        )
        self.version = self.read()["version"]

    def read(self) -> Any:
        """The next answer.

        Raises:
            ImportError: the process has ended: the library is not there.
        """
        assert self.running.stdout is not None
        line = self.running.stdout.readline()
        if not line:
            self.close()
            raise ImportError("the worker has ended")
        return json.loads(line)

    def ask(self, index: int, least: float) -> Any:
        """One sample of a row."""
        assert self.running.stdin is not None
        print(json.dumps({"row": index, "least": least}), file=self.running.stdin, flush=True)
        return self.read()

    def close(self) -> None:
        """End the process."""
        self.running.communicate()


class Bench:
    """The interpreters, the environment, and what has been measured."""

    def __init__(self, pythons: dict[str, str], extra: dict[str, str]) -> None:
        self.pythons, self.extra = pythons, extra
        self.versions: dict[str, str] = {}

    def start(self, library: str, **extra: str) -> Process:
        """A new worker."""
        process = Process(self.pythons[library], LIBRARIES[library], {**self.extra, **extra})
        self.versions[library] = process.version
        return process

    def calls(self, index: int, rounds: int, least: float) -> Samples:
        """Samples of a steady row, the libraries in turns."""
        found: Samples = {name: {} for name in self.pythons}
        workers = {name: self.start(name) for name in self.pythons}
        for _ in range(rounds):
            for name, worker in workers.items():
                for key, value in worker.ask(index, least).items():
                    found[name].setdefault(key, []).append(value)
        for worker in workers.values():
            worker.close()
        return found

    def first_calls(self, index: int, rounds: int) -> dict[str, Samples]:
        """Samples of a first call, cold and warm, a process each."""
        found: dict[str, Samples] = {
            kind: {name: {} for name in self.pythons} for kind in ("cold", "warm")
        }
        for _ in range(rounds):
            for name in self.pythons:
                with tempfile.TemporaryDirectory() as folder:
                    for samples in found.values():
                        worker = self.start(name, SRCAD_CACHE_DIR=folder)
                        for key, value in worker.ask(index, 0.0).items():
                            samples[name].setdefault(key, []).append(value)
                        worker.close()
        return found


def measure(bench: Bench, wanted: tuple[str, ...], rounds: int, least: float) -> dict[str, Samples]:
    """All rows whose name has one of the words, with progress."""
    rows: dict[str, Samples] = {}
    for index, row in enumerate(ROWS):
        if not any(word in row.name for word in wanted):
            continue
        if row.first:
            for kind, samples in bench.first_calls(index, max(3, rounds // 3)).items():
                rows[f"{row.name}, {kind}"] = samples
        else:
            rows[row.name] = bench.calls(index, rounds, least)
        for name in list(rows)[-(2 if row.first else 1) :]:
            check(name, rows[name])
            print(line(name, rows[name]), flush=True)
    return rows


def check(name: str, samples: Samples) -> None:
    """Refuse to compare programs that give different results."""
    totals = [t for found in samples.values() for t in found["total"]]
    assert max(totals) - min(totals) <= TOLERANCE * max(totals), f"{name}: {totals}"


def median(samples: Samples, library: str, key: str) -> float | None:
    """The median of what was measured, in ms."""
    found = samples.get(library, {}).get(key)
    return statistics.median(found) * 1e3 if found else None


def line(name: str, samples: Samples) -> str:
    """A row of the table."""
    cells = [median(samples, lib, key) for key in ("wall", "cpu") for lib in LIBRARIES]
    ratios = [b / a if a and b else None for a, b in (cells[:2], cells[2:])]
    shown = [*cells[:2], ratios[0], *cells[2:], ratios[1]]
    return f"| {name} | " + " | ".join(map(number, shown)) + " |"


def number(x: float | None) -> str:
    """Three digits, or a whole number; ``-`` if there is none."""
    if x is None:
        return "-"
    return f"{x:.0f}" if x >= 1000 else f"{x:.3g}"


HEAD = [
    "| program | srcad, ms | TensorFlow, ms | ratio | srcad, CPU ms | TensorFlow, CPU ms | ratio |",
    "|---|---|---|---|---|---|---|",
]


def until_ready(name: str, samples: Samples) -> list[str]:
    """For a first call, the row of the time after which functions are compiled."""
    found = {
        library: {"wall": values["ready"]}
        for library, values in samples.items()
        if "ready" in values
    }
    return [line(f"{name}, until compiled", found)] if found else []


def table(rows: dict[str, Samples]) -> str:
    """The table in Markdown."""
    lines = [(line(name, s), *until_ready(name, s)) for name, s in rows.items()]
    return "\n".join([*HEAD, *(text for group in lines for text in group)])


def plot(rows: dict[str, Samples], path: Path) -> None:
    """A picture of the ratios (needs Matplotlib)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    both = {
        n: (median(s, "srcad", "wall"), median(s, "TensorFlow", "wall")) for n, s in rows.items()
    }
    ratios = {n: b / a for n, (a, b) in both.items() if a and b}
    figure, axes = plt.subplots(figsize=(9, 0.4 * len(ratios) + 1.5))
    names = list(ratios)[::-1]
    axes.barh(names, [ratios[n] for n in names])
    axes.axvline(1.0, color="black")
    axes.set_xscale("log")
    axes.set_xlabel("TensorFlow's time / srcad's time")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, keep the samples."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tensorflow", default=sys.executable, help="interpreter with TensorFlow")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--least", type=float, default=0.1, help="seconds of calls in a sample")
    parser.add_argument("--rows", default="", help="words that the names of rows contain")
    parser.add_argument("--threads", type=int, default=0, help="of each library; 0: its default")
    parser.add_argument("--json", type=Path, help="where the samples go")
    parser.add_argument("--png", type=Path, help="where a picture goes")
    chosen = parser.parse_args(arguments)
    extra = {name: str(chosen.threads) for name in THREADS} if chosen.threads else {}
    bench = Bench({"srcad": sys.executable, "TensorFlow": chosen.tensorflow}, extra)
    try:
        bench.start("TensorFlow").close()
    except (ImportError, OSError):
        print("TensorFlow is not installed there; its columns stay empty")
        del bench.pythons["TensorFlow"]
    print("\n".join(HEAD), flush=True)
    rows = measure(bench, tuple(chosen.rows.split(",")), chosen.rounds, chosen.least)
    if chosen.json:
        about = {"processors": os.cpu_count(), "machine": platform.machine()}
        about |= {"threads": chosen.threads or "default", "load": os.getloadavg()[0]}
        old = json.loads(chosen.json.read_text())["rows"] if chosen.json.exists() else {}
        if set(rows) < set(old):  # some rows were measured again
            rows = {**old, **rows}
        kept = {"about": about, "versions": bench.versions, "rows": rows}
        chosen.json.write_text(json.dumps(kept, indent=1) + "\n")
    if chosen.png:
        plot(rows, chosen.png)


if __name__ == "__main__":
    main()
