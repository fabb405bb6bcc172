"""Writes nodes that are no matter of single elements: products, joins, scatters, factorisations.

Each function takes the emitter, the node and the indentation, and writes statements that fill the
node's array.  Matrix products are calls of BLAS; LAPACK's functions are called for each matrix of
a stack.  ``CALLS`` maps NumPy's names to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.tf.symbolic import NotTraceable, Sym

if TYPE_CHECKING:
    from srcad.tf.emitting import Emitter

Write = Callable[["Emitter", Sym, str], None]
CALLS: dict[str, Write] = {}


def call(*names: str) -> Callable[[Write], Write]:
    """Enter a writer."""

    def enter(f: Write) -> Write:
        CALLS.update(dict.fromkeys(names, f))
        return f

    return enter


@contextmanager
def loops(e: Emitter, shape: tuple[int, ...], pad: str, letter: str = "j") -> Iterator[Any]:
    """Loops over a shape: gives the index and the indentation inside."""
    index = [f"{letter}{k}" for k in range(len(shape))]
    for i, d in zip(index, shape, strict=True):
        e.add(pad, f"for {i} in range({d}):")
        pad += "    "
    yield index, pad


def subscript(name: str, index: list[str]) -> str:
    """``name[i, j]``, or the name if there is no index."""
    return f"{name}[{', '.join(index)}]" if index else name


# products
@call("matmul")
def matmul(e: Emitter, n: Sym, pad: str) -> None:
    """Products of matrices, stack by stack."""
    a, b = n.args
    if n.dtype.kind != "f":
        raise NotTraceable("products of integer matrices have no compiled form")
    e.allocate(n, pad)
    if n.ndim == 2:
        e.add(pad, f"np.dot({e.matrix(a, pad)}, {e.matrix(b, pad)}, {e.name(n)})")
        return
    left, right = e.array(a, pad), e.array(b, pad)
    with loops(e, n.shape[:-2], pad) as (index, inner):
        x, y = (_stacked(v, np.shape(o), index) for v, o in ((left, a), (right, b)))
        e.add(inner, f"np.dot({x}, {y}, {subscript(e.name(n), index)})")


def _stacked(name: str, shape: tuple[int, ...], index: list[str]) -> str:
    """The matrix of a broadcast stack at an index."""
    front = shape[:-2]
    own = index[len(index) - len(front) :]
    return subscript(name, ["0" if d == 1 else i for i, d in zip(own, front, strict=True)])


@call("dot")
def dot(e: Emitter, n: Sym, pad: str) -> None:
    """The product of two matrices."""
    if np.ndim(n.args[0]) != 2 or np.ndim(n.args[1]) != 2:
        raise NotTraceable("np.dot of these shapes has no compiled form")
    matmul(e, n, pad)


@call("einsum")
def einsum(e: Emitter, n: Sym, pad: str) -> None:
    """Two operands: a product of matrices after ordering their axes; others: one loop nest."""
    left, _, result = n.options["equation"].partition("->")
    subs = left.split(",")
    if n.dtype.kind == "f" and _is_product(subs, result):
        _einsum_of_two(e, n, subs, result, pad)
        return
    sizes = _sizes(subs, n.args)
    summed = [c for c in sizes if c not in result]
    e.allocate(n, pad)
    places = {c: f"j{k}" for k, c in enumerate([*result, *summed])}
    inner = pad
    for c in result:
        e.add(inner, f"for {places[c]} in range({sizes[c]}):")
        inner += "    "
    e.add(inner, "acc = 0.0" if n.dtype.kind == "f" else "acc = 0")
    deep = inner
    for c in summed:
        e.add(deep, f"for {places[c]} in range({sizes[c]}):")
        deep += "    "
    factors = [e.element(x, [places[c] for c in s]) for s, x in zip(subs, n.args, strict=True)]
    e.add(deep, f"acc += {' * '.join(factors)}")
    target = subscript(e.name(n), [places[c] for c in result])
    e.add(inner, f"{target} = {e.cast(n)}(acc)")


def _is_product(subs: list[str], result: str) -> bool:
    """Whether two operands share what is summed, and all of it."""
    if len(subs) != 2 or any(len(set(s)) < len(s) for s in (*subs, result)):
        return False
    a, b = map(set, subs)
    return bool((a & b) - set(result)) and not (a ^ b) - set(result)


def _sizes(subs: list[str], operands: Any) -> dict[str, int]:
    """The size of every index."""
    pairs = zip(subs, operands, strict=True)
    return {c: d for s, x in pairs for c, d in zip(s, np.shape(x), strict=True)}


def _einsum_of_two(e: Emitter, n: Sym, subs: list[str], result: str, pad: str) -> None:
    """Axes in the order batch, own, summed; then products of matrices."""
    a, b = subs
    x, y = n.args
    sizes = _sizes(subs, n.args)
    batch = [c for c in result if c in a and c in b]
    summed = [c for c in a if c in b and c not in result]
    mine, other = ([c for c in s if c in result and c not in batch] for s in (a, b))

    def length(letters: list[str]) -> int:
        return int(np.prod([sizes[c] for c in letters], dtype=int))

    m, k, p = length(mine), length(summed), length(other)
    left = _ordered(e, x, a, [*batch, *mine, *summed], sizes, pad)
    right = _ordered(e, y, b, [*batch, *summed, *other], sizes, pad)
    product = e.fresh()
    count = length(batch)
    e.buffer(product, (count, m, p), n.dtype, pad)
    e.add(pad, f"for j in range({count}):")
    x2, y2 = f"{left}.reshape(({count}, {m}, {k}))[j]", f"{right}.reshape(({count}, {k}, {p}))[j]"
    e.add(pad + "    ", f"np.dot({x2}, {y2}, {product}[j])")
    e.allocate(n, pad)
    have = [*batch, *mine, *other]
    shaped = e.fresh()
    e.add(pad, f"{shaped} = {product}.reshape({tuple(sizes[c] for c in have) or (1,)})")
    places = {c: f"j{i}" for i, c in enumerate(result)}
    with loops(e, n.shape, pad) as (index, inner):
        value = subscript(shaped, [places[c] for c in have] or ["0"])
        e.add(inner, f"{subscript(e.name(n), index)} = {value}")


def _ordered(e: Emitter, x: Any, subs: str, order: list[str], sizes: Any, pad: str) -> str:
    """A copy of an operand with its axes in another order; itself if they are in order."""
    if list(subs) == order:
        return e.array(x, pad)
    name = e.fresh()
    e.buffer(name, tuple(sizes[c] for c in order), np.asarray(_zero(x)).dtype, pad)
    places = {c: f"j{k}" for k, c in enumerate(order)}
    with loops(e, tuple(sizes[c] for c in order), pad) as (index, inner):
        e.add(inner, f"{subscript(name, index)} = {e.element(x, [places[c] for c in subs])}")
    return name


def _zero(x: Any) -> Any:
    return np.zeros((), x.dtype) if hasattr(x, "elsewhere") else x


# joining and placing
@call("concatenate", "stack")
def join(e: Emitter, n: Sym, pad: str) -> None:
    """Parts one behind the other, or side by side."""
    e.allocate(n, pad)
    axis = n.options.get("axis", 0) % n.ndim
    at = 0
    for part in n.args:
        with loops(e, np.shape(part), pad) as (index, inner):
            if n.op == "stack":
                place = [*index[:axis], str(at), *index[axis:]]
            else:
                place = [f"{at} + {i}" if a == axis else i for a, i in enumerate(index)]
            e.add(inner, f"{subscript(e.name(n), place)} = {e.element(part, index)}")
        at += 1 if n.op == "stack" else np.shape(part)[axis]


@call("pad")
def pad_(e: Emitter, n: Sym, pad: str) -> None:
    """A margin of a constant."""
    if n.options.get("mode", "constant") != "constant":
        raise NotTraceable("np.pad in this mode has no compiled form")
    e.allocate(n, pad)
    fill = e.operand(np.asarray(n.options.get("constant_values", 0)).astype(n.dtype))
    e.add(pad, f"{e.name(n)}[...] = {fill}")
    widths = np.asarray(n.options["pad_width"]).tolist()
    with loops(e, np.shape(n.args[0]), pad) as (index, inner):
        place = [f"{b} + {i}" if b else i for (b, _), i in zip(widths, index, strict=True)]
        e.add(inner, f"{subscript(e.name(n), place)} = {e.element(n.args[0], index)}")


@call("tile", "roll")
def moved(e: Emitter, n: Sym, pad: str) -> None:
    """Elements that come from another place, modulo the size."""
    e.allocate(n, pad)
    x = n.args[0]
    shifts = [0] * n.ndim
    if n.op == "roll":
        if n.options.get("axis") is None:
            raise NotTraceable("np.roll of a flattened array has no compiled form")
        by, on = np.atleast_1d(n.options["shift"]), np.atleast_1d(n.options["axis"])
        for b, a in zip(by.tolist(), on.tolist(), strict=True):
            shifts[a] += b
    with loops(e, n.shape, pad) as (index, inner):
        own = [
            f"({i} + {-s % d}) % {d}" if d else i
            for i, s, d in zip(index, shifts, np.shape(x), strict=True)
        ]
        e.add(inner, f"{subscript(e.name(n), index)} = {e.element(x, own)}")


@call("put")
def put(e: Emitter, n: Sym, pad: str) -> None:
    """Zeros with a block at a basic subscript."""
    e.allocate(n, pad)
    e.add(pad, f"{e.name(n)}[...] = 0")
    from srcad.tf.nests import sliced

    g = n.args[0]
    with loops(e, np.shape(g), pad) as (index, inner):
        target = subscript(e.name(n), sliced(n.options["index"], index, n.shape))
        e.add(inner, f"{target} = {e.element(g, index)}")


@call("scatter_add")
def scatter_add(e: Emitter, n: Sym, pad: str) -> None:
    """Zeros to which elements are added at index arrays (behind ``front`` axes)."""
    g, *where = n.args
    e.allocate(n, pad)
    e.add(pad, f"{e.name(n)}[...] = 0")
    front, wide = n.options["front"], np.ndim(where[0])
    with loops(e, np.shape(g), pad) as (index, inner):
        mine = index[front : front + wide]
        places = [(e.element(w, mine), n.shape[front + k]) for k, w in enumerate(where)]
        own = [e.checked(i, d) for i, d in places]
        place = [*index[:front], *own, *index[front + wide :]]
        inner = e.guard(places, inner)
        e.add(inner, f"{subscript(e.name(n), place)} += {e.element(g, index)}")


@call("reshape")
def reshape(e: Emitter, n: Sym, pad: str) -> None:
    """The same elements in another shape: no copy."""
    (x,) = n.args
    if not np.shape(x):
        e.allocate(n, pad)
        e.add(pad, f"{e.name(n)}[...] = {e.operand(x)}")
        return
    flat = e.array(x, pad)
    e.add(pad, f"{e.name(n)} = {flat}.reshape({n.shape or 1})" + ("" if n.shape else "[0]"))


@call("range")
def range_(e: Emitter, n: Sym, pad: str) -> None:
    """The integers of a range of known length."""
    value = np.arange(*map(int, n.args))[: n.shape[0]].astype(n.dtype)
    e.add(pad, f"{e.name(n)} = {e.operand(value)}")


# along an axis
@call("cumsum")
def cumsum(e: Emitter, n: Sym, pad: str) -> None:
    """Running sums."""
    axis = n.options.get("axis")
    if axis is None:
        raise NotTraceable("np.cumsum of a flattened array has no compiled form")
    e.allocate(n, pad)
    (x,), a = n.args, axis % n.ndim
    with loops(e, (*n.shape[:a], *n.shape[a + 1 :]), pad) as (rest, inner):
        e.add(inner, "acc = 0.0" if n.dtype.kind == "f" else "acc = 0")
        e.add(inner, f"for k in range({n.shape[a]}):")
        index = [*rest[:a], "k", *rest[a:]]
        e.add(inner + "    ", f"acc += {e.element(x, index)}")
        e.add(inner + "    ", f"{subscript(e.name(n), index)} = {e.cast(n)}(acc)")


@call("argmax", "argmin")
def argmax(e: Emitter, n: Sym, pad: str) -> None:
    """The first place of the largest (smallest) element, of NaN before all."""
    (x,), axis, shape = n.args, n.options.get("axis"), np.shape(n.args[0])
    if axis is None or n.options.get("keepdims"):
        raise NotTraceable(f"np.{n.op} with these options has no compiled form")
    if n.shape:
        e.allocate(n, pad)
    a, sign = axis % len(shape), ">" if n.op == "argmax" else "<"
    with loops(e, (*shape[:a], *shape[a + 1 :]), pad) as (rest, inner):
        e.add(inner, f"best = {e.element(x, [*rest[:a], '0', *rest[a:]])}")
        e.add(inner, "where = 0")
        e.add(inner, f"for k in range(1, {shape[a]}):")
        e.add(inner + "    ", f"item = {e.element(x, [*rest[:a], 'k', *rest[a:]])}")
        e.add(inner + "    ", f"if best == best and (item {sign} best or item != item):")
        e.add(inner + "        ", "best = item")
        e.add(inner + "        ", "where = k")
        e.add(inner, f"{subscript(e.name(n), rest)} = {e.cast(n)}(where)")


@call("argsort")
def argsort(e: Emitter, n: Sym, pad: str) -> None:
    """The order along an axis, equal elements as they were."""
    (x,), a = n.args, n.options.get("axis", -1) % n.ndim
    e.allocate(n, pad)
    row = e.fresh()
    e.buffer(row, (n.shape[a],), np.asarray(_zero(x)).dtype, pad)
    with loops(e, (*n.shape[:a], *n.shape[a + 1 :]), pad) as (rest, inner):
        index = [*rest[:a], "k", *rest[a:]]
        e.add(inner, f"for k in range({n.shape[a]}):")
        e.add(inner + "    ", f"{row}[k] = {e.element(x, index)}")
        e.add(inner, f"order = np.argsort({row}, kind='mergesort')")
        e.add(inner, f"for k in range({n.shape[a]}):")
        e.add(inner + "    ", f"{subscript(e.name(n), index)} = order[k]")


# LAPACK
@call("solve", "inv", "cholesky")
def lapack(e: Emitter, n: Sym, pad: str) -> None:
    """A function of a matrix, or of a matrix and columns, for each of a stack."""
    _check_lapack(n)
    e.allocate(n, pad)
    names = [e.array(x, pad) for x in n.args]
    shapes = [np.shape(x) for x in n.args]
    with loops(e, n.shape[:-2], pad) as (index, inner):
        args = [_stacked(v, s, index) for v, s in zip(names, shapes, strict=True)]
        e.add(inner, f"{subscript(e.name(n), index)}[:, :] = np.linalg.{n.op}({', '.join(args)})")


@call("det")
def det(e: Emitter, n: Sym, pad: str) -> None:
    """Determinants."""
    _check_lapack(n)
    if n.shape:
        e.allocate(n, pad)
    name, shape = e.array(n.args[0], pad), np.shape(n.args[0])
    with loops(e, n.shape, pad) as (index, inner):
        value = f"np.linalg.det({_stacked(name, shape, index)})"
        e.add(inner, f"{subscript(e.name(n), index)} = {e.cast(n)}({value})")


def _check_lapack(n: Sym) -> None:
    if n.dtype not in (np.float32, np.float64) or 0 in n.shape:
        raise NotTraceable(f"np.linalg.{n.op} of this type has no compiled form")


@call("several")
def several(e: Emitter, n: Sym, pad: str) -> None:
    """Functions with two results, for each matrix of a stack; ``part`` names the results."""
    function = n.options["function"]
    if function not in ("eigh", "slogdet"):
        raise NotTraceable(f"{function} has no compiled form")
    parts = e.parts.get(id(n), [])
    for p in parts:
        _check_lapack(p)
        if p.shape:
            e.allocate(p, pad)
    name, shape = e.array(n.args[0], pad), np.shape(n.args[0])
    with loops(e, shape[:-2], pad) as (index, inner):
        e.add(inner, f"first, second = np.linalg.{function}({_stacked(name, shape, index)})")
        for p in parts:
            value = ("first", "second")[p.options["k"]]
            target = subscript(e.name(p), index)
            whole = ", ".join([":"] * (p.ndim - len(index)))
            e.add(inner, f"{target}[{whole}] = {value}" if whole else f"{target} = {value}")


@call("part")
def part(e: Emitter, n: Sym, pad: str) -> None:
    """Written with the function that it is a result of."""
