"""The gradient through 100,000 time steps, in the memory of a few of them.

    python -m examples.checkpointed_burgers

A velocity field obeys Burgers' equation, ``u_t + u u_x = nu u_xx``, on a ring; energy is what is
left of it at the end.  Which part of the field at the start decides how much?  The gradient with
respect to 128 numbers answers that, at the price of a few simulations; but the reverse sweep needs
the states of the simulation backwards, and there are 100,000 of them.

The loop below is marked with ``srcad.checkpointed``.  Then only ``snapshots`` states are kept and
the simulation is run again from them, piece by piece, by the binomial schedule of Griewank and
Walther (2000, "Algorithm 799: Revolve").  This program shows what that costs, for several numbers
of snapshots, next to the same loop without the mark.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import srcad
from srcad.transforms.checkpoints.schedule import advances

POINTS, STEPS = 128, 100_000
VISCOSITY, TIME_STEP = 1e-2, 5e-6


def energy(u0, viscosity, dt, steps, snapshots):
    """Energy at the end: central differences, two buffers that change places."""
    n = len(u0)
    u = u0.copy()
    new = np.empty(n)
    for _ in srcad.checkpointed(range(steps), snapshots=snapshots):
        for i in range(n):
            left, right = u[i - 1], u[(i + 1) % n]
            advection = 0.25 * n * (right * right - left * left)
            diffusion = viscosity * n * n * (left - 2.0 * u[i] + right)
            new[i] = u[i] + dt * (diffusion - advection)
        u, new = new, u
    return np.sum(u * u) / n


def energy_recorded(u0, viscosity, dt, steps):
    """The same loop without the mark: every state is recorded."""
    n = len(u0)
    u = u0.copy()
    new = np.empty(n)
    for _ in range(steps):
        for i in range(n):
            left, right = u[i - 1], u[(i + 1) % n]
            advection = 0.25 * n * (right * right - left * left)
            diffusion = viscosity * n * n * (left - 2.0 * u[i] + right)
            new[i] = u[i] + dt * (diffusion - advection)
        u, new = new, u
    return np.sum(u * u) / n


@dataclass
class Run:
    """What one gradient took."""

    what: str
    gradient: np.ndarray
    seconds: float
    megabytes: float  # by which the process grew

    def __str__(self) -> str:
        return f"{self.what:<34} {self.seconds:7.2f} s {self.megabytes:9.1f} MB"


def start(points: int = POINTS) -> np.ndarray:
    """Two waves of different height."""
    x = np.arange(points) / points
    return np.sin(2 * np.pi * x) + 0.4 * np.sin(6 * np.pi * x + 1.0)


def measured(what: str, gradient: Callable[..., Any], *args: Any) -> Run:
    """A call, how long it took, and by how much the peak memory of the process rose."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock = time.perf_counter()
    found = gradient(*args)
    seconds = time.perf_counter() - clock
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Run(what, found, seconds, grown)


def compare(steps: int = STEPS, snapshots: tuple[int, ...] = (300, 100, 30, 10)) -> list[Run]:
    """Gradients with few states kept, and last the one with all of them."""
    u0 = start()
    marked, recorded = srcad.grad(energy), srcad.grad(energy_recorded)
    marked(u0, VISCOSITY, TIME_STEP, 3, 2)  # compile
    recorded(u0, VISCOSITY, TIME_STEP, 3)
    runs = [
        measured(
            f"{k} snapshots, each step {1 + advances(steps, k) / steps:.1f} times",
            marked,
            u0,
            VISCOSITY,
            TIME_STEP,
            steps,
            k,
        )
        for k in snapshots
    ]
    runs.append(measured("every state recorded", recorded, u0, VISCOSITY, TIME_STEP, steps))
    return runs


def error(run: Run, exact: Run) -> float:
    """Largest difference of two gradients, relative to the largest entry."""
    return float(np.max(np.abs(run.gradient - exact.gradient)) / np.max(np.abs(exact.gradient)))


def draw(gradient: np.ndarray, width: int = 64, height: int = 9) -> str:
    """The gradient as a curve in text."""
    values = gradient[:: max(1, len(gradient) // width)]
    top = np.max(np.abs(values))
    rows = np.round((values / top + 1.0) / 2.0 * (height - 1)).astype(int)
    lines = []
    for row in reversed(range(height)):
        blank = "-" if row == height // 2 else " "
        lines.append("".join("#" if r == row else blank for r in rows))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Print what a few states cost, and the gradient."""
    parser = argparse.ArgumentParser(description="Checkpointing of a long simulation.")
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    print(srcad.explain(energy, start(), VISCOSITY, TIME_STEP, 40, 5).loops[0])
    print(f"\nThe gradient through {options.steps:,} steps of {POINTS} points:")
    runs = compare(options.steps)
    for run in runs:
        print(f"  {run}   off by {error(run, runs[-1]):.1e}")
    print("\nWhat the energy at the end owes to the velocity at the start, around the ring:\n")
    print(draw(runs[0].gradient))


if __name__ == "__main__":
    main()
