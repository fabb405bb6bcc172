"""Names of the array API that NumPy 2 has beside its own: running sums, diagonals of stacks."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import one_axis, product
from srcad.library.products import named
from srcad.library.registry import implements, refuse


def scanned(whole, first, x, axis, dtype, include_initial):
    """A running reduction of arrays along an axis, with what it starts from in front if asked."""
    x = np.asarray(x)
    if axis is None and np.ndim(x) > 1:
        refuse("a running sum or product of all axes", "give the axis")
    k = 0 if axis is None else one_axis(axis, np.ndim(x))
    r = whole(x, axis=k, dtype=dtype)
    if not include_initial:
        return r
    return np.concatenate((np.full((*r.shape[:k], 1, *r.shape[k + 1 :]), first, r.dtype), r), k)


def _calls(d):
    return [
        d.call(d.vec(4)),
        d.call(d.mat(2, 3), axis=-1),
        d.call(d.arr(2, 3, 2), axis=1, include_initial=True),
        d.value(d.ints(1, 5, 4), include_initial=True),
    ]


@implements(*named(np, "cumulative_sum"), samples=_calls)
def cumulative_sum(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    """Running sums."""
    return scanned(np.cumsum, 0, x, axis, dtype, include_initial)


@implements(*named(np, "cumulative_prod"), samples=_calls)
def cumulative_prod(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    """Running products."""
    return scanned(np.cumprod, 1, x, axis, dtype, include_initial)


@implements(
    *named(np.linalg, "diagonal"),
    samples=lambda d: [d.call(d.mat(2, 3)), d.call(d.arr(2, 3, 3), offset=1)],
)
def diagonal(x, /, *, offset=0):
    """The diagonals of the matrices in the last two axes."""
    return np.diagonal(x, offset, -2, -1)


@implements(
    *named(np.linalg, "trace"),
    samples=lambda d: [d.call(d.mat(2, 3)), d.call(d.arr(2, 3, 3), offset=-1)],
)
def trace(x, /, *, offset=0, dtype=None):
    """The sums of those."""
    return np.sum(np.diagonal(x, offset, -2, -1), axis=-1, dtype=dtype)


@implements(*named(np, "unique_values"), samples=lambda d: [d.call(d.mat(2, 2))])
def unique_values(x):
    """Different elements, sorted."""
    return np.unique(x, equal_nan=False)


_UNIQUE = lambda d: [d.value(d.ints(0, 3, 2, 3)), d.value(d.array([np.nan, 1.0, np.nan]))]  # noqa: E731


@implements(*named(np, "unique_counts"), samples=_UNIQUE)
def unique_counts(x):
    """Different elements, and how often they are there."""
    return np.unique(x, return_counts=True, equal_nan=False)


@implements(*named(np, "unique_inverse"), samples=_UNIQUE)
def unique_inverse(x):
    """Different elements, and for each element which of them it is."""
    return np.unique(x, return_inverse=True, equal_nan=False)


@implements(*named(np, "unique_all"), samples=_UNIQUE)
def unique_all(x):
    """Different elements, where they are first, which of them each is, how often they are there."""
    return np.unique(x, True, True, True, equal_nan=False)


@implements(
    np.apply_over_axes,
    samples=lambda d: [d.value(func=np.sum, a=d.arr(2, 3, 2), axes=(0, -1))],
    notes="differentiated as the function is",
)
def apply_over_axes(func, a, axes):
    """A function that reduces, applied to one axis after another."""
    a = np.asarray(a)
    for k in axes if isinstance(axes, tuple) else (axes,):
        r = func(a, k)
        a = r if np.ndim(r) == np.ndim(a) else np.expand_dims(r, k)
    return a


@implements(
    np.linalg.tensorsolve, samples=lambda d: [d.call(d.regular(4).reshape((2, 2, 4)), d.mat(2, 2))]
)
def tensorsolve(a, b, axes=None):
    """The solution of a linear system whose unknowns are an array."""
    if axes is not None:
        refuse("np.linalg.tensorsolve with 'axes'", "np.moveaxis them to the end")
    a, b = np.asarray(a), np.asarray(b)
    sizes = a.shape[np.ndim(b) :]
    flat = np.copy(a).reshape((np.size(b), product(sizes)))
    return np.linalg.solve(flat, np.ravel(b)).reshape(sizes)


@implements(np.linalg.tensorinv, samples=lambda d: [d.call(d.regular(4).reshape((4, 2, 2)), ind=1)])
def tensorinv(a, ind=2):
    """The inverse of the map that ``tensordot`` with an array is."""
    a = np.asarray(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    rows, columns = a.shape[:ind], a.shape[ind:]
    flat = np.copy(a).reshape((product(rows), product(columns)))
    return np.linalg.inv(flat).reshape((*columns, *rows))
