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
from collections.abc import Iterator
from dataclasses import dataclass, field

from srcad.backends.comments import Comments, SourceLines
from srcad.backends.control import FunctionPrinter
from srcad.backends.expressions import name
from srcad.backends.naming import identifier
from srcad.ir.names import Namer
from srcad.ir.nodes import Call, Function
from srcad.ir.walk import statements
from srcad.runtime import RUNTIME_HELPERS, with_callees

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import astor  # type: ignore[import-untyped]

IMPORTS = "import math\nimport numba\nimport numpy as np\n"
VECTOR = "from srcad.runtime import vmath\n"


@dataclass(frozen=True)
class Module:
    """A printed program."""

    source: str
    entry: str
    tree: ast.Module = field(compare=False, repr=False)


def emit(fn: Function, source_lines: SourceLines | None = None) -> Module:
    """Print a function, its callees and helpers as one module."""
    functions = list(_reachable(fn))
    names = _function_names(functions)
    helpers: set[str] = set()
    imports = IMPORTS
    definitions: list[ast.FunctionDef] = []
    for f in functions:
        printer = FunctionPrinter(f, {*names.values(), *RUNTIME_HELPERS}, _called(f, names))
        definition = printer.function(names[id(f)])
        definition.decorator_list = [_decorator(printer.parallel, f.nogil)]
        helpers |= printer.helpers
        imports = IMPORTS + VECTOR if printer.vector else imports
        definitions.append(definition)
    tree = ast.Module([*ast.parse(imports).body, *_helpers(helpers), *definitions[::-1]], [])
    comments = Comments(source_lines)
    for d in definitions:
        comments.add(d.body)
    source = comments.replace(to_source(tree))
    comments.remove(tree)
    return Module(source, names[id(fn)], tree)


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
        queue += [f.callees[s.fn] for s in statements(f.body) if isinstance(s, Call)]


def _function_names(functions: list[Function]) -> dict[int, str]:
    namer = Namer({p.name for f in functions for p in f.params} | RUNTIME_HELPERS.keys())
    return {id(f): namer.fresh(identifier(f.name)) for f in functions}


def _called(fn: Function, names: dict[int, str]) -> dict[str, str]:
    return {s.fn: names[id(fn.callees[s.fn])] for s in statements(fn.body) if isinstance(s, Call)}


def _decorator(parallel: bool, nogil: bool = False) -> ast.expr:
    keywords = [ast.keyword("error_model", ast.Constant("numpy"))]
    if parallel:
        keywords.append(ast.keyword("parallel", ast.Constant(True)))
    if nogil:
        keywords.append(ast.keyword("nogil", ast.Constant(True)))
    return ast.Call(name("numba.njit"), [], keywords)


def _helpers(wanted: set[str]) -> list[ast.stmt]:
    """Definitions of the run-time helpers, and of those they call."""
    out: list[ast.stmt] = []
    for helper in with_callees(wanted):
        definition = ast.parse(inspect.getsource(RUNTIME_HELPERS[helper])).body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.returns = None
        for a in definition.args.args:
            a.annotation = None
        definition.decorator_list = [_decorator(False)]
        out.append(definition)
    return out
