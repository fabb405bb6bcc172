"""Sets of numbers: unique, union1d, intersect1d, setdiff1d, setxor1d.

A result is a selection of elements: its derivative goes back to the first of equal ones.
"""

from __future__ import annotations

import numpy as np

from srcad.library.axes import flat, product
from srcad.library.registry import implements
from srcad.library.searching import bisect, isin
from srcad.library.sorting import lexicographic, positions, sort

INVERSE_HAS_SHAPE = int(np.__version__.split(".")[0]) >= 2


def group_starts(a, idx, equal_nan):
    """Where, in sorted order, a new element begins."""
    n = len(a)
    starts = np.empty(n, np.int64)
    m = 0
    for k in range(n):
        new = k == 0
        if k > 0:
            x, y = a[idx[k]], a[idx[k - 1]]
            new = x != y and not (equal_nan and x != x and y != y)
        if new:
            starts[m] = k
            m += 1
    return starts[:m]


def row_group_starts(rows, idx):
    """Where, in sorted order, a new row begins."""
    starts = np.empty(len(idx), np.int64)
    m = 0
    for k in range(len(idx)):
        if k == 0 or np.any(rows[idx[k]] != rows[idx[k - 1]]):
            starts[m] = k
            m += 1
    return starts[:m]


def group_numbers(idx, starts):
    """For each element the number of its group."""
    n = len(idx)
    inverse = np.empty(n, np.int64)
    for g in range(len(starts)):
        end = starts[g + 1] if g + 1 < len(starts) else n
        for k in range(starts[g], end):
            inverse[idx[k]] = g
    return inverse


@implements(
    np.unique,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.call(d.mat(2, 2)),
        d.value(d.ints(0, 4, 9)),
        d.value(d.ints(0, 4, 9), return_index=True, return_counts=True),
        d.value(d.ints(0, 3, 2, 3), return_inverse=True),
        d.value(d.array([np.nan, 1.0, np.nan, 1.0])),
        d.value(d.array([np.nan, 1.0, np.nan, 1.0]), equal_nan=False, return_counts=True),
        d.value([2, 1, 2], axis=0),
        d.value(d.vec(0), return_index=True, return_inverse=True),
        d.call(d.mat(3, 2), axis=0),
        d.value(d.ints(0, 2, 2, 5), return_inverse=True, return_counts=True, axis=1),
    ],
)
def unique(
    ar,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    *,
    equal_nan=True,
    sorted=True,
):
    """Different elements, sorted, whatever ``sorted`` says, which is one of the orders allowed."""
    if axis is not None and np.ndim(ar) == 0:
        raise ValueError("axis is out of bounds for array of dimension 0")
    along = axis is not None and np.ndim(ar) > 1
    a = np.moveaxis(np.asarray(ar), axis, 0) if along else flat(ar)
    if along:
        rows = np.ascontiguousarray(a).reshape((len(a), product(a.shape[1:])))
        idx = lexicographic(rows.T[::-1])
        starts = row_group_starts(rows, idx)
        first = idx[starts]
        out: tuple = (np.moveaxis(a[first], 0, axis),)
    else:
        idx = positions(a)
        starts = group_starts(a, idx, equal_nan)
        first = idx[starts]
        out = (a[first],)
    if return_index:
        out = (*out, first)
    if return_inverse:
        inverse = group_numbers(idx, starts)
        if INVERSE_HAS_SHAPE and axis is None:
            inverse = inverse.reshape(np.shape(ar))
        out = (*out, inverse)
    if return_counts:
        ends = np.concatenate((starts[1:], np.full(min(len(a), 1), len(a))))
        out = (*out, ends - starts)
    return out if len(out) > 1 else out[0]


@implements(
    np.union1d,
    samples=lambda d: [
        d.call(d.vec(3), d.vec(2, 2.0, 3.0)),
        d.value(d.ints(0, 4, 5), d.ints(0, 9, 2, 3)),
        d.value([1.5, 1.0], [1.0]),
    ],
)
def union1d(ar1, ar2):
    """Different elements of both, sorted; of equal ones that of the first."""
    return unique(np.concatenate((flat(ar1), flat(ar2))))


@implements(
    np.intersect1d,
    samples=lambda d: [
        d.value(d.ints(0, 5, 7), d.ints(0, 5, 6)),
        d.value(d.ints(0, 5, 2, 3), [3, 1], return_indices=True),
        d.value(d.array([0.5, 1.5, np.nan]), d.array([1.5, np.nan]), assume_unique=True),
        d.call(d.vec(3), d.vec(3, 2.0, 3.0)),
    ],
)
def intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    """Elements of both, sorted: those of the first."""
    a, i = unique(ar1, return_index=True)
    b, j = unique(ar2, return_index=True)
    found = np.empty(len(a), np.int64)
    where = np.empty(len(a), np.int64)
    m = 0
    for k in range(len(a)):
        p = bisect(b, a[k], False)
        if p < len(b) and b[p] == a[k]:
            found[m], where[m] = k, p
            m += 1
    common = a[found[:m]].astype(np.concatenate((a[:0], b[:0])).dtype)
    if return_indices:
        return common, i[found[:m]], j[where[:m]]
    return common


@implements(
    np.setdiff1d,
    samples=lambda d: [
        d.call(d.vec(4), d.vec(2)),
        d.value(d.ints(0, 5, 7), d.ints(0, 5, 2)),
        d.value(d.array([3.0, 1.0, 2.0]), [1.0], assume_unique=True),
    ],
)
def setdiff1d(ar1, ar2, assume_unique=False):
    """Elements of the first that are not in the second, sorted."""
    a = flat(ar1) if assume_unique else unique(ar1)
    return a[isin(a, ar2, invert=True)]


@implements(
    np.setxor1d,
    samples=lambda d: [
        d.call(d.vec(3), d.vec(2, 2.0, 3.0)),
        d.value(d.ints(0, 5, 7), d.ints(0, 5, 2)),
        d.value([1.5, 1.0], [1.0], assume_unique=True),
    ],
)
def setxor1d(ar1, ar2, assume_unique=False):
    """Elements of one of the two but not of both, sorted."""
    return sort(np.concatenate((setdiff1d(ar1, ar2), setdiff1d(ar2, ar1))))
