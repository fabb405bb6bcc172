"""The tapes that are recording now, innermost last; one stack per thread.

``STATE.tapes`` is read by every operation, so it is a plain list that tapes push themselves to.
``record`` enters one operation on each of them that tracks an input.
"""

from __future__ import annotations

import threading
from typing import Any


class State(threading.local):
    """Per-thread state: the active tapes."""

    def __init__(self) -> None:
        self.tapes: list[Any] = []
        self.trace: Any = None  # set while a function is traced; told which variables are used


STATE = State()


def record(out: Any, inputs: tuple[Any, ...], pull: Any) -> None:
    """Enter an operation on every active tape that tracks one of its inputs.

    ``out`` is a tensor, or a tuple of tensors for operations with several results; ``pull`` is
    what ``sweep`` calls.  Identity decides: entries keep their tensors alive, so ids stay unique.
    """
    for tape in STATE.tapes:
        tracked = tape.tracked
        for x in inputs:
            if id(x) in tracked:
                if type(out) is tuple:
                    tracked.update((id(o), o) for o in out)
                else:
                    tracked[id(out)] = out
                tape.entries.append((out, inputs, pull))
                break
