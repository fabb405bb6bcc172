"""Functions of generated code that only other functions of the same text call.

Numba makes of each function a library of its own: optimised, with a wrapper for callers in Python,
turned into machine code.  Its callers take a copy of the optimised code and optimise it again, with
their own.  For a function that nobody else calls all but the copy is in vain.

In: the dispatchers of a text (``alone``), a function as it is lowered (``lower_inside``).  Out:
which of them are such functions; a library that is never built, only copied.  Functions that call
each other in circles, run on threads, or need objects of Python while they run (exceptions with
values, printing) keep libraries of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import ir
from numba.core.codegen import JITCodeLibrary
from numba.core.errors import NumbaError


class NotInside(NumbaError):  # type: ignore[misc]
    """A function needs a library of its own."""


class Unbuilt(JITCodeLibrary):  # type: ignore[misc]
    """A library whose code is used where it is copied to."""

    def _optimize_final_module(self) -> None:
        """See ``numba.core.codegen``."""

    def _finalize_final_module(self) -> None:
        """See ``numba.core.codegen``."""
        self._finalize_dynamic_globals()
        self._finalized = True


def alone(functions: dict[str, Any], entry: str) -> set[str]:
    """The names of the functions that only others of the text call.

    >>> from numba import njit
    >>> f, g = njit(lambda x: x + 1), njit(lambda x: f(x))
    >>> alone({"f": f, "g": g}, "g")
    {'f'}
    """
    calls = {
        name: {n for n in f.py_func.__code__.co_names if n in functions}
        for name, f in functions.items()
    }
    if any(f.targetoptions.get("parallel") for f in functions.values()):
        return set()
    left = dict(calls)
    while ends := [name for name, callees in left.items() if not callees & left.keys()]:
        for name in ends:
            del left[name]
    return set() if left else set(functions) - {entry}


def lower_inside(state: Any, lower: Callable[[Any], bool]) -> bool:
    """``lower`` a function into a library that is only copied.

    Raises:
        NotInside: it needs one of its own.
    """
    name = state.func_id.func_qualname
    state.library = Unbuilt(state.targetctx.codegen(), name)
    for flag in ("no_compile", "no_cpython_wrapper"):
        setattr(state.flags, flag, True)
    objects = (ir.DynamicRaise, ir.DynamicTryRaise, ir.Print)
    blocks = state.func_ir.blocks.values()
    needs = any(isinstance(s, objects) for block in blocks for s in block.body)
    changed = False if needs else lower(state)
    if needs or state["cr"].env.consts:
        state.library = state["cr"] = None
        for flag in ("no_compile", "no_cpython_wrapper"):
            setattr(state.flags, flag, False)
        raise NotInside(f"{name} needs a library of its own")
    missing: dict[Any, Any] = {}
    # Numba wants a function of its own for each; a call from Python would raise KeyError
    lowered = state["cr"] = state["cr"]._replace(cfunc=missing.pop)
    state.targetctx.insert_user_function(lowered.cfunc, lowered.fndesc, [state.library])
    return changed
