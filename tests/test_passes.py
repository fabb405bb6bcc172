"""The clean-up passes: what they find in small cases, and that they change no result anywhere.

Hand-built cases look at the text after a pass; random programs (``pass_programs``) are run by
the reference interpreter before and after each pass.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcad.backends.reference import run as execute
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Carried, Function, Var
from srcad.ir.text import text
from srcad.ir.types import B1, F8, I8, ArrayT, ListT, Type
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.sums import summed
from srcad.transforms import (
    accumulate,
    checks,
    cse,
    dead_code,
    hoist,
    induction,
    scalarise,
    simplify,
)
from tests.pass_programs import program

VECTOR = ArrayT("f8", 1)


def cleanup(fn: Function) -> Function:
    """All passes, in an order in which they help each other."""
    for p in (simplify, cse, induction, simplify, cse, dead_code):
        fn = p.run(fn)
    return fn


PASSES: dict[str, Callable[[Function], Function]] = {
    "simplify": simplify.run,
    "cse": cse.run,
    "hoist": hoist.run,
    "checks": lambda fn: checks.run(hoist.run(fn)),
    "scalarise": scalarise.run,
    "induction": induction.run,
    "dead_code": dead_code.run,
    "sums": lambda fn: summed(accumulate.run(fn)),
    "cleanup": cleanup,
}


class Case(Builder):
    """A builder that ends in a function."""

    def __init__(self, **params: Type) -> None:
        super().__init__(Namer())
        self.params = tuple(self.var(n, t) for n, t in params.items())

    def body(self, p: Callable[[Function], Function], *yields: Any) -> list[str]:
        """The lines of the function's body after a pass."""
        fn = Function("f", self.params, Block(tuple(self.stack[0]), yields))
        verify(fn)
        after = p(fn)
        verify(after)
        return [line.strip() for line in text(after).splitlines()[1:]]


def canonical(value: Any) -> Any:
    """A value in a form that compares bit for bit, any NaN equal to any other."""
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), [canonical(v) for v in value.ravel().tolist()]
    if isinstance(value, float):
        return "nan" if value != value else value.hex()
    return type(value).__name__, value


def observe(fn: Function, args: list[Any]) -> tuple[Any, ...]:
    """All that a caller can see: results or exception, output, contents of the arguments."""
    copies: dict[int, Any] = {}
    mine = [copies.setdefault(id(a), np.copy(a)) if isinstance(a, np.ndarray) else a for a in args]
    printed, results, error = io.StringIO(), None, ""
    with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
        try:
            results = [canonical(r) for r in execute(fn, tuple(mine))]
        except ValueError as e:
            error = repr(e)
    return results, error, printed.getvalue(), [canonical(a) for a in mine]


def size(fn: Function) -> int:
    """How many statements there are."""
    return len(list(statements(fn.body)))


@pytest.mark.parametrize("block", range(10))
def test_random_programs_behave_the_same(block: int) -> None:
    for seed in range(block * 25, block * 25 + 25):
        fn, args = program(seed)
        verify(fn)
        before = observe(fn, args)
        for name, p in PASSES.items():
            after = p(fn)
            verify(after)
            assert all(c.callees is after.callees for c in after.callees.values())
            assert observe(after, args) == before, (name, seed)


def test_second_run_finds_little() -> None:
    sizes = np.zeros(3)
    for seed in range(60):
        fn, _ = program(seed)
        once = cleanup(fn)
        sizes += size(fn), size(once), size(cleanup(once))
    assert sizes[1] < 0.5 * sizes[0]
    assert sizes[2] > 0.98 * sizes[1]


def test_random_programs_do_not_depend_on_stated_distinctness() -> None:
    for seed in range(40):
        fn, args = program(seed)
        args[4] = args[4].copy()
        assert observe(cse.run(fn, distinct=True), args) == observe(fn, args), seed


# dead code
def test_carried_values_that_only_feed_each_other_go() -> None:
    c = Case(x=F8)
    a, b, keep = (c.var(n, F8) for n in ("a", "b", "keep"))
    ends = [c.var(n + "_end", F8) for n in ("a", "b", "keep")]
    with c.block() as body:
        yields = (c.op("add", b, a), c.op("sin", a), c.op("mul", keep, c.params[0]))
    carried = tuple(map(Carried, ends, (a, b, keep), c.params * 3))
    c.for_(c.var("i", I8), ZERO, const(4), ONE, carried, Block(tuple(body), yields))
    lines = c.body(dead_code.run, ends[2])
    assert lines[0] == "for i in range(0, 4, 1) carrying keep: f8 = x -> keep_end:"
    assert len(lines) == 4


