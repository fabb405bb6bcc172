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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from srcad.backends.expressions import name
from srcad.backends.naming import identifier
from srcad.backends.statements import FunctionPrinter
from srcad.ir.names import Namer
from srcad.ir.nodes import Call, Function, Loc
from srcad.ir.walk import statements

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import astor  # type: ignore[import-untyped]

SourceLines = Callable[[str], list[str]]
IMPORTS = "import math\nimport numba\nimport numpy as np\n"
_MARK = "srcad_comment_"
_CUT = 70

RESERVE = '''
def _reserve(cells, size, zero):
    """Make positions below ``size`` exist."""
    while len(cells) < size:
        cells.append(zero)
'''


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
    definitions: list[ast.stmt] = []
    for f in functions:
        printer = FunctionPrinter(f, set(names.values()) | {"_reserve"}, _called(f, names))
        definition = printer.function(names[id(f)])
        definition.decorator_list = [_decorator(printer.parallel)]
        helpers |= printer.helpers
        definitions.append(definition)
    tree = ast.Module([*ast.parse(IMPORTS).body, *_helpers(helpers), *definitions[::-1]], [])
    comments = _Comments(source_lines)
    for d in definitions:
        comments.add(d.body)  # type: ignore[attr-defined]
    source = comments.replace(to_source(tree))
    comments.remove(tree)
    return Module(source, names[id(fn)], ast.fix_missing_locations(tree))


def to_source(tree: ast.AST) -> str:
    """A syntax tree as text, long lines left long."""
    text: str = astor.to_source(tree, indent_with=" " * 4, pretty_source="".join,
                                pretty_string=lambda s, *_, **__: repr(s))
    return re.sub(r"\n{4,}", "\n\n\n", text)


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
    namer = Namer(["_reserve"])
    return {id(f): namer.fresh(identifier(f.name)) for f in functions}


def _called(fn: Function, names: dict[int, str]) -> dict[str, str]:
    return {s.fn: names[id(fn.callees[s.fn])] for s in statements(fn.body) if isinstance(s, Call)}


def _decorator(parallel: bool) -> ast.expr:
    keywords = [ast.keyword("error_model", ast.Constant("numpy"))]
    if parallel:
        keywords.append(ast.keyword("parallel", ast.Constant(True)))
    return ast.Call(name("numba.njit"), [], keywords)


def _helpers(wanted: set[str]) -> list[ast.stmt]:
    """Definitions of the run-time helpers."""
    out: list[ast.stmt] = []
    for helper in sorted(wanted):
        definition = ast.parse(RESERVE if helper == "_reserve" else _runtime(helper)).body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.returns = None
        for a in definition.args.args:
            a.annotation = None
        definition.decorator_list = [_decorator(False)]
        out.append(definition)
    return out


def _runtime(helper: str) -> str:
    from srcad.runtime import special

    return inspect.getsource(getattr(special, helper))


# comments
class _Comments:
    """Comments as marker statements, so that the tree keeps their place while it is printed."""

    def __init__(self, source_lines: SourceLines | None) -> None:
        self.source_lines = source_lines
        self.texts: list[str] = []

    def add(self, body: list[ast.stmt], current: object = None) -> None:
        """Put a marker wherever the line of the user's program changes."""
        for node in list(body):
            key = _key(getattr(node, "loc", None))
            if key is not None and key != current:
                self.texts.append(self._text(node.loc))  # type: ignore[attr-defined]
                marker = ast.Expr(ast.Name(f"{_MARK}{len(self.texts) - 1}_", ast.Load()))
                body.insert(body.index(node), marker)
            current = key
            for part in ("body", "orelse"):
                if getattr(node, part, None):
                    self.add(getattr(node, part), key)

    def _text(self, loc: Loc) -> str:
        lines = self.source_lines(loc.file) if self.source_lines else []
        line = lines[loc.line - 1].strip() if 0 < loc.line <= len(lines) else ""
        line = line if len(line) <= _CUT else line[:_CUT - 1] + "…"
        return f"# {loc.role} of line {loc.line}" + (f": {line}" if line else "")

    def replace(self, source: str) -> str:
        """The text with comments for markers."""
        return re.sub(rf"\b{_MARK}(\d+)_", lambda m: self.texts[int(m[1])], source)

    def remove(self, tree: ast.AST) -> None:
        """Take the markers out of the tree."""
        for node in ast.walk(tree):
            for part in ("body", "orelse"):
                stmts = getattr(node, part, None)
                if isinstance(stmts, list):
                    stmts[:] = [s for s in stmts if not _is_marker(s)]


def _key(loc: Loc | None) -> tuple | None:
    return None if loc is None or loc.role == "primal" else (loc.role, loc.file, loc.line)


def _is_marker(s: ast.AST) -> bool:
    return (isinstance(s, ast.Expr) and isinstance(s.value, ast.Name)
            and s.value.id.startswith(_MARK))
