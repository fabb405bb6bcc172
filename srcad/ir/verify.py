"""The laws of the IR, checked: every pass maps verified IR to verified IR.

In: a function.  Out: nothing, or an ``InternalError`` naming the statement that breaks a law:
a name bound twice, an operand that is not visible where it is used, a type that does not follow
from the operands, blocks and their owners that disagree about the values handed over.

Limits: sizes, index ranges and aliasing are run-time matters; the result types of ``ArrayOp``
are taken as given (their rules make them).
"""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import NoReturn

from srcad.errors import InternalError
from srcad.ir.draws import DRAWS
from srcad.ir.layout import PARTS, view_layout
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Check,
    Const,
    Dim,
    Draw,
    For,
    Function,
    If,
    Load,
    Op,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.primitives import PRIMITIVES, primitive
from srcad.ir.primitives_base import OF_PAIRS
from srcad.ir.text import statement_text
from srcad.ir.types import B1, I8, ArrayT, ListT, Scalar, Type
from srcad.ir.walk import operands, targets, view_atoms

_VALUES = {"f8": float, "f4": float, "i8": int, "b1": bool, "c16": complex, "c8": complex}


def verify(fn: Function) -> None:
    """Raise ``InternalError`` unless the function obeys the laws of the IR."""
    _Verifier(fn).run()


def compatible(a: Type | None, b: Type) -> bool:
    """Equal, or arrays that differ in mutability only."""
    if isinstance(a, ArrayT) and isinstance(b, ArrayT):
        return replace(a, mutable=b.mutable) == b
    return a == b


