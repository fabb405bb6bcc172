"""Lists that a program builds: ``append``, indexing, iteration, ``pop``, comprehensions.

A list is a growable IR list per leaf of its elements plus a shared length cell, so aliases and
helpers see the same list.  Elements have one structure (numbers widen: a list of ints that
gets a float is a list of floats).  The element type of an empty list is learnt at its first
``append``; the lowering then starts again with that fact.
"""

from __future__ import annotations

import ast
from typing import Any

from srcad.frontend.core import EXPR, METHODS, PLAIN, Lowering, Restart, handles
from srcad.frontend.joins import adapt, join_types
from srcad.frontend.values import (
    Lazy,
    ListV,
    SliceV,
    Static,
    Tuple,
    describe,
    flatten,
    is_scalar,
    unflatten,
)
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Var
from srcad.ir.types import B1, F8, I8, ArrayT, ListT, Scalar


def new_list(lo: Lowering, node: Any, items: list[Any], tag: str = "list") -> ListV:
    """A list with the given items."""
    origin = lo.key(node, tag)
    fact = lo.program.facts.get(origin)
    items = [item_of(lo, v, node) for v in items]
    if any(isinstance(a.type, ListT) for v in items for a in flatten(v)[0]):
        lo.mismatch(
            node,
            "a list of lists is not supported",
            "the inner lists have no fixed length",
            "append np.array(inner), or keep one flat list and the offsets",
        )
    if fact is None and items:
        leaves, shape = flatten(items[0])
        fact = (shape, tuple(a.type for a in leaves))
        lo.program.facts[origin] = fact
    shape, types = fact if fact is not None else ("*", (F8,))
    cells = [lo.b.alloc(ListT(element_type(t)), (), hint="cells") for t in types]
    for c in cells:
        lo.roots[c.name] = frozenset([c.name])
    length = lo.new_array("i8", (ONE,), zero=True, hint="length")
    element = unflatten(shape, [Var("?", t) for t in types])
    out = ListV(unflatten(shape, list(cells)), length, element, (origin, fact is None))
    for v in items:
        append(lo, out, v, node)
    return out


def item_of(lo: Lowering, v: Any, node: Any) -> Any:
    """A value as a list may keep it."""
    from srcad.frontend.statements import settle

    v = settle(lo, v)
    if isinstance(v, Lazy):
        lo.mismatch(
            node,
            "a list cannot keep a view that is only read",
            "it is an expression, no array of its own",
            "keep a copy of it: x.copy()",
        )
    return v


def element_type(t: Any) -> Any:
    """Arrays in lists are kept as references of the most general layout."""
    return ArrayT(t.dtype, t.ndim, "A") if isinstance(t, ArrayT) else t


def length_of(lo: Lowering, xs: ListV) -> Var:
    """``len(xs)``."""
    return lo.b.load(xs.length, ZERO, hint="n")


def fit(lo: Lowering, xs: ListV, v: Any, node: Any) -> list[Atom]:
    """Leaves of an item as the list keeps them; learns a wider element type."""
    v = item_of(lo, v, node)
    leaves, shape = flatten(v)
    if any(isinstance(a.type, ListT) for a in leaves):
        lo.mismatch(
            node,
            "a list of lists is not supported",
            "the inner lists have no fixed length",
            "append np.array(inner), or keep one flat list and the offsets",
        )
    origin, unknown = xs.origin
    mine, mine_shape = flatten(xs.element)
    if unknown:
        lo.program.facts[origin] = (shape, tuple(element_type(a.type) for a in leaves))
        raise Restart
    if shape != mine_shape:
        lo.mismatch(
            node,
            f"this list holds {describe(xs.element)}, not {describe(v)}",
            "the elements of a list have one structure",
            "use a tuple, or two lists",
        )
    types = tuple(
        join_types(a.type, element_type(b.type)) for a, b in zip(mine, leaves, strict=True)
    )
    if any(t is None for t in types):
        lo.mismatch(
            node,
            f"this list holds {describe(xs.element)}, not {describe(v)}",
            "the elements of a list have one type",
            "use a tuple, or two lists",
        )
    if types != tuple(a.type for a in mine):
        lo.program.facts[origin] = (shape, types)
        raise Restart
    out = []
    for a, t in zip(leaves, types, strict=True):
        out.append(adapt(lo, a, element_type(t)))  # type: ignore[arg-type]
    return out


def append(lo: Lowering, xs: ListV, v: Any, node: Any) -> None:
    """``xs.append(v)``."""
    leaves = fit(lo, xs, v, node)
    n = length_of(lo, xs)
    more = lo.b.op("add", n, ONE)
    for cell, a in zip(flatten(xs.cells)[0], leaves, strict=True):
        assert isinstance(cell, Var)
        lo.b.reserve(cell, more)
        lo.b.store(cell, (n,), a)
        if isinstance(a, Var) and isinstance(a.type, ArrayT):
            note_stored(lo, xs, cell, a)
    lo.b.store(xs.length, (ZERO,), more)


