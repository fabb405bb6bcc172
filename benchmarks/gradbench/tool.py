"""The tool that a GradBench eval talks to: srcad.

    python -m benchmarks.gradbench [--clock wall|cpu]

See ``protocol`` for the messages.
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.gradbench.protocol import Tool, serve

CLOCKS = {"wall": time.perf_counter_ns, "cpu": time.process_time_ns}
SRCAD = Tool("srcad", "benchmarks.gradbench")


def main(arguments: list[str] | None = None) -> None:
    """Serve standard input."""
    parser = argparse.ArgumentParser(description="srcad as a GradBench tool")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what times are measured")
    chosen = parser.parse_args(arguments)
    serve(Tool(SRCAD.name, SRCAD.package, CLOCKS[chosen.clock]), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
