"""What a backend is: something that makes a callable of an IR function.

``backend(name).build(fn)`` gives a function of the IR function's parameters that returns the
tuple of its results.  The three here are checks on each other: ``reference`` interprets the
IR, ``python`` executes the printed text, ``cpu`` compiles the printed text with Numba.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from srcad.ir.nodes import Function

NAMESPACE: dict[str, Any] = {}  # what generated code may call besides NumPy and Numba, by name


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for garbage less often: a compiler makes objects that mostly stay until it is done, and
    a tenth of its time goes into looking at them again and again."""
    before = gc.get_threshold()
    if gc.isenabled() and 0 < before[0] < SELDOM:
        gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        if gc.get_threshold()[0] == SELDOM:
            gc.set_threshold(*before)


SELDOM = 100_000  # new objects until the next look at them


class Backend(Protocol):
    """A way of executing IR."""

    def build(self, fn: Function) -> Callable[..., tuple]:
        """A callable that takes the parameters of ``fn`` and returns its results as a tuple."""
        ...


def backend(name: str) -> Backend:
    """The backend called ``reference``, ``python`` or ``cpu``."""
    from srcad.backends import cpu, python, reference

    table: dict[str, Backend] = {
        "reference": reference.ReferenceBackend(),
        "python": python.PythonBackend(),
        "cpu": cpu.CpuBackend(),
    }
    return table[name]


def as_tuple(count: int, result: object) -> tuple:
    """The ``count`` results of a compiled function as a tuple (it returns a single one bare)."""
    if count == 1:
        return (result,)
    return tuple(result) if count else ()  # type: ignore[arg-type,call-overload]
