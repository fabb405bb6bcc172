"""What transforms must not do although derivatives would be right, on hand-built IR.

They must not record what nothing needs, fetch a value twice or in every trip of an inner loop,
emit adjoints of what has no influence, or take exponentially long over chains of operations.
(Most of these tests exist because a mutant of the transforms survived everything else.)
"""

from __future__ import annotations

from collections.abc import Iterator

from srcad.ir.build import const
from srcad.ir.nodes import (
    Alloc,
    ArrayOp,
    Block,
    Call,
    Carried,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    While,
)
from srcad.ir.types import F8, I8, ArrayT
from srcad.ir.walk import statements
from srcad.transforms.reverse import reverse, reverse_with_report
from tests.ir_programs import MATRIX, VECTOR
from tests.reverse_ir import Program, demand

ACTIVE = (True, True, True, False)
ZERO = (const(0),)


def kinds(fn: Function) -> dict[str, str]:
    """How the reverse sweep comes by each primal value it needs."""
    _, report = reverse_with_report(fn, ACTIVE, fuse=False)
    return {r.primal: r.kind for r in report.residuals}


def recorded(fn: Function) -> set[str]:
    """The kinds of tapes in use."""
    return {"preallocated", "list"} & set(kinds(fn).values())


def depths(block: Block, depth: int = 0) -> Iterator[tuple[int, Stmt]]:
    """All statements, each with the number of loops and branches around it."""
    for s in block.stmts:
        yield depth, s
        inner = (s.then, s.orelse) if isinstance(s, If) else (getattr(s, "body", None),)
        for b in inner:
            if b is not None:
                yield from depths(b, depth + 1)


def count(fn: Function, kind: type[Stmt], **options: bool) -> int:
    """Statements of a kind in the reverse version of a function."""
    return sum(isinstance(s, kind) for s in statements(reverse(fn, ACTIVE, **options).body))


# what is left out asks for nothing
def idle_stores(branch: bool) -> Function:
    """Constants stored at subscripts that are gone later, in a branch or a loop."""
    p = Program()
    w = p.alloc(ArrayT("f8", 3), (const(4), const(2), const(9)))
    k = p.alloc(ArrayT("i8", 1), (const(1),))
    with p.loop(const(0), const(4)) as i:
        at = p.load(k, const(0))
        p.store(k, ZERO, p.op("add", at, const(2)))
        if branch:
            with p.block() as then:
                p.store(w, (i, const(0), at), const(1.0))
            p.if_(p.op("lt", p.load(p.a, i), p.s), Block(tuple(then)), Block(()))
        else:
            with p.loop(const(0), const(2)) as j:
                p.store(w, (i, j, at), const(1.0))
        p.accumulate(w, (i, const(0), const(0)), p.op("mul", p.s, p.load(p.a, i)))
    line = (("at", const(2)), ("at", const(0)), ("slice", None, None, None))
    return p.function(p.sum(p.view(w, "index", line, VECTOR)))


def test_nothing_is_recorded_for_a_branch_without_adjoint() -> None:
    fn = idle_stores(branch=True)
    assert not recorded(fn)
    demand(fn)


def test_nothing_is_recorded_for_a_loop_without_adjoint() -> None:
    fn = idle_stores(branch=False)
    assert not recorded(fn)
    demand(fn)


def test_an_idle_loop_is_left_out() -> None:
    """The reverse of a loop and a branch that only count has no statement."""
    p = Program()
    total, arg, i = p.var("k", I8), p.var("k", I8), p.var("i", I8)
    with p.block() as body:
        step = p.var("step", I8)
        p.if_(p.op("lt", p.load(p.a, i), p.s), Block((), (const(1),)), Block((), (i,)), (step,))
        after = p.op("add", arg, step)
    carried = (Carried(total, arg, const(0)),)
    p.for_(i, const(0), const(4), const(1), carried, Block(tuple(body), (after,)))
    out = p.op("sin", p.op("mul", p.s, p.op("f8", total)))
    fn = p.function(out)
    both = [s for s in statements(reverse(fn, ACTIVE).body) if isinstance(s, (For, If))]
    assert len(both) == 2
    demand(fn)


def test_a_call_without_influence_is_not_repeated() -> None:
    q = Program()
    callee = q.function(q.op("sin", q.s), name="g")
    p = Program()
    p.emit(Call((p.var("y", F8),), "g", (p.s, p.a, p.m, p.n)))
    fn = p.function(p.op("cos", p.s), g=callee)
    assert count(fn, Call) == 1
    demand(fn, order=1)


def test_an_operation_without_influence_has_no_adjoint() -> None:
    """Neither of a result that nothing uses nor of operands that do not vary."""
    p = Program()
    q = p.alloc(MATRIX, (const(4), const(4)))
    (w,) = p.array_op("matmul", (MATRIX,), q, q)
    p.array_op("matmul", (VECTOR,), p.m, p.a)
    fn = p.function(p.sum(p.a), w)
    assert count(fn, ArrayOp) == 2
    demand(fn, order=1)


