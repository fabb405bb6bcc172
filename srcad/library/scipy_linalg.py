"""scipy.linalg: what NumPy has as well, block_diag, and the exponential of a matrix."""

from __future__ import annotations

import math

import numpy as np
import scipy.linalg

from srcad.library import factors, norms
from srcad.library.linalg import eps_of, mirrored, thin_svd
from srcad.library.norms import floats
from srcad.library.registry import implements, refuse

PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)


@implements(scipy.linalg.inv, samples=lambda d: [d.call(d.regular(3))])
def inv(a, overwrite_a=False, check_finite=True, *, assume_a=None, lower=False):
    """The inverse."""
    if assume_a not in (None, "gen", "general"):
        refuse("scipy.linalg.inv with assume_a", "call it without assume_a")
    return np.linalg.inv(a)


@implements(scipy.linalg.det, samples=lambda d: [d.call(d.regular(3))])
def det(a, overwrite_a=False, check_finite=True):
    """The determinant."""
    return np.linalg.det(a)


@implements(
    scipy.linalg.norm, samples=lambda d: [d.call(d.mat(3, 2), ord=1), d.call(d.mat(3, 2), axis=0)]
)
def norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    """A norm of a vector or a matrix."""
    return norms.norm(a, ord, axis, keepdims)


@implements(scipy.linalg.pinv, samples=lambda d: [d.call(d.mat(4, 2)), d.call(d.mat(2, 3))])
def pinv(a, *, atol=None, rtol=None, return_rank=False, check_finite=True):
    """The pseudo-inverse."""
    if atol is not None or return_rank:
        refuse("scipy.linalg.pinv with atol or return_rank", "give rtol")
    return factors.pinv(a, max(a.shape) * eps_of(a) if rtol is None else rtol)


@implements(
    scipy.linalg.eigh,
    samples=lambda d: [
        d.call(d.symmetric(3), eigvals_only=True),
        d.call(d.regular(3), lower=False, eigvals_only=True),
        d.call(d.symmetric(3), d.spd(3), eigvals_only=True),
    ],
)
def eigh(a, b=None, *, lower=True, eigvals_only=False, overwrite_a=False, check_finite=True):
    """Eigenvalues and vectors (whose signs may be others than SciPy's) of a symmetric matrix."""
    if b is None:
        w, v = np.linalg.eigh(a, "L" if lower else "U")
        return w if eigvals_only else (w, v)
    low = np.linalg.cholesky(np.asarray(b) if lower else np.swapaxes(b, 0, 1))
    a = mirrored(a if lower else np.swapaxes(a, 0, 1))
    half = np.linalg.solve(low, a)
    w, v = np.linalg.eigh(np.linalg.solve(low, half.T))
    return w if eigvals_only else (w, np.linalg.solve(low.T, v))


@implements(scipy.linalg.eigvalsh, samples=lambda d: [d.call(d.symmetric(3), lower=False)])
def eigvalsh(a, b=None, *, lower=True, overwrite_a=False, check_finite=True):
    """Eigenvalues of a symmetric matrix."""
    return eigh(a, b, lower=lower, eigvals_only=True)


@implements(
    scipy.linalg.svd,
    samples=lambda d: [d.call(d.mat(3, 2), full_matrices=False), d.call(d.regular(2))],
)
def svd(a, full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True):
    """Singular values and vectors, as of ``np.linalg.svd``."""
    if compute_uv:
        u, s, vt = np.linalg.svd(a, full_matrices)
        return u, s, vt
    return thin_svd(np.asarray(a))[1]


@implements(scipy.linalg.svdvals, samples=lambda d: [d.call(d.mat(3, 2))])
def svdvals(a, overwrite_a=False, check_finite=True):
    """Singular values."""
    return thin_svd(np.asarray(a))[1]


@implements(
    scipy.linalg.qr, samples=lambda d: [d.call(d.mat(4, 2), mode="economic"), d.call(d.regular(3))]
)
def qr(a, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True):
    """q and r."""
    if pivoting or mode not in ("full", "economic", "r"):
        refuse("scipy.linalg.qr with this mode or pivoting", 'mode="economic"')
    q, r = np.linalg.qr(a, "reduced" if mode == "economic" else "complete")
    return (r,) if mode == "r" else (q, r)


