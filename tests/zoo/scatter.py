"""Scatter with duplicate indices, gathers, swaps, chains of updates through computed indices."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def scatter_duplicates(a, v, idx):
    a[idx] = v
    return np.sum(a * a) + a[0] * v[0]


add(
    scatter_duplicates,
    lambda: (vec(4), vec(4, 1), np.array([1, 3, 1, 1])),
    (0, 1),
    "scatter duplicates inplace",
)


def scatter_add_duplicates(a, v, idx):
    a[idx] += v
    a[idx] *= a[0]
    return np.sum(a * a)


add(
    scatter_add_duplicates,
    lambda: (vec(4), vec(4, 1), np.array([1, 3, 1, -1])),
    (0, 1),
    "scatter duplicates inplace augmented",
)


def scatter_scalar(a, x, idx):
    a[idx] = x
    a[idx] = a[idx] * a[0] + x
    return np.sum(a * a)


add(
    scatter_scalar, lambda: (vec(4), 0.7, np.array([1, 3, 1])), (0, 1), "scatter duplicates inplace"
)


def scatter_from_itself(a, idx):
    a[idx] = a[idx[::-1]]
    a[idx] = a[:3] * a[1:]
    return np.sum(a * a) + a[1] * a[2]


add(scatter_from_itself, lambda: (vec(4), np.array([2, 0, 3])), (0,), "scatter overlap inplace")


def scatter_in_loop(a, m, idx):
    for k in range(m.shape[0]):
        a[idx] = m[k] * a[k]
        a[0] += a[idx[k]]
    return np.sum(a * a)


add(
    scatter_in_loop,
    lambda: (vec(4), mat(2, 3), np.array([1, 2, 1])),
    (0, 1),
    "scatter duplicates loops inplace",
)


def gather_duplicates(a, idx):
    b = a[idx] * a[idx]
    a[1] = b[0]
    return np.sum(b * a[idx])


add(
    gather_duplicates,
    lambda: (vec(4), np.array([1, 3, 1, 1, 0])),
    (0,),
    "gather duplicates",
    jit=True,
)


def loop_scatter_add(a, v, idx):
    for k in range(len(idx)):
        a[idx[k]] += v[k] * a[idx[k] - 1]
    return np.sum(a * a)


add(
    loop_scatter_add,
    lambda: (vec(4), vec(5, 1), np.array([1, 3, 1, 1, 0])),
    (0, 1),
    "scatter duplicates loops inplace",
    jit=True,
)


def element_swaps(a, i, j):
    a[i], a[j] = a[j], a[i]
    a[0], a[1], a[2] = a[1] * a[0], a[2], a[0]
    for k in range(len(a) - 1):
        if a[k] > a[k + 1]:
            a[k], a[k + 1] = a[k + 1], a[k]
    return a[0] + 2.0 * a[1] * a[2] - a[3] ** 3


add(element_swaps, lambda: (vec(4), 0, 3), (0,), "swap inplace")


def bubble_sort(a):
    n = len(a)
    for i in range(n):
        for j in range(n - 1 - i):
            if a[j] > a[j + 1]:
                t = a[j]
                a[j] = a[j + 1]
                a[j + 1] = t
    s = 0.0
    for i in range(n):
        s += a[i] ** (i + 1)
    return s


add(bubble_sort, lambda: (vec(5),), (0,), "swap inplace loops")


def row_swaps(m, i, j):
    t = m[i].copy()
    m[i] = m[j]
    m[j] = t
    for k in range(m.shape[1]):
        m[0, k], m[1, k] = m[1, k] * 2.0, m[0, k]
    return np.sum(m[0] * m[1]) + m[2, 0] * m[0, 0]


add(row_swaps, lambda: (mat(3, 3), 0, 2), (0,), "swap rows inplace", jit=True)


def fancy_row_swap(m, idx):
    m[idx] = m[idx[::-1]]
    return np.sum(m[0] * m[1]) + m[0, 0]


add(fancy_row_swap, lambda: (mat(3, 2), np.array([0, 2])), (0,), "swap scatter rows inplace")


def rotate_three(a, b, c, n):
    for k in range(n):
        a, b, c = b, c, a
        a[0] = b[1] * c[0] + k
        c *= a
    return np.sum(a * b) + np.sum(c)


add(rotate_three, lambda: (vec(2), vec(2, 1), vec(2, 2), 4), (0, 1, 2), "swap rebind inplace")


def neighbour_chain(a, x):
    for i in range(1, len(a)):
        a[i] = a[i - 1]
    for i in range(len(a) - 1):
        a[i] = x * a[i + 1] + a[i]
    for i in range(1, len(a)):
        a[i] += a[i - 1] * a[i]
    return np.sum(a * a)


add(neighbour_chain, lambda: (vec(4), 0.7), (0, 1), "loops inplace overlap")


def computed_self_index(a, k):
    for i in range(len(a)):
        j = (i * k) % len(a)
        a[j] = a[i] * a[j]
        a[i] *= a[i]
    return np.sum(a)


add(computed_self_index, lambda: (vec(5), 3), (0,), "loops inplace overlap")


def sliding_blocks(a):
    for k in range(1, len(a) - 1):
        a[k : k + 2] += a[k - 1 : k + 1] * 0.5
        a[k - 1 : k + 1] = a[k : k + 2]
    return np.sum(a * a)


add(sliding_blocks, lambda: (vec(5),), (0,), "slice overlap inplace augmented loops", jit=True)


def possibly_overlapping(a, i, j, n):
    a[i : i + n] = a[j : j + n] * 2.0
    a[j : j + n] -= a[i : i + n]
    return np.sum(a * a)


add(possibly_overlapping, lambda: (vec(6), 1, 2, 3), (0,), "slice overlap inplace", njit=False)
add(
    possibly_overlapping,
    lambda: (vec(6), 0, 3, 2),
    (0,),
    "slice inplace",
    name="possibly_overlapping_not",
)


def masked_from_shifted(a):
    mask = a > 0.7
    b = a[::-1]
    a[mask] = b[mask] * a[mask]
    return np.sum(a * a) + b[0]


add(masked_from_shifted, lambda: (vec(6),), (0,), "mask overlap inplace")


def matmul_into_operand(m, a):
    a[:] = m @ a
    m[:] = m @ m
    m[0] = m @ a
    return np.sum(m * m) + a[0]


add(matmul_into_operand, lambda: (mat(3, 3), vec(3)), (0, 1), "matmul overlap inplace", jit=True)


def prefix_and_suffix(a):
    b = a.copy()
    for i in range(1, len(a)):
        a[i] += a[i - 1]
    for i in range(len(b) - 2, -1, -1):
        b[i] *= b[i + 1]
    b[1:], a[:-1] = a[:-1] * b[0], b[1:] + a[1:]
    return np.sum(a * b)


add(prefix_and_suffix, lambda: (vec(4),), (0,), "loops swap inplace")
