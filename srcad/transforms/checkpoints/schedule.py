"""The binomial schedule: where the next state is kept, and how many steps that costs.

Reversing ``l`` steps with ``s`` states, the one before the first step among them, takes at least
``t(l, s) = r l - beta(s + 1, r - 1)`` plain steps, where ``beta(s, r) = (s + r)! / (s! r!)`` and
``r`` is the only number with ``beta(s, r - 1) < l <= beta(s, r)`` (Griewank and Walther 2000,
Algorithm 799, Proposition 1; Griewank 1992).  Keeping the next state after ``split(l, s)`` steps
attains it: ``t(l, s) = m + t(l - m, s - 1) + t(m, s)``.

``emit_split`` is the same computation as an IR function; all of it is integer arithmetic, so the
transforms leave it as it is.
"""

from __future__ import annotations

from srcad.ir.build import ONE, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Function, Var
from srcad.ir.types import B1, I8
from srcad.transforms.checkpoints.emit import carry_while

DOC = "How many of ``steps`` steps to advance before a state is kept, with ``states`` of them."


def split(steps: int, states: int) -> int:
    """How far to advance before the next state is kept.

    >>> [split(l, 2) for l in range(2, 7)]
    [1, 1, 2, 3, 3]
    """
    r, whole, before = 1, states + 1, 1
    while whole < steps:
        r += 1
        before, whole = whole, whole * (states + r) // r
    return min(before, steps - before * states // (states + r - 1))


def advances(steps: int, states: int) -> int:
    """The number ``t`` of plain steps that reversing takes with the binomial schedule.

    >>> advances(10, 3), advances(10, 1), advances(4, 9)
    (15, 45, 3)
    """
    r, whole = 0, 1
    while whole < steps:
        r += 1
        whole = whole * (states + r) // r
    if r == 0:
        return 0
    beta = 1
    for k in range(1, r):  # beta(states + 1, r - 1)
        beta = beta * (states + 1 + k) // k
    return r * steps - beta


def emit_split(name: str) -> Function:
    """``split`` as a function of IR."""
    b = Builder(Namer())
    steps, states = b.var("steps", I8), b.var("states", I8)
    first = b.op("add", states, ONE, hint="whole")

    def body(args: tuple[Var, ...]) -> tuple[Atom, ...]:
        _, r, whole, _ = args
        more = b.op("add", r, ONE, hint="r")
        longer = b.op("floordiv", b.op("mul", whole, b.op("add", states, more)), more, hint="whole")
        return b.op("lt", longer, steps), more, longer, whole

    inits = (b.op("lt", first, steps), ONE, first, ONE)
    _, r, _, before = carry_while(
        b, (("go", B1), ("r", I8), ("whole", I8), ("before", I8)), inits, body
    )
    others = b.op("sub", b.op("add", states, r), ONE)
    least = b.op("floordiv", b.op("mul", before, states), others, hint="least")
    out = b.op("min", before, b.op("sub", steps, least), hint="advance")
    return Function(name, (steps, states), Block(tuple(b.stack[0]), (out,)), doc=DOC)
