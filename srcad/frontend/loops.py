"""Loops: what they carry, how they iterate, how control leaves them.

In: ``for`` over ranges, arrays, tuples, lists, ``enumerate``, ``zip``, ``reversed``; ``while``.
Out: ``For`` and ``While`` nodes; loops over tuples unroll.  A loop carries the names its body
assigns and somebody may read later: in the next iteration (upward exposed) or outside.  Types
widen (an int that becomes a float) by lowering the body again with the wider type.

``break`` and ``return`` inside set a flag that the loop yields; the rest of the body is guarded
by construction (``statements.body``), so the loop ends after that iteration.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from srcad.frontend.arrays import materialize
from srcad.frontend.carry import Loop
from srcad.frontend.checkpoints import header
from srcad.frontend.core import FALSE, STMT, Lowering, handles
from srcad.frontend.joins import branch
from srcad.frontend.statements import assign, body, escaped
from srcad.frontend.values import IterV, Lazy, ListV, RangeV, Record, Static, Tuple, describe
from srcad.frontend.views import subview
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Atom, Const, Keep, Var
from srcad.ir.types import ArrayT


@handles(STMT, ast.For)
def for_statement(lo: Lowering, node: ast.For) -> None:
    """``for target in iterable: body else: orelse``."""
    over, keep = header(lo, node.iter)
    it = lo.read(lo.expr(over), over)
    if isinstance(it, Record) and it.cls is dict:
        it = Tuple(tuple(const(k) if isinstance(k, (int, float)) else Static(k) for k in it.fields))
    if isinstance(it, Lazy):
        it = materialize(lo, it)
    items = unrolled(it)
    if items is not None:
        refuse_unrolled(lo, keep, node)
        unroll(lo, node, items)
        return
    start, stop, step, element = iteration(lo, it, over)
    parallel = isinstance(it, RangeV) and it.parallel
    steady = steadiness(lo, it, node)

    def bind(index: Var) -> None:
        steady()
        assign(lo, node.target, element(index))

    Loop(lo, node, node.body, node.target, keep).counted(start, stop, step, bind, parallel)
    if not lo.frame.dead:
        branch(lo, escaped(lo), lambda: None, steady)
    finish(lo, node)


def steadiness(lo: Lowering, it: Any, node: ast.For) -> Callable[[], None]:
    """Emits a check that the lists a loop runs over keep their length (Python would follow it)."""
    from srcad.frontend.lists import length_of
    from srcad.frontend.logic import may_write

    changing = any(
        may_write(lo, s) or any(isinstance(n, ast.AugAssign) for n in ast.walk(s))
        for s in node.body
    )
    lists = lists_in(it) if changing else []
    before = [length_of(lo, xs) for xs in lists]

    def check() -> None:
        for xs, n in zip(lists, before, strict=True):
            lo.b.check(
                lo.b.op("eq", length_of(lo, xs), n),
                "RuntimeError",
                f"a list changed its length while a loop ran over it (line {node.lineno})",
            )

    return check


def lists_in(it: Any) -> list[ListV]:
    """The lists that an iterable runs over from the front."""
    if isinstance(it, ListV):
        return [it]
    if isinstance(it, IterV) and it.kind in ("zip", "enumerate"):
        return [xs for part in it.parts for xs in lists_in(part)]
    return []


def finish(lo: Lowering, node: ast.For | ast.While) -> None:
    """Forget the ``break`` flag of a loop; its ``else`` may leave the loop around."""
    env = lo.frame.env
    broke = env.pop(".brk", FALSE)
    env[".brk"] = env[".cont"] = FALSE
    if node.orelse and not lo.frame.dead:
        left = env.get(".ret", FALSE)
        guard = lo.b.op("or", broke, left) if isinstance(left, Var) else broke
        branch(lo, guard, lambda: None, lambda: body(lo, node.orelse))


def unrolled(it: Any) -> list[Any] | None:
    """The items of an iterable whose length is known at compile time and that is no array."""
    if isinstance(it, Tuple):
        return list(it.items)
    if isinstance(it, IterV) and it.kind != "ndindex":
        parts = [unrolled(p) for p in it.parts]
        if any(p is None for p in parts):
            return None
        if it.kind == "reversed":
            return parts[0][::-1]  # type: ignore[index]
        if it.kind == "enumerate" and isinstance(it.start, Const):
            return [Tuple((const(int(it.start.value) + k), x)) for k, x in enumerate(parts[0])]  # type: ignore[arg-type]
        if it.kind == "zip":
            return [Tuple(tuple(xs)) for xs in zip(*parts, strict=False)]  # type: ignore[arg-type]
    return None


def refuse_unrolled(lo: Lowering, keep: Keep | None, node: ast.For) -> None:
    """A checkpointed loop has one body."""
    if keep is not None:
        lo.fail(
            node.iter,
            "srcad.checkpointed over a tuple",
            "such a loop is written out, one copy of its body for each item",
            "loop over a range, an array or a list",
        )


def unroll(lo: Lowering, node: ast.For, items: list[Any]) -> None:
    """A loop over a tuple: one copy of the body an item."""
    env = lo.frame.env
    path = lo.frame.path

    def rest(k: int) -> None:
        env = lo.frame.env
        if k == len(items) or lo.frame.dead:
            return
        env[".cont"] = FALSE
        lo.frame.path = (*path, ("item", id(node), k))
        assign(lo, node.target, items[k])
        body(lo, node.body)
        lo.frame.path = path
        lo.frame.env[".cont"] = FALSE
        stop = escaped(lo)
        if isinstance(stop, Const):
            if not stop.value:
                rest(k + 1)
            return
        branch(lo, stop, lambda: None, lambda: rest(k + 1))

    env[".brk"] = FALSE
    rest(0)
    finish(lo, node)


def iteration(lo: Lowering, it: Any, node: Any) -> tuple[Atom, Atom, Atom, Callable]:
    """Bounds of the loop over an iterable, and what the target is at a given index."""
    if isinstance(it, RangeV):
        return it.start, it.stop, it.step, lambda i: i
    length, item = indexed(lo, it, node)
    return ZERO, length, ONE, item


def indexed(lo: Lowering, it: Any, node: Any) -> tuple[Atom, Callable[[Atom], Any]]:
    """Length of an iterable and the function from position to item."""
    if isinstance(it, Var) and isinstance(it.type, ArrayT) and it.type.ndim > 0:
        if it.type.ndim == 1:
            return lo.shape(it)[0], lambda i: lo.b.load(it, i)
        return lo.shape(it)[0], lambda i: subview(lo, it, (("at", i),))
    if isinstance(it, Lazy):
        return indexed(lo, materialize(lo, it), node)
    if isinstance(it, ListV):
        from srcad.frontend.lists import length_of, load_item

        return length_of(lo, it), lambda i: load_item(lo, it, i)
    if isinstance(it, RangeV):
        n = trip_count(lo, it)
        return n, lambda i: lo.b.op("add", it.start, lo.b.op("mul", i, it.step))
    if isinstance(it, Tuple):
        return const(len(it.items)), lambda i: select_item(lo, it, i, node)
    if isinstance(it, IterV):
        parts = [] if it.kind == "ndindex" else [indexed(lo, p, node) for p in it.parts]
        if it.kind == "enumerate":
            n, item = parts[0]
            return n, lambda i: Tuple((lo.b.op("add", it.start, i), item(i)))
        if it.kind == "ndindex":
            return _ndindex(lo, it)
        if it.kind == "reversed":
            n, item = parts[0]
            last = lo.b.op("sub", n, ONE)
            return n, lambda i: item(lo.b.op("sub", last, i))
        n = parts[0][0]
        for m, _ in parts[1:]:
            n = n if lo.same_size(n, m) else lo.b.op("min", n, m)
        return n, lambda i: Tuple(tuple(item(i) for _, item in parts))
    lo.mismatch(
        node,
        f"cannot iterate over {describe(it)}",
        instead="loop over a range, an array, a tuple or a list",
    )


def _ndindex(lo: Lowering, it: IterV) -> tuple[Atom, Callable[[Atom], Any]]:
    """Number of indices of a shape, and the index at a position."""
    total: Atom = ONE
    for n in it.parts:
        total = lo.b.op("mul", total, n)

    def item(k: Atom) -> Any:
        out: list[Atom] = []
        for n in reversed(it.parts):
            out.insert(0, lo.b.op("mod", k, n))
            k = lo.b.op("floordiv", k, n)
        return Tuple(tuple(out))

    return total, item


def select_item(lo: Lowering, t: Tuple, i: Atom, node: Any) -> Any:
    """An item of a tuple at a position known only at run time."""
    from srcad.frontend.tuples import tuple_item

    return tuple_item(lo, t, i, node)


def trip_count(lo: Lowering, r: RangeV) -> Atom:
    """``len(range(start, stop, step))`` as an atom."""
    b = lo.b
    if isinstance(r.step, Const):
        s = int(r.step.value)
        span = b.op("sub", r.stop, r.start) if s > 0 else b.op("sub", r.start, r.stop)
        if abs(s) != 1:
            span = b.op("floordiv", b.op("add", span, const(abs(s) - 1)), const(abs(s)))
        return b.op("max", span, ZERO)
    up = b.op("gt", r.step, ZERO)
    off = b.op("select", up, const(-1), ONE)
    span = b.op("add", b.op("sub", r.stop, r.start), b.op("add", r.step, off))
    return b.op("max", b.op("floordiv", span, r.step), ZERO)


@handles(STMT, ast.While)
def while_statement(lo: Lowering, node: ast.While) -> None:
    """``while test: body else: orelse``."""
    test, keep = header(lo, node.test)
    Loop(lo, node, node.body, None, keep).conditional(test)
    finish(lo, node)
