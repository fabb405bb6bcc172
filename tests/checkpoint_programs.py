# ruff: noqa: B007
"""Loops of every kind that ``srcad.checkpointed`` has to take: the programs without the mark.

``tests.marking`` puts the mark on; the oracle differentiates them as they stand.
"""

import numpy as np

from tests.zoo.registry import mat, vec

PROGRAMS = []  # function, arguments, what to differentiate with respect to


def add(args, wrt=(0,)):
    """Enter the function below."""

    def enter(fn):
        PROGRAMS.append((fn, args, wrt))
        return fn

    return enter


@add(lambda: (0.3, 6))
def scalars(x, n):
    s = 0.0
    for t in range(n):
        x = np.sin(x) * 1.1
        s += x * x * t
    return s + x


@add(lambda: (vec(5), 6))
def in_place(u, n):
    for t in range(n):
        for i in range(1, len(u) - 1):
            u[i] = u[i] + 0.1 * (u[i - 1] - u[i]) * u[i]
    return np.sum(u * u)


@add(lambda: (vec(4), 6))
def rebound(u, n):
    v = np.zeros(len(u))
    s = 0.0
    for t in range(n):
        new = u + 0.1 * v
        v = v - 0.1 * np.sin(u)
        u = new
        s += u[0] * v[1]
    return np.sum(u * v) + s


@add(lambda: (vec(4), 6))
def rebound_and_written(u0, n):
    u = u0.copy()
    for t in range(n):
        u[0] = 0.5 * u[1]
        u = u + 0.1 * np.sin(u)
        u[1] += u[0] * u[2]
    u[2] = 3.0
    return np.sum(u * u)


@add(lambda: (vec(5), 7))
def ping_pong(u0, n):
    u = u0.copy()
    new = np.zeros(len(u0))
    for t in range(n):
        for i in range(1, len(u) - 1):
            new[i] = u[i] + 0.1 * (u[i - 1] - u[i + 1]) * u[i]
        if t % 3 != 1:
            u, new = new, u
    for t in range(n):
        u += 0.1 * np.sin(new)
        new, u = u, new
    return np.sum(u * u) + np.sum(new)


@add(lambda: (vec(4), 6))
def trajectory(u0, n):
    ys = np.zeros((n + 1, len(u0)))
    u = u0.copy()
    ys[0] = u
    for t in range(n):
        u[:] = u + 0.1 * np.sin(u) * u[::-1]
        ys[t + 1] = u
    return np.sum(ys * ys)


@add(lambda: (vec(4), 6))
def history(u0, n):
    ys = np.zeros((n + 1, len(u0)))
    ys[0] = u0
    for t in range(n):
        ys[t + 1] = ys[t] + 0.1 * np.sin(ys[t])
    return np.sum(ys * ys)


@add(lambda: (vec(4), 6))
def parts(u0, n):
    state = np.zeros((2, len(u0)))
    state[0] = u0
    a, b = state[0], state[1]
    for t in range(n):
        b += 0.1 * np.sin(a)
        a -= 0.1 * b
    return np.sum(a * b) + np.sum(state)


@add(lambda: (vec(9), 3, 2))
def strides(u, start, step):
    s = 0.0
    for t in range(start, len(u), step):
        s += u[t] * u[t - 1]
        u[0] *= s
    for t in range(len(u) - 1, start, -step):
        s = s * 0.9 + u[t] * u[t - step]
    return s + u[0]


@add(lambda: (vec(4), 6))
def only_the_sum(u, n):
    v = 0.5 * u
    s = 0.0
    for t in range(n):
        s += u[0] * v[1]
        u = u + 0.1 * np.sin(v)
        v = v * 0.9 + 0.1 * u[t % 4]
    return s


@add(lambda: (3.0, 0.1))
def while_loop(x, tol):
    s = 0.0
    i = 0
    while x > tol:
        x = x * 0.8 + 0.01 * np.sin(x)
        s += x * x * i
        i += 1
    return s + x


@add(lambda: (3.0 * vec(4), 0.5))
def while_arrays(u, tol):
    i = 0
    while np.sum(u * u) > tol:
        u = u * 0.8 + 0.01 * np.sin(u[::-1])
        i += 1
    return np.sum(u) * i


