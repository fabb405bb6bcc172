"""Products, factorisations and solves as loops, for threads of the device: LAPACK is not there.

The matrices of a thread are small, so these are the plain methods: elimination with partial
pivoting (Golub, Van Loan 2013, 3.4), the row version of Cholesky's (4.2).  They are expanded in
place of array operations (``api.device_matrices``); nobody else calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def product_11(a: Any, b: Any) -> Any:
    """Vector times vector."""
    s = 0.0
    for k in range(a.shape[0]):
        s += a[k] * b[k]
    return s


def product_12(a: Any, b: Any) -> Any:
    """Vector times matrix."""
    out = np.zeros(b.shape[1], a.dtype)
    for k in range(a.shape[0]):
        for j in range(b.shape[1]):
            out[j] += a[k] * b[k, j]
    return out


def product_21(a: Any, b: Any) -> Any:
    """Matrix times vector."""
    out = np.zeros(a.shape[0], a.dtype)
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            out[i] += a[i, k] * b[k]
    return out


def product_22(a: Any, b: Any) -> Any:
    """Matrix times matrix."""
    out = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out


def eliminated(a: Any, x: Any) -> Any:
    """Upper triangle in ``a``, the same steps on the rows of ``x``; the sign of the permutation."""
    n = a.shape[0]
    sign = 1.0
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[p, k]):
                p = i
        if p != k:
            sign = -sign
            for j in range(n):
                t = a[k, j]
                a[k, j] = a[p, j]
                a[p, j] = t
            for j in range(x.shape[1]):
                t = x[k, j]
                x[k, j] = x[p, j]
                x[p, j] = t
        if a[k, k] != 0.0:
            for i in range(k + 1, n):
                f = a[i, k] / a[k, k]
                for j in range(k + 1, n):
                    a[i, j] -= f * a[k, j]
                for j in range(x.shape[1]):
                    x[i, j] -= f * x[k, j]
    return sign


def substituted(a: Any, x: Any) -> None:
    """Back substitution, in place."""
    n = a.shape[0]
    for i in range(n - 1, -1, -1):
        if a[i, i] == 0.0:
            raise ValueError("Matrix is singular to machine precision.")
        for j in range(x.shape[1]):
            s = x[i, j]
            for k in range(i + 1, n):
                s -= a[i, k] * x[k, j]
            x[i, j] = s / a[i, i]


def solve_1(a: Any, b: Any) -> Any:
    """Linear equations with one right-hand side."""
    u = a.copy()
    x = np.empty((b.shape[0], 1), b.dtype)
    for i in range(b.shape[0]):
        x[i, 0] = b[i]
    eliminated(u, x)
    substituted(u, x)
    out = np.empty(b.shape[0], b.dtype)
    for i in range(b.shape[0]):
        out[i] = x[i, 0]
    return out


def solve_2(a: Any, b: Any) -> Any:
    """Linear equations with several right-hand sides."""
    u = a.copy()
    x = np.empty(b.shape, b.dtype)
    for i in range(b.shape[0]):
        for j in range(b.shape[1]):
            x[i, j] = b[i, j]
    eliminated(u, x)
    substituted(u, x)
    return x


def inverse(a: Any) -> Any:
    """The inverse."""
    u = a.copy()
    x = np.zeros(a.shape, a.dtype)
    for i in range(a.shape[0]):
        x[i, i] = 1.0
    eliminated(u, x)
    substituted(u, x)
    return x


def determinant(a: Any) -> Any:
    """The determinant."""
    u = a.copy()
    d = eliminated(u, np.empty((a.shape[0], 0), a.dtype))
    for i in range(a.shape[0]):
        d *= u[i, i]
    return d


def log_determinant(a: Any) -> Any:
    """Sign and logarithm of the absolute value of the determinant."""
    u = a.copy()
    sign = eliminated(u, np.empty((a.shape[0], 0), a.dtype))
    s = 0.0
    for i in range(a.shape[0]):
        sign *= 1.0 if u[i, i] > 0.0 else -1.0 if u[i, i] < 0.0 else 0.0
        s += np.log(abs(u[i, i]))
    return sign, s


def cholesky(a: Any) -> Any:
    """The lower triangular factor."""
    n = a.shape[0]
    low = np.zeros(a.shape, a.dtype)
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i == j:
                if not s > 0.0:
                    raise ValueError("Matrix is not positive definite.")
                low[i, i] = np.sqrt(s)
            else:
                low[i, j] = s / low[j, j]
    return low


METHODS: dict[tuple[str, int], Callable[..., Any]] = {
    ("matmul", 11): product_11,
    ("matmul", 12): product_12,
    ("matmul", 21): product_21,
    ("matmul", 22): product_22,
    ("solve", 21): solve_1,
    ("solve", 22): solve_2,
    ("inv", 2): inverse,
    ("det", 2): determinant,
    ("slogdet", 2): log_determinant,
    ("cholesky", 2): cholesky,
}
