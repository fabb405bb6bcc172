"""Counting into bins: bincount, histogram, histogram2d, histogram_bin_edges.

Counts have the derivative zero; sums of weights that of the weights; edges that are found from the
data that of the least and the greatest element.
"""

from __future__ import annotations

import numpy as np

from srcad.library.axes import flat
from srcad.library.registry import implements, refuse
from srcad.library.searching import bisect


@implements(
    np.bincount,
    samples=lambda d: [
        d.value(d.ints(0, 5, 9)),
        d.value([1, 3], minlength=6),
        d.call(d.ints(0, 4, 5), d.vec(5)),
        d.call(d.ints(0, 2, 3), d.vec(3), 4),
        d.value(d.ints(0, 1, 0), minlength=2),
    ],
)
def bincount(x, weights=None, minlength=0):
    """How often each integer occurs, or the sums of the weights."""
    x = np.asarray(x)
    if x.dtype.kind == "f":
        refuse("np.bincount of an array of floats", "convert it with .astype(np.int64)")
    x = x.astype(np.int64) if x.dtype.kind == "b" else x
    if minlength < 0:
        raise ValueError("'minlength' must not be negative")
    n = minlength
    for k in x:
        if k < 0:
            raise ValueError("'list' argument must have no negative elements")
        n = max(n, k + 1)
    if weights is None:
        out = np.zeros(n, np.int64)
        for k in x:
            out[k] += 1
        return out
    w = np.asarray(weights)
    if len(w) != len(x):
        raise ValueError("The weights and list don't have the same length.")
    sums = np.zeros(n)
    for i in range(len(x)):
        sums[x[i]] += w[i]
    return sums


def outer_edges(a, limits):
    """The least and the greatest edge: given, or of the data; apart from each other."""
    if limits is not None:
        first, last = limits[0] * 1.0, limits[1] * 1.0
        if first > last:
            raise ValueError("max must be larger than min in range parameter.")
        if not (np.isfinite(first) and np.isfinite(last)):
            raise ValueError("supplied range is not finite")
    elif len(a) == 0:
        first, last = 0.0, 1.0
    else:
        first, last = np.min(a) * 1.0, np.max(a) * 1.0
        if not (np.isfinite(first) and np.isfinite(last)):
            raise ValueError("autodetected range is not finite")
    if first == last:
        return first - 0.5, last + 0.5
    return first, last


def edges_of(a, bins, limits):
    """The edges of bins: given, or so many of one width."""
    if isinstance(bins, str):
        refuse("finding the number of bins", "give it, or the edges")
    if np.ndim(bins) == 0:
        if bins < 1:
            raise ValueError("`bins` must be positive, when an integer")
        first, last = outer_edges(a, limits)
        return np.linspace(first, last, bins + 1)
    if np.ndim(bins) > 1:
        raise ValueError("`bins` must be 1d, when an array")
    edges = np.asarray(bins)
    for k in range(1, len(edges)):
        if edges[k] < edges[k - 1]:
            raise ValueError("`bins` must increase monotonically, when an array")
    return edges


def bin_of(x, edges, even):
    """The bin that holds ``x``; -1 if there is none."""
    n = len(edges) - 1
    first, last = edges[0], edges[n]
    if not first <= x <= last:
        return -1
    if x == last:
        return n - 1
    if not even:
        return bisect(edges, x, True) - 1
    k = min(int((x - first) / (last - first) * n), n - 1)
    if x < edges[k]:
        k -= 1
    if x >= edges[k + 1] and k != n - 1:
        k += 1
    return k


@implements(
    np.histogram_bin_edges,
    samples=lambda d: [
        d.call(d.vec(5), bins=3),
        d.value(d.vec(5), [0, 1, 3]),
        d.call(d.vec(5), 2, (-1.0, 1.0)),
        d.value(d.ints(2, 3, 4), 2),
    ],
)
def histogram_bin_edges(a, bins=10, range=None, weights=None):
    """The edges of the bins of a histogram."""
    return edges_of(flat(a), bins, range)


