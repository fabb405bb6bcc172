"""Views and aliasing: slices, rows, transposes, reshapes, written and read through either name."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def alias(a, x):
    b = a
    b[0] = x * a[1]
    a[1] = b[0] * b[2]
    c = b
    c += a
    return np.sum(a * b) + c[0]


add(alias, lambda: (vec(3), 0.7), (0, 1), "alias inplace", jit=True)


def alias_broken_by_rebinding(a, x):
    b = a
    b = b + x
    b[0] = a[0] * a[1]
    a[1] = b[0]
    b = a
    b *= x
    return np.sum(a) * b[0]


add(alias_broken_by_rebinding, lambda: (vec(3), 0.7), (0, 1), "alias rebind inplace", jit=True)


def slice_view(a, x):
    v = a[1:4]
    v[0] = x * a[0]
    a[2] *= v[0]
    v *= 2.0
    return np.sum(v * a[:3]) + a[3] * v[1]


add(slice_view, lambda: (vec(5), 0.7), (0, 1), "slice alias inplace", jit=True)


def view_of_view(a, x):
    v = a[1:]
    w = v[::2]
    u = w[::-1]
    u[0] = x
    w[0] *= a[0]
    v[1] = u[1] * w[1]
    a[3] += 1.0
    return np.sum(u * u) + np.sum(v) * a[2]


add(view_of_view, lambda: (vec(6), 0.7), (0, 1), "slice alias inplace", jit=True)


def row_views(m, x):
    row = m[0]
    last = m[-1]
    row[0] = x * last[1]
    m[0, 1] = row[0] * row[2]
    last += row
    for r in range(m.shape[0]):
        line = m[r]
        line[r] *= line[0]
    return np.sum(m * m)


add(row_views, lambda: (mat(3, 3), 0.7), (0, 1), "rows alias inplace", jit=True)


def column_views(m, x):
    col = m[:, 1]
    col[0] = x
    col *= m[:, 0]
    m[:, 2] = col * col
    m[1, 1] = col[2]
    return np.sum(col * m[:, 2]) + m[0, 0]


add(column_views, lambda: (mat(3, 3), 0.7), (0, 1), "columns alias inplace", jit=True)


def transpose_view(m, x):
    t = m.T
    t[0, 1] = x
    m[0, 1] *= t[0, 1]
    t[2] = t[0] * t[1]
    s = np.sum(t[0] * m[:, 1])
    t = t + 1.0
    t[0, 0] = 5.0
    return s + np.sum(m * m) + np.sum(t)


add(transpose_view, lambda: (mat(2, 3), 0.7), (0, 1), "transpose alias inplace", jit=True)


def reshape_view(a, x):
    m = a.reshape(2, 3)
    m[1, 0] = x * a[0]
    a[1] = m[1, 0] * m[0, 2]
    flat = m.reshape(-1)
    flat[5] *= flat[3]
    n = np.reshape(flat, (3, 2))
    n[0] += n[2]
    return np.sum(m[0] * m[1]) + a[5]


add(reshape_view, lambda: (vec(6), 0.7), (0, 1), "reshape alias inplace", jit=True)


def ravel_contiguous(m, x):
    f = m.ravel()
    f[1] = x * m[0, 0]
    m[1, 1] = f[1] * f[2]
    g = m.flatten()
    g[0] = 100.0 * x
    return np.sum(f * f) + m[0, 1] + g[0] * g[1]


add(ravel_contiguous, lambda: (mat(2, 2), 0.7), (0, 1), "ravel alias inplace", jit=True)


def ravel_strided(m, x):
    f = m[:, ::2].ravel()
    f[1] = x * m[0, 0]
    m[0, 2] = f[1] * f[0]
    g = m.T.ravel()
    g[0] *= 3.0
    m[0, 0] = g[1] * f[2]
    return np.sum(f * f) + np.sum(m * m) + np.sum(g * g)


add(ravel_strided, lambda: (mat(2, 3), 0.7), (0, 1), "ravel copy inplace", jit=True)


def ravel_of_argument(m, x):
    f = m.ravel()
    f[0] = x * f[1]
    m[0, 1] *= f[0]
    return np.sum(f * f) + np.sum(m)


add(ravel_of_argument, lambda: (mat(2, 2), 0.7), (0, 1), "ravel inplace")
add(ravel_of_argument, lambda: (np.asfortranarray(mat(2, 2)), 0.7), (0, 1), "ravel fortran inplace",
    name="ravel_of_fortran")  # fmt: skip
add(ravel_of_argument, lambda: (mat(2, 4)[:, ::2], 0.7), (0, 1), "ravel strided inplace",
    name="ravel_of_strided")  # fmt: skip


def reversed_view(a, x):
    r = a[::-1]
    r[0] = x
    a[0] = r[0] * r[1]
    r[1:3] += a[0:2]
    for i in range(len(a)):
        r[i] *= a[i] + 0.5
    return np.sum(a * r)


add(reversed_view, lambda: (vec(4), 0.7), (0, 1), "reversed alias inplace", jit=True)


def interleaved_views(a):
    even = a[::2]
    odd = a[1::2]
    even += odd
    odd *= even
    even[1] = odd[0]
    for i in range(len(even)):
        odd[i] -= even[i - 1] * 0.3
    return np.sum(a * a) + even[0] * odd[1]


add(interleaved_views, lambda: (vec(6),), (0,), "strided alias inplace", jit=True)


def overlapping_windows(a):
    left = a[:-1]
    right = a[1:]
    for i in range(len(left)):
        right[i] = right[i] * left[i]
        left[i] += 0.1 * right[i]
    return np.sum(left * right)


add(overlapping_windows, lambda: (vec(5),), (0,), "alias overlap inplace", jit=True)


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


add(views_made_in_loops, lambda: (mat(3, 3), 0.7), (0, 1), "alias loops inplace", jit=True)


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
add(conditional_view, lambda: (vec(5), 0.3, False), (0, 1), "alias if inplace",
    name="conditional_view_other")  # fmt: skip


def view_moves_along(a, x):
    v = a[0:2]
    for i in range(1, 4):
        v[0] *= x
        w = a[i : i + 2]
        w[1] += v[0] * v[1]
        v = w
    return np.sum(a) * v[0]


add(view_moves_along, lambda: (vec(5), 0.7), (0, 1), "alias rebind loops inplace", jit=True)


def swapped_views(a, x):
    u = a[:2]
    v = a[2:4]
    for i in range(3):
        u[0] += v[1] * x
        u, v = v, u
        v[1] *= u[0]
    u[:] = v * v
    return np.sum(a * a) + u[0]


add(swapped_views, lambda: (vec(4), 0.7), (0, 1), "alias swap inplace", jit=True)


def view_outlives_rebinding(a, x):
    v = a[1:3]
    a = a * x
    v[0] = a[0] * a[1]
    a[1] = v[0] + v[1]
    return np.sum(a * a) + v[0] * v[1]


add(view_outlives_rebinding, lambda: (vec(4), 0.7), (0, 1), "alias rebind inplace", jit=True)


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


add(blocks, lambda: (mat(4, 4), 0.7), (0, 1), "slice alias inplace", jit=True)


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


add(newaxis_view, lambda: (vec(3), 0.7), (0, 1), "newaxis alias inplace")


def contiguous_copies(m, x):
    c = np.ascontiguousarray(m)
    c[0, 0] *= x
    t = np.ascontiguousarray(m.T)
    t[1, 0] = c[0, 0]
    e = np.asarray(m)
    e[1, 1] *= 2.0
    return np.sum(m * m) + np.sum(t * t)


add(contiguous_copies, lambda: (mat(2, 2), 0.7), (0, 1), "copy alias inplace")


def accumulates_into_view(a, b):
    total = np.zeros(2)
    first = total[:1]
    for i in range(len(a)):
        first += a[i] * b[i]
        total[1] += first[0] * a[i]
    return total[0] * total[1]


add(accumulates_into_view, lambda: (vec(4), vec(4, 1)), (0, 1), "alias loops", jit=True)


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


add(returns_a_view, lambda: (vec(3), 0.7), (0, 1), "array_output alias inplace")
