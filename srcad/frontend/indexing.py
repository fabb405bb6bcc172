"""Subscripts: elements, slices, rows, masks, index arrays; of tuples, dicts and lists too.

In: ``value[key]`` as syntax.  Out: loads, views, gathers as ``Lazy`` values; for assignments
and updates the loops that write.  NumPy's meaning for repeated indices: ``a[idx] = v`` keeps the
last, ``a[idx] += v`` adds once.
"""

from __future__ import annotations

import ast
from typing import Any

from srcad.frontend.advanced import (
    _axes_item,
    advanced,
    expand_masks,
    gather,
    same_shape,
    truthy,
    wrap,
)
from srcad.frontend.arrays import (
    Index,
    broadcast_index,
    check_fits,
    copy,
    dtype_of,
    element_at,
    element_kind,
    materialize,
    nest,
    read_only,
    reads_of,
    shape_of,
    to_element,
    update_array,
    write_array,
)
from srcad.frontend.core import EXPR, PLAIN, Lowering, handles
from srcad.frontend.expansion import expand
from srcad.frontend.grids import grid_key, library_item
from srcad.frontend.kinds import of_elements
from srcad.frontend.lists import list_item, store_list_item
from srcad.frontend.tuples import tuple_item
from srcad.frontend.values import (
    Lazy,
    ListV,
    RangeV,
    Record,
    SliceV,
    Static,
    Tuple,
    describe,
    is_array,
    is_scalar,
)
from srcad.frontend.views import subview
from srcad.ir.build import ZERO, const
from srcad.ir.nodes import Atom, Block, Const, Var
from srcad.ir.types import B1, I8, ArrayT


@handles(EXPR, ast.Subscript)
def subscript(lo: Lowering, node: ast.Subscript) -> Any:
    """``value[key]``."""
    from srcad.frontend.logic import before_writes

    owner = before_writes(lo, lo.read(lo.expr(node.value), node.value), [node.slice])
    item = library_item(owner.obj) if isinstance(owner, Static) else None
    if item is not None:
        return expand(lo, item, [grid_key(lo, node.slice)], {}, node)
    key = lo.read(lo.expr(node.slice), node.slice)
    return get_item(lo, owner, key, node)


def get_item(lo: Lowering, owner: Any, key: Any, node: Any) -> Any:
    """An item of an abstract value."""
    if isinstance(owner, Tuple):
        return tuple_item(lo, owner, key, node)
    if isinstance(owner, Record) and owner.cls is dict:
        if not isinstance(key, (Static, Const)):
            lo.fail(
                node,
                f"the key of a dict must be a constant, got {describe(key)}",
                "which value a key means must be known at compile time",
                "use an array and an index",
            )
        name = key.obj if isinstance(key, Static) else key.value
        if name not in owner.fields:
            lo.fail(
                node,
                f"the dict has no key {name!r}",
                PLAIN,
                f"keys are {', '.join(map(repr, owner.fields))}",
            )
        return owner.fields[name]
    if isinstance(owner, ListV):
        return list_item(lo, owner, key, node)
    if isinstance(owner, RangeV) and is_scalar(key):
        return range_item(lo, owner, key, node)
    if isinstance(owner, Static) and isinstance(owner.obj, str) and isinstance(key, Const):
        k = int(lo.integer(key, node).value)  # type: ignore[union-attr]
        if not -len(owner.obj) <= k < len(owner.obj):
            lo.mismatch(node, f"index {k} is out of range for {describe(owner)}", PLAIN)
        return Static(owner.obj[k])
    if not is_array(owner):
        lo.mismatch(node, f"cannot index {describe(owner)}", PLAIN)
    items = key_items(lo, owner, key, node)
    basic = all(i[0] in ("at", "slice", "new") for i in items)
    if isinstance(owner, Lazy):
        if basic and all(i[0] == "at" for i in items) and len(items) == len(owner.shape):
            index = [wrap(lo, i[1], n) for i, n in zip(items, owner.shape, strict=True)]
            return owner.element(tuple(index))
        if basic and owner.view:
            from srcad.frontend.readonly import lazy_item

            return lazy_item(lo, owner, items)
        owner = materialize(lo, owner)
    if basic:
        return basic_item(lo, owner, items)
    return gather(lo, owner, items, node)


def range_item(lo: Lowering, r: RangeV, key: Any, node: Any) -> Atom:
    """``range(…)[key]``."""
    from srcad.frontend.loops import trip_count

    n = trip_count(lo, r)
    k = wrap(lo, lo.integer(key, node), n)
    inside = lo.b.op("and", lo.b.op("ge", k, ZERO), lo.b.op("lt", k, n))
    lo.b.check(inside, "IndexError", "range object index out of range")
    return lo.b.op("add", r.start, lo.b.op("mul", k, r.step))


def basic_item(lo: Lowering, a: Var, items: list[tuple]) -> Any:
    """An element or a view."""
    if all(i[0] == "at" for i in items) and len(items) == a.type.ndim:  # type: ignore[union-attr]
        return lo.b.load(a, *(i[1] for i in items), hint=a.hint[:1] or "t")
    return subview(lo, a, tuple(items))