def test_stores_into_arrays_that_only_feed_themselves_go() -> None:
    c = Case(x=F8, v=VECTOR)
    a = c.alloc(VECTOR, (const(3),))
    same = c.view(a, "same", (), VECTOR)
    c.store(same, (ZERO,), c.op("add", c.load(a, ZERO), c.params[0]))
    c.accumulate(c.params[1], (ZERO,), c.params[0])
    assert c.body(dead_code.run) == ["v[0] += x"]


@pytest.mark.parametrize("reader", ["load", "list", "result", "call", "branch", "loop", "lists"])
def test_stores_that_are_read_elsewhere_stay(reader: str) -> None:
    c = Case(x=F8, flag=B1)
    x, flag = c.params
    a = c.alloc(VECTOR, (const(3),), hint="a")
    yields: tuple[Any, ...] = ()
    other: Var = a
    if reader == "list":
        rows = c.alloc(ListT(VECTOR))
        c.reserve(rows, ONE)
        c.store(rows, (ZERO,), a)
        other = c.load(rows, ZERO)
    elif reader == "branch":
        other = c.var("r", VECTOR)
        c.if_(flag, Block((), (c.alloc(VECTOR, (ONE,)),)), Block((), (a,)), (other,))
    elif reader == "loop":
        other = c.var("r", VECTOR)
        carried = Carried(other, c.var("c", VECTOR), c.alloc(VECTOR, (ONE,)))
        c.for_(c.var("i", I8), ZERO, const(2), ONE, (carried,), Block((), (a,)))
    elif reader == "lists":
        pair = [c.alloc(ListT(VECTOR)) for _ in range(2)]
        c.reserve(pair[0], ONE)
        c.store(pair[0], (ZERO,), a)
        both = c.var("r", ListT(VECTOR))
        c.if_(flag, Block((), (pair[0],)), Block((), (pair[1],)), (both,))
        other = c.load(both, ZERO)
    c.store(a, (ZERO,), x)
    callees: dict[str, Function] = {}
    if reader == "result":
        yields = (a,)
    elif reader == "call":
        p = c.var("p", VECTOR)
        callees["g"] = Function("g", (p,), Block(()), callees)
        c.emit(Call((), "g", (a,)))
    else:
        yields = (c.load(other, ZERO),)
    fn = Function("f", c.params, Block(tuple(c.stack[0]), yields), callees)
    verify(fn)
    assert "    a[0] = x" in text(dead_code.run(fn)).splitlines()


def test_checks_go_only_when_asked() -> None:
    c = Case(flag=B1)
    with c.loop(ZERO, const(2)):
        c.check(c.op("not", c.params[0]), "ValueError", "no")
    assert len(c.body(dead_code.run)) == 3
    assert c.body(lambda f: dead_code.run(f, keep_checks=False)) == ["pass"]


def test_recursive_functions_share_the_new_dictionary() -> None:
    c = Case(x=F8)
    c.op("sin", c.params[0])
    y = c.var("y", F8)
    callees: dict[str, Function] = {}
    c.emit(Call((y,), "f", c.params))
    fn = callees["f"] = Function("f", c.params, Block(tuple(c.stack[0]), (y,)), callees)
    after = dead_code.run(fn)
    assert after.callees["f"] is after and after.callees is not fn.callees
    assert size(after) == 1 and size(fn) == 2


# simplify
def test_floats_are_not_rearranged() -> None:
    c = Case(x=F8)
    (x,) = c.params
    zero = const(0.0)
    pairs: list[tuple[str, Atom]] = [("add", zero), ("mul", zero), ("sub", x), ("eq", x)]
    for name, a in pairs:
        c.op(name, x, a)
    c.op("not", c.op("lt", x, zero))
    assert len(c.body(simplify.run)) == 6


def test_zeros_of_different_sign_are_different_results() -> None:
    c = Case(flag=B1)
    r = c.var("r", F8)
    c.if_(c.params[0], Block((), (const(0.0),)), Block((), (const(-0.0),)), (r,))
    assert c.body(simplify.run, r)[0] == "if flag -> r: f8:"


def test_conditions_are_known_inside_their_branch() -> None:
    c = Case(p=B1, q=B1)
    p, q = c.params
    inner, outer = c.var("inner", F8), c.var("outer", F8)
    with c.block() as then:
        c.if_(q, Block((), (const(1.0),)), Block((), (const(2.0),)), (inner,))
    both = c.op("and", p, q, hint="both")
    c.if_(both, Block(tuple(then), (inner,)), Block((), (const(2.0),)), (outer,))
    assert c.body(simplify.run, outer)[:3] == [
        "both: b1 = and(p, q)",
        "if both -> outer: f8:",
        "yield 1.0",
    ]


