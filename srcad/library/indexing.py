"""Selecting elements: take, choose, select, compress and their kin, and what writes to them.

Each is a subscript with index arrays, so the derivative of what is selected goes to where it was
taken from.  Indices have no derivative; as for subscripts, whether they are in range is checked
with ``debug=True``.
"""

from __future__ import annotations

import numpy as np

from srcad.library.axes import FULL, flat, one_axis, place
from srcad.library.registry import implements, refuse


def along(i, axis, ndim):
    """A vector as an array of ``ndim`` axes that extends along one of them."""
    return i[(None,) * axis + (FULL,) + (None,) * (ndim - 1 - axis)]


def in_range(i, n, mode):
    """Indices by one of NumPy's modes for those that are out of range."""
    if mode == "wrap":
        return i % n
    if mode == "clip":
        return np.clip(i, 0, n - 1)
    return i


@implements(
    np.take,
    method="take",
    samples=lambda d: [
        d.call(d.vec(5), d.ints(-5, 5, 3)),
        d.call(d.mat(3, 4), d.ints(0, 12, 2, 2)),
        d.call(d.mat(3, 4), d.ints(0, 4, 2, 2), axis=1),
        d.call(d.mat(3, 4), 1, axis=-2),
        d.call(d.arr(2, 3, 2), d.ints(-9, 9, 4), axis=1, mode="wrap"),
        d.call(d.vec(4), d.ints(-9, 9, 4), mode="clip"),
        d.call(d.vec(4), 2),
        d.call(d.mat(2, 3), indices=[2, 0], axis=1),
    ],
)
def take(a, indices, axis=None, out=None, mode="raise"):
    """Elements at given positions, of the flattened array or along an axis; a copy."""
    a = np.asarray(a) if axis is not None else flat(a)
    k = one_axis(axis, np.ndim(a)) if axis is not None else 0
    if np.ndim(indices) == 0:
        i = in_range(indices, a.shape[k], mode)
        return a[i] if np.ndim(a) == 1 else a[place(k, i)].copy()
    return a[place(k, in_range(np.asarray(indices), a.shape[k], mode))]


def along_key(a, indices, axis):
    """The key of ``take_along_axis``: positions on one axis, every position on the others."""
    ndim = np.ndim(a)
    if np.ndim(indices) != ndim:
        refuse("indices with another number of axes than the array", "give them as many axes")
    key: tuple = ()
    for j, n in enumerate(a.shape):
        key = (*key, indices if j == axis else along(np.arange(n), j, ndim))
    return key


@implements(
    np.take_along_axis,
    samples=lambda d: [
        d.call(d.mat(3, 4), d.ints(0, 4, 3, 2), axis=1),
        d.call(d.mat(3, 4), d.ints(-3, 3, 2, 4), axis=0),
        d.call(d.arr(2, 3, 2), d.ints(0, 3, 2, 2, 1), axis=1),
        d.call(d.mat(2, 3), d.ints(0, 6, 4), axis=None),
    ],
)
def take_along_axis(arr, indices, axis=-1):
    """Elements at positions along an axis, given for every row."""
    if axis is None:
        return flat(arr)[indices]
    arr = np.asarray(arr)
    return arr[along_key(arr, np.asarray(indices), one_axis(axis, np.ndim(arr)))]


@implements(
    np.put_along_axis,
    in_place=True,
    samples=lambda d: [
        d.call(d.mat(3, 4), np.array([[1], [3], [0]]), d.mat(3, 1), axis=1),
        d.call(d.mat(3, 4), np.array([[1, 2, 0, 0]]), 0.5, axis=0),
    ],
)
def put_along_axis(arr, indices, values, axis):
    """Writes to positions along an axis, given for every row."""
    if axis is None:
        refuse("np.put_along_axis without an axis", "np.put(a, indices, values)")
    key = along_key(arr, np.asarray(indices), one_axis(axis, np.ndim(arr)))
    arr[key] = np.asarray(values)


