"""NumPy functions, or arguments of them, that srcad does not support."""
# ruff: noqa

import math

import numpy as np
import scipy.linalg

from srcad import NoDerivative, TypeMismatch, UnknownFunction, UnsupportedSyntax
from tests.error_cases.registry import refused


def vector():
    return np.array([0.5, 1.0, 1.5])


def matrix():
    return np.array([[0.5, 1.0], [1.5, 2.0]])


@refused(UnknownFunction, vector)
def packed_bits(a):
    return a[np.packbits(a > 0)[0]]


@refused(UnknownFunction, matrix)
def einsum_path(m):
    return np.einsum_path("ij,jk", m, m)[0][1]


@refused(UnsupportedSyntax, matrix, 1)
def einsum_of_computed_lists(m, k):
    return np.einsum(m, [0, k])


@refused(TypeMismatch, matrix)
def einsum_that_does_not_fit(m):
    return np.einsum("ijk->i", m)[0]


@refused(TypeMismatch, matrix)
def pivoted_qr(m):
    return scipy.linalg.qr(m, pivoting=True)[0][0, 0]


@refused(UnknownFunction, vector)
def fourier_transform(a):
    return np.abs(np.fft.fft(a))[0]


@refused(TypeMismatch, vector)
def sum_with_out_of_integers(a):
    out = np.zeros((), dtype=np.int64)
    np.sum(a, out=out)
    return out[()]


@refused(TypeMismatch, vector)
def sum_with_where(a):
    return np.sum(a, where=a)


@refused(UnsupportedSyntax, matrix, 1)
def computed_axis(m, k):
    return np.sum(np.sum(m, axis=k))


@refused(TypeMismatch, matrix)
def axis_out_of_range(m):
    return np.sum(np.sum(m, axis=2))


@refused(TypeMismatch, vector)
def pad_with_a_dict(a):
    return np.sum(np.pad(a, {0: (1, 1)}))


@refused(UnsupportedSyntax, matrix)
def copy_in_any_order(m):
    return np.sum(m.flatten("A"))


@refused(TypeMismatch, matrix)
def norm_along_axes_that_are_not(m):
    return np.linalg.norm(m, 1, (0, 2))


@refused(TypeMismatch, vector)
def determinant_of_a_vector(a):
    return np.linalg.det(a)


@refused(TypeMismatch, vector)
def complex_in_a_real_array(a):
    z = np.zeros(3, dtype=np.complex128)
    a[0] = z[0] * a[1]
    return a[0]


@refused(TypeMismatch, vector)
def complex_update_of_a_real_array(a):
    a *= 1j
    return a[0]


@refused(TypeMismatch, vector)
def complex_sort(a):
    return np.abs(np.sort(a * 1j)[0])


@refused(TypeMismatch, vector)
def complex_maximum(a):
    return np.abs(np.maximum(a * 1j, 2.0)[0])


@refused(TypeMismatch, vector)
def complex_method(a):
    return np.abs((a * 1j).max())


@refused(TypeMismatch, vector)
def complex_of_math(a):
    return abs(math.sqrt(a[0] * 1j))


@refused(TypeMismatch, vector)
def complex_spectral_norm(a):
    return np.linalg.norm(np.outer(a, a) * 1j, 2)


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


@refused(TypeMismatch, vector)
def select_from_a_list_built_in_a_loop(a):
    parts = []
    for i in range(3):
        parts.append(a * i)
    return np.sum(np.select([a > 0.0, a > 1.0, a > 2.0], parts))


@refused(TypeMismatch, vector)
def array_of_ragged_rows(a):
    return np.sum(np.array([[a[0], a[1]], a[0]]))


@refused(TypeMismatch, matrix)
def matmul_of_no_axes(m):
    return np.sum(np.array(2.0) @ m)


@refused(UnsupportedSyntax, vector)
def ufunc_with_where(a):
    return np.sum(np.sqrt(a, where=a > 0.0))


@refused(UnknownFunction, vector)
def ufunc_method(a):
    return np.arctan2.reduce(a)


@refused(TypeMismatch, matrix)
def list_of_diagonals(m):
    parts = [np.diagonal(m)]
    return parts[0][0]
