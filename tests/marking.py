"""``srcad.checkpointed`` put on the loops of programs that were written without it.

In: the text of a module.  Out: the same text with every loop marked (those over what srcad unrolls
excepted), each with its own small number of states.  The text without marks is the oracle's.
"""

from __future__ import annotations

import ast
import linecache
import random
import sys
from collections.abc import Callable
from types import ModuleType

LEAVE = {"zip", "enumerate", "reversed"}  # may run over a tuple, which is unrolled


class Marker(ast.NodeTransformer):
    """Marks loops over ranges and ``while`` loops."""

    def __init__(self, states: Callable[[], int]) -> None:
        self.states = states
        self.marked = 0

    def mark(self, e: ast.expr) -> ast.expr:
        """The expression inside the mark."""
        self.marked += 1
        f = ast.Attribute(ast.Name("srcad", ast.Load()), "checkpointed", ast.Load())
        return ast.Call(f, [e], [ast.keyword("snapshots", ast.Constant(self.states()))])

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        over = node.iter
        if isinstance(over, ast.Call) and isinstance(over.func, ast.Name):
            if over.func.id == "range":
                node.iter = self.mark(over)
        return node

    def visit_While(self, node: ast.While) -> ast.While:
        self.generic_visit(node)
        node.test = self.mark(node.test)
        return node


def marked(source: str, seed: int = 0) -> tuple[str, int]:
    """The text with marks, and how many there are."""
    numbers = random.Random(seed)
    marker = Marker(lambda: numbers.choice((1, 1, 2, 2, 3, 5)))
    tree = marker.visit(ast.parse(source))
    return "import srcad\n" + ast.unparse(ast.fix_missing_locations(tree)) + "\n", marker.marked


def load_marked(name: str, source: str, seed: int = 0) -> ModuleType:
    """The marked text as a module whose source can be retrieved."""
    text, _ = marked(source, seed)
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    lines = text.splitlines(True)
    linecache.cache[module.__file__] = (len(text), None, lines, module.__file__)
    sys.modules[name] = module
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    return module
