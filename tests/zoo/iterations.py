"""Loops whose iterations are independent, and time steps: what ``transforms.fusion`` is about."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def sum_over_rows(x, w):
    n, d = x.shape
    s = 0.0
    t = np.empty(d)
    for i in range(n):
        for j in range(d):
            t[j] = math.sin(x[i, j] * w[j])
        q = 1.0
        for j in range(d):
            q *= t[j] + 1.5
        if q > 1.0:
            s += q * w[0]
    return 2.0 * s


add(sum_over_rows, lambda: (mat(4, 3), vec(3)), (0, 1), "loops inplace")


def sum_used_twice(x):
    s = 0.0
    for i in range(len(x)):
        q = x[i]
        for _ in range(3):
            q = q * q * 0.5 + x[i]
        s += q
    return s * s


add(sum_used_twice, lambda: (vec(4),), (0,), "loops")


def sum_of_pairs(p, cutoff):
    energy = 0.0
    for i in range(len(p)):
        for j in range(i):
            r = p[i] - p[j]
            r2 = r * r + 0.1
            if r2 < cutoff:
                energy += 1.0 / r2 - math.exp(-r2)
    return energy


add(sum_of_pairs, lambda: (vec(5), 0.8), (0,), "loops if")


def results_of_rows(x, out):
    for i in range(x.shape[0]):
        q = 0.3
        for j in range(x.shape[1]):
            q = q * x[i, j] + math.sin(q)
        out[i] = q
        out[i] *= x[i, 0]


add(results_of_rows, lambda: (mat(3, 4), vec(3)), (0, 1), "loops inplace exit")


def rows_through_views(x, out):
    s = 0.0
    for i in range(x.shape[0]):
        row = x[i]
        to = out[i]
        q = 1.0
        for j in range(len(row)):
            q *= row[j]
            to[j] = q * q
        s += q
    return s - 3.0 * np.sum(out)


add(rows_through_views, lambda: (mat(3, 4), mat(3, 4)), (0, 1), "loops views inplace exit")


def in_place_map(x):
    for i in range(len(x)):
        for _ in range(2):
            x[i] = x[i] * x[i] + 0.1 * x[i]
    return np.sum(x)


add(in_place_map, lambda: (vec(4),), (0,), "loops inplace exit")


def histogram_of_squares(x, bins):
    h = np.zeros(4)
    for i in range(len(x)):
        q = x[i]
        for _ in range(2):
            q *= q + 0.5
        h[bins[i]] += q
    return h[0] * h[1] + h[2] - h[3]


add(histogram_of_squares, lambda: (vec(6), np.array([0, 1, 1, 2, 3, 0])), (0,), "loops scatter")


def divides_by_each(x, out):
    s = 0.0
    for i in range(len(x)):
        q = 1.0
        for _ in range(2):
            q = q / x[i] + 1.0
        out[i] = q
        s += q * q
    return s


add(divides_by_each, lambda: (vec(4), vec(4)), (0,), "loops inplace exit")


def scratch_partly_written(x):
    t = np.zeros(4)
    s = 0.0
    for i in range(len(x)):
        for j in range(i % 3):
            t[j] = x[i] * (j + 1)
        q = 1.0
        for j in range(4):
            q *= 1.0 + t[j]
        s += q
    return s


add(scratch_partly_written, lambda: (vec(5),), (0,), "loops inplace")


def scratch_by_constants(x):
    k = np.zeros(3)
    s = 0.0
    for i in range(len(x) - 1):
        k[0] = x[i] * x[i + 1]
        k[1] = math.exp(k[0])
        k[2] = k[1] * k[0]
        for j in range(3):
            k[j] = k[j] * k[j]
        s += k[0] - k[1] + k[2]
    return s


add(scratch_by_constants, lambda: (vec(5),), (0,), "loops inplace")


def scratch_read_afterwards(x):
    t = np.empty(2)
    s = 0.0
    for i in range(len(x)):
        t[0] = x[i] * x[i]
        t[1] = t[0] * x[i]
        for _ in range(2):
            t[1] *= t[0]
        s += t[1]
    return s * t[0]


add(scratch_read_afterwards, lambda: (vec(4),), (0,), "loops inplace")


def two_loops_of_sums(x, y):
    s, r = 0.0, 0.0
    for i in range(len(x)):
        q = x[i]
        for j in range(3):
            q *= y[j]
        s += q
    for i in range(len(y)):
        q = y[i]
        for j in range(2):
            q = q * x[j] + q * q
        r -= q
    for i in range(len(x)):
        x[i] = 0.0
    return s + 2.0 * r


add(two_loops_of_sums, lambda: (vec(4), vec(3)), (0, 1), "loops exit")


def array_read_after_its_loop(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        q = x[i]
        for _ in range(2):
            q = q * q + x[i]
        out[i] = q
    s = 0.0
    for i in range(len(x)):
        s += out[i] * out[len(x) - 1 - i]
    return s


add(array_read_after_its_loop, lambda: (vec(4),), (0,), "loops inplace")


def counts_on_the_way(x):
    s, k, big = 0.0, 0, False
    for i in range(len(x)):
        q = x[i] * (k + 1)
        for _ in range(2):
            q *= q + 0.5
        if q > 0.6:
            k += 2
            big = True
        s += q if big else -q
    return s + k


add(counts_on_the_way, lambda: (vec(6),), (0,), "loops if")


def diffusion(u, steps, nu):
    n = len(u)
    un = np.empty(n)
    for _ in range(steps):
        for i in range(n):
            un[i] = u[i]
        for i in range(1, n - 1):
            u[i] = un[i] - un[i] * (un[i] - un[i - 1]) + nu * (un[i + 1] - 2.0 * un[i] + un[i - 1])
    return np.sum(u * u)


add(diffusion, lambda: (vec(6), 4, 0.1), (0, 2), "loops inplace exit")


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
