"""The objectives of the table written differently, to see whether the style costs anything.

A module a kind, with functions of the names and arguments of ``benchmarks/objectives.py``.
Single precision needs no text of its own: it is the objective on float32 arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.variants import helper, renamed, rows, swapped

KINDS = {"swapped": swapped, "helper": helper, "rows": rows, "renamed": renamed}


def variants(name: str) -> dict[str, Callable[..., Any]]:
    """Kind -> the objective of that name in that style."""
    return {kind: vars(m)[name] for kind, m in KINDS.items() if name in vars(m)}
