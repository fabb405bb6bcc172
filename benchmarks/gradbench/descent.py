"""Gradient descent for the two evals with nested derivatives, step by step as GradBench's is."""

from __future__ import annotations

import math

import numpy as np

import srcad

GRADIENT = {"f": srcad.jacfwd, "r": srcad.grad}  # forward and reverse mode


def distance(x, y):
    """Euclidean distance."""
    total = 0.0
    for i in range(len(x)):
        total += (x[i] - y[i]) * (x[i] - y[i])
    return math.sqrt(total)


def argmin(f, gradient, start):
    """Where ``f`` is least, from ``start`` on.

    A step that lowers ``f`` is taken; after ten of them steps become twice as long, after one that
    does not, half as long.
    """
    x = start
    new = start
    value = math.inf
    slope = np.zeros(len(start))
    still = np.zeros(len(start))
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
        new = x - length * slope
        if distance(new, x) <= 1e-5:
            break
    return x
