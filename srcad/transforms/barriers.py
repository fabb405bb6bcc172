"""What the barriers of a kernel guard: every array that its threads share and any of them writes.

In: a kernel's function, whose barriers guard nothing in particular (as the frontend and the
transforms leave them).  Out: the same function where each is a call on all these arrays, so that
every pass sees that their contents after it are not what they were before.

Invariant: arrays that are allocated in the function belong to one thread; parameters are shared.
What nobody writes stays out: its elements may be read again at any time.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.threads import barrier
>>> from srcad.ir.types import I8, ArrayT
>>> b = Builder(Namer())
>>> x, s, i = b.var("x", ArrayT("f8", 1)), b.var("s", ArrayT("f8", 1)), b.var("i", I8)
>>> b.store(s, (i,), b.load(x, i))
>>> b.emit(barrier())
>>> fn = Function("k", (x, s, i), Block(tuple(b.stack[0])), {BARRIER: barrier_function(())})
>>> print(text(completed(fn)), end="")
def k(x: f8[:]C, s: f8[:]C, i: i8):
    t: f8 = x[i]
    s[i] = t
     = call cuda.syncthreads(s)
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.nodes import Accumulate, Block, Call, For, Function, If, Stmt, Store, Var, While
from srcad.ir.threads import BARRIER, barrier_function, is_barrier
from srcad.ir.walk import statements


def completed(fn: Function) -> Function:
    """The function with barriers that say what they guard."""
    if not any(map(is_barrier, statements(fn.body))):
        return fn
    arrays = written(fn)
    callees = {**fn.callees, BARRIER: barrier_function(arrays)}
    for name, f in callees.items():
        callees[name] = replace(f, callees=callees)
    return replace(fn, body=_block(fn.body, arrays), callees=callees)


def written(fn: Function) -> tuple[Var, ...]:
    """The parameters whose contents the function changes."""
    summaries = summarise(fn)
    regions = Regions(fn, summaries)
    found: set[str] = set()
    for s in statements(fn.body):
        match s:
            case Store() | Accumulate():
                found |= regions.of(s.array)
            case Call() if not is_barrier(s):
                for a, w in zip(s.args, summaries[s.fn].writes, strict=True):
                    found |= regions.of(a) if w and is_reference(a) else set()
    return tuple(p for p in fn.params if p.name in found)


def _block(b: Block, arrays: tuple[Var, ...]) -> Block:
    return replace(b, stmts=tuple(_statement(s, arrays) for s in b.stmts))


def _statement(s: Stmt, arrays: tuple[Var, ...]) -> Stmt:
    if isinstance(s, If):
        return replace(s, then=_block(s.then, arrays), orelse=_block(s.orelse, arrays))
    if isinstance(s, (For, While)):
        return replace(s, body=_block(s.body, arrays))
    return replace(s, args=arrays) if isinstance(s, Call) and is_barrier(s) else s
