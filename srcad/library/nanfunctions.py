"""Reductions that pass over NaN: nansum, nanmean, nanvar, nanargmax and their kin.

What is NaN has the derivative zero, and so has what a slice of nothing but NaN gives.
"""

from __future__ import annotations

import numpy as np

from srcad.library.registry import implements
from srcad.library.statistics import root_or_zero


def holes(d):
    """A matrix with NaN here and there."""
    return d.array([[1.0, np.nan, 0.5], [np.nan, 2.5, 3.0]])


def reduction_calls(d):
    """Sample calls of a reduction."""
    return [
        d.call(d.vec(4)),
        d.value(holes(d)),
        d.value(holes(d), axis=0),
        d.value(holes(d), axis=(0, 1), keepdims=True),
        d.call(d.mat(2, 3), axis=-1, keepdims=True),
        d.value(d.ints(0, 9, 5)),
        d.value([1.0, np.nan]),
        d.value(d.num()),
    ]


def counted(a, axis, keepdims, where):
    """How many elements are no NaN, of those that a mask selects."""
    return np.sum(~np.isnan(a), axis=axis, keepdims=keepdims, where=where)


def fold_calls(d):
    """Sample calls of a sum or a product."""
    mask = np.array([[True, False, True], [True, True, False]])
    return [*reduction_calls(d), d.call(d.mat(2, 3), axis=0, initial=2.0, where=mask)]


@implements(np.nansum, samples=fold_calls)
def nansum(a, axis=None, dtype=None, out=None, keepdims=False, initial=0, where=True):
    """The sum of what is no NaN."""
    a = np.where(np.isnan(a), 0, a)
    return np.sum(a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


@implements(np.nanprod, samples=fold_calls)
def nanprod(a, axis=None, dtype=None, out=None, keepdims=False, initial=1, where=True):
    """The product of what is no NaN."""
    a = np.where(np.isnan(a), 1, a)
    return np.prod(a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


def scan_calls(d):
    """Sample calls of a scan."""
    return [
        d.call(d.vec(4)),
        d.value(holes(d)),
        d.value(holes(d), axis=0),
        d.call(d.mat(2, 3), axis=-1),
        d.value([1, 2]),
    ]


@implements(np.nancumsum, samples=scan_calls)
def nancumsum(a, axis=None, dtype=None, out=None):
    """Running sums, NaN as 0."""
    a = np.asarray(a)
    return np.cumsum(np.where(np.isnan(a), 0, a), axis=axis, dtype=dtype)


@implements(np.nancumprod, samples=scan_calls)
def nancumprod(a, axis=None, dtype=None, out=None):
    """Running products, NaN as 1."""
    a = np.asarray(a)
    return np.cumprod(np.where(np.isnan(a), 1, a), axis=axis, dtype=dtype)


def mean_calls(d):
    """Sample calls of a mean."""
    mask = np.array([[True, False, True], [True, True, False]])
    return [*reduction_calls(d), d.call(d.mat(2, 3), axis=1, where=mask)]


@implements(np.nanmean, samples=mean_calls)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, where=True):
    """The mean of what is no NaN."""
    a = np.asarray(a)
    total = nansum(a, axis=axis, dtype=dtype, keepdims=keepdims, where=where)
    return np.divide(total, counted(a, axis, keepdims, where))


def variance_calls(d):
    """Sample calls of a variance."""
    return [
        *mean_calls(d),
        d.call(d.vec(4), ddof=1),
        d.value(holes(d), axis=1, correction=1),
        d.call(d.mat(2, 3), axis=1, mean=d.mat(2, 1)),
    ]


@implements(np.nanvar, samples=variance_calls)
def nanvar(
    a,
    axis=None,
    dtype=None,
    out=None,
    ddof=0,
    keepdims=False,
    where=True,
    mean=None,
    correction=None,
):
    """The variance of what is no NaN."""
    a = np.asarray(a)
    m = nanmean(a, axis=axis, dtype=dtype, keepdims=True, where=where) if mean is None else mean
    d = np.where(np.isnan(a), 0.0, a - m)
    free = counted(a, axis, keepdims, where) - (ddof if correction is None else correction)
    squares = np.sum(d * d, axis=axis, keepdims=keepdims, where=where)
    return np.divide(squares, np.where(free > 0, free, np.nan))


@implements(np.nanstd, samples=variance_calls)
def nanstd(
    a,
    axis=None,
    dtype=None,
    out=None,
    ddof=0,
    keepdims=False,
    where=True,
    mean=None,
    correction=None,
):
    """The standard deviation of what is no NaN."""
    v = nanvar(
        a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean, correction=correction
    )
    return root_or_zero(v)


def position_calls(d):
    """Sample calls of a position."""
    return [
        d.value(d.vec(5)),
        d.value(holes(d)),
        d.value(holes(d), axis=0, keepdims=True),
        d.value(holes(d), axis=-1),
        d.value([1, 3, 2]),
    ]


def without(a, axis, instead):
    """The array with NaN replaced; a slice of nothing else raises."""
    if np.any(np.all(np.isnan(a), axis=axis)):
        raise ValueError("All-NaN slice encountered")
    return np.where(np.isnan(a), instead, a)


@implements(np.nanargmax, samples=position_calls)
def nanargmax(a, axis=None, out=None, *, keepdims=False):
    """The position of the greatest element that is no NaN."""
    return np.argmax(without(np.asarray(a), axis, -np.inf), axis=axis, keepdims=keepdims)


@implements(np.nanargmin, samples=position_calls)
def nanargmin(a, axis=None, out=None, *, keepdims=False):
    """The position of the least element that is no NaN."""
    return np.argmin(without(np.asarray(a), axis, np.inf), axis=axis, keepdims=keepdims)
