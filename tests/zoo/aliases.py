"""Aliasing over time: views made in loops, chosen, swapped, rebound, stored and returned."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def overlapping_windows(a):
    left = a[:-1]
    right = a[1:]
    for i in range(len(left)):
        right[i] = right[i] * left[i]
        left[i] += 0.1 * right[i]
    return np.sum(left * right)


add(overlapping_windows, lambda: (vec(5),), (0,), "alias overlap inplace")


def views_made_in_loops(m, x):
    s = x
    for i in range(m.shape[0]):
        v = m[i, i:]
        v *= s
        for j in range(len(v)):
            w = v[j:]
            w[0] += m[0, 0] * 0.1
            s += w[-1] * v[0]
    return s + np.sum(m)


add(views_made_in_loops, lambda: (mat(3, 3), 0.7), (0, 1), "alias loops inplace")


def conditional_view(a, x, flag):
    if flag:
        v = a[:3]
    else:
        v = a[2:]
    v[1] *= x
    w = a[1:4] if x > 0.5 else v
    w[0] += v[2] * v[0]
    return np.sum(a * a) + v[0] * w[1]


add(conditional_view, lambda: (vec(5), 0.7, True), (0, 1), "alias if inplace")
add(
    conditional_view,
    lambda: (vec(5), 0.3, False),
    (0, 1),
    "alias if inplace",
    name="conditional_view_other",
)


def view_moves_along(a, x):
    v = a[0:2]
    for i in range(1, 4):
        v[0] *= x
        w = a[i : i + 2]
        w[1] += v[0] * v[1]
        v = w
    return np.sum(a) * v[0]


add(view_moves_along, lambda: (vec(5), 0.7), (0, 1), "alias rebind loops inplace")


def swapped_views(a, x):
    u = a[:2]
    v = a[2:4]
    for i in range(3):
        u[0] += v[1] * x
        u, v = v, u
        v[1] *= u[0]
    u[:] = v * v
    return np.sum(a * a) + u[0]


add(swapped_views, lambda: (vec(4), 0.7), (0, 1), "alias swap inplace")


def view_outlives_rebinding(a, x):
    v = a[1:3]
    a = a * x
    v[0] = a[0] * a[1]
    a[1] = v[0] + v[1]
    return np.sum(a * a) + v[0] * v[1]


add(view_outlives_rebinding, lambda: (vec(4), 0.7), (0, 1), "alias rebind inplace")


def view_of_temporary(a, x):
    t = (a * x)[1:]
    t[0] *= a[0]
    u = np.zeros(4)[::2]
    u[:] = t[:2]
    u[1] = t[0]
    return np.sum(t * t) + u[0] * u[1]


add(view_of_temporary, lambda: (vec(4), 0.7), (0, 1), "alias allocation", jit=True)


def views_in_tuples(a, x):
    pair = (a[:2], a[1:3])
    pair[0][1] = x
    pair[1][1] += pair[0][1] * pair[0][0]
    head, tail = pair
    head *= tail
    return np.sum(a * a) + pair[1][0]


add(views_in_tuples, lambda: (vec(4), 0.7), (0, 1), "alias tuple inplace")


def blocks(m, x):
    top = m[:2, :2]
    low = m[2:, 2:]
    cross = m[1:3, 1:3]
    top[1, 1] = x
    low += top
    cross[1, 1] *= cross[0, 0]
    top[:] = low * low
    return np.sum(m * m) + cross[0, 1]


add(blocks, lambda: (mat(4, 4), 0.7), (0, 1), "slice alias inplace")


def planes(t, x):
    p = t[1]
    q = t[:, 0]
    p[0, 0] = x
    q[1] *= q[0]
    t[0, 0] += p[0]
    row = p[1]
    row[0] *= q[0, 1]
    return np.sum(t * t) + row[0]


add(planes, lambda: (vec(12).reshape(2, 3, 2), 0.7), (0, 1), "ndim alias inplace", jit=True)


def newaxis_view(a, x):
    c = a[:, None]
    c[0, 0] = x
    r = a[None, :]
    r[0, 1] *= c[0, 0]
    return np.sum(c * r) + a[0] * a[1]


add(newaxis_view, lambda: (vec(3), 0.7), (0, 1), "newaxis alias inplace", jit=True)


def contiguous_copies(m, x):
    c = np.ascontiguousarray(m)
    c[0, 0] *= x
    t = np.ascontiguousarray(m.T)
    t[1, 0] = c[0, 0]
    e = np.asarray(m)
    e[1, 1] *= 2.0
    return np.sum(m * m) + np.sum(t * t)


add(contiguous_copies, lambda: (mat(2, 2), 0.7), (0, 1), "copy alias inplace", jit=True)


def accumulates_into_view(a, b):
    total = np.zeros(2)
    first = total[:1]
    for i in range(len(a)):
        first += a[i] * b[i]
        total[1] += first[0] * a[i]
    return total[0] * total[1]


add(accumulates_into_view, lambda: (vec(4), vec(4, 1)), (0, 1), "alias loops")


def saved_view_then_overwritten(a, n):
    history = np.zeros((n + 1, len(a)))
    history[0] = a
    for k in range(n):
        old = history[k]
        new = history[k + 1]
        for i in range(len(a)):
            new[i] = old[i] * old[i - 1]
        old[0] *= new[0]
        a[:] = new
    return np.sum(history * history) + a[0]


add(saved_view_then_overwritten, lambda: (vec(3), 3), (0,), "alias history inplace", jit=True)


def same_array_read_twice(a, b):
    s = 0.0
    for i in range(len(a)):
        s += a[i] * b[i - 1]
    return s + np.sum(a * b)


def shared_reader():
    a = vec(3)
    return a, a


add(same_array_read_twice, shared_reader, (0, 1), "shared_arguments", jit=True)


def returns_a_view(a, x):
    v = a[1:]
    v[0] *= x
    return v, a[0]


add(returns_a_view, lambda: (vec(3), 0.7), (0, 1), "array_output alias inplace", jit=True)


def same_array_twice(x):
    if x[0] > 0.1:
        a = x * 2.0
        b = a
    else:
        a = x
        b = x * x
    return np.sum(a * a) + np.sum(b * b * b)


add(same_array_twice, lambda: (vec(4),), (0,), "alias branch", jit=True)
