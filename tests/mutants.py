"""Mutants of the transforms: one emission, accumulation, zeroing or rebinding removed at a time.

In: the source files of the transforms.  Out: ``Mutant``s; ``applied`` runs code with one of them in
force (the code object of the function that holds it is exchanged; nothing is written to disk).

Operators
---------
* ``delete``: a call made for its effect (store, accumulate, push, contribution, reserve, poison …),
  or an assignment to an attribute or an item (a shadow rebound, a cursor moved, an adjoint kept);
* ``neutral``: the result of an expression that emits or fetches (an operation, a load, a
  restored primal value, a position, a shadow, a seed) becomes zero of its type and shape;
* ``dirty``: storage that should be zeros is filled with NaN;
* ``cut``: what a generated branch or loop hands on besides the primal's own values is not: a loop
  keeps its carried values as they came, a branch hands out zeros;
* ``force``: the test of an ``if`` comes out true, or false (a decision, not an emission; counted
  apart).

Not mutated: constructors, errors and refusals, locations and names, which do not change
derivatives.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import srcad.transforms
from srcad.ir.build import Builder
from srcad.ir.nodes import Alloc, Block, Carried, Const, For, If, Op, Stmt, Var, View, While
from srcad.ir.types import ArrayT, Scalar, is_float
from srcad.transforms.arrays import fill, fit, like, zero_of

ROOT = Path(next(iter(srcad.transforms.__path__)))
FILES = (
    *sorted(ROOT.glob("reverse/*.py")),
    *(ROOT / f"{name}.py" for name in ("forward", "tandem", "arrays", "array_rules", "multiply")),
)
SOURCES = {str(path): path.read_text() for path in FILES}  # a long run may see them edited

BUILDS = {"op", "load", "alloc", "view", "array_op", "dim", "cast"}  # methods of a Builder
FETCHES = {"value", "shadow", "operand", "result", "seed", "_fetch", "_shadow", "position", "trip"}
MAKES = {
    "like",
    "fresh",
    "copy",
    "fit",
    "matmul",
    "solve",
    "turn",
    "contiguous",
    "half_lower",
    "times",
    "trip_count",
    "trip_number",
    "hoist",
    "count",
}
ZEROED = {"like", "fresh", "alloc"}
QUIET = {"locate", "remember", "_refuse_lists", "refuse_overlaps", "check_registry", "setdefault"}
SILENT = {"loc", "reason", "names", "types", "hints"}  # attributes that hold places and names


@dataclass(frozen=True)
class Mutant:
    """One change: where, what operator, which node (by its position in the function)."""

    file: str
    function: str
    line: int
    end: int
    operator: str
    text: str
    index: int = field(compare=False)

    def __str__(self) -> str:
        place = f"{Path(self.file).relative_to(ROOT)}:{self.line} {self.function}"
        return f"{self.operator:8} {place}: {self.text}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies a mutant when lines move."""
        return self.operator, self.function, self.text


# finding the sites
def called(node: ast.AST) -> str:
    """The last name of what a call calls."""
    if isinstance(node, ast.Call):
        f = node.func
        return f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ""
    return ""


def builder_of(node: ast.Call) -> ast.expr | None:
    """An expression for the builder that a call emits into."""
    f, name = node.func, called(node)
    if isinstance(f, ast.Name):
        return node.args[0] if name in MAKES and node.args else None
    if name in BUILDS and isinstance(f, ast.Attribute):
        owner = ast.unparse(f.value)
        return f.value if owner.split(".")[-1] in ("b", "builder") else None
    if name in ("hoist", "count"):
        return node.args[0] if isinstance(node.args[0], (ast.Name, ast.Attribute)) else None
    if name in FETCHES:
        root: ast.expr = f
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or ast.unparse(f) == "self.seed":
            return None
        return ast.Attribute(root, "b", ast.Load())
    return None


