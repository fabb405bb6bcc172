"""What a loop is to the processor: a vector loop, a serial one, or one around others.

In: a loop and its accesses.  Out: ``"vector"`` where LLVM can make a vector loop of it (an
innermost loop without branches and carried values, unit strides, nothing written that it reads in
an earlier or a later iteration in the wrong order), ``"outer"`` where it has loops inside, else
``"serial"``.
Loops of different kinds are better left apart: the serial one would make all of it serial.
"""

from __future__ import annotations

from srcad.analyses.distances import NEVER, Access, Distances
from srcad.analyses.polynomials import collected
from srcad.ir.nodes import Accumulate, Dim, For, Load, Op, Store
from srcad.ir.walk import statements

MANY = 64  # accesses; a loop with more is not looked at pair by pair


def kind(distances: Distances, s: For, accesses: list[Access]) -> str:
    """The kind of a loop."""
    if any(isinstance(t, For) for t in statements(s.body)):
        return "outer"
    plain = all(isinstance(t, (Op, Load, Store, Accumulate, Dim)) for t in s.body.stmts)
    if s.carried or not plain or len(accesses) > MANY:
        return "serial"
    fits = all(_unit(s, a) for a in accesses) and _forward(distances, s, accesses)
    return "vector" if fits else "serial"


def _unit(s: For, a: Access) -> bool:
    """Whether elements that follow each other are touched (or one is read again and again)."""
    if a.index is None or any(x is None for x in a.index):
        return False
    strides = []
    for x in a.index:
        parts = None if x is None else collected(x, s.index.name)
        if parts is None:
            return False
        strides.append(parts[0])
    last = strides[-1] if strides else {}
    return not any(strides[:-1]) and (last in ({(): 1}, {(): -1}) or not last and not a.writes)


def _forward(distances: Distances, s: For, accesses: list[Access]) -> bool:
    """Whether iterations side by side see what they would see one after the other."""
    for k, a in enumerate(accesses):
        for b in accesses[k + 1 :]:
            if not (a.writes or b.writes):
                continue
            trips = distances.trips(a, b, s, s)
            if trips in (NEVER, 0) or trips is None and a.base != b.base:
                continue  # arrays that may overlap are compared when the loop is entered
            if not isinstance(trips, int) or trips < 0 or a.writes and b.reads:
                return False
    return True
