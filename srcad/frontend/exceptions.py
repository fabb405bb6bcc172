"""``assert`` and ``raise``: a check with a message, which may show numbers.

In: the statement.  Out: a ``Check``; the message is computed only where it fails.  The text of an
f-string is a ``Template``, the numbers in it follow as operands: generated code has no strings
beyond constants, ``srcad.messages`` puts the two together when the exception comes out.
Limits: exceptions of the user's own classes; arrays in a message are shown as ``{...}``.
"""

from __future__ import annotations

import ast
import builtins
from typing import Any

from srcad.frontend.core import FALSE, STMT, Lowering, handles
from srcad.frontend.joins import branch
from srcad.frontend.values import Static, Tuple, is_scalar
from srcad.ir.nodes import Atom, Const, Template, Var
from srcad.ir.types import is_complex


@handles(STMT, ast.Assert)
def assertion(lo: Lowering, node: ast.Assert) -> None:
    """``assert test, message``."""
    cond = lo.truth(lo.read(lo.expr(node.test), node.test), node.test)
    with lo.b.block():  # to see whether it is constant
        words = message(lo, [node.msg] if node.msg else [])
    if not any(isinstance(w, Var) for w in words) or isinstance(cond, Const):
        lo.b.check(cond, "AssertionError", *words)
        if cond == FALSE:
            lo.frame.dead = True
        return

    def failed() -> None:
        lo.b.check(FALSE, "AssertionError", *message(lo, [node.msg]))
        lo.frame.dead = True

    branch(lo, cond, lambda: None, failed)


@handles(STMT, ast.Raise)
def raise_statement(lo: Lowering, node: ast.Raise) -> None:
    """``raise Exception(message)``."""
    exc = node.exc
    if exc is None or node.cause is not None:
        lo.fail(
            node, "only `raise Exception(message)` is supported", instead="raise a new exception"
        )
    args: list[ast.expr] = []
    if isinstance(exc, ast.Call):
        args, exc = exc.args, exc.func
    cls = lo.expr(exc)
    cls = cls.obj if isinstance(cls, Static) else None
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        lo.fail(node, "raise needs an exception class", instead="raise ValueError(message)")
    lo.b.check(FALSE, exception_name(lo, cls), *message(lo, args))
    lo.frame.dead = True


def exception_name(lo: Lowering, cls: type) -> str:
    """Name under which the generated code finds an exception class."""
    if getattr(builtins, cls.__name__, None) is cls:
        return cls.__name__
    for base in cls.__mro__:
        if getattr(builtins, base.__name__, None) is base:
            lo.fail(
                lo.node,
                f"cannot raise {cls.__name__}",
                "generated code stands alone and knows only Python's own exceptions",
                f"raise {base.__name__}",
            )
    return "Exception"


def message(lo: Lowering, args: list[Any]) -> tuple[Any, ...]:
    """The arguments of an exception: constants, numbers, templates followed by their numbers."""
    out: list[Any] = []
    for a in args:
        if isinstance(a, ast.JoinedStr):
            out += template(lo, a)
            continue
        v = lo.read(lo.expr(a), a)
        if isinstance(v, Static) and isinstance(v.obj, str):
            out.append(v.obj)
        elif is_scalar(v) and not is_complex(v.type):
            out.append(v.value if isinstance(v, Const) else v)
        else:
            lo.fail(
                a,
                "the message of an exception must be a constant string",
                "compiled code has no strings beyond constants",
                'an f-string may show numbers: raise ValueError(f"bad step {h}")',
            )
    return tuple(out)


def template(lo: Lowering, node: ast.JoinedStr) -> list[Any]:
    """An f-string as a template and the numbers for its places."""
    text, numbers = "", []
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value).replace("{", "{{").replace("}", "}}")
            continue
        assert isinstance(part, ast.FormattedValue)
        style = "" if part.conversion == -1 else f"!{chr(part.conversion)}"
        if part.format_spec is not None:
            style += ":" + constant_style(lo, part.format_spec)
        more, found = places(lo.read(lo.expr(part.value), part.value), style)
        text += more
        numbers += found
    return [Template(text), *numbers] if numbers else [text.format()]


def constant_style(lo: Lowering, spec: ast.expr) -> str:
    """A format specification."""
    parts = spec.values if isinstance(spec, ast.JoinedStr) else [spec]
    if not all(isinstance(p, ast.Constant) for p in parts):
        lo.fail(spec, "the format of a number in a message must be constant")
    return "".join(str(p.value) for p in parts)  # type: ignore[attr-defined]


def places(v: Any, style: str) -> tuple[str, list[Atom]]:
    """Text with a place for each number of a value, and the numbers."""
    if is_scalar(v) and not is_complex(v.type):
        return "{" + style + "}", [v]
    if isinstance(v, Tuple) and v.cls is None:
        inner = [places(x, "!r") for x in v.items]
        text = ", ".join(t for t, _ in inner) + ("," if len(inner) == 1 else "")
        return f"({text})", [n for _, ns in inner for n in ns]
    text = v.obj if isinstance(v, Static) and isinstance(v.obj, str) else "{...}"
    return text.replace("{", "{{").replace("}", "}}"), []