def operators(node: ast.AST) -> Iterator[str]:
    """The operators that apply to a node."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if called(node.value) not in QUIET:
            yield "delete"
        if called(node.value) in ("emit", "if_", "for_"):
            yield "cut"
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if isinstance(node, ast.AugAssign) or any(
            isinstance(t, (ast.Subscript, ast.Attribute)) for t in targets
        ):
            if not any(isinstance(t, ast.Attribute) and t.attr in SILENT for t in targets):
                yield "delete"
    if isinstance(node, ast.Call) and builder_of(node) is not None:
        yield "dirty" if called(node) in ZEROED else "neutral"
    if isinstance(node, ast.If):
        yield "force-true"
        yield "force-false"


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Top-level functions and methods of a module, by qualified name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name != "__init__":
                    yield f"{node.name}.{inner.name}", inner


def refuses(node: ast.AST) -> bool:
    """Whether an ``if`` only raises."""
    return isinstance(node, ast.If) and any(isinstance(n, ast.Raise) for n in node.body)


def mutants() -> Iterator[Mutant]:
    """All mutants of all files, in order."""
    for path, source in SOURCES.items():
        for name, function in functions(ast.parse(source)):
            spans = {
                id(inner): s
                for s in ast.walk(function)
                if isinstance(s, ast.stmt)
                for inner in ast.walk(s)
                if not isinstance(inner, ast.stmt)
            }
            ignored = {id(s.value) for s in ast.walk(function) if isinstance(s, ast.Expr)}
            for index, node in enumerate(ast.walk(function)):
                for operator in operators(node):
                    if operator.startswith("force") and refuses(node):
                        continue
                    if operator == "neutral" and id(node) in ignored:
                        continue  # nobody asks for its value
                    shown = node.test if isinstance(node, ast.If) else node
                    near = spans.get(id(node), node)
                    text = " ".join(ast.unparse(shown).split())
                    yield Mutant(
                        path,
                        name,
                        node.lineno,
                        near.end_lineno or node.lineno,
                        operator,
                        text,
                        index,
                    )


# changing the code
def changed(node: ast.AST, operator: str) -> ast.AST:
    """The node that stands for ``node`` in the mutant."""
    if operator == "delete":  # what it names stays local, or free
        return ast.copy_location(ast.If(ast.Constant(False), [node], []), node)  # type: ignore[list-item]
    if operator.startswith("force"):
        assert isinstance(node, ast.If)
        taken = ast.copy_location(ast.Constant(operator == "force-true"), node.test)
        return ast.copy_location(ast.If(taken, node.body, node.orelse), node)
    call = node.value if isinstance(node, ast.Expr) else node
    assert isinstance(call, ast.Call)
    if operator == "cut":
        assert isinstance(call.func, ast.Attribute)
        owner = call.func.value
        manager = ast.Call(
            ast.Name("__cut__", ast.Load()),
            [owner, ast.Constant("s"), ast.Call(ast.Name("locals", ast.Load()), [], [])],
            [],
        )
        return ast.With([ast.withitem(manager)], [node])  # type: ignore[list-item]
    builder = builder_of(call)
    assert builder is not None
    return ast.Call(ast.Name(f"__{operator}__", ast.Load()), [builder, call], [])


class Exchange(ast.NodeTransformer):
    """Replaces one node."""

    def __init__(self, node: ast.AST, other: ast.AST) -> None:
        self.node, self.other = node, other

    def visit(self, node: ast.AST) -> ast.AST:
        """The other node in the place of the one."""
        return self.other if node is self.node else self.generic_visit(node)


def code_of(mutant: Mutant) -> types.CodeType:
    """The code of the mutated function."""
    tree = ast.parse(SOURCES[mutant.file])
    function = dict(functions(tree))[mutant.function]
    node = list(ast.walk(function))[mutant.index]
    Exchange(node, changed(node, mutant.operator)).visit(function)
    code = compile(ast.fix_missing_locations(tree), mutant.file, "exec")
    for name in mutant.function.split("."):
        code = next(
            c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name
        )
    return code


def live(mutant: Mutant) -> types.FunctionType:
    """The function object that holds the mutated place."""
    parts = Path(mutant.file).relative_to(ROOT).with_suffix("").parts
    found: Any = importlib.import_module(".".join(("srcad.transforms", *parts)))
    for name in mutant.function.split("."):
        found = inspect.getattr_static(found, name)
    found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
    return inspect.unwrap(found)  # type: ignore[no-any-return]


class Effect:
    """Whether the mutation in force has changed anything yet."""

    applied = 0


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """Run the body of the ``with`` with one mutant in force."""
    function = live(mutant)
    before, Effect.applied = (
        function.__code__,
        int(mutant.operator in ("delete", "force-true", "force-false")),
    )
    helpers = {"__neutral__": neutral, "__dirty__": dirty, "__cut__": cut}
    function.__globals__.update(helpers)
    function.__code__ = code_of(mutant)
    try:
        yield
    finally:
        function.__code__ = before
        for name in helpers:
            function.__globals__.pop(name, None)


# what the mutated code calls
def zero_like(b: Builder, x: Any) -> Any:
    """Zero of the type and shape of an atom."""
    if isinstance(x, tuple):
        return tuple(zero_like(b, v) for v in x)
    if isinstance(x, Var) and isinstance(x.type, ArrayT):
        return fit(b, like(b, x, x.hint), x.type)
    if isinstance(x, Const):
        return zero_of(x.type)
    if isinstance(x, Var) and isinstance(x.type, Scalar):
        made = b.var(x.hint or "zero", x.type)
        b.emit(Op(made, x.type.kind, (zero_of(x.type),), b.loc))
        return made
    return x


def neutral(b: Builder, x: Any) -> Any:
    """Zero in place of an atom."""
    made = zero_like(b, x)
    Effect.applied += made is not x and not (isinstance(x, Const) and made == x)
    return made


def dirty(b: Builder, x: Any) -> Any:
    """Storage that was to be zeros, full of NaN."""
    source = next(
        (s for s in reversed(b.stack[-1]) if isinstance(s, (Alloc, View)) and s.target == x), None
    )
    while isinstance(source, View):
        source = next(
            (s for s in b.stack[-1] if isinstance(s, (Alloc, View)) and s.target == source.base),
            None,
        )
    if (
        isinstance(source, Alloc)
        and source.zero
        and isinstance(x.type, ArrayT)
        and is_float(x.type)
    ):
        Effect.applied += 1
        fill(b, x, math.nan)
    return x


@contextmanager
def cut(b: Builder, name: str, variables: dict[str, Any]) -> Iterator[None]:
    """Branches and loops emitted inside hand on nothing new."""
    original = variables.get(name)
    emit = b.emit

    def instead(s: Stmt) -> None:
        if isinstance(s, If):
            s = cut_branch(b, s, len(getattr(original, "results", ())))
        elif isinstance(s, (For, While)):
            s = cut_loop(s, original)
        emit(s)

    b.emit = instead  # type: ignore[method-assign]
    try:
        yield
    finally:
        del b.emit


def cut_branch(b: Builder, s: If, own: int) -> If:
    """A branch whose further results are zero."""
    blocks = []
    for block in (s.then, s.orelse):
        with b.block() as more:
            zeros = [zero_like(b, y) for y in block.yields[own:]]
        Effect.applied += sum(z != y for z, y in zip(zeros, block.yields[own:], strict=True))
        blocks.append(Block((*block.stmts, *more), (*block.yields[:own], *zeros)))
    return replace(s, then=blocks[0], orelse=blocks[1])


def cut_loop(s: For | While, original: Any) -> For | While:
    """A loop whose further carried values stay as they came."""
    same = isinstance(original, type(s)) and s.carried[: len(original.carried)] == original.carried
    own = len(original.carried) if same else 0
    kept = [c.arg for c in s.carried[own:]]
    Effect.applied += sum(a != y for a, y in zip(kept, s.body.yields[own:], strict=True))
    carried = tuple(Carried(c.result, c.arg, c.init) for c in s.carried)
    return replace(s, carried=carried, body=Block(s.body.stmts, (*s.body.yields[:own], *kept)))
