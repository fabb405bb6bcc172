"""``tf.linalg``: products, solving, factorizations, diagonals, under TensorFlow's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.linalg import (
    adjoint,
    cholesky,
    cholesky_solve,
    det,
    eigh,
    eigvalsh,
    expm,
    inv,
    logdet,
    lstsq,
    pinv,
    slogdet,
    solve,
    triangular_solve,
)
from srcad.tape.linear import (
    band_part,
    diag,
    diag_part,
    einsum,
    matmul,
    matvec,
    set_diag,
    tensordot,
    trace,
)
from srcad.tape.mathops import global_norm
from srcad.tape.reductions import norm
from srcad.tape.shaping import matrix_transpose
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.creation import eye
from srcad.tf.missing import missing

tensor_diag = diag
tensor_diag_part = diag_part


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str = "") -> Any:
    """The tensor over its norm, and the norm."""
    length = norm(tensor, ord, axis, keepdims=True)
    return VOCABULARY["truediv"](tensor, length), length


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The vector product along the last axis (of length 3)."""
    tensor = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        tensor[i, j, k], tensor[i, k, j] = 1, -1
    a = to_tensor(a)
    return einsum("ijk,...j,...k->...i", wrap(tensor.astype(a._value.dtype)), a, b)


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str = "") -> Tensor:
    """The number of singular values that are not negligible."""
    return wrap(np.asarray(np.linalg.matrix_rank(to_tensor(a)._value), np.int32))


__all__ = [
    "adjoint",
    "band_part",
    "cholesky",
    "cholesky_solve",
    "cross",
    "det",
    "diag",
    "diag_part",
    "eigh",
    "eigvalsh",
    "einsum",
    "expm",
    "eye",
    "global_norm",
    "inv",
    "logdet",
    "lstsq",
    "matmul",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "norm",
    "normalize",
    "pinv",
    "set_diag",
    "slogdet",
    "solve",
    "tensor_diag",
    "tensor_diag_part",
    "tensordot",
    "trace",
    "triangular_solve",
]
__getattr__ = missing(
    "tf.linalg",
    lambda: globals(),
    {"svd": "use tf.linalg.eigh of a^T a", "qr": "use tf.linalg.cholesky of a^T a"},
)
