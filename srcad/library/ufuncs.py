"""Methods of ufuncs: ``reduce``, ``accumulate``, ``outer``, ``at``."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.library.axes import FULL, one_axis, place, reduced, rows_of
from srcad.library.registry import implements, refuse


def only_default(dtype, out, where=True):
    """Refuses what changes the type of a result, or where it goes."""
    if dtype is not None or out is not None or where is not True:
        refuse("the arguments 'dtype', 'out' and 'where' of this method", "convert the arguments")


def reduction(whole):
    """``reduce`` of a ufunc that has a reduction of its own."""

    def reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True):
        """The reduction of this ufunc, along the first axis if none is given."""
        only_default(dtype, out, where)
        if initial is not None:
            refuse("the argument 'initial' of this method", "combine it with the result")
        return whole(array, axis=axis, keepdims=keepdims)

    return reduce


_REDUCED = lambda d: [  # noqa: E731
    d.call(d.vec(4)),
    d.call(d.mat(2, 3)),
    d.call(d.mat(2, 3), axis=1, keepdims=True),
    d.call(d.mat(2, 3), axis=None),
]
_MASKS = lambda d: [d.value(d.mat(2, 3) > 0), d.value(d.mat(2, 3) > 0, axis=1)]  # noqa: E731
_ufunc: Any
for _ufunc, _whole in (
    (np.add, np.sum),
    (np.multiply, np.prod),
    (np.maximum, np.max),
    (np.minimum, np.min),
):
    implements(_ufunc.reduce, samples=_REDUCED)(reduction(_whole))
implements(np.logical_and.reduce, samples=_MASKS)(reduction(np.all))
implements(np.logical_or.reduce, samples=_MASKS)(reduction(np.any))


def folding(op, empty=None):
    """``reduce`` of any ufunc, along one axis; ``empty`` is what nothing gives."""

    def reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True):
        """The fold of this ufunc over one axis, from its first element."""
        only_default(dtype, out, where)
        if initial is not None:
            refuse("the argument 'initial' of this method", "combine it with the result")
        a = np.asarray(array)
        k = one_axis(axis, np.ndim(a))
        if empty is not None and a.shape[k] == 0:
            return reduced(np.full(rows_of(a, k).shape[0], empty, a.dtype), a.shape, k, keepdims)
        if a.shape[k] == 0:
            raise ValueError("zero-size array to reduction operation which has no identity")
        if np.ndim(a) == 1 and not keepdims:
            number = a[0]
            for i in range(1, len(a)):
                number = op(number, a[i])
            return number
        slab = a[place(k, 0)].copy() if np.ndim(a) > 1 else np.full((), a[0])
        for i in range(1, a.shape[k]):
            slab[...] = op(slab, a[place(k, i)])
        return np.expand_dims(slab, k) if keepdims else slab

    return reduce


def scan(whole):
    """``accumulate`` of a ufunc that has a scan of its own."""

    def accumulate(array, axis=0, dtype=None, out=None):
        """The scan of this ufunc, along the first axis if none is given."""
        only_default(dtype, out)
        return whole(array, axis=one_axis(axis, np.ndim(array)))

    return accumulate


def scanning(op):
    """``accumulate`` of any ufunc."""

    def accumulate(array, axis=0, dtype=None, out=None):
        """Each element combined with all before it, along an axis."""
        only_default(dtype, out)
        r = np.array(array)
        k = one_axis(axis, np.ndim(r))
        for i in range(1, r.shape[k]):
            r[place(k, i)] = op(r[place(k, i - 1)], r[place(k, i)])
        return r

    return accumulate


_SCANNED = lambda d: [d.call(d.vec(4)), d.call(d.mat(2, 3)), d.call(d.mat(2, 3), axis=-1)]  # noqa: E731
implements(np.add.accumulate, samples=_SCANNED)(scan(np.cumsum))
implements(np.multiply.accumulate, samples=_SCANNED)(scan(np.cumprod))
for _ufunc in (np.maximum, np.minimum):
    implements(_ufunc.accumulate, samples=_SCANNED)(scanning(_ufunc))
for _ufunc, _empty in (
    (np.logaddexp, -np.inf),
    (np.fmax, None),
    (np.fmin, None),
    (np.subtract, None),
    (np.hypot, 0.0),
):
    implements(
        _ufunc.reduce,
        samples=lambda d: [d.call(d.vec(4)), d.call(d.mat(2, 3)), d.call(d.mat(2, 3), axis=1)],
    )(folding(_ufunc, _empty))
    implements(_ufunc.accumulate, samples=lambda d: [d.call(d.vec(4))])(scanning(_ufunc))


def outside(op):
    """``outer`` of a ufunc."""

    def outer(A, B):
        """The ufunc of every element of one array with every element of another."""
        a, b = np.asarray(A), np.asarray(B)
        return op(a[(FULL,) * np.ndim(a) + (None,) * np.ndim(b)], b)

    return outer


for _ufunc in (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.arctan2):
    implements(
        _ufunc.outer, samples=lambda d: [d.call(d.vec(3), d.vec(2)), d.call(d.mat(2, 2), d.num())]
    )(outside(_ufunc))
for _ufunc in (np.power, np.hypot, np.logaddexp, np.fmax, np.fmin):
    implements(_ufunc.outer, samples=lambda d: [d.call(d.pos(3), d.vec(2))])(outside(_ufunc))
for _ufunc in (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal):
    implements(_ufunc.outer, samples=lambda d: [d.value(d.vec(3), d.vec(2))])(outside(_ufunc))
for _ufunc in (np.floor_divide, np.remainder):
    implements(_ufunc.outer, samples=lambda d: [d.value(np.arange(4), np.arange(1, 3))])(
        outside(_ufunc)
    )


def positions(indices):
    """Index arrays of one shape, as vectors; a mask stands for the positions where it is true."""
    shapes: tuple = ()
    out: tuple = ()
    for i in indices:
        shapes = (*shapes, np.shape(i))
    shape = np.broadcast_shapes(*shapes)
    for i in indices:
        at = np.asarray(i)
        if at.dtype.kind != "i":
            refuse("an index that is no integer array", "np.nonzero of a mask; a loop over slices")
        out = (*out, np.copy(np.broadcast_to(at, shape)).ravel())
    return shape, out


def updating(op):
    """``at`` of a ufunc."""

    def at(a, indices, b):
        """Updates elements in place, one after another: repeated indices count repeatedly."""
        several = isinstance(indices, tuple) and not isinstance(indices, list)
        if not several and np.asarray(indices).dtype.kind == "b":
            indices = np.where(indices)
            several = True
        if np.result_type(a, b).kind != a.dtype.kind:
            refuse("an update that gives another kind of numbers", "make the array float")
        shape, keys = positions(indices if several else (indices,))
        rest = a.shape[len(keys) :]
        n = len(keys[0])
        values = np.copy(np.broadcast_to(np.asarray(b), (*shape, *rest))).reshape((n, *rest))
        for j in range(n):
            key: tuple = ()
            for k in keys:
                key = (*key, k[j])
            a[key] = op(a[key], values[j])

    return at


_UPDATED = lambda d: [  # noqa: E731
    d.call(d.vec(4), np.array([0, 2, 0, -1]), d.vec(4)),
    d.call(d.vec(4), np.array([[1, 1], [3, 1]]), d.num()),
    d.call(d.mat(3, 3), (np.array([0, 1, 0]), np.array([2, 1, 2])), d.vec(3)),
    d.call(d.mat(3, 2), np.array([2, 2, 0]), d.vec(2)),
    d.call(d.vec(3), np.array([True, False, True]), d.vec(2)),
]
for _ufunc in (np.add, np.subtract, np.multiply, np.maximum, np.minimum):
    implements(_ufunc.at, samples=_UPDATED, in_place=True)(updating(_ufunc))
