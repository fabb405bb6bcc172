"""Refusing a tape that would be too large, before it is allocated.

In: a generated function and a limit in bytes.  Out: the function with a ``Check`` before every
allocation (and growth) of a tape; the message names the user's line.  The checks raise
``MemoryError``.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Atom, Block, For, Function, If, Reserve, Stmt, Var, While
from srcad.ir.types import ArrayT
from srcad.ir.walk import variables
from srcad.storage.measure import item_size


def limit_memory(fn: Function, limit: int) -> Function:
    """``fn`` with every tape allocation checked against ``limit`` bytes."""
    b = Builder(Namer(v.name for v in variables(fn)))
    return replace(fn, body=_block(fn.body, b, limit))


def _block(block: Block, b: Builder, limit: int) -> Block:
    with b.block() as stmts:
        for s in block.stmts:
            _guard(s, b, limit)
            b.emit(_inner(s, b, limit))
    return Block(tuple(stmts), block.yields)


def _inner(s: Stmt, b: Builder, limit: int) -> Stmt:
    match s:
        case If():
            return replace(s, then=_block(s.then, b, limit), orelse=_block(s.orelse, b, limit))
        case For() | While():
            return replace(s, body=_block(s.body, b, limit))
    return s


def _guard(s: Stmt, b: Builder, limit: int) -> None:
    if s.loc is None or s.loc.role != "tape":
        return
    if isinstance(s, Alloc) and isinstance(s.target.type, ArrayT):
        size: Atom = const(1)
        for n in s.shape:
            size = b.op("mul", size, n)
        _check(s, size, s.target, b, limit)
    elif isinstance(s, Reserve):
        _check(s, s.size, s.array, b, limit)


def _check(s: Stmt, size: Atom, v: Var, b: Builder, limit: int) -> None:
    assert s.loc is not None
    b.loc = s.loc
    fits = b.op("le", size, const(limit // item_size(v)))
    b.check(
        fits,
        "MemoryError",
        f"srcad: the values recorded for line {s.loc.line} of "
        f"{s.loc.function} would take more than memory_limit={limit} bytes",
    )
