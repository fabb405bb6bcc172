"""Sorting: sort, argsort, partition; by positions, so that derivatives are scattered back.

The order is found by a stable merge sort of positions, an integer computation; NaN comes last.
Ties keep their order: of equal elements each result takes the derivative of its own position.
"""

from __future__ import annotations

import numpy as np

from srcad.library.axes import rows_of, unrows
from srcad.library.registry import implements, refuse


def before(x, y):
    """Whether ``x`` comes strictly before ``y``: NaN is behind all numbers."""
    return x < y or (x == x and y != y)


def merge(a, idx, other, low, mid, high):
    """Merge two ordered runs of positions, ``idx[low:mid]`` and ``idx[mid:high]``."""
    for k in range(low, high):
        other[k] = idx[k]
    i, j = low, mid
    for k in range(low, high):
        if j >= high or (i < mid and not before(a[other[j]], a[other[i]])):
            idx[k] = other[i]
            i += 1
        else:
            idx[k] = other[j]
            j += 1


def order(a, idx):
    """Write to ``idx`` the positions that sort ``a``."""
    n = len(a)
    other = np.empty(n, np.int64)
    for k in range(n):
        idx[k] = k
    width = 1
    while width < n:
        for low in range(0, n - width, 2 * width):
            mid = low + width
            if before(a[idx[mid]], a[idx[mid - 1]]):
                merge(a, idx, other, low, mid, min(mid + width, n))
        width *= 2


def row_orders(b):
    """The positions that sort each row of a matrix."""
    idx = np.empty(b.shape, np.int64)
    for r in range(b.shape[0]):
        order(b[r], idx[r])
    return idx


def positions(a):
    """The positions that sort a vector."""
    idx = np.empty(len(a), np.int64)
    order(a, idx)
    return idx


def sorted_rows(b):
    """Each row of a matrix, sorted."""
    idx = row_orders(b)
    out = np.empty(b.shape, b.dtype)
    for r in range(b.shape[0]):
        for k in range(b.shape[1]):
            out[r, k] = b[r, idx[r, k]]
    return out


def check_order(kind, order, stable=None):
    """Any kind of sort gives the result of the stable one; fields there are none."""
    if order is not None:
        refuse("sorting by the fields of records", "give arrays of numbers")


@implements(
    np.sort,
    samples=lambda d: [
        d.call(d.vec(6)),
        d.call(d.mat(3, 4)),
        d.call(d.mat(3, 4), axis=0),
        d.call(d.arr(2, 3, 2), axis=-2),
        d.call(d.mat(2, 3), axis=None),
        d.value(d.ints(0, 4, 7)),
        d.value(d.array([1.0, np.nan, 0.0, np.nan, -1.0])),
        d.value(d.vec(0)),
        d.call([0.4, 0.1, 0.3]),
    ],
)
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    """A sorted copy; its derivative goes back to the positions the elements came from."""
    check_order(kind, order, stable)
    a = np.asarray(a)
    if axis is None:
        return sorted_rows(rows_of(a, None))[0]
    return unrows(sorted_rows(rows_of(a, axis)), a.shape, axis)


@implements(
    np.argsort,
    samples=lambda d: [
        d.value(d.vec(6)),
        d.value(d.vec(33)),
        d.value(d.mat(3, 4), axis=0),
        d.value(d.arr(2, 3, 2), axis=-2, kind="stable"),
        d.value(d.mat(2, 3), axis=None),
        d.value(d.ints(0, 4, 40), kind="stable"),
        d.value(d.array([1.0, np.nan, 0.0, np.nan, -1.0]), stable=True),
    ],
    method="argsort",
)
def argsort(a, axis=-1, kind=None, order=None, *, stable=None):
    """The positions that sort; ties keep their order."""
    check_order(kind, order, stable)
    a = np.asarray(a)
    if axis is None:
        return row_orders(rows_of(a, None))[0]
    return unrows(row_orders(rows_of(a, axis)), a.shape, axis)


