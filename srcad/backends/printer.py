"""From IR to the text of a Python module: the readable form of every program srcad makes.

In: a verified function; ``emit`` prints it with the functions it calls and the run-time helpers
it needs.  Out: a ``Module``: the text, the name of the entry function, the syntax tree.  The
text parses back to exactly that tree (comments aside), and means the same executed by Python
with NumPy numbers as compiled by Numba.

Derivative code carries one comment per line of the user's code it belongs to, such as
``# adjoint of line 12: s += x[i] * y[i]``.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from srcad.backends.comments import Comments, SourceLines
from srcad.backends.control import FunctionPrinter
from srcad.backends.expressions import name
from srcad.backends.naming import identifier
from srcad.backends.relaxing import marked
from srcad.ir.names import Namer
from srcad.ir.nodes import Call, Function, Stmt
from srcad.ir.threads import is_atomic, is_barrier, is_exact
from srcad.ir.walk import statements
from srcad.runtime import RUNTIME_HELPERS, with_callees

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import astor  # type: ignore[import-untyped]

PACKED = "PACKED = True\n"  # asks ``cpu`` for vector instructions outside of loops
WORKSPACE = "WORKSPACE = {!r}\n"  # tells ``cpu`` which parameter large arrays come from
VECTOR, ATOMIC = (f"from srcad.runtime import {name}\n" for name in ("vmath", "atomic"))


@dataclass(frozen=True)
class Module:
    """A printed program; ``relaxed``: see ``backends.relaxing``."""

    source: str
    entry: str
    tree: ast.Module = field(compare=False, repr=False)
    relaxed: tuple[int, ...] = ()


def _decorator(parallel: bool, nogil: bool = False) -> ast.expr:
    """How a function is compiled for the processor."""
    keywords = [ast.keyword("error_model", ast.Constant("numpy"))]
    if parallel:
        keywords.append(ast.keyword("parallel", ast.Constant(True)))
    if nogil:
        keywords.append(ast.keyword("nogil", ast.Constant(True)))
    return ast.Call(name("numba.njit"), [], keywords)


@dataclass(frozen=True)
class Dialect:
    """What is different for another target: what prints functions, what stands around them."""

    imports: str
    printer: type[FunctionPrinter]
    decorator: Callable[..., ast.expr]
    helpers: Mapping[str, Callable[..., Any]]
    renamed: Mapping[str, str] = field(default_factory=dict)  # what helpers call, to helpers


CPU = Dialect(
    "import math\nimport numba\nimport numpy as np\n", FunctionPrinter, _decorator, RUNTIME_HELPERS
)


def emit(fn: Function, source_lines: SourceLines | None = None, dialect: Dialect = CPU) -> Module:
    """Print a function, its callees and helpers as one module."""
    functions = list(_reachable(fn))
    names = _function_names(functions, dialect.helpers)
    helpers: set[str] = set()
    used: set[str] = set()
    definitions: list[ast.FunctionDef] = []
    for f in functions:
        taken = {*names.values(), *dialect.helpers}
        printer = dialect.printer(f, taken, _called(f, names))
        definition = printer.function(names[id(f)])
        decorator = printer.decorator or dialect.decorator(printer.parallel, f.nogil)
        definition.decorator_list = [decorator]
        helpers |= printer.helpers
        used |= {VECTOR} if printer.vector else set()
        used |= {ATOMIC} if printer.adding else set()
        definitions.append(definition)
    known = helper_definitions(helpers, dialect)
    imports = dialect.imports + "".join(line for line in (VECTOR, ATOMIC) if line in used)
    head = imports + (PACKED if any(f.packed for f in functions) else "")
    head += WORKSPACE.format(fn.workspace) if fn.workspace else ""
    tree = ast.Module([*ast.parse(head).body, *known, *definitions[::-1]], [])
    comments = Comments(source_lines)
    for d in definitions:
        comments.add(d.body)
    source = comments.replace(to_source(tree))
    comments.remove(tree)
    relaxed = marked(tree) if any(f.relaxed for f in functions) else ()
    return Module(source, names[id(fn)], tree, relaxed)


def to_source(tree: ast.AST) -> str:
    """A syntax tree as text, long lines left long."""
    text: str = astor.to_source(
        tree, indent_with=" " * 4, pretty_source="".join, pretty_string=_string
    )
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _string(text: str, embedded: int, line: str, *_: object, **__: object) -> str:
    """A string in double quotes, a docstring in three."""
    if "\\" in text or '"' in text or not text.isprintable():
        return repr(text)
    return f'"{text}"' if line.strip() else f'"""{text}"""'


# functions
def _reachable(fn: Function) -> Iterator[Function]:
    """The function, then the ones it calls, each once."""
    seen: dict[int, Function] = {}
    queue = [fn]
    while queue:
        f = queue.pop(0)
        if id(f) in seen:
            continue
        seen[id(f)] = f
        yield f
        queue += [f.callees[s.fn] for s in statements(f.body) if _defined(s)]


def _function_names(functions: list[Function], helpers: Iterable[str]) -> dict[int, str]:
    namer = Namer({p.name for f in functions for p in f.params} | set(helpers))
    return {id(f): namer.fresh(identifier(f.name)) for f in functions}


def _called(fn: Function, names: dict[int, str]) -> dict[str, str]:
    return {s.fn: names[id(fn.callees[s.fn])] for s in statements(fn.body) if _defined(s)}


def _defined(s: Stmt) -> TypeGuard[Call]:
    """Whether a statement calls a function that has to be printed."""
    return isinstance(s, Call) and not (is_barrier(s) or is_atomic(s) or is_exact(s))


def helper_definitions(wanted: set[str], dialect: Dialect) -> list[ast.stmt]:
    """Definitions of the run-time helpers, and of those they call."""
    out: list[ast.stmt] = []
    known, renamed = dialect.helpers, dialect.renamed
    every = with_callees(wanted, known)
    used = {n for h in every for n in known[h].__code__.co_names}  # type: ignore[attr-defined]
    every += [new for old, new in renamed.items() if old in used and new not in every]
    for helper in sorted(every):
        definition = ast.parse(inspect.getsource(known[helper])).body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.returns = None
        for a in definition.args.args:
            a.annotation = None
        for node in ast.walk(definition):
            if isinstance(node, ast.Name):
                node.id = renamed.get(node.id, node.id)
        definition.decorator_list = [dialect.decorator(False)]
        out.append(definition)
    return out
