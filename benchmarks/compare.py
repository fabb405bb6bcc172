"""Gradient times of srcad, of adjoints by hand, and of other AD tools, against targets.

    python -m benchmarks [--only table,variants,growth,overhead] [--data ADBENCH_FOLDER]
                         [--tools autograd,jax,...] [--python TOOL=INTERPRETER ...]
                         [--cases WORD,...] [--rounds N] [--clock cpu|wall]
                         [--json FILE] [--pictures FOLDER]

* table: every case of ``benchmarks.cases``; the limit is the faster of the adjoint by hand as
  written and with flags; first call, first call of a new process (``warm``, from the cache, after
  importing Numba), bytes on the tape.
* variants: cases written differently (``benchmarks/variants``), and in single precision.
* growth: time and peak memory at n, 10n, 100n.
* overhead: what a call costs from Python.

All tools take turns in one run, on one thread each; values and gradients are compared first, and a
case in which they differ is an error.  Every other tool is a process of its own, if need be of
another interpreter (``--python jax=/path/to/python``); one that is not installed is left out.  On a
busy machine look at ratios, by the clock of processor time.

Out: progress, tables in Markdown, ``benchmarks/results/speed.json`` (parts and cases not measured
now keep what was measured before), with ``--pictures`` also ``speed.png`` and ``growth.png``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.client import ONE_THREAD

for _name, _value in ONE_THREAD.items():  # before NumPy is imported
    os.environ.setdefault(_name, _value)

import numpy as np  # noqa: E402

from benchmarks import peers, pictures, report, startup, targets  # noqa: E402
from benchmarks.cases import Case, cases  # noqa: E402
from benchmarks.growth import growth  # noqa: E402
from benchmarks.measure import Session, row, started  # noqa: E402
from benchmarks.peers.client import Peer  # noqa: E402
from benchmarks.timing import CLOCKS  # noqa: E402
from benchmarks.variants import variants  # noqa: E402

PARTS = ("table", "variants", "growth", "overhead")
SINGLE = 5e-3  # how far single precision may be from double, of the largest entry


def in_single_precision(case: Case) -> tuple[Any, ...]:
    """Arguments with the arrays as float32, and the lone number of ``wave``."""
    return tuple(
        a.astype(np.float32)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f"
        else np.float32(a)
        if k in case.argnums
        else a
        for k, a in enumerate(case.arguments)
    )


def styles(case: Case) -> dict[str, Case]:
    """The variants of a case."""
    name = case.objective.__name__
    found = {
        kind: Case(case.name, f, case.arguments, case.argnums, case.by_hand)
        for kind, f in variants(name).items()
    }
    single = in_single_precision(case)
    return {**found, "float32": Case(case.name, case.objective, single, case.argnums, case.by_hand)}


class Kept:
    """Results and the file that has them; what is not measured now stays what it was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def put(self, value: Any, *where: str) -> None:
        """A result at its place, also in the file: a run that is cut short has not been in vain."""
        *parts, last = where
        place = self.results
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.results, indent=1) + "\n")


def measure_variants(session: Session, wanted: list[Case], kept: Kept) -> None:
    """``variants``: case -> kind -> row; no other tools.

    Raises:
        Disagreement: a variant's gradient is not the adjoint by hand's.
    """
    alone = Session(session.clock, session.rounds, session.least)
    for case in wanted:
        for kind, styled in styles(case).items() if case.styled else ():
            found = row(alone, styled, SINGLE if kind == "float32" else 1e-8)
            kept.put(found, "variants", case.name, kind)
            progress(f"variant {kind} of {case.name}", found)


def measure_rows(session: Session, wanted: list[Case], cache: str, kept: Kept) -> None:
    """``rows``: case -> row, with the first call of a new process."""
    compiling: dict[Any, float] = {}  # another size of a problem runs the same code
    startup.in_process("trivial", cache, session.clock)
    for case in wanted:
        found = row(session, case)
        first = found["first"]
        first["srcad"] = compiling.setdefault(case.objective, first["srcad"])
        warm = startup.in_process("first", cache, "srcad", case.name, session.clock)
        found["warm"] = warm["first"] if warm else None
        kept.put(found, "rows", case.name)
        progress(case.name, found)


