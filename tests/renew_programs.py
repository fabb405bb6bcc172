"""Programs whose steps overwrite a state from a copy of it, or swap two: x, a number of steps.

``ANEW``: the state can be made anew in each step.  ``STAY``: it cannot, or must not.
"""

import numpy as np
from numba import prange


def interior(x, steps):
    u, old, n = x.copy(), np.empty(len(x)), len(x)
    for _ in range(steps):
        for i in range(n):
            old[i] = u[i]
        for i in range(1, n - 1):
            u[i] = old[i] - 0.1 * old[i] * (old[i] - old[i - 1]) + 0.2 * old[i + 1]
    return np.sum(u * u)


def added_to(x, steps):
    """What an element was before is read in the step, and before it."""
    u = x.copy()
    first = 0.0
    for k in range(steps):
        old = u.copy()
        if len(u) > 2:
            first += u[2] * k
        for i in range(2, len(u)):
            u[i] += 0.1 * old[i - 1] * old[i - 2] * u[i]
        first += np.sum(u)
    return first * np.sum(u)


def slices(x, steps):
    u = x.copy()
    for _ in range(steps):
        old = u.copy()
        u[1:-1] = old[1:-1] * old[2:] + 0.3 * old[:-2]
    return np.sum(u**3)


def plane(x, steps):
    """A grid whose edge stays, made of the vector."""
    n = len(x)
    u, old = np.empty((n, 4)), np.empty((n, 4))
    for i in range(n):
        for j in range(4):
            u[i, j] = x[i] * (j + 1.0)
    for _ in range(steps):
        old[:, :] = u
        for i in range(1, n - 1):
            for j in range(1, 3):
                u[i, j] = old[i, j] + 0.1 * old[i - 1, j] * old[i, j + 1] - 0.2 * old[i + 1, j - 1]
    return np.sum(u * u)


def columns(x, steps):
    """Only the last column stays; columns outside rows."""
    n = len(x)
    u = np.outer(x, np.ones(3))
    for _ in range(steps):
        old = u.copy()
        for j in range(2):
            for i in range(n):
                u[i, j] = old[i, j + 1] * old[n - 1 - i, j]
    return np.sum(u * u) + u[0, 0] if n else 0.0


def two_states(x, steps):
    """Each step of a state needs both."""
    a, b, n = x.copy(), x * 0.5, len(x)
    for _ in range(steps):
        a_old, b_old = a.copy(), b.copy()
        for i in range(1, n - 1):
            a[i] = a_old[i] + 0.1 * (a_old[i - 1] - a_old[i] * b_old[i] * b_old[i])
        for i in range(1, n - 1):
            b[i] = b_old[i] + 0.1 * (b_old[i + 1] + a_old[i] * b_old[i] * b_old[i])
    return np.sum(a * b)


def to_the_end(x, steps):
    """A while loop, with the change of the state."""
    u, old, k, change = x.copy(), x.copy(), 0, 1.0
    while k < steps and change > 1e-9:
        old[:] = u
        change = 0.0
        for i in range(len(u)):
            u[i] = 0.5 * np.cos(old[i]) + 0.1 * old[0]
            change += abs(u[i] - old[i])
        k += 1
    return np.sum(u * u)


def leaving(x, steps):
    """A loop that is left early, whose state is the result."""
    u = x.copy()
    for _ in range(steps):
        old = u.copy()
        for i in range(1, len(u)):
            u[i] = old[i] * old[i - 1]
        if len(u) > 1 and u[1] < 0.2:
            break
    return u


def inner(x, steps):
    """The state is made in an outer loop, anew for each of its rounds."""
    total = 0.0
    for k in range(2):
        u = x * (k + 1.0)
        for _ in range(steps):
            old = u.copy()
            for i in range(1, len(u)):
                u[i] = old[i - 1] * old[i]
        total += np.sum(u) * (k + 1.0)
    return total


def swapped(x, steps):
    u, new = x.copy(), np.empty(len(x))
    for _ in range(steps):
        for i in range(len(x)):
            new[i] = u[i] * u[len(x) - 1 - i] + 0.1
        u, new = new, u
    return np.sum(u * u)


