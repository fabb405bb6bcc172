"""Products and linear algebra: BLAS and LAPACK as array primitives with rules of their own.

``@``, ``np.dot``, ``np.outer``, ``np.linalg.solve/inv/det/cholesky/norm``.  Vectors are
multiplied by loops (they fuse); matrices go to BLAS, which wants contiguous floats of one type.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.arrays import copy, dtype_of, element_at, element_kind, materialize, shape_of
from srcad.frontend.builtins_ import accumulate
from srcad.frontend.core import CALLS, METHODS, PLAIN, Lowering, handles
from srcad.frontend.creation import array_of, as_array
from srcad.frontend.values import describe, is_array, is_scalar
from srcad.frontend.views import subview
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Var
from srcad.ir.types import F4, F8, ArrayT


def matmul(lo: Lowering, a: Any, b: Any, node: Any) -> Any:
    """``a @ b`` for 1-D and 2-D operands."""
    a, b = as_array(lo, a, node), as_array(lo, b, node)
    if not (is_array(a) and is_array(b)):
        lo.mismatch(node, f"@ of {describe(a)} and {describe(b)}", PLAIN, "use * with a number")
    na, nb = len(shape_of(lo, a)), len(shape_of(lo, b))
    if na not in (1, 2) or nb not in (1, 2):
        lo.mismatch(
            node,
            f"@ of {na}-D and {nb}-D arrays is not supported",
            instead="loop over the leading axes",
        )
    inner_a, inner_b = shape_of(lo, a)[-1], shape_of(lo, b)[0]
    if not lo.same_size(inner_a, inner_b):
        lo.b.check(
            lo.b.op("eq", inner_a, inner_b), "ValueError", "incompatible array sizes for np.dot()"
        )
    if na == nb == 1:
        return inner(lo, a, b)
    kind = F4 if dtype_of(a) == dtype_of(b) == "f4" else F8
    x, y = contiguous(lo, a, kind.kind, node), contiguous(lo, b, kind.kind, node)
    shape = (*lo.shape(x)[:-1], *lo.shape(y)[1:])
    (r,) = lo.b.array_op("matmul", (ArrayT(kind.kind, len(shape), "C"),), x, y)
    return lo.note_shape(r, shape)


def inner(lo: Lowering, a: Any, b: Any) -> Atom:
    """Scalar product of two vectors."""
    kind = element_kind(dtype_of(a))
    kind = kind if kind == element_kind(dtype_of(b)) else F8

    def step(acc: Atom, i: Atom) -> Atom:
        return lo.b.op("add", acc, lo.b.op("mul", element_at(lo, a, (i,)), element_at(lo, b, (i,))))

    return accumulate(lo, shape_of(lo, a)[0], const(0, kind), step)


def contiguous(lo: Lowering, v: Any, dtype: str, node: Any) -> Var:
    """``v`` as a C-ordered float array (copied only if it is not one)."""
    from srcad.frontend.arrays import apply_elementwise

    if dtype_of(v) != dtype:
        kind = element_kind(dtype)
        v = apply_elementwise(lo, lambda x: lo.b.cast(x, kind), [v], dtype, node)
    a = materialize(lo, v)
    return a if a.type.layout == "C" else copy(lo, a)  # type: ignore[union-attr]


@handles(CALLS, np.dot, np.matmul, np.vdot)
def dot(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.dot(a, b)``."""
    a, b = (as_array(lo, x, node) for x in args[:2])
    if is_scalar(a) or is_scalar(b):
        from srcad.frontend.calls import primitive_call

        return primitive_call(lo, "mul", np.multiply, [a, b], {}, node)
    return matmul(lo, a, b, node)


METHODS["array.dot"] = lambda lo, v, args, kw, node: dot(lo, [v, *args], kw, node)


@handles(CALLS, np.outer)
def outer(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.outer(a, b)``."""
    from srcad.frontend.arrays import elementwise
    from srcad.frontend.shaping import ravel

    a, b = (ravel(lo, array_of(lo, x, node), node) for x in args[:2])
    full = ("slice", None, None, None)
    return elementwise(
        lo, "mul", [subview(lo, a, (full, ("new",))), subview(lo, b, (("new",), full))], node
    )


@handles(CALLS, np.linalg.norm)
def norm(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.linalg.norm(a)``: Euclidean (of a matrix: Frobenius)."""
    from srcad.frontend.reductions import fold_axes

    if len(args) > 1 or keywords:
        lo.fail(
            node,
            "np.linalg.norm with ord or axis is not supported",
            instead="np.sqrt(np.sum(a * a, axis))",
        )
    v = as_array(lo, args[0], node)
    kind = F4 if dtype_of(v) == "f4" else F8

    def square(acc: Atom, x: Atom) -> Atom:
        return lo.b.op("add", acc, lo.b.op("mul", x, x))

    axes = tuple(range(len(shape_of(lo, v))))
    return lo.b.op("sqrt", fold_axes(lo, v, axes, const(0, kind), square))


def square_matrix(lo: Lowering, v: Any, node: Any) -> Var:
    """Operand of a factorisation: a contiguous square float matrix."""
    if not is_array(v) or len(shape_of(lo, v)) != 2:
        lo.mismatch(
            node, f"expected a matrix, got {describe(v)}", instead="pass one 2-D array at a time"
        )
    a = contiguous(lo, v, "f4" if dtype_of(v) == "f4" else "f8", node)
    n, m = lo.shape(a)
    if not lo.same_size(n, m):
        lo.b.check(lo.b.op("eq", n, m), "ValueError", "last 2 dimensions must be square")
    return a


@handles(CALLS, np.linalg.solve)
def solve(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.linalg.solve(a, b)``."""
    a = square_matrix(lo, as_array(lo, args[0], node), node)
    right = array_of(lo, args[1], node, 1)
    if right.type.ndim > 2:  # type: ignore[union-attr]
        lo.mismatch(
            node,
            f"np.linalg.solve with {describe(right)} on the right",
            instead="solve for a vector or a matrix at a time",
        )
    b = contiguous(lo, right, a.type.dtype, node)  # type: ignore[union-attr]
    if not lo.same_size(lo.shape(a)[0], lo.shape(b)[0]):
        lo.b.check(
            lo.b.op("eq", lo.shape(a)[0], lo.shape(b)[0]),
            "ValueError",
            "incompatible sizes in solve",
        )
    t = ArrayT(a.type.dtype, b.type.ndim, "C")  # type: ignore[union-attr]
    (r,) = lo.b.array_op("solve", (t,), a, b)
    return lo.note_shape(r, lo.shape(b))


def matrix_function(name: str, scalar: bool) -> Any:
    """``inv``, ``cholesky`` (matrix to matrix), ``det`` (matrix to number)."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        a = square_matrix(lo, as_array(lo, args[0], node), node)
        t = a.type.element if scalar else ArrayT(a.type.dtype, 2, "C")  # type: ignore[union-attr]
        (r,) = lo.b.array_op(name, (t,), a)
        return r if scalar else lo.note_shape(r, lo.shape(a))

    return handler


CALLS[np.linalg.inv], CALLS[np.linalg.cholesky] = (
    matrix_function("inv", False),
    matrix_function("cholesky", False),
)
CALLS[np.linalg.det] = matrix_function("det", True)
