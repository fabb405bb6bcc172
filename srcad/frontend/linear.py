"""Products and linear algebra: BLAS and LAPACK as array primitives with rules of their own.

``@``, ``np.outer``, and the primitives in ``library.factors``.  Vectors are multiplied by loops
(they fuse); matrices go to BLAS, which wants contiguous floats of one type.
"""

from __future__ import annotations

from typing import Any

import numba.np.extensions
import numpy as np

from srcad.frontend.arrays import copy, dtype_of, element_at, element_kind, materialize, shape_of
from srcad.frontend.builtins_ import accumulate
from srcad.frontend.core import CALLS, PLAIN, Lowering, handles
from srcad.frontend.creation import array_of, as_array
from srcad.frontend.source import get_source
from srcad.frontend.values import FunctionV, Lazy, Static, Tuple, describe, is_array, is_scalar
from srcad.frontend.views import subview
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Var
from srcad.ir.types import F4, F8, ArrayT, Scalar, Type, is_complex, promote
from srcad.library import factors, tensors


def matmul(lo: Lowering, a: Any, b: Any, node: Any) -> Any:
    """``a @ b``; stacks of matrices by a function of the library."""
    a, b = as_array(lo, a, node), as_array(lo, b, node)
    if not (is_array(a) and is_array(b)):
        lo.mismatch(node, f"@ of {describe(a)} and {describe(b)}", PLAIN, "use * with a number")
    na, nb = len(shape_of(lo, a)), len(shape_of(lo, b))
    if na == 0 or nb == 0:
        lo.mismatch(node, f"@ of {describe(a)} and {describe(b)}", PLAIN, "use * with a number")
    if na > 2 or nb > 2:
        from srcad.frontend.calls import call_value

        return call_value(lo, Static(np.matmul), [a, b], {}, node)
    inner_a, inner_b = shape_of(lo, a)[-1], shape_of(lo, b)[0]
    if not lo.same_size(inner_a, inner_b):
        lo.b.check(
            lo.b.op("eq", inner_a, inner_b), "ValueError", "incompatible array sizes for np.dot()"
        )
    if na == nb == 1:
        return inner(lo, a, b)
    if not {dtype_of(a), dtype_of(b)} & {"f8", "f4", "c16", "c8"}:
        return whole_numbers(lo, a, b, node)
    kind = product_kind(a, b)
    x, y = contiguous(lo, a, kind.kind, node), contiguous(lo, b, kind.kind, node)
    shape = (*lo.shape(x)[:-1], *lo.shape(y)[1:])
    (r,) = lo.b.array_op("matmul", (ArrayT(kind.kind, len(shape), "C"),), x, y)
    return lo.note_shape(r, shape)


def product_kind(a: Any, b: Any) -> Scalar:
    """The float or complex kind in which two arrays are multiplied."""
    kinds = element_kind(dtype_of(a)), element_kind(dtype_of(b))
    if any(map(is_complex, kinds)):
        return promote(*kinds)
    return F4 if kinds == (F4, F4) else F8


def inner(lo: Lowering, a: Any, b: Any) -> Atom:
    """Scalar product of two vectors."""
    same = element_kind(dtype_of(a))
    kind = same if same == element_kind(dtype_of(b)) else product_kind(a, b)

    def step(acc: Atom, i: Atom) -> Atom:
        return lo.b.op("add", acc, lo.b.op("mul", element_at(lo, a, (i,)), element_at(lo, b, (i,))))

    return accumulate(lo, shape_of(lo, a)[0], const(0, kind), step)


def whole_numbers(lo: Lowering, a: Any, b: Any, node: Any) -> Var:
    """The product of matrices of integers, by loops."""
    if dtype_of(a) == dtype_of(b) == "b1":
        lo.mismatch(node, "@ of arrays of bools", instead="convert one of them to int")
    x, y = materialize(lo, a), materialize(lo, b)
    rows, columns = lo.shape(x)[:-1], lo.shape(y)[1:]

    def element(i: tuple[Atom, ...]) -> Atom:
        left, right = i[: len(rows)], i[len(rows) :]

        def step(acc: Atom, k: Atom) -> Atom:
            term = lo.b.op("mul", element_at(lo, x, (*left, k)), element_at(lo, y, (k, *right)))
            return lo.b.op("add", acc, term)

        return accumulate(lo, lo.shape(x)[-1], const(0), step)

    return materialize(lo, Lazy((*rows, *columns), "i8", element))