@implements(
    np.histogram,
    samples=lambda d: [
        d.call(d.vec(7), bins=3),
        d.value(d.mat(3, 4)),
        d.value(d.ints(0, 9, 20), [0, 2, 2, 9]),
        d.call(d.vec(7), d.array([-1.0, 0.0, 1.5]), None, None, d.vec(7)),
        d.call(d.vec(7), 4, (-1.2, 1.3), density=True),
        d.value(d.ints(0, 5, 20), 5, weights=d.ints(0, 9, 20)),
        d.value(d.vec(0), 2),
    ],
)
def histogram(a, bins=10, range=None, density=None, weights=None):
    """How many elements each bin holds, or the sums of their weights; and the edges."""
    x = flat(a)
    edges = edges_of(x, bins, range)
    counts = counted(x, edges, np.ndim(bins) == 0, weights)
    if density:
        return counts / (edges[1:] - edges[:-1]) / np.sum(counts), edges
    return counts, edges


def counted(x, edges, even, weights):
    """Counts of elements, or sums of weights."""
    if weights is None:
        counts = np.zeros(len(edges) - 1, np.int64)
        for y in x:
            k = bin_of(y, edges, even)
            if k >= 0:
                counts[k] += 1
        return counts
    w = flat(weights)
    if len(w) != len(x):
        raise ValueError("weights should have the same shape as a.")
    sums = np.zeros(len(edges) - 1, w.dtype)
    for i in range(len(x)):
        k = bin_of(x[i], edges, even)
        if k >= 0:
            sums[k] += w[i]
    return sums


def axis_bins(bins, limits, k):
    """What ``bins`` and ``range`` say of one of two axes."""
    edges = bins[k] if isinstance(bins, (list, tuple)) and len(bins) == 2 else bins
    return edges, None if limits is None else limits[k]


@implements(
    np.histogram2d,
    samples=lambda d: [
        d.call(d.vec(6), d.vec(6), bins=3),
        d.value(d.vec(9), d.vec(9), bins=[2, np.array([-1.0, 0.0, 1.0])]),
        d.call(d.vec(6), d.vec(6), bins=2, density=True, range=[[-2.0, 2.0], [-1.0, 1.7]]),
        d.value(d.vec(9), d.vec(9), weights=d.vec(9)),
        d.value(d.ints(0, 3, 9), d.ints(0, 3, 9), bins=np.array([0, 1, 2])),
    ],
)
def histogram2d(x, y, bins=10, range=None, density=None, weights=None):
    """How many points each rectangle holds, or the sums of their weights; and the edges."""
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        refuse("np.histogram2d of numbers", "give arrays")
    xs, ys = flat(x), flat(y)
    if len(xs) != len(ys):
        raise ValueError("x and y must have the same length.")
    xbins, xlimits = axis_bins(bins, range, 0)
    ybins, ylimits = axis_bins(bins, range, 1)
    xedges = edges_of(xs, xbins, xlimits)
    yedges = edges_of(ys, ybins, ylimits)
    w = np.ones(len(xs)) if weights is None else flat(weights)
    counts = counted2d(xs, ys, xedges, yedges, w)
    if density:
        areas = (xedges[1:] - xedges[:-1])[:, None] * (yedges[1:] - yedges[:-1])
        return counts / areas / np.sum(counts), xedges, yedges
    return counts, xedges, yedges


def counted2d(x, y, xedges, yedges, w):
    """Sums of weights by rectangles."""
    sums = np.zeros((len(xedges) - 1, len(yedges) - 1))
    for i in range(len(x)):
        j, k = bin_of(x[i], xedges, False), bin_of(y[i], yedges, False)
        if j >= 0 and k >= 0:
            sums[j, k] += w[i]
    return sums