def three_in_turn(x, steps):
    """Two states and a new one."""
    old, now, new = x.copy(), x * 0.9, np.zeros(len(x))
    for _ in range(steps):
        for i in range(len(x)):
            new[i] = 2.0 * now[i] - old[i] + 0.1 * now[i] * now[0]
        old, now, new = now, new, old
    return np.sum(now * old)


# not to be made anew
def gauss_seidel(x, steps):
    """Neighbours that were overwritten are read."""
    u = x.copy()
    for _ in range(steps):
        old = u.copy()
        for i in range(1, len(u)):
            u[i] = old[i] * u[i - 1]
    return np.sum(u)


def sometimes(x, steps):
    """What a step writes depends on values."""
    u = x.copy()
    for _ in range(steps):
        old = u.copy()
        for i in range(len(u)):
            if old[i] > 0.5:
                u[i] = old[i] * old[0]
    return np.sum(u)


def kept_copy(x, steps):
    """The copy is looked at after the loop."""
    u, old = x.copy(), np.zeros(len(x))
    for _ in range(steps):
        old[:] = u
        for i in range(len(u)):
            u[i] = old[i] * old[0]
    return np.sum(u * old)


def twice(x, steps):
    """Written by two nests."""
    u = x.copy()
    for _ in range(steps):
        old = u.copy()
        for i in range(len(u)):
            u[i] = old[i] * old[0]
        for i in range(1, len(u)):
            u[i] = u[i] + old[i - 1]
    return np.sum(u)


def triangle(x, steps):
    """A range of an axis depends on another."""
    n = len(x)
    u = np.outer(x, x)
    for _ in range(steps):
        old = u.copy()
        for i in range(n):
            for j in range(i):
                u[i, j] = old[j, i] * old[i, j]
    return np.sum(u)


def late_copy(x, steps):
    """The copy is read before it is made."""
    u, old = x.copy(), np.ones(len(x))
    for _ in range(steps):
        for i in range(len(u)):
            u[i] = old[i] * u[i]
        for i in range(len(u)):
            old[i] = u[i]
    return np.sum(u)


def last_but_one(x, steps):
    """The array that is left over is looked at."""
    u, new = x.copy(), np.ones(len(x))
    for _ in range(steps):
        for i in range(len(x)):
            new[i] = u[i] * u[0]
        u, new = new, u
    return np.sum(u * new)


def by_another_name(x, steps):
    """The first state is known by another name, and overwritten."""
    u, new = x.copy(), np.ones(len(x))
    first = u
    for _ in range(steps):
        for i in range(len(x)):
            new[i] = u[i] * u[0]
        u, new = new, u
    return np.sum(u * first)


def ends_of_old(x, steps):
    """The ends of a new state are those of the state before the last."""
    u, new = x.copy(), x * 2.0
    for _ in range(steps):
        for i in range(1, len(x) - 1):
            new[i] = u[i] * u[i - 1]
        u, new = new, u
    return np.sum(u * u)


def in_two_places(x, steps):
    """The array that is filled next has another name, too."""
    u, new, w = x.copy(), np.zeros(len(x)), x * 2.0
    for _ in range(steps):
        for i in range(len(x)):
            new[i] = u[i] * u[0] + 0.1 * w[i]
        u, new, w = new, u, u
    return np.sum(u * w)


def looked_at(x, steps):
    """A view of the array that is filled next goes on."""
    u, new = x.copy(), np.zeros(len(x))
    tail = u[1:]
    for _ in range(steps):
        for i in range(len(x)):
            new[i] = u[i] * u[0]
        tail = u[1:]
        u, new = new, u
    return np.sum(u) + np.sum(tail)


def in_threads(x, steps):
    """A parallel loop does not carry arrays."""
    u, old = x.copy(), x.copy()
    for k in prange(steps):
        for i in range(len(u)):
            old[i] = u[i]
        for i in range(len(u)):
            u[i] = old[i] * (k + 1.0)
    return np.sum(u)


ANEW = (
    interior,
    added_to,
    slices,
    plane,
    columns,
    two_states,
    to_the_end,
    leaving,
    inner,
    swapped,
    three_in_turn,
)
STAY = (
    gauss_seidel,
    sometimes,
    kept_copy,
    twice,
    triangle,
    late_copy,
    last_but_one,
    by_another_name,
    ends_of_old,
    in_two_places,
    looked_at,
    in_threads,
)
