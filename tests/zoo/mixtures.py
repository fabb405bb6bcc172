"""Mixtures: strided overlaps, modulo, logic, lists of lists, single precision, integer state."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def strided_matrix_views(m, x):
    odd = m[::2, 1::2]
    rev = m[::-1, ::-1]
    odd *= x
    for i in range(odd.shape[0]):
        for j in range(odd.shape[1]):
            rev[i, j] += odd[i, j] * m[i, j]
            odd[i, j] = rev[j, i] * 0.5
    t = rev.T[1:3]
    t[0] = t[1]
    return np.sum(m * rev)


add(strided_matrix_views, lambda: (mat(4, 4), 0.7), (0, 1), "strided alias overlap inplace")


def reversed_slice_assignment(a, x):
    a[3:0:-1] = a[0:3] * x
    a[::-2] = a[::2] + 1.0
    a[-2::-1] = a[1:]
    return np.sum(a[:3] * a[2:]) + a[0] ** 2


add(reversed_slice_assignment, lambda: (vec(5), 0.7), (0, 1), "slice reversed overlap inplace")


def array_modulo_and_floor(a, x):
    a[:2] %= 0.25
    b = (a * 7.3) // 1.0
    a[2:] = (a[2:] * 3.7) % x
    b += a
    return np.sum(b * a)


add(array_modulo_and_floor, lambda: (vec(4), 0.7), (0, 1), "augmented modulo inplace", jit=True)


def logical_reductions(a, x):
    s = 0.0
    if np.any(a > 1.2) or np.all(a < 0.1):
        s += x
    count = (a > 0.6).sum()
    while np.max(np.abs(a)) > 0.5:
        a *= x
        s += np.sum(a) * count
    return s + np.count_nonzero(a) * x


add(logical_reductions, lambda: (vec(4), 0.7), (0, 1), "bool while inplace reduction")


def lists_of_rows(x, n):
    rows = [np.array([x, 1.0, 0.5])]
    for i in range(n):
        row = np.array([rows[-1][1] * x, rows[-1][0] + i, 0.0])
        row[2] = row[0] * row[1]
        rows.append(row)
    rows[0][0] = rows[1][2]
    first = rows.pop(0)
    s = first[0] * first[1]
    for row in rows:
        for v in row:
            s = s * 0.5 + v
    return s


add(lists_of_rows, lambda: (0.7, 3), (0,), "list nested pop", jit=True)


def zipped_lists(a, b):
    left = [v * 2.0 for v in a]
    pairs = [(u, v * u) for u, v in zip(left, b)]
    s = 0.0
    for (u, w), v in zip(pairs, a):
        s += u * w * v
    for k, v in enumerate(reversed(left)):
        s = s * 0.5 + v * k
    return s


add(zipped_lists, lambda: (vec(3), vec(3, 1)), (0, 1), "list zip comprehension tuple", njit=False)


def single_precision_loop(a, x):
    t = x
    for i in range(1, len(a)):
        a[i] += a[i - 1] * t
        t = t * a[i]
    return a[-1] * t


add(
    single_precision_loop,
    lambda: (vec(4).astype(np.float32), np.float32(0.7)),
    (0, 1),
    "float32 inplace loops",
    jit=True,
)


def integer_state_exit(counts, a):
    """An integer argument is overwritten too: it must leave as the plain call leaves it."""
    for i in range(len(a)):
        counts[i % len(counts)] += int(4.0 * a[i])
        a[i] *= counts[0]
    counts <<= 1
    counts[-1] |= 1
    return np.sum(a) + counts[0]


add(integer_state_exit, lambda: (np.array([1, 2]), vec(3)), (1,), "int exit inplace", jit=True)
