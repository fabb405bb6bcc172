"""Questions about names that syntax alone answers.

Which names does a piece of code assign, read before it assigns them, and does control leave it?
The lowering asks this to decide what a loop carries.  Nested functions read names of the
enclosing one at any time, so their free names count as read wherever they are defined.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import lru_cache

NESTED = (ast.FunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


def assigned(stmts: Iterable[ast.AST]) -> dict[str, None]:
    """Names assigned by the statements (in order), not looking into nested functions."""
    return _assigned(tuple(stmts))


# A helper is expanded wherever it is called, so the same syntax is asked about again and again
# (its nodes are never changed; they are compared by identity).  Callers do not write the answers.
@lru_cache(maxsize=4096)
def _assigned(stmts: tuple[ast.AST, ...]) -> dict[str, None]:
    out: dict[str, None] = {}

    def visit(n: ast.AST) -> None:
        if isinstance(n, ast.FunctionDef):
            out[n.name] = None
            return
        if isinstance(n, ast.Lambda):
            return
        if isinstance(n, ast.Name) and isinstance(n.ctx, (ast.Store, ast.Del)):
            out[n.id] = None
        if isinstance(n, (ast.Import, ast.ImportFrom)):
            for alias in n.names:
                out[alias.asname or alias.name.split(".")[0]] = None
            return
        if isinstance(n, COMPREHENSIONS):
            for inner in ast.walk(n):
                if isinstance(inner, ast.NamedExpr) and isinstance(inner.target, ast.Name):
                    out[inner.target.id] = None
            return
        for child in ast.iter_child_nodes(n):
            visit(child)

    for stmt in stmts:
        visit(stmt)
    return out


def loads(nodes: Iterable[ast.AST]) -> dict[str, int]:
    """How often each name is read (augmented assignment reads), nested functions included."""
    return _loads(tuple(nodes))


@lru_cache(maxsize=4096)
def _loads(nodes: tuple[ast.AST, ...]) -> dict[str, int]:
    count: dict[str, int] = {}
    for root in nodes:
        for n in ast.walk(root):
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
                count[n.id] = count.get(n.id, 0) + 1
            elif isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name):
                count[n.target.id] = count.get(n.target.id, 0) + 1
    return count


def exposed(stmts: Sequence[ast.AST]) -> set[str]:
    """Names that may be read in the statements before these have assigned them."""
    return set(_first_reads(tuple(stmts)))


@lru_cache(maxsize=4096)
def _first_reads(stmts: tuple[ast.AST, ...]) -> frozenset[str]:
    out: set[str] = set()
    _exposed(stmts, set(), out)
    return frozenset(out)


def _read(node: ast.AST | None, done: set[str], out: set[str]) -> None:
    if node is None:
        return
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id not in done:
            out.add(n.id)


def _exposed(stmts: Sequence[ast.AST], done: set[str], out: set[str]) -> bool:
    """Adds exposed reads to ``out`` and sure assignments to ``done``; whether control ends."""
    for s in stmts:
        if isinstance(s, (ast.Return, ast.Raise)):
            _read(s, done, out)
            return True
        if isinstance(s, (ast.Break, ast.Continue)):
            return True
        if isinstance(s, ast.If):
            _read(s.test, done, out)
            a, b = set(done), set(done)
            end_a, end_b = _exposed(s.body, a, out), _exposed(s.orelse, b, out)
            if end_a and end_b:
                return True
            done |= b if end_a else a if end_b else a & b
        elif isinstance(s, (ast.For, ast.While)):
            _read(s.iter if isinstance(s, ast.For) else s.test, done, out)
            inner = set(done)
            if isinstance(s, ast.For):
                inner |= set(assigned([s.target]))
            _exposed(s.body, inner, out)
            _exposed(s.orelse, set(done), out)
        elif isinstance(s, ast.AugAssign):
            _read(s.value, done, out)
            _read(s.target, done, out)
            if isinstance(s.target, ast.Name) and s.target.id not in done:
                out.add(s.target.id)
            done |= set(assigned([s]))
        elif isinstance(s, ast.Delete):
            continue
        else:
            _read(s, done, out)
            done |= set(assigned(_targets(s)))
    return False


def _targets(s: ast.AST) -> list[ast.AST]:
    """What a simple statement surely binds (a walrus in it may not be reached)."""
    if isinstance(s, ast.Assign):
        return list(s.targets)
    if isinstance(s, ast.AnnAssign):
        return [s.target] if s.value is not None else []
    return [s] if isinstance(s, ast.FunctionDef) else []


def leaves(stmts: Iterable[ast.AST], loop: bool = False) -> frozenset[str]:
    """Which of ``return``, ``break``, ``continue`` may leave the statements.

    ``loop`` says that the statements are the body of a loop of their own: its breaks stay.
    """
    return _leaves(tuple(stmts), loop)


@lru_cache(maxsize=4096)
def _leaves(stmts: tuple[ast.AST, ...], loop: bool) -> frozenset[str]:
    out: set[str] = set()

    def visit(n: ast.AST, inside: bool) -> None:
        if isinstance(n, NESTED):
            return
        if isinstance(n, ast.Return):
            out.add("return")
        elif isinstance(n, (ast.Break, ast.Continue)) and not inside:
            out.add("break" if isinstance(n, ast.Break) else "continue")
        if isinstance(n, (ast.For, ast.While)):
            for c in n.body:
                visit(c, True)
            for c in n.orelse:
                visit(c, inside)
            return
        for child in ast.iter_child_nodes(n):
            visit(child, inside)

    for stmt in stmts:
        visit(stmt, loop)
    return frozenset(out)


def always_leaves(stmts: Sequence[ast.AST]) -> bool:
    """Whether control never runs off the end of the statements."""
    for s in stmts:
        if isinstance(s, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            return True
        if isinstance(s, ast.If) and s.orelse:
            if always_leaves(s.body) and always_leaves(s.orelse):
                return True
    return False
