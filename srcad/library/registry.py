"""NumPy and SciPy functions written in Python: what a call of each means, in the language itself.

In: a function of the library that takes the arguments of the original.  Out: an entry of
``LIBRARY``; the frontend expands a call of the original as a call of the entry, so value,
derivatives of any order and what must be saved follow from the code.  ``samples`` says how to
call it in the tests (``tests/test_library.py``: value against the original, derivatives against
differences, shapes, kinds of numbers).

Invariant: a library function is of the language that srcad differentiates, computes what the
original does, writes to no argument.  ``refuse`` stops the compilation, with the user's line,
where an argument cannot be supported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

Function = Callable[..., Any]


@dataclass(frozen=True)
class Entry:
    """What stands for a function: the code, and calls to test it with."""

    code: Function
    samples: Function
    notes: str = ""


LIBRARY: dict[Function, Entry] = {}


def implements(*originals: Function, samples: Function, notes: str = "") -> Callable:
    """Declare that the decorated function is what ``originals`` compute.

    Args:
        samples: a function of a ``tests.samples.Draw``, which makes arguments; it returns calls,
            each made by ``d.call(...)``.
        notes: what the table of supported functions says of it.
    """

    def declare(code: Function) -> Function:
        for f in originals:
            LIBRARY[f] = Entry(code, samples, notes)
        return code

    return declare


def refuse(what: str, instead: str = "") -> NoReturn:
    """Refuse the call that is being compiled.

    Args:
        what: what is not supported, constant text.
        instead: what to write.
    """
    raise NotImplementedError(what)
