"""Corners of the transforms that only few programs reach, on hand-built IR.

Poisoning, reports, zeros where something could vary but does not, unusual layouts.
"""

from __future__ import annotations

import math

import numpy as np

import srcad
from srcad.ir.build import const
from srcad.ir.nodes import Accumulate, Block, Call, Carried, Const, Function, Load, Loc, Store
from srcad.ir.types import F8, I8, ArrayT, ListT
from srcad.ir.walk import statements
from srcad.transforms.reverse import reverse, reverse_with_report
from tests.ir_programs import VECTOR, WHOLE
from tests.reverse_ir import Program, demand
from tests.test_transform_cost import ACTIVE, ZERO, depths, kinds


def test_the_statement_in_need_is_reported() -> None:
    """Why a value is needed: the first statement, from the end, whose adjoint uses it."""
    p = Program()
    x, out, i = p.var("x", F8), p.var("x", F8), p.var("i", I8)
    with p.block() as body:
        p.loc = Loc("f.py", 7)
        y = p.op("sin", x)
    p.for_(i, const(0), const(4), const(1), (Carried(out, x, p.s),), Block(tuple(body), (y,)))
    fn, report = reverse_with_report(p.function(out), ACTIVE)
    (found,) = [r for r in report.residuals if r.primal == x.name]
    assert found.reason is not None and found.reason.line == 7
    (load,) = [s for s in statements(fn.body) if isinstance(s, Load) and s.array.name == found.tape]
    assert load.loc is not None and load.loc.role == "recompute"


def test_a_value_is_read_where_the_program_puts_it() -> None:
    """Too dear to compute again, and in an array that nobody overwrites."""
    p = Program()
    w, total = p.alloc(VECTOR, (const(4),)), p.alloc(VECTOR, (const(1),))
    with p.loop(const(0), const(4)) as i:
        y = p.op("sin", p.load(p.a, i))
        p.store(w, (i,), y)
        p.accumulate(total, ZERO, p.op("mul", y, y))
    fn = p.function(p.load(total, *ZERO), w)
    assert kinds(fn)[y.name] == "stored"
    demand(fn)


def test_the_last_access_to_an_element_is_the_first_to_its_adjoint() -> None:
    """Which is stored rather than added, and where the first was a store, not cleared."""
    p = Program()
    w = p.alloc(VECTOR, (const(4),), hint="w")
    with p.loop(const(0), const(4)) as i:
        p.store(w, (i,), p.op("sin", p.load(p.m, const(0), i)))
    with p.loop(const(0), const(4)) as i:
        p.accumulate(p.a, (i,), p.op("exp", p.load(w, i)))
    fn = p.function(p.sum(p.a))
    found = [
        s
        for s in statements(reverse(fn, ACTIVE).body)
        if isinstance(s, (Store, Accumulate)) and s.array.hint == "w_b"
    ]
    assert [type(s) for s in found] == [Store]
    demand(fn)


def test_a_random_number_moves_alike_in_both_modes() -> None:
    """With the parameter of its distribution; twice the same, for it is drawn from a seed."""

    def gamma_number(shape):  # a new one each time, for what is compiled is kept
        np.random.seed(3)
        return np.random.standard_gamma(shape) * shape

    z, tangent = srcad.jvp(gamma_number, (1.5,), (1.0,), backend="reference", verify=True)
    y, cotangent = srcad.value_and_grad(gamma_number, backend="reference", verify=True)(1.5)
    assert z == y and math.isclose(tangent, cotangent, rel_tol=1e-12)
    assert tangent > z / 1.5  # more than by the factor alone


# poisoning
def filled(fn: Function) -> dict[str, int]:
    """Names of what is filled with NaN in a poisoned reverse version, and how deep."""
    found = {}
    for depth, s in depths(reverse(fn, ACTIVE, poison=True).body):
        if isinstance(s, Store) and isinstance(s.value, Const) and math.isnan(s.value.value):
            found[s.array.hint or s.array.name] = depth
    return found


def scratch(p: Program, name: str, kind: ArrayT | ListT = VECTOR) -> None:
    """A local array or list whose contents the reverse sweep has no use for."""
    shape = (const(1),) if isinstance(kind, ArrayT) else ()
    w = p.alloc(kind, shape, hint=name)
    if not shape:
        p.reserve(w, const(1))
    p.store(w, ZERO, p.op("add", p.s, p.load(p.a, const(1))))
    p.store(p.a, ZERO, p.op("sin", p.load(w, *ZERO)))


def test_poison_fills_locals() -> None:
    """Arrays and lists at the root, in loops and in branches."""
    p = Program()
    scratch(p, "top")
    scratch(p, "cells", ListT(F8))
    with p.loop(const(0), const(2)):
        scratch(p, "inner")
    with p.block() as then:
        scratch(p, "chosen")
    p.if_(p.op("lt", p.s, const(1.0)), Block(tuple(then)), Block(()))
    (made,) = p.array_op("matmul", (VECTOR,), p.m, p.a)
    p.store(p.a, ZERO, p.op("add", p.load(made, *ZERO), p.s))
    fn = p.function(p.sum(p.a))
    assert filled(fn) == {"top": 1, "cells": 1, "inner": 2, "chosen": 2, made.hint or made.name: 1}
    demand(fn)
    assert not any(isinstance(s, Store) and s.value != s.value for s in statements(fn.body))


def test_poison_spares_what_is_read_again() -> None:
    """Results, arguments, and arrays that the reverse sweep reads."""
    p = Program()
    w, v = p.alloc(VECTOR, (const(1),), hint="w"), p.alloc(VECTOR, (const(1),), hint="v")
    p.store(w, ZERO, p.s)
    p.store(v, ZERO, p.op("exp", p.s))
    with p.loop(const(0), const(3)):
        p.store(p.a, ZERO, p.op("mul", p.load(w, *ZERO), p.load(p.a, const(1))))
    fn = p.function(p.sum(p.a), v)
    assert not filled(fn)
    demand(fn)


# forward mode
def test_active_values_in_an_inactive_argument() -> None:
    """The tangent of an argument that was not asked for is made by the tangent itself."""
    p = Program()
    p.store(p.a, (const(1),), p.op("sin", p.s))
    fn = p.function(p.sum(p.a), p.a)
    demand(fn, active=(True, False, False, False))


def test_active_values_in_the_result_of_an_inactive_operation() -> None:
    """The product has no tangent of its own, but what is stored into it has."""
    p = Program()
    (line,) = p.array_op("matmul", (VECTOR,), p.m, p.a)
    p.store(line, (const(1),), p.op("mul", p.s, p.load(line, const(0))))
    demand(p.function(p.sum(line)), active=(True, False, False, False))


# layouts
def test_a_column_that_is_overwritten_after_a_call() -> None:
    """The snapshot is a C vector; the callee expects a column of a Fortran matrix."""
    column = ArrayT("f8", 1, "F")
    q = Program()
    v = q.var("v", column)
    total = q.sum(v)
    callee = Function("g", (v,), Block(tuple(q.stack[0]), (total,)))
    p = Program()
    turned = p.view(p.m, "transpose", (1, 0), ArrayT("f8", 2, "F"))
    line = p.view(turned, "index", (WHOLE, ("at", const(1))), column)
    y = p.var("y", F8)
    p.emit(Call((y,), "g", (line,)))
    p.store(line, (const(2),), p.op("mul", y, p.s))
    demand(p.function(p.op("mul", y, p.load(p.m, const(1), const(2))), g=callee))
