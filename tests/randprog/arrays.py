"""Whole-array expressions: elementwise functions, broadcasting, parts, gathers, products."""

from __future__ import annotations

from collections.abc import Callable

from tests.randprog import expressions as scalars
from tests.randprog.access import axis_slice, reading, subarray
from tests.randprog.frame import Frame
from tests.randprog.model import (
    ATOM,
    LOOSE,
    MUL,
    POWER,
    UNIT,
    Expr,
    Shape,
    add,
    guarded_quotient,
    multiply,
    scaled,
    subtract,
)


def array(f: Frame, shape: Shape, depth: int = 1) -> Expr:
    """A float array expression of exactly this shape."""
    if depth <= 0 or not f.chooser.chance(80):
        return array_leaf(f, shape)
    return f.chooser.weighted(RULES)(f, shape, depth - 1)


def array_leaf(f: Frame, shape: Shape) -> Expr:
    """A part of an array, a gather, or a constant array."""
    wanted = len(shape) == 1 and f.build.allows("gather") and f.chooser.chance(25)
    if wanted and (gathered := _gather(f, shape)):
        return gathered
    found = [
        (text, var)
        for var in f.arrays()[:6]
        if len(var.shape) >= len(shape) and (text := subarray(f, var, shape))
    ]
    if found:
        text, var = f.chooser.pick(found)
        return reading(text, var, shape)
    return filled(f, shape)


def _gather(f: Frame, shape: Shape) -> Expr | None:
    found = [
        (order, var)
        for order in f.vars("index", lambda v: v.shape == shape)
        for var in f.arrays(ndim=1)
        if order.high.under(var.shape[0])
    ]
    if not found:
        return None
    order, var = f.chooser.pick(found)
    f.count("gather")
    return reading(f"{var.name}[{order.name}]", var, shape)


def shape_text(f: Frame, shape: Shape) -> str:
    """The argument of an allocation."""
    lengths = [f.length(dim) for dim in shape]
    return lengths[0] if len(lengths) == 1 else f"({', '.join(lengths)})"


def filled(f: Frame, shape: Shape) -> Expr:
    """The same scalar everywhere."""
    e = scalars.fit(f, scalars.leaf(f), UNIT)
    if f.chooser.chance(50):
        text = f"np.full({shape_text(f, shape)}, {e.text})"
        if e.reads:  # an integer-free fill value keeps the array float
            return Expr(text, ATOM, e.bound, shape, e.reads, e.needs)
    ones = Expr(f"np.ones({shape_text(f, shape)})", ATOM, 1.0, shape)
    return multiply(e, ones)


def _unary(f: Frame, shape: Shape, depth: int) -> Expr:
    return scalars.unary(f, array(f, shape, depth))


def _operand(f: Frame, shape: Shape, depth: int) -> Expr:
    """Something that broadcasts to the shape: an array, a row, a column, a scalar."""
    kind = f.chooser.weighted(((5, "array"), (3, "scalar"), (3, "part")))
    if kind == "scalar":
        return scalars.scalar(f, depth)
    if kind == "part" and len(shape) == 2:
        f.count("broadcast")
        if f.chooser.chance(50):
            return array(f, shape[1:], depth)
        column = array_leaf(f, shape[:1])
        text = f"{column.at(ATOM)}[:, None]"
        return Expr(text, ATOM, column.bound, shape, column.reads, column.needs)
    return array(f, shape, depth)


def _sum(f: Frame, shape: Shape, depth: int) -> Expr:
    a, b = array(f, shape, depth), _operand(f, shape, depth)
    return subtract(a, b) if f.chooser.chance(40) else add(a, b)


def _product(f: Frame, shape: Shape, depth: int) -> Expr:
    a, b = array(f, shape, depth), _operand(f, shape, depth)
    if a.bound * b.bound > LOOSE:
        b = scalars.fit(f, b, UNIT)
    return multiply(a, b)


def _scaled(f: Frame, shape: Shape, depth: int) -> Expr:
    return scaled(f.chooser.pick(scalars.FACTORS), array(f, shape, depth))


def _quotient(f: Frame, shape: Shape, depth: int) -> Expr:
    return guarded_quotient(array(f, shape, depth), array_leaf(f, shape))


def _power(f: Frame, shape: Shape, depth: int) -> Expr:
    e = scalars.fit(f, array(f, shape, depth), UNIT)
    text = f"{e.at(ATOM)} ** {f.chooser.integer(2, 3)}"
    return Expr(text, POWER, 1.0, shape, e.reads, e.needs | e.reads)


def _select(f: Frame, shape: Shape, depth: int) -> Expr:
    """np.where, np.maximum, np.minimum"""
    a, b = array(f, shape, depth), array_leaf(f, shape)
    bound, reads, needs = max(a.bound, b.bound, 1.0), a.reads | b.reads, a.needs | b.needs
    if f.chooser.chance(50):
        test = array_leaf(f, shape)
        text = f"np.where({test.text} > {scalars.literal(f):.3f}, {a.text}, {b.text})"
        return Expr(text, ATOM, bound, shape, reads, needs)
    name = f.chooser.pick(("maximum", "minimum"))
    text = f"np.{name}({a.text}, {scalars.literal(f):.3f})"
    return Expr(text, ATOM, bound, shape, a.reads, a.needs)


def _matrix_vector(f: Frame, shape: Shape, depth: int) -> Expr:
    """m @ v for a vector, an outer product by broadcasting for a matrix."""
    if len(shape) == 2:
        column, row = array_leaf(f, shape[:1]), scalars.fit(f, array_leaf(f, shape[1:]), UNIT)
        f.count("broadcast")
        tall = Expr(
            f"{column.at(ATOM)}[:, None]", ATOM, column.bound, shape, column.reads, column.needs
        )
        return multiply(tall, row)
    found = [
        (text, var, var.shape[1])
        for var in f.arrays(ndim=2)
        if (part := axis_slice(f, var.shape[0], shape[0]))
        and (text := var.name if part == ":" else f"{var.name}[{part}]")
    ]
    if not found:
        return _unary(f, shape, depth)
    text, var, inner = f.chooser.pick(found)
    matrix, vector = reading(text, var, shape), array_leaf(f, (inner,))
    vector = scalars.fit(f, vector, UNIT)
    product = multiply(matrix, vector)
    product.text, product.shape = f"{matrix.text} @ {vector.at(ATOM)}", shape
    product.level, product.bound = MUL, product.bound * inner.most()
    f.count("matmul")
    return product


RULES: tuple[tuple[int, Callable[[Frame, Shape, int], Expr]], ...] = (
    (6, _unary),
    (5, _sum),
    (5, _product),
    (4, _scaled),
    (2, _quotient),
    (1, _power),
    (1, _select),
    (3, _matrix_vector),
)
