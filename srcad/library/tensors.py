"""Products of arrays of any number of axes: tensordot, kron, cross, outer."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import others, product
from srcad.library.products import named
from srcad.library.registry import axes_of, implements, refuse


def moved(a, front, back):
    """``a`` as a matrix: the axes in ``front`` make the rows, those in ``back`` the columns."""
    b = np.ascontiguousarray(np.transpose(a, (*front, *back)))
    n = len(front)
    return b.reshape((product(b.shape[:n]), product(b.shape[n:])))


@implements(
    np.tensordot,
    *named(np.linalg, "tensordot"),
    samples=lambda d: [
        d.call(d.arr(2, 3, 2), d.arr(3, 2, 2)),
        d.call(d.arr(2, 3, 2), d.arr(2, 3), axes=([1, 0], [1, 0])),
        d.call(d.mat(2, 3), d.mat(2, 2), axes=0),
        d.call(d.mat(2, 3), d.mat(3, 2), axes=1),
        d.call(d.mat(2, 3), d.mat(3, 2), axes=(0, 1)),
        d.call(d.mat(2, 3), d.mat(2, 3)),
        d.value(d.ints(0, 9, 2, 3), d.ints(0, 9, 3, 2), axes=1),
    ],
)
def tensordot(a, b, axes=2):
    """The sum over some axes of both: a product of matrices."""
    a, b = np.asarray(a), np.asarray(b)
    if isinstance(axes, int):
        ours = tuple(range(np.ndim(a) - axes, np.ndim(a)))
        theirs = tuple(range(axes))
    else:
        ours, theirs = axes_of(axes[0], np.ndim(a)), axes_of(axes[1], np.ndim(b))
    if len(ours) != len(theirs):
        raise ValueError("shape-mismatch for sum")
    for i, j in zip(ours, theirs):  # noqa: B905  (checked above)
        if a.shape[i] != b.shape[j]:
            raise ValueError("shape-mismatch for sum")
    rows, columns = others(ours, np.ndim(a)), others(theirs, np.ndim(b))
    shape: tuple = ()
    for k in rows:
        shape = (*shape, a.shape[k])
    for k in columns:
        shape = (*shape, b.shape[k])
    return (moved(a, rows, ours) @ moved(b, theirs, columns)).reshape(shape)


@implements(
    np.kron,
    samples=lambda d: [
        d.call(d.mat(2, 3), d.mat(3, 2)),
        d.call(d.vec(2), d.vec(3)),
        d.call(d.vec(2), d.mat(2, 3)),
        d.call(d.arr(2, 1, 2), d.mat(2, 2)),
        d.call(d.num(), d.vec(2)),
        d.value(d.ints(0, 9, 2), d.ints(0, 9, 2)),
    ],
)
def kron(a, b):
    """The Kronecker product."""
    a, b = np.asarray(a), np.asarray(b)
    ndim = max(np.ndim(a), np.ndim(b))
    s = (*(1,) * (ndim - np.ndim(a)), *a.shape)
    t = (*(1,) * (ndim - np.ndim(b)), *b.shape)
    ours: tuple = ()
    theirs: tuple = ()
    shape: tuple = ()
    for m, n in zip(s, t):  # noqa: B905  (of one length by construction)
        ours, theirs, shape = (*ours, m, 1), (*theirs, 1, n), (*shape, m * n)
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    return np.ascontiguousarray(a.reshape(ours) * b.reshape(theirs)).reshape(shape)


@implements(
    np.cross,
    *named(np.linalg, "cross"),
    samples=lambda d: [
        d.call(d.vec(3), d.vec(3)),
        d.call(d.mat(2, 3), d.mat(2, 3)),
        d.call(d.mat(2, 3), d.vec(3)),
        d.call(d.mat(3, 2), d.mat(3, 2), axis=0),
        d.value([1, 2, 3], [4, 5, 7]),
    ],
)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The cross product of vectors of three elements."""
    if axis is not None:
        return cross(a, b, axis, axis, axis)
    a, b = np.moveaxis(np.asarray(a), axisa, -1), np.moveaxis(np.asarray(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError("np.cross takes vectors of three elements; numba's cross2d those of two")
    x = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    y = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    z = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    if np.ndim(x) == 0:
        return np.array((x, y, z))
    out = np.empty((*x.shape, 3), x.dtype)
    out[..., 0], out[..., 1], out[..., 2] = x, y, z
    return np.moveaxis(out, -1, axisc)


def cross2d(a, b):
    """The cross product of vectors of two elements: Numba's ``cross2d``."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape[-1] != 2 or b.shape[-1] != 2:
        raise ValueError("Incompatible dimensions for 2D cross product")
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


@implements(
    *named(np.linalg, "outer"),
    samples=lambda d: [d.call(d.vec(3), d.vec(2)), d.call(d.vec(2), d.vec(3))],
)
def outer(x1, x2, /):
    """The products of the elements of two vectors."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        refuse("np.linalg.outer of what are no vectors", "np.outer")
    return np.outer(x1, x2)


@implements(
    *named(np, "matrix_transpose"),
    *named(np.linalg, "matrix_transpose"),
    samples=lambda d: [d.call(d.mat(2, 3)), d.call(d.arr(2, 3, 2))],
)
def matrix_transpose(x, /):
    """The last two axes exchanged."""
    return np.swapaxes(x, -1, -2)