@implements(
    np.put,
    in_place=True,
    method="put",
    samples=lambda d: [
        d.call(d.array([1.0, 2.0, 3.0, 4.0]), np.array([0, -1]), d.vec(2)),
        d.call(d.array([1.0, 2.0, 3.0, 4.0]), np.array([2, 0, 1]), d.vec(2)),
        d.call(d.mat(2, 3), 4, 0.7),
        d.call(d.mat(2, 3), np.array([7, 2]), d.vec(2), mode="wrap"),
    ],
)
def put(a, ind, v, mode="raise"):
    """Writes to positions of the flattened array; too few values are repeated."""
    values, at = flat(v), flat(ind)
    if len(at) > 0 and a.size == 0:
        raise IndexError("cannot replace elements of an empty array")
    if len(values) == 0:
        at = at[:0]
    if mode == "raise":
        if np.any(np.logical_or(at < -a.size, at >= a.size)):
            raise IndexError("index is out of bounds for the array")
        mode = "wrap"
    write_flat(a, in_range(at, a.size, mode), values[np.arange(len(at)) % max(len(values), 1)])


def write_flat(a, at, values):
    """Writes to positions of the flattened array, whatever the layout."""
    if np.ndim(a) == 1:
        a[at] = values
    else:
        a[unravel_index(at, a.shape)] = values


@implements(
    np.copyto,
    in_place=True,
    samples=lambda d: [
        d.call(d.mat(2, 3), d.vec(3)),
        d.call(d.mat(2, 3), d.mat(2, 3), where=np.array([True, False, True])),
    ],
)
def copyto(dst, src, casting="same_kind", where=True):
    """Writes all elements, or those where a mask is true."""
    if np.result_type(dst, src).kind != dst.dtype.kind:
        refuse("np.copyto of another kind of numbers", "convert them with .astype")
    if np.ndim(where) == 0:
        dst[...] = np.where(where, np.asarray(src), dst)
    else:
        mask = np.broadcast_to(np.asarray(where), dst.shape)
        dst[...] = np.where(mask, np.asarray(src), dst)


@implements(
    np.putmask,
    in_place=True,
    samples=lambda d: [
        d.call(d.mat(2, 3), np.array([[True, False, True], [False, True, True]]), d.vec(6)),
        d.call(d.vec(5), np.array([True, False, True, True, False]), d.vec(2)),
    ],
)
def putmask(a, mask, values):
    """Writes where a mask is true; the values run along with the array and are repeated."""
    if np.size(mask) != np.size(a):
        raise ValueError("putmask: mask and data must be the same size")
    at = np.where(flat(mask))[0]
    v = flat(values)
    if len(v) > 0:
        write_flat(a, at, v[at % len(v)])


@implements(
    np.place,
    in_place=True,
    samples=lambda d: [
        d.call(d.mat(2, 3), np.array([[True, False, True], [False, True, True]]), d.vec(2))
    ],
)
def place_(arr, mask, vals):
    """Writes where a mask is true, one value after another; too few are repeated."""
    if np.size(mask) != np.size(arr):
        raise ValueError("place: mask and data must be the same size")
    at = np.where(flat(mask))[0]
    v = flat(vals)
    if len(v) == 0 and len(at) > 0:
        raise ValueError("Cannot insert from an empty array!")
    write_flat(arr, at, v[np.arange(len(at)) % max(len(v), 1)])


@implements(
    np.compress,
    samples=lambda d: [
        d.call(np.array([True, False, True]), d.vec(4)),
        d.call(np.array([False, True]), d.mat(3, 2)),
        d.call(np.array([0, 1, 1]), d.mat(3, 4), axis=1),
        d.call(np.array([False, True]), d.arr(2, 3, 2), axis=-3),
    ],
)
def compress(condition, a, axis=None, out=None):
    """Slices where a condition is true, along an axis or of the flattened array."""
    if np.ndim(condition) != 1:
        refuse("np.compress with a condition that is not 1-D", "use a[mask]")
    at = np.where(np.asarray(condition))[0]
    if len(at) > 0 and at[-1] >= (np.size(a) if axis is None else np.shape(a)[axis]):
        raise IndexError("the condition is longer than the axis, and true there")
    return take(a, at, axis, out)


@implements(
    method="compress", samples=lambda d: [d.call(d.mat(2, 3), np.array([True, False]), axis=0)]
)
def compress_method(a, condition, axis=None, out=None):
    """``a.compress(condition, axis)``."""
    return compress(condition, a, axis, out)