def lexicographic(keys):
    """The positions that sort by the last row of a matrix, among equals by the one before it."""
    idx = np.arange(keys.shape[1])
    for k in range(len(keys)):
        idx = idx[positions(keys[k][idx])]
    return idx


@implements(
    np.lexsort,
    samples=lambda d: [
        d.value((d.vec(5), d.ints(0, 2, 5))),
        d.value(np.array([[2, 1, 2, 1], [1, 1, 0, 0], [0, 0, 0, 1]])),
        d.value((d.vec(4),)),
    ],
)
def lexsort(keys, axis=-1):
    """The positions that sort by several keys, the last one first."""
    if isinstance(keys, np.ndarray) and np.ndim(keys) > 2 or np.ndim(keys[0]) != 1:
        refuse("np.lexsort of keys that are no vectors", "sort row by row")
    idx = positions(np.asarray(keys[0]))
    if isinstance(keys, np.ndarray):
        return lexicographic(keys)
    for k in keys[1:]:
        idx = idx[positions(np.asarray(k)[idx])]
    return idx


def check_kth(kth, n):
    """Positions to partition at are within the axis."""
    for k in np.ravel(np.asarray(kth)):
        if not -n <= k < n:
            raise ValueError("kth is out of bounds")


@implements(
    np.partition,
    samples=lambda d: [
        d.call(d.vec(3), 1),
        d.call(d.mat(2, 3), 1),
        d.call(d.mat(3, 2), 1, axis=0),
        d.value(d.ints(0, 9, 3), (0, 1)),
        d.call(d.mat(1, 3), -2, axis=None),
    ],
    notes="sorted throughout, one of the orders that NumPy may give",
)
def partition(a, kth, axis=-1, kind="introselect", order=None):
    """A sorted copy, which is partitioned at any ``kth``."""
    check_order(kind, order)
    a = np.asarray(a)
    if a.size > 0:
        check_kth(kth, a.size if axis is None else a.shape[axis])
    return sort(a, axis)


@implements(
    np.argpartition,
    samples=lambda d: [
        d.value(d.vec(3), 1),
        d.value(d.mat(2, 3), 1),
        d.value(d.mat(3, 2), 1, axis=0),
        d.value(d.mat(1, 3), 1, axis=None),
    ],
    notes="sorted throughout, one of the orders that NumPy may give",
    method="argpartition",
)
def argpartition(a, kth, axis=-1, kind="introselect", order=None):
    """The positions that sort, which partition at any ``kth``."""
    check_order(kind, order)
    a = np.asarray(a)
    if a.size > 0:
        check_kth(kth, a.size if axis is None else a.shape[axis])
    return argsort(a, axis)


@implements(samples=lambda d: [d.call(d.vec(4))], method="sort")
def sort_in_place(a, axis=-1, kind=None, order=None, *, stable=None):
    """``a.sort()``."""
    a[...] = sort(a, axis, kind, order, stable=stable)


@implements(samples=lambda d: [d.call(d.vec(3), 1)], method="partition")
def partition_in_place(a, kth, axis=-1, kind="introselect", order=None):
    """``a.partition(kth)``."""
    a[...] = partition(a, kth, axis, kind, order)


def sorted_list(iterable, *, key=None, reverse=False):
    """``sorted`` of numbers, or of anything by a key that gives numbers."""
    xs = list(iterable)
    keys = np.array(xs if key is None else [key(x) for x in xs])
    n = len(keys)
    if reverse:  # equal elements keep their order all the same
        idx = positions(keys[::-1])
        return [xs[n - 1 - idx[n - 1 - k]] for k in range(n)]
    idx = positions(keys)
    return [xs[idx[k]] for k in range(n)]


def sort_list(xs, *, key=None, reverse=False):
    """``xs.sort()`` of a list."""
    ys = sorted_list(xs, key=key, reverse=reverse)
    for k in range(len(xs)):
        xs[k] = ys[k]