@implements(
    scipy.linalg.block_diag,
    samples=lambda d: [d.call(d.mat(2, 3), d.vec(2), d.num()), d.call(d.mat(1, 2))],
)
def block_diag(*arrs):
    """A matrix with the given ones along its diagonal."""
    m, n = 0, 0
    for a in arrs:
        m += a.shape[0] if np.ndim(a) == 2 else 1
        n += 1 if np.ndim(a) == 0 else a.shape[-1]
    out = np.zeros((m, n))
    m, n = 0, 0
    for a in arrs:
        b = np.asarray(a).reshape((1, 1)) if np.ndim(a) == 0 else np.asarray(a)
        b = b[None, :] if np.ndim(b) == 1 else b
        out[m : m + b.shape[0], n : n + b.shape[1]] = b
        m, n = m + b.shape[0], n + b.shape[1]
    return out


def check_vector(v):
    """Refuses stacks of vectors."""
    if np.ndim(v) != 1:
        refuse("a Toeplitz or Hankel matrix of what is no vector", "call it row by row")


@implements(
    scipy.linalg.toeplitz,
    samples=lambda d: [d.call(d.vec(3)), d.call(d.vec(3), d.vec(4)), d.value(d.ints(0, 9, 3))],
)
def toeplitz(c, r=None):
    """The matrix with a given first column, and first row, whose diagonals are constant."""
    c = np.asarray(c)
    first = c if r is None else np.asarray(r)
    check_vector(c)
    check_vector(first)
    out = np.empty((len(c), len(first)), np.result_type(c, first))
    for i in range(len(c)):
        for j in range(len(first)):
            out[i, j] = c[i - j] if i >= j else first[j - i]
    return out


@implements(scipy.linalg.circulant, samples=lambda d: [d.call(d.vec(3))])
def circulant(c):
    """The square matrix whose columns are a vector, turned by one more each."""
    c = np.asarray(c)
    check_vector(c)
    out = np.empty((len(c), len(c)), c.dtype)
    for i in range(len(c)):
        for j in range(len(c)):
            out[i, j] = c[(i - j) % len(c)]
    return out


@implements(scipy.linalg.hankel, samples=lambda d: [d.call(d.vec(3)), d.call(d.vec(3), d.vec(4))])
def hankel(c, r=None):
    """The matrix with a given first column, and last row, whose antidiagonals are constant."""
    c = np.asarray(c)
    last = np.zeros(len(c), c.dtype) if r is None else np.asarray(r)
    check_vector(c)
    check_vector(last)
    m = len(c)
    out = np.empty((m, len(last)), np.result_type(c, last))
    for i in range(m):
        for j in range(len(last)):
            out[i, j] = c[i + j] if i + j < m else last[i + j - m + 1]
    return out


@implements(
    scipy.linalg.expm,
    samples=lambda d: [
        d.call(d.mat(3, 3)),
        d.call(4.0 * d.regular(3)),
        d.call(1e-3 * d.mat(2, 2)),
        d.call(d.arr(2, 2, 2)),
    ],
)
def expm(A):
    """The exponential of a matrix: scaling, a Padé approximant, squaring."""
    A = floats(A)
    if np.ndim(A) < 2:
        refuse("expm of what is no matrix", "np.exp")
    if np.ndim(A) > 2:
        out = np.empty(A.shape, A.dtype)
        for i in range(len(A)):
            out[i] = expm(A[i])
        return out
    if A.size == 0:
        return A / 2.0
    size = np.max(np.sum(np.abs(A), axis=0))
    k = math.ceil(math.log2(size / 5.371920351148152)) if size > 5.371920351148152 else 0
    x = A / 2.0**k
    one = np.eye(len(x), dtype=x.dtype)
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    c = PADE
    odd = (
        x6 @ (c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * one
    )
    even = (
        x6 @ (c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * one
    )
    u = x @ odd
    r = np.linalg.solve(even - u, even + u)
    for _ in range(k):
        r = r @ r
    return r
