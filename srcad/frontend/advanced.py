"""Masks and index arrays: which elements they select.

In: an array and the items of a subscript.  Out: the shape of the selection and the map from its
indices to those of the array (NumPy's rules for the position of the selected axes).
"""

from __future__ import annotations

from typing import Any

from srcad.frontend.arrays import Index, broadcast_index, broadcast_shape, materialize, shape_of
from srcad.frontend.core import Lowering
from srcad.frontend.values import Lazy
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Block, Carried, Const, For, Var
from srcad.ir.types import B1, I8


def wrap(lo: Lowering, i: Atom, n: Atom) -> Atom:
    """A negative index counts from the end."""
    if isinstance(i, Const):
        return i if i.value >= 0 else lo.b.op("add", n, i)
    return lo.b.op("select", lo.b.op("lt", i, ZERO), lo.b.op("add", i, n), i)


def _axes_item(lo: Lowering, item: tuple) -> int:
    if item[0] == "mask":
        return len(shape_of(lo, item[1]))
    return 0 if item[0] == "new" else 1


# advanced indexing
def gather(lo: Lowering, a: Var, items: list[tuple], node: Any) -> Any:
    """Reading by masks and index arrays: a copy, computed now."""
    items = expand_masks(lo, a, items, node)
    shape, at = advanced(lo, a, items, node)
    lazy = Lazy(shape, a.type.dtype, lambda i: lo.b.load(a, *at(i)), ((a, False),))  # type: ignore[union-attr]
    return materialize(lo, lazy, hint=a.hint or "a")


def expand_masks(lo: Lowering, a: Var, items: list[tuple], node: Any) -> list[tuple]:
    """Masks become index arrays, one per axis of the mask."""
    out: list[tuple] = []
    axis = 0
    for item in items:
        if item[0] == "mask":
            shape = shape_of(lo, item[1])
            same_shape(lo, shape, lo.shape(a)[axis : axis + len(shape)])
            out += [("take", v) for v in nonzero(lo, item[1])]
        else:
            out.append(item)
        axis += _axes_item(lo, item)
    del node
    return out


def same_shape(lo: Lowering, shape: tuple[Atom, ...], other: tuple[Atom, ...]) -> None:
    """A boolean mask must have the size of what it selects from."""
    for n, m in zip(shape, other, strict=False):
        if not lo.same_size(n, m):
            lo.b.check(
                lo.b.op("eq", n, m), "IndexError", "boolean index did not match the indexed array"
            )


def nonzero(lo: Lowering, mask: Any) -> list[Var]:
    """Index arrays of the true elements (``np.nonzero``)."""
    mask = materialize(lo, mask)
    count = counted(lo, mask, None)
    found = [lo.new_array("i8", (count,), hint="idx") for _ in lo.shape(mask)]

    def put(i: Index, k: Atom) -> None:
        for f, x in zip(found, i, strict=True):
            lo.b.store(f, (k,), x)

    counted(lo, mask, put)
    return found


def counted(lo: Lowering, mask: Var, action: Any) -> Var:
    """Walk a mask; call ``action(index, position)`` at true elements; how many there were."""

    def walk(index: Index, k: Atom) -> Atom:
        if len(index) == len(lo.shape(mask)):
            hit = truthy(lo, lo.b.load(mask, *index))
            with lo.b.block() as stmts:
                if action is not None:
                    action(index, k)
                more = lo.b.op("add", k, ONE)
            result = lo.b.var("k", I8)
            lo.b.if_(hit, Block(tuple(stmts), (more,)), Block((), (k,)), (result,))
            return result
        arg, result, i = lo.b.var("k", I8), lo.b.var("k", I8), lo.b.var("i", I8)
        with lo.b.block() as stmts:
            out = walk((*index, i), arg)
        lo.b.emit(
            For(
                i,
                ZERO,
                lo.shape(mask)[len(index)],
                ONE,
                (Carried(result, arg, k),),
                Block(tuple(stmts), (out,)),
                loc=lo.b.loc,
            )
        )
        return result

    return walk((), ZERO)  # type: ignore[return-value]


def truthy(lo: Lowering, a: Atom) -> Atom:
    """A number as a bool."""
    return a if a.type == B1 else lo.b.op("ne", a, const(0, a.type))  # type: ignore[arg-type]


def advanced(lo: Lowering, a: Var, items: list[tuple], node: Any) -> tuple[tuple[Atom, ...], Any]:
    """Result shape of an index with index arrays, and the map from result to base index."""
    takes = [k for k, i in enumerate(items) if i[0] == "take"]
    shapes = [lo.shape(items[k][1]) for k in takes]
    common = broadcast_shape(lo, shapes)
    maps = {k: broadcast_index(lo, (), s, common) for k, s in zip(takes, shapes, strict=True)}
    mixed = [k for k, i in enumerate(items) if i[0] in ("take", "at")]
    adjacent = mixed == list(range(mixed[0], mixed[-1] + 1))
    shape: list[Atom] = [] if adjacent else list(common)
    start = 0  # position of the broadcast axes in the result
    plan: list[tuple] = []
    axis = 0
    for k, item in enumerate(items):
        if item[0] == "new":
            shape.append(ONE)
            continue
        n = lo.shape(a)[axis]
        axis += 1
        if item[0] == "slice":
            plan.append(("slice", len(shape), slice_start(lo, n, item), item[3]))
            shape.append(_slice_size(lo, n, item))
        elif item[0] == "at":
            plan.append(item)
        else:
            plan.append(("take", item[1], maps[k]))
        if adjacent and k == mixed[0]:
            start = len(shape)
            shape += common
    rank = len(common)

    def at(i: Index) -> Index:
        sub = i[start : start + rank]
        out: list[Atom] = []
        for p in plan:
            if p[0] == "slice":
                step = p[3] if p[3] is not None else ONE
                out.append(lo.b.op("add", p[2], lo.b.op("mul", i[p[1]], step)))
            elif p[0] == "at":
                out.append(p[1])
            else:
                out.append(lo.b.load(p[1], *p[2](sub)))
        return tuple(out)

    del node
    return tuple(shape), at


def _slice_size(lo: Lowering, n: Atom, item: tuple) -> Atom:
    from srcad.frontend.views import slice_length

    return slice_length(lo, n, item)


def slice_start(lo: Lowering, n: Atom, item: tuple) -> Atom:
    """First position of a slice."""
    _, start, _, step = item
    if step is None or isinstance(step, Const) and step.value > 0:
        if start is None:
            return ZERO
        return lo.b.op("max", lo.b.op("min", wrap(lo, start, n), n), ZERO)
    last = lo.b.op("sub", n, ONE)
    down = last if start is None else lo.b.op("min", wrap(lo, start, n), last)
    if isinstance(step, Const):
        return down
    up = slice_start(lo, n, ("slice", start, None, None))
    return lo.b.op("select", lo.b.op("gt", step, ZERO), up, down)
