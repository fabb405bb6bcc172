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

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Entry:
    """What stands for a function: the code, and calls to test it with."""

    code: Function
    samples: Function
    notes: str = ""
    in_place: bool = False


LIBRARY: dict[Function, Entry] = {}
LIBRARY_METHODS: dict[str, Entry] = {}
LATE: dict[str, dict[str, Entry]] = {}  # modules that take long to import: by name, until they are
LIBRARY_COMPLEX: dict[Function, Function] = {}  # what a function is where an argument is complex
LIBRARY_ITEMS: dict[Any, Function] = {}  # objects with a subscript: np.r_, np.mgrid


def implements(
    *originals: Function | str,
    samples: Function,
    notes: str = "",
    method: str = "",
    in_place: bool = False,
) -> Callable:
    """Declare that the decorated function is what ``originals`` compute.

    Args:
        originals: the functions, or the full name of one whose module takes long to import.
        samples: a function of a ``tests.samples.Draw``, which makes arguments; it returns calls,
            each made by ``d.call(...)``.
        notes: what the table of supported functions says of it.
        method: name of the method of arrays that computes the same.
        in_place: whether it writes to its first argument.
    """

    def declare(code: Function) -> Function:
        for f in originals:
            if isinstance(f, str):
                module, _, name = f.rpartition(".")
                LATE.setdefault(module, {})[name] = Entry(code, samples, notes, in_place)
            else:
                LIBRARY[f] = Entry(code, samples, notes, in_place)
        if method:
            LIBRARY_METHODS[method] = Entry(code, samples, notes, in_place)
        return code

    return declare


def of_complex(*originals: Function) -> Callable:
    """Declare that the decorated function is what ``originals`` compute of complex arguments."""

    def declare(code: Function) -> Function:
        LIBRARY_COMPLEX.update(dict.fromkeys(originals, code))
        return code

    return declare


def complete(everything: bool = False) -> dict[Function, Entry]:
    """``LIBRARY`` with the functions of the modules that are imported by now.

    Args:
        everything: import the others.
    """
    for name in [m for m in LATE if everything or m in sys.modules]:
        module = importlib.import_module(name)
        LIBRARY.update({getattr(module, k): entry for k, entry in LATE.pop(name).items()})
    return LIBRARY


def refuse(what: str, instead: str = "") -> NoReturn:
    """Refuse the call that is being compiled.

    Args:
        what: what is not supported, constant text.
        instead: what to write.
    """
    raise NotImplementedError(what)


def draw(kind: str, *args: Any) -> Any:
    """The next number of a distribution of ``ir.draws`` (or its seeding), exactly once."""
    return getattr(np.random, kind)(*args)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that the constant ``axis`` names, counted from the front; ``None``: all of them."""
    raise NotImplementedError(axis, ndim)
