"""Pearlmutter and Siskind's two nested programs: a particle in a potential, and a saddle point.

Source: Siskind & Pearlmutter, "Using programming language theory to make automatic differentiation
sound and efficient" (2008), section 6, as GradBench runs them: the particle's path takes a
gradient at every step and is minimised by descent, the saddle point nests one descent in another.
"""

import math

import numpy as np

import srcad

GRADIENT = {"f": srcad.jacfwd, "r": srcad.grad}


def argmin(f, gradient, start):
    """Gradient descent with a step that doubles after ten successes and halves after a failure."""
    x, fx, gx = start, math.inf, start
    new, eta, i = start, 1e-5, -1
    while True:
        fnew = f(new)
        if fnew < fx:
            x, fx, gx, i = new, fnew, gradient(new), i + 1
            if math.sqrt(np.sum(gx * gx)) <= 1e-5:
                break
        else:
            eta, i = eta / 2.0, 0
        if i == 10:
            eta, i = 2.0 * eta, 0
        new = x - eta * gx
        if math.sqrt(np.sum((new - x) ** 2)) <= 1e-5:
            break
    return x


def particle(outer, inner):
    """The function that finds the charge for which the particle lands at the origin."""

    def landing(w):
        def potential(x):
            first = math.sqrt((x[0] - 10.0) ** 2 + (x[1] - (10.0 - w[0])) ** 2)
            second = math.sqrt((x[0] - 10.0) ** 2 + x[1] ** 2)
            return 1.0 / first + 1.0 / second

        x, v, dt = np.array([0.0, 8.0]), np.array([0.75, 0.0]), 1e-1
        while x[1] + dt * v[1] > 0:
            acceleration = -1.0 * GRADIENT[inner](potential)(x)
            x = x + dt * v
            v = v + dt * acceleration
        end = -x[1] / v[1]
        return (x[0] + end * v[0]) ** 2

    def solve(w):
        return argmin(landing, GRADIENT[outer](landing), w)[0]

    return solve, landing


def height(x, y):
    """A saddle."""
    return x[0] ** 2 + x[1] ** 2 - (y[0] ** 2 + y[1] ** 2)


def saddle(outer, inner):
    """The function that finds the minimum over ``x`` of the maximum over ``y``."""

    def solve(start):
        def worst(x):
            def below(y):
                return -height(x, y)

            return height(x, argmin(below, GRADIENT[inner](below), start))

        x = argmin(worst, GRADIENT[outer](worst), start)

        def lowest(y):
            return -height(x, y)

        return x, argmin(lowest, GRADIENT[inner](lowest), start)

    return solve
