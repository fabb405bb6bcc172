"""Poison mode: prove that the reverse sweep reads nothing of the primal but what is declared.

In: the original function, the plan's reloaded regions and the operands of rules.  Out: names of the
local float arrays and lists to fill with NaN between the sweeps (in loops: at the end of the block
that allocates them).

Invariant: what the function returns, what the caller gave, and what is declared to be read
again is spared; references that meet others are spared inside loops, for they may outlive it.
"""

from __future__ import annotations

from srcad.analyses.regions import Regions
from srcad.analyses.tree import Tree
from srcad.ir.nodes import Alloc, ArrayOp, Call, Function
from srcad.ir.types import ArrayT, ListT, Scalar, is_float


def poisoned(fn: Function, tree: Tree, regions: Regions, declared: set[str]) -> set[str]:
    """Names of the references to fill with NaN."""
    spared = set(declared)
    for y in fn.body.yields:
        spared |= regions.reached(y)
    found = set()
    for node, _, s in tree.walk():
        if not isinstance(s, (Alloc, ArrayOp, Call)):
            continue
        for t in (s.target,) if isinstance(s, Alloc) else s.targets:
            if regions.of(t) != {t.name}:  # a result that the callee was given
                continue
            numbers = isinstance(t.type, ArrayT) or (
                isinstance(t.type, ListT) and isinstance(t.type.element, Scalar)
            )
            local = node is tree.root or t.name not in regions.meeting
            if numbers and is_float(t.type) and local and t.name not in spared:
                found.add(t.name)
    return found
