"""Subscripts: elements, slices, rows, masks, index arrays; of tuples, dicts and lists too.

In: ``value[key]`` as syntax.  Out: loads, views, gathers as ``Lazy`` values; for assignments
and updates the loops that write.  NumPy's meaning for repeated indices: ``a[idx] = v`` keeps the
last, ``a[idx] += v`` adds once.
"""

from __future__ import annotations

import ast
from typing import Any

from srcad.frontend.arrays import (
    Index, broadcast_index, broadcast_shape, check_fits, copy, dtype_of, element_at, element_kind,
    fix_kinds, materialize, nest, reads_of, shape_of, subview, to_element, update_array,
    write_array,
)
from srcad.frontend.core import EXPR, PLAIN, Lowering, handles
from srcad.frontend.joins import branch
from srcad.frontend.lists import list_item, store_list_item
from srcad.frontend.values import (
    Lazy, ListV, RangeV, Record, SliceV, Static, Tuple, describe, is_array, is_scalar,
)
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Block, Carried, Const, For, Var
from srcad.ir.types import B1, I8, ArrayT


@handles(EXPR, ast.Subscript)
def subscript(lo: Lowering, node: ast.Subscript) -> Any:
    """``value[key]``."""
    owner = lo.read(lo.expr(node.value), node.value)
    key = lo.read(lo.expr(node.slice), node.slice)
    return get_item(lo, owner, key, node)


def get_item(lo: Lowering, owner: Any, key: Any, node: Any) -> Any:
    """An item of an abstract value."""
    if isinstance(owner, Tuple):
        return tuple_item(lo, owner, key, node)
    if isinstance(owner, Record) and owner.cls is dict:
        name = key.obj if isinstance(key, Static) else getattr(key, "value", None)
        if name not in owner.fields:
            lo.fail(node, f"the dict has no constant key {name!r}",
                    instead=f"keys are {sorted(map(str, owner.fields))}")
        return owner.fields[name]
    if isinstance(owner, ListV):
        return list_item(lo, owner, key, node)
    if isinstance(owner, RangeV) and is_scalar(key):
        return lo.b.op("add", owner.start, lo.b.op("mul", lo.integer(key, node), owner.step))
    if isinstance(owner, Static) and isinstance(owner.obj, (str, list, tuple)):
        if isinstance(key, Const):
            return Static(owner.obj[int(key.value)])
    if not is_array(owner):
        lo.mismatch(node, f"cannot index {describe(owner)}", PLAIN)
    items = key_items(lo, owner, key, node)
    basic = all(i[0] in ("at", "slice", "new") for i in items)
    if isinstance(owner, Lazy):
        if basic and all(i[0] == "at" for i in items) and len(items) == len(owner.shape):
            index = [wrap(lo, i[1], n) for i, n in zip(items, owner.shape, strict=True)]
            return owner.element(tuple(index))
        owner = materialize(lo, owner)
    if basic:
        return basic_item(lo, owner, items)
    return gather(lo, owner, items, node)


def basic_item(lo: Lowering, a: Var, items: list[tuple]) -> Any:
    """An element or a view."""
    if all(i[0] == "at" for i in items) and len(items) == a.type.ndim:  # type: ignore[union-attr]
        return lo.b.load(a, *(i[1] for i in items), hint=a.hint[:1] or "t")
    return subview(lo, a, tuple(items))


def wrap(lo: Lowering, i: Atom, n: Atom) -> Atom:
    """A negative index counts from the end."""
    if isinstance(i, Const):
        return i if i.value >= 0 else lo.b.op("add", n, i)
    return lo.b.op("select", lo.b.op("lt", i, ZERO), lo.b.op("add", i, n), i)


def key_items(lo: Lowering, owner: Any, key: Any, node: Any) -> list[tuple]:
    """A subscript as items: ``at``, ``slice``, ``new``, ``take`` (index array), ``mask``."""
    keys = list(key.items) if isinstance(key, Tuple) else [key]
    ndim = len(shape_of(lo, owner))
    if any(isinstance(k, ListV) for k in keys):
        from srcad.frontend.lists import list_to_array

        keys = [list_to_array(lo, k, node) if isinstance(k, ListV) else k for k in keys]
    used = sum(_axes(k) for k in keys)
    if used > ndim:
        lo.mismatch(node, f"too many indices: the array has {ndim} ax{'is' if ndim == 1 else 'es'}, "
                          f"the subscript {used}", PLAIN)
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
            lo.mismatch(node, f"cannot use {describe(k)} as an index",
                        instead="use ints, slices, integer arrays or masks")
    full = ("slice", None, None, None)
    rest = ndim - sum(_axes_item(lo, i) for i in out)
    return out + [full] * rest


