"""Parts of loops that are the same code but for their names are compiled once.

In: the function that runs a part of a loop (``emit``).  Out: a key; functions of one caller with
equal keys may stand for each other.  Two steps of a loop that swaps its arrays, or the copies that
several loops record, come to the same part with other arguments.

Invariant: the key holds all that later passes and the printer look at: statements with their places
in the user's source, and what is known of parameters, each by the order in which names appear.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from srcad.analyses.aliases import OUTSIDE
from srcad.ir.nodes import Atom, Function, Var
from srcad.ir.walk import rewrite_block
from srcad.storage.parallel.stops import Stopping


@dataclass
class _Numbers:
    """Names by numbers, in the order in which they are asked for."""

    known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        return self.known.setdefault(name, f"v{len(self.known)}")

    def var(self, v: Var) -> Var:
        return Var(self.of(v.name), v.type)

    def use(self, a: Atom) -> Atom:
        return self.var(a) if isinstance(a, Var) else a


def signature(fn: Function) -> Hashable:
    """What a part does, whatever it is called and its variables are."""
    n, storage = _Numbers(), _Numbers()
    params = [repr(n.var(p)) for p in fn.params]
    body = repr(rewrite_block(fn.body, n.use, n.var))
    least = sorted((n.of(name), low) for name, low in fn.least.items())
    decides = sorted(n.known[name] for name in fn.decides or () if name in n.known)
    apart = [
        (n.of(p.name), OUTSIDE in fn.apart[p.name], storage.of(fn.apart[p.name]))
        for p in fn.params
        if p.name in fn.apart
    ]
    stops = fn.stops
    places = repr(sorted(stops.places.items())) if isinstance(stops, Stopping) else ""
    return (*params, body, repr((least, decides, apart)), places)


__all__ = ["signature"]
