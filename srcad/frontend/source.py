"""From a function object to its syntax tree.

In: a Python function, lambda, method, ``functools.partial``, njit dispatcher or differentiable
function.  Out: a ``SourceFunction``: the AST node with the line numbers of the user's file, and
the names it can see.  The whole file is parsed and the node found by name and first line, so
that decorators, nesting and odd indentation do not matter.  Code typed at a prompt has no
source before Python 3.13; that is an error with a remedy.
"""

from __future__ import annotations

import ast
import linecache
import os
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from srcad.callables import call_parts as call_parts
from srcad.callables import unwrap
from srcad.errors import UnknownFunction, UnsupportedSyntax
from srcad.ir.nodes import Loc


@dataclass(frozen=True, eq=False)
class SourceFunction:
    """A function of the user as syntax: ``node`` is a ``FunctionDef`` or ``Lambda``."""

    node: Any
    name: str
    file: str
    globals: dict[str, Any]
    closure: dict[str, Any]
    function: Any = None
    cells: dict[str, Any] = field(default_factory=dict)  # where the values of ``closure`` stand
    numpy_errors: bool = False  # divides as NumPy does: no ``ZeroDivisionError``

    @property
    def starred(self) -> str | None:
        """The name of its ``*args``."""
        a = self.node.args
        return None if a.vararg is None else a.vararg.arg

    def loc(self, node: ast.AST) -> Loc:
        """Location of a node of this function."""
        start, end = span(node)
        return Loc(self.file, getattr(node, "lineno", 0), start, end, self.name)


def span(node: ast.AST) -> tuple[int, int]:
    """First and last column of a node (of a function definition: its name)."""
    start = getattr(node, "col_offset", 0)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        start += len("def ") if isinstance(node, ast.FunctionDef) else len("async def ")
        return start, start + len(node.name)
    return start, end_of(node)


def end_of(node: ast.AST) -> int:
    """End column of a node if it ends on its first line, else 0."""
    if getattr(node, "end_lineno", None) == getattr(node, "lineno", -1):
        return int(getattr(node, "end_col_offset", 0) or 0)
    return 0


STARTED = time.time()


def edited(code: types.CodeType, tree: ast.Module) -> bool:
    """Whether a file written after srcad was imported says something else than ``code``."""
    try:
        if os.path.getmtime(code.co_filename) < STARTED:
            return False
    except OSError:
        return False
    same_place = [
        c
        for c in _compiled(tree, code.co_filename)
        if c.co_name == code.co_name and c.co_firstlineno == code.co_firstlineno
    ]
    return bool(same_place) and all(_signature(c) != _signature(code) for c in same_place)


@lru_cache(maxsize=64)
def _compiled(tree: ast.Module, file: str) -> tuple[types.CodeType, ...]:
    return tuple(_codes(compile(tree, file, "exec", dont_inherit=True)))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            yield c
            yield from _codes(c)


def _signature(code: types.CodeType) -> Any:
    consts = tuple(
        _signature(c) if isinstance(c, types.CodeType) else (type(c), c) for c in code.co_consts
    )
    return code.co_code, code.co_names, code.co_varnames, consts


@lru_cache(maxsize=256)
def _tree(file: str, text: str) -> ast.Module:
    return ast.parse(text, file)


def parse_file(file: str, module_globals: dict[str, Any] | None) -> ast.Module | None:
    """Syntax tree of a whole file as Python last read it, or ``None`` without source."""
    linecache.checkcache(file)
    lines = linecache.getlines(file, module_globals)
    if not lines:
        return None
    try:
        return _tree(file, "".join(lines))
    except SyntaxError:
        return None


def numpy_errors(f: Any) -> bool:
    """Whether a function was compiled with ``njit(error_model="numpy")``."""
    while f is not None:
        if getattr(f, "targetoptions", {}).get("error_model") == "numpy":
            return True
        f = getattr(f, "__srcad_function__", None) or getattr(f, "py_func", None)
    return False


