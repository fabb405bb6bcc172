"""References and their shadows moving in tandem: the common part of forward and reverse mode.

In: a function, and which references have a shadow.  Out: the statements of the function with, next
to every statement that makes or moves such a reference, the same for its shadow: ``Alloc`` zeros,
``View`` the same view, branches and loops hand both out, lists of references hold both.

Invariant: a shadow has the shape of its primal at every moment and is at least as contiguous;
where references meet (branches, loops, lists) it has exactly the primal's type.
Subclasses add what happens to numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from srcad.analyses.regions import is_reference
from srcad.errors import InternalError
from srcad.ir.build import Builder
from srcad.ir.layout import view_layout
from srcad.ir.nodes import (
    Alloc,
    Atom,
    Block,
    Carried,
    For,
    If,
    Load,
    Loc,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT, Type, shadow_type
from srcad.transforms.arrays import fit, fresh, zero_of


class Tandem:
    """Rewrites blocks; ``shadow`` maps the name of a variable to its companion."""

    suffix = "_b"
    role = "adjoint"

    def __init__(self, builder: Builder, carries: Callable[[Atom], bool]) -> None:
        self.b = builder
        self.carries = carries
        self.shadow: dict[str, Var] = {}

    def companion(self, v: Var, kind: Type) -> Var:
        """A new variable that is the companion of ``v``."""
        made = self.b.var((v.hint or v.name) + self.suffix, kind)
        self.shadow[v.name] = made
        return made

    def kind(self, t: Type) -> Type:
        """The type of the companion of what has type ``t``."""
        return shadow_type(t)

    def of(self, a: Atom, kind: Type) -> Atom:
        """The companion of an atom as an operand of type ``kind`` (zero where it has none)."""
        if isinstance(a, Var) and a.name in self.shadow:
            made = self.shadow[a.name]
            return fit(self.b, made, kind) if is_reference(a) else self.b.cast(made, kind)  # type: ignore[arg-type]
        if is_reference(a):
            raise InternalError(f"reference {a.name!r} has no shadow")  # type: ignore[union-attr]
        return zero_of(kind)

    def pieces(self, a: Atom, kind: Type) -> tuple[Atom, ...]:
        """The companion of an atom where blocks hand it on: one value, or several."""
        return (self.of(a, kind),)

    def new_pieces(self, v: Var, kind: Type) -> tuple[Var, ...]:
        """New variables that are the companion of ``v``, which a block hands on."""
        return (self.companion(v, kind),)

    def located(self, loc: Loc | None) -> Loc | None:
        """``loc`` in the role of the companion."""
        return replace(loc, role=self.role) if loc is not None else None

    # blocks
    def block(self, block: Block, extra: tuple[tuple[Atom, Type], ...] = ()) -> Block:
        """A block with its companions; ``extra`` are atoms whose companions it yields as well."""
        with self.b.block() as stmts:
            for s in block.stmts:
                self.b.loc = self.located(getattr(s, "loc", None))
                self.statement(s)
            companions = tuple(p for a, kind in extra for p in self.pieces(a, kind))
        return Block(tuple(stmts), (*block.yields, *companions))

    def statement(self, s: Stmt) -> None:
        """Emit a statement and its companion."""
        match s:
            case If():
                self.branch(s)
            case For() | While():
                self.loop(s)
            case _:
                self.b.emit(s)
                self.beside(s)

    def beside(self, s: Stmt) -> None:
        """Emit the companion of a statement without blocks."""
        match s:
            case Alloc(target=t) if self.carries(t):
                self.shadow[t.name] = fresh(self.b, self.kind(t.type), s.shape, True, self.wish(t))
            case View(target=t) if self.carries(t):
                self.view(s)
            case Load(target=t) if is_reference(t) and self.carries(t):
                made = self.companion(t, self.kind(t.type))
                self.b.emit(Load(made, self.shadow[s.array.name], s.index, self.b.loc))
            case Store(value=v) if is_reference(v) and self.carries(v):
                kind = self.kind(s.array.type.element)  # type: ignore[union-attr]
                self.b.store(self.shadow[s.array.name], s.index, self.of(v, kind))
            case Reserve() if self.carries(s.array):
                self.b.reserve(self.shadow[s.array.name], s.size)

    def wish(self, v: Var) -> str:
        """The name that the companion of ``v`` should have."""
        return (v.hint or v.name) + self.suffix

    def view(self, s: View) -> None:
        """The same view of the base's shadow."""
        base = self.shadow[s.base.name]
        if s.kind == "same":
            kind = self.kind(s.target.type)
            self.shadow[s.target.name] = fit(self.b, base, kind, self.wish(s.target))
            return
        assert isinstance(base.type, ArrayT)
        kind = view_layout(base.type, s.kind, s.spec)
        self.b.emit(View(self.companion(s.target, kind), base, s.kind, s.spec, self.b.loc))

    def branch(self, s: If) -> None:
        """A branch whose results have companions."""
        picked = [k for k, r in enumerate(s.results) if self.carries(r)]
        kinds = [self.kind(s.results[k].type) for k in picked]
        loc = self.b.loc
        then = self.block(s.then, _pick(s.then, picked, kinds))
        orelse = self.block(s.orelse, _pick(s.orelse, picked, kinds))
        made = [
            p for k, t in zip(picked, kinds, strict=True) for p in self.new_pieces(s.results[k], t)
        ]
        self.b.loc = loc
        self.b.emit(replace(s, then=then, orelse=orelse, results=(*s.results, *made)))

    def loop(self, s: For | While) -> None:
        """A loop whose carried values have companions."""
        picked = [k for k, c in enumerate(s.carried) if self.carries(c.arg)]
        kinds = [self.kind(s.carried[k].arg.type) for k in picked]
        inits = [
            p for k, t in zip(picked, kinds, strict=True) for p in self.pieces(s.carried[k].init, t)
        ]
        args = [
            p
            for k, t in zip(picked, kinds, strict=True)
            for p in self.new_pieces(s.carried[k].arg, t)
        ]
        loc = self.b.loc
        body = self.block(s.body, _pick(s.body, picked, kinds))
        made = [
            p
            for k, t in zip(picked, kinds, strict=True)
            for p in self.new_pieces(s.carried[k].result, t)
        ]
        extra = tuple(Carried(r, a, i) for r, a, i in zip(made, args, inits, strict=True))
        self.b.loc = loc
        self.b.emit(replace(s, body=body, carried=(*s.carried, *extra)))


def _pick(block: Block, picked: list[int], kinds: list[Type]) -> tuple[tuple[Atom, Type], ...]:
    return tuple((block.yields[k], kind) for k, kind in zip(picked, kinds, strict=True))
