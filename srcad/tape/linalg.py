"""Solving and factorizing: ``solve``, ``inv``, ``cholesky``, determinants, eigenvalues.

Sources of the pullbacks: Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008); Murray, "Differentiation of the Cholesky decomposition"
(2016).  All act on stacks of matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape.convert import pair, to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.emit import emit
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.linear import band_part, diag, diag_part, matmul
from srcad.tape.reductions import reduce_sum
from srcad.tape.shaping import dims, matrix_transpose, reshape, unbroadcast
from srcad.tape.tensor import Tensor, wrap

_v = VOCABULARY


def _checked(f: Callable[..., Any], *values: Any) -> Any:
    try:
        with np.errstate(all="ignore"):
            return f(*values)
    except np.linalg.LinAlgError:
        raise InvalidArgumentError("Input is not invertible.") from None


def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The solution ``x`` of ``matrix x = rhs``; ``rhs`` is a matrix of columns."""
    a, b = pair(matrix, rhs, "MatrixSolve")
    a = matrix_transpose(a) if adjoint else a
    if b.ndim < 2:
        raise InvalidArgumentError("input must be at least 2-dim, use rhs[:, tf.newaxis]")

    def pull(g: Tensor, i: int, inputs: Any, out: Tensor, lead: int) -> Tensor:
        back = solve(a, g, adjoint=True)
        if i == 1:
            return unbroadcast(back, b, lead)
        return unbroadcast(_v["neg"](matmul(back, out, transpose_b=True)), a, lead)

    return emit(_checked(np.linalg.solve, a._value, b._value), (a, b), pull)


def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The inverse."""
    a = to_tensor(input)
    a = matrix_transpose(a) if adjoint else a

    def pull(g: Tensor, i: int, inputs: Any, out: Tensor, lead: int) -> Tensor:
        turned = matrix_transpose(out)
        return _v["neg"](matmul(turned, matmul(g, turned)))

    return emit(_checked(np.linalg.inv, a._value), (a,), pull)


def det(input: Any, name: str | None = None) -> Tensor:
    """The determinant."""
    a = to_tensor(input)

    def pull(g: Tensor, i: int, inputs: Any, out: Tensor, lead: int) -> Tensor:
        scaled = _v["mul"](g, out)
        return _v["mul"](reshape(scaled, (*dims(scaled), 1, 1)), inv(a, adjoint=True))

    return emit(np.linalg.det(a._value), (a,), pull)


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of a positive definite matrix."""
    return _v["mul"](2.0, reduce_sum(_v["log"](diag_part(cholesky(matrix))), -1))


def slogdet(input: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The sign of the determinant and the logarithm of its magnitude."""
    a = to_tensor(input)
    sign, log = np.linalg.slogdet(a._value)

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        return _v["mul"](reshape(g, (*dims(g), 1, 1)), inv(a, adjoint=True))

    return wrap(sign), emit(log, (a,), pull)


def cholesky(input: Any, name: str | None = None) -> Tensor:
    """The lower triangular factor of a symmetric positive definite matrix."""
    a = to_tensor(input)
    value = _factor(a._value)

    def pull(g: Tensor, i: int, inputs: Any, out: Tensor, lead: int) -> Tensor:
        inner = _half_lower(matmul(matrix_transpose(out), band_part(g, -1, 0)))
        left = triangular_solve(out, inner, adjoint=True)
        full = matrix_transpose(triangular_solve(out, matrix_transpose(left), adjoint=True))
        return _v["mul"](_v["add"](full, matrix_transpose(full)), 0.5)

    return emit(value, (a,), pull)


def _factor(a: Any) -> Any:
    """The factors of a stack of matrices; NaN for those that are not positive definite."""
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return np.tril(np.full_like(a, np.nan))
        return np.stack([_factor(m) for m in a])


def _half_lower(x: Tensor) -> Tensor:
    """The lower triangle with half the diagonal."""
    return _v["sub"](band_part(x, -1, 0), _v["mul"](band_part(x, 0, 0), 0.5))


def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """The solution of a triangular system; the other triangle is not read."""
    a = band_part(matrix, -1, 0) if lower else band_part(matrix, 0, -1)
    return solve(a, rhs, adjoint)


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """The solution of a system whose Cholesky factor is given."""
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


def lstsq(
    matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """The least-squares solution of a system with full column rank, by the normal equations."""
    a = to_tensor(matrix)
    square = matmul(a, a, transpose_a=True)
    if l2_regularizer:
        square = _v["add"](square, wrap(np.eye(dims(a)[-1], dtype=a._value.dtype) * l2_regularizer))
    return solve(square, matmul(a, rhs, transpose_a=True))


def eigh(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues (ascending) and eigenvectors of a symmetric matrix; distinct for derivatives.

    Both are given by one formula each: values ``v^T a v``, vectors by their pullback.
    """
    a = band_part(to_tensor(tensor), -1, 0)
    a = _v["sub"](_v["add"](a, matrix_transpose(a)), diag(diag_part(a)))
    v = emit(np.linalg.eigh(a._value)[1], (a,), _vectors_pull)
    w = diag_part(matmul(matrix_transpose(v), matmul(a, v)))
    return w, v


def _vectors_pull(g: Tensor, i: int, inputs: Any, out: Tensor, lead: int) -> Tensor:
    a, turned = inputs[0], matrix_transpose(out)
    w = diag_part(matmul(turned, matmul(a, out)))
    n = dims(w)[-1]
    gaps = _v["sub"](reshape(w, (*dims(w)[:-1], 1, n)), reshape(w, (*dims(w), 1)))
    eye = wrap(np.eye(n, dtype=a._value.dtype))
    inverse = _v["sub"](_v["truediv"](1.0, _v["add"](gaps, eye)), eye)
    inner = _v["mul"](inverse, matmul(turned, g))
    full = matmul(out, matmul(inner, turned))
    return _v["mul"](_v["add"](full, matrix_transpose(full)), 0.5)


def eigvalsh(tensor: Any, name: str | None = None) -> Tensor:
    """Eigenvalues of a symmetric matrix, ascending."""
    return eigh(tensor)[0]


def pinv(a: Any, rcond: Any = None, name: str | None = None) -> Tensor:
    """The pseudo-inverse of a matrix of full rank."""
    a = to_tensor(a)
    if dims(a)[-2] < dims(a)[-1]:
        return matrix_transpose(pinv(matrix_transpose(a)))
    return solve(matmul(a, a, transpose_a=True), matrix_transpose(a))


def expm(input: Any, name: str | None = None) -> Tensor:
    """The matrix exponential: Taylor's series after scaling, then squaring."""
    a = to_tensor(input)
    size = float(np.max(np.sum(np.abs(a._value), -1), initial=0.0))
    squarings = max(0, int(np.ceil(np.log2(size))) + 1) if size > 0 else 0
    a = _v["mul"](a, 0.5**squarings)
    term = total = wrap(np.broadcast_to(np.eye(dims(a)[-1], dtype=a._value.dtype), dims(a)))
    for k in range(1, 19):
        term = _v["mul"](matmul(term, a), 1.0 / k)
        total = _v["add"](total, term)
    for _ in range(squarings):
        total = matmul(total, total)
    return total


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The transpose (of real matrices)."""
    return matrix_transpose(matrix)
