"""scipy.linalg: triangular systems, LU and Cholesky factors, solve, and what NumPy has as well.

The factorisations and substitutions here are loops over rows; what they record is of the size of
the matrix and the right sides.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from srcad.library import factors
from srcad.library.norms import floats
from srcad.library.registry import implements, refuse
from srcad.library.stacks import check_square


def as_columns(b):
    """A fresh matrix of floats: a vector as its one column."""
    return floats(b[:, None] if np.ndim(b) == 1 else b).copy()


def like(x, b):
    """The matrix of results in the shape of the right side."""
    return x[:, 0] if np.ndim(b) == 1 else x


def substitute(a, x, lower, unit):
    """Overwrite the rows of ``x`` by the solution for the triangle of ``a``."""
    n = len(x)
    for k in range(n):
        i = k if lower else n - 1 - k
        if not unit and a[i, i] == 0.0:
            raise ValueError("singular matrix: a zero on the diagonal")
        row = x[i].copy() if unit else x[i] / a[i, i]
        x[i] = row
        for j in range(i + 1 if lower else 0, n if lower else i):
            x[j] -= a[j, i] * row


def check_sizes(a, b):
    """Refuse a matrix that is not square, and right sides that do not fit."""
    if np.ndim(a) != 2 or np.ndim(b) > 2:
        refuse("a stack of linear systems", "call it for each of them")
    check_square(a)
    if len(a) != len(b):
        raise ValueError("shapes of a and b are incompatible")


@implements(
    scipy.linalg.solve_triangular,
    samples=lambda d: [
        d.call(d.regular(3), d.vec(3)),
        d.call(d.regular(3), d.mat(3, 2), lower=True),
        d.call(d.regular(3), d.vec(3), trans=1, unit_diagonal=True),
        d.call(d.regular(3), d.vec(3), trans="T", lower=True),
    ],
)
def solve_triangular(
    a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True
):
    """The solution for one triangle; the other one has derivative zero."""
    a, b = floats(a), np.asarray(b)
    check_sizes(a, b)
    x = as_columns(b)
    if trans in (0, "N"):
        substitute(a, x, lower, unit_diagonal)
    else:
        substitute(a.T, x, not lower, unit_diagonal)
    return like(x, b)


def triangle_of(a, lower):
    """The symmetric matrix with one triangle of ``a``."""
    if lower:
        return np.tril(a) + np.tril(a, -1).T
    return np.triu(a) + np.triu(a, 1).T


@implements(
    scipy.linalg.cholesky, samples=lambda d: [d.call(d.spd(3)), d.call(d.spd(3), lower=True)]
)
def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    """The Cholesky factor; of the matrix one triangle is read, and has derivatives."""
    a = floats(a)
    return factors.cholesky(a) if lower else factors.cholesky(a.T).T.copy()


@implements(
    scipy.linalg.cho_factor, samples=lambda d: [d.call(d.spd(3)), d.call(d.spd(3), lower=True)]
)
def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """The Cholesky factor; its other triangle is that of the matrix."""
    a = floats(a)
    if lower:
        return np.tril(factors.cholesky(a)) + np.triu(a, 1), True
    return np.triu(factors.cholesky(a.T).T) + np.tril(a, -1), False


@implements(
    scipy.linalg.cho_solve,
    samples=lambda d: [
        d.call((np.linalg.cholesky(d.spd(3)), True), d.vec(3)),
        d.call((np.linalg.cholesky(d.spd(3)).T, False), d.mat(3, 2)),
    ],
)
def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    """The solution of a system whose Cholesky factor is known."""
    c, lower = c_and_lower
    c, b = floats(c), np.asarray(b)
    check_sizes(c, b)
    x = as_columns(b)
    if lower:
        substitute(c, x, True, False)
        substitute(c.T, x, False, False)
    else:
        substitute(c.T, x, True, False)
        substitute(c, x, False, False)
    return like(x, b)


def swap(x, i, j):
    """Exchange two rows."""
    if i != j:
        row = x[i].copy()
        x[i] = x[j]
        x[j] = row


def eliminate(lu, piv):
    """Overwrite a matrix by its factors; ``piv`` gets the row that each was exchanged with."""
    m, n = lu.shape
    for k in range(min(m, n)):
        p = k
        for i in range(k + 1, m):
            if abs(lu[i, k]) > abs(lu[p, k]):
                p = i
        piv[k] = p
        swap(lu, k, p)
        if lu[k, k] != 0.0:
            column, row = lu[k + 1 :, k] / lu[k, k], lu[k, k + 1 :].copy()
            lu[k + 1 :, k] = column
            for i in range(m - k - 1):
                lu[k + 1 + i, k + 1 :] -= column[i] * row


@implements(
    scipy.linalg.lu_factor,
    samples=lambda d: [d.call(d.mat(3, 3)), d.call(d.mat(4, 2)), d.call(d.mat(2, 3))],
)
def lu_factor(a, overwrite_a=False, check_finite=True):
    """L and U in one matrix, and the exchanges of rows, which have no derivative."""
    lu = floats(a).copy()
    if np.ndim(lu) != 2:
        refuse("lu_factor of a stack", "call it for each matrix")
    piv = np.empty(min(lu.shape), np.int32)
    eliminate(lu, piv)
    return lu, piv


@implements(
    scipy.linalg.lu_solve,
    samples=lambda d: [
        d.call((d.regular(3), np.array([1, 2, 2], np.int32)), d.vec(3)),
        d.call((d.regular(3), np.array([1, 1, 2], np.int32)), d.mat(3, 2), trans=1),
    ],
)
def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    """The solution of a system whose factors are known."""
    lu, piv = lu_and_piv
    lu, b = floats(lu), np.asarray(b)
    check_sizes(lu, b)
    x = as_columns(b)
    n = len(x)
    if trans == 0:
        for k in range(n):
            swap(x, k, piv[k])
        substitute(lu, x, True, True)
        substitute(lu, x, False, False)
    else:
        substitute(lu.T, x, True, False)
        substitute(lu.T, x, False, True)
        for k in range(n):
            swap(x, n - 1 - k, piv[n - 1 - k])
    return like(x, b)


@implements(
    scipy.linalg.solve,
    samples=lambda d: [
        d.call(d.regular(3), d.vec(3)),
        d.call(d.regular(3), d.mat(3, 2), transposed=True),
        d.call(d.spd(3), d.vec(3), assume_a="pos"),
        d.call(d.spd(3), d.vec(3), assume_a="sym", lower=True),
    ],
)
def solve(
    a,
    b,
    lower=False,
    overwrite_a=False,
    overwrite_b=False,
    check_finite=True,
    assume_a=None,
    transposed=False,
):
    """The solution of a linear system."""
    a, b = floats(a), np.asarray(b)
    check_sizes(a, b)
    if assume_a in ("pos", "sym", "her", "positive definite", "symmetric", "hermitian"):
        return factors.solve(triangle_of(a, lower), b)
    if assume_a not in (None, "gen", "general"):
        refuse("scipy.linalg.solve with this assume_a", "call it without assume_a")
    return factors.solve(a.T if transposed else a, b)
