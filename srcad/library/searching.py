"""Searching: searchsorted, digitize, interp, nonzero and its kin, isin, trim_zeros."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import element, flat
from srcad.library.registry import implements, refuse
from srcad.library.sorting import argsort, before, sort


def bisect(a, x, right, sorter=None):
    """How many elements of sorted ``a`` come before ``x`` (``right``: before it or equal to it)."""
    low, high = 0, len(a)
    while low < high:
        mid = (low + high) // 2
        y = a[mid] if sorter is None else a[sorter[mid]]
        if (not before(x, y)) if right else before(y, x):
            low = mid + 1
        else:
            high = mid
    return low


@implements(
    np.searchsorted,
    samples=lambda d: [
        d.value(d.increasing(5), 1.5),
        d.value(d.increasing(5), d.mat(2, 3), side="right"),
        d.value(d.ints(0, 1, 4), [0, 1], side="right"),
        d.value(d.array([2.0, 0.0, 1.0]), d.vec(4), sorter=np.array([1, 2, 0])),
        d.value(d.array([0.0, 1.0, np.nan]), d.array([np.nan, 1.0])),
        d.value(d.vec(0), 1.0),
    ],
    method="searchsorted",
)
def searchsorted(a, v, side="left", sorter=None):
    """Where elements go in a sorted array: integers, derivative zero."""
    if side not in ("left", "right", "l", "r"):
        raise ValueError("search side must be 'left' or 'right'")
    a = np.asarray(a)
    if np.ndim(v) == 0:
        return bisect(a, element(v), side[0] == "r", sorter)
    v = np.asarray(v)
    xs = flat(v)
    out = np.empty(len(xs), np.int64)
    for k in range(len(xs)):
        out[k] = bisect(a, xs[k], side[0] == "r", sorter)
    return out.reshape(v.shape)


@implements(
    np.digitize,
    samples=lambda d: [
        d.value(d.vec(6), d.increasing(3) - 1.0),
        d.value(d.mat(2, 3), d.increasing(3)[::-1], right=True),
        d.value(d.array([0.0, 1.0, 2.0]), np.array([0, 1, 2]), right=True),
        d.value(0.7, [0.0, 1.0]),
        d.value(d.vec(3), [np.nan, 1.0, 0.0]),
    ],
)
def digitize(x, bins, right=False):
    """The bin of each element: integers, derivative zero."""
    bins = np.asarray(bins)
    n = len(bins)
    first = 1
    while first < n and bins[first] == bins[first - 1]:
        first += 1
    falls = first < n and not bins[first - 1] < bins[first]
    for k in range(first, n):
        if bins[k] > bins[k - 1] if falls else bins[k] < bins[k - 1]:
            raise ValueError("bins must be monotonically increasing or decreasing")
    side = "left" if right else "right"
    if falls:
        return n - searchsorted(bins[::-1], x, side)
    return searchsorted(bins, x, side)


@implements(
    np.interp,
    samples=lambda d: [
        d.call(d.num(1.0, 2.0), d.increasing(5), d.vec(5)),
        d.call(d.mat(2, 3), d.increasing(4) - 1.5, d.vec(4)),
        d.call(d.vec(4, 3.0, 9.0), d.increasing(3), d.vec(3), right=2.0, left=d.num()),
        d.call(d.vec(4), d.increasing(3), d.vec(3), period=3.0),
        d.value(d.array([0.0, 1.0, 2.0, np.nan]), d.array([0.0, 1.0, 2.0]), d.vec(3)),
        d.value([0, 1, 3], [1], [5]),
    ],
)
def interp(x, xp, fp, left=None, right=None, period=None):
    """Linear interpolation; at a node the derivative is that on its right, at the last its left."""
    xp, fp = np.asarray(xp), np.asarray(fp)
    if np.ndim(xp) != 1 or np.ndim(fp) != 1:
        raise ValueError("Data points must be 1-D sequences")
    if len(xp) != len(fp):
        raise ValueError("fp and xp are not of the same length.")
    if len(xp) == 0:
        raise ValueError("array of sample points is empty")
    if period is not None:
        if period == 0:
            raise ValueError("period must be a non-zero value")
        size = abs(period)
        idx = argsort(xp % size)
        xq, fq = (xp % size)[idx], fp[idx]
        xq = np.concatenate((xq[-1:] - size, xq, xq[:1] + size))
        fq = np.concatenate((fq[-1:], fq, fq[:1]))
        return interpolate(np.remainder(x, size), xq, fq, None, None)
    return interpolate(x, xp, fp, left, right)


def interpolate(x, xp, fp, left, right):
    """``interp`` of a number or an array."""
    if np.ndim(x) == 0:
        return interpolate_at(element(x), xp, fp, left, right)
    x = np.asarray(x)
    xs = flat(x)
    out = np.empty(len(xs))
    for k in range(len(xs)):
        out[k] = interpolate_at(xs[k], xp, fp, left, right)
    return out.reshape(x.shape)


def interpolate_at(x, xp, fp, left, right):
    """``interp`` at a number: in the interval that holds it."""
    n = len(xp)
    if x != x and n > 1:
        return np.float64(x)
    if x < xp[0]:
        return np.float64(fp[0] if left is None else left)
    if x > xp[n - 1]:
        return np.float64(fp[n - 1] if right is None else right)
    if n == 1:
        return np.float64(fp[0])
    j = min(bisect(xp, x, True) - 1, n - 2)
    k = j if x < xp[n - 1] else j + 1
    slope = np.divide(fp[j + 1] - fp[j], xp[j + 1] - xp[j])
    r = slope * (x - xp[k]) + fp[k]
    if r != r:  # as NumPy, where infinite values spoil it: from the other end, then at a node
        r = slope * (x - xp[j + 1]) + fp[j + 1]
        if r != r and (x == xp[k] or fp[j] == fp[j + 1]):
            r = np.float64(fp[k])
    return np.float64(r)


@implements(
    np.nonzero,
    samples=lambda d: [
        d.value(d.ints(0, 2, 6)),
        d.value(d.mat(2, 3) > 0),
        d.value(d.array([0.0, -1.0])),
    ],
    method="nonzero",
)
def nonzero(a):
    """Index arrays of the elements that are not zero."""
    if np.ndim(a) == 0:
        raise ValueError("Calling nonzero on 0d arrays is not allowed.")
    return np.where(a)


@implements(
    np.flatnonzero,
    samples=lambda d: [d.value(d.ints(0, 2, 6)), d.value(d.ints(0, 2, 2, 3)), d.value([0, 3])],
)
def flatnonzero(a):
    """Positions in the flattened array of the elements that are not zero."""
    return np.where(flat(a))[0]


@implements(
    np.argwhere,
    samples=lambda d: [
        d.value(d.ints(0, 2, 6)),
        d.value(d.mat(2, 3) > 0),
        d.value(d.ints(0, 2, 2, 1, 3)),
    ],
)
def argwhere(a):
    """Indices of the elements that are not zero, one a row."""
    return np.column_stack(np.where(np.asarray(a)))


@implements(
    np.extract,
    samples=lambda d: [
        d.call(d.array([0, 1, 1, 0, 1]) > 0, d.vec(5)),
        d.call(d.array([[0, 1], [2, 0]]) > 0, d.mat(2, 2)),
        d.call([1, 0, 1], d.vec(3)),
    ],
)
def extract(condition, arr):
    """The elements where a condition holds."""
    return flat(arr)[np.where(flat(condition))[0]]


@implements(
    np.isin,
    samples=lambda d: [
        d.value(d.ints(0, 5, 6), d.ints(0, 5, 3)),
        d.value(d.ints(0, 5, 2, 3), [1, 2], invert=True),
        d.value(d.array([0.5, np.nan]), d.array([np.nan, 0.5])),
        d.value(3, [1, 3]),
        d.value(np.array(3), [1, 3], kind="sort"),
    ],
)
def isin(element, test_elements, assume_unique=False, invert=False, *, kind=None):
    """Whether each element is among others."""
    t = sort(flat(test_elements))
    if np.ndim(element) == 0:
        return among(element, t) != invert
    element = np.asarray(element)
    xs = flat(element)
    out = np.empty(len(xs), np.bool_)
    for k in range(len(xs)):
        out[k] = among(xs[k], t) != invert
    return out.reshape(element.shape)


def among(x, t):
    """Whether ``x`` is in sorted ``t``."""
    y = element(x)
    k = bisect(t, y, False)
    return k < len(t) and t[k] == y


@implements(
    np.trim_zeros,
    samples=lambda d: [
        d.value(d.vec(4)),
        d.value(d.array([0.0, 1.5, 0.0, 2.5, 0.0, 0.0])),
        d.value(d.array([0.0, 1.5, 0.0, 2.5, 0.0]), trim="f"),
        d.value(d.array([0.0, 1.5, 0.0, 2.5, 0.0]), trim="B"),
        d.value(d.array([0.0, 0.0])),
    ],
)
def trim_zeros(filt, trim="fb", axis=None):
    """A vector without the zeros at its ends."""
    if np.ndim(filt) != 1 or isinstance(filt, (list, tuple)):
        refuse("np.trim_zeros of what is not a 1-D array", "find the ends with np.nonzero")
    first, last = 0, len(filt)
    if "f" in trim or "F" in trim:
        while first < last and filt[first] == 0:
            first += 1
    if "b" in trim or "B" in trim:
        while first < last and filt[last - 1] == 0:
            last -= 1
    return filt[first:last]
