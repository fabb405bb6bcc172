"""What an AD tool is for the benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peers.programs import OBJECTIVES

Call = Callable[[], Any]


@dataclass(frozen=True)
class Tool:
    """An AD tool.

    Args:
        name: what the table calls it.
        version: of the library.
        xp: its functions under NumPy's names.
        value_and_grad: of a function of several tensors, in all of them; a call of the result
            returns when the numbers are there.
        scan: ``scan(step, start, rows)`` runs ``step(carry, row) -> (carry, value)`` over rows and
            adds up the values.
        loop: ``loop(step, start, count)`` applies ``step`` so many times.
        tensor: the tool's array of a NumPy array or number that is differentiated or data.
        programs: objective -> program; the first argument is this object.
    """

    name: str
    version: str
    xp: Any
    value_and_grad: Callable[..., Any]
    scan: Callable[..., Any]
    loop: Callable[..., Any]
    tensor: Callable[[Any], Any]
    programs: dict[str, Callable[..., Any]] | None = None

    def has(self, name: str) -> bool:
        """Whether an objective is written for this tool."""
        return name in (OBJECTIVES if self.programs is None else self.programs)

    def gradient(self, name: str, arguments: tuple[Any, ...], argnums: tuple[int, ...]) -> Call:
        """A call without arguments that gives the value and the tuple of gradients."""
        objective = (OBJECTIVES if self.programs is None else self.programs)[name]
        given = [
            self.tensor(a) if k in argnums or is_data(a) else a for k, a in enumerate(arguments)
        ]

        def of_chosen(*chosen):
            full = list(given)
            for k, x in zip(argnums, chosen, strict=True):
                full[k] = x
            return objective(self, *full)

        run = self.value_and_grad(of_chosen, tuple(range(len(argnums))))
        chosen = [given[k] for k in argnums]
        return lambda: run(*chosen)


def is_data(a: Any) -> bool:
    """Arrays of floats become the tool's; indices and numbers stay as they are."""
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def python_scan(step, carry, rows):
    """``scan`` as a loop of Python."""
    total = 0.0
    for k in range(rows.shape[0]):
        carry, value = step(carry, rows[k])
        total = total + value
    return total


def python_loop(step, x, count):
    """``loop`` as a loop of Python."""
    for _ in range(count):
        x = step(x)
    return x
