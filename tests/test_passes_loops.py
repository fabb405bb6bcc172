"""Hoisting and induction: what leaves a loop, what becomes a formula of its index."""

from __future__ import annotations

from typing import Any

import pytest

from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Block, Carried, Function, Print, Var
from srcad.ir.text import text
from srcad.ir.types import B1, I8
from srcad.transforms import hoist, induction
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
