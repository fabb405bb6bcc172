"""Which local names a loop over a ``tf.range`` carries from trip to trip.

In: the frame of the user's function, at the head of the loop.  Tracing runs the body once and
sees tensors, not names; the syntax of the loop tells which names a trip reads before it surely
has stored them, so that they hold what the trip before has left.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any


def carries_locals(frame: Any) -> bool:
    """Whether a loop of the frame's function may carry a local name from trip to trip."""
    try:
        source = textwrap.dedent(inspect.getsource(frame.f_code))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        return True
    line = frame.f_lineno - frame.f_code.co_firstlineno + 1
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For) and n.iter.lineno == line]
    return len(loops) != 1 or _carries(loops[0])


def _carries(loop: ast.For) -> bool:
    """Whether a name is read in the body before it is surely stored there in the same trip."""
    if loop.orelse or any(_escapes(n) for s in loop.body for n in ast.walk(s)):
        return True
    stored = {n.id for s in loop.body for n in _names(s, ast.Store)}
    ready = {n.id for n in _names(loop.target, ast.Store)}
    return _reads_early(loop.body, ready, stored)


def _escapes(node: ast.AST) -> bool:
    """Stores that are no plain names, and jumps."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return not isinstance(node.ctx, ast.Load)
    kinds = (ast.Break, ast.Continue, ast.Return, ast.Delete, ast.Nonlocal, ast.Global)
    return isinstance(node, (*kinds, ast.FunctionDef, ast.NamedExpr, ast.Try, ast.Yield))


def _reads_early(body: list[ast.stmt], ready: set[str], stored: set[str]) -> bool:
    """Statements in order; ``ready`` grows by what straight-line code stores."""
    for s in body:
        inner = s.body if isinstance(s, ast.With | ast.For) else []
        for head in _heads(s):
            if any(n.id in stored - ready for n in _names(head, ast.Load)):
                return True
        if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name):
            if s.target.id not in ready:
                return True
        if isinstance(s, ast.For):
            inside = ready | {n.id for n in _names(s.target, ast.Store)}
            if s.orelse or _reads_early(inner, inside, stored):
                return True
        elif isinstance(s, ast.With):
            for i in s.items:
                if i.optional_vars is not None:
                    ready |= {n.id for n in _names(i.optional_vars, ast.Store)}
            if _reads_early(inner, ready, stored):
                return True
        elif isinstance(s, ast.Assign | ast.AnnAssign | ast.AugAssign):
            ready |= {n.id for n in _names(s, ast.Store)}
    return False


def _heads(s: ast.stmt) -> list[ast.AST]:
    """What a statement evaluates before its blocks; all of it if it has none to look into."""
    if isinstance(s, ast.With):
        return [i.context_expr for i in s.items]
    return [s.iter] if isinstance(s, ast.For) else [s]


def _names(node: ast.AST, context: type) -> list[ast.Name]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)]
