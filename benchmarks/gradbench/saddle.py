"""saddle: the minimum over x of the maximum over y, each by gradient descent (nested derivatives).

The function that the outer descent differentiates is a descent itself, with derivatives of its
own.  Function ``rf`` takes the outer derivatives in reverse and the inner ones in forward mode, and
so on.  (Siskind and Pearlmutter 2008.)
"""

from __future__ import annotations

import srcad
from benchmarks.gradbench.descent import GRADIENT, argmin
from benchmarks.gradbench.protocol import Function


def height(x, y):
    """A saddle."""
    return x[0] * x[0] + x[1] * x[1] - (y[0] * y[0] + y[1] * y[1])


def solver(outer, inner):
    """The program that finds both points, with the given modes."""

    def highest(x, start):
        def depth(y):
            return -height(x, y)

        return argmin(depth, GRADIENT[inner](depth), start)

    def solve(start):
        def worst(x):
            return height(x, highest(x, start))

        x = argmin(worst, GRADIENT[outer](worst), start)
        return x, highest(x, start)

    return srcad.differentiable(solve)


def read(given):
    """Where all descents start."""
    x, y = given["start"]
    return ((float(x), float(y)),)


def write(result):
    """Both points as one list."""
    x, y = result
    return [*x, *y]


FUNCTIONS = {
    outer + inner: Function(read, solver(outer, inner), write) for outer in "fr" for inner in "fr"
}
EXAMPLES = ({"start": [1.0, 1.0]},)
