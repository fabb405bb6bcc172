"""From a random program's text to a function whose source can be retrieved."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.randprog.program import RandomProgram


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
