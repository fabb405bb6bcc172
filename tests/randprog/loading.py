"""From a random program's text to a function whose source can be retrieved."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from tests.randprog.program import RandomProgram


class _Copying(ast.NodeTransformer):
    """``a[...] = b`` with ``b`` copied first."""

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        if isinstance(node.targets[0], ast.Subscript):
            node.value = ast.Call(ast.Name("copied", ast.Load()), [node.value], [])
        return node


def copied(value: Any) -> Any:
    """An array copied; anything else as it is."""
    return value.copy() if isinstance(value, np.ndarray) else value


def load_copying(program: RandomProgram) -> Callable[..., Any]:
    """The entry function with the right sides of its array assignments copied before.

    NumPy promises that this makes no difference.  It does where a row is assigned to a column of
    the same matrix (NumPy 2.4 and before move 1-D data without looking at the strides).
    """
    tree = ast.fix_missing_locations(_Copying().visit(ast.parse(program.source)))
    space: dict[str, Any] = {"copied": copied}
    exec(compile(tree, program.name, "exec"), space)
    return space[program.entry]


def load(program: RandomProgram) -> Callable[..., Any]:
    """The entry function, compiled under the program's pseudo-filename."""
    source = program.source
    linecache.cache[program.name] = (len(source), None, source.splitlines(True), program.name)
    module = ModuleType(module_name(program))
    module.__file__ = program.name
    sys.modules[module.__name__] = module
    exec(compile(source, program.name, "exec"), module.__dict__)
    return getattr(module, program.entry)


def unload(program: RandomProgram) -> None:
    """Forget the text and the module."""
    linecache.cache.pop(program.name, None)
    sys.modules.pop(module_name(program), None)


def module_name(program: RandomProgram) -> str:
    """The name its module has while loaded."""
    return program.name.strip("<>").replace(" ", "_")