def contiguous(lo: Lowering, v: Any, dtype: str, node: Any) -> Var:
    """``v`` as a C-ordered float array (copied only if it is not one)."""
    from srcad.frontend.arrays import apply_elementwise

    if dtype_of(v) != dtype:
        kind = element_kind(dtype)
        v = apply_elementwise(lo, lambda x: lo.b.cast(x, kind), [v], dtype, node)
    a = materialize(lo, v)
    return a if a.type.layout == "C" else copy(lo, a)  # type: ignore[union-attr]


@handles(CALLS, np.outer)
def outer(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.outer(a, b)``."""
    from srcad.frontend.arrays import elementwise
    from srcad.frontend.shaping import ravel

    arrays = (copy(lo, x) if is_scalar(x) else array_of(lo, x, node) for x in args[:2])
    a, b = (ravel(lo, x, node) for x in arrays)
    full = ("slice", None, None, None)
    return elementwise(
        lo, "mul", [subview(lo, a, (full, ("new",))), subview(lo, b, (("new",), full))], node
    )


def cross2d(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """Numba's ``cross2d``, which has no Python body."""
    from srcad.frontend.calls import call_value

    return call_value(lo, FunctionV(get_source(tensors.cross2d)), args, keywords, node)


if hasattr(numba.np.extensions, "cross2d"):  # not beside every version of NumPy
    CALLS[numba.np.extensions.cross2d] = cross2d


def float_matrix(lo: Lowering, v: Any, node: Any) -> Var:
    """Operand of a factorisation: a contiguous float matrix."""
    if not is_array(v) or len(shape_of(lo, v)) != 2:
        lo.mismatch(
            node, f"expected a matrix, got {describe(v)}", instead="pass one 2-D array at a time"
        )
    dtype = dtype_of(v)
    return contiguous(lo, v, dtype if dtype in ("f4", "c16", "c8") else "f8", node)


def square_matrix(lo: Lowering, v: Any, node: Any) -> Var:
    """Operand of a factorisation: a contiguous square float matrix."""
    a = float_matrix(lo, v, node)
    n, m = lo.shape(a)
    if not lo.same_size(n, m):
        lo.b.check(lo.b.op("eq", n, m), "ValueError", "last 2 dimensions must be square")
    return a


@handles(CALLS, factors.solve)
def solve(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``factors.solve(a, b)``."""
    left, right = as_array(lo, args[0], node), array_of(lo, args[1], node, 1)
    if is_array(left) and dtype_of(right) in ("c16", "c8"):
        left = contiguous(lo, left, product_kind(left, right).kind, node)
    a = square_matrix(lo, left, node)
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


def factorisation(name: str, ndims: tuple[int, ...], square: bool) -> Any:
    """A factorisation that the library calls; its results have so many axes (0: a number)."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        v = as_array(lo, args[0], node)
        a = square_matrix(lo, v, node) if square else float_matrix(lo, v, node)
        dtype = a.type.dtype  # type: ignore[union-attr]
        types: tuple[Type, ...] = tuple(
            ArrayT(dtype, n, "C") if n else ArrayT(dtype, 0).element for n in ndims
        )
        numbers = [lo.b.cast(lo.scalar(x, node), F8) for x in args[1:]]
        results = lo.b.array_op(name, types, a, *numbers)
        for r, n in zip(results, ndims, strict=True):
            if n:
                lo.note_shape(r, lo.shape(a) if name in ("inv", "cholesky") else None)
        return Tuple(results) if len(results) > 1 else results[0]

    return handler


CALLS[factors.inv] = factorisation("inv", (2,), True)
CALLS[factors.det] = factorisation("det", (0,), True)
CALLS[factors.cholesky] = factorisation("cholesky", (2,), True)
CALLS[factors.eigh] = factorisation("eigh", (1, 2), True)
CALLS[factors.eig] = factorisation("eig", (1, 2), True)
CALLS[factors.svd] = factorisation("svd", (2, 1, 2), False)
CALLS[factors.qr] = factorisation("qr", (2, 2), False)
CALLS[factors.slogdet] = factorisation("slogdet", (0, 0), True)
CALLS[factors.pinv] = factorisation("pinv", (2,), False)
