"""What ``audit`` found, as data and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srcad.api.blame import Blame
from srcad.errors import source_excerpt
from srcad.ir.nodes import Loc


@dataclass(frozen=True)
class Finding:
    """Components of a hand-written derivative that are wrong for one reason."""

    component: str  # the worst, as in "w[2]"
    components: tuple[str, ...]
    point: tuple[Any, ...]  # the arguments where it is worst
    got: float
    expected: float
    error: float
    points: int  # how many points it is wrong at
    blame: Blame | None

    @property
    def line(self) -> int | None:
        """The number of the line that the component hangs on."""
        return self.blame.loc.line if self.blame is not None else None

    @property
    def text(self) -> str:
        """The source of that line."""
        return self.blame.text if self.blame is not None else ""

    def __str__(self) -> str:
        more = len(self.components) - 1
        head = f"{self.component} is {self.got:.10g}, expected {self.expected:.10g}"
        rest = f" (and {more} more component{'s' * (more > 1)})" if more else ""
        out = [f"{head}{rest}; wrong at {self.points} point{'s' * (self.points != 1)}"]
        if self.blame is not None:
            out += source_excerpt(self.blame.loc)[:2]
            out.append(f"  {self.blame.explanation()}")
        return "\n".join(out)


@dataclass(frozen=True)
class Report:
    """What ``audit`` found; it prints as text, and is true where nothing is wrong."""

    name: str
    n: int
    findings: tuple[Finding, ...]
    ways: int  # different ways through the function that the points took
    untaken: tuple[tuple[Loc, bool], ...] = ()  # sides of branches none took

    @property
    def ok(self) -> bool:
        """Whether no component is wrong."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        verdict = (
            "agrees"
            if self.ok
            else f"{len(self.findings)} finding" + "s" * (len(self.findings) != 1)
        )
        ways = f"{self.ways} way{'s' * (self.ways != 1)}"
        out = [f"audit of {self.name} at {self.n} points, {ways} through it: {verdict}"]
        out += [str(f) for f in self.findings]
        for loc, side in self.untaken:
            out.append(f"no point has the branch {'taken' if side else 'not taken'} at:")
            out += source_excerpt(loc)[:2]
        return "\n".join(out)
