"""The state of a lowering: builder, frames, facts learnt on the way, errors with locations.

``Lowering`` walks a function's syntax with abstract values (``values``) and emits IR.  What each
kind of statement, expression and call means stands in the modules beside this one, which add
themselves to the tables ``STMT``, ``EXPR``, ``CALLS`` and ``METHODS``.

Facts (the type a loop variable widens to, the element type of a list that starts empty) are
kept in ``facts`` under a key made of the syntax node and the chain of calls that leads to it;
when a new fact contradicts code already emitted, that piece is lowered again.

Invariant: nothing here looks at argument values; argument types, captured constants and source
text determine the result.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from srcad.errors import PLAIN as PLAIN
from srcad.errors import SrcadError, TypeMismatch, UnsupportedSyntax
from srcad.frontend.source import SourceFunction
from srcad.frontend.values import Conflict, Maybe, describe, is_array, is_scalar
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Const, Function, Loc, Var
from srcad.ir.types import B1, I8, ArrayT, ListT, Scalar
from srcad.paths import Path
from srcad.specs import pairs

STMT: dict[type, Callable] = {}
EXPR: dict[type, Callable] = {}
CALLS: dict[Any, Callable] = {}
METHODS: dict[str, Callable] = {}
ATTRIBUTES: dict[str, Callable] = {}
RULED: dict[Any, Any] = {}  # functions for which the user has registered a rule
OBJECTS: dict[type, Callable] = {}  # callable objects that mean more than their __call__ says

FLAGS = (".ret", ".brk", ".cont")
TRUE, FALSE = const(True), const(False)
EXPANSION_LIMIT = 40_000  # statements; beyond this a helper is called, not expanded


class Restart(Exception):
    """A fact was learnt that code far above depends on: lower the whole function again."""


class RecursionFound(Exception):
    """A function that is being expanded is called again: it becomes an IR function."""

    def __init__(self, key: Any) -> None:
        self.key = key


class Bottom(Exception):
    """The result of a recursive call is not known yet; the path that needs it waits."""


class Unreachable(Exception):
    """A call in this statement always raises: nothing after it is reached.

    ``depth`` is the number of blocks that were open; where fewer are left, the call is lost.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth


@dataclass
class Frame:
    """One activation of a user function while it is expanded."""

    source: SourceFunction
    env: dict[str, Any]
    path: tuple[Any, ...]
    outer: Frame | None = None
    loads: dict[str, int] = field(default_factory=dict)
    dead: bool = False
    loop_depth: int = 0
    local: frozenset[str] = frozenset()
    at: Loc | None = None  # of a function of the library: the user's call


@dataclass
class Capture:
    """An array that the function sees but is not given: a hidden argument.

    ``value`` is the complex array whose pairs are the argument.
    """

    path: Path
    var: Var
    obj: Any
    value: Var | None = None

    def now(self) -> Any:
        """The array as it is now, as the hidden argument takes it."""
        obj = self.path()
        return obj if self.value is None else pairs(obj)


