"""Eigenvalues, singular values, QR, and what is made of them: pinv, lstsq, matrix_rank.

Eigenvalues and singular values have derivatives where they are distinct (their vectors have none
elsewhere: it comes out infinite); the rank is taken to be locally constant.
"""

from __future__ import annotations

import numpy as np

from srcad.library import factors
from srcad.library.householder import complete, completed, reflectors
from srcad.library.norms import floats
from srcad.library.registry import implements
from srcad.library.stacks import kind_of

EighResult = type(np.linalg.eigh(np.eye(1)))
EigResult = type(np.linalg.eig(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))
NOT_GIVEN = "not given"


def lower_of(a, UPLO):
    """A matrix whose lower triangle is the one that is meant."""
    if UPLO in ("U", "u"):
        return np.swapaxes(a, -1, -2)
    if UPLO not in ("L", "l"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return a


@implements(
    np.linalg.eigh,
    samples=lambda d: [
        d.call(d.symmetric(3)),
        d.call(np.stack([d.symmetric(2), d.symmetric(2)])),
        d.value([[2, 1], [1, 3]]),
    ],
)
def eigh(a, UPLO="L"):
    """Eigenvalues and vectors of a symmetric matrix; the other triangle has derivative zero."""
    a = lower_of(np.asarray(a), UPLO)
    if np.ndim(a) == 2:
        w, v = factors.eigh(a)
        return EighResult(w, v)
    w, v = np.empty(a.shape[:-1], kind_of(a)), np.empty(a.shape, kind_of(a))
    for i in range(len(a)):
        w[i], v[i] = np.linalg.eigh(a[i])
    return EighResult(w, v)


@implements(
    np.linalg.eigvalsh,
    samples=lambda d: [
        d.call(d.symmetric(3)),
        d.call(d.regular(3), UPLO="U"),
        d.call(np.stack([d.symmetric(2), d.symmetric(2)])),
    ],
)
def eigvalsh(a, UPLO="L"):
    """Eigenvalues of a symmetric matrix."""
    return np.linalg.eigh(a, UPLO)[0]


def real_spectrum(d, n):
    """A matrix with real eigenvalues, well apart."""
    a = 0.2 * d.rng.standard_normal((n, n)) + np.diag(2.0 * np.arange(1, n + 1))
    return d.array(a)


def real_spectra(d):
    """Sample calls of an eigenvalue problem."""
    return [
        d.call(real_spectrum(d, 3)),
        d.call(np.stack([real_spectrum(d, 2), real_spectrum(d, 2)])),
    ]


@implements(np.linalg.eig, samples=real_spectra)
def eig(a):
    """Eigenvalues and vectors of length 1; complex ones raise ``ValueError``."""
    a = np.asarray(a)
    if np.ndim(a) == 2:
        w, v = factors.eig(a)
        return EigResult(w, v)
    w, v = np.empty(a.shape[:-1], kind_of(a)), np.empty(a.shape, kind_of(a))
    for i in range(len(a)):
        w[i], v[i] = np.linalg.eig(a[i])
    return EigResult(w, v)


@implements(np.linalg.eigvals, samples=real_spectra)
def eigvals(a):
    """Eigenvalues; complex ones raise ``ValueError``."""
    return np.linalg.eig(a)[0]


def thin_svd(a):
    """u, s, vt of a matrix or a stack, with as many columns and rows as singular values."""
    if np.ndim(a) == 2:
        return factors.svd(a)
    m, n = a.shape[-2:]
    k = min(m, n)
    u = np.empty((*a.shape[:-1], k), kind_of(a))
    s = np.empty((*a.shape[:-2], k), kind_of(a))
    vt = np.empty((*a.shape[:-2], k, n), kind_of(a))
    for i in range(len(a)):
        u[i], s[i], vt[i] = thin_svd(a[i])
    return u, s, vt


def by_eigenvalues(a, compute_uv):
    """The singular value decomposition of a symmetric matrix, or of a stack of them."""
    w, v = np.linalg.eigh(a)
    order = np.argsort(np.abs(w), axis=-1)[..., ::-1]
    w = np.take_along_axis(w, order, axis=-1)
    if not compute_uv:
        return np.abs(w)
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    vt = np.swapaxes(u * np.sign(w)[..., None, :], -1, -2)
    return SVDResult(u, np.abs(w), vt)


@implements(
    np.linalg.svd,
    samples=lambda d: [
        d.call(d.mat(4, 2), full_matrices=False),
        d.call(d.mat(2, 3), full_matrices=False),
        d.call(d.regular(3)),
        d.call(d.mat(3, 2), compute_uv=False),
        d.call(d.arr(2, 3, 2), full_matrices=False),
        d.call(d.symmetric(3), hermitian=True),
    ],
    notes="columns beyond the singular values are a basis, not always LAPACK's",
)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    """Singular values and vectors; the columns that complete them are orthogonal to them."""
    a = np.asarray(a)
    if hermitian:
        return by_eigenvalues(a, compute_uv)
    u, s, vt = thin_svd(a)
    if not compute_uv:
        return s
    if full_matrices and a.shape[-2] != a.shape[-1]:
        u, vt = stack_completed(u), np.swapaxes(stack_completed(np.swapaxes(vt, -1, -2)), -1, -2)
    return SVDResult(u, s, vt)


def stack_completed(u):
    """Orthonormal columns with more of them that make a basis, of each matrix of a stack."""
    if np.ndim(u) == 2:
        return completed(u)
    out = np.empty((*u.shape[:-1], u.shape[-2]), u.dtype)
    for i in range(len(u)):
        out[i] = stack_completed(u[i])
    return out


@implements(
    *filter(None, [getattr(np.linalg, "svdvals", None)]),
    samples=lambda d: [d.call(d.mat(4, 2)), d.call(d.arr(2, 2, 3))],
)
def svdvals(x, /):
    """Singular values."""
    return thin_svd(np.asarray(x))[1]


@implements(
    np.linalg.qr,
    samples=lambda d: [
        d.call(d.mat(4, 2)),
        d.call(d.mat(2, 4)),
        d.call(d.regular(3), mode="r"),
        d.call(d.arr(2, 3, 2)),
        d.call(d.mat(4, 2), mode="complete"),
        d.call(d.mat(2, 3), mode="raw"),
        d.call(d.arr(2, 3, 1), mode="complete"),
    ],
)
def qr(a, mode="reduced"):
    """q and r; of a matrix whose first columns are independent."""
    a = floats(a)
    m, n = a.shape[-2:]
    k = min(m, n)
    if mode == "raw":
        return raw_qr(a)
    if mode == "complete" and m > n:
        return complete_qr(a)
    if mode not in ("reduced", "r", "complete"):
        raise ValueError("Unrecognized mode")
    if np.ndim(a) > 2:
        q, r = np.empty((*a.shape[:-1], k), a.dtype), np.empty((*a.shape[:-2], k, n), a.dtype)
        for i in range(len(a)):
            q[i], r[i] = np.linalg.qr(a[i])
    else:
        q, r = factors.qr(a[:, :k])
        if k < n:
            r = np.hstack((r, q.T @ a[:, k:]))
    if mode == "r":
        return r
    return QRResult(q, r)


def complete_qr(a):
    """q, square, and r of the shape of the matrix."""
    if np.ndim(a) == 2:
        q, r = complete(a)
        return QRResult(q, r)
    q, r = np.empty((*a.shape[:-1], a.shape[-2]), a.dtype), np.empty(a.shape, a.dtype)
    for i in range(len(a)):
        q[i], r[i] = complete_qr(a[i])
    return QRResult(q, r)


def raw_qr(a):
    """Reflectors, transposed, and their factors."""
    if np.ndim(a) == 2:
        h, tau = reflectors(a)
        return h.T, tau
    h = np.empty((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
    tau = np.empty((*a.shape[:-2], min(a.shape[-2:])), a.dtype)
    for i in range(len(a)):
        h[i], tau[i] = raw_qr(a[i])
    return h, tau


def eps_of(a):
    """The relative accuracy of the numbers that are computed of ``a``."""
    if a.dtype == np.float32:
        return 1.1920928955078125e-07
    return 2.220446049250313e-16


def mirrored(a):
    """The symmetric matrix with this lower triangle, or a stack of them."""
    return np.tril(a) + np.swapaxes(np.tril(a, -1), -1, -2)


@implements(
    np.linalg.pinv,
    samples=lambda d: [
        d.call(d.mat(4, 2)),
        d.call(d.mat(2, 3)),
        d.value(d.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])),
        d.call(d.arr(2, 3, 2)),
        d.call(d.symmetric(3), hermitian=True),
    ],
)
def pinv(a, rcond=None, hermitian=False, *, rtol=NOT_GIVEN):
    """The pseudo-inverse, differentiated along matrices of the same rank."""
    a = mirrored(a) if hermitian else np.asarray(a)
    if rcond is None and isinstance(rtol, str):
        cutoff = 1e-15
    elif rcond is not None:
        cutoff = rcond
    else:
        cutoff = rtol if rtol is not None else max(a.shape[-2:]) * eps_of(a)
    if np.ndim(a) == 2:
        return factors.pinv(a, cutoff)
    out = np.empty((*a.shape[:-2], a.shape[-1], a.shape[-2]), kind_of(a))
    for i in range(len(a)):
        out[i] = np.linalg.pinv(a[i], cutoff)
    return out


@implements(
    np.linalg.matrix_rank,
    samples=lambda d: [
        d.value(d.mat(4, 2)),
        d.value(d.array([[1.0, 2.0], [2.0, 4.0]])),
        d.value(d.array([0.0, 0.0])),
        d.value(d.array([[1.0, 0.0], [0.0, 1e-3]]), 0.1),
        d.value(d.arr(2, 3, 2)),
    ],
)
def matrix_rank(A, tol=None, hermitian=False, *, rtol=None):
    """The number of singular values above a bound; its derivative is zero."""
    A = mirrored(A) if hermitian else np.asarray(A)
    if np.ndim(A) < 2:
        return 1 if np.any(A != 0) else 0
    if np.ndim(A) > 2:
        out = np.empty(A.shape[:-2], np.int64)
        for i in range(len(A)):
            out[i] = matrix_rank(A[i], tol, rtol=rtol)
        return out
    if A.size == 0:
        return 0
    s = thin_svd(A)[1]
    if tol is None:
        bound = s[0] * (max(A.shape) * eps_of(A) if rtol is None else rtol)
    else:
        bound = tol
    return np.sum(s > bound)


@implements(
    np.linalg.lstsq,
    samples=lambda d: [
        d.call(d.mat(4, 2), d.vec(4), rcond=None),
        d.call(d.mat(4, 2), d.mat(4, 3), rcond=None),
        d.call(d.mat(2, 3), d.vec(2), rcond=None),
        d.call(d.mat(4, 2), d.vec(4), rcond=1e-8),
    ],
)
def lstsq(a, b, rcond=None):
    """The least-squares solution (of least norm), residuals, rank, singular values."""
    a, b = np.asarray(a), np.asarray(b)
    if len(a) != len(b):
        raise ValueError("Incompatible dimensions")
    if rcond is None:
        cutoff = max(a.shape) * eps_of(a)
    else:
        cutoff = rcond if rcond >= 0 else eps_of(a)
    x = factors.pinv(a, cutoff) @ b
    s = thin_svd(a)[1]
    rank = np.sum(s > cutoff * s[0]) if len(s) > 0 else 0
    whole = rank == a.shape[1] and a.shape[0] > a.shape[1]
    rest = b - a @ x
    if np.ndim(b) == 1:
        residuals = np.empty(1 if whole else 0, x.dtype)
        for k in range(len(residuals)):
            residuals[k] = np.sum(rest * rest)
    else:
        residuals = np.empty(b.shape[1] if whole else 0, x.dtype)
        for k in range(len(residuals)):
            residuals[k] = np.sum(rest[:, k] * rest[:, k])
    return x, residuals, rank, s
