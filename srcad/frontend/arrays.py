"""Whole-array expressions as loops over elements.

In: arrays, unevaluated expressions (``Lazy``) and numbers.  Out: ``Lazy`` values that fuse, and
the loops that compute them.  Broadcasting: sizes that are provably equal cost nothing; others
are checked at run time (``ValueError`` as in NumPy) and a size of 1 is stretched by multiplying
the index by 0.

Meaning of an update that reads what it writes (``a[1:] += a[:-1]``): NumPy's, the right side is
complete before the first write.  A temporary is made exactly where the right side may read the
written storage at another index.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NoReturn

from srcad.frontend.core import PLAIN, Lowering
from srcad.frontend.kinds import meant, narrow, of_elements, result_kind
from srcad.frontend.values import Lazy, describe, is_array, is_scalar
from srcad.ir.build import ONE, ZERO
from srcad.ir.nodes import Atom, Const, Var
from srcad.ir.types import B1, C8, C16, I8, ArrayT, Scalar, is_complex

Index = tuple[Atom, ...]
BITWISE = {
    "bitand": "&",
    "bitor": "|",
    "bitxor": "^",
    "lshift": "<<",
    "rshift": ">>",
    "invert": "~",
}


def element_kind(dtype: str) -> Scalar:
    """Scalar type of a loaded element."""
    return ArrayT(dtype, 0).element


def shape_of(lo: Lowering, v: Any) -> tuple[Atom, ...]:
    """Sizes of an array value; a number has none."""
    if isinstance(v, Lazy):
        return v.shape
    return lo.shape(v) if isinstance(v, Var) and isinstance(v.type, ArrayT) else ()


def dtype_of(v: Any) -> str:
    """Element dtype code of an array value or kind of a number."""
    if isinstance(v, Lazy):
        return v.dtype
    return v.type.dtype if isinstance(v.type, ArrayT) else v.type.kind


def element_at(lo: Lowering, v: Any, index: Index) -> Atom:
    """Element of an array value at an index of its own shape; a number is its own element."""
    if isinstance(v, Lazy):
        return v.element(index)
    if isinstance(v, Var) and isinstance(v.type, ArrayT):
        return lo.b.load(v, *index, hint=v.hint[:1] or "t")
    return v


def reads_of(v: Any) -> tuple[tuple[Var, bool], ...]:
    """Arrays that an array value reads; ``True``: only at the same index."""
    if isinstance(v, Lazy):
        return v.reads
    return ((v, True),) if isinstance(v, Var) and isinstance(v.type, ArrayT) else ()


def materialize(lo: Lowering, v: Any, hint: str = "a") -> Var:
    """An array value as an array variable (computed now if it is not yet)."""
    if isinstance(v, Var):
        return v
    out = lo.new_array(v.dtype, v.shape, hint=hint)
    nest(lo, v.shape, lambda i: lo.b.store(out, i, to_element(lo, v.element(i), out)))
    return out


def to_element(lo: Lowering, a: Atom, array: Var) -> Atom:
    """``a`` as a value of the array's element type."""
    if is_complex(a.type) and not is_complex(array.type):
        lo.mismatch(
            lo.node,
            "cannot store a complex number in a real array",
            "the imaginary part would be lost; Python refuses this as well",
            "make the array complex: np.zeros(n, dtype=np.complex128)",
        )
    return lo.b.cast(a, array.type.element)  # type: ignore[union-attr]


def nest(
    lo: Lowering, shape: tuple[Atom, ...], action: Callable[[Index], None], index: Index = ()
) -> None:
    """Loops over all indices of a shape, last axis innermost."""
    if len(index) == len(shape):
        action(index)
        return
    hint = "ijkl"[len(index)] if len(index) < 4 else "i"
    with lo.b.loop(ZERO, shape[len(index)], hint=hint) as i:
        nest(lo, shape, action, (*index, i))


# broadcasting
def broadcast_shape(lo: Lowering, shapes: list[tuple[Atom, ...]]) -> tuple[Atom, ...]:
    """The common shape; sizes that may differ are checked at run time."""
    ndim = max(len(s) for s in shapes)
    out: list[Atom] = []
    for axis in range(ndim):
        sizes = [s[axis - ndim + len(s)] for s in shapes if axis - ndim + len(s) >= 0]
        out.append(_common_size(lo, sizes))
    return tuple(out)


def _common_size(lo: Lowering, sizes: list[Atom]) -> Atom:
    best: Atom = ONE
    for n in sizes:
        if n == ONE or lo.same_size(n, best):
            continue
        if best == ONE:
            best = n
            continue
        best = _merge_sizes(lo, best, n)
    return best


