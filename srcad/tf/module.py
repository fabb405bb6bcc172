"""``Module``: an object whose attributes hold variables and other modules.

Variables are found by walking attributes in the order of their names, as TensorFlow does;
lists, tuples and dictionaries are looked into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from srcad.tape.variable import Variable


def snake_case(name: str) -> str:
    """``MyModel`` as ``my_model``."""
    found = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", found).lower()


class Module:
    """The base class of things that own variables."""

    def __init__(self, name: str | None = None) -> None:
        self._name = name or snake_case(type(self).__name__)

    @property
    def name(self) -> str:
        """The module's name."""
        return getattr(self, "_name", snake_case(type(self).__name__))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables."""
        return tuple(_found(self, lambda x: isinstance(x, Variable)))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that tapes watch."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The other variables."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """All modules inside."""
        return tuple(_found(self, lambda x: isinstance(x, Module) and x is not self))

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method itself: names have no scopes here."""
        return method


def _found(root: Any, wanted: Callable[[Any], bool]) -> Iterator[Any]:
    """What fits, each object once."""
    seen: set[int] = set()
    for x in _walk(root, seen):
        if wanted(x):
            yield x


def _walk(x: Any, seen: set[int]) -> Iterator[Any]:
    if id(x) in seen:
        return
    if isinstance(x, Variable):
        seen.add(id(x))
        yield x
    elif isinstance(x, Module):
        seen.add(id(x))
        yield x
        for name in sorted(vars(x)):
            yield from _walk(vars(x)[name], seen)
    elif isinstance(x, list | tuple):
        for part in x:
            yield from _walk(part, seen)
    elif isinstance(x, Mapping):
        for key in sorted(x, key=str):
            yield from _walk(x[key], seen)
