"""Whether a function is linear in some of its parameters, as far as its text shows.

In: a function, which parameters.  Out: ``None``, or the first statement that may not be
linear.  A rule of the user may be transposed only where the answer is ``None``: the transpose
is taken at zero, and of something that is not linear it would be a number without meaning.

Invariant: sound, not complete; what is not understood (a call, a random number) is not linear.
Limits: affine functions count as linear (``out_t = x_t + 1``).
"""

from __future__ import annotations

from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions
from srcad.analyses.summaries import summarise
from srcad.ir.nodes import ArrayOp, Call, Draw, Function, Op, Stmt, Var
from srcad.ir.types import is_float
from srcad.ir.walk import operands, statements

# primitives linear in all their operands together, and in one of two
JOINTLY = {"add", "sub", "neg", "f8", "f4"}
IN_ONE = {"mul", "matmul", "dot", "outer"}
IN_FIRST = {"truediv", "guarded_mul", "guarded_div", "steep_div"}
IN_LAST = {"solve"}


def bends_at(fn: Function, chosen: tuple[bool, ...]) -> Stmt | None:
    """The first statement for which ``fn`` may not be linear in the chosen parameters."""
    summaries = summarise(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, chosen)
    return next((s for s in statements(fn.body) if not _linear(s, activity)), None)


def _linear(s: Stmt, activity: Activity) -> bool:
    def moves(a: object) -> bool:
        return isinstance(a, Var) and is_float(a.type) and activity.carries(a)

    match s:
        case Op(op="select", args=(cond, *_)):
            return not moves(cond)
        case Op(op=op, args=args) | ArrayOp(op=op, args=args):
            count = sum(map(moves, args))
            if not count or op in JOINTLY:
                return True
            if op in IN_ONE:
                return count == 1
            rest = {True: args[1:], False: args[:-1]}
            known = op in IN_FIRST or op in IN_LAST
            return known and not any(map(moves, rest[op in IN_FIRST]))
        case Call() | Draw():
            return not any(map(moves, operands(s)))
    return True
