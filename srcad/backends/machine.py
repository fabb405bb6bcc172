"""Machine code on disk: Numba's compiled overloads, kept under the text they were made from.

In: the dispatcher of generated code and its text.  Out: a dispatcher that asks the cache before
it compiles, and stores what it compiled.  The key is the whole text, the signature and
``cache.environment``; Numba's own cache would leave constants and options out of its key.

Code is loaded without ``target_context.refresh()``, which imports most of Numba and SciPy's
LAPACK only to compile: the entry lists the symbols that the code needs, and where one is missing
the context is refreshed after all.  (An unresolved symbol would end the process.)

Invariant: functions carry a checksum of their text in their qualified name, so the symbols of
code from different texts never meet.
"""

from __future__ import annotations

import pickle
from typing import Any

import llvmlite.binding as llvm
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from srcad.cache import folder
from srcad.cache.entries import text_key
from srcad.cache.environment import environment
from srcad.runtime.workspace import SYMBOLS, code


class Overloads:
    """What a dispatcher takes for its cache (``numba.core.caching._Cache``)."""

    def __init__(self, source: str) -> None:
        self.source = source

    def name(self, sig: Any) -> str:
        """The file for a signature."""
        return text_key(repr(environment(True)), self.source, repr(sig)) + ".code"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function for a signature, or ``None``."""
        name = self.name(sig)
        data = folder.read(name)
        if data is None:
            return None
        try:
            symbols, parts = pickle.loads(data)
            starters = (
                lambda: rtsys.initialize(target_context),
                *parts[-2],
                lambda: loaded(symbols),
                target_context.refresh,
            )
            for start in starters:  # reference counts, threads, everything
                if missing(symbols):
                    start()
            return None if missing(symbols) else CompileResult._rebuild(target_context, *parts)
        except Exception:  # written by something else: compile
            folder.remove(name)
            return None

    def save_overload(self, sig: Any, result: Any) -> None:
        """Store a compiled function, where Numba can take it apart."""
        if any(not x.can_cache for x in result.lifted) or result.library.has_dynamic_globals:
            return
        try:
            data = dumps((needed(result.library), result._reduce()))
        except Exception:  # a derivative without a cache is better than none
            return
        folder.write(self.name(sig), data)

    def enable(self) -> None:
        """Always on."""

    disable = flush = enable
    cache_path = None


def needed(library: Any) -> list[str]:
    """Symbols that compiled code takes from outside."""
    module = library._final_module
    outside = [*module.functions, *module.global_variables]
    names = (x.name for x in outside if x.is_declaration)
    return [n for n in names if not n.startswith("llvm.")]


def loaded(symbols: list[str]) -> None:
    """What memory that is used again is asked for, where the code does."""
    if not set(SYMBOLS).isdisjoint(symbols):
        code()


def missing(symbols: list[str]) -> bool:
    """Whether this process lacks one of them."""
    return any(llvm.address_of_symbol(s) is None for s in symbols)