def test_dimensions_of_parameters_are_asked_once() -> None:
    c = Case(m=ArrayT("f8", 2), flag=B1)
    m, flag = c.params
    with c.block() as then:
        t = c.view(m, "transpose", (1, 0), ArrayT("f8", 2, "F"))
        a = c.alloc(VECTOR, (c.dim(t, 0),))
        c.store(a, (ZERO,), const(1.0))
        inner = c.load(a, c.op("sub", c.dim(a, 0), ONE))
    r = c.var("r", F8)
    c.if_(flag, Block(tuple(then), (inner,)), Block((), (const(0.0),)), (r,))
    lines = c.body(simplify.run, r)
    assert sum("dim(" in line for line in lines) == 1 and lines[0] == "n: i8 = dim(m, 1)"


@pytest.mark.parametrize("other_size", [3, 4])
def test_swapped_arrays_keep_a_shape_they_share(other_size: int) -> None:
    c = Case(n=I8)
    u, v = c.alloc(VECTOR, (const(3),)), c.alloc(VECTOR, (const(other_size),))
    p, q, p_end, q_end = (c.var(n, VECTOR) for n in ("p", "q", "p_end", "q_end"))
    with c.block() as body:
        c.store(p, (ZERO,), c.op("f8", c.dim(q, 0)))
    c.for_(
        c.var("i", I8),
        ZERO,
        c.params[0],
        ONE,
        (Carried(p_end, p, u), Carried(q_end, q, v)),
        Block(tuple(body), (q, p)),
    )
    lines = c.body(simplify.run, p_end)
    assert any("dim(" in line for line in lines) == (other_size == 4)


def test_loops_that_run_once_or_never_are_unrolled() -> None:
    c = Case(x=F8, v=VECTOR)
    x, v = c.params
    ends = [c.var("end", F8) for _ in range(2)]
    for stop, end in zip((1, 0), ends, strict=True):
        s = c.var("s", F8)
        with c.block() as body:
            c.store(v, (ZERO,), s)
        c.for_(
            c.var("i", I8),
            ZERO,
            const(stop),
            ONE,
            (Carried(end, s, x),),
            Block(tuple(body), (const(2.5),)),
        )
    assert c.body(simplify.run, *ends) == ["v[0] = x", "return 2.5, x"]


# common subexpressions
@pytest.mark.parametrize("aliased", [False, True])
def test_loads_are_shared_until_the_storage_may_change(aliased: bool) -> None:
    c = Case(v=VECTOR, w=VECTOR)
    v, w = c.params
    other = w if aliased else c.alloc(VECTOR, (const(3),))
    first = c.load(v, ZERO)
    c.store(other, (ZERO,), const(1.0))
    second = c.load(v, ZERO)
    total = c.op("add", first, second)
    lines = c.body(cse.run, total)
    assert sum(line.endswith("= v[0]") for line in lines) == (2 if aliased else 1)
    lines = c.body(lambda f: cse.run(f, distinct=True), total)
    assert sum(line.endswith("= v[0]") for line in lines) == 1


def test_calls_end_what_is_known_of_the_arrays_they_get() -> None:
    c = Case(v=VECTOR)
    callees: dict[str, Function] = {}
    p = c.var("p", VECTOR)
    callees["g"] = Function("g", (p,), Block(()), callees)
    for array in (*c.params, c.alloc(VECTOR, (ONE,), hint="a")):
        c.store(array, (ZERO,), const(1.0))
        c.load(array, ZERO)
        c.emit(Call((), "g", (array,)))
        c.load(array, ZERO)
    lines = text(cse.run(Function("f", c.params, Block(tuple(c.stack[0])), callees)))
    assert [lines.count(f"= {name}[0]") for name in "va"] == [1, 1]


def test_a_stored_value_comes_back_as_its_element_type() -> None:
    c = Case(big=I8)
    (big,) = c.params
    loaded = []
    for dtype in ("i4", "i8"):
        a = c.alloc(ArrayT(dtype, 1), (ONE,))
        c.store(a, (ZERO,), big)
        loaded.append(c.load(a, ZERO))
    assert c.body(cse.run, *loaded)[-1] == f"return {loaded[0].name}, big"


def test_a_loops_own_writes_count_before_its_body() -> None:
    c = Case(v=VECTOR)
    (v,) = c.params
    c.store(v, (ONE,), c.load(v, ZERO))
    with c.loop(ZERO, const(2)):
        t = c.load(v, ZERO)
        c.store(v, (ZERO,), c.op("sin", t))
    assert sum(line.endswith("= v[0]") for line in c.body(cse.run)) == 2


def test_branches_share_with_what_is_before_but_not_with_each_other() -> None:
    c = Case(x=F8, flag=B1)
    x, flag = c.params
    r = c.var("r", F8)
    before = c.op("sin", x)
    parts = []
    for _ in range(2):
        with c.block() as stmts:
            y = c.op("mul", c.op("sin", x), c.op("cos", x))
        parts.append(Block(tuple(stmts), (y,)))
    c.if_(flag, parts[0], parts[1], (r,))
    lines = c.body(cse.run, r, before)
    assert [sum(name in line for line in lines) for name in ("sin(", "cos(")] == [1, 2]