@add(lambda: (1.0, 5))
def never_entered(x, n):
    while x > 2.0:
        x = x * 0.5
    for t in range(5, n):
        x = np.sin(x)
    for t in range(n, 2, -2):
        x = x * np.cos(x)
    return x


@add(lambda: (3.0, 40))
def left_early(x, n):
    s = 0.0
    for t in range(n):
        x = x * 0.8 + 0.01 * np.sin(x)
        if x < 0.2:
            break
        s += x * x
    for t in range(n):
        x = x * 0.9 + 0.1 * s
        if t == 5:
            return x * s
        if t % 2 == 0:
            continue
        s = np.sin(s)
    return s + x


@add(lambda: (vec(4), 30))
def ping_pong_left_early(u0, n):
    u = u0.copy()
    new = np.zeros(len(u0))
    for t in range(n):
        new[:] = u * 0.7 + 0.1 * np.sin(u[::-1])
        if np.sum(new * new) < 0.1:
            break
        u, new = new, u
    return np.sum(u * u) + np.sum(new)


@add(lambda: (vec(3), 4))
def nested(u, n):
    s = 0.0
    for t in range(n):
        j = 0
        for j in range(t + 2):
            u[:] = u + 0.1 * np.sin(u * u[::-1])
            s += u[0]
        while s > j:
            s = s * 0.5
            j += 1
        u[0] *= 0.9
    return np.sum(u * u) + s


@add(lambda: (vec(3), 3))
def nested_and_rebound(u, n):
    s = 0.0
    for t in range(n):
        w = u
        for j in range(t + 1):
            u = np.sin(u) * u[::-1]
        while np.sum(u * u) > 0.1:
            u = 0.7 * u
        u = u + w
        s += u[0]
    return np.sum(u * u) + s


@add(lambda: (vec(4), vec(4, 1), 5), (0, 1))
def outside_values(u, p, n):
    q = p[0] * 2
    w = p.copy()
    for t in range(n):
        u[:] = u + 0.1 * q * np.sin(u) * p[1] * w
        if t == 3:
            u[1] = 0.2
    w[:] = u * w
    u[0] = 5.0
    return np.sum(u * w)


@add(lambda: (vec(4), 7))
def integers_and_flags(u, n):
    count = np.zeros(3, dtype=np.int64)
    flag = False
    m = 1
    for t in range(n):
        count[t % 3] += 1
        m = (m * 5) % 7
        if u[0] > 0.5:
            flag = not flag
        u[:] = u * 0.9 + 0.1 * np.sin(u * count[0]) * m
        if flag:
            u[0] += 0.3
    return np.sum(u * u)


@add(lambda: (mat(3, 3), 4))
def matrices(a, n):
    x = np.ones(len(a))
    b = np.asfortranarray(a)
    for t in range(n):
        x = a @ x
        x = x / np.sqrt(np.sum(x * x))
        b = np.asfortranarray(b * 1.1 + np.sin(b))
    c = a.T
    for t in range(n):
        c[0] += 0.1 * np.sin(c[1])
        c[1] += c[0]
    return x @ a @ x + np.sum(b * c)


@add(lambda: (0.8, 5))
def local_lists(x, n):
    xs = [x, x * 2, x * 3]
    for t in range(n):
        x = np.sin(x) * xs[t % 3]
        ys = [x * i for i in range(t)]
        for i in range(len(ys)):
            x += ys[i] * 0.01
    return x


@add(lambda: (1.0, vec(6), 6), (0, 1))
def in_a_branch(x, u, n):
    s = 0.0
    if x > 0:
        for t in range(n):
            x = np.sin(x) * u[t]
            s += x
    else:
        s = x
    for t in range(n):
        unused = x * 2  # noqa: F841
    return s + x


@add(lambda: (vec(4), 4))
def bound_in_an_inner_loop(x, n):
    for j in range(n, 1, -1):
        for t in range(j):
            x += 0.3 * np.sin(x)
            a = x
    return np.sum(a)
