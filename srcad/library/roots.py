"""Roots of polynomials, and the polynomial whose roots are given, or are eigenvalues.

Real roots of real coefficients, in NumPy's order: eigenvalues of the companion matrix, whose
derivative is infinite at multiple roots.  Complex roots raise ``ValueError``, as complex
eigenvalues do.
"""

from __future__ import annotations

import numpy as np

from srcad.library.axes import flat
from srcad.library.registry import implements, refuse
from srcad.library.series import series

P = np.polynomial.polynomial


@implements(
    np.roots,
    samples=lambda d: [
        d.call(np.array([1.0, -6.2, 11.1, -5.9])),
        d.value(np.array([0.0, 2.0, -6.0, 1.0, 0.0])),
        d.call((1.0, d.num() + 2.0, d.num())),
        d.value(np.array([3])),
        d.value(np.zeros(2)),
    ],
)
def roots(p):
    """Real roots of the polynomial with these coefficients, its highest first."""
    if np.ndim(p) != 1 and not isinstance(p, tuple):
        refuse("np.roots of coefficients that are no vector", "call it row by row")
    c = flat(p) + 0.0
    found = np.nonzero(c)[0]
    if len(found) == 0:
        return np.zeros(0)
    first, last = found[0], found[len(found) - 1]
    at_zero = len(c) - 1 - last
    c = c[first : last + 1]
    n = len(c) - 1
    out = np.zeros(n + at_zero)
    if n > 0:
        companion = np.zeros((n, n))
        companion[0] = -c[1:] / c[0]
        for k in range(1, n):
            companion[k, k - 1] = 1.0
        out[:n] = np.linalg.eigvals(companion)
    return out


@implements(
    P.polyroots,
    samples=lambda d: [
        d.call(np.array([-5.9, 11.1, -6.2, 1.0])),
        d.call(np.array([1.0, 2.0])),
        d.value(np.array([3.0])),
    ],
)
def polyroots(c):
    """Real roots of the polynomial with these coefficients, its constant first, in order."""
    c = series(c)
    n = len(c) - 1
    if n < 1:
        return np.zeros(0)
    if n == 1:
        return np.array([-c[0] / c[1]])
    companion = np.zeros((n, n))
    for k in range(1, n):
        companion[k, k - 1] = 1.0
    companion[:, n - 1] -= c[:n] / c[n]
    return np.sort(np.linalg.eigvals(companion[::-1, ::-1].copy()))


@implements(np.poly, samples=lambda d: [d.call(d.vec(3)), d.call(d.vec(1)), d.call(d.symmetric(3))])
def poly(seq_of_zeros):
    """Coefficients of the polynomial with given roots, or a matrix's characteristic one."""
    if np.ndim(seq_of_zeros) == 0:
        refuse("np.poly of a number", "np.poly of an array of roots")
    if np.ndim(seq_of_zeros) == 2:
        zeros = np.linalg.eigvals(seq_of_zeros)
    else:
        zeros = flat(seq_of_zeros)
    out = np.zeros(len(zeros) + 1)
    out[0] = 1.0
    for k in range(len(zeros)):
        for j in range(k + 1, 0, -1):
            out[j] -= zeros[k] * out[j - 1]
    return out