def _merge_sizes(lo: Lowering, a: Atom, b: Atom) -> Atom:
    op = lo.b.op
    same = op("eq", a, b)
    if isinstance(a, Const) and isinstance(b, Const):
        lo.b.check(same, "ValueError", "operands could not be broadcast together")
        return a
    if isinstance(b, Const):
        a, b = b, a
    one_b = op("eq", b, ONE)
    if isinstance(a, Const):  # a known size other than 1: b is that, or 1
        lo.b.check(op("or", same, one_b), "ValueError", "operands could not be broadcast together")
        return a
    one_a = op("eq", a, ONE)
    ok = op("or", same, op("or", one_a, one_b))
    lo.b.check(ok, "ValueError", "operands could not be broadcast together")
    return op("select", one_a, b, a)


def broadcast_index(
    lo: Lowering, index: Index, shape: tuple[Atom, ...], full: tuple[Atom, ...]
) -> Callable[[Index], Index]:
    """Map from an index of ``full`` to one of ``shape`` (made before the loops)."""
    del index
    offset = len(full) - len(shape)
    factors: list[Any] = []
    for n, m in zip(shape, full[offset:], strict=True):
        if lo.same_size(n, m):
            factors.append(None)
        elif n == ONE:
            factors.append(ZERO)
        else:
            factors.append(lo.b.cast(lo.b.op("ne", n, ONE), I8))

    def at(i: Index) -> Index:
        return tuple(
            x if f is None else f if f == ZERO else lo.b.op("mul", x, f)
            for x, f in zip(i[offset:], factors, strict=True)
        )

    return at


def broadcast_to(lo: Lowering, v: Any, full: tuple[Atom, ...]) -> Callable[[Index], Atom]:
    """Element of a value as seen in a larger shape."""
    shape = shape_of(lo, v)
    at = broadcast_index(lo, (), shape, full)
    return lambda i: element_at(lo, v, at(i))


def elementwise(lo: Lowering, name: str, args: list[Any], node: Any) -> Lazy:
    """A primitive applied to arrays and numbers, element by element."""
    check_bitwise(lo, name, args, node)
    name = meant(lo, name, kinds_of(args), node)
    dtype = result_dtype(name, args)

    def element(*xs: Atom) -> Atom:
        return lo.b.cast(of_elements(lo, name, narrow(lo, name, xs)), Scalar(dtype))

    return apply_elementwise(lo, element, args, dtype, node)


def kinds_of(args: list[Any]) -> list[Scalar]:
    """The kinds of numbers and of elements of arrays."""
    return [
        element_kind(dtype_of(a)) if is_array(a) else a.type
        for a in args
        if is_array(a) or is_scalar(a)
    ]


def read_only(lo: Lowering, target: Var, node: Any) -> NoReturn:
    """Refuse to write an array that is not writable, or that is not an argument."""
    roots = lo.root(target) or ()
    for c in lo.program.captures.values():
        if c.var.name in roots:
            lo.mismatch(
                node,
                f"cannot write to the array {c.var.hint!r}, which is no argument",
                "a derivative with respect to hidden state is not defined",
                "pass the array as an argument, or write to a copy",
            )
    lo.mismatch(
        node,
        "cannot write to a read-only array",
        "the argument's flag `writeable` is off",
        "write to a copy",
    )


def check_bitwise(lo: Lowering, name: str, args: list[Any], node: Any) -> None:
    """Bitwise operators take integers only."""
    if name in BITWISE and any(element_kind(dtype_of(a)).kind in ("f8", "f4") for a in args):
        lo.mismatch(
            node,
            f"{BITWISE[name]} needs integers, got {' and '.join(map(describe, args))}",
            PLAIN,
            "convert with .astype(int) or int(...)",
        )


def result_dtype(name: str, args: list[Any]) -> str:
    """Dtype code of an elementwise result."""
    return result_kind(name, kinds_of(args)).kind


def apply_elementwise(
    lo: Lowering, f: Callable[..., Atom], args: list[Any], dtype: str, node: Any
) -> Lazy:
    """``f`` of the elements of broadcast arguments."""
    for a in args:
        if not (is_array(a) or is_scalar(a)):
            lo.mismatch(
                node,
                f"cannot use {describe(a)} in an array expression",
                instead="use numbers and arrays",
            )
    shapes = [shape_of(lo, a) for a in args if is_array(a)]
    full = broadcast_shape(lo, shapes)
    at = [broadcast_to(lo, a, full) for a in args]
    reads = tuple(
        r if _same_shape(lo, shape_of(lo, a), full) else (r[0], False)
        for a in args
        for r in reads_of(a)
    )
    return Lazy(full, dtype, lambda i: f(*(g(i) for g in at)), reads)


def _same_shape(lo: Lowering, a: tuple[Atom, ...], b: tuple[Atom, ...]) -> bool:
    return len(a) == len(b) and all(map(lo.same_size, a, b))


