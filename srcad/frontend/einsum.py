"""``np.einsum``: a constant text of subscripts becomes loops, or a product of matrices.

Three and more factors are multiplied in pairs, those first that leave the fewest axes.  Two
factors whose common axes are all summed over go to BLAS; all else is a loop for each axis, those
of the result outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import numpy as np

from srcad.frontend.arrays import (
    broadcast_index,
    broadcast_shape,
    dtype_of,
    element_at,
    element_kind,
    materialize,
    reads_of,
    result_dtype,
    shape_of,
)
from srcad.frontend.builtins_ import accumulate
from srcad.frontend.core import CALLS, PLAIN, Lowering, handles
from srcad.frontend.creation import as_array
from srcad.frontend.shaping import transpose
from srcad.frontend.statements import settle
from srcad.frontend.values import Lazy, Static, Tuple
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Const

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Factor:
    """An array and a label for each of its axes."""

    value: Any
    labels: Labels


@handles(CALLS, np.einsum)
def einsum(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.einsum(subscripts, *operands)``; subscripts are known at compile time."""
    args = as_text(args)
    text = args[0].obj if args and isinstance(args[0], Static) else None
    if not isinstance(text, str):
        lo.fail(
            node,
            "np.einsum without a constant string of subscripts",
            "which loops are generated depends on it",
            'np.einsum("ij,jk->ik", a, b)',
        )
    values = [settle(lo, as_array(lo, v, node)) for v in args[1:]]
    inputs, arrow, output = text.replace(" ", "").partition("->")
    parts = inputs.split(",")
    if len(parts) != len(values):
        wrong(lo, node, f"{len(parts)} subscripts for {len(values)} operands")
    factors = [
        Factor(v, axes_named(lo, p, len(shape_of(lo, v)), node))
        for p, v in zip(parts, values, strict=True)
    ]
    every = [k for f in factors for k in f.labels]
    if arrow:
        dots = sorted({k for k in every if k[0] == "."}, reverse=True)
        out = axes_named(lo, output, len(output.replace("...", "")) + len(dots), node)
        if "..." not in output and dots:
            wrong(lo, node, "the axes of '...' are not in the output")
    else:
        once = {k for k in every if every.count(k) == 1 or k[0] == "."}
        out = tuple(sorted(once, key=lambda k: (k[0] != ".", -int(k[1:]) if k[0] == "." else k)))
    if len(set(out)) < len(out) or not set(out) <= set(every):
        wrong(lo, node, f"the output {output!r} repeats a subscript or has one of its own")
    if {dtype_of(v) for v in values} == {"b1"}:
        lo.mismatch(node, "np.einsum of bools", instead="convert them to int")
    return product(lo, factors, out, node)


