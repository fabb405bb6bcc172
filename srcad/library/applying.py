"""Functions of the user applied to rows and elements: apply_along_axis, vectorize."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import one_axis, others, product, rows_of, unrows
from srcad.library.registry import implements, refuse


def _spread(row, power=2.0):
    return np.sum(np.abs(row) ** power)


def _ends(row):
    return np.array([row[0], row[len(row) - 1] * 2.0])


@implements(
    np.apply_along_axis,
    samples=lambda d: [
        d.value(func1d=_spread, axis=1, arr=d.mat(2, 3)),
        d.value(func1d=_ends, axis=0, arr=d.mat(2, 3)),
    ],
    notes="differentiated as the function is",
)
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    """A function of a vector, applied to every row along an axis."""
    a = np.asarray(arr)
    k = one_axis(axis, np.ndim(a))
    rows = rows_of(a, k)
    m = rows.shape[0]
    if m == 0:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    first = func1d(rows[0], *args, **kwargs)
    if np.ndim(first) > 1:
        refuse("np.apply_along_axis of a function that returns a matrix", "write a loop")
    if np.ndim(first) == 1:
        out = np.empty((m, len(first)), np.result_type(first))
        out[0] = first
        for i in range(1, m):
            out[i] = func1d(rows[i], *args, **kwargs)
        return unrows(out, a.shape, k)
    numbers = np.empty(m, np.result_type(first))
    numbers[0] = first
    for i in range(1, m):
        numbers[i] = func1d(rows[i], *args, **kwargs)
    sizes: tuple = ()
    for j in others((k,), np.ndim(a)):
        sizes = (*sizes, a.shape[j])
    return numbers[0] if len(sizes) == 0 else numbers.reshape(sizes)


def vectorized(dtype, function, *args):
    """What ``np.vectorize(function)`` computes: the function of every element."""
    shapes: tuple = ()
    for a in args:
        shapes = (*shapes, np.shape(a))
    shape = np.broadcast_shapes(*shapes)
    if len(shape) == 0:
        number = function(*args)
        return number if dtype is None else np.full((), number, dtype)[()]
    parts: tuple = ()
    for a in args:
        parts = (*parts, np.copy(np.broadcast_to(a, shape)).ravel())
    n = product(shape)
    if n == 0 and dtype is None:
        raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
    if dtype is not None:
        typed = np.empty(n, dtype)
        for i in range(n):
            typed[i] = function(*elements(parts, i))
        return typed.reshape(shape)
    first = function(*elements(parts, 0))
    if isinstance(first, tuple) or np.ndim(first) > 0:
        refuse("np.vectorize of a function that returns more than a number", "write a loop")
    out = np.empty(n, np.result_type(first))
    out[0] = first
    for i in range(1, n):
        out[i] = function(*elements(parts, i))
    return out.reshape(shape)


def elements(parts, i):
    """The ``i``-th element of each vector."""
    out: tuple = ()
    for p in parts:
        out = (*out, p[i])
    return out


def _square(x):
    return x * x


@implements(
    np.piecewise,
    samples=lambda d: [
        d.value(d.vec(4), condlist=[np.array([True, False, True, False])], funclist=[_square, 2.0]),
        d.value(d.vec(2), condlist=[np.array([True, False])], funclist=[_square]),
        d.value(d.vec(2), condlist=np.array([True, False]), funclist=[_square, 1.0]),
    ],
)
def piecewise(x, condlist, funclist, *args, **kw):
    """From each place what the function, or the number, of its condition gives there."""
    if np.ndim(x) == 0:
        refuse("np.piecewise of a number", "an if, or np.where")
    x = np.asarray(x)
    if not isinstance(condlist, tuple) and np.ndim(condlist) > 1:
        refuse("np.piecewise with its conditions in one array", "give a list of conditions")
    several = isinstance(condlist, tuple) and np.ndim(condlist[0]) > 0
    masks = condlist if several else (np.asarray(condlist),)
    out = np.zeros(x.shape, x.dtype)
    if len(funclist) == len(masks) + 1:
        none = np.ones(x.shape, bool)
        for c in masks:
            none = np.logical_and(none, np.logical_not(c))
        masks = (*masks, none)
    if len(funclist) != len(masks):
        raise ValueError("with these conditions, as many functions or one more are expected")
    for j, c in enumerate(masks):
        f = funclist[j]
        if isinstance(f, (int, float, np.float32)):
            out[np.asarray(c)] = f
        else:
            out[np.asarray(c)] = f(x[np.asarray(c)], *args, **kw)
    return out