# writing
def write_array(
    lo: Lowering,
    target: Var,
    value: Any,
    node: Any,
    combine: Callable[[Atom, Atom], Atom] | None = None,
) -> None:
    """``target[...] = value``, or ``target[...] = combine(target[...], value)``."""
    if not target.type.mutable:  # type: ignore[union-attr]
        read_only(lo, target, node)
    value = detach(lo, value, target)
    full = lo.shape(target)
    check_fits(lo, shape_of(lo, value), full, node)
    shape = shape_of(lo, value)
    if len(shape) > len(full):
        value = drop_axes(lo, value, len(shape) - len(full))
    at = broadcast_to(lo, value, full)

    def write(i: Index) -> None:
        v = at(i)
        if combine is not None:
            v = combine(lo.b.load(target, *i), v)
        lo.b.store(target, i, to_element(lo, v, target))

    nest(lo, full, write)


def drop_axes(lo: Lowering, v: Any, k: int) -> Lazy:
    """Leading axes of size 1 removed."""
    shape = shape_of(lo, v)
    return Lazy(shape[k:], dtype_of(v), lambda i: element_at(lo, v, (ZERO,) * k + i), reads_of(v))


def check_fits(lo: Lowering, shape: tuple[Atom, ...], full: tuple[Atom, ...], node: Any) -> None:
    """``shape`` must broadcast to ``full`` (checked at run time where not provable)."""
    extra = len(shape) - len(full)
    for n in shape[: max(extra, 0)]:
        lo.b.check(
            lo.b.op("eq", n, ONE), "ValueError", "could not broadcast input array into this shape"
        )
    pairs = zip(reversed(shape), reversed(full), strict=False)
    for n, m in pairs:
        if lo.same_size(n, m) or n == ONE:
            continue
        ok = lo.b.op("or", lo.b.op("eq", n, m), lo.b.op("eq", n, ONE))
        lo.b.check(ok, "ValueError", "could not broadcast input array into this shape")
    del node


def detach(lo: Lowering, value: Any, target: Var) -> Any:
    """``value`` such that writing ``target`` while reading it is safe (a copy if need be)."""
    mine = lo.views.get(target.name, target.name)
    for array, aligned in reads_of(value):
        same = aligned and lo.views.get(array.name, array.name) == mine
        if not same and lo.may_alias(array, target):
            return copy(lo, value)
    return value


def copy(lo: Lowering, v: Any, hint: str = "a") -> Var:
    """A fresh C-ordered copy."""
    shape = shape_of(lo, v)
    out = lo.new_array(dtype_of(v), shape, hint=hint)
    nest(lo, shape, lambda i: lo.b.store(out, i, to_element(lo, element_at(lo, v, i), out)))
    return out


def update_array(lo: Lowering, target: Var, op: type, value: Any, node: Any) -> None:
    """``target op= value`` for a whole array or view."""
    from srcad.frontend.expressions import BINARY
    from srcad.frontend.statements import settle

    if op is ast.MatMult:
        lo.fail(node, "@= is not supported", instead="a = a @ b")
    if not (is_array(value) or is_scalar(value)):
        lo.mismatch(
            node,
            f"cannot update an array with {describe(value)}",
            instead="update it with a number or an array",
        )
    name = BINARY[op]
    check_update_kind(lo, target, name, value, node)
    if isinstance(value, Var) and is_array(value):
        value = settle(lo, value)

    def combine(old: Atom, v: Atom) -> Atom:
        return of_elements(lo, name, (old, v))

    write_array(lo, target, value, node, combine)


def check_update_kind(lo: Lowering, target: Var, name: str, value: Any, node: Any) -> None:
    """Integer arrays cannot take float results of ``target op= value``."""
    check_result_kind(lo, target, name, [target, value], node)


def check_result_kind(lo: Lowering, target: Var, name: str, args: list[Any], node: Any) -> None:
    """Integer arrays cannot take float results in place (NumPy raises as well)."""
    check_bitwise(lo, name, args, node)
    result = result_dtype(name, args)
    kind = element_kind(target.type.dtype)  # type: ignore[union-attr]
    if result in ("c16", "c8") and kind not in (C16, C8):
        lo.mismatch(
            node,
            "cannot store a complex result in a real array",
            "the imaginary part would be lost; NumPy refuses this as well",
            "make the array complex: np.zeros(n, dtype=np.complex128)",
        )
    if kind in (I8, B1) and result in ("f8", "f4") or kind == B1 and result != "b1":
        words = ("a float", "an integer") if kind == I8 else ("a number", "a bool")
        lo.mismatch(
            node,
            f"cannot store {words[0]} result in {words[1]} array",
            "NumPy refuses this in-place update as well",
            "make the array float",
        )
