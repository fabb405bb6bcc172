"""What lies outside the language, and what to write instead.

In: the syntax of a user function, before anything is lowered.  Out: nothing, or
``UnsupportedSyntax`` at the construct.  Everything not refused here is lowered or refused with
the types at hand; nothing unsupported runs.
"""

from __future__ import annotations

import ast

from srcad.errors import UnsupportedSyntax
from srcad.frontend.source import SourceFunction

REFUSED: dict[str, tuple[str, str, str]] = {
    "Try": ("try", "a derivative across an exception is not defined", "test the condition with if"),
    "TryStar": ("try", "a derivative across an exception is not defined", "test with if"),
    "With": (
        "with",
        "context managers have effects that cannot be reversed",
        "do it outside the differentiated function",
    ),
    "AsyncFor": ("async for", "the numeric subset has no coroutines", "use an ordinary loop"),
    "AsyncWith": ("async with", "the numeric subset has no coroutines", "do it outside"),
    "AsyncFunctionDef": ("async def", "the numeric subset has no coroutines", "use def"),
    "Await": ("await", "the numeric subset has no coroutines", "call an ordinary function"),
    "Yield": ("yield", "generators cannot be run backwards", "fill an array or a list"),
    "YieldFrom": ("yield from", "generators cannot be run backwards", "fill an array or a list"),
    "GeneratorExp": (
        "a generator expression",
        "only functions that take its items at once (sum, min, max, any, all) can have one",
        "use a list comprehension or a loop",
    ),
    "Set": ("a set", "sets have no order to reverse", "use a tuple or an array"),
    "SetComp": ("a set comprehension", "sets have no order to reverse", "use a list"),
    "DictComp": (
        "a dict comprehension",
        "the keys of a dict must be constants",
        "write the dict out",
    ),
    "ClassDef": (
        "a class definition",
        "classes are made outside a compiled function",
        "define the class at module level",
    ),
    "Match": ("match", "pattern matching is outside the numeric subset", "use if and elif"),
    "Global": (
        "global",
        "a derivative with respect to hidden state is not defined",
        "pass the value in and return the new one",
    ),
    "Nonlocal": (
        "nonlocal",
        "a derivative with respect to hidden state is not defined",
        "pass the value in and return the new one",
    ),
    "TypeAlias": (
        "a type alias",
        "types are made outside a compiled function",
        "define it at module level",
    ),
    "TemplateStr": (
        "a template string",
        "strings beyond constants are outside the subset",
        "format outside the differentiated function",
    ),
}

_passed: set[int] = set()
_kept: list[ast.AST] = []  # keeps checked nodes alive, so that their ids stay theirs


def check_function(source: SourceFunction) -> None:
    """Refuse a function whose syntax is outside the language (each function once)."""
    if id(source.node) in _passed:
        return
    node = source.node
    if isinstance(node, ast.AsyncFunctionDef):
        check(source, node)
    if isinstance(node, ast.FunctionDef):
        for s in node.body:
            check(source, s)
    else:
        check(source, node.body)
    _passed.add(id(node))
    _kept.append(node)


def check(source: SourceFunction, root: ast.AST, argument: bool = False) -> None:
    """Walk a tree in source order and refuse the first construct outside the language.

    Args:
        argument: it is a generator expression given to a function (``generators`` decides).
    """
    refused = REFUSED.get(type(root).__name__)
    if refused is not None and not argument:
        what, why, instead = refused
        raise UnsupportedSyntax(f"{what} is not supported", source.loc(root), why, instead)
    if isinstance(root, ast.Constant):
        check_constant(source, root)
    if isinstance(root, ast.comprehension) and root.is_async:
        raise UnsupportedSyntax(
            "async comprehensions are not supported",
            source.loc(root.target),
            "the numeric subset has no coroutines",
            "use a loop",
        )
    given = root.args if isinstance(root, ast.Call) else ()
    for child in ast.iter_child_nodes(root):
        check(source, child, isinstance(child, ast.GeneratorExp) and child in given)


def check_constant(source: SourceFunction, node: ast.Constant) -> None:
    """Numbers that have no place in the subset."""
    if isinstance(node.value, bytes):
        raise UnsupportedSyntax(
            "bytes are not supported",
            source.loc(node),
            "the subset has numbers, arrays and constant strings",
            "use a tuple of ints or an integer array",
        )
