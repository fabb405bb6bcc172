"""Making arrays: linspace and its kin, grids, triangles of ones, windows."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import flat, one_axis
from srcad.library.indexing import along
from srcad.library.registry import implements, refuse


def converted(a, dtype):
    """An array as the dtype that was asked for."""
    return a if dtype is None else a.astype(dtype)


@implements(
    np.linspace,
    samples=lambda d: [
        d.call(d.num(), d.num(), 5),
        d.call(d.num(), d.num(), 4, endpoint=False),
        d.call(d.num(), d.num(), 4, retstep=True),
        d.call(d.vec(2), d.mat(3, 1), 3),
        d.call(d.vec(2), d.num(), 3, axis=1),
        d.call((0.5, d.num()), (2, 3), 3),
        d.call(d.num(), d.num(), 1),
        d.call(d.num(), d.num(), 0),
        d.value(0, 9, 4),
        d.value(-2.5, 9.7, 5, dtype=int),
    ],
)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """Numbers at equal distances between two ends, which may be arrays."""
    if num < 0:
        raise ValueError("Number of samples must be non-negative.")
    parts = num - 1 if endpoint else num
    a = (start if np.ndim(start) == 0 else np.asarray(start)) * 1.0
    b = (stop if np.ndim(stop) == 0 else np.asarray(stop)) * 1.0
    step = (b - a) / max(parts, 1)
    ndim = np.ndim(step)
    k = one_axis(axis, ndim + 1)
    if ndim == 0:
        out = a + np.arange(num) * step
    else:
        out = a + along(np.arange(num), 0, ndim + 1) * step
    if endpoint and num > 1:
        out[num - 1] = b
    if dtype is not None:
        out = (np.floor(out) if np.dtype(dtype).kind == "i" else out).astype(dtype)
    if k > 0:
        out = np.moveaxis(out, 0, k)
    if not retstep:
        return out
    return out, step if parts > 0 else step * np.nan


@implements(
    np.logspace,
    samples=lambda d: [
        d.call(d.num(), d.num(), 4),
        d.call(d.num(), d.num(), 4, endpoint=False, base=2.0),
        d.call(d.vec(2), d.num(), 3, axis=-1),
    ],
)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    """Powers of a base at equal distances of the exponent."""
    if np.ndim(base) > 0:
        refuse("np.logspace with an array of bases", "base ** np.linspace(start, stop)")
    y = linspace(start, stop, num, endpoint, False, None, axis)
    return converted(np.power(base, y), dtype)


@implements(
    np.geomspace,
    samples=lambda d: [
        d.call(d.num(), d.num(), 4),
        d.call(-d.num(), -d.num(), 3, endpoint=False),
        d.call(d.num(), d.num(), 1),
    ],
)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """Numbers at equal ratios between two ends of one sign."""
    if np.ndim(start) + np.ndim(stop) > 0:
        refuse("np.geomspace between arrays", "np.exp(np.linspace(np.log(a), np.log(b)))")
    a, b = start * 1.0, stop * 1.0
    if not a * b > 0.0:
        raise ValueError("Geometric sequence needs two ends of one sign")
    one = 1.0 if a > 0.0 else -1.0
    out = one * 10.0 ** linspace(np.log10(one * a), np.log10(one * b), num, endpoint)
    if num > 0:
        out[0] = a
    if endpoint and num > 1:
        out[num - 1] = b
    return converted(out, dtype)


@implements(
    np.eye,
    samples=lambda d: [
        d.value(3),
        d.value(2, 4),
        d.value(3, k=-1),
        d.value(3, 4, 2, dtype=int),
        d.value(2, k=5),
    ],
)
def eye(N, M=None, k=0, dtype=float, order="C"):
    """Ones on a diagonal."""
    m = N if M is None else M
    out = np.zeros((N, m), dtype)
    for i in range(max(0, -k), min(N, m - k)):
        out[i, i + k] = 1
    return out


@implements(np.identity, samples=lambda d: [d.value(2), d.value(3, dtype=int)])
def identity(n, dtype=float):
    """Ones on the diagonal."""
    return eye(n, None, 0, dtype)


@implements(
    np.tri,
    samples=lambda d: [d.value(3), d.value(2, 4, 1), d.value(3, k=-1, dtype=int), d.value(0)],
)
def tri(N, M=None, k=0, dtype=float):
    """Ones at and below a diagonal."""
    m = N if M is None else M
    return (np.arange(N)[:, None] >= np.arange(m)[None, :] - k).astype(dtype)


@implements(np.tril_indices, samples=lambda d: [d.value(3), d.value(3, 1), d.value(3, k=-1, m=4)])
def tril_indices(n, k=0, m=None):
    """Positions at and below a diagonal."""
    return np.where(tri(n, m, k, bool))


@implements(np.triu_indices, samples=lambda d: [d.value(3), d.value(3, 1), d.value(3, k=-1, m=4)])
def triu_indices(n, k=0, m=None):
    """Positions at and above a diagonal."""
    return np.where(np.logical_not(tri(n, m, k - 1, bool)))


@implements(np.tril_indices_from, samples=lambda d: [d.value(d.mat(3, 4)), d.value(d.mat(2, 2), 1)])
def tril_indices_from(arr, k=0):
    """Positions at and below a diagonal of a matrix."""
    if np.ndim(arr) != 2:
        raise ValueError("input array must be 2-d")
    return tril_indices(arr.shape[0], k, arr.shape[1])


@implements(np.triu_indices_from, samples=lambda d: [d.value(d.mat(3, 4)), d.value(d.mat(2, 2), 1)])
def triu_indices_from(arr, k=0):
    """Positions at and above a diagonal of a matrix."""
    if np.ndim(arr) != 2:
        raise ValueError("input array must be 2-d")
    return triu_indices(arr.shape[0], k, arr.shape[1])


@implements(np.diag_indices, samples=lambda d: [d.value(3), d.value(2, ndim=3)])
def diag_indices(n, ndim=2):
    """Positions of the main diagonal."""
    return (np.arange(n),) * ndim


@implements(np.diag_indices_from, samples=lambda d: [d.value(d.mat(3, 3))])
def diag_indices_from(arr):
    """Positions of the main diagonal of an array."""
    for n in arr.shape:
        if n != arr.shape[0]:
            raise ValueError("All dimensions of input must be of equal length")
    return (np.arange(arr.shape[0]),) * np.ndim(arr)


@implements(
    np.meshgrid,
    samples=lambda d: [
        d.call(d.vec(2), d.vec(3)),
        d.call(d.vec(2), d.vec(3), indexing="ij"),
        d.call(d.vec(2), d.vec(3), d.vec(2)),
        d.call(d.vec(2), d.vec(3), sparse=True),
        d.call(d.vec(2), d.num(), copy=False),
        d.call(d.vec(3)),
    ],
)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    """The coordinates of a grid: one array for each axis."""
    if indexing != "xy" and indexing != "ij":
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    swap = indexing == "xy" and len(xi) > 1
    parts: tuple = ()
    shapes: tuple = ()
    for k, x in enumerate(xi):
        axis = 1 - k if swap and k < 2 else k
        part = along(flat(x), axis, len(xi))
        parts = (*parts, part)
        shapes = (*shapes, part.shape)
    shape = np.broadcast_shapes(*shapes)
    out: tuple = ()
    for part in parts:
        full = part if sparse else np.broadcast_to(part, shape)
        out = (*out, np.copy(full) if copy else full)
    return out


@implements(
    np.indices,
    samples=lambda d: [
        d.value((2, 3)),
        d.value((2,)),
        d.value((2, 3), dtype=float),
        d.value((2, 3), sparse=True),
    ],
)
def indices(dimensions, dtype=int, sparse=False):
    """The positions of a grid, one array for each axis, stacked."""
    ndim = len(dimensions)
    parts: tuple = ()
    for k, n in enumerate(dimensions):
        parts = (*parts, along(np.arange(n).astype(dtype), k, ndim))
    if sparse:
        return parts
    out = np.empty((ndim, *dimensions), dtype)
    for k, part in enumerate(parts):
        out[k] = part
    return out


@implements(
    np.vander,
    samples=lambda d: [
        d.call(d.vec(3)),
        d.call(d.vec(3), 2),
        d.call(d.vec(2), N=4, increasing=True),
        d.value(np.arange(3)),
    ],
)
def vander(x, N=None, increasing=False):
    """Powers of a vector, one a column."""
    x = np.asarray(x)
    n = len(x) if N is None else N
    out = np.empty((len(x), n), np.result_type(x, 1))
    for k in range(n):
        j = k if increasing else n - 1 - k
        if k == 0:
            out[:, j] = 1
        else:
            out[:, j] = out[:, j - 1 if increasing else j + 1] * x
    return out


def _sum_of_positions(i, j, k=0.0):
    return i + 2 * j + k


@implements(
    np.fromfunction,
    samples=lambda d: [
        d.value(function=_sum_of_positions, shape=(2, 3)),
        d.value(function=_sum_of_positions, shape=(2, 3), dtype=int, k=2),
    ],
)
def fromfunction(function, shape, *, dtype=float, like=None, **kwargs):
    """A function of the positions of a grid."""
    if like is not None:
        refuse("the argument 'like' of np.fromfunction", "call it without")
    grid = indices(shape, dtype)
    parts: tuple = ()
    for k in tuple(range(len(shape))):
        parts = (*parts, grid[k])
    return function(*parts, **kwargs)
