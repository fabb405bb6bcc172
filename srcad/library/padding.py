"""np.pad: an array with a border, axis by axis."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import place
from srcad.library.registry import implements, refuse


def pairs(x, ndim):
    """A number, a pair, or one of these for each axis, as a pair for each axis."""
    if isinstance(x, (np.ndarray, dict)):
        refuse("widths and values of np.pad in an array or a dict", "give tuples")
    if not isinstance(x, tuple):
        return ((x, x),) * ndim
    if not isinstance(x[0], tuple):
        return ((x[0], x[len(x) - 1]),) * ndim
    out: tuple = ()
    for p in x if len(x) > 1 else x * ndim:
        out = (*out, (p[0], p[len(p) - 1]))
    if len(out) != ndim:
        raise ValueError("operands could not be broadcast together")
    return out


def source(n, before, after, mode):
    """For each position along a padded axis, the position it is a copy of."""
    i = np.arange(-before, n + after)
    if mode == "edge":
        return np.clip(i, 0, n - 1)
    if mode == "wrap":
        return i % n
    if mode == "symmetric":
        i = i % (2 * n)
        return np.minimum(i, 2 * n - 1 - i)
    period = max(2 * (n - 1), 1)
    i = i % period
    return np.minimum(i, period - i)


def bordered(a, k, before, after):
    """A copy with room at both ends of an axis."""
    n = a.shape[k]
    out = np.empty((*a.shape[:k], before + n + after, *a.shape[k + 1 :]), a.dtype)
    out[place(k, slice(before, before + n))] = a
    return out


def ramped(a, k, before, after, ends):
    """Borders that run linearly from the values at the edge to values at the end."""
    n = a.shape[k]
    out = bordered(a, k, before, after)
    first, last = a[place(k, 0)], a[place(k, n - 1)]
    for j in range(before):
        out[place(k, j)] = ends[0] + (first - ends[0]) * (j / before)
    for j in range(after):
        out[place(k, before + n + after - 1 - j)] = ends[1] + (last - ends[1]) * (j / after)
    return out


def odd(a, k, before, after, mode):
    """Borders that continue an axis point-symmetrically about its ends, again and again."""
    n = a.shape[k]
    out = bordered(a, k, before, after)
    step = n if mode == "symmetric" else n - 1
    first, last = a[place(k, 0)], a[place(k, n - 1)]
    for j in range(before + n + after):
        i = j - before
        if i < 0 or i >= n:
            turns = i // (2 * step)
            r = i - 2 * step * turns
            drift = 2 * turns * (last - first)
            if r < n:
                out[place(k, j)] = a[place(k, r)] + drift
            else:
                mirror = 2 * (n - 1) - r + (mode == "symmetric")
                out[place(k, j)] = 2 * last - a[place(k, mirror)] + drift
    return out


def statistic(a, k, mode):
    """The number that fills the borders of a row."""
    if mode == "mean":
        return np.mean(a, axis=k, keepdims=True)
    if mode == "median":
        return np.median(a, axis=k, keepdims=True)
    if mode == "maximum":
        return np.max(a, axis=k, keepdims=True)
    return np.min(a, axis=k, keepdims=True)


def filled(a, k, before, after, mode, stat_length):
    """Borders of a statistic of the elements next to them, or of all."""
    n = a.shape[k]
    first, last = n, n
    if stat_length is not None:
        lengths = pairs(stat_length, np.ndim(a))[k]
        first, last = min(lengths[0], n), min(lengths[1], n)
    out = bordered(a, k, before, after)
    out[place(k, slice(None, before))] = statistic(a[place(k, slice(None, first))], k, mode)
    out[place(k, slice(before + n, None))] = statistic(a[place(k, slice(n - last, n))], k, mode)
    return out


@implements(
    np.pad,
    samples=lambda d: [
        d.call(d.vec(3), 2),
        d.call(d.vec(3), (1, 2), constant_values=0.5),
        d.call(d.mat(2, 3), ((1, 0), (2, 1)), constant_values=((1.0, 2.0), (3.0, 4.0))),
        d.call(d.mat(2, 3), 1, mode="edge"),
        d.call(d.mat(2, 3), (1, 2), mode="reflect"),
        d.call(d.vec(3), 5, mode="reflect"),
        d.call(d.vec(3), (2, 7), mode="symmetric"),
        d.call(d.vec(3), (4, 2), mode="wrap"),
        d.call(d.mat(2, 3), 2, mode="linear_ramp", end_values=0.3),
        d.call(d.mat(2, 3), ((1, 1),), mode="mean"),
        d.call(d.mat(2, 3), 1, mode="maximum", stat_length=2),
        d.call(d.mat(3, 2), 1, mode="median", stat_length=((2, 3), (1, 2))),
        d.call(d.vec(3), (4, 7), mode="reflect", reflect_type="odd"),
        d.call(d.mat(2, 3), 4, mode="symmetric", reflect_type="odd"),
        d.value(np.arange(3), 1),
    ],
)
def pad(
    array,
    pad_width,
    mode="constant",
    constant_values=0,
    end_values=0,
    stat_length=None,
    reflect_type="even",
):
    """An array with a border of constants or of copies; the corners by the last axis."""
    out = np.asarray(array)
    if np.ndim(out) == 0:
        return np.copy(out)
    for k, (before, after) in enumerate(pairs(pad_width, np.ndim(out))):
        if before < 0 or after < 0:
            raise ValueError("index can't contain negative values")
        n = out.shape[k]
        if mode != "constant" and n == 0 and before + after > 0:
            raise ValueError("can't extend an empty axis with copies of its elements")
        if mode == "constant":
            values = pairs(constant_values, np.ndim(out))[k]
            out = bordered(out, k, before, after)
            out[place(k, slice(None, before))] = values[0]
            out[place(k, slice(before + n, None))] = values[1]
        elif mode == "linear_ramp":
            if out.dtype.kind != "f":
                refuse("np.pad of integers with a linear ramp", "convert them to float")
            out = ramped(out, k, before, after, pairs(end_values, np.ndim(out))[k])
        elif mode in ("mean", "median", "maximum", "minimum"):
            if mode in ("mean", "median") and out.dtype.kind != "f":
                refuse("np.pad of integers with their mean or median", "convert them to float")
            out = filled(out, k, before, after, mode, stat_length)
        elif mode == "edge" or mode == "reflect" and n == 1:
            out = out[place(k, source(n, before, after, "edge"))]
        elif reflect_type == "odd" and mode in ("reflect", "symmetric"):
            out = odd(out, k, before, after, mode)
        elif mode in ("wrap", "reflect", "symmetric"):
            out = out[place(k, source(n, before, after, mode))]
        elif mode == "empty":
            out = bordered(out, k, before, after)
        else:
            raise ValueError("mode is not supported")
    return out
