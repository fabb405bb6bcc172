"""Choosers: where the grammar's decisions come from.

The grammar asks a chooser and never a random number generator, so the same grammar is driven by a
seeded `random.Random` (long runs, fast) and by Hypothesis (which records every decision and can
shrink it).  Convention for good shrinking: the smallest integer, `False` and the first element of
a sequence are the simplest choice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Chooser(Protocol):
    """What the grammar needs: bounded integers, and `span` around parts that may be dropped."""

    def integer(self, low: int, high: int) -> int:
        """An integer in the closed range; `low` is the simplest."""

    def span(self, part: Callable[[], T]) -> T:
        """Run `part`, marking its choices as one unit that shrinking may delete."""


class Decisions:
    """The derived decisions, all made of `integer`."""

    def __init__(self, source: Chooser):
        self.integer = source.integer
        self.span = source.span

    def chance(self, percent: int) -> bool:
        """True in `percent` of a hundred cases."""
        return self.integer(0, 99) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)] if len(options) > 1 else options[0]

    def weighted(self, table: Sequence[tuple[int, T]]) -> T:
        """One of the options of a table of (weight, option)."""
        position = self.integer(0, sum(weight for weight, _ in table) - 1)
        for weight, option in table:
            position -= weight
            if position < 0:
                return option
        raise AssertionError("empty table")


class RandomChooser:
    """Decisions from a seeded generator."""

    def __init__(self, seed: int):
        self._random = random.Random(seed).random

    def integer(self, low: int, high: int) -> int:
        """Uniform."""
        return low + int(self._random() * (high - low + 1))

    def span(self, part: Callable[[], T]) -> T:
        """Nothing to mark."""
        return part()


class DrawChooser:
    """Decisions drawn from Hypothesis inside a composite strategy."""

    def __init__(self, draw: Callable[[Any], Any]):
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        """Drawn, so recorded and shrunk."""
        return self._draw(_integers(low, high))

    def span(self, part: Callable[[], T]) -> T:
        """Draw the part as one strategy: its choices are then one span for the shrinker."""
        outer = self._draw
        try:
            return outer(_span()(self, part))
        finally:
            self._draw = outer

    def _enter(self, draw: Callable[[Any], Any], part: Callable[[], T]) -> T:
        self._draw = draw
        return part()


@cache
def _integers(low: int, high: int) -> Any:
    from hypothesis import strategies

    return strategies.integers(low, high)


@cache
def _span() -> Any:
    from hypothesis import strategies

    @strategies.composite
    def span(draw: Any, chooser: DrawChooser, part: Callable[[], Any]) -> Any:
        return chooser._enter(draw, part)

    return span
