"""Loops whose iterations keep a state: what ``transforms.fusion.stepwise`` is about."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def diffusion(u, steps, nu):
    n = len(u)
    un = np.empty(n)
    for _ in range(steps):
        for i in range(n):
            un[i] = u[i]
        for i in range(1, n - 1):
            u[i] = un[i] - un[i] * (un[i] - un[i - 1]) + nu * (un[i + 1] - 2.0 * un[i] + un[i - 1])
    return np.sum(u * u)


add(diffusion, lambda: (vec(6), 4, 0.1), (0, 2), "loops inplace exit", jit=True)


def runge_kutta(x, steps):
    n = len(x)
    h = 1.0 / steps
    y = np.zeros(n)
    t = np.empty(n)
    k1 = np.empty(n)
    k2 = np.empty(n)
    for _ in range(steps):
        k1[0] = x[0]
        for i in range(1, n):
            k1[i] = x[i] * y[i - 1]
        for i in range(n):
            t[i] = y[i] + 0.5 * h * k1[i]
        k2[0] = x[0]
        for i in range(1, n):
            k2[i] = x[i] * t[i - 1] * t[i]
        for i in range(n):
            y[i] += h * (k1[i] + k2[i] * k2[i])
    return np.sum(y)


add(runge_kutta, lambda: (vec(4), 3), (0,), "loops inplace")


def history_of_steps(u, out, a):
    s = 0.0
    for t in range(out.shape[0]):
        for i in range(len(u)):
            v = u[i] * a
            w = v * v + u[i]
            u[i] = w * v - u[i] * s
        for i in range(len(u)):
            out[t, i] = u[i] * u[i] * a
        s += u[0] * u[1]
        a *= 0.9
    return s


add(history_of_steps, lambda: (vec(3), mat(3, 3), 0.5), (0, 1, 2), "loops inplace exit")


def backward_in_time(u, w):
    for t in range(3, 0, -1):
        for i in range(len(u) - 1):
            a = u[i] * w[t]
            b = a * a + u[i + 1]
            u[i] = a * b * 0.5
    return np.sum(u)


add(backward_in_time, lambda: (vec(4), vec(4)), (0, 1), "loops inplace exit")


def steps_of_a_grid(g, steps):
    n, m = g.shape
    old = np.empty((n, m))
    for _ in range(steps):
        for i in range(n):
            for j in range(m):
                old[i, j] = g[i, j]
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                c = old[i, j]
                l = old[i - 1, j] * old[i + 1, j]
                r = old[i, j - 1] * old[i, j + 1]
                g[i, j] = c + 0.1 * (l * c - r * c * c)
    return np.sum(g * g)


add(steps_of_a_grid, lambda: (mat(4, 4), 3), (0,), "loops inplace exit")


def state_read_after_it_is_written(u, steps):
    for _ in range(steps):
        for i in range(len(u)):
            v = u[i] * u[i - 1]
            w = v * v + u[i]
            u[i] = 0.3 * v * w
        for i in range(len(u) - 1):
            a = u[i + 1] * u[i]
            u[i] += 0.3 * a * a
    return np.sum(u)


add(state_read_after_it_is_written, lambda: (vec(4), 3), (0,), "loops inplace exit")


def input_changed_after_the_steps(x, u, steps):
    for _ in range(steps):
        for i in range(len(u)):
            v = u[i] * x[i]
            w = v * u[i] + x[i]
            u[i] = v * w
    for i in range(len(x)):
        x[i] = -1.0
    return np.sum(u)


add(input_changed_after_the_steps, lambda: (vec(3), vec(3), 2), (0, 1), "loops inplace exit")


def powers_by_squaring(a, n):
    s = 0.0
    for i in range(a.shape[0]):
        out = np.eye(2)
        base = a[i].copy()
        k = n
        while k > 0:
            if k % 2 == 1:
                out = out @ base
            base = base @ base
            k //= 2
        s += out[0, 1] * out[1, 1]
    return s


add(powers_by_squaring, lambda: (np.stack((mat(2, 2), mat(2, 2, 1))), 3), (0,), "loops arrays")


def zeros_read_under_another_name(x, flag):
    s = 0.0
    for i in range(len(x)):
        z = np.zeros(2)
        y = z if flag else x
        for _ in range(2):
            y = y if i else z
            s += y[0] * x[i] + x[i]
        z[0] = x[i]
        s += z[0] * z[1]
    return s


add(zeros_read_under_another_name, lambda: (vec(3), True), (0,), "loops arrays")


def rows_of_a_list(x):
    rows = [np.zeros(2)]
    s = 0.0
    for i in range(len(x)):
        r = np.zeros(2)
        r[0] = x[i] * x[i]
        rows.append(r)
        s += rows[i][0] * r[0] + rows[-1][1]
    return s


add(rows_of_a_list, lambda: (vec(4),), (0,), "loops lists")


def no_steps(u, steps):
    t = np.empty(len(u) - 1)
    s = 0.0
    for k in range(steps):
        for i in range(len(u) - 1):
            t[i] = u[i] * u[i + 1] * k
        for i in range(len(u) - 1):
            s += t[i] * t[i]
    return s + u[0]


add(no_steps, lambda: (vec(3), 0), (0,), "loops inplace")


def sum_of_partial_sums(w, q):
    s, r = 0.1, 0.0
    for i in range(3, -1, -1):
        r += s
        s += q[i] * w * w
    return (r + s) * s


add(sum_of_partial_sums, lambda: (0.7, vec(4)), (0, 1), "loops")
