"""``python -m benchmarks.peers.worker TOOL CLOCK``: a tool in a process of its own.

Lines of JSON on standard input, one answer a line: ``{"build": objective, "data": FILE, "argnums":
[...], "result": FILE}`` makes a gradient of the arguments in the file, runs it, and leaves value
and gradients as one vector in the result file; ``{"time": SECONDS}`` times calls of it for about so
long; ``{"memory": 1}`` is how many bytes a call needs at its peak.  Needs NumPy and the tool.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.timing import CLOCKS, SLOWEST, Timed, peak_memory


def flat(result: Any) -> np.ndarray:
    """Value and gradients as one vector."""
    value, gradient = result
    parts = gradient if isinstance(gradient, (tuple, list)) else (gradient,)
    whole = [np.ravel(np.asarray(value)), *(np.ravel(np.asarray(g)) for g in parts)]
    return np.concatenate(whole).astype(np.float64)


class Worker:
    """What answers."""

    def __init__(self, name: str, clock: str) -> None:
        self.tool, self.clock = peers.make(name), CLOCKS[clock]
        self.timed: Timed | None = None

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One answer."""
        if "build" in asked:
            self.timed = None
            if not self.tool.has(asked["build"]):
                return {"missing": asked["build"]}
            arguments = pickle.loads(Path(asked["data"]).read_bytes())
            start = self.clock()
            run = self.tool.gradient(asked["build"], arguments, tuple(asked["argnums"]))
            result = run()
            first = self.clock() - start
            np.save(asked["result"], flat(result))
            self.timed = Timed(run, self.clock, first if first > SLOWEST else None)
            return {"first": first}
        assert self.timed is not None, "nothing built"
        if "memory" in asked:
            return {"bytes": peak_memory(self.timed.run)}
        return {"seconds": self.timed(asked["time"])}


def main() -> None:
    """Answer until the input ends; what a tool prints goes to standard error."""
    out, sys.stdout = sys.stdout, sys.stderr
    worker = Worker(sys.argv[1], sys.argv[2])
    print(json.dumps({"version": worker.tool.version}), file=out, flush=True)
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {str(e)[:300]}"}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
