"""particle: steer a charged particle so that it lands at the origin (nested derivatives).

Two fixed charges repel a particle; the force is minus the gradient of their potential, its path is
integrated by Euler steps until it falls below the first axis, and the square of where it lands is
minimised over the position of one charge by gradient descent.  So the function whose derivative
the descent takes takes derivatives itself.  Function ``rf`` takes the descent's in reverse and the
force's in forward mode, and so on.  (Siskind and Pearlmutter 2008.)
"""

from __future__ import annotations

import math

import srcad
from benchmarks.gradbench.descent import GRADIENT, argmin
from benchmarks.gradbench.protocol import Function

STEP = 0.1


def solver(outer, inner):
    """The program that finds the position, with the given modes."""

    def landing(w):
        def potential(x, y):
            first = math.sqrt((x - 10.0) ** 2 + (y - (10.0 - w[0])) ** 2)
            second = math.sqrt((x - 10.0) ** 2 + y**2)
            return 1.0 / first + 1.0 / second

        x, y = 0.0, 8.0
        speed_x, speed_y = 0.75, 0.0
        while y + STEP * speed_y > 0.0:
            force_x, force_y = GRADIENT[inner](potential, argnums=(0, 1))(x, y)
            x += STEP * speed_x
            y += STEP * speed_y
            speed_x -= STEP * force_x
            speed_y -= STEP * force_y
        x -= y * speed_x / speed_y
        return x * x

    def solve(start):
        return argmin(landing, GRADIENT[outer](landing), start)[0]

    return srcad.differentiable(solve)


def read(given):
    """Where to start."""
    return ((float(given["w"]),),)


FUNCTIONS = {
    outer + inner: Function(read, solver(outer, inner)) for outer in "fr" for inner in "fr"
}
EXAMPLES = ({"w": 0.0},)