def array_key(lo: Lowering, k: Any, node: Any) -> tuple:
    """An index array or a mask."""
    kind = element_kind(dtype_of(k))
    if kind == B1:
        return ("mask", k)
    if kind != I8:
        lo.mismatch(node, f"cannot index with {describe(k)}",
                    "index arrays are of ints or bools", "convert with .astype(np.int64)")
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


def _axes_item(lo: Lowering, item: tuple) -> int:
    if item[0] == "mask":
        return len(shape_of(lo, item[1]))
    return 0 if item[0] == "new" else 1


def tuple_item(lo: Lowering, t: Tuple, key: Any, node: Any) -> Any:
    """An item of a tuple; a position known only at run time needs items of one kind."""
    if isinstance(key, SliceV):
        bounds = [b if b is None else getattr(b, "value", "?") for b in
                  (key.start, key.stop, key.step)]
        if "?" in bounds:
            lo.fail(node, "the bounds of a slice of a tuple must be constants",
                    "the length of a tuple must be known at compile time", "use an array")
        if bounds[2] == 0:
            lo.mismatch(node, "the step of a slice must not be zero", PLAIN)
        return Tuple(t.items[slice(*bounds)])
    if isinstance(key, Const):
        k = int(lo.integer(key, node).value)  # type: ignore[union-attr]
        if not -len(t.items) <= k < len(t.items):
            lo.mismatch(node, f"index {k} is out of range for a tuple of {len(t.items)}", PLAIN)
        return t.items[k]
    i = wrap(lo, lo.integer(key, node), const(len(t.items)))
    if not t.items:
        lo.mismatch(node, "cannot index an empty tuple", PLAIN)
    inside = lo.b.op("and", lo.b.op("ge", i, ZERO), lo.b.op("lt", i, const(len(t.items))))
    lo.b.check(inside, "IndexError", "tuple index out of range")

    def choose(k: int) -> None:
        if k == len(t.items) - 1:
            lo.frame.env[".value"] = t.items[k]
            return
        here = lo.b.op("eq", i, const(k))

        def yes() -> None:
            lo.frame.env[".value"] = t.items[k]

        branch(lo, here, yes, lambda: choose(k + 1))

    choose(0)
    return lo.read(lo.frame.env.pop(".value"), node, "this item")


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
            same_shape(lo, shape, lo.shape(a)[axis:axis + len(shape)])
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
            lo.b.check(lo.b.op("eq", n, m), "IndexError",
                       "boolean index did not match the indexed array")


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
        lo.b.emit(For(i, ZERO, lo.shape(mask)[len(index)], ONE, (Carried(result, arg, k),),
                      Block(tuple(stmts), (out,)), loc=lo.b.loc))
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
        sub = i[start:start + rank]
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
    from srcad.frontend.arrays import slice_length

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
        lo.mismatch(target, f"cannot store {describe(value)} in an array",
                    instead="store a number or an array")
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
        lo.fail(node, "dicts are read-only inside a differentiated function",
                instead="make a new dict with the new value")
    if not (isinstance(owner, Var) and isinstance(owner.type, ArrayT)):
        lo.mismatch(node, f"cannot assign to an item of {describe(owner)}", PLAIN)
    if not owner.type.mutable:
        lo.mismatch(node, "cannot write to a read-only array", instead="write to a copy")


