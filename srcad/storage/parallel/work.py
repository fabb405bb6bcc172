"""How much a loop does: an estimate that is computed when the program gets there.

In: a loop.  Out: statements that compute about how many simple operations it executes: trips times
what stands in its body, inner loops likewise where their bounds are known before the loop.
"""

from __future__ import annotations

from srcad.ir.build import Builder, const
from srcad.ir.nodes import ArrayOp, Atom, Block, Call, Const, For, Op, Var, While
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.walk import binders, blocks, statements, targets
from srcad.transforms.trips import counted, trip_count

TRIPS = 8  # of a loop whose trips are not known
DEAR = 200  # an array operation or a call


def work(b: Builder, s: For, trips: Atom) -> Atom:
    """Emit the estimate for a loop that has ``trips`` trips."""
    inside = {v.name for t in statements(s.body) for v in (*targets(t), *binders(t))}
    return b.op("mul", trips, _block(b, s.body, inside | {v.name for v in binders(s)}))


def _block(b: Builder, block: Block, unknown: set[str]) -> Atom:
    plain = 1
    total: Atom = const(0)
    for s in block.stmts:
        if isinstance(s, (For, While)):
            total = b.op("add", total, _loop(b, s, unknown))
            continue
        for inner in blocks(s):
            total = b.op("add", total, _block(b, inner, unknown))
        plain += _cost(s)
    return b.op("add", total, const(plain))


def _loop(b: Builder, s: For | While, unknown: set[str]) -> Atom:
    trips: Atom = const(TRIPS)
    if isinstance(s, For) and counted(s):
        ends = (s.start, s.stop)
        if not any(isinstance(a, Var) and a.name in unknown for a in ends):
            trips = trip_count(b, s.start, s.stop, s.step)
    return b.op("mul", trips, _block(b, s.body, unknown))


def _cost(s: object) -> int:
    if isinstance(s, Op):
        return PRIMITIVES[s.op].cost
    return DEAR if isinstance(s, (ArrayOp, Call)) else 1


def small(s: For, limit: int) -> bool:
    """Whether a loop is known to do little: a few trips, and no loop in it."""
    if not (isinstance(s.start, Const) and isinstance(s.stop, Const)):
        return False
    inner = any(isinstance(t, (For, While, Call, ArrayOp)) for t in statements(s.body))
    trips = abs(int(s.stop.value) - int(s.start.value))
    return not inner and trips * sum(_cost(t) for t in statements(s.body)) < limit
