"""Names of the array API that NumPy 2 has beside its own: running sums, diagonals of stacks."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import one_axis
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
