"""Signals: convolution, correlation, unwrapped angles, windows."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import one_axis, place
from srcad.library.registry import implements, refuse


def lengths(n, m, mode):
    """First position in the full convolution, and how many from there, by mode."""
    if n == 0 or m == 0:
        raise ValueError("arrays to convolve cannot be empty")
    if mode == "full":
        return 0, n + m - 1
    if mode == "same":
        return (min(n, m) - 1) // 2, max(n, m)
    if mode != "valid":
        refuse("this mode", "'full', 'same' or 'valid'")
    return min(n, m) - 1, max(n, m) - min(n, m) + 1


def vectors(a, v):
    """Two vectors; a number is a vector of one."""
    if np.ndim(a) > 1 or np.ndim(v) > 1:
        refuse("the convolution of arrays that are no vectors", "call it row by row")
    return np.atleast_1d(a), np.atleast_1d(v)


@implements(
    np.convolve,
    samples=lambda d: [
        d.call(d.vec(4), d.vec(3)),
        d.call(d.vec(3), d.vec(4), mode="same"),
        d.call(d.vec(5), d.vec(2), mode="same"),
        d.call(d.vec(2), d.vec(5), mode="valid"),
        d.call(d.vec(3), d.num()),
        d.value(np.arange(3), np.arange(2)),
    ],
)
def convolve(a, v, mode="full"):
    """Convolution of two vectors."""
    a, v = vectors(a, v)
    n, m = len(a), len(v)
    start, size = lengths(n, m, mode)
    out = np.zeros(size, np.result_type(a, v))
    for i in range(size):
        k, s = start + i, out[i]
        for j in range(max(0, k - m + 1), min(n, k + 1)):
            s += a[j] * v[k - j]
        out[i] = s
    return out


@implements(
    np.correlate,
    samples=lambda d: [
        d.call(d.vec(4), d.vec(3)),
        d.call(d.vec(2), d.vec(5)),
        d.call(d.vec(4), d.vec(3), mode="full"),
        d.call(d.vec(4), d.vec(2), mode="same"),
        d.call(d.vec(3), d.vec(4), mode="same"),
        d.call(d.vec(2), d.vec(5), mode="full"),
    ],
)
def correlate(a, v, mode="valid"):
    """Correlation of two vectors."""
    if np.ndim(a) == 0 or np.ndim(v) == 0:
        refuse("np.correlate of a number", "np.multiply, or np.convolve")
    a, v = vectors(a, v)
    n, m = len(a), len(v)
    start, size = lengths(n, m, mode)
    if mode == "same" and n < m:
        start = n // 2
    out = np.zeros(size, np.result_type(a, v))
    for i in range(size):
        k, s = start + i - m + 1, out[i]
        for j in range(max(0, -k), min(m, n - k)):
            s += a[k + j] * v[j]
        out[i] = s
    return out


@implements(
    np.unwrap,
    samples=lambda d: [
        d.call(d.array([0.1, 3.0, -3.1, -2.0, 1.9, -2.5])),
        d.call(d.array([[0.1, 3.0], [-3.1, -2.0], [1.9, 2.5]]), axis=0),
        d.call(d.array([0.1, 0.7, 1.9, 0.3]), period=1.0),
        d.call(d.array([0.1, 3.0, -3.1, -2.0]), discont=7.0),
        d.value(np.array([0, 1, 5, 9, 2]), period=4),
    ],
)
def unwrap(p, discont=None, axis=-1, *, period=2.0 * np.pi):
    """Angles without jumps of more than half a period; the shift is piecewise constant."""
    p = np.asarray(p)
    k = one_axis(axis, np.ndim(p))
    step = p[place(k, slice(1, None))] - p[place(k, slice(None, -1))]
    half = period / 2.0 if p.dtype.kind == "f" else period // 2
    limit = half if discont is None else discont
    turned = (step + half) % period - half
    turned = np.where(np.logical_and(turned == -half, step > 0), half, turned)
    fix = np.where(abs(step) < limit, 0, turned - step)
    out = p.astype(np.result_type(p, period))
    out[place(k, slice(1, None))] += np.cumsum(fix, axis=k)
    return out


def ramp(M):
    """The odd integers from ``1 - M`` to ``M - 1``."""
    return np.arange(1 - M, M, 2)


@implements(np.bartlett, samples=lambda d: [d.value(5), d.value(4), d.value(1), d.value(0)])
def bartlett(M):
    """The triangular window."""
    n = ramp(M)
    return 1.0 - abs(n) / (M - 1) if M > 1 else np.ones(max(M, 0))


@implements(np.blackman, samples=lambda d: [d.value(5), d.value(4), d.value(1), d.value(0)])
def blackman(M):
    """The Blackman window."""
    t = np.pi * ramp(M) / max(M - 1, 1)
    return 0.42 + 0.5 * np.cos(t) + 0.08 * np.cos(2.0 * t)


@implements(np.hanning, samples=lambda d: [d.value(5), d.value(4), d.value(1), d.value(0)])
def hanning(M):
    """The Hann window."""
    return 0.5 + 0.5 * np.cos(np.pi * ramp(M) / max(M - 1, 1))


@implements(np.hamming, samples=lambda d: [d.value(5), d.value(4), d.value(1), d.value(0)])
def hamming(M):
    """The Hamming window."""
    return 0.54 + 0.46 * np.cos(np.pi * ramp(M) / max(M - 1, 1))


@implements(np.kaiser, samples=lambda d: [d.call(5, d.num()), d.value(4, 3.0), d.value(1, 2.0)])
def kaiser(M, beta):
    """The Kaiser window."""
    t = ramp(M) / max(M - 1, 1)
    # at the ends the root is not smooth, but its product with the slope of i0 is
    return np.i0(beta * np.sqrt(1.0 - t * t)) / np.i0(beta)
