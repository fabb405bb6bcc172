"""Ways to draw random numbers that cover the domain of a function, its ends among them."""

from __future__ import annotations

import random
from collections.abc import Callable


def between(low: float, high: float) -> Callable[[random.Random], float]:
    """Random numbers, the ends among them."""
    return lambda r: float(r.choice((low, high))) if r.random() < 0.02 else r.uniform(low, high)


def sizes(low: float, high: float, sign: bool = True) -> Callable[[random.Random], float]:
    """Random numbers of random size, of either sign."""

    def draw(r: random.Random) -> float:
        return (r.choice((-1, 1)) if sign else 1) * 10.0 ** between(low, high)(r)

    return draw


def near(point: float, low: float, high: float, side: int = 0) -> Callable[[random.Random], float]:
    """Numbers next to a point: on one side or on both."""

    def draw(r: random.Random) -> float:
        return point + (side or r.choice((-1, 1))) * 10 ** r.uniform(low, high)

    return draw


def mixed(*draws: Callable[[random.Random], float]) -> Callable[[random.Random], float]:
    """Any of several."""
    return lambda r: r.choice(draws)(r)
