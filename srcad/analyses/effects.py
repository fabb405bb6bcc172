"""The vocabulary of summaries: effects of a function on its parameters, origin of its results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where the storage of a result comes from.

    ``exact``: it is the very reference that parameter ``params[0]`` got (not a part of it).
    """

    fresh: bool = False
    params: frozenset[int] = frozenset()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """Effects of a function on its parameters, and the storage of its results."""

    reads: tuple[bool, ...]
    writes: tuple[bool, ...]
    results: tuple[Source, ...]
    effects: bool = False
