"""What an error case is, and the list they are all entered in.

A case is a call that must fail: with which class, and with which whole message (the golden files
of ``tests/golden/errors``).  ``refused`` enters a function whose gradient srcad refuses;
``failing`` enters any call, written as a function without arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import srcad


@dataclass(frozen=True)
class Case:
    """One call that fails."""

    name: str
    group: str  # the file it stands in, and its golden file
    error: type[BaseException]
    call: Callable[[], Any]
    located: bool = True  # its message names a line of the user

    def __str__(self) -> str:
        return f"{self.group}.{self.name}"


CASES: list[Case] = []


def enter(
    fn: Callable[..., Any],
    error: type[BaseException],
    call: Callable[[], Any],
    located: bool = True,
) -> None:
    """Add a case under the name of a function."""
    group = fn.__module__.rsplit(".", 1)[-1]
    if any(c.name == fn.__name__ and c.group == group for c in CASES):
        raise ValueError(f"two cases are called {group}.{fn.__name__}")
    CASES.append(Case(fn.__name__, group, error, call, located))


def refused(error: type[BaseException], *args: Any, **options: Any) -> Callable[..., Any]:
    """Decorator: the gradient of the function at these arguments fails (arrays: a callable)."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        def call() -> Any:
            made = [a() if callable(a) else a for a in args]
            return srcad.grad(fn, backend="reference", **options)(*made)

        enter(fn, error, call)
        return fn

    return add


def failing(error: type[BaseException], located: bool = True) -> Callable[..., Any]:
    """Decorator: calling the function fails."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        enter(fn, error, fn, located)
        return fn

    return add
