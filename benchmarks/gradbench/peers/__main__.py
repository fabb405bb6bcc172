"""``python -m benchmarks.gradbench.peers NAME``: another tool, by GradBench's protocol."""

from __future__ import annotations

import argparse
import importlib
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.gradbench import tool
from benchmarks.gradbench.protocol import Function, Tool, serve


def numpy_tree(x: Any) -> Any:
    """A result as arrays of NumPy."""
    if isinstance(x, (tuple, list)):
        return tuple(map(numpy_tree, x))
    return np.asarray(x)


def blocks(result: Any) -> dict[str, Any]:
    """Of ba's blocks what srcad sends of its values."""
    rows, diagonal = numpy_tree(result)
    return {"vals": [*rows[0].ravel().tolist(), diagonal[-1].item()]}


def module(name: str, functions: dict[str, Any]) -> Any:
    """A tool's functions with srcad's reading and writing."""
    ours = tool.find(name).FUNCTIONS

    def function(label: str) -> Function:
        prepare, run = functions[label]
        read, write = ours[label].read, ours[label].write

        def prepared(given: Any) -> Any:
            return prepare(*read(given))

        if name == "ba":
            return Function(prepared, run, blocks)
        return Function(prepared, run, lambda result: write(numpy_tree(result)))

    return SimpleNamespace(FUNCTIONS={label: function(label) for label in functions}, EXAMPLES=())


def main() -> None:
    """Serve standard input."""
    parser = argparse.ArgumentParser(description="another tool by GradBench's protocol")
    parser.add_argument("name", choices=["jax", "pytorch", "tensorflow"])
    parser.add_argument("--clock", choices=tool.CLOCKS, default="wall")
    chosen = parser.parse_args()
    peer = importlib.import_module(f"benchmarks.gradbench.peers.{chosen.name}")
    modules = {name: module(name, functions) for name, functions in peer.EVALS.items()}
    clock = tool.CLOCKS[chosen.clock]
    serve(Tool(chosen.name, modules.get, clock, peer.VERSION), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
