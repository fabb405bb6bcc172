"""Single operations with LLVM's flags ``contract`` and ``reassoc``, in code that Numba compiles.

Numba's ``fastmath`` is of whole functions.  Here the flags are of operations: ``marked`` numbers
the sums and products of a module's tree that the printer has marked, and ``flagged`` compiles the
text such that these stand on lines of their own kind (``BEYOND`` is added to their line numbers,
which Numba keeps for every expression), where ``backends.lowering`` adds the flags to what it
makes of them.  The text stays as it is, and so do its lines.

Invariant: an instruction has the flags only if its operation was marked.  What LLVM then does may
depend on the code around (a sum is reordered where that makes a vector loop).  Limits: Numba
compiles the bodies of ``prange`` loops apart; operations there get no flags.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from types import CodeType
from typing import Any

BEYOND = 1 << 20  # lines that no text has
NAMES = ("fadd", "fsub", "fmul")
BOTH, FUSED = ("reassoc", "contract"), ("contract",)  # products of three may overflow in between
FLAGS: dict[int, dict[str, tuple[str, ...]]] = {
    1: {"fadd": BOTH, "fsub": BOTH, "fmul": FUSED},
    2: dict.fromkeys(NAMES, BOTH),
}
EXPRESSIONS = frozenset({"binop", "inplace_binop"})


def level(relaxed: bool, reordered: bool) -> int:
    """0: as written; 1: fused, sums reordered; 2: products reordered too."""
    return relaxed + (relaxed and reordered)


def arithmetic(tree: ast.AST) -> Iterator[tuple[int, Any]]:
    """The binary operations of a module, numbered."""
    return enumerate(n for n in ast.walk(tree) if isinstance(n, (ast.BinOp, ast.AugAssign)))


def marked(tree: ast.AST) -> tuple[int, ...]:
    """Numbers of the operations that the printer has marked; ``~k`` for those of level 2."""
    levels = ((k, getattr(node, "relaxed", 0)) for k, node in arithmetic(tree))
    return tuple(~k if n == 2 else k for k, n in levels if n)


def flagged(source: str, filename: str, relaxed: Collection[int]) -> CodeType:
    """The text as code, the operations with these numbers on lines beyond the others.

    >>> code = flagged("z = x * y\\nz += 1.0", "<text>", {0})
    >>> sorted({line for _, _, line in code.co_lines() if line}) == [1, 2, BEYOND + 2]
    True
    """
    tree = ast.parse(source)
    numbers = frozenset(relaxed)
    for k, node in arithmetic(tree):
        move = BEYOND * (1 if k in numbers else 2 if ~k in numbers else 0)
        node.lineno += move
        node.end_lineno += move
    return compile(tree, filename, "exec")


def line_of(number: int) -> int:
    """The line of the text."""
    return number % BEYOND
