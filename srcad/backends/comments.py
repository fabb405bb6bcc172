"""Comments in generated code: which line of the user's program a group of statements belongs to.

In: a syntax tree whose statements carry a ``Loc`` in the attribute ``loc``.  Comments are put in
as marker statements, so that the tree keeps their places while it is printed, and replaced in
the text.  Statements of the primal program get none.  What is recomputed for the adjoint of a
line is part of that adjoint.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from srcad.ir.nodes import Loc

SourceLines = Callable[[str], list[str]]
_MARK = "srcad_comment_"
_CUT = 70
_SERIAL = "serial: "  # a role: of a loop that was to run on several threads, and why it does not


class Comments:
    """The comments of one module."""

    def __init__(self, source_lines: SourceLines | None) -> None:
        self.source_lines = source_lines
        self.texts: list[str] = []
        self.told: set[Loc] = set()  # loops whose reason for running on one thread is given

    def add(self, body: list[ast.stmt], current: tuple | None = None) -> None:
        """Put a marker wherever a line of the user's program begins."""
        out: list[ast.stmt] = []
        keys = [_key(getattr(node, "loc", None)) for node in body]
        for k, node in enumerate(body):
            if keys[k] is not None and keys[k] != current and not self._again(node):
                out.append(self._marker(_group(body, keys, k)))
            current = keys[k]
            for part in ("body", "orelse"):
                if getattr(node, part, None):
                    self.add(getattr(node, part), current)
            out.append(node)
        body[:] = out

    def _again(self, node: ast.stmt) -> bool:
        """Whether this is about a loop that has had its comment."""
        loc: Loc = node.loc  # type: ignore[attr-defined]
        if not loc.role.startswith(_SERIAL):
            return False
        known = loc in self.told
        self.told.add(loc)
        return known

    def _marker(self, loc: Loc) -> ast.stmt:
        self.texts.append(self._text(loc))
        return ast.Expr(ast.Name(f"{_MARK}{len(self.texts) - 1}_", ast.Load()))

    def _text(self, loc: Loc) -> str:
        lines = self.source_lines(loc.file) if self.source_lines else []
        line = lines[loc.line - 1].strip() if 0 < loc.line <= len(lines) else ""
        line = line if len(line) <= _CUT else line[: _CUT - 1] + "…"
        if loc.role.startswith(_SERIAL):
            return f"# line {loc.line} on one thread: {loc.role.removeprefix(_SERIAL)}"
        if loc.role == "parallel":
            return f"# line {loc.line} on several threads" + (f": {line}" if line else "")
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
    """Statements with equal keys need one comment only."""
    if loc is None or loc.role == "primal":
        return None
    role = "adjoint" if loc.role == "recompute" else loc.role
    return role, loc.file, loc.line


def _group(body: list[ast.stmt], keys: list[tuple | None], start: int) -> Loc:
    """The place that names the group beginning at ``start``: an adjoint if there is one."""
    first: Loc = body[start].loc  # type: ignore[attr-defined]
    for node, key in zip(body[start:], keys[start:], strict=True):
        if key != keys[start]:
            break
        if node.loc.role == "adjoint":  # type: ignore[attr-defined]
            found: Loc = node.loc  # type: ignore[attr-defined]
            return found
    return first


def _is_marker(s: ast.AST) -> bool:
    return (
        isinstance(s, ast.Expr) and isinstance(s.value, ast.Name) and s.value.id.startswith(_MARK)
    )
