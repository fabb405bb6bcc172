"""Programs whose arrays change places in a loop (``test_rotate``): x, steps, a factor."""

import numpy as np


def heat(x, steps, c):
    """Two states; the ends stay as they were in each."""
    u, v = x.copy(), x * 0.5
    for _ in range(steps):
        for i in range(1, len(x) - 1):
            v[i] = u[i] + c * (u[i - 1] - 2.0 * u[i] + u[i + 1]) * u[i]
        u, v = v, u
    return np.sum(u * u)


def other_one(x, steps, c):
    """The state of the step before is what counts."""
    u, v = x.copy(), np.zeros(len(x))
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(v * v)


def both(x, steps, c):
    """Both are used, and written, afterwards."""
    u, v = x.copy(), np.ones(len(x))
    for k in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * v[i - 1] + c * k
        u, v = v, u
    u[0] = 2.0 * v[1]
    v[2] += u[0] * u[1]
    return np.sum(u * v)


def leapfrog(x, steps, c):
    """Three states in turn."""
    old, now, new = x.copy(), x.copy(), np.zeros(len(x))
    for _ in range(steps):
        for i in range(1, len(x) - 1):
            wave = c * (now[i + 1] - 2.0 * now[i] + now[i - 1])
            new[i] = 2.0 * now[i] - old[i] + wave * now[i]
        old, now, new = now, new, old
    return np.sum(now * now) + old[1]


def two_pairs(x, steps, c):
    """Two species, each with two states, and a number that is carried."""
    u, v, p, q = x.copy(), x * x, x.copy(), np.ones(len(x))
    total = 0.0
    for _ in range(steps):
        for i in range(1, len(x)):
            p[i] = u[i] + c * v[i] * u[i - 1]
            q[i] = v[i] - c * u[i] * v[i - 1]
        u, p = p, u
        v, q = q, v
        total = total * 0.5 + u[1] * v[1]
    return np.sum(u * v) + total


def downwards(x, steps, c):
    """The counter is used, and runs down by two."""
    u, v = x.copy(), np.zeros(len(x))
    for k in range(2 * steps, 0, -2):
        for i in range(len(x)):
            v[i] = np.sin(u[i] * k) + c * v[i]
        tmp = u
        u = v
        v = tmp
    return np.sum(u * u)


def nested(x, steps, c):
    """In the inner of two loops over time; what the inner one leaves is looked at."""
    u, v = x.copy(), x.copy()
    total = 0.0
    for _ in range(3):
        for _ in range(steps):
            for i in range(1, len(x)):
                v[i] = u[i] * (1.0 - c * u[i - 1])
            u, v = v, u
        total += u[1] * v[2]
    return total + np.sum(u)


def in_a_row(x, steps, c):
    """Two such loops, one after the other."""
    u, v = x.copy(), x.copy()
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * (1.0 - c * u[i - 1])
        u, v = v, u
    for _ in range(steps + 1):
        for i in range(len(x) - 1):
            v[i] = u[i] * u[i + 1] + c
        u, v = v, u
    return np.sum(u * v)


def matrices(x, steps, c):
    """Two dimensions."""
    n = len(x) // 2
    u = x[: 2 * n].copy().reshape(2, n)
    a, b = np.zeros((2, n)), np.zeros((2, n))
    a[:] = u
    for _ in range(steps):
        for i in range(2):
            for j in range(1, n):
                b[i, j] = a[i, j] * a[1 - i, j - 1] + c * b[i, j]
        a, b = b, a
    return np.sum(a * a)


def arguments(x, steps, c):
    """Arguments change places, and are not used afterwards: the caller sees where they are."""
    y = x.copy()
    u, v, total = x, y, 0.0
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        total += v[1]
        u, v = v, u
    return total


def known_trips(x, steps, c):
    """Three steps, whatever is asked for."""
    u, v = x.copy(), x.copy()
    for _ in range(3):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(u)


ROTATED = (
    heat,
    other_one,
    both,
    leapfrog,
    two_pairs,
    downwards,
    nested,
    in_a_row,
    matrices,
    arguments,
    known_trips,
)


def sometimes(x, steps, c):
    """They change places where a number says so."""
    u, v = x.copy(), x.copy()
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * (1.0 - c * u[i - 1])
        if v[1] < u[1] * 0.9:
            u, v = v, u
    return np.sum(u * u)


def sizes_differ(x, steps, c):
    """One is longer than the other."""
    u, v = x.copy(), np.ones(len(x) + 1)
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(u * u) * len(u)


def parts(x, steps, c):
    """Rows of one array."""
    rows = np.ones((2, len(x)))
    u, v = rows[0], rows[1]
    u[:] = x
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(u * u) + np.sum(rows[0])


def remembered(x, steps, c):
    """The first one is used under its old name."""
    u, v = x.copy(), np.ones(len(x))
    first = u
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(u * u) + 3.0 * np.sum(first)


def seen_through(x, steps, c):
    """A part of the first one is used."""
    u, v = x.copy(), np.ones(len(x))
    tail = u[1:]
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(u * u) + 3.0 * np.sum(tail)


def stale(x, steps, c):
    """Between two such loops one gets another name, which outlives the second."""
    u, v = x.copy(), np.ones(len(x))
    for _ in range(3):
        for _ in range(steps):
            for i in range(1, len(x)):
                v[i] = u[i] * u[i - 1] + c
            u, v = v, u
        between = v
        for _ in range(steps + 1):
            for i in range(1, len(x)):
                v[i] = 0.5 * u[i] + c * u[i - 1]
            u, v = v, u
        u[0] = between[1]
    return np.sum(u * u)


def mutated(x, steps, c):
    """An argument is one of the two, and is looked at afterwards."""
    u, v = x, np.ones(len(x))
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(u * u)


def until(x, steps, c):
    """The trips are not known beforehand."""
    u, v, k = x.copy(), x.copy(), 0
    while k < steps and u[1] < 5.0:
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
        k += 1
    return np.sum(u * u)


def breaks(x, steps, c):
    """It ends when there is no change any more."""
    u, v = x.copy(), x.copy()
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
        if abs(u[1] - v[1]) < 0.05:
            break
    return np.sum(u * u)


def replaced(x, steps, c):
    """Each step makes an array."""
    u, v = x.copy(), x.copy()
    for _ in range(steps):
        new = u * v + c
        u, v = new, u
    return np.sum(u * v)


def kept(x, steps, c):
    """A list has them as well."""
    u, v = x.copy(), np.ones(len(x))
    pair = [u, v]
    for _ in range(steps):
        for i in range(1, len(x)):
            v[i] = u[i] * u[i - 1] + c
        u, v = v, u
    return np.sum(u * u) + np.sum(pair[steps % 2])


OTHERS = (
    sometimes,
    sizes_differ,
    parts,
    remembered,
    seen_through,
    stale,
    mutated,
    until,
    breaks,
    replaced,
    kept,
)
