"""Matrix products and what is made of them: ``matmul``, ``einsum``, ``tensordot``, traces, bands.

A product's pullback consists of products; an ``einsum`` is brought to a form in which no operand
repeats an index, and then its pullback is an ``einsum`` with result and operand exchanged.
"""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from srcad.tape.convert import check_same, pair, to_tensor
from srcad.tape.elementwise import VOCABULARY, listed
from srcad.tape.emit import emit, plain
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.memory import empty
from srcad.tape.reductions import reduce_sum
from srcad.tape.shaping import dims, matrix_transpose, reshape, transpose, unbroadcast
from srcad.tape.tensor import Tensor, wrap

_v = VOCABULARY


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    name: str | None = None,
) -> Tensor:
    """The product of matrices, or of stacks of them."""
    a, b = pair(a, b, "MatMul")
    a = matrix_transpose(a) if transpose_a or adjoint_a else a
    b = matrix_transpose(b) if transpose_b or adjoint_b else b
    if a.ndim < 2 or b.ndim < 2 or dims(a)[-1] != dims(b)[-2]:
        raise InvalidArgumentError(
            _misfit(a, b),
            instead="" if a.ndim > 1 and b.ndim > 1 else "use tf.linalg.matvec or tf.tensordot",
        )

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        if i == 0:
            return unbroadcast(matmul(g, matrix_transpose(b)), a, lead)
        return unbroadcast(matmul(matrix_transpose(a), g), b, lead)

    return emit(_product(a._value, b._value), (a, b), pull)


def _misfit(a: Tensor, b: Tensor) -> str:
    for k, x in enumerate((a, b)):
        if x.ndim < 2:
            return f"In[{k}] ndims must be >= 2: {x.ndim} [Op:MatMul]"
    first, second = listed(dims(a)), listed(dims(b))
    return f"Matrix size-incompatible: In[0]: {first}, In[1]: {second} [Op:MatMul]"


def _product(a: Any, b: Any) -> Any:
    """The product by one call of BLAS where only the first operand is a stack."""
    with np.errstate(all="ignore"):
        if b.ndim == 2 and a.ndim > 2:
            return (a.reshape(-1, a.shape[-1]) @ b).reshape(*a.shape[:-1], b.shape[1])
        if a.ndim == b.ndim == 2 and type(a) is type(b) is np.ndarray:
            return np.matmul(a, b, out=empty((len(a), b.shape[1]), a.dtype))
        return np.matmul(a, b)