def get_source(f: Any, wrapped: Any = None) -> SourceFunction:
    """The syntax of a Python function.

    Args:
        f: the function.
        wrapped: what it was found under, which may say how it divides.

    Raises:
        UnknownFunction: builtins and extension functions, which have no Python source.
        UnsupportedSyntax: the source cannot be found (prompt, ``-c``, deleted file).
    """
    divides = numpy_errors(f) or numpy_errors(wrapped)
    f = unwrap(f)
    if not isinstance(f, types.FunctionType):
        name = getattr(f, "__name__", None) or repr(f)
        if isinstance(f, type):
            raise UnknownFunction(
                f"{name} is a class, not a function",
                why="srcad differentiates functions",
                instead="pass a function or a method",
            )
        raise UnknownFunction(
            f"{name} has no Python source",
            why="srcad differentiates the source code of Python functions",
            instead="call it in a Python function, and pass that",
        )
    code = f.__code__
    tree = parse_file(code.co_filename, f.__globals__)
    if tree is None:
        raise UnsupportedSyntax(
            f"the source of {f.__name__} cannot be found (file {code.co_filename!r})",
            why="functions typed at a prompt, given to -c or made by exec have no source file, "
            "and this file is not there",
            instead="put the function into a file and import it",
        )
    node = _find(tree, code)
    if node is None or edited(code, tree):
        raise UnsupportedSyntax(
            f"the source of {f.__name__} is not what runs (line {code.co_firstlineno} of "
            f"{code.co_filename})",
            why="the file has changed since it was imported, or two lambdas share a line",
            instead="reload the module; give each lambda a line of its own",
        )
    cells = dict(zip(code.co_freevars, f.__closure__ or (), strict=True))
    closure = {}
    for name, cell in cells.items():
        try:
            closure[name] = cell.cell_contents
        except ValueError:
            continue
    name = "lambda_" if f.__name__ == "<lambda>" else f.__name__
    return SourceFunction(node, name, code.co_filename, f.__globals__, closure, f, cells, divides)


@lru_cache(maxsize=256)
def _functions(tree: ast.Module) -> dict[str, list[Any]]:
    """The functions in a file by name (``"<lambda>"`` of a lambda): a walk through it is slow."""
    out: dict[str, list[Any]] = {}
    for n in ast.walk(tree):
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)):
            out.setdefault(n.name, []).append(n)
        elif isinstance(n, ast.Lambda):
            out.setdefault("<lambda>", []).append(n)
    return out


def _starts(n: Any, line: int) -> bool:
    """Whether a function is one that Python says begins in a line."""
    if isinstance(n, ast.Lambda):
        return bool(n.lineno <= line <= (n.end_lineno or n.lineno))
    return line in (n.lineno, min([n.lineno, *(d.lineno for d in n.decorator_list)]))


def _find(tree: ast.Module, code: types.CodeType) -> Any:
    found = [n for n in _functions(tree).get(code.co_name, ()) if _starts(n, code.co_firstlineno)]
    if len(found) > 1 and code.co_name == "<lambda>":
        found = _match_lambda(found, code)
    return found[0] if len(found) == 1 else None


def _match_lambda(found: list[Any], code: types.CodeType) -> list[Any]:
    """Among lambdas of one line, those with the same parameters and the same body position."""
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    same = [
        n
        for n in found
        if tuple(a.arg for a in (*n.args.posonlyargs, *n.args.args, *n.args.kwonlyargs)) == names
    ]
    positions = getattr(code, "co_positions", None)
    if positions is not None:
        spots = {p for p in positions() if p[0] is not None and p[2] is not None}
        exact = [
            n
            for n in same
            if any(
                p[0] == n.body.lineno
                and p[2] == n.body.col_offset
                and p[3] == n.body.end_col_offset
                for p in spots
            )
        ]
        if exact:
            return exact
    bodies = {ast.dump(n) for n in same}
    return same[:1] if len(bodies) == 1 else same


def of_library(source: SourceFunction) -> bool:
    """Whether a function is srcad's own text of a NumPy or SciPy function, or a lambda in it."""
    return str(source.globals.get("__name__", "")).startswith("srcad.library.")
