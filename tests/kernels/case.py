"""A kernel of the zoo with its launch and its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One kernel.

    Args:
        kernel: as one writes it for ``numba.cuda``.
        launch: blocks, threads (and stream, bytes of shared memory).
        args: makes the arguments from a random generator.
        step: of central differences.
        rtol: of comparisons with them.
        second: whether the second order is tested.
        plain: shadows that must be accumulated into without atomics.
        unique: whether the result does not depend on the order of the threads.
        simulated: whether Numba's simulator can run the kernel as it is written (it has no warps).
    """

    kernel: Any
    launch: tuple[Any, ...]
    args: Callable[[np.random.Generator], tuple[Any, ...]]
    step: float = 1e-6
    rtol: float = 1e-5
    second: bool = False
    plain: tuple[str, ...] = ()
    unique: bool = True
    simulated: bool = True

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.kernel.__name__

    def make(self) -> tuple[Any, ...]:
        """The arguments, the same every time."""
        return self.args(np.random.default_rng(sum(map(ord, self.name))))
