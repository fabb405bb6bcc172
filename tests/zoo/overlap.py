"""Overlapping updates, duplicate indices, swaps: where adjoints go silently wrong.

In-place updates mean what NumPy means: the right-hand side is read before anything is written.
"""

import numpy as np

from tests.zoo.registry import add, mat, vec


def shift_right(a):
    a[1:] = a[:-1]
    return np.sum(a * a) + a[0] * a[1]


add(shift_right, lambda: (vec(4),), (0,), "slice overlap inplace")


def shift_left(a, x):
    a[:-1] = a[1:]
    a[-1] = x
    return a[0] * a[1] + np.sum(a * a)


add(shift_left, lambda: (vec(4), 0.7), (0, 1), "slice overlap inplace")


def shift_in_loop(a, x, n):
    s = 0.0
    for i in range(n):
        a[1:] = a[:-1]
        a[0] = x * a[-1] + i
        s += a[1] * a[2]
    return s + np.sum(a)


add(shift_in_loop, lambda: (vec(4), 0.7, 4), (0, 1), "slice overlap inplace", jit=True)


def overlapping_add(a):
    a[1:] += a[:-1]
    return np.sum(a * a)


add(
    overlapping_add,
    lambda: (vec(4),),
    (0,),
    "slice overlap inplace augmented",
    njit=False,
    jit=True,
)


def overlapping_operators(a, x):
    a[1:] *= a[:-1]
    a[:-2] -= a[2:] * x
    a[2:] /= a[:-2] + 3.0
    a[1:] += x * a[:-1] + a[1:] * a[1:]
    return np.sum(a * a)


add(
    overlapping_operators,
    lambda: (vec(5), 0.7),
    (0, 1),
    "slice overlap inplace augmented",
    njit=False,
)


def overlapping_expression(a, x):
    a[1:] = a[:-1] * x + a[1:]
    a[1:-1] = 0.5 * (a[:-2] + a[2:]) + a[1:-1] ** 2
    return np.sum(a * a)


add(
    overlapping_expression, lambda: (vec(5), 0.7), (0, 1), "slice overlap inplace stencil", jit=True
)


def reverse_in_place(a, x):
    a[:] = a[::-1]
    a[0] *= x
    a[::-1] = a
    return a[0] * a[1] + a[-1] * a[2] ** 2


add(reverse_in_place, lambda: (vec(4), 0.7), (0, 1), "reversed overlap inplace")


def add_reversed(a):
    a += a[::-1]
    a[:2] *= a[::-1][:2]
    return a[0] * a[1] + np.sum(a * a)


add(add_reversed, lambda: (vec(4),), (0,), "reversed overlap inplace augmented", njit=False)


def strided_overlap(a):
    a[::2] = a[1::2]
    a[:3] = a[::2]
    a[1::2] *= a[::2]
    return np.sum(a * a) + a[0] * a[5]


add(strided_overlap, lambda: (vec(6),), (0,), "strided overlap inplace")


def overlap_through_views(a, x):
    v = a[1:]
    w = a[:-1]
    v[:] = w
    w[0] = x
    v += w
    w *= v
    return np.sum(a * a)


add(
    overlap_through_views,
    lambda: (vec(4), 0.7),
    (0, 1),
    "alias overlap inplace augmented",
    njit=False,
    jit=True,
)


def self_assignment(a):
    a[:] = a
    a[1] = a[1]
    a[:] = a * a
    a += a
    a *= a
    return np.sum(a)


add(self_assignment, lambda: (vec(3),), (0,), "overlap inplace")


def rows_overlap(m):
    m[1:] = m[:-1]
    m[:, 1:] += m[:, :-1]
    m[0] = m[1] * m[2]
    return np.sum(m * m) + m[0, 0]


add(rows_overlap, lambda: (mat(3, 3),), (0,), "slice overlap inplace augmented", njit=False)


def transpose_in_place(m):
    m[:] = m.T
    m[0, 1] *= m[1, 0]
    return np.sum(m[0] * m[1]) + m[0, 1]


add(transpose_in_place, lambda: (mat(3, 3),), (0,), "transpose overlap inplace", jit=True)


def add_transpose(m):
    m += m.T
    return np.sum(m[0] * m[1]) + m[2, 1] ** 2


add(add_transpose, lambda: (mat(3, 3),), (0,), "transpose overlap inplace augmented", njit=False)


def shift_planes(t):
    t[1:] = t[:-1] * 2.0
    t[:, 1:] = t[:, :-1]
    return np.sum(t * t)


add(shift_planes, lambda: (vec(8).reshape(2, 2, 2),), (0,), "ndim overlap inplace")
