"""Forward and reverse mode on hand-built and random IR, on the reference interpreter."""

from __future__ import annotations

import numpy as np
import pytest

from srcad.backends.reference import run
from srcad.errors import NoDerivative
from srcad.ir.build import Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Carried, Function, Store
from srcad.ir.types import F4, F8, I8, ArrayT, ListT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.transforms.reverse import reverse
from tests.ir_check import Case, Mismatch, check, like
from tests.ir_programs import MATRIX, STRIDED, VECTOR, WHOLE, random_program
from tests.reverse_ir import ARGS, Program, demand, random_case, second


def test_overlapping_shift() -> None:
    """a[1:] = a[:-1] upwards smears the first element; downwards shifts."""
    for start, stop, step in ((1, 4, 1), (3, 0, -1)):
        p = Program()
        with p.loop(const(start), const(stop), const(step)) as i:
            p.store(p.a, (i,), p.op("mul", p.load(p.a, p.op("sub", i, const(1))), p.s))
        demand(p.function(p.sum(p.a), p.a))


def test_scatter_with_duplicates() -> None:
    """The last store to an element wins, the others have no influence."""
    p = Program()
    with p.loop(const(0), const(4)) as i:
        at = p.op("mod", p.op("mul", i, i), const(2))
        p.store(p.a, (at,), p.op("sin", p.load(p.m, const(1), i)))
        p.accumulate(p.a, (at,), p.op("cos", p.load(p.m, const(2), i)))
    demand(p.function(p.sum(p.a)))


def test_negative_indices() -> None:
    p = Program()
    p.store(p.a, (const(-1),), p.op("mul", p.load(p.a, const(-4)), p.s))
    demand(p.function(p.sum(p.a)))


def test_swap_of_references() -> None:
    """Ping-pong buffers carried through a loop."""
    p = Program()
    other = p.alloc(VECTOR, (const(4),))
    u, v, i = p.var("u", VECTOR), p.var("v", VECTOR), p.var("i", I8)
    with p.block() as body, p.loop(const(0), const(4)) as k:
        p.store(v, (k,), p.op("sin", p.op("mul", p.load(u, k), p.load(u, const(1)))))
    ends = [p.var("u", VECTOR), p.var("v", VECTOR)]
    p.for_(
        i,
        const(0),
        p.n,
        const(1),
        (Carried(ends[0], u, p.a), Carried(ends[1], v, other)),
        Block(tuple(body), (v, u)),
    )
    demand(p.function(p.sum(ends[0]), ends[1]))


def test_fresh_arrays_carried() -> None:
    """u = step(u): a new array in every iteration."""
    p = Program()
    u, i, end = p.var("u", STRIDED), p.var("i", I8), p.var("u", STRIDED)
    start = p.view(p.a, "same", (), STRIDED)
    with p.block() as body:
        new = p.alloc(VECTOR, (p.dim(u, 0),), zero=False)
        with p.loop(const(0), p.dim(u, 0)) as k:
            p.store(new, (k,), p.op("sin", p.op("mul", p.load(u, k), p.load(u, const(-1)))))
        back = p.view(
            new,
            "index",
            (("slice", None, None, const(-1)),),
            view_layout(VECTOR, "index", (("slice", None, None, const(-1)),)),
        )
    p.for_(i, const(0), p.n, const(1), (Carried(end, u, start),), Block(tuple(body), (back,)))
    demand(p.function(p.sum(end), end))


def test_branch_between_arrays() -> None:
    p = Program()
    w = p.alloc(VECTOR, (const(4),))
    p.store(w, (const(2),), p.op("exp", p.s))
    chosen = p.var("c", VECTOR)
    p.if_(p.op("lt", p.s, const(0.5)), Block((), (p.a,)), Block((), (w,)), (chosen,))
    p.store(chosen, (const(0),), p.op("mul", p.load(chosen, const(2)), p.s))
    demand(p.function(p.sum(chosen), p.sum(p.a)))