def progress(name: str, found: dict[str, Any]) -> None:
    """A line while measuring."""
    seconds = ", ".join(f"{n} {1e3 * s:.4g}" for n, s in found["seconds"].items())
    print(f"{name}: ms {seconds} {targets.verdict(name, found)}", file=sys.stderr, flush=True)


def started_peers(names: list[str], pythons: dict[str, str], clock: str) -> list[Peer]:
    """Workers of the tools that are installed."""
    found = []
    for name in names:
        try:
            found.append(Peer(name, clock, pythons.get(name, sys.executable)))
        except (ImportError, OSError):
            print(f"{name} is not installed", file=sys.stderr)
    return found


def about(session: Session, data: Path | None) -> str:
    """What was measured, in words."""
    clock = "CPU" if session.clock == "cpu" else "wall-clock"
    versions = [f"{p.name} {p.version}" for p in session.peers]
    return (
        f"Medians of {clock} time of value and gradient together, one thread, on a "
        f"{os.cpu_count()}-core {platform.machine()} machine (load {os.getloadavg()[0]:.1f}, "
        f"{started()} UTC) with Python {platform.python_version()}, Numba {version('numba')}, "
        f"NumPy {np.__version__}{', ' if versions else ''}{', '.join(versions)}; ADBench's "
        f"problems on {'its files' if data else 'random data of the same shapes'}."
    )


def options(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts of the run")
    parser.add_argument("--data", type=Path, help="the folder of ADBench's files")
    parser.add_argument("--tools", default=",".join(peers.TOOLS), help="AD tools to compare with")
    parser.add_argument("--python", action="append", default=[], metavar="TOOL=INTERPRETER")
    parser.add_argument("--cases", default="", help="words that the names of cases begin with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.05, help="of calls in a sample")
    parser.add_argument("--clock", choices=list(CLOCKS), default="cpu")
    parser.add_argument("--json", type=Path, default=report.RESULTS)
    parser.add_argument("--pictures", type=Path, help="a folder for them")
    chosen = parser.parse_args(arguments)
    unknown = {*chosen.only.split(",")} - {*PARTS}
    if unknown:
        parser.error(f"--only takes {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    return chosen


def measure(chosen: argparse.Namespace, session: Session, kept: Kept) -> None:
    """The parts asked for."""
    words = tuple(chosen.cases.split(","))
    wanted = [c for c in cases(chosen.data) if c.name.startswith(words)]
    parts = chosen.only.split(",")
    kept.put(about(session, chosen.data), "about")
    with tempfile.TemporaryDirectory() as folder:
        cache = os.environ["SRCAD_CACHE_DIR"] = folder + "/cache"
        if "table" in parts:
            measure_rows(session, wanted, cache, kept)
        if "variants" in parts:
            measure_variants(session, wanted, kept)
        if "growth" in parts:
            for title, found in growth(session, words):
                kept.put(found, "growth", title)
        if "overhead" in parts:
            kept.put(startup.in_process("overhead", cache), "overhead")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the tables, keep the results."""
    chosen = options(arguments)
    pythons = dict(p.split("=", 1) for p in chosen.python)
    session, kept = Session(chosen.clock, chosen.rounds, chosen.seconds), Kept(chosen.json)
    session.peers = started_peers([*filter(None, chosen.tools.split(","))], pythons, chosen.clock)
    try:
        measure(chosen, session, kept)
    finally:
        for peer in session.peers:
            peer.close()
    print(report.tables(kept.results))
    if chosen.pictures:
        pictures.draw(kept.results, chosen.pictures)


if __name__ == "__main__":
    main()
