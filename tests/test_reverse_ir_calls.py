"""Forward and reverse mode of calls and array operations, on hand-built IR; what is reported."""

from __future__ import annotations

import numpy as np
import pytest

from srcad.backends.reference import run
from srcad.errors import NoDerivative
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Call, Carried, Check, For, Function, Print
from srcad.ir.types import F8, I8, ArrayT, ListT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.transforms.forward import forward
from srcad.transforms.reverse import reverse, reverse_with_report
from tests.ir_check import Case, check
from tests.ir_programs import MATRIX, VECTOR, WHOLE
from tests.reverse_ir import ARGS, Program, demand


def recursive(returns_array: bool = False) -> Function:
    """g(s, a, m, n): writes ``a`` on the way down and up, prints and checks."""
    p = Program()
    p.check(p.op("le", const(0), p.n), "ValueError", "negative")
    p.emit(Print(("at", p.n)))
    out = p.var("y", F8)
    at = p.op("mod", p.n, const(4))
    with p.block() as more:
        p.store(p.a, (at,), p.op("sin", p.op("mul", p.load(p.a, at), p.s)))
        y = p.var("y", F8)
        found = (y, p.var("b", VECTOR)) if returns_array else (y,)
        p.emit(Call(found, "g", (p.op("cos", p.s), p.a, p.m, p.op("sub", p.n, const(1)))))
        z = p.op("mul", y, p.load(p.a, const(0)))
    p.if_(p.op("lt", const(0), p.n), Block(tuple(more), (z,)), Block((), (p.sum(p.a),)), (out,))
    return p.function(out, *([p.a] if returns_array else []), name="g")


@pytest.mark.parametrize("returns_array", [False, True])
def test_recursion(returns_array: bool, capsys: pytest.CaptureFixture[str]) -> None:
    callee = recursive(returns_array)
    p = Program()
    y, b = p.var("y", F8), p.var("b", VECTOR)
    with p.loop(const(0), const(2)):
        again = (p.var("y", F8), p.var("b", VECTOR))[: len(callee.body.yields)]
        p.emit(Call(again, "g", (p.s, p.a, p.m, p.n)))
    p.emit(Call((y, b)[: len(callee.body.yields)], "g", (p.s, p.a, p.m, const(2))))
    fn = p.function(y, p.load(b, const(1)) if returns_array else p.s, g=callee)
    demand(fn)
    capsys.readouterr()
    run(fn, (*ARGS[:1], ARGS[1].copy(), *ARGS[2:]))
    printed = capsys.readouterr().out
    run(reverse(fn, (True, True, False, False)), (0.7, ARGS[1].copy(), *ARGS[2:], 1.0, 1.0))
    assert capsys.readouterr().out == printed


def test_checks_and_prints_run_once() -> None:
    p = Program()
    p.emit(Print(("hello",)))
    p.check(p.op("lt", p.s, const(1.0)), "ValueError", "too large")
    fn = reverse(p.function(p.op("sin", p.s)), (True, False, False, False))
    assert sum(isinstance(s, (Print, Check)) for s in statements(fn.body)) == 2


def test_seeds_of_some_results() -> None:
    """Results without a seed contribute nothing and take no parameter."""
    p = Program()
    fn = p.function(p.op("sin", p.s), p.a, p.op("mul", p.s, p.load(p.a, const(0))))
    g = reverse(fn, (True, False, False, False), (False, False, True))
    verify(g)
    assert len(g.params) == 5
    assert run(g, (0.7, ARGS[1].copy(), *ARGS[2:], 2.0))[3] == 2.0 * ARGS[1][0]


def test_inactive_results_have_zero_tangents() -> None:
    p = Program()
    w = p.alloc(VECTOR, (const(2),))
    g = forward(p.function(w, p.op("sin", p.load(p.a, const(0)))), (True, False, False, False))
    verify(g)
    out = run(g, (*ARGS, 1.0))
    assert np.array_equal(out[2], np.zeros(2)) and out[3] == 0.0


def test_refusals() -> None:
    """What cannot be differentiated says so."""
    b = Builder(Namer())
    refs = b.var("refs", ListT(VECTOR))
    y = b.load(b.load(refs, const(0)), const(0))
    with pytest.raises(NoDerivative, match="list of arrays"):
        reverse(Function("f", (refs,), Block(tuple(b.stack[0]), (y,))), (True,))
    p = Program()
    row = p.view(p.m, "index", (("at", const(0)),), VECTOR)
    out = p.var("y", F8)
    p.emit(Call((out,), "g", (p.s, row, p.m, p.n)))
    with pytest.raises(NoDerivative, match="share memory"):
        reverse(p.function(out, g=recursive()), (True, True, True, False))


