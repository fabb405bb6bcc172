"""Mutants of the zoo: a program's source with a few random changes, mostly for the worse.

``mutant(seed)`` picks a program of the zoo, copies it with the helpers it calls into one text,
changes one to three places, and gives the text as a module of its own.  The same seed gives the
same mutant.  Texts that Python itself refuses give ``None``.
"""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import random
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.fuzzing.mutations import Mutation
from tests.programs import PROGRAMS
from tests.zoo.registry import Program


@dataclass(frozen=True)
class Mutant:
    """A mutated program: ``function`` is loaded under the file name ``file``."""

    seed: int
    origin: Program
    text: str
    file: str
    function: Callable[..., Any]

    def unload(self) -> None:
        """Forget the text."""
        linecache.cache.pop(self.file, None)


@lru_cache(maxsize=1)
def candidates() -> list[Program]:
    """Programs of the zoo that are plain functions without closures."""
    return [
        p
        for p in PROGRAMS
        if isinstance(p.fn, types.FunctionType)
        and not p.fn.__closure__
        and p.fn.__name__ != "<lambda>"
        and not p.kwargs
    ]


@lru_cache(maxsize=64)
def _definitions(module_file: str) -> dict[str, ast.FunctionDef]:
    """Undecorated functions of a file, by name."""
    tree = ast.parse("".join(linecache.getlines(module_file)))
    return {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.decorator_list}


def reachable(fn: types.FunctionType) -> list[ast.FunctionDef]:
    """The function and the plain helpers that it names, directly or not."""
    table = _definitions(inspect.getsourcefile(fn) or "")
    if fn.__name__ not in table:
        return []
    found = {fn.__name__: None}
    todo = [fn.__name__]
    while todo:
        for n in ast.walk(table[todo.pop()]):
            if isinstance(n, ast.Name) and n.id in table and n.id not in found:
                found[n.id] = None
                todo.append(n.id)
    return [copy.deepcopy(table[name]) for name in found]


def mutant(seed: int) -> Mutant | None:
    """The mutant of a seed, or ``None`` where Python does not accept the text."""
    rng = random.Random(seed)
    program = rng.choice(candidates())
    functions = reachable(program.fn)
    if not functions:
        return None
    tree = ast.Module(functions, [])
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        Mutation(rng, tree).apply()
    return load(seed, program, tree)


def load(seed: int, program: Program, tree: ast.Module) -> Mutant | None:
    """Compile a mutated tree under a pseudo-file."""
    file = f"<mutant {seed}>"
    try:
        text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "int object is not callable", and the like
            code = compile(text, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space = {k: v for k, v in program.fn.__globals__.items() if k != "add"}
    try:
        exec(code, space)
    except Exception:  # a default or a decorator that fails when the function is made
        return None
    function = space.get(program.fn.__name__)
    return Mutant(seed, program, text, file, function) if callable(function) else None