def note_stored(lo: Lowering, xs: ListV, cell: Var, a: Var) -> None:
    """A list of arrays may hand out any array that was ever stored in a list like it."""
    del xs, a
    lo.roots[cell.name] = None


def position(lo: Lowering, xs: ListV, key: Any, node: Any) -> Atom:
    """A checked position (negative ones count from the end)."""
    from srcad.frontend.advanced import wrap

    n = length_of(lo, xs)
    i = wrap(lo, lo.integer(key, node), n)
    inside = lo.b.op("and", lo.b.op("ge", i, ZERO), lo.b.op("lt", i, n))
    lo.b.check(inside, "IndexError", "list index out of range")
    return i


def load_item(lo: Lowering, xs: ListV, i: Atom) -> Any:
    """The item at a valid position."""
    leaves = []
    for cell in flatten(xs.cells)[0]:
        assert isinstance(cell, Var)
        v = lo.b.load(cell, i, hint="x")
        if isinstance(v.type, ArrayT):
            lo.roots[v.name] = None
            lo.note_shape(v)
        leaves.append(v)
    return unflatten(flatten(xs.cells)[1], leaves)


def list_item(lo: Lowering, xs: ListV, key: Any, node: Any) -> Any:
    """``xs[key]``."""
    if isinstance(key, SliceV):
        lo.fail(node, "slices of lists are not supported", instead="use an array, or a loop")
    return load_item(lo, xs, position(lo, xs, key, node))


def store_list_item(lo: Lowering, xs: ListV, key: Any, v: Any, node: Any) -> None:
    """``xs[key] = v``."""
    if isinstance(key, SliceV):
        lo.fail(node, "slices of lists are not supported", instead="use an array, or a loop")
    leaves = fit(lo, xs, v, node)
    i = position(lo, xs, key, node)
    for cell, a in zip(flatten(xs.cells)[0], leaves, strict=True):
        lo.b.store(cell, (i,), a)  # type: ignore[arg-type]


@handles(METHODS, "ListV.append")
def append_method(lo: Lowering, xs: ListV, args: list, keywords: dict, node: Any) -> Any:
    """``xs.append(v)``."""
    append(lo, xs, args[0], node)
    return Static(None)


@handles(METHODS, "ListV.pop")
def pop(lo: Lowering, xs: ListV, args: list, keywords: dict, node: Any) -> Any:
    """``xs.pop()`` and ``xs.pop(k)`` (what follows moves down by one)."""
    n = length_of(lo, xs)
    lo.b.check(lo.b.op("gt", n, ZERO), "IndexError", "pop from empty list")
    last = lo.b.op("sub", n, ONE)
    k = position(lo, xs, args[0], node) if args else last
    out = load_item(lo, xs, k)
    if args and args[0] != const(-1):
        with lo.b.loop(k, last, hint="k") as i:
            for cell in flatten(xs.cells)[0]:
                assert isinstance(cell, Var)
                moved = lo.b.load(cell, lo.b.op("add", i, ONE), hint="x")
                if isinstance(moved.type, ArrayT):
                    lo.roots[moved.name] = None
                lo.b.store(cell, (i,), moved)
    lo.b.store(xs.length, (ZERO,), last)
    return out


@handles(METHODS, "ListV.clear")
def clear(lo: Lowering, xs: ListV, args: list, keywords: dict, node: Any) -> Any:
    """``xs.clear()``."""
    lo.b.store(xs.length, (ZERO,), ZERO)
    return Static(None)


@handles(METHODS, "ListV.copy")
def copy_method(lo: Lowering, xs: ListV, args: list, keywords: dict, node: Any) -> Any:
    """``xs.copy()``."""
    return copy_list(lo, xs, node)


def copy_list(lo: Lowering, xs: ListV, node: Any) -> ListV:
    """A new list with the same items."""
    out = list_like(lo, xs, node)
    extend(lo, out, xs, node)
    return out


def list_like(lo: Lowering, xs: ListV, node: Any) -> ListV:
    """An empty list of the same element structure."""
    origin = lo.key(node, "copy of a list")
    leaves, shape = flatten(xs.element)
    lo.program.facts.setdefault(origin, (shape, tuple(a.type for a in leaves)))
    return new_list(lo, node, [], "copy of a list")


def extend(lo: Lowering, xs: ListV, other: Any, node: Any) -> None:
    """``xs.extend(other)``."""
    from srcad.frontend.loops import indexed

    if isinstance(other, Tuple):
        for v in other.items:
            append(lo, xs, v, node)
        return
    n, item = indexed(lo, other, node)
    with lo.b.loop(ZERO, n, hint="k") as k:
        append(lo, xs, item(k), node)