def key_items(lo: Lowering, owner: Any, key: Any, node: Any) -> list[tuple]:
    """A subscript as items: ``at``, ``slice``, ``new``, ``take`` (index array), ``mask``."""
    keys = list(key.items) if isinstance(key, Tuple) and key.cls is not list else [key]
    ndim = len(shape_of(lo, owner))
    if any(isinstance(k, (ListV, Tuple)) for k in keys):
        from srcad.frontend.creation import as_array

        keys = [as_array(lo, k, node) if isinstance(k, (ListV, Tuple)) else k for k in keys]
    used = sum(_axes(k) for k in keys)
    if used > ndim:
        lo.mismatch(
            node,
            f"too many indices: the array has {ndim} ax{'is' if ndim == 1 else 'es'}, "
            f"the subscript {used}",
            PLAIN,
        )
    out: list[tuple] = []
    for k in keys:
        if isinstance(k, Static) and k.obj is Ellipsis:
            out += [("slice", None, None, None)] * (ndim - used)
        elif isinstance(k, Static) and k.obj is None:
            out.append(("new",))
        elif isinstance(k, Static) and isinstance(k.obj, slice):
            bounds = (k.obj.start, k.obj.stop, k.obj.step)
            out.append(("slice", *(None if x is None else const(int(x)) for x in bounds)))
        elif isinstance(k, SliceV):
            out.append(("slice", k.start, k.stop, k.step))
        elif is_array(k):
            out.append(array_key(lo, k, node))
        elif is_scalar(k) and k.type == B1:
            lo.mismatch(node, "a bool cannot index an array", instead="use int(...), or an if")
        elif is_scalar(k):
            out.append(("at", lo.integer(k, node)))
        else:
            lo.mismatch(
                node,
                f"cannot use {describe(k)} as an index",
                instead="use ints, slices, integer arrays or masks",
            )
    full = ("slice", None, None, None)
    rest = ndim - sum(_axes_item(lo, i) for i in out)
    return out + [full] * rest


def array_key(lo: Lowering, k: Any, node: Any) -> tuple:
    """An index array or a mask."""
    kind = element_kind(dtype_of(k))
    if kind == B1 and not shape_of(lo, k):
        lo.mismatch(node, "a bool cannot index an array", instead="use int(...), or an if")
    if kind == B1:
        return ("mask", k)
    if kind != I8:
        lo.mismatch(
            node,
            f"cannot index with {describe(k)}",
            "index arrays are of ints or bools",
            "convert with .astype(np.int64)",
        )
    if len(shape_of(lo, k)) == 0:
        return ("at", element_at(lo, k, ()))
    return ("take", materialize(lo, k))


def _axes(k: Any) -> int:
    if isinstance(k, Static):
        return 0 if k.obj is None or k.obj is Ellipsis else 1
    if isinstance(k, Lazy) or isinstance(k, Var) and isinstance(k.type, ArrayT):
        if dtype_of(k) == "b1":
            return len(k.shape) if isinstance(k, Lazy) else k.type.ndim  # type: ignore[union-attr]
    return 1


# writing
def store_subscript(lo: Lowering, target: ast.Subscript, value: Any) -> None:
    """``owner[key] = value``."""
    owner = lo.read(lo.expr(target.value), target.value)
    key = lo.read(lo.expr(target.slice), target.slice)
    value = lo.read(value, target)
    if isinstance(owner, ListV):
        store_list_item(lo, owner, key, value, target)
        return
    check_target(lo, owner, target)
    if isinstance(value, (Tuple, ListV)):
        from srcad.frontend.creation import as_array

        value = as_array(lo, value, target)
    if not (is_array(value) or is_scalar(value)):
        lo.mismatch(
            target,
            f"cannot store {describe(value)} in an array",
            instead="store a number or an array",
        )
    items = key_items(lo, owner, key, target)
    if all(i[0] == "at" for i in items):
        v = to_element(lo, lo.scalar(value, target), owner)
        lo.b.store(owner, tuple(i[1] for i in items), v)
        return
    write_items(lo, owner, items, value, target, None)


def check_target(lo: Lowering, owner: Any, node: Any) -> None:
    """Only mutable arrays can be written."""
    if isinstance(owner, Tuple):
        lo.mismatch(node, "a tuple cannot be changed", instead="make a new tuple, or use an array")
    if isinstance(owner, Record):
        lo.fail(
            node,
            "dicts are read-only inside a differentiated function",
            instead="make a new dict with the new value",
        )
    if not (isinstance(owner, Var) and isinstance(owner.type, ArrayT)):
        lo.mismatch(node, f"cannot assign to an item of {describe(owner)}", PLAIN)
    if not owner.type.mutable:
        read_only(lo, owner, node)


