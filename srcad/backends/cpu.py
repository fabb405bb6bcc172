"""The CPU backend: a printed module compiled by Numba.

In: a ``Module``.  Out: the entry function's dispatcher (it compiles itself for the types of the
first call).  The text is registered with ``linecache``, so that tracebacks show it.
"""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Callable
from typing import Any

from srcad.backends.base import as_tuple
from srcad.backends.printer import Module, emit
from srcad.ir.nodes import Function


def compile_module(module: Module, filename_hint: str = "srcad") -> Any:
    """Execute the module's text; the njit dispatcher of its entry function."""
    filename = register(module.source, filename_hint)
    namespace: dict[str, Any] = {"__name__": f"srcad.generated.{filename_hint}"}
    exec(compile(module.source, filename, "exec"), namespace)  # noqa: S102
    return namespace[module.entry]


def register(source: str, hint: str) -> str:
    """Make a text known to tracebacks; the file name it goes by."""
    key = hashlib.sha256(source.encode()).hexdigest()[:12]
    filename = f"<{hint} {key}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)
    return filename


class CpuBackend:
    """``cpu`` behind the protocol of ``backends.base``."""

    def build(self, fn: Function) -> Callable[..., tuple]:
        compiled = compile_module(emit(fn), fn.name)
        return lambda *args: as_tuple(fn, compiled(*args))
