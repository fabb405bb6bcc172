"""Joining and taking apart: append, insert, delete, split, dstack, block."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import FULL, flat, one_axis, place
from srcad.library.registry import implements, refuse
from srcad.library.shaping import atleast_3d_


@implements(
    np.append,
    samples=lambda d: [
        d.call(d.vec(3), d.num()),
        d.call(d.mat(2, 2), d.vec(3)),
        d.call(d.mat(2, 2), d.mat(1, 2), axis=0),
        d.call(d.mat(2, 2), d.mat(2, 3), axis=-1),
        d.call((1.0, d.num()), (d.num(),)),
    ],
)
def append(arr, values, axis=None):
    """An array and what follows it."""
    if axis is None:
        return np.concatenate((flat(arr), flat(values)))
    return np.concatenate((arr, values), axis)


def targets(at, n):
    """Positions in the result of what is inserted, and of the ``n`` elements there were.

    What goes to the same place keeps its order.
    """
    count = np.zeros(n + 2, np.int64)
    where = np.empty(len(at), np.int64)
    for j in range(len(at)):
        k = at[j] + n if at[j] < 0 else at[j]
        if k < 0 or k > n:
            raise IndexError("index is out of bounds for the axis")
        where[j] = k
        count[k + 1] += 1
    for k in range(n + 1):
        count[k + 1] += count[k]
    old = np.empty(n, np.int64)
    for k in range(n):
        old[k] = k + count[k + 1]
    for j in range(len(at)):
        k = where[j]
        where[j] = k + count[k]
        count[k] += 1
    return where, old


def insert_block(a, index, values, k, moved):
    """Slices inserted at one position; ``moved``: their first axis is the one they extend along."""
    n = a.shape[k]
    i = index + n if index < 0 else index
    if i < 0 or i > n:
        raise IndexError("index is out of bounds for the axis")
    new = np.asarray(values)
    if np.ndim(new) > np.ndim(a):
        refuse("np.insert of values with more axes than the array", "np.concatenate")
    new = new[(None,) * (np.ndim(a) - np.ndim(new))]
    new = np.moveaxis(new, 0, k) if moved else new
    m = new.shape[k]
    out = np.empty((*a.shape[:k], n + m, *a.shape[k + 1 :]), a.dtype)
    out[place(k, slice(None, i))] = a[place(k, slice(None, i))]
    out[place(k, slice(i, i + m))] = new
    out[place(k, slice(i + m, None))] = a[place(k, slice(i, None))]
    return out


def is_mask(obj):
    """Whether positions are given as a mask."""
    if isinstance(obj, tuple) and len(obj) == 0:
        return False
    return np.asarray(obj).dtype.kind == "b"


def spread(obj, n):
    """Positions given as an array, a sequence or a slice."""
    if isinstance(obj, slice):
        return np.arange(n)[obj]
    if isinstance(obj, tuple) and len(obj) == 0:
        return np.zeros(0, np.int64)
    at = np.asarray(obj)
    if at.dtype.kind != "i" or np.ndim(at) != 1:
        refuse("positions that are no vector of ints", "convert them with .astype(int)")
    return at


@implements(
    np.insert,
    samples=lambda d: [
        d.call(d.vec(4), 1, d.num()),
        d.call(d.vec(3), -1, d.vec(2)),
        d.call(d.mat(2, 3), 1, d.vec(3), axis=0),
        d.call(d.mat(2, 3), 3, d.vec(2), axis=1),
        d.call(d.mat(2, 3), 2, d.num()),
        d.call(d.mat(2, 3), (1,), d.mat(2, 2), axis=1),
        d.call(d.vec(4), np.array([3, 1, 1, -4]), d.vec(4)),
        d.call(d.mat(2, 3), np.array([0, 2]), d.mat(2, 2), axis=1),
        d.call(d.mat(2, 3), np.array([0, 2]), d.num(), axis=1),
        d.call(d.vec(4), obj=slice(1, 4, 2), values=d.vec(2)),
    ],
)
def insert(arr, obj, values, axis=None):
    """Values inserted in front of given positions, of the flattened array or along an axis."""
    a = np.asarray(arr) if axis is not None else flat(arr)
    k = one_axis(axis, np.ndim(a)) if axis is not None else 0
    if not isinstance(obj, slice) and np.ndim(obj) == 0:
        return insert_block(a, obj, values, k, True)
    if isinstance(obj, tuple) and len(obj) == 1:
        return insert_block(a, obj[0], values, k, False)
    n = a.shape[k]
    at = spread(obj, n)
    new, old = targets(at, n)
    out = np.empty((*a.shape[:k], n + len(at), *a.shape[k + 1 :]), a.dtype)
    out[place(k, new)] = np.asarray(values)
    out[place(k, old)] = a
    return out


@implements(
    np.delete,
    samples=lambda d: [
        d.call(d.vec(4), 1),
        d.call(d.mat(2, 3), -1, axis=1),
        d.call(d.mat(2, 3), 4),
        d.call(d.vec(5), np.array([0, -1, 0])),
        d.call(d.mat(3, 3), np.array([True, False, True]), axis=0),
        d.call(d.mat(3, 4), obj=slice(0, 4, 2), axis=1),
        d.call(d.vec(3), obj=[]),
    ],
)
def delete(arr, obj, axis=None):
    """What is left without given positions, of the flattened array or along an axis."""
    a = np.asarray(arr) if axis is not None else flat(arr)
    k = one_axis(axis, np.ndim(a)) if axis is not None else 0
    n = a.shape[k]
    if isinstance(obj, slice):
        keep = np.ones(n, bool)
        keep[obj] = False
        return a[place(k, keep)]
    if np.ndim(obj) == 0:
        i = obj + n if obj < 0 else obj
        if i < 0 or i >= n:
            raise IndexError("index is out of bounds for the axis")
        return np.concatenate((a[place(k, slice(None, i))], a[place(k, slice(i + 1, None))]), k)
    if is_mask(obj):
        if len(obj) != n:
            raise ValueError("boolean array argument obj to delete must be one dimensional")
        return a[place(k, np.logical_not(obj))]
    keep = np.ones(n, bool)
    for i in spread(obj, n):
        if i < -n or i >= n:
            raise IndexError("index is out of bounds for the axis")
        keep[i] = False
    return a[place(k, keep)]


def pieces(a, bounds, k):
    """Views of the parts of an array between positions on an axis."""
    out: tuple = ()
    start = 0
    for stop in bounds:
        out = (*out, a[place(k, slice(start, stop))])
        start = stop
    return (*out, a[place(k, slice(start, None))])


@implements(
    np.array_split,
    samples=lambda d: [
        d.call(d.vec(7), indices_or_sections=3),
        d.call(d.mat(2, 5), indices_or_sections=2, axis=1),
        d.call(d.mat(4, 2), indices_or_sections=[1, 3]),
        d.call(d.vec(5), indices_or_sections=[2, -1, 9]),
    ],
)
def array_split(ary, indices_or_sections, axis=0):
    """Parts of an array, views: a constant number of them, or between given positions."""
    a = np.asarray(ary)
    k = one_axis(axis, np.ndim(a))
    if isinstance(indices_or_sections, tuple):
        return pieces(a, indices_or_sections, k)
    if np.ndim(indices_or_sections) > 0:
        refuse(
            "splitting at an array of positions", "give a tuple: its length is the number of parts"
        )
    if indices_or_sections <= 0:
        raise ValueError("number sections must be larger than 0.")
    bounds: tuple = ()
    each, more = a.shape[k] // indices_or_sections, a.shape[k] % indices_or_sections
    for j in tuple(range(1, indices_or_sections)):
        bounds = (*bounds, j * each + min(j, more))
    return pieces(a, bounds, k)


@implements(
    np.split,
    samples=lambda d: [
        d.call(d.vec(6), indices_or_sections=3),
        d.call(d.mat(2, 4), indices_or_sections=2, axis=-1),
        d.call(d.mat(4, 2), indices_or_sections=(1, 3)),
    ],
)
def split(ary, indices_or_sections, axis=0):
    """Parts of equal size of an array, or between given positions; views."""
    a = np.asarray(ary)
    if np.ndim(indices_or_sections) == 0:
        if a.shape[one_axis(axis, np.ndim(a))] % indices_or_sections != 0:
            raise ValueError("array split does not result in an equal division")
    return array_split(a, indices_or_sections, axis)


@implements(
    np.hsplit,
    samples=lambda d: [
        d.call(d.vec(4), indices_or_sections=2),
        d.call(d.mat(2, 4), indices_or_sections=(1,)),
    ],
)
def hsplit(ary, indices_or_sections):
    """Parts along the second axis, of a vector along its own."""
    if np.ndim(ary) == 0:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(ary, indices_or_sections, 0 if np.ndim(ary) == 1 else 1)


@implements(np.vsplit, samples=lambda d: [d.call(d.mat(4, 2), indices_or_sections=2)])
def vsplit(ary, indices_or_sections):
    """Parts along the first axis."""
    if np.ndim(ary) < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(ary, indices_or_sections, 0)


@implements(np.dsplit, samples=lambda d: [d.call(d.arr(1, 2, 4), indices_or_sections=2)])
def dsplit(ary, indices_or_sections):
    """Parts along the third axis."""
    if np.ndim(ary) < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(ary, indices_or_sections, 2)


@implements(
    np.dstack,
    samples=lambda d: [
        d.call((d.vec(3), d.vec(3))),
        d.call((d.mat(2, 3), d.mat(2, 3), d.arr(2, 3, 2))),
        d.call((d.num(), d.num())),
    ],
)
def dstack(tup):
    """Arrays joined along the third axis."""
    if not isinstance(tup, tuple):
        deep = []
        for a in tup:
            deep.append(atleast_3d_(a))
        return concatenated(deep, 2)
    parts: tuple = ()
    for a in tup:
        parts = (*parts, atleast_3d_(a))
    return np.concatenate(parts, 2)


def padded(a, ndim):
    """An array with new axes in front, so that it has ``ndim`` of them."""
    a = np.asarray(a)
    return a[(None,) * (ndim - np.ndim(a)) + (FULL,) * np.ndim(a)] if ndim > np.ndim(a) else a


def row(blocks, ndim):
    """Blocks joined along the last axis."""
    parts: tuple = ()
    for b in blocks:
        parts = (*parts, padded(b, ndim))
    return np.concatenate(parts, -1)


@implements(
    np.block,
    samples=lambda d: [
        d.call([d.vec(2), d.num(), d.vec(3)]),
        d.call([[d.mat(2, 2), d.mat(2, 1)], [d.mat(1, 2), d.num()]]),
        d.call([[d.vec(2)], [d.vec(2)]]),
        d.call(d.mat(2, 2)),
    ],
)
def block(arrays):
    """A matrix from a list of rows of blocks, or a row from a list of blocks."""
    if isinstance(arrays, list) and not isinstance(arrays, tuple):
        return np.array(arrays) if np.ndim(arrays[0]) == 0 else concatenated(arrays, -1)
    if not isinstance(arrays, tuple):
        return np.copy(arrays)
    ndim = 1
    for r in arrays:
        for b in r if isinstance(r, tuple) else (r,):
            if isinstance(b, tuple):
                refuse("np.block of lists nested more than twice", "np.concatenate")
            ndim = max(ndim, np.ndim(b))
    if not isinstance(arrays[0], tuple):
        return row(arrays, ndim)
    rows: tuple = ()
    for r in arrays:
        rows = (*rows, row(r, max(ndim, 2)))
    return np.concatenate(rows, -2)


def concatenated(arrays, axis=0):
    """``np.concatenate`` of a list built at run time."""
    if len(arrays) == 0:
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        return concatenated([a.ravel() for a in arrays])
    first = arrays[0]
    k = one_axis(axis, np.ndim(first))
    total = 0
    for a in arrays:
        for j, n in enumerate(a.shape):
            if j != k and n != first.shape[j]:
                raise ValueError("all the input array dimensions must match exactly")
        total += a.shape[k]
    out = np.empty((*first.shape[:k], total, *first.shape[k + 1 :]), first.dtype)
    at = 0
    for a in arrays:
        out[place(k, slice(at, at + a.shape[k]))] = a
        at += a.shape[k]
    return out


def stacked(arrays, axis=0):
    """``np.stack`` of a list built at run time."""
    whole = np.array(arrays)
    k = one_axis(axis, np.ndim(whole))
    return whole if k == 0 else np.ascontiguousarray(np.moveaxis(whole, 0, k))


def hstacked(arrays):
    """``np.hstack`` of a list built at run time."""
    ndim = np.ndim(arrays[0])
    return np.array(arrays) if ndim == 0 else concatenated(arrays, 0 if ndim == 1 else 1)


def vstacked(arrays):
    """``np.vstack`` of a list built at run time."""
    if np.ndim(arrays[0]) == 0:
        return np.array(arrays)[:, None]
    return np.array(arrays) if np.ndim(arrays[0]) == 1 else concatenated(arrays, 0)


def column_stacked(arrays):
    """``np.column_stack`` of a list built at run time."""
    if np.ndim(arrays[0]) == 0:
        return np.array(arrays)[None, :]
    return stacked(arrays, 1) if np.ndim(arrays[0]) == 1 else concatenated(arrays, 1)
