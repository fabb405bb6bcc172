"""Norms of vectors and matrices, and condition numbers.

The derivative of a 2-norm at zero is zero.  Where the largest (smallest) of several numbers is
meant, it is that of the first of them.
"""

from __future__ import annotations

import numpy as np

from srcad.library import factors
from srcad.library.axes import others, product, reduced, rows_of
from srcad.library.registry import axes_of, implements
from srcad.library.stacks import kind_of


def floats(a):
    """An array of floats (an array of floats itself, not a copy)."""
    a = np.asarray(a)
    return a if a.dtype == kind_of(a) else a.astype(np.float64)


def root(s):
    """The square root, of which the derivative at zero is zero."""
    if s == 0.0:
        return s - s
    return np.sqrt(s)


def vector(x, ord):
    """A norm of a vector."""
    if isinstance(ord, str):
        raise ValueError("this norm order is not supported for vectors")
    if ord is None or ord == 2:
        return root(np.sum(x * x))
    if ord == np.inf:
        return np.max(np.abs(x), initial=0.0)
    if ord == -np.inf:
        return np.min(np.abs(x))
    if ord == 0:
        return kind_of(x)(np.sum(np.where(x != 0.0, 1.0, 0.0)))
    if ord == 1:
        return np.sum(np.abs(x))
    s = np.sum(np.abs(x) ** ord)
    if s == 0.0 and ord > 0:
        return s - s
    return kind_of(x)(s ** (1.0 / ord))


def matrix(a, ord):
    """A norm of a matrix."""
    if ord is None or ord == "fro":
        return root(np.sum(a * a))
    if ord == "nuc":
        return np.sum(np.linalg.svd(a, full_matrices=False, compute_uv=False))
    if isinstance(ord, str):
        raise ValueError("Invalid norm order for matrices.")
    if ord == 2 or ord == -2:
        if a.size == 0 and ord < 0:
            raise ValueError("zero-size array to reduction operation which has no identity")
        if a.size == 0:
            return kind_of(a)(0.0)
        return np.linalg.svd(a, full_matrices=False, compute_uv=False)[0 if ord == 2 else -1]
    if ord == 1:
        return np.max(np.sum(np.abs(a), axis=0), initial=0.0)
    if ord == -1:
        return np.min(np.sum(np.abs(a), axis=0))
    if ord == np.inf:
        return np.max(np.sum(np.abs(a), axis=1), initial=0.0)
    if ord == -np.inf:
        return np.min(np.sum(np.abs(a), axis=1))
    raise ValueError("Invalid norm order for matrices.")


def of_vectors(a, ord, axis, keepdims):
    """The norms of vectors along an axis."""
    rows = rows_of(a, axis)
    out = np.empty(len(rows), a.dtype)
    for r in range(len(rows)):
        out[r] = vector(rows[r], ord)
    return reduced(out, a.shape, axis, keepdims)


def of_matrices(a, ord, axes, keepdims):
    """The norms of matrices along two axes."""
    stack = np.ascontiguousarray(np.transpose(a, (*others(axes, np.ndim(a)), *axes)))
    m, n = stack.shape[-2:]
    k = product(stack.shape[:-2])
    mats = stack.reshape((k, m, n))
    out = np.empty(k, a.dtype)
    for r in range(k):
        out[r] = matrix(mats[r], ord)
    return reduced(out, a.shape, axes, keepdims)


@implements(
    np.linalg.norm,
    samples=lambda d: [
        *(d.call(d.vec(4), ord=p) for p in (None, 1, 2, 3.5, -1, np.inf, -np.inf)),
        d.value(d.array([1.0, 0.0, 2.0]), ord=0),
        *(d.call(d.mat(3, 2), ord=p) for p in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)),
        d.call(d.mat(2, 3), axis=-1),
        d.call(d.mat(2, 3), ord=3, axis=0, keepdims=True),
        d.call(d.arr(2, 3, 2), axis=(0, 2), ord=1),
        d.call(d.arr(2, 3, 2), axis=(2, 0), ord="nuc", keepdims=True),
        d.call(d.arr(2, 3, 2), keepdims=True),
        d.call(d.arr(2, 1, 2)),
        d.call(d.num()),
        d.value(d.array([0.0, 0.0])),
        d.value([3, 4]),
    ],
)
def norm(x, ord=None, axis=None, keepdims=False):
    """A norm; that of a zero vector has derivative zero."""
    x = floats(x)
    if axis is None and ord is None:
        s = root(np.sum(x * x))
        return np.full((1,) * np.ndim(x), s, x.dtype) if keepdims else s
    axes = axes_of(axis, np.ndim(x))
    if len(axes) == 0:
        raise ValueError("Improper number of dimensions to norm.")
    if not keepdims and axes == (0,) and np.ndim(x) == 1:
        return vector(x, ord)
    if not keepdims and axes == (0, 1) and np.ndim(x) == 2:
        return matrix(x, ord)
    if len(axes) == 1:
        return of_vectors(x, ord, axes, keepdims)
    if len(axes) == 2:
        return of_matrices(x, ord, axes, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


@implements(
    *filter(None, [getattr(np.linalg, "vector_norm", None)]),
    samples=lambda d: [
        d.call(d.mat(2, 3)),
        d.call(d.mat(2, 3), axis=0, ord=3),
        d.call(d.arr(2, 3, 2), axis=(0, 2), keepdims=True, ord=np.inf),
    ],
)
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """A norm of an array as a vector."""
    return of_vectors(floats(x), ord, axis, keepdims)


@implements(
    *filter(None, [getattr(np.linalg, "matrix_norm", None)]),
    samples=lambda d: [d.call(d.mat(2, 3)), d.call(d.arr(2, 3, 2), ord="nuc", keepdims=True)],
)
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """A norm of the matrices in the last two axes."""
    return of_matrices(floats(x), ord, axes_of((-2, -1), np.ndim(x)), keepdims)


@implements(
    np.linalg.cond,
    samples=lambda d: [
        *(d.call(d.regular(3), p=p) for p in (None, "fro", 1, 2, -2, np.inf)),
        d.call(d.mat(3, 2)),
        d.call(np.stack([d.regular(2), d.regular(2)]), p=1),
    ],
)
def cond(x, p=None):
    """The condition number; of a singular matrix only in the 2-norm."""
    x = floats(x)
    if x.size == 0:
        raise ValueError("cond is not defined on empty arrays")
    if np.ndim(x) > 2:
        out = np.empty(x.shape[:-2], x.dtype)
        for i in range(len(x)):
            out[i] = cond(x[i], p)
        return out
    if isinstance(p, str) or (p is not None and p != 2 and p != -2):
        return matrix(x, p) * matrix(factors.inv(x), p)
    s = np.linalg.svd(x, full_matrices=False, compute_uv=False)
    if p is None or p == 2:
        return s[0] / s[-1]
    return s[-1] / s[0]
