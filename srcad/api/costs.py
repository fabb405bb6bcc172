"""What ``srcad.checkpointed`` costs: memory and repeated steps of each loop, from a run.

In: the loops of a reverse transform (``transforms.checkpoints.LoopCall``), and every call of their
sweeps that the reference backend observes.  Out: one ``CheckpointedLoop`` for each.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass, replace
from typing import Any

from srcad.transforms.checkpoints import LoopCall


@dataclass(frozen=True)
class CheckpointedLoop:
    """What ``srcad.checkpointed`` costs a loop: states kept, and steps of it repeated.

    A loop that runs several times has the steps of all its runs, and the states of one of them;
    ``bytes`` is what all states take that exist at one time, those in hand included.  Besides
    ``recomputed``, every step is run once more with its reverse.
    """

    line: int
    text: str
    steps: int
    states: int
    state_bytes: int
    recomputed: int
    bytes: int

    def __str__(self) -> str:
        return (
            f"  line {self.line}: {self.text}\n"
            f"    {self.steps:,} steps, {self.states:,} states of {self.state_bytes:,} B kept "
            f"({self.bytes:,} B), {self.recomputed:,} steps repeated"
        )


class Costs:
    """Adds up what the calls of a run cost."""

    def __init__(self, calls: dict[str, LoopCall]) -> None:
        self.sweeps = calls
        self.ends = {name: key for key, call in calls.items() for name in call.reverses}
        self.found: dict[str, CheckpointedLoop] = {}
        self.alive: dict[str, list[int]] = {name: [] for name in calls}

    def observe(self, name: str, args: tuple[Any, ...], results: tuple[Any, ...]) -> None:
        """A call has returned."""
        if name in self.ends:
            self.alive[self.ends[name]].pop()
        elif name in self.sweeps:
            self._ran(name, results)

    def _ran(self, name: str, results: tuple[Any, ...]) -> None:
        loc = self.sweeps[name].outline.loop.loc
        text = linecache.getline(loc.file, loc.line).strip() if loc else ""
        steps, states, size, again = self.sweeps[name].cost(results)
        self.alive[name].append((states + 1) * size if steps else 0)
        line, total = loc.line if loc else 0, sum(self.alive[name])
        old = self.found.get(name, CheckpointedLoop(line, text, 0, 0, 0, 0, 0))
        self.found[name] = replace(
            old,
            steps=old.steps + steps,
            states=max(old.states, states),
            state_bytes=max(old.state_bytes, size),
            recomputed=old.recomputed + again,
            bytes=max(old.bytes, total),
        )
