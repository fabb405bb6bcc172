"""Differences and integrals of samples: diff, gradient, trapezoid and their kin."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import flat, one_axis, place
from srcad.library.indexing import along
from srcad.library.registry import axes_of, implements, refuse


def ends(a, k):
    """All but the first, and all but the last, along an axis."""
    return a[place(k, slice(1, None))], a[place(k, slice(None, -1))]


def widened(a, x, k):
    """What ``np.diff`` puts in front or behind: a number stands for one slice."""
    if np.ndim(x) > 0:
        return np.asarray(x)
    return np.broadcast_to(x, (*a.shape[:k], 1, *a.shape[k + 1 :]))


@implements(
    np.diff,
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call(d.vec(5), n=2),
        d.call(d.mat(3, 4), axis=0),
        d.call(d.mat(2, 3), prepend=0.5, append=2.0),
        d.call(d.mat(2, 3), n=2, axis=0, append=np.ones((1, 3))),
        d.call(d.vec(3), n=0),
        d.call(d.vec(2), n=3),
        d.value(np.array([True, False, False])),
        d.value(np.arange(5) ** 2, axis=0),
    ],
)
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """Differences of neighbours, ``n`` times (a constant)."""
    a = np.asarray(a)
    if np.ndim(a) == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    if n < 0:
        raise ValueError("order must be non-negative")
    k = one_axis(axis, np.ndim(a))
    if prepend is not None:
        a = np.concatenate((widened(a, prepend, k), a), k)
    if append is not None:
        a = np.concatenate((a, widened(a, append, k)), k)
    for _ in tuple(range(n)):
        right, left = ends(a, k)
        a = right != left if a.dtype.kind == "b" else right - left
    return a


@implements(
    np.ediff1d,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.call(d.mat(2, 2), d.num(), d.vec(2)),
        d.call(d.vec(3), to_begin=0.5),
    ],
)
def ediff1d(ary, to_end=None, to_begin=None):
    """Differences of neighbours of the flattened array, with more at the ends."""
    right, left = ends(flat(ary), 0)
    out = right - left
    if to_begin is not None:
        out = np.concatenate((flat(to_begin), out))
    if to_end is not None:
        out = np.concatenate((out, flat(to_end)))
    return out


def steps(x, dx, k, ndim):
    """The distances of samples along an axis."""
    if x is None:
        return dx
    if np.ndim(x) == 1:
        return along(x[1:] - x[:-1], k, ndim)
    if np.ndim(x) != ndim:
        refuse("positions of samples that have other axes than the samples", "give a vector")
    right, left = ends(np.asarray(x), k)
    return right - left


_TRAPEZOIDS = lambda d: [  # noqa: E731
    d.call(d.vec(5)),
    d.call(d.vec(5), d.increasing(5)),
    d.call(d.vec(4), dx=0.3),
    d.call(d.vec(1)),
    d.call(d.mat(3, 4), d.increasing(3), axis=0),
    d.call(d.mat(2, 3), d.mat(2, 3)),
    d.call(d.arr(2, 3, 2), dx=0.5, axis=1),
    d.call((d.num(), d.num()), (d.num(), d.num())),
]


@implements(
    getattr(np, "trapezoid", None) or np.trapz,  # type: ignore[attr-defined]
    "scipy.integrate.trapezoid",
    samples=_TRAPEZOIDS,
)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Integral by the trapezoidal rule."""
    y = np.asarray(y)
    k = one_axis(axis, np.ndim(y))
    right, left = ends(y, k)
    h = steps(x if x is None else np.asarray(x), dx, k, np.ndim(y))
    return np.sum(h * (right + left) / 2.0, axis=k)


@implements(
    "scipy.integrate.cumulative_trapezoid",
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call(d.vec(5), d.increasing(5), initial=0),
        d.call(d.mat(3, 4), d.increasing(3), axis=0),
        d.call(d.mat(2, 3), dx=0.5, initial=0),
    ],
)
def cumulative_trapezoid(y, x=None, dx=1.0, axis=-1, initial=None):
    """Integral by the trapezoidal rule up to each sample."""
    y = np.asarray(y)
    k = one_axis(axis, np.ndim(y))
    if y.shape[k] == 0:
        raise ValueError("At least one point is required along `axis`.")
    right, left = ends(y, k)
    h = steps(x if x is None else np.asarray(x), dx, k, np.ndim(y))
    out = np.cumsum(h * (right + left) / 2.0, axis=k)
    if initial is not None:
        out = np.concatenate((widened(out, 0.0 * initial, k), out), k)
    return out