def test_a_result_that_does_not_vary_has_no_shadow() -> None:
    p = Program()
    w = p.alloc(VECTOR, (const(2),))
    fn = p.function(w, p.op("sin", p.s))
    assert count(fn, Alloc, allocate=False) == 1
    demand(fn, order=1)


def test_loops_with_known_trips_have_no_counter() -> None:
    p = Program()
    with p.loop(const(0), p.n, const(1)) as i:
        p.store(p.a, (p.op("mod", i, const(4)),), p.s)
    fn = p.function(p.sum(p.a))
    made = reverse(fn, ACTIVE)
    assert not any(isinstance(s, While) for s in statements(made.body))
    integers = [c for s in statements(made.body) if isinstance(s, For) for c in s.carried]
    assert all(c.arg.type == F8 for c in integers)
    demand(fn, order=1)


def test_a_carried_array_is_adopted() -> None:
    """The adjoint handed into a reverse iteration is the shadow, not added to another one."""
    p = Program()
    u, i, end = p.var("u", VECTOR), p.var("i", I8), p.var("u", VECTOR)
    with p.block() as body:
        new = p.alloc(VECTOR, (const(4),), zero=False)
        with p.loop(const(0), const(4)) as k:
            p.store(new, (k,), p.op("sin", p.load(u, k)))
    p.for_(i, const(0), p.n, const(1), (Carried(end, u, p.a),), Block(tuple(body), (new,)))
    fn = p.function(p.sum(end))
    inside = [d for d, s in depths(reverse(fn, ACTIVE).body) if isinstance(s, Alloc) and d]
    assert len(inside) == 2  # of the new array, and the shadow of the old one
    demand(fn)


# where and how often values are fetched
def test_a_value_is_fetched_once() -> None:
    """From its tape, although three statements need it."""
    p = Program()
    x, out, i = p.var("x", F8), p.var("x", F8), p.var("i", I8)
    with p.block() as body:
        y = p.op("mul", p.op("mul", p.op("sin", x), p.op("cos", x)), p.op("exp", p.op("neg", x)))
    p.for_(i, const(0), const(4), const(1), (Carried(out, x, p.s),), Block(tuple(body), (y,)))
    fn = p.function(out)
    made, report = reverse_with_report(fn, ACTIVE)
    (tape,) = {r.tape for r in report.residuals if r.primal == x.name}
    assert tape
    loads = [s for s in statements(made.body) if isinstance(s, Load) and s.array.name == tape]
    assert len(loads) == 1
    demand(fn)


def test_a_position_is_computed_once() -> None:
    """Where an iteration writes on tapes, however many there are."""
    p = Program()
    w = p.alloc(VECTOR, (const(2),))
    p.store(w, ZERO, p.s)
    with p.loop(const(0), p.n), p.loop(const(0), p.n):
        for k in (const(0), const(1)):
            p.store(w, (k,), p.op("sin", p.load(w, k)))
    fn = p.function(p.sum(w))
    assert sum(k == "preallocated" for k in kinds(fn).values()) == 2
    made = reverse(fn, ACTIVE)
    rows = [s for s in statements(made.body) if isinstance(s, Op) and s.target.hint == "at"]
    assert len(rows) == 4  # a product and a sum, in either sweep
    demand(fn, order=1)


def test_a_value_is_fetched_outside_inner_loops() -> None:
    """A value of the outer loop is not read again in each trip of the inner one."""
    p = Program()
    x, out, i = p.var("x", F8), p.var("x", F8), p.var("i", I8)
    w = p.alloc(VECTOR, (const(4),))
    with p.block() as body:
        with p.loop(const(0), const(4)) as j:
            p.accumulate(w, (j,), p.op("mul", x, p.load(p.a, j)))
        y = p.op("sin", p.op("add", x, p.load(w, const(1))))
    p.for_(i, const(0), const(4), const(1), (Carried(out, x, p.s),), Block(tuple(body), (y,)))
    fn = p.function(out, p.sum(w))
    made, report = reverse_with_report(fn, ACTIVE)
    (tape,) = {r.tape for r in report.residuals if r.primal == x.name}
    found = [d for d, s in depths(made.body) if isinstance(s, Load) and s.array.name == tape]
    assert found == [1]
    demand(fn)


