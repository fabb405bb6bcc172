"""Complete orthogonal bases: the forms of ``qr`` that return more than n columns, or reflectors.

The reflections are LAPACK's (Golub and Van Loan 2013, Matrix Computations, section 5.1.3; signs of
``dlarfg``), written out, so that all columns of q are functions of the matrix, which is what their
derivatives are of.  Where a column is zero below the diagonal there is no reflection.
"""

from __future__ import annotations

import numpy as np


def reflectors(a):
    """The matrix with r above and reflectors below the diagonal, and their factors."""
    h = np.copy(a)
    m, n = h.shape
    tau = np.zeros(min(m, n), h.dtype)
    for j in range(min(m, n)):
        rest = np.sum(h[j + 1 :, j] * h[j + 1 :, j])
        if rest > 0.0:
            alpha = h[j, j]
            beta = np.sqrt(alpha * alpha + rest)
            beta = -beta if alpha >= 0.0 else beta
            tau[j] = (beta - alpha) / beta
            h[j + 1 :, j] /= alpha - beta
            h[j, j] = beta
            for k in range(j + 1, n):
                w = tau[j] * (h[j, k] + np.sum(h[j + 1 :, j] * h[j + 1 :, k]))
                h[j, k] -= w
                h[j + 1 :, k] -= w * h[j + 1 :, j]
    return h, tau


def basis(h, tau):
    """The square orthogonal matrix that is the product of the reflections."""
    m = h.shape[0]
    q = np.eye(m, dtype=h.dtype)
    for j in range(len(tau) - 1, -1, -1):
        for k in range(j, m):
            w = tau[j] * (q[j, k] + np.sum(h[j + 1 :, j] * q[j + 1 :, k]))
            q[j, k] -= w
            q[j + 1 :, k] -= w * h[j + 1 :, j]
    return q


def complete(a):
    """q, square, and r of the shape of the matrix."""
    h, tau = reflectors(a)
    return basis(h, tau), np.triu(h)


def completed(u):
    """Orthonormal columns, and more of them that make a basis of the space."""
    n = u.shape[1]
    return np.concatenate((u, complete(u)[0][:, n:]), axis=1)
