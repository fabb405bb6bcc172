"""Which local names a loop over a ``tf.range`` carries from trip to trip, and their values.

In: the frame of the user's function, at the head of the loop.  Tracing runs the body once and
sees tensors, not names.  The syntax of the loop tells which names a trip reads before it surely
has stored them, so that they hold what the trip before has left; their values are replaced in the
frame by parameters of the loop before the trip, and by its results afterwards.
"""

from __future__ import annotations

import ast
import ctypes
import inspect
import sys
import textwrap
from dataclasses import dataclass
from typing import Any

from srcad.tape.convert import to_tensor
from srcad.tape.tensor import Tensor


@dataclass(frozen=True)
class Local:
    """A local name of a running function."""

    frame: Any
    name: str
    needed: bool  # read before it is stored; others matter only after the loop

    def read(self) -> Tensor:
        """Its value; numbers become tensors."""
        return to_tensor(self.frame.f_locals[self.name])

    def write(self, tensor: Tensor) -> None:
        """Replace its value."""
        self.frame.f_locals[self.name] = tensor
        if sys.version_info < (3, 13):  # later, f_locals writes through (PEP 667)
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self.frame), ctypes.c_int(0))


class Unclear(Exception):
    """The loop is of a form that cannot be followed."""


def carried_locals(frame: Any) -> list[Local]:
    """The names that the loop at the frame's line carries.

    Raises:
        Unclear: it is left by a jump, stores elsewhere than in names, or its text is not there.
    """
    loop = _loop_at(frame)
    if loop.orelse or any(_escapes(n) for s in loop.body for n in ast.walk(s)):
        raise Unclear
    stored = {n.id for s in loop.body for n in _names(s, ast.Store)}
    ready = {n.id for n in _names(loop.target, ast.Store)}
    early = _read_early(loop.body, ready, stored)
    bound = {n: v for n, v in frame.f_locals.items() if n in stored}
    if any(not isinstance(bound.get(n, 0), Tensor | int | float) for n in early):
        raise Unclear
    return [
        Local(frame, n, n in early)
        for n, v in bound.items()
        if n in early or (isinstance(v, Tensor) and n not in ready)
    ]


def _loop_at(frame: Any) -> ast.For:
    """The loop at the frame's line."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(frame.f_code)))
    except (OSError, TypeError, SyntaxError):
        raise Unclear from None
    line = frame.f_lineno - frame.f_code.co_firstlineno + 1
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For) and n.iter.lineno == line]
    if len(loops) != 1:
        raise Unclear
    return loops[0]


def _escapes(node: ast.AST) -> bool:
    """Stores that are no plain names, and jumps."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return not isinstance(node.ctx, ast.Load)
    kinds = (ast.Break, ast.Continue, ast.Return, ast.Delete, ast.Nonlocal, ast.Global)
    return isinstance(node, (*kinds, ast.FunctionDef, ast.NamedExpr, ast.Try, ast.Yield))


def _read_early(body: list[ast.stmt], ready: set[str], stored: set[str]) -> set[str]:
    """Names read before they are surely stored; ``ready`` grows by what straight code stores."""
    found: set[str] = set()
    for s in body:
        inner = s.body if isinstance(s, ast.With | ast.For) else []
        for head in _heads(s):
            found |= {n.id for n in _names(head, ast.Load)} & (stored - ready)
        if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name):
            found |= {s.target.id} - ready
        if isinstance(s, ast.For):
            if s.orelse:
                raise Unclear
            inside = ready | {n.id for n in _names(s.target, ast.Store)}
            found |= _read_early(inner, inside, stored)
        elif isinstance(s, ast.With):
            for i in s.items:
                if i.optional_vars is not None:
                    ready |= {n.id for n in _names(i.optional_vars, ast.Store)}
            found |= _read_early(inner, ready, stored)
        elif isinstance(s, ast.Assign | ast.AnnAssign | ast.AugAssign):
            ready |= {n.id for n in _names(s, ast.Store)}
    return found


def _heads(s: ast.stmt) -> list[ast.AST]:
    """What a statement evaluates before its blocks; all of it if it has none to look into."""
    if isinstance(s, ast.With):
        return [i.context_expr for i in s.items]
    return [s.iter] if isinstance(s, ast.For) else [s]


def _names(node: ast.AST, context: type) -> list[ast.Name]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)]
