"""The tool that a GradBench eval talks to: srcad.

    python -m benchmarks.gradbench [--clock wall|cpu]

See ``protocol`` for the messages.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from dataclasses import replace
from typing import Any

import numba

import srcad
from benchmarks.gradbench import EVALS
from benchmarks.gradbench.protocol import Tool, serve

CLOCKS = {"wall": time.perf_counter_ns, "cpu": time.process_time_ns}


def find(name: str) -> Any:
    """The module of an eval, or None."""
    return importlib.import_module(f"benchmarks.gradbench.{name}") if name in EVALS else None


SRCAD = Tool("srcad", find, version=f"srcad {srcad.__version__} (Numba {numba.__version__})")


def main(arguments: list[str] | None = None) -> None:
    """Serve standard input."""
    parser = argparse.ArgumentParser(description="srcad as a GradBench tool")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what times are measured")
    chosen = parser.parse_args(arguments)
    serve(replace(SRCAD, clock=CLOCKS[chosen.clock]), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
