"""Hoisting and induction: what leaves a loop, what becomes a formula of its index."""

from __future__ import annotations

from typing import Any

import pytest

from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Block, Carried, Function, Print, Var
from srcad.ir.text import text
from srcad.ir.types import B1, I8
from srcad.transforms import hoist, hoist_loads, induction
from tests.test_passes import VECTOR, Case, cleanup, observe


# hoist, induction
def test_only_what_is_safe_to_compute_early_leaves_a_loop() -> None:
    c = Case(n=I8, k=I8, flag=B1)
    n, k, flag = c.params
    with c.loop(ZERO, n):
        c.op("mul", n, k, hint="product")
        c.op("lshift", n, k, hint="shift")
        with c.block() as then:
            c.op("add", n, k, hint="guarded")
        c.if_(flag, Block(tuple(then)), Block(()))
    lines = c.body(hoist.run)
    assert lines[0] == "product: i8 = mul(n, k)"
    assert lines[1].startswith("for") and len(lines) == 5


def inner_reads(write: bool = False, beyond: int = 0, start: int = 0, step: int = 1) -> str:
    """The lines before the inner loop in which an outer loop's element is read."""
    c = Case(v=VECTOR, w=VECTOR)
    v, w = c.params
    n = c.dim(v, 0)
    m = c.dim(w, 0)
    a, z = c.alloc(VECTOR, (n,), hint="a"), c.alloc(VECTOR, (m,), hint="z")
    stop = c.op("add", n, const(beyond)) if beyond else n
    last = c.op("sub", stop, ONE)
    first, end = (const(start), stop) if step > 0 else (last, const(start - 1))
    with c.loop(first, end, const(step)) as i, c.loop(ZERO, m) as j:
        element = c.load(a, i, hint="element")
        c.accumulate(z, (j,), element)
        if write:
            c.store(c.view(a, "same", (), VECTOR), (ZERO,), c.load(w, j))
    lines = c.body(hoist_loads.run, z)
    inner = max(k for k, line in enumerate(lines) if line.lstrip().startswith("for"))
    return "\n".join(lines[:inner])


@pytest.mark.parametrize("step", [1, 2, -1])
def test_an_element_that_exists_and_stays_is_read_before_the_loop(step: int) -> None:
    assert "element" in inner_reads(step=step)


@pytest.mark.parametrize(
    "change", [{"write": True}, {"beyond": 1}, {"start": -1}, {"beyond": 1, "step": -1}]
)
def test_an_element_that_may_change_or_not_exist_stays(change: dict[str, Any]) -> None:
    """Written through a view; or a subscript that a loop of no trips would never have used."""
    assert "element" not in inner_reads(**change)


def counter(c: Case, n: Any, v: Var, k: Any) -> Var:
    """A loop that stores at every third position from ``k`` on; the position after the last."""
    q, end = c.var("q", I8), c.var("end", I8)
    with c.block() as body:
        c.store(v, (q,), const(1.0))
        following = c.op("add", q, const(3))
    c.for_(c.var("j", I8), ZERO, n, ONE, (Carried(end, q, k),), Block(tuple(body), (following,)))
    return end


def test_a_counter_through_two_loops_becomes_a_formula() -> None:
    c = Case(n=I8, v=VECTOR)
    n, v = c.params
    k, end = c.var("k", I8), c.var("k_end", I8)
    with c.block() as body:
        inner = counter(c, n, v, k)
    c.for_(c.var("i", I8), ZERO, n, ONE, (Carried(end, k, ZERO),), Block(tuple(body), (inner,)))
    assert not any("carrying" in line for line in c.body(induction.run, end))


@pytest.mark.parametrize("bounds", [(0, 5, 1), (5, 0, 1), (7, -2, -2), (1, 8, 3), (2, 2, -1)])
def test_counters_end_where_they_did(bounds: tuple[int, int, int]) -> None:
    for known in range(2):
        c = Case(start=I8, stop=I8, step=I8, amount=I8)
        amount = const(12) if known else c.params[3]
        start, stop, step = map(const, bounds) if known else c.params[:3]
        q, end = c.var("q", I8), c.var("end", I8)
        with c.block() as body:
            c.emit(Print((q,)))
            more = c.op("sub", c.op("add", amount, q), const(6))
        c.for_(
            c.var("i", I8),
            start,
            stop,
            step,
            (Carried(end, q, amount),),
            Block(tuple(body), (more,)),
        )
        fn = Function("f", c.params, Block(tuple(c.stack[0]), (end,)))
        after = cleanup(fn)
        assert "carrying" not in text(after)
        args = [*bounds, 11]
        assert observe(after, args) == observe(fn, args)