def test_a_branch_hands_out_only_adjoints_of_what_is_outside() -> None:
    """The adjoint of a determinant taken inside a branch ends there."""
    p = Program()
    q = p.alloc(MATRIX, (const(2), const(2)))
    with p.loop(const(0), const(2)) as i, p.loop(const(0), const(2)) as j:
        p.store(q, (i, j), p.load(p.m, i, p.op("add", i, j)))
    with p.block() as then:
        (d,) = p.array_op("det", (F8,), q)
        x = p.op("mul", d, p.s)
    out = p.var("y", F8)
    p.if_(p.op("lt", p.s, const(1.0)), Block(tuple(then), (x,)), Block((), (p.s,)), (out,))
    fn = p.function(out)
    branches = [s for s in statements(reverse(fn, ACTIVE).body) if isinstance(s, If)]
    assert len(branches[-1].results) == 1
    demand(fn)


# what is recorded
def test_costly_chains_are_recorded() -> None:
    """A dozen operations are not repeated for one number."""
    p = Program()
    with p.loop(const(0), const(4)) as i:
        y = p.load(p.m, const(0), i)
        for _ in range(12):
            y = p.op("add", y, p.s)
        p.accumulate(p.a, (i,), p.op("sin", y))
    fn = p.function(p.sum(p.a))
    assert "preallocated" in kinds(fn).values()
    demand(fn, order=1)


def chain(length: int, subscripts: bool) -> Function:
    """A long chain of integer operations: each a subscript, or the last a trip count."""
    p = Program()
    w = p.alloc(VECTOR, (const(1),))
    p.store(w, ZERO, p.s)
    with p.loop(const(0), const(3)) as i:
        k = p.op("sub", i, p.n)
        for n in range(length):
            k = p.op("sub" if n % 2 else "add", k, const(1 + n % 3))
            if subscripts:
                x = p.load(p.a, p.op("mod", k, const(4)))
                p.accumulate(w, ZERO, p.op("sin", x))
        if not subscripts:
            with p.loop(const(0), p.op("mod", k, const(3))):
                p.store(w, ZERO, p.op("sin", p.op("mul", p.load(w, *ZERO), p.s)))
    return p.function(p.load(w, *ZERO))


def test_long_chains_to_a_trip_count() -> None:
    """A count that takes long to compute is not computed again; nothing recurses without end."""
    assert set(kinds(chain(1500, False)).values()) >= {"preallocated", "list"}
    demand(chain(40, False), order=1)


def test_long_chains_of_subscripts() -> None:
    """Each is cheap given the one before, but not all of them from the first."""
    assert "preallocated" in kinds(chain(300, True)).values()
    demand(chain(40, True), order=1)


def test_trip_counts_from_shared_operands() -> None:
    """Each operation is looked at once and repeated once, although all are used twice."""
    p = Program()
    w = p.alloc(VECTOR, (const(1),))
    p.store(w, ZERO, p.s)
    with p.loop(const(0), const(2)):
        k = p.op("add", p.n, const(1))
        for _ in range(25):
            k = p.op("add", k, k)
        with p.loop(const(0), p.op("mod", k, const(3))):
            p.store(w, ZERO, p.op("sin", p.op("mul", p.load(w, *ZERO), p.s)))
    fn = p.function(p.load(w, *ZERO))
    assert recorded(fn) == {"preallocated"}
    demand(fn, order=1)


def test_many_loops_with_bounds_of_their_own() -> None:
    """Every bound is had before the nest, however many there are."""
    p = Program()
    w = p.alloc(VECTOR, (const(1),))
    p.store(w, ZERO, p.s)
    with p.loop(const(0), const(2)):
        for k in range(40):
            with p.loop(const(0), p.op("add", p.n, const(k - 2))):
                p.store(w, ZERO, p.op("sin", p.op("mul", p.load(w, *ZERO), p.s)))
    assert recorded(p.function(p.load(w, *ZERO))) == {"preallocated"}


def test_trip_counts_from_shapes() -> None:
    """The size of an array, asked for inside a loop, bounds a loop with a tape."""
    p = Program()
    w = p.alloc(VECTOR, (const(1),))
    p.store(w, ZERO, p.s)
    with p.loop(const(0), const(2)):
        same = p.view(p.a, "same", (), VECTOR)
        with p.loop(const(0), p.op("sub", p.dim(same, 0), const(1))):
            p.store(w, ZERO, p.op("sin", p.op("mul", p.load(w, *ZERO), p.s)))
    fn = p.function(p.load(w, *ZERO))
    assert recorded(fn) == {"preallocated"}
    demand(fn)


def test_values_that_might_be_read_where_they_are_stored() -> None:
    """Whether they can is asked once: each subscript is made of the value before."""
    p = Program()
    with p.loop(const(0), const(2)):
        x = p.op("sin", p.load(p.a, const(0)))
        p.store(p.a, ZERO, x)
        for _ in range(40):
            w = p.alloc(VECTOR, (const(2),))
            at = p.op("i8", x)
            x = p.op("add", x, const(0.01))
            p.store(w, (at,), x)
        p.accumulate(p.a, ZERO, p.op("sin", x))
    demand(p.function(p.sum(p.a)), order=1)
