"""Helpers of the library: arrays as rows along some axes, and results in the shape NumPy gives."""

from __future__ import annotations

import numpy as np

from srcad.library.registry import axes_of, refuse

FULL = slice(None)


def one_axis(axis, ndim):
    """The single axis that the constant ``axis`` names, counted from the front."""
    axes = axes_of(axis, ndim)
    if len(axes) != 1:
        refuse("more than one axis", "give a single axis")
    return axes[0]


def place(axis, item):
    """The key that selects ``item`` along an axis."""
    return (FULL,) * axis + (item,)


def element(x):
    """A number, of an array without axes its element; other arrays as they are."""
    return x[()] if isinstance(x, np.ndarray) and np.ndim(x) == 0 else x


def flat(a):
    """An array, or what becomes one, as a vector."""
    return np.asarray(a).ravel()


def others(axes, ndim):
    """The axes that are not among ``axes``."""
    rest: tuple = ()
    for k in tuple(range(ndim)):
        if k not in axes:
            rest = (*rest, k)
    return rest


def product(sizes):
    """The product of some sizes."""
    n = 1
    for k in sizes:
        n *= k
    return n


def rows_of(a, axis):
    """``a`` as a matrix, a row for each index of the other axes: to be read only.

    It is a view where the axes are the last of a C-ordered array, else a copy.
    """
    a = np.asarray(a)
    axes = axes_of(axis, np.ndim(a))
    rest = others(axes, np.ndim(a))
    b = np.ascontiguousarray(np.transpose(a, (*rest, *axes)))
    m = product(b.shape[: len(rest)])
    n = product(b.shape[len(rest) :])
    return b.reshape((m, n))


def unrows(b, shape, axis):
    """The inverse of ``rows_of`` for one axis: rows go back along the axis."""
    rest = others(axes_of(axis, len(shape)), len(shape))
    sizes: tuple = ()
    for k in rest:
        sizes = (*sizes, shape[k])
    return np.moveaxis(b.reshape((*sizes, b.shape[1])), -1, axis)


def reduced_shape(shape, axis, keepdims):
    """The shape of a reduction of an array."""
    axes = axes_of(axis, len(shape))
    sizes: tuple = ()
    for k, n in enumerate(shape):
        if k not in axes:
            sizes = (*sizes, n)
        elif keepdims:
            sizes = (*sizes, 1)
    return sizes


def reduced(r, shape, axis, keepdims):
    """Numbers, one a row of ``rows_of``, in the shape of the reduction; a number if it has none."""
    sizes = reduced_shape(shape, axis, keepdims)
    if len(sizes) == 0:
        return r[0]
    return r.reshape(sizes)
