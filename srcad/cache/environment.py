"""What compiled code depends on besides the program: versions, srcad's own text, the processor."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import lru_cache
from typing import Any

# settings of Numba that say where and by how many threads, not what is compiled
INDIFFERENT = ("NUM_THREADS", "THREAD", "CACHE", "PATH", "DIR", "DUMP", "TRACE", "COLOR", "HOME")
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


def environment(compiled: bool) -> tuple[Any, ...]:
    """Everything of this process that generated (or compiled) code depends on."""
    return (*versions(), *(processor() if compiled else ()))