@handles(METHODS, "ListV.extend")
def extend_method(lo: Lowering, xs: ListV, args: list, keywords: dict, node: Any) -> Any:
    """``xs.extend(other)``."""
    extend(lo, xs, args[0], node)
    return Static(None)


def list_binary(lo: Lowering, name: str, xs: ListV, other: Any, node: Any) -> Any:
    """``xs + ys`` and ``xs * n``."""
    out = list_like(lo, xs, node)
    if name == "add":
        extend(lo, out, xs, node)
        extend(lo, out, other, node)
        return out
    if not is_scalar(other) or other.type not in (I8, B1):
        lo.mismatch(
            node,
            f"cannot multiply a list by {describe(other)}",
            PLAIN,
            "np.array(xs) * x multiplies the items",
        )
    with lo.b.loop(ZERO, lo.integer(other, node), hint="k"):
        extend(lo, out, xs, node)
    return out


@handles(EXPR, ast.List)
def list_expression(lo: Lowering, node: ast.List) -> Any:
    """``[a, b, c]``."""
    from srcad.frontend.expressions import tuple_expression

    items = tuple_expression(lo, node).items  # type: ignore[arg-type]
    if items and all(is_scalar(v) for v in items):
        kinds = {v.type for v in items}
        if len(kinds) > 1:
            wide = items[0].type
            for v in items[1:]:
                wide = join_types(wide, v.type)
            items = tuple(lo.b.cast(v, wide) for v in items)
    return new_list(lo, node, list(items))


@handles(EXPR, ast.ListComp)
def comprehension(lo: Lowering, node: ast.ListComp) -> Any:
    """``[element for target in iterable if test]`` as the loop it stands for.

    As in Python the first iterable is evaluated outside, where the targets do not hide anything.
    """
    from srcad.frontend.statements import body

    frame, first = lo.frame, node.generators[0]
    over = lo.read(lo.expr(first.iter), first.iter)
    name = ".comp" + str(len(frame.env))
    inner: ast.stmt = ast.Expr(
        ast.Call(ast.Attribute(ast.Name(name, ast.Load()), "append", ast.Load()), [node.elt], [])
    )
    cached = getattr(node, "_srcad_loop", None)
    if cached is None:
        for gen in reversed(node.generators):
            for test in reversed(gen.ifs):
                inner = ast.If(test, [inner], [])
            it = ast.Name(name + ".over", ast.Load()) if gen is first else gen.iter
            inner = ast.For(gen.target, it, [inner], [])
        ast.copy_location(inner, node)
        for n in ast.walk(inner):
            if not hasattr(n, "lineno"):
                ast.copy_location(n, node)
        node._srcad_loop = cached = (name, inner)  # type: ignore[attr-defined]
    name, inner = cached
    targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
    saved = {t: frame.env.pop(t) for t in targets if t in frame.env}
    frame.env[name] = new_list(lo, node, [], "comprehension")
    frame.env[name + ".over"] = over
    body(lo, [inner])
    for t in (*targets, name + ".over"):
        frame.env.pop(t, None)
    frame.env.update(saved)
    return frame.env.pop(name)


def list_to_array(lo: Lowering, xs: ListV, node: Any) -> Var:
    """A list of numbers as a 1-D array."""
    cells, shape = flatten(xs.cells)
    kind = xs.element.type if isinstance(xs.element, Var) else None
    if shape != "*" or not isinstance(kind, Scalar):
        if isinstance(kind, ArrayT):
            return _stack(lo, xs, kind)
        lo.mismatch(
            node,
            f"cannot make an array of a list of {describe(xs.element)}",
            "only lists of numbers or of arrays can become an array",
            "fill an array row by row",
        )
    n = length_of(lo, xs)
    out = lo.new_array(kind.kind, (n,), hint="a")
    with lo.b.loop(ZERO, n, hint="k") as k:
        lo.b.store(out, (k,), lo.b.load(cells[0], k))  # type: ignore[arg-type]
    return out


def _stack(lo: Lowering, xs: ListV, kind: ArrayT) -> Var:
    """A list of arrays of one shape as an array with one more axis."""
    from srcad.frontend.arrays import check_fits, nest

    n = length_of(lo, xs)
    lo.b.check(lo.b.op("gt", n, ZERO), "ValueError", "need at least one array")
    first = load_item(lo, xs, ZERO)
    shape = lo.shape(first)
    out = lo.new_array(kind.dtype, (n, *shape), hint="a")
    with lo.b.loop(ZERO, n, hint="k") as k:
        item = load_item(lo, xs, k)
        check_fits(lo, lo.shape(item), shape, None)
        nest(lo, shape, lambda i: lo.b.store(out, (k, *i), lo.b.load(item, *i)))
    return out
