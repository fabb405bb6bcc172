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


add(alias, lambda: (vec(3), 0.7), (0, 1), "alias inplace")


def alias_broken_by_rebinding(a, x):
    b = a
    b = b + x
    b[0] = a[0] * a[1]
    a[1] = b[0]
    b = a
    b *= x
    return np.sum(a) * b[0]


add(alias_broken_by_rebinding, lambda: (vec(3), 0.7), (0, 1), "alias rebind inplace")


def slice_view(a, x):
    v = a[1:4]
    v[0] = x * a[0]
    a[2] *= v[0]
    v *= 2.0
    return np.sum(v * a[:3]) + a[3] * v[1]


add(slice_view, lambda: (vec(5), 0.7), (0, 1), "slice alias inplace")


def view_of_view(a, x):
    v = a[1:]
    w = v[::2]
    u = w[::-1]
    u[0] = x
    w[0] *= a[0]
    v[1] = u[1] * w[1]
    a[3] += 1.0
    return np.sum(u * u) + np.sum(v) * a[2]


add(view_of_view, lambda: (vec(6), 0.7), (0, 1), "slice alias inplace")


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


add(ravel_contiguous, lambda: (mat(2, 2), 0.7), (0, 1), "ravel alias inplace")


def ravel_strided(m, x):
    f = m[:, ::2].ravel()
    f[1] = x * m[0, 0]
    m[0, 2] = f[1] * f[0]
    g = m.T.ravel()
    g[0] *= 3.0
    m[0, 0] = g[1] * f[2]
    return np.sum(f * f) + np.sum(m * m) + np.sum(g * g)


add(ravel_strided, lambda: (mat(2, 3), 0.7), (0, 1), "ravel copy inplace")


def ravel_of_argument(m, x):
    f = m.ravel()
    f[0] = x * f[1]
    m[0, 1] *= f[0]
    return np.sum(f * f) + np.sum(m)


add(ravel_of_argument, lambda: (mat(2, 2), 0.7), (0, 1), "ravel inplace")
add(
    ravel_of_argument,
    lambda: (np.asfortranarray(mat(2, 2)), 0.7),
    (0, 1),
    "ravel fortran inplace",
    name="ravel_of_fortran",
    jit=True,
)
add(
    ravel_of_argument,
    lambda: (mat(2, 4)[:, ::2], 0.7),
    (0, 1),
    "ravel strided inplace",
    name="ravel_of_strided",
    jit=True,
)


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
