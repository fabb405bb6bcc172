"""Gradient descent for the two evals with nested derivatives, step by step as GradBench's is.

Points are tuples of numbers, whose loops unroll, so that nothing is allocated.
"""

from __future__ import annotations

import math

import srcad

GRADIENT = {"f": srcad.jacfwd, "r": srcad.grad}  # forward and reverse mode


def distance(x, y):
    """Euclidean distance of two points, which are tuples."""
    total = 0.0
    for a, b in zip(x, y, strict=True):
        total += (a - b) * (a - b)
    return math.sqrt(total)


def moved(x, slope, length):
    """x - length * slope."""
    new = ()
    for a, b in zip(x, slope, strict=True):
        new += (a - length * b,)
    return new


def argmin(f, gradient, start):
    """Where ``f`` is least, from the tuple ``start`` on.

    A step that lowers ``f`` is taken; after ten of them steps become twice as long, after one that
    does not, half as long.
    """
    x = start
    new = start
    still = moved(start, start, 1.0)
    slope = still
    value = math.inf
    length = 1e-5
    taken = -1
    while True:
        there = f(new)
        if there < value:
            x = new
            value = there
            slope = gradient(x)
            taken += 1
            if distance(slope, still) <= 1e-5:
                break
        else:
            length *= 0.5
            taken = 0
        if taken == 10:
            length *= 2.0
            taken = 0
        new = moved(x, slope, length)
        if distance(new, x) <= 1e-5:
            break
    return x
