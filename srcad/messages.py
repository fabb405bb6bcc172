"""Messages of exceptions that show numbers, put together when the exception comes out.

In: a compiled function and its IR, whose ``Check``s may hold a ``Template`` followed by numbers.
Out: a callable that raises the exceptions of the user's own program, texts filled in.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from srcad.ir.nodes import Check, Function, Template


def templates(fn: Function) -> dict[str, int]:
    """The templates of a function and of its callees, with their numbers of places."""
    from srcad.ir.walk import statements

    found: dict[str, int] = {}
    for f in {id(g): g for g in (fn, *fn.callees.values())}.values():
        for s in statements(f.body):
            for part in s.message if isinstance(s, Check) else ():
                if isinstance(part, Template):
                    places = string.Formatter().parse(part)
                    found[str(part)] = sum(name is not None for _, name, _, _ in places)
    return found


def with_messages(run: Callable[..., Any], fn: Function) -> Callable[..., Any]:
    """``run`` with the messages of its exceptions filled in."""
    known = templates(fn)
    return filling(run, known) if known else run


def filling(run: Callable[..., Any], known: dict[str, int]) -> Callable[..., Any]:
    """``run`` with the messages of its exceptions filled in from known templates."""

    def call(*args: Any) -> Any:
        try:
            return run(*args)
        except Exception as error:
            error.args = tuple(filled(iter(error.args), known))
            raise

    return call


def filled(parts: Iterator[Any], known: dict[str, int]) -> Iterator[Any]:
    """The arguments of an exception, each template with its numbers (Python's own kinds)."""
    parts = (x.item() if isinstance(x, (np.int64, np.float64, np.bool_)) else x for x in parts)
    for part in parts:
        places = known.get(part) if isinstance(part, str) else None
        yield part if places is None else part.format(*(next(parts) for _ in range(places)))
