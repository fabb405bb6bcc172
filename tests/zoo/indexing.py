"""Masks, index arrays, products, allocation, joins, ping-pong and rebinding."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def mask_assignment(a, x):
    a[a > 0.9] = x
    big = a < 0.6
    a[big] = a[big] * 2.0
    return np.sum(a * a)


add(mask_assignment, lambda: (vec(6), 0.7), (0, 1), "mask inplace", jit=True)


def mask_updates(a, b):
    keep = b > 0.8
    a[keep] *= 2.5
    a[~keep] += b[~keep]
    s = np.sum(a[keep] * b[keep])
    return s + np.sum(a[a < 1.0]) + a[0]


add(mask_updates, lambda: (vec(6), vec(6, 1)), (0, 1), "mask inplace augmented")


def mask_argument(a, mask, x):
    s = 0.0
    for i in range(len(a)):
        if mask[i]:
            s += a[i] * x
    a[mask] = x
    return s * np.sum(a)


add(
    mask_argument,
    lambda: (vec(4), np.array([True, False, True, False]), 0.7),
    (0, 2),
    "mask inplace",
    jit=True,
)


def where_selects(a, b, x):
    c = np.where(a > 0.8, a * b, x)
    d = np.where(c > b, c, b * b)
    return np.sum(c * d) + np.where(x > 0.5, x, 2.0 * x)


add(where_selects, lambda: (vec(5), vec(5, 1), 0.7), (0, 1, 2), "where")


def gather(a, idx):
    g = a[idx]
    g[0] *= 2.0
    return np.sum(g * g) + a[1] * np.sum(a[idx] * a[idx[::-1]])


add(gather, lambda: (vec(4), np.array([3, 1, 1, 0, -1])), (0,), "gather", jit=True)


def gather_rows(m, idx):
    rows = m[idx]
    rows[1] += rows[0]
    return np.sum(rows * rows)


add(gather_rows, lambda: (mat(3, 2), np.array([2, 0, 2])), (0,), "gather")


def scatter(a, v, idx):
    a[idx] = v * a[idx]
    a[idx] *= 2.0
    return np.sum(a * a) + v[0]


add(scatter, lambda: (vec(5), vec(3), np.array([3, 0, -1])), (0, 1), "scatter inplace")


def products(m, n, a, b):
    s = a @ b + np.dot(a, b) * (m @ a)[0]
    s += np.sum(m @ n) + np.dot(m, n)[1, 0] + (b @ n)[0]
    v = m.dot(b)
    return s + v @ v


add(products, lambda: (mat(2, 3), mat(3, 2), vec(3), vec(3, 1)), (0, 1, 2, 3), "matmul", jit=True)


def matrix_chain(m, a):
    for _ in range(3):
        a = np.tanh(m @ a)
    t = m @ m.T
    return np.sum(a) + np.trace(t) + np.sum(np.outer(a, a) * t)


add(matrix_chain, lambda: (mat(3, 3), vec(3)), (0, 1), "matmul")


def matmul_by_loops(a, b):
    n, m, k = a.shape[0], b.shape[1], a.shape[1]
    c = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            for p in range(k):
                c[i, j] += a[i, p] * b[p, j]
    return c


add(matmul_by_loops, lambda: (mat(2, 3), mat(3, 2)), (0, 1), "array_output loops")


def allocation_in_loops(a, n):
    s = 0.0
    for i in range(n):
        t = np.empty(len(a))
        for j in range(len(a)):
            t[j] = a[j] * (s + i)
        u = np.zeros_like(t)
        u[1:] = t[:-1] * t[1:]
        w = np.full(i, s + 0.5)
        s += np.sum(u) + np.sum(w * w) + np.ones(2)[1] * a[0]
    return s


add(allocation_in_loops, lambda: (vec(3), 3), (0,), "allocation loops")


def allocations(x, y):
    a = np.array([x, y, x * y])
    b = np.array([[x, 1.0], [2.0, y]])
    c = np.full((2, 2), y)
    d = np.linspace(0.0, 1.0, 3) * a + np.arange(3)
    e = np.eye(2) * x + np.ones((2, 2)) - np.full_like(c, 2.0)
    f = np.array((y, x)) + np.arange(0.5, 2.0, 1.0) + np.empty_like(c).shape[0]
    return np.sum(a * d) + np.sum(b @ c * e) + f[0] * f[1]


add(allocations, lambda: (0.7, 1.3), (0, 1), "allocation")


def joins(a, b):
    c = np.concatenate((a, b))
    d = np.stack((a, b[:2]))
    e = np.hstack((c, a)) * 2.0
    f = np.vstack((b[:2], a))
    return c[1] * c[-1] + np.sum(d * d) + e[3] * e[0] + f[1, 0] * f[0, 1]


add(joins, lambda: (vec(2), vec(3)), (0, 1), "concatenate", jit=True)


def ping_pong(a, n):
    cur = a.copy()
    nxt = np.zeros_like(a)
    for _ in range(n):
        for i in range(1, len(a) - 1):
            nxt[i] = cur[i - 1] * cur[i + 1] + 0.5 * cur[i]
        nxt[0] = cur[-1]
        nxt[-1] = nxt[1] * cur[0]
        cur, nxt = nxt, cur
    return np.sum(cur * nxt) + cur[0]


add(ping_pong, lambda: (vec(4), 3), (0,), "pingpong inplace")


def ping_pong_with_arguments(a, b, n):
    for k in range(n):
        b[:] = a * a[0] + b
        a, b = b, a
        a[k] = 0.5 * b[k]
    return a[0] * np.sum(a) + b[1]


add(ping_pong_with_arguments, lambda: (vec(3), vec(3, 1), 3), (0, 1), "pingpong inplace")


def rebinding(a, n):
    u = a
    for i in range(n):
        v = u * u + a
        v[0] = u[-1]
        u = v
        a = np.sin(a) if i == 1 else a
    return u[0] * np.sum(a) + u[1]


add(rebinding, lambda: (vec(3), 3), (0,), "rebind")
