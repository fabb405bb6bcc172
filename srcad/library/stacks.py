"""Square matrices and stacks of them: solve, inv, det, slogdet, cholesky, matrix_power.

A stack has its matrices in the last two axes; the leading axes are looped over.
"""

from __future__ import annotations

import numpy as np

from srcad.library import factors
from srcad.library.registry import implements, refuse

VECTOR_IS_ONE = int(np.__version__.split(".")[0]) >= 2  # before, of a stack of vectors
SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


def kind_of(a):
    """The kind of floats (or complex numbers) that linear algebra computes with."""
    if a.dtype == np.float32:
        return np.float32
    if a.dtype == np.complex64:
        return np.complex64
    return np.complex128 if a.dtype == np.complex128 else np.float64


def joint(a, b):
    """The kind of floats (or complex numbers) that two arrays have in common."""
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        return np.result_type(a, b)
    if a.dtype == np.float32 and b.dtype == np.float32:
        return np.float32
    return np.float64


def check_square(a):
    """Refuse matrices that are not square."""
    if a.shape[-2] != a.shape[-1]:
        raise ValueError("Last 2 dimensions of the array must be square")


def common(m, n):
    """The size that two axes have when one is stretched to the other."""
    if m == n or n == 1:
        return m
    if m != 1:
        raise ValueError("operands could not be broadcast together")
    return n


def leading(s, t):
    """The common shape of the leading axes of two stacks."""
    if len(s) < len(t):
        s, t = t, s
    out: tuple = ()
    extra = len(s) - len(t)
    for k, n in enumerate(s):
        out = (*out, n if k < extra else common(n, t[k - extra]))
    return out


def part(a, i, ndim):
    """The item of a stack that goes with item ``i`` of a stack of ``ndim`` axes."""
    if np.ndim(a) < ndim:
        return a
    return a[i if len(a) > 1 else 0]


def each_pair(f, a, b, out):
    """Write ``f`` of the matrices of two stacks to a stack."""
    if np.ndim(out) == 2:
        out[:, :] = f(a, b)
    else:
        for i in range(len(out)):
            each_pair(f, part(a, i, np.ndim(out)), part(b, i, np.ndim(out)), out[i])


@implements(
    np.linalg.solve,
    samples=lambda d: [
        d.call(d.regular(3), d.vec(3)),
        d.call(d.regular(3), d.mat(3, 2)),
        d.call(np.stack([d.regular(2), d.regular(2)]), d.arr(2, 2, 3)),
        d.call(d.regular(2), d.arr(2, 2, 1)),
        d.call(np.stack([d.regular(2), d.regular(2)]), d.vec(2)),
        d.value(np.eye(2, dtype=int), d.ints(0, 5, 2)),
    ],
)
def solve(a, b):
    """The solution of a linear system, or of each of a stack."""
    a, b = np.asarray(a), np.asarray(b)
    if np.ndim(a) == 2 and np.ndim(b) <= 2:
        return factors.solve(a, b)
    check_square(a)
    if np.ndim(b) == 1 and VECTOR_IS_ONE:
        return np.linalg.solve(a, b[:, None])[..., 0]
    if not VECTOR_IS_ONE and np.ndim(b) == np.ndim(a) - 1:
        refuse("np.linalg.solve of a stack for a stack of vectors", "give them as columns")
    shape = leading(a.shape[:-2], b.shape[:-2])
    out = np.empty((*shape, *b.shape[-2:]), joint(a, b))
    each_pair(factors.solve, a, b, out)
    return out


def each_of(function, a):
    """A function of square matrices, of every matrix of a stack."""
    check_square(a)
    out = np.empty(a.shape, kind_of(a))
    for i in range(len(a)):
        out[i] = function(a[i])
    return out


@implements(
    np.linalg.inv,
    samples=lambda d: [
        d.call(d.regular(3)),
        d.call(np.stack([d.regular(2), d.regular(2)])),
        d.value([[2, 1], [0, 1]]),
    ],
)
def inv(a):
    """The inverse of a matrix, or of each of a stack."""
    a = np.asarray(a)
    if np.ndim(a) == 2:
        return factors.inv(a)
    return each_of(np.linalg.inv, a)


@implements(
    np.linalg.det,
    samples=lambda d: [
        d.call(d.regular(3)),
        d.call(np.stack([d.regular(2), d.regular(2)])),
        d.call(d.arr(2, 1, 2, 2)),
        d.value([[2, 1], [0, 1]]),
    ],
)
def det(a):
    """The determinant; its derivative is that at a regular matrix."""
    a = np.asarray(a)
    if np.ndim(a) == 2:
        return factors.det(a)
    check_square(a)
    out = np.empty(a.shape[:-2], kind_of(a))
    for i in range(len(a)):
        out[i] = np.linalg.det(a[i])
    return out


@implements(
    np.linalg.slogdet,
    samples=lambda d: [
        d.call(d.regular(3)),
        d.call(-d.regular(3)),
        d.call(np.stack([d.regular(2), -d.regular(2)])),
        d.value(np.zeros((2, 2))),
    ],
)
def slogdet(a):
    """Sign (whose derivative is zero) and logarithm of the determinant of a regular matrix."""
    a = np.asarray(a)
    if np.ndim(a) == 2:
        sign, logdet = factors.slogdet(a)
        return SlogdetResult(sign, logdet)
    check_square(a)
    signs = np.empty(a.shape[:-2], kind_of(a))
    logs = np.empty(a.shape[:-2], kind_of(a))
    for i in range(len(a)):
        signs[i], logs[i] = np.linalg.slogdet(a[i])
    return SlogdetResult(signs, logs)


@implements(
    np.linalg.cholesky,
    samples=lambda d: [
        d.call(d.spd(3)),
        d.call(np.stack([d.spd(2), d.spd(2)])),
        d.value([[4, 2], [2, 5]]),
    ],
)
def cholesky(a, /, *, upper=False):
    """The Cholesky factor; of the matrix one triangle is read, and has derivatives."""
    a = np.asarray(a)
    if upper:
        return np.swapaxes(np.linalg.cholesky(np.swapaxes(a, -1, -2)), -1, -2)
    if np.ndim(a) == 2:
        return factors.cholesky(a)
    return each_of(np.linalg.cholesky, a)


@implements(
    np.linalg.matrix_power,
    samples=lambda d: [
        d.call(d.regular(3), 5),
        d.call(d.mat(3, 3), 0),
        d.call(d.regular(2), -3),
        d.call(np.stack([d.regular(2), d.regular(2)]), 2),
        d.value(d.ints(-2, 3, 3, 3), 6),
    ],
)
def matrix_power(a, n):
    """The power of a square matrix by repeated squaring; negative ones by the inverse."""
    a = np.asarray(a)
    check_square(a)
    if np.ndim(a) > 2:
        out = np.empty(a.shape, a.dtype)
        for i in range(len(a)):
            out[i] = np.linalg.matrix_power(a[i], n)
        return out
    out = np.eye(len(a), dtype=a.dtype)
    if a.dtype == kind_of(a):
        base = np.linalg.inv(a) if n < 0 else a.copy()
    elif n < 0:
        raise ValueError("a negative power of a matrix that is not of floats")
    else:
        base = a.copy()
    k = abs(n)
    while k > 0:
        if k % 2 == 1:
            out = out @ base
        k //= 2
        if k > 0:
            base = base @ base
    return out