@implements(
    np.select,
    samples=lambda d: [
        d.call(
            (np.array([True, False, False]), np.array([True, True, False])), (d.vec(3), d.vec(3))
        ),
        d.call((np.array([True, False]),), (d.mat(3, 2),), 0.7),
        d.call(
            (np.array([[True], [False]]), np.array([True, True])),
            (d.num(), d.mat(2, 2)),
            default=2.0,
        ),
    ],
)
def select(condlist, choicelist, default=0):
    """From each place, the choice of the first condition that is true there."""
    if not (isinstance(condlist, tuple) and isinstance(choicelist, tuple)):
        refuse("np.select of lists built at run time", "write the lists in the call")
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if len(condlist) == 0:
        raise ValueError("select with an empty condition list is not possible")
    out = default
    for k, v in enumerate(choicelist[::-1]):
        out = np.where(condlist[::-1][k], v, out)
    return out


@implements(
    np.choose,
    method="choose",
    samples=lambda d: [
        d.call(np.array([0, 2, 1, 0]), (d.vec(4), d.vec(4), d.num())),
        d.call(np.array([[0, 1], [1, 0]]), d.arr(2, 2, 2)),
        d.call(np.array([0, 5, -1]), (d.vec(3), d.vec(3)), mode="clip"),
        d.call(np.array([0, 5, -1]), (d.vec(3), d.vec(3)), mode="wrap"),
    ],
)
def choose(a, choices, out=None, mode="raise"):
    """From each place, the choice that an integer array names there."""
    n = len(choices)
    i = in_range(np.asarray(a), n, mode)
    if mode == "raise" and np.any(np.logical_or(i < 0, i >= n)):
        raise ValueError("invalid entry in choice array")
    if isinstance(choices, tuple):
        picked = choices[0]
        for k, v in enumerate(choices):
            picked = np.where(i == k, v, picked)
        return picked
    picked = np.where(i == 0, choices[0], choices[0])
    for k in range(1, n):
        picked = np.where(i == k, choices[k], picked)
    return picked


@implements(
    np.ix_,
    samples=lambda d: [
        d.value(np.array([0, 2]), np.array([1])),
        d.value((0, 1), np.array([True, False, True])),
        d.value(np.arange(2), np.arange(3), np.arange(1)),
    ],
)
def ix_(*args):
    """Index vectors, or masks, that select a grid: one array for each axis."""
    out: tuple = ()
    for k, x in enumerate(args):
        v = np.asarray(x)
        if np.ndim(v) != 1:
            raise ValueError("Cross index must be 1 dimensional")
        out = (*out, along(np.where(v)[0] if v.dtype.kind == "b" else v, k, len(args)))
    return out


@implements(
    np.unravel_index,
    samples=lambda d: [
        d.value(np.array([0, 5, 3]), (2, 3)),
        d.value(7, (2, 2, 2)),
        d.value(np.array([[1, 2], [3, 4]]), (2, 3), order="F"),
    ],
)
def unravel_index(indices, shape, order="C"):
    """Positions in an array from positions in the flattened one."""
    if order != "C" and order != "F":
        raise ValueError("only 'C' or 'F' order is permitted")
    sizes = shape if isinstance(shape, tuple) else (shape,)
    rest = np.asarray(indices) if np.ndim(indices) > 0 else indices
    out: tuple = ()
    for n in sizes if order == "F" else sizes[::-1]:
        out = (*out, rest % n) if order == "F" else (rest % n, *out)
        rest = rest // n
    if np.any(np.asarray(rest) != 0):
        raise ValueError("index is out of bounds for array of this size")
    return out


@implements(
    np.ravel_multi_index,
    samples=lambda d: [
        d.value((np.array([0, 1]), np.array([2, 1])), (2, 3)),
        d.value((1, 0, 1), (2, 2, 2)),
        d.value((np.array([0, 5]), np.array([-1, 1])), (2, 3), mode="wrap"),
        d.value((1, 2), (2, 3), order="F"),
    ],
)
def ravel_multi_index(multi_index, dims, mode="raise", order="C"):
    """Positions in the flattened array from positions in an array."""
    if order != "C" and order != "F":
        raise ValueError("only 'C' or 'F' order is permitted")
    flat_index = 0
    axes = tuple(range(len(dims)))
    for k in axes if order == "C" else axes[::-1]:
        i = multi_index[k]
        if mode == "raise" and np.any(np.logical_or(np.asarray(i) < 0, np.asarray(i) >= dims[k])):
            raise ValueError("invalid entry in coordinates array")
        flat_index = flat_index * dims[k] + in_range(i, dims[k], mode)
    return flat_index
