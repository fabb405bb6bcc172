"""Building IR: a ``Builder`` appends statements to the block in hand and names what it makes.

In: operands; out: variables of the right type.  Trivial operations on constants are folded on
the way, so that generated code carries no ``x + 0`` (never for floats where IEEE forbids it).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from srcad.errors import TypeMismatch
from srcad.ir.draws import DRAWS
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Carried,
    Check,
    Const,
    Dim,
    Draw,
    For,
    If,
    Load,
    Loc,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.primitives import fold, primitive
from srcad.ir.types import B1, C16, F8, I8, ArrayT, ListT, Scalar, Type, is_complex


def const(value: complex, kind: Scalar | None = None) -> Const:
    """A constant of the natural type of ``value``, or of ``kind``."""
    if kind is None:
        kind = B1 if isinstance(value, bool) else I8 if isinstance(value, int) else F8
        kind = C16 if isinstance(value, complex) else kind
    cast: Any = {"i8": int, "b1": bool, "c16": complex, "c8": complex}.get(kind.kind, float)
    return Const(cast(value), kind)


ZERO, ONE = const(0), const(1)


class Builder:
    """Appends to a stack of statement lists; the innermost is the block in hand."""

    def __init__(self, namer: Namer, loc: Loc | None = None) -> None:
        self.namer = namer
        self.loc = loc
        self.stack: list[list[Stmt]] = [[]]
        self.fresh: set[str] = set()  # names of the temporaries made here

    # blocks
    @contextmanager
    def block(self) -> Iterator[list[Stmt]]:
        """A new block in hand for the duration of the ``with``."""
        stmts: list[Stmt] = []
        self.stack.append(stmts)
        try:
            yield stmts
        finally:
            self.stack.pop()

    def mark(self) -> tuple[int, Stmt | None]:
        """The present end of the block in hand, for ``rewind``."""
        return len(self.stack), self.stack[-1][-1] if self.stack[-1] else None

    def rewind(self, mark: tuple[int, Stmt | None]) -> None:
        """Forget what was appended since ``mark``."""
        depth, last = mark
        del self.stack[depth:]
        stmts = self.stack[-1]
        while stmts and stmts[-1] is not last:
            stmts.pop()

    def emit(self, s: Stmt) -> None:
        """Append a statement to the block in hand."""
        self.stack[-1].append(s)

    def var(self, hint: str, type: Type) -> Var:
        """A fresh variable named after ``hint``."""
        name = self.namer.fresh(hint)
        self.fresh.add(name)
        return Var(name, type, hint)

    # scalars
    def op(self, name: str, *args: Atom, hint: str = "t") -> Atom:
        """Result of a scalar primitive (folded where both operands are known)."""
        known = fold(name, args)
        if known is not None:
            return known
        target = self.var(hint, self.kind(name, args))
        self.emit(Op(target, name, args, self.loc))
        return target

    def kind(self, name: str, args: tuple[Atom, ...]) -> Scalar:
        """The result type of a primitive, or the error at the statement in hand."""
        try:
            return primitive(name).result_type(*(a.type for a in args))
        except TypeMismatch as e:
            raise TypeMismatch(e.what, self.loc, e.why, e.instead) from None

    def cast(self, a: Atom, kind: Scalar, hint: str = "t") -> Atom:
        """``a`` as a scalar of the given kind."""
        if a.type == kind:
            return a
        if isinstance(a, Const) and kind in (F8, I8, B1, C16) and not is_complex(a.type):
            return const(a.value, kind)
        return self.op(kind.kind, a, hint=hint)

    # memory
    def alloc(
        self, type: Type, shape: tuple[Atom, ...] = (), zero: bool = True, hint: str = "a"
    ) -> Var:
        """Fresh storage."""
        target = self.var(hint, type)
        self.emit(Alloc(target, shape, zero, self.loc))
        return target

    def load(self, array: Var, *index: Atom, hint: str = "t") -> Var:
        """An element."""
        assert isinstance(array.type, (ArrayT, ListT))
        target = self.var(hint, array.type.element)
        self.emit(Load(target, array, index, self.loc))
        return target

    def store(self, array: Var, index: tuple[Atom, ...], value: Atom) -> None:
        """``array[index] = value``."""
        self.emit(Store(array, index, value, self.loc))

    def accumulate(self, array: Var, index: tuple[Atom, ...], value: Atom) -> None:
        """``array[index] += value``."""
        self.emit(Accumulate(array, index, value, self.loc))

    def dim(self, array: Var, axis: int) -> Var:
        """``array.shape[axis]``."""
        target = self.var("n", I8)
        self.emit(Dim(target, array, axis, self.loc))
        return target

    def view(self, base: Var, kind: str, spec: tuple[Any, ...], type: Type, hint: str = "v") -> Var:
        """A reference into the storage of ``base``."""
        target = self.var(hint, type)
        self.emit(View(target, base, kind, spec, self.loc))
        return target

    def reserve(self, array: Var, size: Atom) -> None:
        """Make the positions below ``size`` of a list exist."""
        self.emit(Reserve(array, size, self.loc))

    def array_op(
        self, name: str, types: tuple[Type, ...], *args: Atom, hint: str = "r"
    ) -> tuple[Var, ...]:
        """Results of an array primitive."""
        results = tuple(self.var(hint, t) for t in types)
        self.emit(ArrayOp(results, name, args, self.loc))
        return results

    def check(self, cond: Atom, exception: str, *message: Any) -> None:
        """Raise unless ``cond`` (nothing to do where it is known to hold)."""
        if not (isinstance(cond, Const) and cond.value):
            self.emit(Check(cond, exception, message, self.loc))

    def draw(self, kind: str, *args: Atom, hint: str = "z") -> Var | None:
        """The next random number of a distribution; nothing of a seeding."""
        targets = tuple(self.var(hint, t) for t in DRAWS[kind].results)
        self.emit(Draw(targets, kind, args, self.loc))
        return targets[0] if targets else None

    # control flow
    @contextmanager
    def loop(self, start: Atom, stop: Atom, step: Atom = ONE, hint: str = "i") -> Iterator[Var]:
        """A counted loop without carried values around what is emitted inside the ``with``."""
        index = self.var(hint, I8)
        loc = self.loc
        with self.block() as stmts:
            yield index
        self.emit(For(index, start, stop, step, (), Block(tuple(stmts)), loc=loc))

    def if_(self, cond: Atom, then: Block, orelse: Block, results: tuple[Var, ...] = ()) -> None:
        """A branch whose blocks are already built."""
        self.emit(If(cond, then, orelse, results, self.loc))

    def for_(
        self,
        index: Var,
        start: Atom,
        stop: Atom,
        step: Atom,
        carried: tuple[Carried, ...],
        body: Block,
        breaks: bool = False,
        parallel: bool = False,
    ) -> None:
        """A counted loop whose body is already built."""
        self.emit(For(index, start, stop, step, carried, body, breaks, parallel, self.loc))

    def while_(self, carried: tuple[Carried, ...], body: Block) -> None:
        """A conditional loop whose body is already built."""
        self.emit(While(carried, body, self.loc))