def write_items(
    lo: Lowering, a: Var, items: list[tuple], value: Any, node: Any, op: str | None
) -> None:
    """Write to a view, through a mask or through index arrays."""

    def combine(old: Atom, v: Atom) -> Atom:
        assert op is not None
        return of_elements(lo, op, (old, v))

    if all(i[0] in ("at", "slice", "new") for i in items):
        write_array(lo, subview(lo, a, tuple(items)), value, node, combine if op else None)
        return
    if len(items) == 1 and items[0][0] == "mask" and is_scalar(value):
        masked_write(lo, a, items[0][1], value, combine if op else None)
        return
    items = [
        ("take", copy(lo, i[1])) if i[0] == "take" and lo.may_alias(i[1], a) else i
        for i in expand_masks(lo, a, items, node)
    ]
    shape, at = advanced(lo, a, items, node)
    if any(lo.may_alias(r, a) for r, _ in reads_of(value)):
        value = copy(lo, value)
    if len(shape_of(lo, value)) > len(shape):
        lo.mismatch(
            node,
            f"cannot store {describe(value)} where the subscript selects {len(shape)} axes",
            PLAIN,
        )
    check_fits(lo, shape_of(lo, value), shape, node)
    get = broadcast_index(lo, (), shape_of(lo, value), shape)
    if op is not None:  # every index adds to the old value: all old values are read first
        old = Lazy(shape, a.type.dtype, lambda i: lo.b.load(a, *at(i)), ((a, False),))  # type: ignore[union-attr]
        new = Lazy(
            shape,
            a.type.dtype,
            lambda i: to_element(  # type: ignore[union-attr]
                lo, combine(old.element(i), element_at(lo, value, get(i))), a
            ),
            (),
        )
        value = materialize(lo, new)
        get = lambda i: i  # noqa: E731
    nest(
        lo, shape, lambda i: lo.b.store(a, at(i), to_element(lo, element_at(lo, value, get(i)), a))
    )


def masked_write(lo: Lowering, a: Var, mask: Any, value: Atom, combine: Any) -> None:
    """``a[mask] = number``: one pass, no index arrays."""
    mine = lo.views.get(a.name, a.name)
    if any(
        lo.may_alias(r, a) and not (same and lo.views.get(r.name, r.name) == mine)
        for r, same in reads_of(mask)
    ):
        mask = materialize(lo, mask)
    shape = shape_of(lo, mask)
    same_shape(lo, shape, lo.shape(a))
    value = to_element(lo, value, a) if combine is None else value

    rows = lo.shape(a)[len(shape) :]  # of axes that the mask has not

    def put(i: Index) -> None:
        nest(lo, rows, lambda j: _put_at(lo, a, mask, i, (*i, *j), value, combine))

    nest(lo, shape, put)


def _put_at(
    lo: Lowering, a: Var, mask: Any, i: Index, full: Index, value: Atom, combine: Any
) -> None:
    hit = truthy(lo, element_at(lo, mask, i))
    with lo.b.block() as stmts:
        new = value if combine is None else to_element(lo, combine(lo.b.load(a, *full), value), a)
        lo.b.store(a, full, new)
    lo.b.if_(hit, Block(tuple(stmts)), Block(()))


def update_subscript(
    lo: Lowering, target: ast.Subscript, op: type, value_node: ast.expr, node: Any
) -> None:
    """``owner[key] op= value``."""
    from srcad.frontend.arrays import check_update_kind
    from srcad.frontend.expressions import BINARY, binary
    from srcad.frontend.logic import before_writes, may_write

    owner = lo.read(lo.expr(target.value), target.value)
    key = before_writes(lo, lo.read(lo.expr(target.slice), target.slice), [value_node])
    if isinstance(owner, ListV):
        old = list_item(lo, owner, key, target)
        new = binary(lo, op, old, lo.read(lo.expr(value_node), value_node), node)
        store_list_item(lo, owner, key, new, target)
        return
    check_target(lo, owner, target)
    items = key_items(lo, owner, key, target)
    if all(i[0] == "at" for i in items):
        index = tuple(i[1] for i in items)
        old = lo.b.load(owner, *index, hint=owner.hint[:1] or "t")
        value = lo.read(lo.expr(value_node), value_node)
        new = lo.scalar(binary(lo, op, old, value, node), node)
        if owner.type.element == I8 and new.type not in (I8, B1):
            new = lo.b.cast(new, I8)
        lo.b.store(owner, index, to_element(lo, new, owner))
        return
    basic = all(i[0] in ("at", "slice", "new") for i in items)
    old = gather(lo, owner, items, target) if not basic and may_write(lo, value_node) else None
    value = lo.read(lo.expr(value_node), value_node)
    if isinstance(value, (Tuple, ListV)):
        from srcad.frontend.creation import as_array

        value = as_array(lo, value, target)
    if not (is_array(value) or is_scalar(value)):
        lo.mismatch(
            target,
            f"cannot update an array with {describe(value)}",
            instead="update it with a number or an array",
        )
    if basic:
        view = subview(lo, owner, tuple(items))
        update_array(lo, view, op, value, node)
        return
    if op not in BINARY:
        lo.fail(node, "@= is not supported here", instead="a[key] = a[key] @ b")
    check_update_kind(lo, owner, BINARY[op], value, node)
    if old is not None:  # the elements as they were before the right side was computed
        write_items(lo, owner, items, binary(lo, op, old, value, node), target, None)
        return
    write_items(lo, owner, items, value, target, BINARY[op])