def test_list_of_references() -> None:
    p = Program()
    refs = p.alloc(ListT(STRIDED))
    p.reserve(refs, const(3))
    with p.loop(const(0), const(3)) as i:
        row = p.view(p.m, "index", (("at", i),), VECTOR)
        p.store(refs, (i,), p.view(row, "same", (), STRIDED))
    with p.loop(const(0), p.n) as i:
        ref = p.load(refs, p.op("mod", i, const(2)))
        p.store(ref, (const(0),), p.op("mul", p.load(ref, const(1)), p.load(ref, const(0))))
        p.store(refs, (const(0),), ref)
    demand(p.function(p.load(p.m, const(0), const(0)), p.load(p.m, const(1), const(0))))


def test_views_of_strided_and_fortran_arguments() -> None:
    """Shadows of strided arguments are contiguous, views of them as well."""
    b = Builder(Namer())
    x, y = b.var("x", ArrayT("f8", 2, "A")), b.var("y", ArrayT("f8", 2, "F"))
    column = b.view(x, "index", (WHOLE, ("at", const(1))), STRIDED)
    turned = b.view(y, "transpose", (1, 0), MATRIX)
    line = b.view(turned, "reshape", (const(12),), VECTOR)
    with b.loop(const(0), const(3)) as i:
        value = b.op("mul", b.load(column, i), b.load(line, b.op("add", i, const(2))))
        b.store(line, (i,), b.op("sin", value))
    fn = Function("f", (x, y), Block(tuple(b.stack[0]), (column, line)))
    args = (np.ones((6, 8))[::2, ::2] * 0.7, np.asfortranarray(ARGS[2] + 0.1))
    tangent = Case(fn, args, (True, True))
    assert tangent.forward().shape == tangent.outputs(args).shape
    demand(fn, args)


def test_float32() -> None:
    """Adjoints have the kinds of their primals."""
    b = Builder(Namer())
    x, s = b.var("x", ArrayT("f4", 1)), b.var("s", F8)
    y = b.op("mul", b.load(x, const(0)), s)
    b.store(x, (const(1),), b.op("f4", y))
    b.accumulate(x, (const(2),), b.op("f4", b.op("sin", y)))
    z = b.load(x, const(1))
    fn = Function("f", (x, s), Block(tuple(b.stack[0]), (z, y, x)))
    args = (np.array([0.5, 1.0, 2.0], np.float32), 0.3)
    check(fn, args, (True, True), differences=False, tol=1e-5)
    g = reverse(fn, (True, True))
    verify(g)
    assert [str(y.type) for y in g.body.yields[3:]] == ["f4[:]C", "f8"]
    assert g.body.yields[0].type == F4


def test_integers_and_bools_have_no_derivative() -> None:
    p = Program()
    k = p.alloc(ArrayT("i4", 1), (const(4),))
    flags = p.alloc(ArrayT("b1", 1), (const(4),))
    with p.loop(const(0), const(4)) as i:
        p.store(k, (i,), p.op("i8", p.op("mul", const(7.1), p.load(p.a, i))))
        p.store(flags, (i,), p.op("lt", p.load(p.a, i), p.s))
    total, arg, index = p.var("t", F8), p.var("t", F8), p.var("i", I8)
    with p.block() as body:
        x = p.op("mul", p.load(p.a, index), p.op("f8", p.load(k, index)))
        y = p.op("select", p.load(flags, index), x, p.op("sin", x))
        out = p.op("add", arg, y)
    p.for_(
        index,
        const(0),
        const(4),
        const(1),
        (Carried(total, arg, const(0.0)),),
        Block(tuple(body), (out,)),
    )
    demand(p.function(total, p.load(k, const(1))))


def test_ragged_loops() -> None:
    """Triangular loops, loops in conditional loops in loops with breaks."""
    p = Program()
    x = p.alloc(VECTOR, (const(1),))
    zero = (const(0),)
    with p.loop(const(0), p.n) as i, p.loop(i, p.n) as j, p.loop(const(0), const(2)) as k:
        y = p.op("sin", p.op("mul", p.load(x, *zero), p.load(p.m, k, j)))
        p.accumulate(x, zero, y)
        more = p.op("lt", y, const(0.1))
        with p.block() as then:
            p.store(x, zero, p.op("cos", p.op("mul", p.load(x, *zero), p.s)))
        p.if_(more, Block(tuple(then)), Block(()))
    demand(p.function(p.load(x, *zero)))


