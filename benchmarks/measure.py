"""Measuring a case: everything checked first, then timed in turns.

In: a case and the tools beside srcad.  Out: a row of results, plain data for JSON: ``seconds`` and
``first`` (call) by tool, ``tape`` in bytes, ``apart`` (largest difference of a gradient).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import srcad
from benchmarks import by_hand
from benchmarks.cases import Case
from benchmarks.peers.client import Peer
from benchmarks.peers.worker import flat
from benchmarks.timing import CLOCKS, SLOW, SLOWEST, Timed

COMPILED: dict[tuple[Any, Any], Callable[..., Any]] = {}


@dataclass
class Session:
    """How to measure.

    Args:
        clock: ``cpu`` or ``wall``.
        rounds: samples of each tool, taken in turns.
        least: seconds of calls in a sample.
        peers: other tools, in processes of their own.
    """

    clock: str = "cpu"
    rounds: int = 7
    least: float = 0.05
    peers: list[Peer] = field(default_factory=list)


class Disagreement(AssertionError):
    """A tool's value or gradient is not srcad's."""


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference, relative to the largest entry."""
    if ours.shape != theirs.shape:
        return np.inf
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(ours)))


def compiled(f: Callable[..., Any], how: Callable[..., Any]) -> Callable[..., Any]:
    """An adjoint by hand, compiled once."""
    return COMPILED.setdefault((f, how), how(f))


def candidates(case: Case) -> dict[str, Callable[[], Any]]:
    """Gradients in this process: srcad's and those by hand."""
    derivative = srcad.value_and_grad(case.objective, argnums=case.argnums)
    arguments = case.arguments
    found: dict[str, Callable[[], Any]] = {"srcad": lambda: derivative(*arguments)}
    if case.by_hand is not None:
        strict = compiled(case.by_hand, by_hand.strict)
        fast = compiled(case.by_hand, by_hand.fast)
        found["by hand"] = lambda: strict(*arguments)
        found["by hand, fast"] = lambda: fast(*arguments)
    return found


def row(session: Session, case: Case, tolerance: float = 1e-8) -> dict[str, Any]:
    """Everything about a case.

    Raises:
        Disagreement: values or gradients differ by more than the tolerance.
    """
    clock = CLOCKS[session.clock]
    runs: dict[str, Callable[[float], float]] = {}
    first: dict[str, float] = {}
    errors: dict[str, float] = {}
    ours = None
    for name, run in candidates(case).items():
        start = clock()
        result = flat(run())
        first[name] = clock() - start
        ours = result if ours is None else ours
        errors[name] = apart(ours, result)
        runs[name] = Timed(run, clock)
    assert ours is not None
    value = case.objective(*case.arguments)
    errors["primal"] = abs(float(value) - ours[0]) / max(abs(ours[0]), 1e-300)
    runs["primal"] = Timed(lambda: case.objective(*case.arguments), clock)
    for peer in session.peers:
        built = peer.build(case.objective.__name__, case.arguments, case.argnums)
        if built is not None:
            first[peer.name], result = built
            errors[peer.name] = apart(ours, result)
            runs[peer.name] = peer
    for name, error in errors.items():
        if not error <= tolerance:
            raise Disagreement(f"{case.name}: {name} differs from srcad by {error:.1e}")
    return {
        "seconds": in_turns(runs, session),
        "first": {k: v for k, v in first.items() if not k.startswith("by hand")},
        "tape": tape_bytes(case),
        "apart": max(errors.values()),
    }


def in_turns(runs: dict[str, Callable[[float], float]], session: Session) -> dict[str, float]:
    """Median seconds of each; a slow one has three samples, a very slow one a single one."""
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for k in range(session.rounds):
        for name, run in runs.items():
            most = SLOW if k >= 3 else SLOWEST
            if not k or statistics.median(samples[name]) < most:
                samples[name].append(run(session.least))
    return {name: statistics.median(found) for name, found in samples.items()}


def tape_bytes(case: Case) -> int:
    """What the reverse sweep keeps, by ``srcad.explain``."""
    derivative = srcad.value_and_grad(case.objective, argnums=case.argnums)
    return srcad.explain(derivative, *case.arguments).tape_bytes


def started() -> str:
    """The time of day, for the record."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime())
