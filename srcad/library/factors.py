"""Factorisations that are array primitives: how functions of the library call them.

Each takes a matrix (the frontend makes it contiguous floats) and is known to the frontend by its
function object; the rules of their derivatives stand in ``transforms.array_rules`` and
``transforms.matrix_rules``.
"""

from __future__ import annotations

from typing import Any


def solve(a: Any, b: Any) -> Any:
    """The solution x of a x = b for a square matrix and a vector or matrix."""
    raise NotImplementedError


def inv(a: Any) -> Any:
    """The inverse."""
    raise NotImplementedError


def det(a: Any) -> Any:
    """The determinant."""
    raise NotImplementedError


def cholesky(a: Any) -> Any:
    """The lower Cholesky factor of the symmetric matrix with this lower triangle."""
    raise NotImplementedError


def eigh(a: Any) -> Any:
    """Eigenvalues, ascending, and eigenvectors of the symmetric matrix with this lower triangle."""
    raise NotImplementedError


def eig(a: Any) -> Any:
    """Eigenvalues, which have to be real, and eigenvectors of length 1."""
    raise NotImplementedError


def svd(a: Any) -> Any:
    """u, s, vt with a column of u and a row of vt for each singular value."""
    raise NotImplementedError


def qr(a: Any) -> Any:
    """q, r of a matrix that has no fewer rows than columns."""
    raise NotImplementedError


def slogdet(a: Any) -> Any:
    """Sign and logarithm of the absolute value of the determinant."""
    raise NotImplementedError


def pinv(a: Any, cutoff: float) -> Any:
    """Pseudo-inverse; singular values up to ``cutoff`` times the largest count as zero."""
    raise NotImplementedError
