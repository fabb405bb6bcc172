"""Arrays: elements, slices, masks, index arrays, broadcasting, reductions, allocation, layouts."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def element_reads(a, k):
    return a[0] * a[-1] + a[k] * a[k - 1] ** 2 + a[len(a) // 2] * a[-k]


add(element_reads, lambda: (vec(5), 2), (0,), "index")


def element_writes(a, x):
    a[0] = x * a[1]
    a[-1] = a[0] * a[2]
    a[1] = x
    a[1] = a[1] * a[0]
    a[2] = 3
    return a[0] + a[1] * a[-1] + a[2] * x


add(element_writes, lambda: (vec(4), 0.7), (0, 1), "index inplace")


def element_updates(a, x):
    for i in range(len(a)):
        a[i] += x * i
        a[i] *= a[i - 1]
        a[i] -= x
        a[i] /= 2.0 + x
        a[i] **= 2
        a[-1] += a[i]
    a[0] *= a[0]
    return a[0] * a[-1] + a[1]


add(element_updates, lambda: (vec(4), 0.7), (0, 1), "index inplace augmented")


def data_dependent_index(a, b):
    s = 0.0
    for i in range(len(a)):
        k = int(a[i] * 3.0) % len(b)
        b[k] *= a[i]
        s += b[k - 1] * a[i]
    j = np.argmax(b)
    return s + b[j] * np.sum(b)


add(data_dependent_index, lambda: (vec(5), vec(3, 1)), (0, 1), "index data inplace", jit=True)


def integer_array_index(a, order):
    s = 1.0
    for k in range(len(order)):
        a[order[k]] += s * k
        s = s * a[order[k] - 1]
    return s + a[order[0]]


add(integer_array_index, lambda: (vec(4), np.array([2, 0, 2, 3, 1])), (0,), "index int inplace")


def slice_updates(a, x):
    a[1:3] += x
    a[::2] *= a[0]
    a[:2] -= a[2:4]
    a[-2:] /= 1.0 + x
    a[1:] **= 2
    a[2:2] += 100.0
    return np.sum(a) * x


add(slice_updates, lambda: (vec(5), 0.7), (0, 1), "slice inplace augmented")


def whole_array_updates(a, b, x):
    a += b
    a *= x
    a -= 0.5
    a /= b + 1.0
    a **= 2
    b *= a
    return a.sum() + (a * b).sum()


add(whole_array_updates, lambda: (vec(4), vec(4, 1), 0.7), (0, 1, 2), "inplace augmented")


def slice_assignment(a, b, x):
    a[1:3] = b[:2]
    a[3:] = x
    b[:] = a[:4] * x
    a[:2] = 0.0
    a[0:1] = b[2:3] * b[3:4]
    return np.sum(a * a) + np.sum(b)


add(slice_assignment, lambda: (vec(5), vec(4), 0.7), (0, 1, 2), "slice inplace")


def whole_array_expression(a, b, x):
    c = a * b + np.sin(a) / (1.0 + b**2)
    d = np.exp(-c) - x * c
    c = d * d * x + 2
    return np.sum(c * a) + np.sum(np.sqrt(b) * d)


add(whole_array_expression, lambda: (vec(4), vec(4, 1), 0.7), (0, 1, 2), "expression")


def broadcasting(m, row, col, x):
    t = m * row + col.reshape(3, 1) * x
    t = t / row - np.expand_dims(col, 1)
    u = row * t[0] + x
    return np.sum(t * t) + np.sum(u * m)


add(broadcasting, lambda: (mat(3, 2), vec(2), vec(3), 0.7), (0, 1, 2, 3), "broadcast")


def broadcasting_into_place(m, row, x):
    m += row
    m[:, 0] *= x
    m[1] = row * x
    m[:] = m * row[0]
    m[:, 1:] -= m[:, :1]
    return np.sum(m * m)


add(broadcasting_into_place, lambda: (mat(3, 2), vec(2), 0.7), (0, 1, 2), "broadcast inplace")


def outer_broadcast(a, b):
    t = a[:, None] * b[None, :] + a[:, np.newaxis]
    return np.sum(t * t) + t[1, 2]


add(outer_broadcast, lambda: (vec(2), vec(3)), (0, 1), "broadcast newaxis", jit=True)


def reductions(a, m):
    s = a.sum() + a.mean() * a.prod() + a.max() * a.min()
    s += np.sum(m) * np.mean(m) + np.prod(a) + np.max(m) - np.min(m)
    s += a.std() + np.var(a)
    return s * a[np.argmin(a)] + m[0, 0] * a[a.argmax()]


add(reductions, lambda: (vec(4), mat(2, 3)), (0, 1), "reduction")


def axis_reductions(m):
    rows = np.sum(m, axis=1)
    cols = m.sum(axis=0)
    return np.sum(rows * rows) + cols[0] * cols[-1] + np.sum(m.sum(axis=-1))


add(axis_reductions, lambda: (mat(2, 3),), (0,), "reduction axis")


def running_sums(a):
    c = np.cumsum(a)
    d = a.cumsum() * c
    return c[-1] * d[1] + np.sum(c)


add(running_sums, lambda: (vec(4),), (0,), "reduction cumsum", jit=True)


def product_with_zero(a, x):
    a[1] = 0.0
    return np.prod(a) + x * a[0]


add(product_with_zero, lambda: (vec(3), 0.7), (0, 1), "reduction", jit=True)