class _Verifier:
    """Walks a function once with the set of bound names and the types of the visible ones."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.bound: set[str] = set()
        self.visible: dict[str, Type] = {}
        self.stmt: Stmt | None = None

    def run(self) -> None:
        for p in self.fn.params:
            self.bind(p)
        self.block(self.fn.body)

    # reporting
    def fail(self, law: str) -> NoReturn:
        """Report the statement in hand.  (Called when it is wrong: texts take long to make.)"""
        where = f" in: {statement_text(self.stmt)}" if self.stmt is not None else ""
        loc = self.stmt.loc if self.stmt is not None else None
        raise InternalError(f"{self.fn.name}: {law}{where}", loc)

    def require(self, holds: bool, law: str) -> None:
        """Report the statement in hand unless ``holds``."""
        if not holds:
            self.fail(law)

    # names
    def bind(self, v: Var) -> None:
        if not isinstance(v, Var):
            self.fail(f"{v!r} is not a variable")
        if not v.name.isidentifier():
            self.fail(f"{v.name!r} is not a name")
        if v.name in self.bound:
            self.fail(f"{v.name} is bound twice")
        if not isinstance(v.type, (Scalar, ArrayT, ListT)):
            self.fail(f"{v.name} has no type")
        self.bound.add(v.name)
        self.visible[v.name] = v.type

    def use(self, a: Atom) -> Type:
        """The type of an operand, which must be a constant or visible."""
        if isinstance(a, Const):
            ok = isinstance(a.type, Scalar) and type(a.value) is _VALUES[a.type.kind]
            if not ok:
                self.fail(f"constant {a.value!r} is not of type {a.type}")
            return a.type
        if not isinstance(a, Var):
            self.fail(f"operand {a!r} is neither variable nor constant")
        if a.name not in self.visible:
            self.fail(f"{a.name} is not defined here")
        known = self.visible[a.name]
        if known != a.type:
            self.fail(f"{a.name} is {a.type} here but was bound as {known}")
        return a.type

    def expect(self, a: Atom, t: Type, what: str) -> None:
        """An operand of the given type."""
        if self.use(a) != t:
            self.fail(f"{what} is {a.type}, not {t}")

    def block(self, b: Block, binders: tuple[Var, ...] = ()) -> None:
        """A block; what it binds is forgotten at its end."""
        before, stmt = self.visible, self.stmt
        self.visible = dict(before) if (binders or b.stmts) else before
        for v in binders:
            self.bind(v)
        for s in b.stmts:
            self.stmt = s
            for a in operands(s):
                self.use(a)
            self.statement(s)
            for t in targets(s):
                self.bind(t)
        self.stmt = stmt
        for y in b.yields:
            self.use(y)
        self.visible = before

    # statements
    def statement(self, s: Stmt) -> None:
        match s:
            case If():
                self.branch(s)
            case For() | While():
                self.loop(s)
            case Load() | Store() | Accumulate():
                self.access(s)
            case Alloc() | Dim() | Reserve() | View():
                self.storage(s)
            case Op():
                self.op(s)
            case Call():
                self.call(s)
            case Check():
                self.expect(s.cond, B1, "condition")
                if not s.exception:
                    self.require(not self.fn.body.yields, "a function with results ends early")
                    return
                error = getattr(builtins, s.exception, None)
                ok = isinstance(error, type) and issubclass(error, Exception)
                if not ok:
                    self.fail(f"{s.exception} is not a builtin exception")
            case Print():
                ok = all(isinstance(a, (Var, Const, str)) for a in s.args)
                self.require(ok, "only numbers and strings can be printed")
            case ArrayOp():
                self.require(bool(s.targets), "an array operation without result")
            case Draw():
                self.draw(s)

    def op(self, s: Op) -> None:
        if not (s.op in PRIMITIVES or s.op in OF_PAIRS):
            self.fail(f"unknown primitive {s.op}")
        known = primitive(s.op)
        if len(s.args) != known.arity:
            self.fail(f"{s.op} takes {known.arity} operands")
        for a in s.args:
            if not isinstance(a.type, Scalar):
                self.fail(f"operand of {s.op} is {a.type}")
        if s.op in ("and", "or"):
            if not all(a.type == B1 for a in s.args):
                self.fail(f"operands of {s.op} must be b1")
        if s.op == "select":
            self.expect(s.args[0], B1, "condition")
        result = known.result_type(*(a.type for a in s.args))
        if s.target.type != result:
            self.fail(f"{s.op} gives {result}, not {s.target.type}")

    def access(self, s: Load | Store | Accumulate) -> None:
        t = s.array.type
        if not isinstance(t, (ArrayT, ListT)):
            self.fail(f"{s.array.name} is {t}, not indexable")
        assert isinstance(t, (ArrayT, ListT))
        rank = t.ndim if isinstance(t, ArrayT) else 1
        if len(s.index) != rank:
            self.fail(f"{len(s.index)} indices for {t}")
        for i in s.index:
            self.expect(i, I8, "index")
        if isinstance(s, Load):
            ok = compatible(s.target.type, t.element)
            if not ok:
                self.fail(f"an element of {t} is {t.element}, not {s.target.type}")
            return
        if not compatible(s.value.type, t.element):
            self.fail(f"{s.value.type} stored into {t}, whose elements are {t.element}")
        if not (not isinstance(t, ArrayT) or t.mutable):
            self.fail(f"{s.array.name} is read-only")
        if isinstance(s, Accumulate):
            ok = isinstance(t.element, Scalar) and t.element != B1
            if not ok:
                self.fail(f"cannot accumulate into elements of {t}")

    def storage(self, s: Alloc | Dim | Reserve | View) -> None:
        match s:
            case Alloc():
                t = s.target.type
                if not isinstance(t, (ArrayT, ListT)):
                    self.fail(f"cannot allocate {t}")
                rank = t.ndim if isinstance(t, ArrayT) else 0
                if len(s.shape) != rank:
                    self.fail(f"{len(s.shape)} sizes for {t}")
                for n in s.shape:
                    self.expect(n, I8, "size")
            case Dim():
                self.require(isinstance(s.array.type, (ArrayT, ListT)), "a number has no size")
                rank = s.array.type.ndim if isinstance(s.array.type, ArrayT) else 1
                if not (0 <= s.axis < rank):
                    self.fail(f"axis {s.axis} of {s.array.type}")
                self.require(s.target.type == I8, "a size is i8")
            case Reserve():
                self.require(isinstance(s.array.type, ListT), "only lists can be extended")
                self.expect(s.size, I8, "size")
            case View():
                self.view(s)

    def view(self, s: View) -> None:
        base, target = s.base.type, s.target.type
        if s.kind == "same" and isinstance(base, ListT):
            if base != target:
                self.fail(f"a {target} cannot refer to a {base}")
            return
        self.require(isinstance(base, ArrayT) and isinstance(target, ArrayT), "a view of no array")
        assert isinstance(base, ArrayT) and isinstance(target, ArrayT)
        known = s.kind in ("index", "transpose", "reshape", "same", *PARTS)
        if not known:
            self.fail(f"view kind {s.kind}")
        for a in view_atoms(s):
            self.expect(a, I8, "position or size")
        if s.kind == "transpose":
            ok = sorted(s.spec) == list(range(base.ndim))
            if not ok:
                self.fail(f"{s.spec} does not permute the axes of {base}")
        if s.kind == "reshape":
            if base.layout != "C":
                self.fail(f"cannot reshape a {base}")
        if s.kind == "index":
            used = sum(item[0] != "new" for item in s.spec)
            if not (used <= base.ndim):
                self.fail(f"{used} indices for {base}")
        natural = view_layout(base, s.kind, s.spec)
        self.require(natural.ndim > 0 or s.kind != "index", "an element is a Load, not a View")
        ok = compatible(replace(natural, layout=target.layout), target)
        ok = ok and target.layout in (natural.layout, "A")
        if not ok:
            self.fail(f"the view is {natural}, not {target}")

    def call(self, s: Call) -> None:
        if s.fn not in self.fn.callees:
            self.fail(f"unknown function {s.fn}")
        callee = self.fn.callees[s.fn]
        if len(s.args) != len(callee.params):
            self.fail(f"{s.fn} takes {len(callee.params)} values")
        for a, p in zip(s.args, callee.params, strict=True):
            ok = compatible(a.type, p.type)
            if not ok:
                self.fail(f"{p.name} of {s.fn} is {p.type}, not {a.type}")
        results = callee.body.yields
        if len(s.targets) != len(results):
            self.fail(f"{s.fn} gives {len(results)} values")
        for t, y in zip(s.targets, results, strict=True):
            if not compatible(t.type, y.type):
                self.fail(f"{s.fn} gives {y.type}, not {t.type}")

    def draw(self, s: Draw) -> None:
        if s.kind not in DRAWS:
            self.fail(f"unknown distribution {s.kind}")
        known = DRAWS[s.kind]
        if len(s.args) != len(known.params):
            self.fail(f"{s.kind} takes {len(known.params)} values")
        for a, t in zip(s.args, known.params, strict=True):
            self.expect(a, t, "parameter")
        ok = tuple(t.type for t in s.targets) == known.results
        if not ok:
            self.fail(f"{s.kind} gives {known.results}")
        if s.given is not None:
            self.expect(s.given, s.targets[0].type, "number drawn before")

    # control flow
    def branch(self, s: If) -> None:
        self.expect(s.cond, B1, "condition")
        for b in (s.then, s.orelse):
            self.block(b)
            self.agree(b.yields, s.results, "branch")

    def loop(self, s: For | While) -> None:
        binders = tuple(c.arg for c in s.carried)
        if isinstance(s, For):
            for a, what in ((s.start, "start"), (s.stop, "stop"), (s.step, "step")):
                self.expect(a, I8, what)
            self.require(s.index.type == I8, "the loop variable is not i8")
            binders = (s.index, *binders)
        if isinstance(s, While) or s.breaks:
            ok = bool(s.carried) and s.carried[0].arg.type == B1
            self.require(ok, "the first carried value must be b1")
        if s.keep is not None:
            self.expect(s.keep.limit, I8, "number of states to keep")
        for c in s.carried:
            ok = compatible(c.init.type, c.arg.type) and compatible(c.result.type, c.arg.type)
            if not ok:
                self.fail(f"{c.arg.name} changes its type")
        self.block(s.body, binders)
        self.agree(s.body.yields, tuple(c.arg for c in s.carried), "loop")

    def agree(self, yields: tuple[Atom, ...], wanted: tuple[Var, ...], what: str) -> None:
        if len(yields) != len(wanted):
            self.fail(f"the {what} yields {len(yields)} values, not {len(wanted)}")
        for y, v in zip(yields, wanted, strict=True):
            if not compatible(y.type, v.type):
                self.fail(f"the {what} yields {y.type} for {v.name}, which is {v.type}")
