"""Which states are kept of a loop: the work against the minimum over all schedules."""

import itertools
from functools import cache

import numpy as np

from srcad.transforms.checkpoints.schedule import advances, split


@cache
def least(steps: int, states: int) -> int:
    """Plain steps that reversing takes at least (Griewank and Walther 2000, section 2)."""
    if steps <= 1:
        return 0
    if states == 1:
        return steps * (steps - 1) // 2
    return min(m + least(steps - m, states - 1) + least(m, states) for m in range(1, steps))


def test_schedule_is_optimal():
    """The closed form, and the choice of the next state, attain the minimum."""
    for steps in range(1, 60):
        for states in range(1, 8):
            assert advances(steps, states) == least(steps, states)
            if steps > 1 and states > 1:
                m = split(steps, states)
                work = m + least(steps - m, states - 1) + least(m, states)
                assert work == least(steps, states)


def online(n, states):
    """Steps repeated where the number of steps was not known: even spacing that doubles, then the
    best schedule in each segment with the places that are free."""
    every, places = 1, (states + 1) // 2 if states > 3 else 1
    while len(range(0, n, every)) > places:
        every *= 2
    kept = [*range(0, n, every), n]
    return sum(advances(b - a, states - k) for k, (a, b) in enumerate(itertools.pairwise(kept)))


def test_online_schedule_is_near_the_best():
    """Hardly more than with the best schedule once the number is known, mostly less."""
    ratios = [
        (n + online(n, states)) / (n + max(advances(n, states), 1))
        for n in (*range(1, 100, 7), 1000, 100_000)
        for states in (1, 2, 3, 4, 5, 7, 10, 30, 100)
    ]
    assert max(ratios) < 1.1 and np.mean(ratios) < 0.95
