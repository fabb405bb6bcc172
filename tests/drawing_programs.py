"""Programs that draw random numbers without seeding; the argument is a vector of three."""

from __future__ import annotations

import numpy as np


def loop(x):
    total = 0.0
    for i in range(4):
        total += np.random.normal(x[0], x[1]) * x[2] * i
    return total


def branch(x):
    total = 0.0
    for _ in range(6):
        if np.random.random() < 0.5:
            z = np.random.exponential(x[1])
            total += z * z
        elif np.random.random() < x[0]:
            total -= np.random.gumbel(x[2], 0.3) ** 2
    return total + np.random.uniform(x[0], x[1]) ** 3


def rejection(x):
    """A while loop whose number of trips is random."""
    total = 0.0
    for k in range(3):
        z = np.random.standard_normal()
        while abs(z) > 0.6:
            total += np.sin(x[k] * z)
            z = np.random.standard_normal()
        total += z * x[0] * x[1]
    return total


def step(state, noise, k):
    state[k % 2] = state[k % 2] * noise + np.random.laplace(state[1 - k % 2], 0.2)


def overwritten(x):
    state = x[:2] * 1.0
    for k in range(5):
        step(state, np.random.lognormal(0.0, x[2] * 0.3), k)
    return state[0] * state[1]


def whole_arrays(x):
    z = np.random.normal(x, 0.5, (4, 3))
    w = np.random.rand(3)
    np.random.shuffle(z)
    return ((z * z) @ (w * x)).sum() + np.random.choice(x) * np.random.randint(1, 9)


def unused(x):
    np.random.random()
    np.random.standard_normal(3)
    y = x[0] * x[1]
    for _ in range(3):
        np.random.random()
    return y * np.random.random() + np.random.standard_normal() * x[2] ** 2


def early(x):
    for i in range(50):
        u = np.random.random()
        if u < 0.1:
            return np.exp(x[0] * u) * x[1] * i
        x = x * (0.9 + 0.2 * u)
    return x[0] * x[2]


def walk(x, n):
    if n == 0:
        return x * np.random.random()
    z = np.random.normal(0.0, 1.0)
    y = walk(x * (1.0 + 0.1 * z), n - 1)
    return np.sin(y) * z if np.random.randint(0, 3) else y * x


def recursive(x):
    total = 0.0
    for k in range(3):
        total += walk(x[k], 3) * x[0]
    return total


PROGRAMS = [loop, branch, rejection, overwritten, whole_arrays, unused, early, recursive]
X = np.array([0.4, 0.7, 1.1])


def seeded(f, seed=5):
    """The plain function at a fixed sample."""

    def g(x):
        np.random.seed(seed)
        return f(x)

    return g
