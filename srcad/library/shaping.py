"""Arrays in another shape or order: roll, repeat, tile, resize, rot90, pad, diag, trace."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import FULL, flat, one_axis, place
from srcad.library.registry import axes_of, implements, refuse


@implements(
    np.atleast_1d,
    samples=lambda d: [d.call(d.num()), d.call(d.mat(2, 3)), d.call(d.num(), d.vec(2))],
)
def atleast_1d(*arys):
    """Arrays of at least one axis."""
    if len(arys) != 1:
        out: tuple = ()
        for a in arys:
            out = (*out, atleast_1d_(a))
        return out
    return atleast_1d_(arys[0])


def atleast_1d_(a):
    """One array of at least one axis."""
    return np.asarray(a) if np.ndim(a) > 0 else flat(a)


@implements(
    np.atleast_2d,
    samples=lambda d: [
        d.call(d.num()),
        d.call(d.vec(3)),
        d.call(d.mat(2, 3)),
        d.call(d.num(), d.vec(2), d.arr(2, 1, 2)),
    ],
)
def atleast_2d(*arys):
    """Arrays of at least two axes; new ones come first."""
    if len(arys) != 1:
        out: tuple = ()
        for a in arys:
            out = (*out, atleast_2d_(a))
        return out
    return atleast_2d_(arys[0])


def atleast_2d_(a):
    """One array of at least two axes."""
    return np.asarray(a) if np.ndim(a) > 1 else atleast_1d_(a)[None, :]


@implements(
    np.atleast_3d,
    samples=lambda d: [
        d.call(d.num()),
        d.call(d.vec(3)),
        d.call(d.mat(2, 3)),
        d.call(d.arr(2, 1, 2), d.vec(2)),
    ],
)
def atleast_3d(*arys):
    """Arrays of at least three axes; a vector lies along the second, the third is added last."""
    if len(arys) != 1:
        out: tuple = ()
        for a in arys:
            out = (*out, atleast_3d_(a))
        return out
    return atleast_3d_(arys[0])


def atleast_3d_(a):
    """One array of at least three axes."""
    return np.asarray(a) if np.ndim(a) > 2 else atleast_2d_(a)[:, :, None]


@implements(
    np.broadcast_arrays,
    samples=lambda d: [
        d.call(d.vec(3), d.mat(2, 1)),
        d.call(d.num(), d.vec(2), d.arr(2, 1, 1)),
        d.call(d.vec(3)),
    ],
)
def broadcast_arrays(*args, subok=False):
    """Each array in the shape that all have in common; to be read only."""
    shapes: tuple = ()
    for a in args:
        shapes = (*shapes, np.shape(a))
    shape = np.broadcast_shapes(*shapes)
    out: tuple = ()
    for a in args:
        out = (*out, np.broadcast_to(a, shape))
    return out


def rolled(a, shift, k):
    """A copy, its elements moved along one axis."""
    n = a.shape[k]
    s = shift % max(n, 1)
    out = np.empty(a.shape, a.dtype)
    out[place(k, slice(s, None))] = a[place(k, slice(None, n - s))]
    out[place(k, slice(None, s))] = a[place(k, slice(n - s, None))]
    return out


@implements(
    np.roll,
    samples=lambda d: [
        d.call(d.vec(5), 2),
        d.call(d.mat(2, 3), -1),
        d.call(d.mat(3, 4), 1, axis=-1),
        d.call(d.mat(3, 4), (1, -6), axis=(0, 1)),
        d.call(d.mat(3, 4), 2, axis=(0, 1)),
        d.call(d.vec(3), 3),
        d.value(np.zeros((2, 0)), 1, axis=1),
    ],
)
def roll(a, shift, axis=None):
    """Elements moved along an axis; those that leave at one end come in at the other."""
    a = np.asarray(a)
    if axis is None:
        if np.ndim(shift) > 0:
            refuse("np.roll by several shifts without axes", "give a tuple of axes")
        return rolled(a.ravel(), shift, 0).reshape(a.shape)
    out = a
    several = isinstance(shift, tuple)
    axes = axis if isinstance(axis, tuple) else (axis,)
    if several and len(axes) == 1:
        axes = axes * len(shift)
    for j, k in enumerate(axes):
        s = (shift[j] if len(shift) > 1 else shift[0]) if several else shift
        out = rolled(out, s, one_axis(k, np.ndim(a)))
    return out


def each(a, repeats, k):
    """Every slice along an axis, ``repeats`` times."""
    if repeats < 0:
        raise ValueError("repeats may not contain negative values.")
    shape = a.shape
    out = np.empty((*shape[: k + 1], repeats, *shape[k + 1 :]), a.dtype)
    out[...] = a[place(k + 1, None)]
    return out.reshape((*shape[:k], shape[k] * repeats, *shape[k + 1 :]))


def positions(repeats):
    """Position k, ``repeats[k]`` times."""
    total = 0
    for r in repeats:
        if r < 0:
            raise ValueError("repeats may not contain negative values.")
        total += r
    out = np.empty(total, np.int64)
    at = 0
    for k in range(len(repeats)):
        for _ in range(repeats[k]):
            out[at] = k
            at += 1
    return out


@implements(
    np.repeat,
    method="repeat",
    samples=lambda d: [
        d.call(d.vec(3), 2),
        d.call(d.mat(2, 3), 2, axis=1),
        d.call(d.mat(2, 3), 3, axis=0),
        d.call(d.mat(2, 3), d.ints(0, 3, 6)),
        d.call(d.mat(2, 3), np.array([2, 0, 1]), axis=-1),
        d.call(d.num(), 3),
        d.call(d.mat(2, 3), repeats=[1, 2], axis=0),
        d.call(d.vec(3), np.array([2])),
    ],
)
def repeat(a, repeats, axis=None):
    """Elements, or slices along an axis, each several times."""
    a = np.asarray(a) if axis is not None else flat(a)
    k = one_axis(axis, np.ndim(a)) if axis is not None else 0
    if np.ndim(repeats) == 0:
        return each(a, repeats, k)
    counts = np.asarray(repeats)
    n = a.shape[k]
    if len(counts) != n and len(counts) != 1:
        raise ValueError("operands could not be broadcast together")
    if len(counts) != n:
        counts = np.full(n, counts[0])
    return a[place(k, positions(counts))]


@implements(
    np.tile,
    samples=lambda d: [
        d.call(d.vec(3), 2),
        d.call(d.vec(3), (2, 2)),
        d.call(d.mat(2, 3), (1, 2)),
        d.call(d.mat(2, 3), reps=[3]),
        d.call(d.arr(2, 1, 2), (2, 3)),
        d.call(d.num(), (2, 2)),
    ],
)
def tile(A, reps):
    """An array, several times along each axis."""
    if isinstance(reps, np.ndarray):
        refuse("np.tile by an array of repetitions", "give a tuple")
    a = np.asarray(A)
    times = reps if isinstance(reps, tuple) else (reps,)
    times = (1,) * (np.ndim(a) - len(times)) + times
    shape = (1,) * (len(times) - np.ndim(a)) + a.shape
    key: tuple = ()
    both: tuple = ()
    total: tuple = ()
    for k, n in enumerate(shape):
        key = (*key, None, None if k < len(times) - np.ndim(a) else FULL)
        both = (*both, times[k], n)
        total = (*total, times[k] * n)
    out = np.empty(both, a.dtype)
    out[...] = a[key]
    return out.reshape(total)


@implements(
    np.resize,
    samples=lambda d: [
        d.call(d.vec(3), (2, 4)),
        d.call(d.mat(2, 3), 4),
        d.call(d.mat(2, 3), (2, 2)),
        d.call(d.num(), 3),
        d.value(np.zeros(0), 3),
    ],
)
def resize(a, new_shape):
    """An array of any shape, filled with the elements again and again."""
    v = flat(a)
    out = np.zeros(new_shape, v.dtype)
    whole = out.reshape(-1)
    if len(v) > 0:
        for k in range(len(whole)):
            whole[k] = v[k % len(v)]
    return out


@implements(
    np.rot90,
    samples=lambda d: [
        d.call(d.mat(2, 3)),
        d.call(d.mat(2, 3), k=2),
        d.call(d.mat(2, 3), k=-1),
        d.call(d.mat(2, 3), k=4),
        d.call(d.arr(2, 3, 2), k=1, axes=(1, 2)),
    ],
)
def rot90(m, k=1, axes=(0, 1)):
    """A plane of an array turned by right angles, a view; ``k`` is constant."""
    m = np.asarray(m)
    axes = axes_of(axes, np.ndim(m))
    if len(axes) != 2:
        refuse("np.rot90 of other than two axes", "axes=(0, 1)")
    turns = tuple(range(k % 4))
    if len(turns) == 0:
        return m
    if len(turns) == 2:
        return np.flip(m, axes)
    if len(turns) == 1:
        return np.swapaxes(np.flip(m, axes[1]), axes[0], axes[1])
    return np.flip(np.swapaxes(m, axes[0], axes[1]), axes[1])


@implements(
    np.diag,
    samples=lambda d: [
        d.call(d.vec(3)),
        d.call(d.vec(2), 1),
        d.call(d.vec(2), -2),
        d.call(d.mat(3, 4)),
        d.call(d.mat(3, 4), 2),
        d.call(d.mat(3, 4), k=-1),
        d.value(np.arange(3)),
    ],
)
def diag(v, k=0):
    """Of a vector the matrix with this diagonal; of a matrix its diagonal, to be read only."""
    v = np.asarray(v)
    if np.ndim(v) == 2:
        return np.diagonal(v, k)
    if np.ndim(v) != 1:
        refuse("np.diag of an array that is no vector and no matrix", "np.diagonal(a)")
    n = len(v) + abs(k)
    out = np.zeros((n, n), v.dtype)
    for i in range(len(v)):
        out[i + max(-k, 0), i + max(k, 0)] = v[i]
    return out


@implements(np.diagflat, samples=lambda d: [d.call(d.mat(2, 2)), d.call(d.vec(2), 1)])
def diagflat(v, k=0):
    """The matrix whose diagonal is the flattened array."""
    return diag(flat(v), k)


@implements(
    np.trace,
    method="trace",
    samples=lambda d: [
        d.call(d.mat(3, 3)),
        d.call(d.mat(3, 4), offset=1),
        d.call(d.mat(3, 4), -1),
        d.call(d.arr(2, 3, 2)),
        d.call(d.arr(2, 3, 2), axis1=2, axis2=0),
        d.value(np.arange(9).reshape(3, 3)),
    ],
)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """Sum of a diagonal."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@implements(
    np.fill_diagonal,
    in_place=True,
    samples=lambda d: [
        d.call(d.mat(3, 3), 0.5),
        d.call(d.mat(2, 4), d.vec(2)),
        d.call(d.mat(4, 2), d.vec(3)),
        d.call(d.arr(2, 2, 2), d.num()),
        d.call(d.mat(4, 4), d.vec(2)),
    ],
)
def fill_diagonal(a, val, wrap=False):
    """Writes the main diagonal; too few values are repeated."""
    if wrap:
        refuse("np.fill_diagonal with wrap=True", "write a loop")
    if np.ndim(a) < 2:
        raise ValueError("array must be at least 2-d")
    n = a.shape[0]
    for m in a.shape:
        if np.ndim(a) > 2 and m != n:
            raise ValueError("All dimensions of input must be of equal length")
        n = min(n, m)
    values = flat(val)
    for i in range(n if len(values) > 0 else 0):
        a[(i,) * np.ndim(a)] = values[i % len(values)]


@implements(
    np.rollaxis,
    samples=lambda d: [d.call(d.arr(2, 3, 2), axis=2), d.call(d.arr(2, 3, 2), axis=0, start=3)],
)
def rollaxis(a, axis, start=0):
    """An axis moved in front of another, a view."""
    a = np.asarray(a)
    k = one_axis(axis, np.ndim(a))
    if start < -np.ndim(a) or start > np.ndim(a):
        refuse("an axis out of bounds", "np.moveaxis")
    to = start + np.ndim(a) if start < 0 else start
    return np.moveaxis(a, k, to - 1 if k < to else to)


if hasattr(np, "matrix_transpose"):

    @implements(
        np.matrix_transpose, samples=lambda d: [d.call(d.mat(2, 3)), d.call(d.arr(2, 1, 3))]
    )
    def matrix_transpose(x):
        """The last two axes exchanged, a view."""
        return np.swapaxes(x, -1, -2)
