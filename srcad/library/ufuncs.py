"""Methods of ufuncs: ``reduce``, ``accumulate``, ``reduceat``, ``outer``, ``at``."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.library.axes import FULL, one_axis, place, reduced, rows_of, unrows
from srcad.library.registry import implements, refuse


def reduction(whole):
    """``reduce`` of a ufunc that has a reduction of its own."""

    def reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True):
        """The reduction of this ufunc, along the first axis if none is given."""
        a = np.asarray(array, dtype)
        return whole(a, axis=axis, keepdims=keepdims, initial=initial, where=where)

    return reduce


def quantifier(whole):
    """``reduce`` of the logical ufuncs."""

    def reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True):
        """The reduction of this ufunc, along the first axis if none is given."""
        if initial is not None or dtype is not None:
            refuse("the arguments 'dtype' and 'initial' of this method", "combine the results")
        return whole(array, axis=axis, keepdims=keepdims, where=where)

    return reduce


_REDUCED = lambda d: [  # noqa: E731
    d.call(d.vec(4)),
    d.call(d.mat(2, 3)),
    d.call(d.mat(2, 3), axis=1, keepdims=True),
    d.call(d.mat(2, 3), axis=None),
    d.call(d.mat(2, 3), axis=1, initial=0.4, where=np.array([True, False, True])),
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
implements(np.logical_and.reduce, samples=_MASKS)(quantifier(np.all))
implements(np.logical_or.reduce, samples=_MASKS)(quantifier(np.any))


def folding(op, identity=None):
    """``reduce`` of any ufunc, along one axis; ``identity`` is what nothing gives."""

    def reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True):
        """The fold of this ufunc over one axis, from its first element."""
        a = np.asarray(array, dtype)
        k = one_axis(axis, np.ndim(a))
        masked = np.ndim(where) > 0
        first = identity if initial is None else initial
        if first is None and masked:
            raise ValueError("reduction operation does not have an identity: give initial")
        b = rows_of(a, k)
        w = rows_of(np.broadcast_to(where, a.shape), k) if masked else b
        m, n = b.shape
        if first is None and n == 0:
            raise ValueError("zero-size array to reduction operation which has no identity")
        out = np.empty(m, a.dtype)
        for r in range(m):
            if first is None:
                number = b[r, 0]
            else:
                number = a.dtype.type(first)
            for i in range(1 if first is None else 0, n):
                if not masked or w[r, i]:
                    number = op(number, b[r, i])
            out[r] = number
        return reduced(out, a.shape, k, keepdims)

    return reduce


def scan(whole):
    """``accumulate`` of a ufunc that has a scan of its own."""

    def accumulate(array, axis=0, dtype=None, out=None):
        """The scan of this ufunc, along the first axis if none is given."""
        a = np.asarray(array, dtype)
        return whole(a, axis=one_axis(axis, np.ndim(a)))

    return accumulate


def scanning(op):
    """``accumulate`` of any ufunc."""

    def accumulate(array, axis=0, dtype=None, out=None):
        """Each element combined with all before it, along an axis."""
        r = np.array(array, dtype)
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
for _ufunc, _identity in (
    (np.logaddexp, -np.inf),
    (np.logaddexp2, -np.inf),
    (np.fmax, None),
    (np.fmin, None),
    (np.subtract, None),
    (np.hypot, 0.0),
):
    implements(
        _ufunc.reduce,
        samples=lambda d: [
            d.call(d.vec(4)),
            d.call(d.mat(2, 3), axis=1, keepdims=True),
            d.call(d.mat(2, 3), initial=0.4, where=np.array([True, False, True])),
        ],
    )(folding(_ufunc, _identity))
    implements(_ufunc.accumulate, samples=lambda d: [d.call(d.vec(4))])(scanning(_ufunc))


implements(np.divide.reduce, samples=lambda d: [d.call(d.pos(3)), d.call(d.pos(2, 2), axis=1)])(
    folding(np.divide)
)


def pieces(op):
    """``reduceat`` of a ufunc."""

    def reduceat(array, indices, axis=0, dtype=None, out=None):
        """The folds of slices from each index to the next; of one element where it is not less."""
        a, at = np.asarray(array, dtype), np.asarray(indices)
        k = one_axis(axis, np.ndim(a))
        b = rows_of(a, k)
        m, n = b.shape
        rows = np.empty((m, len(at)), a.dtype)
        for j in range(len(at)):
            stop = at[j + 1] if j + 1 < len(at) else n
            if not 0 <= at[j] < n:
                raise IndexError("an index of reduceat is out of bounds")
            for r in range(m):
                number = b[r, at[j]]
                for i in range(at[j] + 1, stop):
                    number = op(number, b[r, i])
                rows[r, j] = number
        return unrows(rows, a.shape, k)

    return reduceat


for _ufunc in (np.add, np.multiply, np.maximum, np.minimum):
    implements(
        _ufunc.reduceat,
        samples=lambda d: [
            d.call(d.vec(5), np.array([0, 3, 2])),
            d.call(d.mat(2, 4), np.array([1, 2]), axis=1),
        ],
    )(pieces(_ufunc))


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
