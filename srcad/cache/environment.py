"""What compiled code depends on besides the program: versions, srcad's own text, the processor."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import lru_cache
from typing import Any

# settings of Numba that say where and by how many threads, not what is compiled
INDIFFERENT = ("NUM_THREADS", "THREAD", "CACHE", "PATH", "DIR", "DUMP", "TRACE", "COLOR", "HOME")
TABLES = (  # what the compiler looks functions up in: module, table, the function of an entry
    ("srcad.rules.registry", "RULES", "body"),
    ("srcad.library.registry", "LIBRARY", "code"),
    ("srcad.library.registry", "LIBRARY_METHODS", "code"),
    ("srcad.library.registry", "LIBRARY_COMPLEX", ""),
    ("srcad.frontend.core", "CALLS", ""),
    ("srcad.frontend.core", "METHODS", ""),
    ("srcad.frontend.core", "ATTRIBUTES", ""),
    ("srcad.frontend.core", "OBJECTS", ""),
)
RULED = ("srcad.frontend.core", "RULED")  # functions that have got a rule by ``register_rule``
APART = ("tf", "tape")  # folders of srcad that the compiler never reads


@lru_cache(maxsize=1)
def own_text() -> str:
    """Checksum of srcad's source files."""
    total = hashlib.blake2b()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    waiting = [root]
    names = []
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir():
                if not (entry.name in APART and os.path.dirname(entry.path) == root):
                    waiting.append(entry.path)
            elif entry.name.endswith(".py"):
                names.append(entry.path)
    for path in sorted(names):
        with open(path, "rb") as file:
            text = file.read()
        total.update(f"{os.path.relpath(path, root)} {len(text)}\n".encode() + text)
    return total.hexdigest()


def versions() -> tuple[Any, ...]:
    """Python and the packages that take part."""
    import llvmlite
    import numba
    import numpy as np

    return (
        sys.version,
        sys.implementation.cache_tag,
        sys.flags.optimize,
        np.__version__,
        numba.__version__,
        llvmlite.__version__,
        own_text(),
    )


def processor() -> tuple[Any, ...]:
    """Target, name and features of the processor, and the settings of Numba's compiler."""
    from numba.core import config
    from numba.core.registry import cpu_target

    settings = sorted(
        (name, repr(value))
        for name, value in vars(config).items()
        if name.isupper()
        and isinstance(value, (bool, int, float, str, type(None)))
        and not any(word in name for word in INDIFFERENT)
    )
    return (cpu_target.target_context.codegen().magic_tuple(), tuple(settings))


def declared() -> list[tuple[Any, Any]]:
    """Rules and library functions that a program declares itself: names and their Python functions.

    Without them the tables need not be loaded, so nothing is imported to look.
    """
    found = list(getattr(sys.modules.get(RULED[0]), RULED[1], {}).items())
    for module, table, part in TABLES:
        loaded = sys.modules.get(module)
        for name, entry in getattr(loaded, table, {}).items():
            code = getattr(entry, part) if part else entry
            if not str(getattr(code, "__module__", "srcad")).startswith("srcad."):
                found.append((name, code))
    return found


def environment(compiled: bool) -> tuple[Any, ...]:
    """Everything of this process that generated (or compiled) code depends on."""
    return (*versions(), *(processor() if compiled else ()))
