"""Barriers that every thread of a block reaches, or none: what cannot be shown is refused.

In: a kernel's function, the names of the hidden parameters that differ from thread to thread.
Out: nothing, or ``UnsupportedSyntax`` at a barrier that may divide the threads of a block.

A value *varies* if two threads of a block may have different ones: positions in the block, what is
computed from them, elements at positions that vary, elements of arrays of the thread's own, and
whatever is decided by a condition that varies.  An element of an array that threads share, at a
position that is the same for all, is the same for all: all read it between the same two barriers,
where nobody writes it (or the kernel has a race).

Invariant: sound for kernels without races.  The adjoint takes the branches and trips of the
kernel backwards, so what holds for the kernel's barriers holds for the adjoint's.
"""

from __future__ import annotations

from collections.abc import Collection

from srcad.errors import UnsupportedSyntax
from srcad.ir.nodes import (
    Alloc,
    Atom,
    Block,
    Call,
    Dim,
    Draw,
    For,
    Function,
    If,
    Load,
    Loc,
    Op,
    Stmt,
    Var,
    View,
    While,
)
from srcad.ir.threads import is_barrier
from srcad.ir.walk import operands, statements, targets


def check_barriers(fn: Function, varying: Collection[str]) -> None:
    """Refuse a kernel with a barrier that some threads of a block may not reach.

    Raises:
        UnsupportedSyntax: there is one.
    """
    if any(map(is_barrier, statements(fn.body))):
        _Varying(fn, varying).check(fn.body)


class _Varying:
    """What differs between the threads of a block: a growing set of names."""

    def __init__(self, fn: Function, varying: Collection[str]) -> None:
        self.names = set(varying)
        size = -1
        while size != len(self.names):
            size = len(self.names)
            self.block(fn.body, False)

    def has(self, a: Atom) -> bool:
        """Whether a value varies (of an array: whether it is the thread's own)."""
        return isinstance(a, Var) and a.name in self.names

    def put(self, *vs: Var) -> None:
        """Note what varies."""
        self.names.update(v.name for v in vs)

    def block(self, b: Block, divided: bool) -> None:
        """One pass over a block; ``divided`` if not all threads may be here."""
        for s in b.stmts:
            self.statement(s, divided)

    def statement(self, s: Stmt, divided: bool) -> None:
        """What a statement makes vary."""
        match s:
            case If():
                apart = self.has(s.cond)
                self.block(s.then, divided or apart)
                self.block(s.orelse, divided or apart)
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    if apart or self.has(a) or self.has(b):
                        self.put(r)
            case For() | While():
                self.loop(s, divided)
            case Op(target=t, args=args):
                if any(map(self.has, args)):
                    self.put(t)
            case Load(target=t):
                if divided or self.has(s.array) or any(map(self.has, s.index)):
                    self.put(t)
            case View(target=t):
                if any(map(self.has, operands_of(s))):
                    self.put(t)
            case Alloc() | Draw() | Call():
                self.put(*targets(s))
            case Dim():
                pass
            case _:
                self.put(*targets(s))

    def loop(self, s: For | While, divided: bool) -> None:
        """A loop, whose trips may differ."""
        apart = divides(s, self)
        if isinstance(s, For) and (apart or self.has(s.start) or self.has(s.step)):
            self.put(s.index)
        for c, y in zip(s.carried, s.body.yields, strict=True):
            if apart or self.has(c.init) or self.has(y):
                self.put(c.arg, c.result)
        self.block(s.body, divided or apart)

    def check(self, b: Block, why: Loc | None = None, apart: bool = False) -> None:
        """Refuse the first barrier where threads are apart; ``why``: what divided them."""
        for s in b.stmts:
            if apart and is_barrier(s):
                refuse(s, why)
            if isinstance(s, If):
                here = self.has(s.cond)
                for inner in (s.then, s.orelse):
                    self.check(inner, s.loc if here and not apart else why, apart or here)
            elif isinstance(s, (For, While)):
                here = divides(s, self)
                self.check(s.body, s.loc if here and not apart else why, apart or here)


def divides(s: For | While, varying: _Varying) -> bool:
    """Whether threads may leave a loop at different trips."""
    if isinstance(s, While) or s.breaks:
        first = s.carried[0]
        if varying.has(first.init) or varying.has(first.arg) or varying.has(s.body.yields[0]):
            return True
    return isinstance(s, For) and any(map(varying.has, (s.start, s.stop, s.step)))


def operands_of(s: View) -> list[Atom]:
    """The base and the positions of a view."""

    return list(operands(s))


def refuse(s: Stmt, why: Loc | None) -> None:
    """The error for a barrier that not all threads reach."""
    line = f" (decided at line {why.line})" if why is not None else ""
    raise UnsupportedSyntax(
        f"a barrier that not every thread of the block may reach{line}",
        getattr(s, "loc", None),
        "the adjoint of a barrier (syncthreads, syncwarp, a shuffle) is a barrier, which all "
        "threads of the block must execute; a return, a condition or a loop before it depends on "
        "the thread",
        "let all threads come to the barrier, and guard what they do between barriers with an if",
    )
