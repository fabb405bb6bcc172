"""Order of evaluation, what is read when, shadowed names, dead code, special values."""

import numpy as xp

from tests.zoo.registry import add, mat, vec


def bump(a):
    a[0] = a[0] * 1.5 + a[1]
    return a[0]


def operand_before_mutation(a):
    s = a[0] + bump(a) * a[0]
    s = s * bump(a) + bump(a)
    return s - a[0] * bump(a)


add(operand_before_mutation, lambda: (vec(2),), (0,), "order mutate inplace", jit=True)


def third_of(a, x, y):
    return a[0] * x - y


def arguments_in_order(a):
    s = third_of(a, bump(a), a[0])
    t = (a[0], bump(a), a[0])
    return s + t[0] * t[1] - t[2] + xp.sum(xp.array([a[0], bump(a), a[1]]) ** 2)


add(arguments_in_order, lambda: (vec(2),), (0,), "order mutate inplace")


def short_circuit_skips_mutation(a, flag):
    s = 0.0
    if flag and bump(a) > 0.0:
        s += a[0]
    if flag or bump(a) > 0.0:
        s += a[0] * a[0]
    if 0.0 < bump(a) < 1e-9 < bump(a):
        s = 0.0
    s += bump(a) if flag else a[1]
    return s * (a[0] if not flag else bump(a))


add(short_circuit_skips_mutation, lambda: (vec(2), True), (0,), "order mutate inplace")
add(
    short_circuit_skips_mutation,
    lambda: (vec(2), False),
    (0,),
    "order mutate inplace",
    name="short_circuit_mutates",
)


def targets_left_to_right(a, x):
    i = 0
    i, a[i] = i + 1, x * a[1]
    a[i], i = a[0] * 2.0, i + 1
    a[i] = y = a[1] * x
    a[0] = a[1] = y * a[0]
    return xp.sum(a) * y


add(targets_left_to_right, lambda: (vec(3), 0.7), (0, 1), "order tuple inplace")


def index_read_before_write(a, k):
    for i in range(len(a)):
        j = k[i]
        k[i] = (j + 1) % len(a)
        a[k[i]] += a[j] * a[k[i - 1]]
    return xp.sum(a * k)


add(index_read_before_write, lambda: (vec(3), xp.array([2, 0, 1])), (0,), "order int inplace")


def target_index_once(a, x):
    k = -1
    for _ in range(len(a)):
        a[(k := k + 1)] += x * a[k - 1]
    return xp.sum(a * a)


add(target_index_once, lambda: (vec(3), 0.7), (0, 1), "order walrus inplace", jit=True)


def iterates_over_changing_array(a):
    s = 0.0
    for v in a:
        a[-1] += v * 0.5
        s += v * a[-1]
    for i, v in enumerate(a[:-1]):
        a[i + 1] *= v
        s += v
    return s


add(iterates_over_changing_array, lambda: (vec(4),), (0,), "order iterate inplace", jit=True)


def iterates_over_rebound_array(a, x):
    s = x
    for v in a:
        a = a * x
        s += v * a[0]
    for u, v in zip(a, a[::-1]):
        a = a + u
        s += u * v * a[1]
    return s


add(iterates_over_rebound_array, lambda: (vec(3), 0.7), (0, 1), "order iterate rebind")


def rows_of_changing_matrix(m):
    s = 0.0
    for row in m:
        m[-1] += row
        row *= 0.5
        s += row[0] * m[-1, 1]
    return s


add(rows_of_changing_matrix, lambda: (mat(3, 2),), (0,), "order iterate inplace")


def iterates_over_planes(t):
    s = 0.0
    for plane in t:
        for row in plane.T:
            row[0] += row[1] * s
            s += row[0] * row[-1]
    return s


add(
    iterates_over_planes, lambda: (vec(8).reshape(2, 2, 2),), (0,), "iterate ndim inplace", jit=True
)


def growing_list(x):
    values = [x]
    for i in range(3):
        for k in range(len(values)):
            values.append(values[k] * x + i)
    return values[-1] * values[2] + len(values)


add(growing_list, lambda: (0.7,), (0,), "order list loops")