def write_items(lo: Lowering, a: Var, items: list[tuple], value: Any, node: Any,
                op: str | None) -> None:
    """Write to a view, through a mask or through index arrays."""

    def combine(old: Atom, v: Atom) -> Atom:
        return lo.b.op(op, *fix_kinds(lo, op, (old, v)))  # type: ignore[arg-type]

    if all(i[0] in ("at", "slice", "new") for i in items):
        write_array(lo, subview(lo, a, tuple(items)), value, node, combine if op else None)
        return
    if len(items) == 1 and items[0][0] == "mask" and is_scalar(value):
        masked_write(lo, a, items[0][1], value, combine if op else None)
        return
    items = [("take", copy(lo, i[1])) if i[0] == "take" and lo.may_alias(i[1], a) else i
             for i in expand_masks(lo, a, items, node)]
    shape, at = advanced(lo, a, items, node)
    if any(lo.may_alias(r, a) for r, _ in reads_of(value)):
        value = copy(lo, value)
    if len(shape_of(lo, value)) > len(shape):
        lo.mismatch(node, f"cannot store {describe(value)} where the subscript selects "
                          f"{len(shape)} axes", PLAIN)
    check_fits(lo, shape_of(lo, value), shape, node)
    get = broadcast_index(lo, (), shape_of(lo, value), shape)
    if op is not None:  # every index adds to the old value: all old values are read first
        old = Lazy(shape, a.type.dtype, lambda i: lo.b.load(a, *at(i)), ((a, False),))  # type: ignore[union-attr]
        new = Lazy(shape, a.type.dtype, lambda i: to_element(  # type: ignore[union-attr]
            lo, combine(old.element(i), element_at(lo, value, get(i))), a), ())
        value = materialize(lo, new)
        get = lambda i: i  # noqa: E731
    nest(lo, shape, lambda i: lo.b.store(
        a, at(i), to_element(lo, element_at(lo, value, get(i)), a)))


def masked_write(lo: Lowering, a: Var, mask: Any, value: Atom, combine: Any) -> None:
    """``a[mask] = number``: one pass, no index arrays."""
    mine = lo.views.get(a.name, a.name)
    if any(lo.may_alias(r, a) and not (same and lo.views.get(r.name, r.name) == mine)
           for r, same in reads_of(mask)):
        mask = materialize(lo, mask)
    shape = shape_of(lo, mask)
    same_shape(lo, shape, lo.shape(a))
    value = to_element(lo, value, a) if combine is None else value

    def put(i: Index) -> None:
        with lo.b.block() as stmts:
            new = value if combine is None else to_element(
                lo, combine(lo.b.load(a, *i), value), a)
            lo.b.store(a, i, new)
        hit = truthy(lo, element_at(lo, mask, i))
        lo.b.if_(hit, Block(tuple(stmts)), Block(()))

    if len(shape) < a.type.ndim:  # type: ignore[union-attr]
        rows = lo.shape(a)[len(shape):]
        inner = put

        def put_rows(i: Index) -> None:
            nest(lo, rows, lambda j: _put_at(lo, a, mask, i, (*i, *j), value, combine))

        del inner
        nest(lo, shape, put_rows)
        return
    nest(lo, shape, put)


def _put_at(lo: Lowering, a: Var, mask: Any, i: Index, full: Index, value: Atom,
            combine: Any) -> None:
    hit = truthy(lo, element_at(lo, mask, i))
    with lo.b.block() as stmts:
        new = value if combine is None else to_element(
            lo, combine(lo.b.load(a, *full), value), a)
        lo.b.store(a, full, new)
    lo.b.if_(hit, Block(tuple(stmts)), Block(()))


def update_subscript(lo: Lowering, target: ast.Subscript, op: type, value_node: ast.expr,
                     node: Any) -> None:
    """``owner[key] op= value``."""
    from srcad.frontend.arrays import check_update_kind
    from srcad.frontend.expressions import BINARY, binary

    owner = lo.read(lo.expr(target.value), target.value)
    key = lo.read(lo.expr(target.slice), target.slice)
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
    value = lo.read(lo.expr(value_node), value_node)
    if isinstance(value, (Tuple, ListV)):
        from srcad.frontend.creation import as_array

        value = as_array(lo, value, target)
    if not (is_array(value) or is_scalar(value)):
        lo.mismatch(target, f"cannot update an array with {describe(value)}",
                    instead="update it with a number or an array")
    if all(i[0] in ("at", "slice", "new") for i in items):
        view = subview(lo, owner, tuple(items))
        update_array(lo, view, op, value, node)
        return
    if op not in BINARY:
        lo.fail(node, "@= is not supported here", instead="a[key] = a[key] @ b")
    check_update_kind(lo, owner, BINARY[op], value, node)
    write_items(lo, owner, items, value, target, BINARY[op])
