"""Every exception of srcad, and how it looks.

A message has up to four parts: what is wrong, where (file, line, source line and caret), why,
and what to write instead.  Users never meet a Numba traceback or a bare ``KeyError``; errors of
the program itself (a ``ZeroDivisionError`` it raises) come out as themselves.
"""

from __future__ import annotations

import linecache
from typing import Any

PLAIN = "plain Python refuses this as well"  # why, where the fault is the program's own


class SrcadError(Exception):
    """Base class of everything srcad raises on its own behalf.

    Args:
        what: one line that says what is wrong.
        loc: where, any object with ``file line col end_col function`` (an ``ir.nodes.Loc``).
        why: the reason, one sentence.
        instead: what to write instead.
    """

    def __init__(self, what: str, loc: Any = None, why: str = "", instead: str = "") -> None:
        self.what, self.loc, self.why, self.instead = what, loc, why, instead
        super().__init__(format_message(what, loc, why, instead))

    def __reduce__(self) -> tuple:
        return type(self), (self.what, self.loc, self.why, self.instead)


class UnsupportedSyntax(SrcadError):
    """The program uses a construct outside the language that srcad differentiates."""


class UnknownFunction(SrcadError):
    """The program calls something srcad neither can look into nor has a rule for."""


class NoDerivative(SrcadError):
    """A function on the differentiated path has no derivative rule, or none can exist."""


class TypeMismatch(SrcadError, TypeError):
    """An argument, result or variable has a type or shape that does not fit."""


class DeviceError(SrcadError):
    """There is no GPU, driver or toolkit, or what was given is not on the device."""


class InternalError(SrcadError):
    """srcad broke one of its own laws: a bug in srcad, never in the user's program."""


def format_message(what: str, loc: Any, why: str, instead: str) -> str:
    """The message as the user reads it."""
    lines = [what]
    if loc is not None:
        lines += source_excerpt(loc)
    if why:
        lines.append(f"  why: {why}")
    if instead:
        lines.append(f"  instead: {instead}")
    return "\n".join(lines)


def source_excerpt(loc: Any) -> list[str]:
    """``File …, line …`` with the source line and a caret under the construct."""
    where = f'  File "{loc.file}", line {loc.line}'
    if loc.function:
        where += f", in {loc.function}"
    text = linecache.getline(loc.file, loc.line).rstrip("\n")
    if not text.strip():
        return [where]
    stripped = text.lstrip()
    indent = len(text) - len(stripped)
    start = max(loc.col - indent, 0)
    end = loc.end_col - indent if loc.end_col > loc.col else start + 1
    carets = "^" * max(min(end, len(stripped)) - start, 1)
    return [where, f"    {stripped}", f"    {' ' * start}{carets}"]
