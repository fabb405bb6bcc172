"""Whether several iterations at once are worth it: is there a recurrence that must run in order?

In: an outer loop.  Out: whether an innermost loop in it carries a number from trip to trip whose
operations must come one after the other.  A processor then waits for each result before it starts
the next operation, and LLVM makes no vector loop.  Sums of adjoint code may be taken in any order,
so they do not count; neither do loops known to be short, which LLVM unrolls.
"""

from __future__ import annotations

from srcad.analyses.order import Sums
from srcad.ir.nodes import Atom, Block, Const, For, Op, Stmt, Var
from srcad.ir.types import is_float
from srcad.ir.walk import statements

FEW = 8  # trips known to be fewer are not worth it


def worth_it(s: For) -> bool:
    """Whether an outer loop has such an inner loop, not within a branch."""
    return trips(s) >= FEW and any(map(_recurrent, s.body.stmts))


def _recurrent(s: Stmt) -> bool:
    return isinstance(s, For) and (_recurrence(s) or any(map(_recurrent, s.body.stmts)))


def _recurrence(s: For) -> bool:
    """Whether an innermost loop must run in order."""
    inner = (t for t in statements(s.body) if isinstance(t, For))
    if trips(s) < FEW or any(inner):
        return False
    return any(
        is_float(c.arg.type) and not adjoint_sum(s.body, c.arg, y)
        for c, y in zip(s.carried, s.body.yields, strict=True)
    )


def trips(s: For) -> float:
    """How often a body runs, as far as that is known (else infinity)."""
    known = isinstance(s.start, Const) and isinstance(s.stop, Const)
    return abs(s.stop.value - s.start.value) if known else float("inf")  # type: ignore[union-attr]


def adjoint_sum(body: Block, arg: Var, end: Atom) -> bool:
    """Whether a carried number is a sum that only adjoint code adds to."""
    walk = Sums()
    if not is_float(arg.type) or walk.through(body, arg) != end:
        return False
    adding = (
        t
        for t in statements(body)
        if isinstance(t, Op) and any(isinstance(a, Var) and a.name in walk.spent for a in t.args)
    )
    return all(t.loc is not None and t.loc.role == "adjoint" for t in adding)
