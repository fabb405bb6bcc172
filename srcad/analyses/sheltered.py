"""Numbers that matter only where something chooses them: the operands of ``np.where``.

In: a block.  Out: names of numbers all of whose uses lead, through operations, to a side of a
``select`` or to a factor that a zero takes out (``guarded_mul``).  Where the other side is chosen
their adjoint is zero, and they may be anything, infinities and NaN included: the adjoints of the
operations that made them must stay zero.

Limits: a number that goes through a call, the end of a block, or an array that is used as a whole
(a view of it, a result) counts as used.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.types import B1, F8
>>> b = Builder(Namer())
>>> x, y = b.var("x", F8), b.op("truediv", const(1.0), b.var("z", F8), hint="y")
>>> t = b.op("mul", y, x, hint="t")
>>> r = b.op("select", b.var("c", B1), t, x, hint="r")
>>> sorted(sheltered(Block(tuple(b.stack[0]), (r,))))
['t', 'x', 'y', 'z']
"""

from __future__ import annotations

from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Dim,
    Draw,
    For,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.walk import blocks, operands, statements
from srcad.rules.registry import has_rule, is_zero


def sheltered(body: Block) -> frozenset[str]:
    """The names of such numbers, and of arrays that hold nothing else."""
    everything = list(statements(body))
    yields = {a.name for s in everything for b in blocks(s) for a in b.yields if isinstance(a, Var)}
    yields |= {a.name for a in body.yields if isinstance(a, Var)}
    # an array is one of them until an element of it is used otherwise
    arrays = _only_elements(everything) - yields
    while True:
        inside, exposed = _flow(everything, yields, arrays)
        open_ = {
            s.array.name for s in everything if isinstance(s, Load) and s.target.name in exposed
        }
        if not arrays & open_:
            return frozenset(inside | arrays)
        arrays -= open_


def _flow(everything: list[Stmt], yields: set[str], arrays: set[str]) -> tuple[set[str], set[str]]:
    """The names of the sheltered numbers, and of those that are used otherwise."""
    used: set[str] = set()
    exposed = set(yields)
    for s in reversed(everything):
        if not isinstance(s, Op):
            kept = isinstance(s, (Store, Accumulate)) and s.array.name in arrays
            (used if kept else exposed).update(a.name for a in _handed_on(s) if isinstance(a, Var))
        elif not (has_rule(s.op) and is_zero(s.op)):
            inside = s.target.name in used and s.target.name not in exposed
            for k, a in enumerate(s.args):
                if isinstance(a, Var) and not (s.op == "select" and k == 0):
                    (used if inside or _taken_out(s, k) else exposed).add(a.name)
    return used - exposed, exposed


def _only_elements(everything: list[Stmt]) -> set[str]:
    """The arrays made here that are only read and written element by element."""
    made = {s.target.name for s in everything if isinstance(s, Alloc)}
    for s in everything:
        if not isinstance(s, (Load, Store, Accumulate, Dim)):
            made -= {a.name for a in operands(s) if isinstance(a, Var)}
    return made


def _taken_out(s: Op, k: int) -> bool:
    """Whether operand ``k`` may not matter to the result."""
    return (s.op == "select" and k > 0) or (s.op == "guarded_mul" and k == 1)


def _handed_on(s: Stmt) -> tuple[Atom, ...]:
    """The numbers that a statement uses other than as a subscript, a bound or a condition."""
    match s:
        case Store(value=v) | Accumulate(value=v):
            return (v,)
        case ArrayOp(args=args) | Call(args=args) | Draw(args=args):
            return args
        case For(carried=carried) | While(carried=carried):
            return tuple(c.init for c in carried)
    return ()
