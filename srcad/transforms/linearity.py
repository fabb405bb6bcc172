"""Whether a function is linear in some of its parameters, as far as its text shows.

In: a function, which parameters.  Out: ``None``, or the first statement that may not be
linear.  A rule of the user may be transposed only where the answer is ``None``: the transpose
is taken at zero, and of something that is not linear it would be a number without meaning.

Invariant: sound, not complete; what is not understood (a random number) is not linear.  A call is
linear where the function called is; of one that is being looked at (recursion) that is assumed.
Limits: affine functions count as linear (``out_t = x_t + 1``).
"""

from __future__ import annotations

from dataclasses import replace

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


Pattern = tuple[str, tuple[bool, ...]]


def bends_at(
    fn: Function, chosen: tuple[bool, ...], seen: frozenset[Pattern] = frozenset()
) -> Stmt | None:
    """The first statement for which ``fn`` may not be linear in the chosen parameters."""
    summaries = summarise(fn)
    activity = Activity(fn, Regions(fn, summaries), summaries, chosen)
    seen = seen | {(fn.name, chosen)}
    return next((s for s in statements(fn.body) if not _linear(s, fn, activity, seen)), None)


def _linear(s: Stmt, fn: Function, activity: Activity, seen: frozenset[Pattern]) -> bool:
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
        case Call(fn=name, args=args) if any(map(moves, args)):
            callee, on = replace(fn.callees[name], callees=fn.callees), tuple(map(moves, args))
            return (name, on) in seen or bends_at(callee, on, seen) is None
        case Draw():
            return not any(map(moves, operands(s)))
    return True
