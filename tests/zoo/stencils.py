"""Stencils over an old state that the next step overwrites: whole rows are kept."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def upwind(u, c, steps):
    old = np.empty(len(u))
    for _ in range(steps):
        for i in range(len(u)):
            old[i] = u[i]
        for i in range(1, len(u) - 1):
            u[i] = old[i] - c * old[i] * (old[i] - old[i - 1]) + 0.1 * old[i + 1] ** 2
    return np.sum(u * u)


add(upwind, lambda: (vec(6), 0.3, 3), (0, 1), "stencil loops overwrite", jit=True)


def upwind_backwards(u, c, steps):
    n = len(u)
    old = np.zeros(n)
    for k in range(steps):
        old[:] = u
        for i in range(n - 2, 0, -1):
            u[i] += c * old[i] * (old[i + 1] - old[i - 1])
        old[k] = u[k + 1]
    return np.sum(u * u) + np.sum(old)


add(upwind_backwards, lambda: (vec(6), 0.3, 3), (0, 1), "stencil loops overwrite")


def heat_nonlinear(t, k, steps):
    """Two axes, an array of each kind of size."""
    m, n = t.shape
    new = t.copy()
    for _ in range(steps):
        for i in range(1, m - 1):
            for j in range(1, n - 1):
                flux = t[i + 1, j] * t[i, j] + t[i, j + 1] * t[i, j - 1] - t[i - 1, j] ** 2
                new[i, j] = t[i, j] + k * flux
        for i in range(m):
            for j in range(n):
                t[i, j] = new[i, j]
    return np.sum(t * t)


add(heat_nonlinear, lambda: (mat(4, 5), 0.2, 3), (0, 1), "stencil loops overwrite 2-D", jit=True)


def leapfrog(u, c, steps):
    """The names of two states are exchanged: which one is read changes."""
    v = u * 0.5
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            v[i] += c * u[i] * (u[i + 1] * u[i - 1] - u[i])
        u, v = v, u
    return np.sum(u * v)


add(leapfrog, lambda: (vec(6), 0.3, 4), (0, 1), "stencil loops overwrite swap")


def written_through_a_view(u, c, steps):
    """The loop does write to what it reads, by another name."""
    n = len(u)
    w = u[1:]
    for _ in range(steps):
        for i in range(1, n - 1):
            w[i - 1] = u[i] + c * u[i] * u[i - 1] * u[i + 1]
    return np.sum(u * u)


add(written_through_a_view, lambda: (vec(6), 0.3, 3), (0, 1), "stencil loops alias")


def smooth_in_a_helper(old, new, c):
    for i in range(1, len(old) - 1):
        new[i] = old[i] * (1.0 + c * old[i - 1] * old[i + 1])


def rows_of_a_matrix(m, c, steps):
    """The copied arrays are rows; a branch decides which way it goes."""
    for s in range(steps):
        for k in range(len(m) - 1):
            if m[k, 0] > 0.0:
                smooth_in_a_helper(m[k], m[k + 1], c)
            else:
                smooth_in_a_helper(m[k + 1], m[k], c * s)
    return np.sum(m * m)


add(rows_of_a_matrix, lambda: (mat(3, 5), 0.3, 3), (0, 1), "stencil helper alias branch")


def two_states(a, b, steps):
    """Two arrays are read and exchanged values of; one loop is shorter than its array."""
    x, y = np.zeros(len(a)), np.zeros(len(a))
    for _ in range(steps):
        for i in range(len(a)):
            x[i] = a[i]
            y[i] = b[i]
        for i in range(1, len(a) - 1):
            a[i] = x[i] * x[i - 1] + 0.1 * y[i]
            b[i] = y[i] * y[i + 1] * y[i - 1] - 0.1 * x[i]
        for i in range(2):
            a[i] += b[i] * x[i] * x[i + 1] * y[i]
    return np.sum(a * b)


add(two_states, lambda: (vec(6), 0.5 * vec(6), 3), (0, 1), "stencil loops overwrite")


def products_in_a_descending_loop(m, x):
    """Every iteration reads the whole matrix, of which it overwrites a row."""
    s = 0.0
    for k in range(len(m) - 1, -1, -1):
        p = m @ m
        m[k, k] = x * p[0, k]
        m[k, 0] *= p[k, 1]
    for k in range(len(m) - 1, -1, -1):
        m[k, 1] = m[0, 0] * x
    for k in range(1, -2, -1):
        m[k, 1] += m[1, 1] * x
        s += m[k, 0]
    return s + np.sum(m)


add(products_in_a_descending_loop, lambda: (0.5 * mat(3, 3), 0.7), (0, 1), "linalg loops overwrite")


def carried_from_further(u, c):
    v = u.copy()
    n = len(v)
    right = v[n - 2]  # not the element that the loop starts at
    for i in range(n - 1, 0, -1):
        v[i] += c * right * v[i]
        right = v[i - 1]
    return np.sum(v * v)


add(carried_from_further, lambda: (vec(6), 0.3), (0, 1), "inplace stencil")
