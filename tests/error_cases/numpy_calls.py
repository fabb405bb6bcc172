"""NumPy functions, or arguments of them, that srcad does not support."""
# ruff: noqa

import numpy as np

from srcad import TypeMismatch, UnknownFunction, UnsupportedSyntax
from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


def matrix():
    return np.array([[0.5, 1.0], [1.5, 2.0]])


@refused(UnknownFunction, vector)
def sort(a):
    return np.sort(a)[0]


@refused(UnknownFunction, matrix)
def eigenvalues(m):
    return np.sum(np.linalg.eigvalsh(m))


@refused(UnknownFunction, matrix, vector)
def einsum(m, a):
    return np.sum(np.einsum("ij->i", m))


@refused(UnknownFunction, vector)
def fourier_transform(a):
    return np.abs(np.fft.fft(a))[0]


@refused(UnsupportedSyntax, vector)
def sum_with_out(a):
    out = np.zeros(())
    np.sum(a, out=out)
    return out[()]


@refused(UnsupportedSyntax, vector)
def sum_with_where(a):
    return np.sum(a, where=a > 0.7)


@refused(UnsupportedSyntax, matrix, 1)
def computed_axis(m, k):
    return np.sum(np.sum(m, axis=k))


@refused(TypeMismatch, matrix)
def axis_out_of_range(m):
    return np.sum(np.sum(m, axis=2))


@refused(UnsupportedSyntax, vector)
def linspace_without_end(a):
    return np.sum(np.linspace(a[0], a[1], 5, False))


@refused(UnsupportedSyntax, 2.0)
def shifted_diagonal(x):
    return np.sum(np.eye(3, k=1)) * x


@refused(UnsupportedSyntax, matrix)
def fortran_copy(m):
    return np.sum(m.flatten("F"))


@refused(UnsupportedSyntax, matrix)
def norm_with_order(m):
    return np.linalg.norm(m, 1)


@refused(TypeMismatch, vector)
def determinant_of_a_vector(a):
    return np.linalg.det(a)


@refused(UnsupportedSyntax, vector)
def complex_dtype(a):
    z = np.zeros(3, dtype=np.complex128)
    return a[0]


@refused(TypeMismatch, vector)
def dtype_that_is_none(a):
    z = np.zeros(3, dtype="number")
    return a[0]


@refused(UnsupportedSyntax, matrix)
def squeeze_without_axis(m):
    return np.sum(np.squeeze(m))


@refused(TypeMismatch, vector)
def reshape_with_two_unknowns(a):
    return a.reshape(-1, -1)[0, 0]


@refused(TypeMismatch, vector)
def unknown_keyword(a):
    return np.sum(a, dimension=0)


@refused(TypeMismatch, vector)
def too_many_arguments(a):
    return np.outer(a, a, None, a)[0, 0]


@refused(TypeMismatch, vector)
def needs_an_argument(a):
    return np.dot(a)


@refused(UnsupportedSyntax, vector)
def concatenate_a_list_built_in_a_loop(a):
    parts = []
    for i in range(3):
        parts.append(a * i)
    return np.sum(np.concatenate(parts))


@refused(TypeMismatch, vector)
def array_of_ragged_rows(a):
    return np.sum(np.array([[a[0], a[1]], a[0]]))


@refused(TypeMismatch, matrix)
def matmul_of_three_axes(m):
    t = np.zeros((2, 2, 2))
    return np.sum(t @ m)


@refused(UnsupportedSyntax, vector)
def ufunc_with_where(a):
    return np.sum(np.sqrt(a, where=a > 0.0))


@refused(UnknownFunction, vector)
def ufunc_method(a):
    return np.add.reduce(a)
