"""What a program that has come so far says of the sizes of its arrays.

In: a statement.  Out: lower bounds of sizes, by name: a program that has stored ``a[2]`` has an
array of at least three elements (it has no meaning otherwise, and would write where it must not).
"""

from __future__ import annotations

from srcad.analyses.distances import Distances
from srcad.ir.nodes import Accumulate, Const, Stmt, Store
from srcad.ir.types import ArrayT


def learn(distances: Distances, s: Stmt, facts: dict[str, int]) -> None:
    """Add what a statement says to ``facts``."""
    if not (isinstance(s, (Store, Accumulate)) and isinstance(s.array.type, ArrayT)):
        return
    for axis, a in enumerate(s.index):
        if not isinstance(a, Const) or a.value < 0:
            continue
        size = distances.size(s.array, axis)
        if size is not None and len(size) == 1 and set(size.values()) == {1}:
            (mono,) = size
            if len(mono) == 1:
                facts[mono[0]] = max(facts.get(mono[0], 0), int(a.value) + 1)
