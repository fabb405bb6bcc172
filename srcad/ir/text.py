"""The IR as text, for people: examples, error messages, golden files.

In: a function, a block or a statement.  Out: indented lines, one statement a line, every
variable with its type where it is bound.  The text is not meant to be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Block,
    Call,
    Carried,
    Check,
    Const,
    Dim,
    Draw,
    For,
    Function,
    If,
    Load,
    Op,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)

INDENT = "    "


def text(fn: Function) -> str:
    """A whole function."""
    params = ", ".join(map(_bind, fn.params))
    lines = [f"def {fn.name}({params}):", *_block(fn.body, "return")]
    return "\n".join(lines) + "\n"


def statement_text(s: Stmt) -> str:
    """The first line of a statement (inner blocks left out)."""
    return next(_statement(s))


def _bind(v: Var) -> str:
    return f"{v.name}: {v.type}"


def _atom(a: object) -> str:
    if isinstance(a, Var):
        return a.name
    if isinstance(a, Const):
        suffix = "f4" if str(a.type) == "f4" else ""
        return f"{a.value!r}{suffix}"
    return ":" if a is None else repr(a)


def _atoms(xs: tuple[Any, ...]) -> str:
    return ", ".join(map(_atom, xs))


def _block(b: Block, end: str) -> Iterator[str]:
    for s in b.stmts:
        for line in _statement(s):
            yield INDENT + line
    if b.yields:
        yield f"{INDENT}{end} {_atoms(b.yields)}"
    elif not b.stmts:
        yield f"{INDENT}pass"


def _statement(s: Stmt) -> Iterator[str]:
    match s:
        case If():
            heads = f" -> {', '.join(map(_bind, s.results))}" if s.results else ""
            yield f"if {_atom(s.cond)}{heads}:"
            yield from _block(s.then, "yield")
            if s.orelse.stmts or s.orelse.yields:
                yield "else:"
                yield from _block(s.orelse, "yield")
        case For():
            kind = "prange" if s.parallel else "range"
            bounds = _atoms((s.start, s.stop, s.step))
            breaks = " breaks" if s.breaks else ""
            yield f"for {s.index.name} in {kind}({bounds}){_carried(s.carried)}{breaks}{_keep(s)}:"
            yield from _block(s.body, "yield")
        case While():
            yield f"while {s.carried[0].arg.name}{_carried(s.carried)}{_keep(s)}:"
            yield from _block(s.body, "yield")
        case _:
            yield _simple(s)


def _keep(s: For | While) -> str:
    if s.keep is None:
        return ""
    return f" keeping {_atom(s.keep.limit)} {'bytes' if s.keep.bytes else 'states'}"


def _carried(cs: tuple[Carried, ...]) -> str:
    if not cs:
        return ""
    parts = (f"{_bind(c.arg)} = {_atom(c.init)} -> {c.result.name}" for c in cs)
    return f" carrying {', '.join(parts)}"


def _simple(s: Stmt) -> str:
    match s:
        case Op():
            return f"{_bind(s.target)} = {s.op}({_atoms(s.args)})"
        case Load():
            return f"{_bind(s.target)} = {s.array.name}[{_atoms(s.index)}]"
        case Store():
            return f"{s.array.name}[{_atoms(s.index)}] = {_atom(s.value)}"
        case Accumulate():
            how = "atomic " if s.atomic else ""
            return f"{how}{s.array.name}[{_atoms(s.index)}] += {_atom(s.value)}"
        case Alloc():
            return f"{_bind(s.target)} = {'zeros' if s.zero else 'empty'}({_atoms(s.shape)})"
        case View():
            return f"{_bind(s.target)} = view {s.base.name} {s.kind} ({_spec(s.spec)})"
        case Dim():
            return f"{_bind(s.target)} = dim({s.array.name}, {s.axis})"
        case Reserve():
            return f"reserve({s.array.name}, {_atom(s.size)})"
        case ArrayOp():
            return f"{', '.join(map(_bind, s.targets))} = array {s.op}({_atoms(s.args)})"
        case Call():
            return f"{', '.join(map(_bind, s.targets))} = call {s.fn}({_atoms(s.args)})"
        case Check():
            return f"check {_atom(s.cond)} else {s.exception}({_atoms(s.message)})"
        case Print():
            return f"print({_atoms(s.args)})"
        case Draw():
            result = f"{', '.join(map(_bind, s.targets))} = " if s.targets else ""
            again = f" again {_atom(s.given)}" if s.given is not None else ""
            return f"{result}draw {s.kind}({_atoms(s.args)}){again}"
    raise TypeError(f"not a statement: {s!r}")


def _spec(spec: tuple[Any, ...]) -> str:
    items = []
    for item in spec:
        if isinstance(item, tuple):
            items.append(" ".join([item[0], *map(_atom, item[1:])]))
        else:
            items.append(_atom(item))
    return ", ".join(items)