@dataclass
class Program:
    """What the lowering of one root function collects."""

    captures: dict[int, Capture] = field(default_factory=dict)
    guards: list[tuple[Path, Any]] = field(default_factory=list)
    callees: dict[str, Function] = field(default_factory=dict)
    instances: dict[Any, Any] = field(default_factory=dict)
    facts: dict[Any, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # the user's names for temporaries
    ruled: dict[Any, Any] = field(default_factory=dict)  # functions that have rules of the user
    options: Any = None  # of the compilation, for transforms of inner functions
    hidden: dict[Any, tuple[Any, Any]] = field(default_factory=dict)  # of a kernel (``threads``)

    def forget(self, known: set[Any]) -> None:
        """Drop the functions that were compiled on a way that is now gone again."""
        for key in [k for k in self.instances if k not in known]:
            self.callees.pop(self.instances.pop(key).name, None)


class Lowering:
    """Turns syntax into IR; see the module docstring."""

    def __init__(self, program: Program, namer: Namer | None = None) -> None:
        self.program = program
        self.b = Builder(namer or Namer())
        self.frame: Frame = None  # type: ignore[assignment]
        self.active: list[Any] = []  # keys of the functions being expanded, outermost first
        self.shapes: dict[str, tuple[Atom, ...]] = {}
        self.shape_keys: dict[str, tuple[Any, ...]] = {}
        self.sizes: dict[str, Any] = {}  # canonical key of a size: equal keys, equal sizes
        self.roots: dict[str, frozenset[str] | None] = {}  # storage a reference may point into
        self.sites: dict[str, Any] = {}  # where an array is allocated, stable when lowered again
        self.ordinal = 0
        self.views: dict[str, Any] = {}  # canonical key of a view: equal keys, same elements
        self.node: ast.AST | None = None

    # where we are
    def loc(self, node: ast.AST | None = None) -> Loc | None:
        """Location of a node of the function in hand (default: the current statement's)."""
        node = node if node is not None and hasattr(node, "lineno") else self.node
        if node is None or self.frame is None or not hasattr(node, "lineno"):
            return None
        return self.frame.at or self.frame.source.loc(node)

    def key(self, node: Any, tag: str) -> tuple:
        """Memo key of a node in the present chain of calls."""
        return (tag, id(node), self.frame.path)

    def fail(
        self,
        node: Any,
        what: str,
        why: str = "",
        instead: str = "",
        error: type[SrcadError] = UnsupportedSyntax,
    ) -> NoReturn:
        """Refuse the program, pointing at ``node``."""
        raise error(what, self.loc(node), why, instead)

    def mismatch(self, node: Any, what: str, why: str = "", instead: str = "") -> NoReturn:
        """Refuse for a type or shape that does not fit."""
        self.fail(node, what, why, instead, TypeMismatch)

    # dispatch
    def expr(self, node: ast.AST) -> Any:
        """Abstract value of an expression."""
        handler = EXPR.get(type(node))
        if handler is None:
            self.fail(
                node,
                f"{type(node).__name__} is not supported",
                "it is outside the numeric subset of Python",
            )
        return handler(self, node)

    def stmt(self, node: ast.AST) -> None:
        """Emit a statement."""
        before = self.node, self.b.loc
        self.node, self.ordinal = node, 0
        self.b.loc = self.loc(node)
        handler = STMT.get(type(node))
        if handler is None:
            self.fail(
                node,
                f"{type(node).__name__} is not supported",
                "it is outside the numeric subset of Python",
            )
        try:
            handler(self, node)
        except Unreachable as e:
            self.stop(e, node)
        except Exception as e:
            if not hasattr(e, "srcad_loc"):
                e.srcad_loc = self.loc(node)  # type: ignore[attr-defined]
            raise
        self.node, self.b.loc = before

    def stop(self, e: Unreachable, node: Any) -> None:
        """The path in hand ends here, in a call that always raises."""
        if e.depth != len(self.b.stack):
            self.mismatch(node, "a call that always raises cannot be compiled here", PLAIN)
        self.frame.dead = True

    # values
    def read(self, v: Any, node: Any, name: str = "it") -> Any:
        """A value that is about to be used: check that it is bound on this path."""
        if isinstance(v, Maybe) and v.none:
            line = getattr(node, "lineno", "?")
            self.b.check(v.flag, "TypeError", f"variable {name!r} is None (line {line})")
            return self.read(v.value, node, name)
        if isinstance(v, Maybe):
            self.b.check(
                v.flag,
                "UnboundLocalError",
                f"variable {name!r} is not bound (line {getattr(node, 'lineno', '?')})",
            )
            return self.read(v.value, node, name)
        if isinstance(v, Conflict):
            if v.reason == "unbound":
                self.fail(
                    node,
                    f"variable {name!r} is not bound here",
                    "no path to this line assigns it",
                    f"assign {name} before this line",
                )
            if name.startswith("the "):  # a result, an item: nothing the user has named
                self.mismatch(
                    node,
                    f"{name} is {v.reason}",
                    "which of them it is, is known only at run time",
                    "make it of the same kind on every path",
                )
            self.mismatch(
                node,
                f"variable {name!r} is {v.reason}",
                "the paths that meet before this line give it values of different kinds",
                "use two names",
            )
        return v

    def scalar(self, v: Any, node: Any, what: str = "a number") -> Atom:
        """``v`` as a number (0-d arrays give their element)."""
        if is_scalar(v):
            return v
        element = getattr(v, "element", None)
        if isinstance(v, Var) and isinstance(v.type, ArrayT) and v.type.ndim == 0:
            return self.b.load(v)
        if callable(element) and getattr(v, "shape", None) == ():
            return element(())
        self.mismatch(
            node,
            f"expected {what}, got {describe(v)}",
            instead="take an element, as in a[0]" if is_array(v) else f"give {what}",
        )

    def integer(self, v: Any, node: Any, what: str = "an index") -> Atom:
        """``v`` as an integer (bools count)."""
        a = self.scalar(v, node, "an int")
        if a.type == B1:
            return self.b.cast(a, I8)
        if a.type != I8:
            self.mismatch(
                node,
                f"{what} must be an int, got {describe(a)}",
                instead="convert it with int(...)",
            )
        return a

    def truth(self, v: Any, node: Any) -> Atom:
        """Truth value as an atom of type bool."""
        from srcad.frontend.joins import truth_of

        return truth_of(self, v, node)

    def size_key(self, a: Atom) -> Any:
        """Canonical key of a size: equal keys mean provably equal sizes."""
        return ("const", a.value) if isinstance(a, Const) else self.sizes.get(a.name, a.name)

    def same_size(self, a: Atom, b: Atom) -> bool:
        """Whether two sizes are provably equal."""
        return bool(self.size_key(a) == self.size_key(b))

    # arrays
    def shape(self, v: Var) -> tuple[Atom, ...]:
        """Sizes of an array variable as atoms visible wherever it is."""
        assert isinstance(v.type, ArrayT)
        if v.name not in self.shapes:
            dims = tuple(self.b.dim(v, k) for k in range(v.type.ndim))
            self.shapes[v.name] = dims
            for d, k in zip(dims, self.shape_keys.get(v.name, ()), strict=False):
                self.sizes[d.name] = k
        return self.shapes[v.name]

    def note_shape(self, v: Var, shape: tuple[Atom, ...] | None = None) -> Var:
        """Record (or query now, in the block in hand) the sizes of a new reference."""
        if shape is not None:
            self.shapes[v.name] = shape
        elif isinstance(v.type, ArrayT):
            self.shape(v)
        return v

    def shape_or_none(self, v: Var) -> tuple[Atom, ...]:
        """Known sizes of a reference; unknown ones give sizes equal to nothing."""
        known = self.shapes.get(v.name)
        if known is None:
            return tuple(Var(f"?{v.name}{k}", I8) for k in range(v.type.ndim))  # type: ignore[union-attr]
        return known

    def root(self, v: Var) -> frozenset[str] | None:
        """Storages that a reference may point into; ``None`` means any."""
        return self.roots.get(v.name, frozenset([v.name]))

    def may_alias(self, a: Var, b: Var) -> bool:
        """Whether two references may share storage."""
        ra, rb = self.root(a), self.root(b)
        return ra is None or rb is None or bool(ra & rb)

    def new_array(
        self, dtype: str, shape: tuple[Atom, ...], zero: bool = False, hint: str = "a"
    ) -> Var:
        """Fresh C-ordered storage."""
        v = self.b.alloc(ArrayT(dtype, len(shape), "C"), shape, zero, hint)
        self.note_site(v)
        return self.note_shape(v, shape)

    def note_site(self, v: Var) -> Var:
        """Name the place of a fresh allocation (loops lower their bodies more than once)."""
        self.ordinal += 1
        self.sites[v.name] = ("site", id(self.node), self.frame.path, self.ordinal)
        return v

    def undefined(self, type: Any) -> Atom:
        """A placeholder of a type, for a path on which the value is never read."""
        if isinstance(type, Scalar):
            return const(0, type)
        if isinstance(type, ListT):
            return self.b.alloc(type, (), True, "none")
        base = self.empty(ArrayT(type.dtype, type.ndim, type.layout))
        if base.type != type:  # of any layout, or not to be written to
            base = self.b.view(base, "same", (), type, "none")
        self.roots[base.name] = frozenset()
        return base

    def empty(self, type: ArrayT) -> Var:
        """An array without elements, of the layout of a type (C for any)."""
        turned, vector = type.layout == "F", type.ndim == 1
        ndim = 2 if turned and vector else type.ndim
        shape = (const(1), const(0)) if ndim != type.ndim else (const(0),) * ndim
        made = self.b.alloc(ArrayT(type.dtype, ndim, "C"), shape, True, "none")
        if not turned:
            return made
        kind = ArrayT(type.dtype, ndim, "F")
        made = self.b.view(made, "transpose", tuple(range(ndim))[::-1], kind, "none")
        if not vector:
            return made
        whole = ("slice", None, None, None)  # a column is what Numba calls an F vector
        return self.b.view(made, "index", (whole, ("at", const(0))), type, "none")


def handles(table: dict[Any, Callable], *keys: Any) -> Callable[[Callable], Callable]:
    """Register the decorated function in a dispatch table."""

    def add(f: Callable) -> Callable:
        for k in keys:
            table[k] = f
        return f

    return add
