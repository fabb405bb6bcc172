"""Programs whose steps make a new state (``u = new``): x, a number of steps, a factor."""

import numpy as np


def renewed(x, steps, c):
    """The ends stay; the argument is the first state."""
    u, n = x, len(x)
    for _ in range(steps):
        new = np.empty(n)
        new[0] = u[0]
        new[n - 1] = u[n - 1]
        for i in range(1, n - 1):
            new[i] = u[i] - c * u[i] * (u[i] - u[i - 1]) + c * u[i + 1]
        u = new
    return np.sum(u * u)


def copied(x, steps, c):
    """A copy of the state, of which a part is overwritten."""
    u = x.copy()
    for _ in range(steps):
        new = u.copy()
        for i in range(1, len(x) - 1):
            new[i] = u[i] * u[i - 1] + c * (u[i + 1] - u[i])
        u = new
    return np.sum(u * u)


def linear(x, steps, c):
    """Nothing of it is recorded."""
    u, n = x.copy(), len(x)
    for _ in range(steps):
        new = np.zeros(n)
        for i in range(1, n - 1):
            new[i] = u[i] + c * (u[i + 1] - 2.0 * u[i] + u[i - 1])
        u = new
    return np.sum(u) + u[1]


def sums(x, steps, c):
    """The new state starts from zero, and is added to."""
    u, n = x.copy(), len(x)
    for k in range(steps):
        new = np.zeros(n)
        for i in range(1, n):
            new[i] += c * u[i] * u[i - 1]
            new[i - 1] += u[i] * k
        u = new
    return np.sum(u * u)


def three_levels(x, steps, c):
    """The state before the last one counts as well."""
    old, now, n = x.copy(), x * 0.5, len(x)
    for _ in range(steps):
        new = np.zeros(n)
        for i in range(1, n - 1):
            new[i] = 2.0 * now[i] - old[i] + c * now[i] * (now[i + 1] + now[i - 1])
        old, now = now, new
    return np.sum(now * now) + np.sum(old)


def both(x, steps, c):
    """Two states are made anew."""
    u, v, n = x.copy(), x * c, len(x)
    for _ in range(steps):
        a, b = np.empty(n), np.empty(n)
        for i in range(n):
            a[i] = u[i] * v[0] + c
        for i in range(n):
            b[i] = v[i] * u[n - 1 - i] + 0.1 * a[i]
        u, v = a, b
    return np.sum(u * v)


def shrinking(x, steps, c):
    """Each state is shorter than the one before."""
    u = x.copy()
    for _ in range(min(steps, 3)):
        new = np.empty(len(u) - 1)
        for i in range(len(u) - 1):
            new[i] = u[i] * u[i + 1] + c
        u = new
    return np.sum(u * u)


def first_one(x, steps, c):
    """The first state is used afterwards."""
    first = x * 2.0
    u, n = first, len(x)
    for _ in range(steps):
        new = np.empty(n)
        for i in range(n):
            new[i] = u[i] * u[0] + c
        u = new
    return np.sum(u * first)


def looked_back(x, steps, c):
    """A part of the state before outlives its step."""
    u, n = x.copy(), len(x)
    tail = u[1:]
    for _ in range(steps):
        new = np.empty(n)
        for i in range(n):
            new[i] = u[i] * tail[0] + c
        tail = u[1:]
        u = new
    return np.sum(u * u) + np.sum(tail)


def in_part(x, steps, c):
    """Only every other step makes a new state."""
    u, n = x.copy(), len(x)
    for k in range(steps):
        if k % 2 == 0:
            new = np.empty(n)
            for i in range(n):
                new[i] = u[i] * u[0] + c
            u = new
        else:
            for i in range(n):
                u[i] = u[i] * u[i]
    return np.sum(u)


def until(x, steps, c):
    """The number of steps is not known beforehand."""
    u, n, k = x.copy(), len(x), 0
    while k < steps and u[1] < 5.0:
        new = np.empty(n)
        for i in range(n):
            new[i] = u[i] * u[0] + c
        u = new
        k += 1
    return np.sum(u)


def written_again(x, steps, c):
    """The new state is changed in the next step before it is replaced."""
    u, n = x.copy(), len(x)
    for _ in range(steps):
        u[0] = c * u[1]
        new = np.empty(n)
        for i in range(1, n):
            new[i] = u[i] * u[i - 1] + c
            u[i] = u[i] * 0.5
        new[0] = u[n - 1]
        u = new
    return np.sum(u * u)


def nested(x, steps, c):
    """In two loops over time."""
    u, n = x.copy(), len(x)
    total = 0.0
    for _ in range(2):
        for _ in range(steps):
            new = np.empty(n)
            for i in range(n):
                new[i] = u[i] * u[n - 1 - i] + c
            u = new
        total += u[0]
    return np.sum(u) * total


RENEWING = (
    renewed,
    copied,
    linear,
    sums,
    both,
    three_levels,
    shrinking,
    first_one,
    looked_back,
    in_part,
    until,
    written_again,
    nested,
)
