"""Python expressions for storage: elements, sizes, views, allocations.

In: an operation and the expressions of its operands.  Out: an ``Expr``.  Integer elements of odd
widths are widened on loading, and a view is spelled so that Numba infers exactly the layout the
IR says (``ir.layout`` tells what it infers).
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from srcad.backends.expressions import Expr, call, combine, constant, method, name, sequence
from srcad.errors import InternalError
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Alloc, Const, View
from srcad.ir.types import I8, ArrayT, ListT, Scalar, Type

DTYPE = {
    "f4": "float32",
    "i8": "int64",
    "i4": "int32",
    "i2": "int16",
    "i1": "int8",
    "u4": "uint32",
    "u2": "uint16",
    "u1": "uint8",
    "b1": "bool_",
}


def memory_key(t: Type) -> str:
    """What kind of storage a variable refers to; different kinds never overlap."""
    return f"list of {t.element}" if isinstance(t, ListT) else getattr(t, "dtype", "")


def element(array: Expr, index: list[Expr], context: ast.expr_context | None = None) -> ast.expr:
    """``array[index]``."""
    nodes = [i.node for i in index]
    position = nodes[0] if len(nodes) == 1 else sequence(nodes)
    return ast.Subscript(array.node, position, context or ast.Load())


def add_atomically(array: Expr, index: list[Expr], value: Expr) -> ast.stmt:
    """``atomic.add(array, index, value)``."""
    at = index[0].node if len(index) == 1 else sequence([i.node for i in index])
    return ast.Expr(call("atomic.add", array.node, at, value.node))


def load(array: Expr, t: Type, index: list[Expr]) -> Expr:
    """An element as a value of its IR type."""
    node = element(array, index)
    odd = isinstance(t, ArrayT) and t.element == I8 and t.dtype != "i8"
    node = call("np.int64", node) if odd else node
    return combine(node, [array, *index], 2 * len(index), frozenset([memory_key(t)]))


def dim(array: Expr, t: Type, axis: int) -> Expr:
    """A size."""
    if isinstance(t, ListT):
        return combine(call("len", array.node), [array], 5, frozenset([memory_key(t)]))
    shape = ast.Attribute(array.node, "shape", ast.Load())
    return combine(ast.Subscript(shape, ast.Constant(axis), ast.Load()), [array], 9)


def view(s: View, base: Expr, atoms: Callable[[object], Expr | None]) -> Expr:
    """A view; ``atoms`` gives the expression of a part of its specification."""
    t, target = s.base.type, s.target.type
    parts = [base]

    def part(x: object) -> ast.expr | None:
        e = atoms(x)
        if e is not None:
            parts.append(e)
        return e.node if e is not None else None

    if s.kind == "index":
        items = [_item(item, part) for item in s.spec]
        node: ast.expr = ast.Subscript(
            base.node, items[0] if len(items) == 1 else sequence(items), ast.Load()
        )
    elif s.kind == "transpose":
        node = _transposed(base.node, s.spec)
    elif s.kind == "reshape":
        node = method(base.node, "reshape", sequence([n for x in s.spec if (n := part(x))]))
    else:
        node = base.node
    if isinstance(t, ArrayT) and isinstance(target, ArrayT):
        node = relaid(node, target.ndim, view_layout(t, s.kind, s.spec).layout, target.layout)
    return combine(node, parts, 3 * len(s.spec) + 2)


def _item(item: tuple, part: Callable[[object], ast.expr | None]) -> ast.expr:
    if item[0] == "new":
        return ast.Constant(None)
    if item[0] == "at":
        node = part(item[1])
        assert node is not None
        return node
    return ast.Slice(*(part(x) for x in item[1:]))


def _transposed(node: ast.expr, axes: tuple) -> ast.expr:
    if tuple(axes) == tuple(range(len(axes)))[::-1]:
        return ast.Attribute(node, "T", ast.Load())
    return call("np.transpose", node, sequence([ast.Constant(k) for k in axes]))


def relaid(node: ast.expr, ndim: int, have: str, want: str) -> ast.expr:
    """A reference whose layout Numba knows as ``have``, seen as ``want``.

    A slice with a step makes Numba forget contiguity.
    """
    if have == want or ndim == 0:
        return node
    if want == "A":
        return ast.Subscript(node, ast.Slice(step=ast.Constant(1)), ast.Load())
    raise InternalError(f"an array of layout {have} cannot be seen as {want}")


def converted(e: Expr, t: Type, have: str) -> Expr:
    """A fresh array that Numba knows as ``have``, with the layout of type ``t``."""
    if not isinstance(t, ArrayT) or t.layout == have or t.ndim == 0:
        return e
    if t.layout == "A":
        return combine(relaid(e.node, t.ndim, have, "A"), [e], 5)
    function = "np.ascontiguousarray" if t.layout == "C" else "np.asfortranarray"
    return combine(call(function, e.node), [e], 22)


def alloc(s: Alloc, shape: list[Expr]) -> Expr:
    """Fresh storage."""
    t = s.target.type
    if isinstance(t, ListT):
        return Expr(_empty_list(t), 30)
    assert isinstance(t, ArrayT)
    nodes = [e.node for e in shape]
    return combine(_fresh(t, nodes, "np.zeros" if s.zero else "np.empty"), shape, 12)


def _fresh(t: ArrayT, sizes: list[ast.expr], function: str) -> ast.expr:
    sizes = sizes[::-1] if t.layout == "F" and t.ndim > 1 else sizes
    node = call(function, sizes[0] if len(sizes) == 1 else sequence(sizes))
    if t.dtype != "f8":
        node.keywords.append(ast.keyword("dtype", name("np." + DTYPE[t.dtype])))
    if t.layout == "F" and t.ndim > 1:
        return ast.Attribute(node, "T", ast.Load())
    return relaid(node, t.ndim, "C", "A") if t.layout == "A" else node


def zero(t: Scalar | ArrayT) -> ast.expr:
    """What a fresh list cell contains."""
    if isinstance(t, ArrayT):
        return _fresh(t, [ast.Constant(0) for _ in range(t.ndim)], "np.empty")
    value: float | int | bool = {"f8": 0.0, "f4": 0.0, "i8": 0, "b1": False}[t.kind]
    return constant(Const(value, t)).node


def _empty_list(t: ListT) -> ast.expr:
    """An empty list whose element type Numba can tell: ``[0.0][:0]``."""
    return ast.Subscript(
        ast.List([zero(t.element)], ast.Load()), ast.Slice(upper=ast.Constant(0)), ast.Load()
    )
