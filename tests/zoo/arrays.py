"""Arrays: elements, slices, masks, index arrays, broadcasting, reductions, allocation, layouts."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def element_reads(a, k):
    return a[0] * a[-1] + a[k] * a[k - 1] ** 2 + a[len(a) // 2] * a[-k]


add(element_reads, lambda: (vec(5), 2), (0,), "index", jit=True)


def element_writes(a, x):
    a[0] = x * a[1]
    a[-1] = a[0] * a[2]
    a[1] = x
    a[1] = a[1] * a[0]
    a[2] = 3
    return a[0] + a[1] * a[-1] + a[2] * x


add(element_writes, lambda: (vec(4), 0.7), (0, 1), "index inplace", jit=True)


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


add(element_updates, lambda: (vec(4), 0.7), (0, 1), "index inplace augmented", jit=True)


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


add(integer_array_index, lambda: (vec(4), np.array([2, 0, 2, 3, 1])), (0,), "index int inplace",
    jit=True)  # fmt: skip


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


add(whole_array_updates, lambda: (vec(4), vec(4, 1), 0.7), (0, 1, 2), "inplace augmented", jit=True)


def slice_assignment(a, b, x):
    a[1:3] = b[:2]
    a[3:] = x
    b[:] = a[:4] * x
    a[:2] = 0.0
    a[0:1] = b[2:3] * b[3:4]
    return np.sum(a * a) + np.sum(b)


add(slice_assignment, lambda: (vec(5), vec(4), 0.7), (0, 1, 2), "slice inplace", jit=True)


def whole_array_expression(a, b, x):
    c = a * b + np.sin(a) / (1.0 + b**2)
    d = np.exp(-c) - x * c
    c = d * d * x + 2
    return np.sum(c * a) + np.sum(np.sqrt(b) * d)


add(whole_array_expression, lambda: (vec(4), vec(4, 1), 0.7), (0, 1, 2), "expression", jit=True)


def broadcasting(m, row, col, x):
    t = m * row + col.reshape(3, 1) * x
    t = t / row - np.expand_dims(col, 1)
    u = row * t[0] + x
    return np.sum(t * t) + np.sum(u * m)


add(broadcasting, lambda: (mat(3, 2), vec(2), vec(3), 0.7), (0, 1, 2, 3), "broadcast", jit=True)


def broadcasting_into_place(m, row, x):
    m += row
    m[:, 0] *= x
    m[1] = row * x
    m[:] = m * row[0]
    m[:, 1:] -= m[:, :1]
    return np.sum(m * m)


add(broadcasting_into_place, lambda: (mat(3, 2), vec(2), 0.7), (0, 1, 2), "broadcast inplace",
    jit=True)  # fmt: skip


def outer_broadcast(a, b):
    t = a[:, None] * b[None, :] + a[:, np.newaxis]
    return np.sum(t * t) + t[1, 2]


add(outer_broadcast, lambda: (vec(2), vec(3)), (0, 1), "broadcast newaxis")


def reductions(a, m):
    s = a.sum() + a.mean() * a.prod() + a.max() * a.min()
    s += np.sum(m) * np.mean(m) + np.prod(a) + np.max(m) - np.min(m)
    s += a.std() + np.var(a)
    return s * a[np.argmin(a)] + m[0, 0] * a[a.argmax()]


add(reductions, lambda: (vec(4), mat(2, 3)), (0, 1), "reduction", jit=True)


def axis_reductions(m):
    rows = np.sum(m, axis=1)
    cols = m.sum(axis=0)
    return np.sum(rows * rows) + cols[0] * cols[-1] + np.sum(m.sum(axis=-1))


add(axis_reductions, lambda: (mat(2, 3),), (0,), "reduction axis")


def running_sums(a):
    c = np.cumsum(a)
    d = a.cumsum() * c
    return c[-1] * d[1] + np.sum(c)


add(running_sums, lambda: (vec(4),), (0,), "reduction cumsum")


def product_with_zero(a, x):
    a[1] = 0.0
    return np.prod(a) + x * a[0]


add(product_with_zero, lambda: (vec(3), 0.7), (0, 1), "reduction")


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


add(mask_argument, lambda: (vec(4), np.array([True, False, True, False]), 0.7), (0, 2),
    "mask inplace")  # fmt: skip


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


add(products, lambda: (mat(2, 3), mat(3, 2), vec(3), vec(3, 1)), (0, 1, 2, 3), "matmul")


def matrix_chain(m, a):
    for _ in range(3):
        a = np.tanh(m @ a)
    t = m @ m.T
    return np.sum(a) + np.trace(t) + np.sum(np.outer(a, a) * t)


add(matrix_chain, lambda: (mat(3, 3), vec(3)), (0, 1), "matmul", jit=True)


def matmul_by_loops(a, b):
    n, m, k = a.shape[0], b.shape[1], a.shape[1]
    c = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            for p in range(k):
                c[i, j] += a[i, p] * b[p, j]
    return c


add(matmul_by_loops, lambda: (mat(2, 3), mat(3, 2)), (0, 1), "array_output loops", jit=True)


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


add(allocation_in_loops, lambda: (vec(3), 3), (0,), "allocation loops", jit=True)


def allocations(x, y):
    a = np.array([x, y, x * y])
    b = np.array([[x, 1.0], [2.0, y]])
    c = np.full((2, 2), y)
    d = np.linspace(0.0, 1.0, 3) * a + np.arange(3)
    e = np.eye(2) * x + np.ones((2, 2)) - np.full_like(c, 2.0)
    f = np.array((y, x)) + np.arange(0.5, 2.0, 1.0) + np.empty_like(c).shape[0]
    return np.sum(a * d) + np.sum(b @ c * e) + f[0] * f[1]


add(allocations, lambda: (0.7, 1.3), (0, 1), "allocation", jit=True)


def joins(a, b):
    c = np.concatenate((a, b))
    d = np.stack((a, b[:2]))
    e = np.hstack((c, a)) * 2.0
    f = np.vstack((b[:2], a))
    return c[1] * c[-1] + np.sum(d * d) + e[3] * e[0] + f[1, 0] * f[0, 1]


add(joins, lambda: (vec(2), vec(3)), (0, 1), "concatenate")


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


add(ping_pong, lambda: (vec(4), 3), (0,), "pingpong inplace", jit=True)


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


add(rebinding, lambda: (vec(3), 3), (0,), "rebind", jit=True)


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


add(zero_dimensional, lambda: (np.array(0.7), vec(2)), (0, 1), "zerod inplace")


def empty_arrays(e, a):
    s = np.sum(e) + a[0]
    for v in e:
        s += v * 100.0
    f = np.zeros(0)
    t = a[2:1] * 2.0
    e[:] = 3.0
    a[3:] *= 7.0
    return s * a[1] + np.sum(t) + len(e) + np.sum(f) + np.prod(f)


add(empty_arrays, lambda: (np.zeros(0), vec(3)), (0, 1), "empty", jit=True)


def empty_matrix(m, a):
    s = a[0] * np.sum(m)
    for row in m:
        s += row[0]
    return s + m.shape[0] * a[1] + m.shape[1] * a[0]


add(empty_matrix, lambda: (np.zeros((0, 3)), vec(2)), (0, 1), "empty")


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


add(layouts, lambda: (mat(3, 2), 0.7), (0, 1), "layout inplace", jit=True)
add(layouts, lambda: (np.asfortranarray(mat(3, 2)), 0.7), (0, 1), "layout fortran inplace",
    name="layouts_fortran", jit=True)  # fmt: skip
add(layouts, lambda: (mat(6, 6)[::2, 1:5:2], 0.7), (0, 1), "layout strided inplace",
    name="layouts_strided")  # fmt: skip
add(layouts, lambda: (mat(3, 2)[::-1, ::-1], 0.7), (0, 1), "layout reversed inplace",
    name="layouts_reversed")  # fmt: skip
add(layouts, lambda: (mat(2, 3).T, 0.7), (0, 1), "layout fortran inplace", name="layouts_transposed")


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
add(reads_only, lambda: (vec(4), 0.7), (0, 1), "readonly", name="reads_only_plain")


def single_precision(a, b, x):
    c = a * b + x
    s = np.float32(0.0)
    for i in range(len(a)):
        s += a[i] * b[i]
    a[0] = a[1] * x
    return np.sum(c) * s + a[0]


add(single_precision,
    lambda: (vec(3).astype(np.float32), vec(3, 1).astype(np.float32), 0.7), (0, 1, 2),
    "float32 inplace", jit=True)  # fmt: skip
add(single_precision, lambda: (vec(3).astype(np.float32), vec(3, 1), 0.7), (0, 1, 2),
    "float32 mixed inplace", name="mixed_precision")  # fmt: skip


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


add(integer_arrays, lambda: (vec(4), 4), (0,), "int", jit=True)


def integers_from_floats(a, x):
    bins = np.zeros(3, dtype=np.int64)
    for i in range(len(a)):
        bins[i % 3] = int(10.0 * a[i])
    t = a.astype(np.int64)
    return x * bins[0] + np.sum(bins * x) + a[0] * t[0]


add(integers_from_floats, lambda: (vec(4), 0.7), (0, 1), "int cast")


def float_from_integers(k, x):
    f = k * 0.5
    f[0] = x
    g = k.astype(np.float64)
    g[1] = f[0] * x
    h = np.asarray(k) / 2
    return np.sum(f * g) + h[1] * x


add(float_from_integers, lambda: (np.array([1, 2, 3]), 0.7), (1,), "int cast")


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


add(three_dimensions, lambda: (vec(8).reshape(2, 2, 2), 0.7), (0, 1), "ndim inplace", jit=True)


def shapes_drive_loops(m, a):
    s = 0.0
    rows, cols = m.shape
    for i in range(min(m.size, len(a)) + m.ndim):
        s += m[i % rows, i % cols] * a[i % a.shape[0]]
    for i, j in np.ndindex(rows, cols):
        s += m[i, j] * s
    return s * a.size


add(shapes_drive_loops, lambda: (mat(2, 3), vec(3)), (0, 1), "shape ndindex")


def elementwise_functions(a, b):
    s = np.sum(np.maximum(a, b) + np.minimum(a, 0.8) * np.abs(a - b))
    s += np.sum(np.arctan2(a, b) + np.power(a, b) + np.hypot(a, b) + np.sqrt(a * b))
    s += np.sum(np.log(a) + np.tanh(b) + np.sign(a - b) * a + np.floor(3.0 * b) * a)
    s += np.sum(np.exp(a) / np.cosh(b) + a % 0.25 + np.square(a) - np.negative(b))
    return s


add(elementwise_functions, lambda: (vec(3), vec(3, 1)), (0, 1), "elementary", jit=True)


def clipping(a, low, high):
    b = np.clip(a, low, high)
    c = a.copy()
    for i in range(len(a)):
        c[i] = min(max(a[i], low), high)
    return np.sum(b * a) + np.sum(c * b)


add(clipping, lambda: (vec(5), 0.6, 1.1), (0, 1, 2), "clip")


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


add(returns_arrays, lambda: (vec(3), 0.7), (0, 1), "array_output tuple inplace", jit=True)


def overwrites_arguments(a, b):
    s = a[0] * b[0]
    a[:] = b * s
    b[0] = a[1] * a[2]
    a[0] = 1.0
    return s * b[0] + a[1]


add(overwrites_arguments, lambda: (vec(3), vec(3, 1)), (0, 1), "inplace exit", jit=True)


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


add(nested_index, lambda: (mat(3, 2), vec(3)), (0, 1), "index chain inplace")


def no_result(a, x):
    for i in range(len(a)):
        a[i] *= x


add(no_result, lambda: (vec(3), 0.7), (0, 1), "exit inplace no_output")