def matvec(a: Any, b: Any, transpose_a: bool = False, name: str | None = None) -> Tensor:
    """The product of a matrix and a vector."""
    b = to_tensor(b)
    column = matmul(a, reshape(b, (*dims(b), 1)), transpose_a)
    return reshape(column, dims(column)[:-1])


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Summed over pairs of axes: the last of ``a`` with the first of ``b``, or as listed."""
    a, b = pair(a, b, "MatMul")
    given = plain(axes)
    if isinstance(given, int):
        given = [list(range(a.ndim - given, a.ndim)), list(range(given))]
    first, second = ([p] if isinstance(p, int) else p for p in given)
    first, second = [p % a.ndim for p in first], [p % b.ndim for p in second]
    left = [i for i in range(a.ndim) if i not in first]
    right = [i for i in range(b.ndim) if i not in second]
    count = int(np.prod([dims(a)[i] for i in first]))
    x = reshape(transpose(a, left + first), [-1, count])
    y = reshape(transpose(b, second + right), [count, -1])
    return reshape(matmul(x, y), [dims(a)[i] for i in left] + [dims(b)[i] for i in right])


# einsum
def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """The sum of products that an equation such as ``"ij,jk->ik"`` describes."""
    operands = [to_tensor(x) for x in inputs]
    for x in operands[1:]:
        check_same(operands[0], x, "Einsum")
    subs, result = _parsed(equation.replace(" ", ""), operands)
    subs, operands = _without_repeats(subs, operands)
    return _contract(subs, result, operands)


def _parsed(equation: str, operands: list[Tensor]) -> tuple[list[str], str]:
    """The index letters of operands and result, ``...`` spelled out."""
    left, arrow, result = equation.partition("->")
    subs = left.split(",")
    if len(subs) != len(operands):
        raise ValueError(f"Expected {len(subs)} inputs for {equation!r}, got {len(operands)}")
    free = [c for c in string.ascii_letters if c not in equation]
    widths = [x.ndim - len(s.replace("...", "")) for s, x in zip(subs, operands, strict=True)]
    widest = max((w for s, w in zip(subs, widths, strict=True) if "..." in s), default=0)
    dots = "".join(free[:widest])
    subs = [s.replace("...", dots[widest - w :]) for s, w in zip(subs, widths, strict=True)]
    if not arrow:
        letters = "".join(subs)
        once = sorted(c for c in set(letters) if letters.count(c) == 1 and c not in dots)
        return subs, dots + "".join(once)
    return subs, result.replace("...", dots)


def _without_repeats(subs: list[str], operands: list[Tensor]) -> tuple[list[str], list[Tensor]]:
    """A repeated index of an operand becomes two, tied by an identity matrix."""
    free = iter([c for c in string.ascii_letters if c not in "".join(subs)])
    made_subs, made = [], []
    for s, x in zip(subs, operands, strict=True):
        letters: list[str] = []
        for k, c in enumerate(s):
            if c in letters:
                fresh = next(free)
                made_subs.append(c + fresh)
                made.append(wrap(np.eye(dims(x)[k], dtype=x._value.dtype)))
                c = fresh
            letters.append(c)
        made_subs.append("".join(letters))
        made.append(x)
    return made_subs, made


def _contract(subs: list[str], result: str, operands: list[Tensor]) -> Tensor:
    """An einsum without repeated indices; its pullback is one of the same kind."""
    equation = ",".join(subs) + "->" + result

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        free = [c for c in string.ascii_letters if c not in equation][:lead]
        front = "".join(free)
        parts, values = [front + result], [g]
        for k, (s, x) in enumerate(zip(subs, operands, strict=True)):
            if k != i:
                parts.append(s)
                values.append(x)
        seen = set("".join(parts))
        for c, d in zip(subs[i], dims(operands[i]), strict=True):
            if c not in seen:
                parts.append(c)
                values.append(wrap(np.ones(d, g._value.dtype)))
        return _contract(parts, front + subs[i], values)

    try:
        value = np.einsum(equation, *[x._value for x in operands], optimize=len(operands) > 1)
    except ValueError as error:
        raise InvalidArgumentError(f"{error} [Op:Einsum]") from None
    return emit(value, tuple(operands), pull)


# diagonals and bands
def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """A band of a matrix around the diagonal, zero elsewhere; -1 keeps a whole triangle."""
    x = to_tensor(input)
    rows, columns = dims(x)[-2:]
    low, high = int(plain(num_lower)), int(plain(num_upper))
    step = np.arange(columns) - np.arange(rows)[:, None]
    inside = ((low < 0) | (-step <= low)) & ((high < 0) | (step <= high))
    return _v["mul"](x, wrap(inside.astype(x._value.dtype)))


def diag_part(input: Any, name: str | None = None) -> Tensor:
    """The diagonals of matrices."""
    x = to_tensor(input)
    n = min(dims(x)[-2:])
    return einsum("...ii->...i", x[..., :n, :n])


def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Matrices with given diagonals."""
    d = to_tensor(diagonal)
    return _v["mul"](reshape(d, (*dims(d), 1)), wrap(np.eye(dims(d)[-1], dtype=d._value.dtype)))


def set_diag(input: Any, diagonal: Any, name: str | None = None) -> Tensor:
    """Square matrices with their diagonals replaced."""
    x = to_tensor(input)
    return _v["add"](_v["sub"](x, diag(diag_part(x))), diag(diagonal))


def trace(x: Any, name: str | None = None) -> Tensor:
    """Sums of diagonals."""
    return reduce_sum(diag_part(x), -1)
