"""Products of vectors, matrices and stacks: dot, matmul, vdot, inner, vecdot, multi_dot."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import product
from srcad.library.registry import implements, refuse
from srcad.library.stacks import each_pair, leading


def times(a, b):
    """The product of two matrices."""
    return a @ b


def check_inner(m, n):
    """Refuse factors whose sizes do not fit."""
    if m != n:
        raise ValueError("matmul: the inner sizes of the factors do not match")


def named(module, *names):
    """The functions of these names that this NumPy has."""
    return [getattr(module, n) for n in names if hasattr(module, n)]


@implements(
    np.matmul,
    *named(np.linalg, "matmul"),
    samples=lambda d: [
        d.call(d.mat(2, 3), d.mat(3, 2)),
        d.call(d.vec(3), d.vec(3)),
        d.call(d.arr(2, 2, 3), d.arr(2, 3, 2)),
        d.call(d.arr(2, 1, 2, 3), d.arr(3, 3, 2)),
        d.call(d.arr(2, 2, 3), d.mat(3, 2)),
        d.call(d.mat(2, 3), d.arr(2, 3, 2)),
        d.call(d.arr(2, 2, 3), d.vec(3)),
        d.call(d.vec(3), d.arr(2, 3, 2)),
        d.value(d.ints(0, 9, 2, 3), d.ints(0, 9, 3, 2)),
    ],
)
def matmul(a, b, out=None):
    """The product of matrices, or of the matrices of stacks."""
    if out is not None:
        refuse("np.matmul into an array", "out[...] = a @ b")
    a, b = np.asarray(a), np.asarray(b)
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return a @ b
    if np.ndim(a) == 1:
        return np.matmul(a[None, :], b)[..., 0, :]
    if np.ndim(b) == 1:
        return np.matmul(a, b[:, None])[..., 0]
    check_inner(a.shape[-1], b.shape[-2])
    if np.ndim(b) == 2:
        rows = np.ascontiguousarray(a).reshape((product(a.shape[:-1]), a.shape[-1]))
        return (rows @ b).reshape((*a.shape[:-1], b.shape[-1]))
    shape = (*leading(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    out = np.empty(shape, np.result_type(a, b))
    each_pair(times, a, b, out)
    return out


@implements(
    np.dot,
    samples=lambda d: [
        d.call(d.vec(3), d.vec(3)),
        d.call(d.mat(2, 3), d.vec(3)),
        d.call(d.arr(2, 2, 3), d.mat(3, 2)),
        d.call(d.mat(2, 3), d.arr(2, 3, 2)),
        d.call(d.arr(2, 1, 3), d.vec(3)),
        d.call(d.num(), d.vec(2)),
        d.call(d.num(), d.num()),
        d.value(d.ints(0, 9, 3), d.ints(0, 9, 3)),
        d.value([1, 2], [3, 4]),
    ],
    method="dot",
)
def dot(a, b, out=None):
    """The sum over the last axis of the first and the last but one of the second."""
    if out is not None:
        refuse("np.dot into an array", "out[...] = np.dot(a, b)")
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    a, b = np.asarray(a), np.asarray(b)
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return a @ b
    if np.ndim(b) == 1:
        return np.tensordot(a, b, (-1, 0))
    return np.tensordot(a, b, (-1, -2))


@implements(
    np.vdot,
    samples=lambda d: [
        d.call(d.vec(3), d.vec(3)),
        d.call(d.mat(2, 3), d.mat(2, 3)),
        d.call(d.num(), d.num()),
        d.value([1, 2], [3, 4]),
    ],
)
def vdot(a, b):
    """The product of two arrays as vectors."""
    if np.ndim(a) == 0 and np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.ravel(a) @ np.ravel(b)


@implements(
    np.inner,
    samples=lambda d: [
        d.call(d.vec(3), d.vec(3)),
        d.call(d.mat(2, 3), d.mat(4, 3)),
        d.call(d.arr(2, 2, 3), d.vec(3)),
        d.call(d.num(), d.mat(2, 2)),
        d.value([1, 2], [3, 4]),
    ],
)
def inner(a, b):
    """The sum over the last axes."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    a, b = np.asarray(a), np.asarray(b)
    if np.ndim(a) == 1 and np.ndim(b) == 1:
        return a @ b
    return np.tensordot(a, b, (-1, -1))


@implements(
    *named(np, "vecdot"),
    *named(np.linalg, "vecdot"),
    samples=lambda d: [
        d.call(d.mat(2, 3), d.vec(3)),
        d.call(d.vec(3), d.vec(3)),
        d.call(d.mat(3, 2), d.mat(3, 2), axis=0),
    ],
)
def vecdot(x1, x2, /, *, axis=-1):
    """The products of vectors along an axis."""
    return np.sum(np.multiply(x1, x2), axis=axis)


@implements(
    *named(np, "matvec"),
    samples=lambda d: [d.call(d.mat(2, 3), d.vec(3)), d.call(d.arr(2, 2, 3), d.mat(2, 3))],
)
def matvec(x1, x2, /):
    """The products of matrices and vectors."""
    return np.matmul(x1, x2[..., None])[..., 0]


@implements(
    *named(np, "vecmat"),
    samples=lambda d: [d.call(d.vec(2), d.mat(2, 3)), d.call(d.mat(2, 2), d.arr(2, 2, 3))],
)
def vecmat(x1, x2, /):
    """The products of vectors and matrices."""
    return np.matmul(x1[..., None, :], x2)[..., 0, :]


def cheapest(a, b, c):
    """The product of three matrices in the cheaper order."""
    m, k, n, p = a.shape[0], b.shape[0], c.shape[0], c.shape[-1]
    if m * n * (k + p) <= k * p * (m + n):
        return a @ b @ c
    return a @ (b @ c)


@implements(
    np.linalg.multi_dot,
    samples=lambda d: [
        d.call((d.mat(2, 3), d.mat(3, 2))),
        d.call((d.mat(2, 3), d.mat(3, 4), d.mat(4, 1))),
        d.call((d.vec(3), d.mat(3, 2), d.vec(2))),
        d.call((d.vec(3), d.mat(3, 2), d.mat(2, 4), d.mat(4, 2))),
    ],
)
def multi_dot(arrays, *, out=None):
    """The product of several matrices; three are multiplied in the cheaper order."""
    if out is not None:
        refuse("multi_dot into an array", "out[...] = np.linalg.multi_dot(arrays)")
    if len(arrays) == 3 and np.ndim(arrays[0]) == 2 and np.ndim(arrays[2]) == 2:
        return cheapest(arrays[0], arrays[1], arrays[2])
    result = arrays[0]
    for a in arrays[1:]:
        result = result @ a
    return result
