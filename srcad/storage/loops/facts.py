"""What a program that has come so far says of the sizes of its arrays.

In: a statement.  Out: lower bounds of sizes, by name: a program that has stored ``a[2]`` has an
array of at least three elements (it has no meaning otherwise, and would write where it must not).
"""

from __future__ import annotations

from srcad.analyses.distances import Distances
from srcad.ir.nodes import Accumulate, ArrayOp, Block, Call, Check, Const, Stmt, Store, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import statements


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


def ahead(distances: Distances, stmts: list[Stmt], k: int, facts: dict[str, int]) -> None:
    """Add what the statements from ``k`` on say that are certain to be executed."""
    if k and not _may_end(stmts[k - 1]):
        return  # it has been added
    for s in stmts[k:]:
        if _may_end(s):
            return
        learn(distances, s, facts)


def _may_end(s: Stmt) -> bool:
    """Whether the program may not come to what follows."""
    return any(isinstance(t, (ArrayOp, Call, Check, While)) for t in statements(Block((s,))))
