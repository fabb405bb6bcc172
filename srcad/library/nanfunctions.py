"""Reductions that pass over NaN: nansum, nanmean, nanvar, nanargmax and their kin.

What is NaN has the derivative zero, and so has what a slice of nothing but NaN gives.
"""

from __future__ import annotations

import numpy as np

from srcad.library.registry import implements, refuse
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


def check_out(out):
    """No result is written into an argument."""
    if out is not None:
        refuse("the argument 'out' of a reduction that passes over NaN", "assign the result")


def counted(a, axis, keepdims):
    """How many elements are no NaN."""
    return np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)


@implements(np.nansum, samples=reduction_calls)
def nansum(a, axis=None, dtype=None, out=None, keepdims=False):
    """The sum of what is no NaN."""
    check_out(out)
    a = np.asarray(a)
    return np.sum(np.where(np.isnan(a), 0, a), axis=axis, dtype=dtype, keepdims=keepdims)


@implements(np.nanprod, samples=reduction_calls)
def nanprod(a, axis=None, dtype=None, out=None, keepdims=False):
    """The product of what is no NaN."""
    check_out(out)
    a = np.asarray(a)
    return np.prod(np.where(np.isnan(a), 1, a), axis=axis, dtype=dtype, keepdims=keepdims)


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
    check_out(out)
    a = np.asarray(a)
    return np.cumsum(np.where(np.isnan(a), 0, a), axis=axis, dtype=dtype)


@implements(np.nancumprod, samples=scan_calls)
def nancumprod(a, axis=None, dtype=None, out=None):
    """Running products, NaN as 1."""
    check_out(out)
    a = np.asarray(a)
    return np.cumprod(np.where(np.isnan(a), 1, a), axis=axis, dtype=dtype)


@implements(np.nanmean, samples=reduction_calls)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=False):
    """The mean of what is no NaN."""
    check_out(out)
    a = np.asarray(a)
    return np.divide(
        nansum(a, axis=axis, dtype=dtype, keepdims=keepdims), counted(a, axis, keepdims)
    )


def variance_calls(d):
    """Sample calls of a variance."""
    return [*reduction_calls(d), d.call(d.vec(4), ddof=1), d.value(holes(d), axis=1, ddof=1)]


@implements(np.nanvar, samples=variance_calls)
def nanvar(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
    """The variance of what is no NaN."""
    check_out(out)
    a = np.asarray(a)
    d = np.where(np.isnan(a), 0.0, a - nanmean(a, axis=axis, dtype=dtype, keepdims=True))
    free = counted(a, axis, keepdims) - ddof
    return np.divide(np.sum(d * d, axis=axis, keepdims=keepdims), np.where(free > 0, free, np.nan))


@implements(np.nanstd, samples=variance_calls)
def nanstd(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
    """The standard deviation of what is no NaN."""
    return root_or_zero(nanvar(a, axis=axis, dtype=dtype, out=out, ddof=ddof, keepdims=keepdims))


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
    check_out(out)
    return np.argmax(without(np.asarray(a), axis, -np.inf), axis=axis, keepdims=keepdims)


@implements(np.nanargmin, samples=position_calls)
def nanargmin(a, axis=None, out=None, *, keepdims=False):
    """The position of the least element that is no NaN."""
    check_out(out)
    return np.argmin(without(np.asarray(a), axis, np.inf), axis=axis, keepdims=keepdims)
