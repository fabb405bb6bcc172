"""Other AD tools: the objectives as each wants them, and what makes a gradient of them.

``TOOLS`` names them; ``make(name)`` imports one, which needs neither Numba nor srcad, so that each
can run in a process and an environment of its own (``benchmarks/peers/worker.py``).
"""

from __future__ import annotations

import importlib
from typing import Any

TOOLS = {
    "autograd": "hips_autograd",
    "jax": "google_jax",
    "torch": "pytorch",
    "tf eager": "tensor_flow",
    "tf.function": "tensor_flow",
    "casadi": "casadi_graphs",
}


def make(name: str) -> Any:
    """The tool of that name, see ``benchmarks.peers.tool.Tool``.

    Raises:
        ImportError: it is not installed.
    """
    module = importlib.import_module(f"benchmarks.peers.{TOOLS[name]}")
    return module.tool(name)
