"""Atomic updates of a thread's own arrays are plain ones: no other thread can see them.

In: a kernel's function as lowered.  Out: the same function where atomics touch arrays that threads
share only (the device has none on local memory).

Limits: an atomic that hands back the element as it was, on an own array, is refused.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.regions import Regions
from srcad.analyses.summaries import summarise
from srcad.errors import UnsupportedSyntax
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Accumulate, Block, Call, For, Function, If, Stmt, Var, While
from srcad.ir.threads import how_atomic, is_atomic
from srcad.ir.walk import statements, variables


def privately(fn: Function) -> Function:
    """The function with plain updates of what is a thread's own.

    Raises:
        UnsupportedSyntax: one hands back the element as it was.
    """
    if not any(is_atomic(s) or isinstance(s, Accumulate) and s.atomic for s in statements(fn.body)):
        return fn
    regions = Regions(fn, summarise(fn))
    params = {p.name for p in fn.params}
    b = Builder(Namer(v.name for v in variables(fn)))

    def own(a: Var) -> bool:
        return not regions.of(a) & params

    def block(inner: Block) -> Block:
        with b.block() as out:
            for s in inner.stmts:
                statement(s)
        return Block(tuple(out), inner.yields)

    def statement(s: Stmt) -> None:
        b.loc = getattr(s, "loc", None)
        match s:
            case If():
                s = replace(s, then=block(s.then), orelse=block(s.orelse))
            case For() | While():
                s = replace(s, body=block(s.body))
            case Accumulate() if s.atomic and own(s.array):
                s = replace(s, atomic=False)
            case Call() if is_atomic(s) and own(s.args[0]):  # type: ignore[arg-type]
                update(b, s)
                return
        b.emit(s)

    return replace(fn, body=block(fn.body))


def update(b: Builder, s: Call) -> None:
    """A maximum or minimum as a comparison (as ``ir.threads.atomic_function`` has it)."""
    a, *index, value = s.args
    assert isinstance(a, Var)
    how = how_atomic(s.fn)
    if s.targets:
        raise UnsupportedSyntax(
            f"the value that cuda.atomic.{how} of a local array gives back",
            s.loc,
            "local memory has no atomics",
            "read the element, then update it: nobody else can",
        )
    old = b.load(a, *index)
    wins = b.op("gt" if how.endswith("max") else "lt", value, old, hint="wins")
    if how.startswith("nan"):
        pair = b.op("ne", old, old), b.op("eq", value, value)
        wins = b.op("or", wins, b.op("and", *pair))
    with b.block() as then:
        b.store(a, tuple(index), value)
    b.if_(wins, Block(tuple(then)), Block(()))