def ambiguous_result(written: bool) -> Function:
    q = Program()
    part = q.view(q.a, "index", (("slice", const(1), None, None),), VECTOR)
    p = Program()
    out = p.var("y", VECTOR)
    p.emit(Call((out,), "g", (p.s, p.a, p.m, p.n)))
    if written:
        p.store(out, (const(0),), p.s)
    return p.function(p.load(out, const(0)), g=q.function(part, name="g"))


def test_ambiguous_result_of_a_call() -> None:
    """A part of an argument: as good as a copy of it, unless somebody writes to either."""
    active = (True, True, False, False)
    check(ambiguous_result(False), ARGS, active)
    with pytest.raises(NoDerivative, match="part of an argument"):
        reverse(ambiguous_result(True), active)
    assert Case(ambiguous_result(True), ARGS, active).forward().shape == (5,)


def test_array_operations() -> None:
    p = Program()
    q = p.alloc(MATRIX, (const(3), const(3)))
    with p.loop(const(0), const(3)) as i:
        p.store(q, (i, i), p.op("add", const(2.0), p.load(p.a, i)))
        p.store(q, (const(2), i), p.op("add", const(0.1), p.load(p.m, i, const(0))))
    p.store(q, (const(2), const(2)), const(4.0))
    (prod,) = p.array_op("matmul", (MATRIX,), q, p.m)
    (line,) = p.array_op("matmul", (VECTOR,), p.m, p.a)
    (x,) = p.array_op("solve", (VECTOR,), q, line)
    (inverse,) = p.array_op("inv", (MATRIX,), q)
    (d,) = p.array_op("det", (F8,), q)
    (low,) = p.array_op("cholesky", (MATRIX,), q)
    p.store(q, (const(0), const(0)), p.s)
    p.store(x, (const(0),), p.op("mul", p.load(x, const(1)), p.s))
    p.store(low, (const(0), const(0)), const(1.0))
    demand(p.function(prod, p.sum(x), inverse, d, low))


def test_array_operations_in_loops() -> None:
    p = Program()
    u, i, end = p.var("u", VECTOR), p.var("i", I8), p.var("u", VECTOR)
    square = p.view(p.m, "index", (WHOLE, ("slice", None, const(3), None)), ArrayT("f8", 2, "A"))
    with p.block() as body:
        w = p.alloc(MATRIX, (const(3), const(3)))
        with p.loop(const(0), const(3)) as j, p.loop(const(0), const(3)) as k:
            p.store(w, (j, k), p.op("mul", p.load(square, j, k), p.load(u, j)))
        (new,) = p.array_op("matmul", (VECTOR,), w, u)
        p.store(w, (const(1), const(1)), const(0.0))
    first = p.alloc(VECTOR, (const(3),))
    p.store(first, (const(1),), p.s)
    p.store(first, (const(2),), const(0.5))
    loop = p.stack[0]
    p.for_(i, const(0), p.n, const(1), (Carried(end, u, first),), Block(tuple(body), (new,)))
    assert isinstance(loop[-1], For)
    demand(p.function(p.sum(end)))


def test_report_tells_kinds() -> None:
    """Values outside loops are kept, loads of unwritten arrays repeated, the rest recorded."""
    p = Program()
    arg, out, i = p.var("x", F8), p.var("x", F8), p.var("i", I8)
    with p.block() as body:
        y = p.op("mul", p.op("sin", arg), p.load(p.a, i))
    p.for_(i, const(0), const(4), const(1), (Carried(out, arg, p.s),), Block(tuple(body), (y,)))
    fn, report = reverse_with_report(p.function(p.op("exp", out)), (True, True, False, False))
    verify(fn)
    kinds = {r.primal: r.kind for r in report.residuals}
    assert kinds.pop("x") == "preallocated"
    assert set(kinds.values()) <= {"index", "kept", "reloaded", "preallocated"}
    assert "reloaded" in kinds.values() and "kept" in kinds.values()


def test_array_returned_by_a_call_is_used_in_a_branch() -> None:
    """Its shadow belongs to the block of the call, not to the branch that first asks for it."""
    q = Program()
    made = q.alloc(VECTOR, (const(4),))
    with q.loop(const(0), const(4)) as i:
        q.store(made, (i,), q.op("sin", q.op("mul", q.load(q.a, i), q.s)))
    callee = q.function(made, name="g")
    p = Program()
    out, y = p.var("out", VECTOR), p.var("y", F8)
    p.emit(Call((out,), "g", (p.s, p.a, p.m, p.n)))
    with p.block() as then:
        x = p.op("mul", p.load(out, const(1)), p.s)
    p.if_(p.op("lt", p.s, const(1.0)), Block(tuple(then), (x,)), Block((), (p.s,)), (y,))
    demand(p.function(y, g=callee))
