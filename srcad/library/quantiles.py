"""Order statistics: median, quantile, percentile, and the forms that pass over NaN.

The derivative is that of the elements chosen: at ties, of those that come first in the array; in
``q``, of the line between two of them, on the right side of a kink.
"""

from __future__ import annotations

import math

import numpy as np

from srcad.library.axes import reduced, reduced_shape, rows_of
from srcad.library.registry import implements, refuse
from srcad.library.sorting import row_orders
from srcad.library.statistics import fitted_weights


def count_numbers(b, idx):
    """How many elements of a vector are no NaN, which are the last of its order."""
    n = len(b)
    while n > 0 and b[idx[n - 1]] != b[idx[n - 1]]:
        n -= 1
    return n


def middle(b, idx, n):
    """The median of the first ``n`` elements in order."""
    if n == 0:
        return np.nan
    if n % 2 == 1:
        return np.float64(b[idx[n // 2]])
    return (b[idx[n // 2 - 1]] + b[idx[n // 2]]) / 2.0


def medians(a, axis, keepdims, skip):
    """``median``; ``skip``: of what is no NaN."""
    a = np.asarray(a)
    b = rows_of(a, axis)
    idx = row_orders(b)
    out = np.empty(b.shape[0], a.dtype if a.dtype.kind == "f" else np.float64)
    n = b.shape[1]
    for r in range(b.shape[0]):
        k = count_numbers(b[r], idx[r])
        out[r] = middle(b[r], idx[r], k) if skip or k == n else b[r, idx[r, n - 1]]
    return reduced(out, a.shape, axis, keepdims)


@implements(
    np.median,
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call(d.vec(4)),
        d.call(d.mat(3, 4), axis=0),
        d.call(d.arr(2, 3, 2), axis=(0, -1), keepdims=True),
        d.call(d.mat(2, 3), axis=None, keepdims=True),
        d.value(d.array([1.0, np.nan, 0.0])),
        d.value(d.ints(0, 9, 6)),
        d.value([3, 1, 2]),
        d.value(d.num()),
    ],
)
def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The middle element, or the mean of two."""
    return medians(a, axis, keepdims, False)


@implements(
    np.nanmedian,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.value(d.array([1.0, np.nan, 0.0])),
        d.value(d.array([[1.0, np.nan, 0.0], [np.nan, 2.0, 3.0]]), axis=0, keepdims=True),
        d.value(d.array([[1.0, np.nan, 0.0], [np.nan, 2.0, 3.0]]), axis=-1),
        d.call(d.arr(2, 3, 2), axis=(0, 2)),
    ],
)
def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The median of what is no NaN."""
    return medians(a, axis, keepdims, True)


def rounded(v, up):
    """A position as an int: where it is one, or ``up``, itself, else the next; none is negative."""
    k = int(np.floor(v))
    return max(k if v == k and not up else k + 1, 0)


def position(n, q, method):
    """The position in ``n`` ordered elements at which they are at a quantile."""
    if method == "linear":
        return (n - 1) * q
    if method == "lower":
        return int(np.floor((n - 1) * q))
    if method == "higher":
        return int(np.ceil((n - 1) * q))
    if method == "nearest":
        return int(np.rint((n - 1) * q))
    if method == "midpoint":
        return 0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q))
    if method == "inverted_cdf":
        return rounded(n * q - 1, False)
    if method == "closest_observation":
        v = n * q - 1.5
        return rounded(v, np.floor(v) % 2 != 1)
    if method == "averaged_inverted_cdf":
        return n * q - 1
    if method == "interpolated_inverted_cdf":
        return n * q - 1 + (0.0 + q * (1 - 0.0 - 1.0))
    if method == "hazen":
        return n * q + 0.5 - 1
    if method == "weibull":
        return n * q + q - 1
    if method == "median_unbiased":
        return n * q + (1 / 3.0 + q * (1 - 2 / 3.0)) - 1
    if method == "normal_unbiased":
        return n * q + (3 / 8.0 + q * (1 - 6 / 8.0)) - 1
    refuse("a method of quantiles that NumPy does not have", "method='linear'")


def quantile_of(b, idx, n, q, method):
    """A quantile of the first ``n`` elements in order."""
    v = position(n, q, method)
    if isinstance(v, int):
        return b[idx[min(v, n - 1)]]
    if v >= n - 1:
        return np.float64(b[idx[n - 1]])
    if v < 0:
        return np.float64(b[idx[0]])
    k = math.floor(v)
    t = v - k
    if method == "averaged_inverted_cdf":
        t = 0.5 if v == k else 1.0
    x, y = b[idx[k]], b[idx[k + 1]]
    return y - (y - x) * (1 - t) if t >= 0.5 else x + (y - x) * t


def vector_of(q):
    """A vector from a number or an array."""
    return np.asarray(q).ravel() if np.ndim(q) else np.array((q,))


def quantiles(a, q, axis, method, keepdims, skip):
    """``quantile`` for checked ``q``; ``skip``: of what is no NaN."""
    a, qs = np.asarray(a), vector_of(q)
    b = rows_of(a, axis)
    n = b.shape[1]
    floats = a.dtype.kind == "f"
    if n == 0 and not (skip and floats):
        raise IndexError("index -1 is out of bounds for axis 0 with size 0")
    idx = row_orders(b)
    discrete = method in ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")
    discrete = discrete or method == "linear" and qs.dtype.kind != "f"
    if a.dtype.kind == "b" and not discrete:
        refuse("quantiles of bools between two of them", "method='nearest', or convert to int")
    kind = a.dtype if discrete or floats and np.ndim(q) == 0 else np.float64
    out = np.empty((len(qs), b.shape[0]), kind)
    for r in range(b.shape[0]):
        m = count_numbers(b[r], idx[r]) if floats else n
        for k in range(len(qs)):
            if floats and m == 0:
                out[k, r] = np.nan
            elif m == n or skip:
                out[k, r] = quantile_of(b[r], idx[r], m, qs[k], method)
            else:
                out[k, r] = b[r, idx[r, n - 1]]
    if np.ndim(q) == 0:
        return reduced(out[0], a.shape, axis, keepdims)
    return out.reshape((*np.shape(q), *reduced_shape(a.shape, axis, keepdims)))


def check_quantiles(q, text):
    """Quantiles are from 0 to 1."""
    for x in vector_of(q):
        if not 0.0 <= x <= 1.0:
            raise ValueError(text)


def check_rest(interpolation):
    """What quantiles had another name for."""
    if interpolation is not None:
        refuse("the argument 'interpolation' of quantiles", "method=...")


def weighted(a, q, axis, weights, method, keepdims):
    """``quantile`` of weighted elements: the first at which the sum of the weights reaches it."""
    if method != "inverted_cdf":
        refuse("weights with this method of quantiles", "method='inverted_cdf'")
    a, qs = np.asarray(a), vector_of(q)
    w = np.asarray(weights)
    if np.any(w < 0):
        raise ValueError("Weights must be non-negative.")
    b = rows_of(a, axis)
    ws = rows_of(np.broadcast_to(fitted_weights(w, a, axis), a.shape), axis)
    idx = row_orders(b)
    n = b.shape[1]
    out = np.empty((len(qs), b.shape[0]), a.dtype)
    for r in range(b.shape[0]):
        cdf = np.cumsum(ws[r][idx[r]] * 1.0)
        if cdf[n - 1] == 0.0:
            raise ValueError("At least one weight must be non-zero.")
        cdf = cdf / cdf[n - 1]
        for k in range(len(qs)):
            j = np.sum(np.logical_or(cdf < qs[k], cdf == 0.0))
            whole = b[r, idx[r, n - 1]] == b[r, idx[r, n - 1]]
            out[k, r] = b[r, idx[r, min(j, n - 1) if whole else n - 1]]
    if np.ndim(q) == 0:
        return reduced(out[0], a.shape, axis, keepdims)
    return out.reshape((*np.shape(q), *reduced_shape(a.shape, axis, keepdims)))


def weighted_calls(d, scale):
    """Sample calls with weights: ``scale`` is 1 or 100."""
    return [
        d.value(d.vec(5), 0.4 * scale, weights=d.pos(5), method="inverted_cdf"),
        d.value(
            d.mat(2, 3), [0.2 * scale, scale], axis=1, weights=[2, 0, 1], method="inverted_cdf"
        ),
    ]


def quantile_calls(d, scale):
    """Sample calls: ``scale`` is 1 or 100."""
    holes = d.array([[1.0, np.nan, 0.0], [np.nan, 2.0, 3.0]])
    continuous = [
        d.call(d.vec(4), 0.3 * scale, method=m)
        for m in ("averaged_inverted_cdf", "hazen", "weibull", "median_unbiased")
    ]
    discrete = [
        d.value(d.ints(0, 9, 5), [0.1 * scale, 0.5 * scale, scale], method=m)
        for m in ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")
    ]
    return [
        d.call(d.vec(5), d.num(0.3, 0.45) * scale),
        d.call(d.mat(3, 4), [0.2 * scale, 0.7 * scale], axis=0),
        d.call(d.arr(2, 3, 2), 0.4 * scale, axis=(0, 2), keepdims=True),
        d.call(d.mat(2, 2), d.array([0.1, 0.6]) * scale, axis=-1, method="normal_unbiased"),
        d.call(d.vec(3), 0.3 * scale, method="interpolated_inverted_cdf"),
        d.call(d.vec(4), 0.4 * scale, method="midpoint"),
        d.call(d.mat(3, 2), np.array([[0.1, 0.6], [0.2, 0.9]]) * scale, axis=0),
        d.value(d.vec(3), (0, scale)),
        d.value(holes, 0.3 * scale, axis=0),
        d.value(holes, 0.5 * scale, axis=1, keepdims=True),
        *continuous,
        *discrete,
    ]


@implements(np.quantile, samples=lambda d: [*quantile_calls(d, 1), *weighted_calls(d, 1)])
def quantile(
    a,
    q,
    axis=None,
    out=None,
    overwrite_input=False,
    method="linear",
    keepdims=False,
    *,
    weights=None,
    interpolation=None,
):
    """Quantiles, by all methods of NumPy."""
    check_rest(interpolation)
    check_quantiles(q, "Quantiles must be in the range [0, 1]")
    if weights is not None:
        return weighted(a, q, axis, weights, method, keepdims)
    return quantiles(a, q, axis, method, keepdims, False)


@implements(np.nanquantile, samples=lambda d: quantile_calls(d, 1))
def nanquantile(
    a,
    q,
    axis=None,
    out=None,
    overwrite_input=False,
    method="linear",
    keepdims=False,
    *,
    weights=None,
    interpolation=None,
):
    """Quantiles of what is no NaN."""
    check_rest(interpolation)
    check_quantiles(q, "Quantiles must be in the range [0, 1]")
    if weights is not None:
        refuse("weights of quantiles that pass over NaN", "weight what is NaN with 0")
    return quantiles(a, q, axis, method, keepdims, True)


@implements(np.percentile, samples=lambda d: [*quantile_calls(d, 100), *weighted_calls(d, 100)])
def percentile(
    a,
    q,
    axis=None,
    out=None,
    overwrite_input=False,
    method="linear",
    keepdims=False,
    *,
    weights=None,
    interpolation=None,
):
    """Percentiles, by all methods of NumPy."""
    check_rest(interpolation)
    q = np.divide(q, 100)
    check_quantiles(q, "Percentiles must be in the range [0, 100]")
    if weights is not None:
        return weighted(a, q, axis, weights, method, keepdims)
    return quantiles(a, q, axis, method, keepdims, False)


@implements(np.nanpercentile, samples=lambda d: quantile_calls(d, 100))
def nanpercentile(
    a,
    q,
    axis=None,
    out=None,
    overwrite_input=False,
    method="linear",
    keepdims=False,
    *,
    weights=None,
    interpolation=None,
):
    """Percentiles of what is no NaN."""
    check_rest(interpolation)
    q = np.divide(q, 100)
    check_quantiles(q, "Percentiles must be in the range [0, 100]")
    if weights is not None:
        refuse("weights of quantiles that pass over NaN", "weight what is NaN with 0")
    return quantiles(a, q, axis, method, keepdims, True)
