"""Programs that once came out wrong, found by transforms of transforms and by mutants."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def returns_zero_dimensional(x):
    z = np.zeros(())
    z[()] = x * x
    return z


add(returns_zero_dimensional, lambda: (0.7,), (0,), "zerod array_output")


def regular():
    """A matrix far from singular."""
    return mat(3, 3) + 2.0 * np.eye(3)


def powers(x, n):
    """A fresh array from a call that is not expanded: it has a shadow of its own."""
    if n == 0:
        out = np.ones(2)
        out[1] = x
        return out
    half = powers(x * 0.9, n - 1)
    half[0] = half[0] * half[1] + x
    return half * x


def recursive_array(x, n):
    a = powers(x, n)
    b = powers(x * a[0], n)
    return np.sum(a * b)


add(recursive_array, lambda: (0.7, 3), (0,), "recursion")


def filled(a, x, n):
    """Returns the array it was given."""
    if n == 0:
        return a
    a[n % 3] = a[(n + 1) % 3] * x
    return filled(a, x * a[n % 3], n - 1)


def recursive_alias(a, x, n):
    b = filled(a, x, n)
    b[0] = b[0] * b[1]
    return np.sum(a * b) * a[2]


add(recursive_alias, lambda: (vec(3), 0.7, 4), (0, 1), "recursion alias inplace")


def recursive_alias_in_loop(a, x, n):
    s = 0.0
    for k in range(n):
        b = filled(a, x, k)
        b[0] = b[0] * b[1] + x
        s += a[0] * b[2]
    return s


add(recursive_alias_in_loop, lambda: (vec(3), 0.7, 4), (0, 1), "recursion alias inplace")


def solution_overwritten(m, y):
    x = np.linalg.solve(m, y)
    s = x[0] * x[1]
    x[0] = s * x[1]
    x[1:] *= x[0]
    return np.sum(x * x)


add(solution_overwritten, lambda: (regular(), vec(3)), (0, 1), "linalg inplace")


def solutions_overwritten(m, y, n):
    s = 0.0
    for k in range(n):
        x = np.linalg.solve(m, y)
        x[0] = x[0] * x[1]
        y = x + y
        s += np.sum(x * x)
    return s


add(solutions_overwritten, lambda: (regular(), vec(3), 3), (0, 1), "linalg inplace")


def inverse_overwritten(m):
    w = np.linalg.inv(m)
    s = np.sum(w * w)
    w[0, 0] = s * w[1, 0]
    w[1] *= w[0]
    return np.sum(w)


add(inverse_overwritten, lambda: (regular(),), (0,), "linalg inplace")


def factor_overwritten(m):
    a = m @ m.T + 3.0 * np.eye(3)
    low = np.linalg.cholesky(a)
    low[2] = low[2] * low[0, 0]
    low[0, 0] *= low[1, 1]
    return np.sum(low * low)


add(factor_overwritten, lambda: (regular(),), (0,), "linalg inplace")


def operands_overwritten(m, y):
    x = np.linalg.solve(m, y)
    m[0] = x
    m[1, 0] *= x[1]
    y[:] = m @ x
    y *= 2.0
    d = np.linalg.det(m)
    m *= d
    return np.sum(y) + np.sum(m)


add(operands_overwritten, lambda: (regular(), vec(3)), (0, 1), "linalg inplace")


def prefix_product_rows(m, n):
    w = m.copy()
    for k in range(n):
        w = w @ m
        w[0] *= w[1, 0]
        m[0, 1] = w[0, 0] * 0.1
    return np.sum(w)


add(prefix_product_rows, lambda: (0.5 * mat(2, 2), 3), (0,), "linalg inplace")


def zero_residual_log(a):
    """The adjoint of the logarithm is zero where the fit is perfect; its derivative is not."""
    s = 0.0
    for i in range(len(a)):
        s += np.log(a[i]) ** 2
    return s


add(zero_residual_log, lambda: (np.array([1.0, 0.7, 1.0]),), (0,), "special loops", jit=True)


def zero_residual_roots(a, y):
    """As above, for guarded rules of one and of two operands."""
    s = 0.0
    for i in range(len(a)):
        r = math.sqrt(a[i]) - y[i]
        q = a[i] ** y[i] - 1.0
        s += r * r + q * q + y[i] * math.asin(a[i] - 1.0)
    return s


add(
    zero_residual_roots,
    lambda: (np.array([1.0, 1.21, 0.9]), np.array([1.0, 1.1, 0.0])),
    (0, 1),
    "special loops",
)


def else_leaves_the_loop_around(a, n):
    """``break`` and ``continue`` in the ``else`` of a loop belong to the loop around it."""
    s = 0.0
    for i in range(len(a)):
        for j in range(i):
            if a[j] * n > a[i]:
                break
            s += a[j] * a[i]
        else:
            if i == n:
                break
            s *= a[i]
            continue
        s += a[i] ** 3
    else:
        s = s * s
    return s


add(else_leaves_the_loop_around, lambda: (np.sort(vec(5)), 2), (0,), "for else break", jit=True)
add(
    else_leaves_the_loop_around,
    lambda: (np.sort(vec(5)), 9),
    (0,),
    "for else break",
    name="else_continues_the_loop_around",
)


def else_of_other_loops(a, x):
    s = x
    for i in range(len(a)):
        for v in (a[i], x):
            if v > 3.0:
                break
        else:
            if i == 2:
                break
        k = 0
        while k < i:
            k += 1
            if k > 5:
                break
        else:
            if i == 1:
                continue
        s += a[i] * s
    return s


add(else_of_other_loops, lambda: (vec(4), 0.7), (0, 1), "for else while unrolled break")


def comprehension_over_its_own_name(a, x):
    v = a
    vals = [v * x for v in v]
    vals += [v * len(vals) for v in zip(v, v) for v in v if v > 0.3]
    return sum(vals) + v[0]


add(comprehension_over_its_own_name, lambda: (vec(4), 0.7), (0, 1), "list scope", njit=False)


def far_from_a_kept_reference(x, y, z, n):
    m = x if z > 0.5 else y  # stays where it is, just too many operations away from w
    s = 0.3
    for i in range(n):
        r = m[i % 2]
        w = r[i]
        w = (w * 0.5 + i) * 0.5 + i
        w = (w * 0.5 + i) * 0.5 + i
        w = (w * 0.5 + i) * 0.5 + i
        w = (w * 0.5 + i) * 0.5 + i
        w = (w * 0.5 + i) * 0.5 + i
        w = (w * 0.5 + i) * 0.5 + i
        w = (w * 0.5 + i) * 0.5 + i
        s = math.sin(s) * math.sin(w) * r[0]
    return s


add(far_from_a_kept_reference, lambda: (mat(2, 3), mat(2, 3, 1), 0.7, 3), (0, 1, 2), "view loops")


def returns_before_columns_are_bound(m, x):
    if x > 5.0:
        return x
    a = m.T
    column = a[:, 1]
    if x > 4.0:
        return x * a[0, 0]
    b = np.asfortranarray(m * x)
    row = b[1]
    for k in range(2):
        if x > 3.0:
            return column[0]
        column[k] *= x
        first = b[:, k]
    first[0] = first[1] * x
    return np.sum(column * x) + np.sum(a * a) + np.sum(b * b) + row[0]


add(returns_before_columns_are_bound, lambda: (mat(3, 3), 0.7), (0, 1), "exits views", jit=True)
