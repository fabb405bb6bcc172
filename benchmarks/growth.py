"""How time and memory grow with the size of a problem: n, 10n, 100n.

In: ``benchmarks.cases.growing`` and the tools.  Out: for each title, size and tool, the seconds of
a call and the bytes it needs at its peak; for srcad also the bytes of the tape.  A tool whose
next size would take too long, by how it grew, is left out from there on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.cases import Case, growing
from benchmarks.measure import Disagreement, Session, apart, candidates, tape_bytes
from benchmarks.peers.client import Peer
from benchmarks.peers.worker import flat
from benchmarks.timing import CLOCKS, Timed, peak_memory

TOO_LONG = 4.0  # seconds of a call

Point = dict[str, float | None]


def growth(
    session: Session, words: tuple[str, ...] = ("",)
) -> Iterator[tuple[str, dict[str, dict[str, Point]]]]:
    """Each title with size -> tool -> ``seconds`` and ``bytes``, as it is measured."""
    for title, sizes in growing().items():
        if title.startswith(words):
            found: dict[str, dict[str, Point]] = {}
            left = {peer.name for peer in session.peers}
            for case in sizes:
                found[case.name] = points = at_size(session, case, left)
                left &= {n for n, p in points.items() if 10.0 * (p["seconds"] or 0.0) < TOO_LONG}
                print(f"growth of {title} {case.name}: {points}", file=sys.stderr, flush=True)
            yield title, found


def at_size(session: Session, case: Case, wanted: set[str]) -> dict[str, Point]:
    """All tools at one size.

    Raises:
        Disagreement: a gradient differs from srcad's.
    """
    points: dict[str, Point] = {}
    ours = None
    for name, run in candidates(case).items():
        needed = peak_memory(run)
        result = flat(run())
        ours = result if ours is None else ours
        points[name] = {"seconds": best(Timed(run, CLOCKS[session.clock]), session)}
        points[name]["bytes"] = needed
    points["srcad"]["tape"] = tape_bytes(case)
    assert ours is not None
    for peer in session.peers:
        if peer.name in wanted:
            built = peer.build(case.objective.__name__, case.arguments, case.argnums)
            if built is not None:
                if not apart(ours, built[1]) <= 1e-8:
                    raise Disagreement(f"{case.name}: {peer.name}")
                points[peer.name] = of_peer(peer, session)
    return points


def of_peer(peer: Peer, session: Session) -> Point:
    """A tool's point."""
    needed = peer.memory()
    return {"seconds": best(peer, session), "bytes": needed}


def best(run: Any, session: Session) -> float:
    """The smallest of a few samples: growth is over decades."""
    first = run(session.least)
    return first if first > 0.5 else min(first, *(run(session.least) for _ in range(2)))