def test_zero_trips_and_odd_steps() -> None:
    for bounds in ((0, 0, 1), (3, 0, 1), (0, 3, -1), (0, 8, 3), (7, -1, -3), (5, 4, 2)):
        p = Program()
        with p.loop(*map(const, bounds)) as i:
            at = p.op("mod", i, const(4))
            p.store(p.a, (at,), p.op("mul", p.load(p.a, at), p.op("sin", p.load(p.a, const(0)))))
        demand(p.function(p.sum(p.a)), order=1)


def test_guarded_partials() -> None:
    """sqrt at zero with a zero cotangent gives zero, not NaN."""
    p = Program()
    y = p.op("sqrt", p.load(p.a, const(0)))
    out = p.op("select", p.op("lt", const(0.0), p.load(p.a, const(0))), y, p.s)
    fn = p.function(out)
    args = (0.7, np.zeros(4), ARGS[2], 3)
    values = run(reverse(fn, (True, True, False, False)), (*args, 1.0))
    assert values[1] == 1.0 and np.array_equal(values[2], np.zeros(4))


def test_reverse_never_writes_primal_storage() -> None:
    """In the reverse sweep, stores go to shadows only (poison would be seen otherwise)."""
    fn = reverse(random_program(11), (True, True, True, False))
    verify(fn)
    assert not any(
        isinstance(s, Store)
        and s.array.name in ("a", "m")
        and s.loc is not None
        and s.loc.role == "adjoint"
        for s in statements(fn.body)
    )


@pytest.mark.parametrize("seed", range(48))
def test_random_programs(seed: int) -> None:
    fn, args, active = random_case(seed, calls=seed % 3 == 0)
    try:
        check(fn, args, active, seed, differences=seed % 2 == 0)
        check(fn, args, active, seed, differences=False, poison=True, lean=seed % 2 == 0)
    except NoDerivative as refusal:
        pytest.skip(refusal.what)


@pytest.mark.parametrize("seed", range(1000, 1024))
def test_random_programs_second_order(seed: int) -> None:
    fn, args, active = random_case(seed, size=6, depth=2, calls=seed % 5 == 0)
    case = Case(fn, args, active, seed)
    try:
        if seed % 2:
            second(case, reverse(fn, active), tuple(case.seeds()))
        else:
            exits = tuple(like(case.exit[k], case.rng) for k in case.arrays)
            second(case, reverse(fn, active, allocate=False), (*case.seeds(), *exits))
    except NoDerivative as refusal:
        pytest.skip(refusal.what)


def test_the_checker_sees_errors() -> None:
    """A wrong adjoint is noticed."""
    p = Program()
    fn = p.function(p.op("sin", p.s))
    q = Program()
    case = Case(fn, ARGS, (True, True, True, False))
    wrong = reverse(q.function(q.op("cos", q.s)), (True, True, True, False))
    with pytest.raises(Mismatch):
        case.reverse(wrong, [1.0])


def test_read_only_and_column_references() -> None:
    """Shadows of read-only arrays can be written; columns of Fortran matrices are F vectors."""
    b = Builder(Namer())
    fixed = ArrayT("f8", 1, "C", mutable=False)
    x, m = b.var("x", fixed), b.var("m", MATRIX)
    turned = b.view(m, "transpose", (1, 0), ArrayT("f8", 2, "F"))
    column = b.view(turned, "index", (WHOLE, ("at", const(1))), ArrayT("f8", 1, "F"))
    u, v = b.var("u", fixed), b.var("v", ArrayT("f8", 1, "F"))
    p = b.op("lt", b.load(x, const(0)), const(0.5))
    refs = b.alloc(ListT(fixed))
    b.reserve(refs, const(1))
    b.store(refs, (const(0),), x)
    other = b.alloc(VECTOR, (const(4),))
    b.store(other, (const(1),), b.load(x, const(2)))
    b.if_(p, Block((), (x, column)), Block((), (x, column)), (u, v))
    b.store(v, (const(0),), b.op("mul", b.load(u, const(1)), b.load(v, const(2))))
    last = b.load(b.load(refs, const(0)), const(3))
    fn = Function("f", (x, m), Block(tuple(b.stack[0]), (b.op("mul", last, last), v)))
    body = Block(tuple(b.stack[0]), fn.body.yields)
    demand(Function("f", (x, m), body), ARGS[1:3])
