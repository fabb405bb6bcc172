"""Special arrays: 0-d, empty, Fortran, strided, read-only, float32, integer, 3-d; array results."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def copies(a):
    b = a.copy()
    c = np.copy(a)
    a[0] *= a[1]
    b[1] = a[0] * c[0]
    c = a
    c[2] = b[1]
    return np.sum(a * b) + np.sum(c)


add(copies, lambda: (vec(3),), (0,), "copy inplace alias", jit=True)


def zero_dimensional(z, a):
    t = np.array(2.0)
    t[()] = z[()] * a[0]
    u = np.zeros(())
    u[...] = t[()] * a[1]
    z[()] = u[()] + z[()]
    return z[()] * t[()] + u[()]


add(zero_dimensional, lambda: (np.array(0.7), vec(2)), (0, 1), "zerod inplace", jit=True)


def empty_arrays(e, a):
    s = np.sum(e) + a[0]
    for v in e:
        s += v * 100.0
    f = np.zeros(0)
    t = a[2:1] * 2.0
    e[:] = 3.0
    a[3:] *= 7.0
    return s * a[1] + np.sum(t) + len(e) + np.sum(f) + np.prod(f)


add(empty_arrays, lambda: (np.zeros(0), vec(3)), (0, 1), "empty")


def empty_matrix(m, a):
    s = a[0] * np.sum(m)
    for row in m:
        s += row[0]
    return s + m.shape[0] * a[1] + m.shape[1] * a[0]


add(empty_matrix, lambda: (np.zeros((0, 3)), vec(2)), (0, 1), "empty", jit=True)


def layouts(m, x):
    s = 0.0
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            s += m[i, j] * (i + 1.0) * x**j
    m[0] *= x
    m[:, 1] += m[:, 0]
    n = m.copy()
    m[1, 1] = s
    return s + np.sum(m * m) + np.sum(n @ n.T) + np.sum(m.sum(axis=0) ** 2)


add(layouts, lambda: (mat(3, 2), 0.7), (0, 1), "layout inplace")
add(
    layouts,
    lambda: (np.asfortranarray(mat(3, 2)), 0.7),
    (0, 1),
    "layout fortran inplace",
    name="layouts_fortran",
)
add(
    layouts,
    lambda: (mat(6, 6)[::2, 1:5:2], 0.7),
    (0, 1),
    "layout strided inplace",
    name="layouts_strided",
)
add(
    layouts,
    lambda: (mat(3, 2)[::-1, ::-1], 0.7),
    (0, 1),
    "layout reversed inplace",
    name="layouts_reversed",
)
add(
    layouts,
    lambda: (mat(2, 3).T, 0.7),
    (0, 1),
    "layout fortran inplace",
    name="layouts_transposed",
    jit=True,
)


def read_only(a):
    a.flags.writeable = False
    return a


def reads_only(a, x):
    b = a * x
    b[0] = a[1]
    s = 0.0
    for v in a:
        s += v * b[0]
    c = a[1:]
    return s + np.sum(c * c) + np.sum(b)


add(reads_only, lambda: (read_only(vec(4)), 0.7), (0, 1), "readonly", jit=True)
add(reads_only, lambda: (vec(8)[::2], 0.7), (0, 1), "strided", name="reads_only_strided")
add(reads_only, lambda: (vec(4)[::-1], 0.7), (0, 1), "strided", name="reads_only_reversed")
add(reads_only, lambda: (vec(4), 0.7), (0, 1), "readonly", name="reads_only_plain", jit=True)


def single_precision(a, b, x):
    c = a * b + x
    s = np.float32(0.0)
    for i in range(len(a)):
        s += a[i] * b[i]
    a[0] = a[1] * x
    return np.sum(c) * s + a[0]


add(
    single_precision,
    lambda: (vec(3).astype(np.float32), vec(3, 1).astype(np.float32), 0.7),
    (0, 1, 2),
    "float32 inplace",
)
add(
    single_precision,
    lambda: (vec(3).astype(np.float32), vec(3, 1), 0.7),
    (0, 1, 2),
    "float32 mixed inplace",
    name="mixed_precision",
    jit=True,
)


def single_precision_inside(a, x):
    t = np.zeros(len(a), dtype=np.float32)
    t[:] = a * x
    u = a.astype(np.float32) * t
    return np.sum(u) + t[0] * x


add(single_precision_inside, lambda: (vec(3), 0.7), (0, 1), "float32 cast")


def integer_arrays(a, n):
    k = np.arange(n)
    counts = np.zeros(n, dtype=np.int64)
    weights = np.ones(n, np.int64) * 2
    for i in range(n):
        counts[int(a[i] * 3.0) % n] += 1
        weights[i] += i
    s = np.sum(a * k) + np.sum(counts * a**2)
    return s + a[counts[0]] * weights[1] / 2 + k.sum()


add(integer_arrays, lambda: (vec(4), 4), (0,), "int")


def integers_from_floats(a, x):
    bins = np.zeros(3, dtype=np.int64)
    for i in range(len(a)):
        bins[i % 3] = int(10.0 * a[i])
    t = a.astype(np.int64)
    return x * bins[0] + np.sum(bins * x) + a[0] * t[0]


add(integers_from_floats, lambda: (vec(4), 0.7), (0, 1), "int cast", jit=True)


def float_from_integers(k, x):
    f = k * 0.5
    f[0] = x
    g = k.astype(np.float64)
    g[1] = f[0] * x
    h = np.asarray(k) / 2
    return np.sum(f * g) + h[1] * x


add(float_from_integers, lambda: (np.array([1, 2, 3]), 0.7), (1,), "int cast", jit=True)


def three_dimensions(t, x):
    s = 0.0
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            for k in range(t.shape[2]):
                s += t[i, j, k] * (1.0 + i + 0.1 * j * k)
                t[i, j, k - 1] *= x
    t[0, :, 1] = t[1, :, 0]
    t[1] += t[0]
    return s + np.sum(t[..., 0] * t[:, :, 1])


add(three_dimensions, lambda: (vec(8).reshape(2, 2, 2), 0.7), (0, 1), "ndim inplace")


def shapes_drive_loops(m, a):
    s = 0.0
    rows, cols = m.shape
    for i in range(min(m.size, len(a)) + m.ndim):
        s += m[i % rows, i % cols] * a[i % a.shape[0]]
    for i, j in np.ndindex(rows, cols):
        s += m[i, j] * s
    return s * a.size


add(shapes_drive_loops, lambda: (mat(2, 3), vec(3)), (0, 1), "shape ndindex", jit=True)


def elementwise_functions(a, b):
    s = np.sum(np.maximum(a, b) + np.minimum(a, 0.8) * np.abs(a - b))
    s += np.sum(np.arctan2(a, b) + np.power(a, b) + np.hypot(a, b) + np.sqrt(a * b))
    s += np.sum(np.log(a) + np.tanh(b) + np.sign(a - b) * a + np.floor(3.0 * b) * a)
    s += np.sum(np.exp(a) / np.cosh(b) + a % 0.25 + np.square(a) - np.negative(b))
    return s


add(elementwise_functions, lambda: (vec(3), vec(3, 1)), (0, 1), "elementary")


def clipping(a, low, high):
    b = np.clip(a, low, high)
    c = a.copy()
    for i in range(len(a)):
        c[i] = min(max(a[i], low), high)
    return np.sum(b * a) + np.sum(c * b)


add(clipping, lambda: (vec(5), 0.6, 1.1), (0, 1, 2), "clip", jit=True)


def linear_algebra(m, b):
    x = np.linalg.solve(m, b)
    y = np.linalg.inv(m) @ b
    return x @ y + np.linalg.det(m) + np.linalg.norm(b) * x[0]


add(linear_algebra, lambda: (mat(3, 3) + 2.0 * np.eye(3), vec(3)), (0, 1), "linalg")


def reordering(m, a):
    b = np.flip(a) * a
    c = np.roll(a, 1) * np.repeat(a[:1], len(a))
    d = np.diag(a) + np.triu(m) - np.tril(m)
    e = np.diff(a)
    return np.sum(b * c) + np.sum(d @ m) + np.sum(e * e) + np.sum(np.fliplr(m)[0] * m[0])


add(reordering, lambda: (mat(3, 3), vec(3)), (0, 1), "reorder")


def returns_arrays(a, x):
    b = a * x
    a[0] = x
    return b, (a, np.sum(b)), a[1:] * b[1:]


add(returns_arrays, lambda: (vec(3), 0.7), (0, 1), "array_output tuple inplace")


def overwrites_arguments(a, b):
    s = a[0] * b[0]
    a[:] = b * s
    b[0] = a[1] * a[2]
    a[0] = 1.0
    return s * b[0] + a[1]


add(overwrites_arguments, lambda: (vec(3), vec(3, 1)), (0, 1), "inplace exit")


def overwritten_after_use(a, n):
    s = 0.0
    for i in range(n):
        for j in range(len(a)):
            s += a[j] * a[j] * s + a[j]
            a[j] = np.sin(a[j] + i)
        a[i] = 0.0
    return s


add(overwritten_after_use, lambda: (vec(3), 3), (0,), "inplace tbr", jit=True)


def nested_index(m, a):
    s = 0.0
    for i in range(m.shape[0]):
        m[i][0] = a[i] * m[i][1]
        s += m[i][-1] * m[i, 0]
    return s + m[0][0]


add(nested_index, lambda: (mat(3, 2), vec(3)), (0, 1), "index chain inplace", jit=True)


def no_result(a, x):
    for i in range(len(a)):
        a[i] *= x


add(no_result, lambda: (vec(3), 0.7), (0, 1), "exit inplace no_output", jit=True)