@implements(
    "scipy.integrate.simpson",
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call(d.vec(7), x=d.increasing(7)),
        d.call(d.mat(3, 2), dx=0.5, axis=0),
    ],
)
def simpson(y, x=None, *, dx=1.0, axis=-1):
    """Integral by Simpson's rule, of an odd number of samples."""
    y = np.asarray(y)
    k = one_axis(axis, np.ndim(y))
    n = y.shape[k]
    if n % 2 == 0:
        raise ValueError("simpson of an even number of samples is not supported")
    first = y[place(k, slice(None, n - 2, 2))]
    middle = y[place(k, slice(1, n - 1, 2))]
    last = y[place(k, slice(2, n, 2))]
    if x is None:
        return np.sum(first + 4.0 * middle + last, axis=k) * (dx / 3.0)
    h = np.broadcast_to(steps(np.asarray(x), dx, k, np.ndim(y)), ends(y, k)[0].shape)
    a, b = h[place(k, slice(None, None, 2))], h[place(k, slice(1, None, 2))]
    s, r = a + b, a / b
    parts = first * (2.0 - 1.0 / r) + middle * (s * s / (a * b)) + last * (2.0 - r)
    return np.sum(s / 6.0 * parts, axis=k)


def slope(f, h, k, second):
    """Derivative along one axis: central inside, one-sided at the ends.

    ``h`` are the distances of samples: a number, or an array that extends along the axis.
    """
    n = f.shape[k]
    if n < (3 if second else 2):
        raise ValueError("Shape of array too small to calculate a numerical gradient")
    a, b = (h[place(k, slice(None, -1))], h[place(k, slice(1, None))]) if np.ndim(h) > 0 else (h, h)
    low, mid = f[place(k, slice(None, -2))], f[place(k, slice(1, -1))]
    high = f[place(k, slice(2, None))]
    out = np.empty(f.shape, np.result_type(f, 1.0))
    if np.ndim(h) > 0:
        inside = (a * a * high + (b - a) * (b + a) * mid - b * b * low) / (a * b * (a + b))
    else:
        inside = (high - low) / (2.0 * h)
    out[place(k, slice(1, -1))] = inside
    for end in (0, -1):
        out[place(k, end)] = at_end(f, h, k, end, second)
    return out


def at_end(f, h, k, end, second):
    """The one-sided derivative at the first sample (``end`` 0) or the last (-1)."""
    inward, sign = (1, 1.0) if end == 0 else (-1, -1.0)
    f0, f1 = f[place(k, end)], f[place(k, end + inward)]
    a = sign * (h[place(k, end)] if np.ndim(h) > 0 else h)
    if not second:
        return (f1 - f0) / a
    f2 = f[place(k, end + 2 * inward)]
    b = sign * (h[place(k, end + inward)] if np.ndim(h) > 0 else h)
    s = a + b
    return -(2.0 * a + b) / (a * s) * f0 + s / (a * b) * f1 - a / (b * s) * f2


@implements(
    np.gradient,
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call(d.vec(5), d.num()),
        d.call(d.vec(5), d.increasing(5)),
        d.call(d.vec(5), d.increasing(5), edge_order=2),
        d.call(d.vec(5), edge_order=2),
        d.call(d.mat(3, 4)),
        d.call(d.mat(3, 4), d.num(), d.increasing(4)),
        d.call(d.mat(3, 4), 0.5, axis=0),
        d.call(d.mat(3, 4), d.num(), axis=(1, 0), edge_order=2),
        d.call(d.vec(2)),
    ],
)
def gradient(f, *varargs, axis=None, edge_order=1):
    """Derivative of samples by differences, along one axis or several."""
    f = np.asarray(f)
    axes = axes_of(axis, np.ndim(f))
    if edge_order != 1 and edge_order != 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    if len(varargs) > 1 and len(varargs) != len(axes):
        refuse("np.gradient with another number of distances than axes", "one for each axis")
    out: tuple = ()
    for j, k in enumerate(axes):
        given = 1.0 if len(varargs) == 0 else varargs[j if len(varargs) > 1 else 0]
        if np.ndim(given) == 0:
            h = given
        else:
            x = np.asarray(given)
            if len(x) != f.shape[k]:
                raise ValueError("distances must match the length of the dimension")
            h = along(x[1:] - x[:-1], k, np.ndim(f))
        out = (*out, slope(f, h, k, edge_order == 2))
    return out[0] if len(out) == 1 else out
