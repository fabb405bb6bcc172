"""Complex numbers become pairs of reals, once, before anything else happens to a program.

In: IR of the frontend, with complex scalars, arrays and lists.  Out: the same program without
them: a complex scalar is two real ones, a complex array is a real array with a last axis of size 2
(the same bytes in memory), a list of complex numbers is two lists.  Every later pass (activity,
tapes, forward and reverse mode of any order, all backends) sees real programs only, so a derivative
of a complex program is the real derivative of its parts, and nothing of the engine can forget a
conjugation.  The convention of JAX is made from that where programs meet the user
(``api.conjugation``).

Invariant: values are Numba's, signs of zeros at branch cuts included (``complex_ops``).  Parameters
and results of the root function are real already: the frontend takes arguments apart.
Matrix products and ``solve`` are written in terms of real ones.  What is not known here never
arrives: the frontend refuses complex operands that are not declared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.errors import InternalError
from srcad.ir.build import Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import I8, PART, ArrayT, ListT, Scalar, Type, is_complex
from srcad.ir.walk import binders, operands, rewrite, statements, targets, variables
from srcad.rules.expr import Expr, emit
from srcad.transforms.complex_matrices import MATRICES
from srcad.transforms.complex_ops import OPS, Pair
from srcad.transforms.program import each_function

PART_NAMES = ("_re", "_im")


def run(fn: Function) -> Function:
    """The program in reals."""
    functions = [fn, *fn.callees.values()]
    if not any(is_complex(v.type) for f in functions for v in variables(f)) and not any(
        is_complex(a.type) for f in functions for s in statements(f.body) for a in operands(s)
    ):
        return fn
    return each_function(fn, lambda f: _Pairs(f).function())


def parts(t: Type) -> tuple[Type, ...]:
    """What stands for a variable of a type."""
    if not is_complex(t):
        return (t,)
    if isinstance(t, Scalar):
        return (PART[t], PART[t])
    if isinstance(t, ArrayT):
        return (view_layout(t, "pairs", ()),)
    return tuple(ListT(p) for p in parts(t.element))  # type: ignore[arg-type]


class _Pairs:
    """Rewrites one function."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.known: dict[str, tuple[Atom, ...]] = {}

    def function(self) -> Function:
        """The function in reals."""
        params = tuple(p for q in self.fn.params for p in self.define(q))
        return replace(self.fn, params=params, body=self.block(self.fn.body))

    # variables
    def define(self, v: Var) -> tuple[Var, ...]:
        """The variables that stand for ``v`` (itself where it is real)."""
        if not is_complex(v.type):
            return (v,)
        kinds, hint = parts(v.type), v.hint or v.name
        names = PART_NAMES if len(kinds) == 2 else ("",)
        made = tuple(self.b.var(hint + n, t) for n, t in zip(names, kinds, strict=True))
        self.known[v.name] = made
        return made

    def use(self, a: Atom) -> tuple[Atom, ...]:
        """The atoms that stand for ``a``."""
        if isinstance(a, Const):
            if not is_complex(a.type):
                return (a,)
            value = complex(a.value)
            kind = PART[a.type]  # type: ignore[index]
            return (Const(value.real, kind), Const(value.imag, kind))
        return self.known.get(a.name, (a,))

    def one(self, a: Atom) -> Atom:
        """The one atom that stands for a reference or a real number."""
        (out,) = self.use(a)
        return out

    def all(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        """The atoms that stand for several."""
        return tuple(x for a in atoms for x in self.use(a))

    # statements
    def block(self, block: Block) -> Block:
        """A block in reals."""
        with self.b.block() as stmts:
            for s in block.stmts:
                self.b.loc = s.loc
                self.statement(s)
        return Block(tuple(stmts), self.all(block.yields))

    def statement(self, s: Stmt) -> None:
        """Emit a statement in reals."""
        match s:
            case If():
                then, orelse = self.block(s.then), self.block(s.orelse)
                results = tuple(v for r in s.results for v in self.define(r))
                cond = self.one(s.cond)
                self.b.emit(replace(s, cond=cond, then=then, orelse=orelse, results=results))
            case For() | While():
                self.loop(s)
            case _:
                mine = (*operands(s), *targets(s), *binders(s))
                if any(is_complex(a.type) for a in mine):
                    self.complex_statement(s)
                else:
                    self.b.emit(rewrite(s, self.one, lambda v: v))

    def loop(self, s: For | While) -> None:
        """A loop: every complex value that it carries becomes two."""
        carried: list[Carried] = []
        inits = [self.use(c.init) for c in s.carried]
        args = [self.define(c.arg) for c in s.carried]
        body = self.block(s.body)
        for c, a, i in zip(s.carried, args, inits, strict=True):
            carried += map(Carried, self.define(c.result), a, i)
        bounds = {}
        if isinstance(s, For):
            bounds = {k: self.one(getattr(s, k)) for k in ("start", "stop", "step")}
        self.b.emit(replace(s, carried=tuple(carried), body=body, **bounds))  # type: ignore[arg-type]

    def complex_statement(self, s: Stmt) -> None:
        """A statement that reads or makes something complex."""
        match s:
            case Op():
                self.op(s)
            case Load():
                self.load(s)
            case Store() | Accumulate():
                self.store(s)
            case Alloc():
                pair = (const(2),) if isinstance(s.target.type, ArrayT) else ()
                for t in self.define(s.target):
                    self.b.emit(replace(s, target=t, shape=(*s.shape, *pair)))
            case View():
                self.view(s)
            case Dim():
                self.b.emit(replace(s, array=self.use(s.array)[0]))  # type: ignore[arg-type]
            case Reserve():
                for a in self.use(s.array):
                    self.b.emit(replace(s, array=a))  # type: ignore[arg-type]
            case Call():
                made = tuple(v for t in s.targets for v in self.define(t))
                self.b.emit(replace(s, targets=made, args=self.all(s.args)))
            case ArrayOp() if s.op in MATRICES:
                args = [self.use(a) for a in s.args]
                for t, r in zip(s.targets, MATRICES[s.op](self.b, s, args), strict=True):
                    self.known[t.name] = r
            case _:
                raise InternalError(f"{type(s).__name__} of complex numbers", s.loc)

    def op(self, s: Op) -> None:
        """A primitive, by its formula."""
        wide = next(a.type for a in (s.target, *s.args) if is_complex(a.type))
        kind = PART[wide]  # type: ignore[index]
        if s.op != "select" and is_complex(s.target.type):
            kind = PART[s.target.type]  # type: ignore[index]
        args: list[Any] = [self.pair(a, kind) for a in s.args]
        if s.op == "select":
            args[0] = self.expr(self.one(s.args[0]), kind)
        out = OPS[s.op](*args)
        found = (out.re, out.im) if isinstance(out, Pair) else (out,)
        memo: dict[object, Atom] = {}
        wanted = parts(s.target.type)
        self.known[s.target.name] = tuple(
            self.b.cast(emit(self.b, e, memo), t)  # type: ignore[arg-type]
            for e, t in zip(found, wanted, strict=True)
        )

    def pair(self, a: Atom, kind: Scalar) -> Pair:
        """An operand as two expressions; a real one has the imaginary part 0."""
        found = [self.b.cast(x, kind) for x in self.use(a)]
        if len(found) == 1:
            found.append(const(0.0, kind))
        return Pair(*(self.expr(x, kind) for x in found))

    def expr(self, a: Atom, kind: Scalar) -> Expr:
        """An atom as an expression."""
        assert isinstance(a.type, Scalar)
        return Expr(a.type, kind, atom=a)

    def indices(self, array: Var, index: tuple[Atom, ...]) -> list[tuple[Atom, tuple[Atom, ...]]]:
        """What holds the parts of an element, and where in it."""
        held = self.use(array)
        at = self.all(index)
        if isinstance(array.type, ArrayT):
            return [(held[0], (*at, const(k))) for k in (0, 1)]
        return [(h, at) for h in held]

    def load(self, s: Load) -> None:
        """The parts of an element."""
        made = self.define(s.target)
        for t, (array, index) in zip(made, self.indices(s.array, s.index), strict=True):
            self.b.emit(replace(s, target=t, array=array, index=index))  # type: ignore[arg-type]

    def store(self, s: Store | Accumulate) -> None:
        """The parts of an element, written or added to."""
        places = self.indices(s.array, s.index)
        for v, (array, index) in zip(self.use(s.value), places, strict=True):
            self.b.emit(replace(s, array=array, index=index, value=v))  # type: ignore[arg-type]

    def view(self, s: View) -> None:
        """A view of the pairs, or of one of the parts."""
        base = self.use(s.base)
        if s.kind in ("real", "imag"):
            self.part(s, base[0])
            return
        if s.kind == "pairs":
            self.b.emit(replace(s, base=base[0], kind="same"))  # type: ignore[arg-type]
            return
        kind = "same" if s.kind == "complex" else s.kind
        spec: tuple[Any, ...] = s.spec
        if kind == "transpose":
            spec = (*spec, len(spec))
        elif kind == "reshape":
            spec = (*self.all(spec), const(2))
        for t, v in zip(self.define(s.target), base, strict=True):
            made = View(t, v, kind, spec, s.loc)  # type: ignore[arg-type]
            self.b.emit(rewrite(made, lambda a, v=v: a if a is v else self.one(a), lambda t: t))  # type: ignore[misc]

    def part(self, s: View, pairs: Atom) -> None:
        """The real or the imaginary parts of an array: a strided view."""
        assert isinstance(s.base.type, ArrayT) and isinstance(pairs.type, ArrayT)
        full = (("slice", None, None, None),) * s.base.type.ndim
        spec = (*full, ("at", const(0 if s.kind == "real" else 1, I8)))
        natural = view_layout(pairs.type, "index", spec)
        assert natural.layout == "A" and natural.ndim == s.target.type.ndim  # type: ignore[union-attr]
        self.b.emit(View(s.target, pairs, "index", spec, s.loc))  # type: ignore[arg-type]