def as_text(args: list) -> list:
    """``(a, [0, 1], b, [1, 2], [0, 2])`` as ``("AB,BC->AC", a, b)``; others as they are."""
    if not args or isinstance(args[0], Static):
        return args
    words = [letters(v) for v in (*args[1::2], *args[len(args) // 2 * 2 :])]
    if not words or None in words:
        return args
    count = len(args) // 2
    text = ",".join(map(str, words[:count])) + "".join(f"->{w}" for w in words[count:])
    return [Static(text), *args[: 2 * count : 2]]


def letters(v: Any) -> str | None:
    """Subscripts in a list as text: letters in the order of the numbers, which are below 52."""
    out = ""
    for x in v.items if isinstance(v, Tuple) else (None,):
        if isinstance(x, Static) and x.obj is Ellipsis:
            out += "..."
        elif isinstance(x, Const) and isinstance(x.value, int) and 0 <= x.value < 52:
            out += ascii_uppercase[x.value] if x.value < 26 else ascii_lowercase[x.value - 26]
        else:
            return None
    return out


def wrong(lo: Lowering, node: Any, what: str) -> None:
    """Refuse subscripts that NumPy refuses."""
    lo.mismatch(node, f"subscripts of np.einsum: {what}", PLAIN)


def axes_named(lo: Lowering, part: str, ndim: int, node: Any) -> Labels:
    """The labels of one operand; the axes of ``...`` are ``.k`` counted from the last of them."""
    front, dots, back = part.partition("...")
    extra = ndim - len(front) - len(back)
    if not (front + back).isalpha() and front + back or extra < 0 or extra > 0 and not dots:
        wrong(lo, node, f"{part!r} does not fit an array of {ndim} axes")
    return (*front, *(f".{k}" for k in reversed(range(extra))), *back)


def product(lo: Lowering, factors: list[Factor], out: Labels, node: Any) -> Any:
    """The sum of products, pair by pair."""
    while len(factors) > 2:
        pair = min(combinations(factors, 2), key=lambda p: len(left_of(p, factors, out)))
        kept = left_of(pair, factors, out)
        value = settle(lo, pair_product(lo, list(pair), kept, node))
        factors = [*others(pair, factors), Factor(value, kept)]
    return pair_product(lo, factors, out, node)


def others(pair: tuple[Factor, ...], factors: list[Factor]) -> list[Factor]:
    """The factors that are not of a pair (an array may be a factor more than once)."""
    return [f for f in factors if all(f is not p for p in pair)]


def left_of(pair: tuple[Factor, ...], factors: list[Factor], out: Labels) -> Labels:
    """The labels that the product of a pair has to keep."""
    wanted = set(out).union(*(f.labels for f in others(pair, factors)))
    return tuple(k for k in dict.fromkeys((*pair[0].labels, *pair[1].labels)) if k in wanted)


def pair_product(lo: Lowering, factors: list[Factor], out: Labels, node: Any) -> Any:
    """The product of one or two factors."""
    if len(factors) == 2 and is_matrix_product(*factors, out):
        return matrix_product(lo, *factors, out, node)
    return loops(lo, factors, out, node)


def is_matrix_product(a: Factor, b: Factor, out: Labels) -> bool:
    """Whether two factors share just what is summed over, and have two axes or more."""
    ours, theirs = set(a.labels), set(b.labels)
    distinct = len(ours) == len(a.labels) > 1 and len(theirs) == len(b.labels) > 1
    floats = {dtype_of(a.value), dtype_of(b.value)} & {"f8", "f4", "c16", "c8"}
    return bool(distinct and floats and ours & theirs and ours ^ theirs == set(out))


def matrix_product(lo: Lowering, a: Factor, b: Factor, out: Labels, node: Any) -> Any:
    """Two factors by ``np.tensordot``, the axes then put in order."""
    from srcad.frontend.calls import call_value

    common = [k for k in a.labels if k in b.labels]
    axes = [Tuple(tuple(const(f.labels.index(k)) for k in common)) for f in (a, b)]
    made = call_value(
        lo, Static(np.tensordot), [a.value, b.value], {"axes": Tuple(tuple(axes))}, node
    )
    have = [k for k in (*a.labels, *b.labels) if k not in common]
    if not out:
        return lo.b.load(made)
    order = Tuple(tuple(const(have.index(k)) for k in out))
    return transpose(lo, [made, order], {}, node)


def sizes_of(lo: Lowering, factors: list[Factor]) -> dict[str, Atom]:
    """The size of each label; only the axes of ``...`` are stretched."""
    found: dict[str, list[Atom]] = {}
    for f in factors:
        for k, n in zip(f.labels, shape_of(lo, f.value), strict=True):
            found.setdefault(k, []).append(n)
    sizes = {}
    for k, (first, *rest) in found.items():
        if k[0] == ".":
            (first,) = broadcast_shape(lo, [(n,) for n in (first, *rest)])
        for n in rest if k[0] != "." else ():
            if not lo.same_size(first, n):
                lo.b.check(
                    lo.b.op("eq", first, n), "ValueError", f"np.einsum: the sizes of {k!r} differ"
                )
        sizes[k] = first
    return sizes


def loops(lo: Lowering, factors: list[Factor], out: Labels, node: Any) -> Any:
    """One loop a label; a factor without sums is a view, to be read only."""
    sizes = sizes_of(lo, factors)
    at = []
    for f in factors:
        shape = shape_of(lo, f.value)
        full = [sizes[k] if k[0] == "." else n for k, n in zip(f.labels, shape, strict=True)]
        at.append(broadcast_index(lo, (), shape, tuple(full)))
    dtype = dtype_of(factors[0].value)
    for f in factors[1:]:
        dtype = result_dtype("mul", [Lazy((), dtype, lambda i: const(0)), f.value])
    kind = element_kind(dtype)
    summed = [k for k in sizes if k not in out]

    def term(where: dict[str, Atom]) -> Atom:
        value: Atom | None = None
        for f, index in zip(factors, at, strict=True):
            position = index(tuple(where[k] for k in f.labels))
            x = lo.b.cast(element_at(lo, f.value, position), kind)
            value = x if value is None else lo.b.op("mul", value, x)
        assert value is not None
        return value

    def total(acc: Atom, rest: list[str], where: dict[str, Atom]) -> Atom:
        if not rest:
            return lo.b.op("add", acc, term(where))

        def step(inner: Atom, i: Atom) -> Atom:
            return total(inner, rest[1:], {**where, rest[0]: i})

        return accumulate(lo, sizes[rest[0]], acc, step)

    def element(index: tuple[Atom, ...]) -> Atom:
        where = dict(zip(out, index, strict=True))
        return total(const(0, kind), summed, where) if summed else term(where)

    if not out:
        return element(())
    shape = tuple(sizes[k] for k in out)
    reads = tuple((array, False) for f in factors for array, _ in reads_of(f.value))
    view = len(factors) == 1 and not summed
    lazy = Lazy(shape, dtype, element, reads, view)
    return lazy if view else materialize(lo, lazy)
