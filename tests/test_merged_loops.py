"""Neighbouring loops as one: which are, which must not be, and that no bit of a result changes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import srcad
from srcad.backends.reference import run as execute
from srcad.compiler import finished
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Block, Carried, For, Function, If, Loc, Var
from srcad.ir.types import F8, I8, ArrayT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.loops import merged
from srcad.storage.loops.sparse import skipping
from srcad.storage.strips import in_strips
from srcad.transforms.separate import separated

VECTOR, STRIDED = ArrayT("f8", 1), ArrayT("f8", 1, "A")
ZERO_F = const(0.0)
SPARE = 3  # elements at both ends of an array, for subscripts that are shifted


class Sequence(Builder):
    """Loops over the same sizes, one after the other, on arrays ``a``, ``b``, ``c`` and ``x``."""

    def __init__(self) -> None:
        super().__init__(Namer(), Loc("f.py", 1))
        self.x, self.n = self.var("x", VECTOR), self.var("n", I8)
        self.y = self.var("y", VECTOR)
        size = self.op("add", self.n, const(2 * SPARE), hint="size")
        self.size = size
        self.arrays: dict[str, Var] = {"x": self.x, "y": self.y}
        for name in "abc":
            self.arrays[name] = self.alloc(VECTOR, (size,), name != "c", name)
        self.pass_over(ZERO, size, ONE, [("store", "c", 0, 0.5)])

    def pass_over(self, start, stop, step, body) -> None:
        """A loop: ``(what, array, shift, value)``, the value a number or an array and a shift."""
        with self.loop(start, stop, step) as i:
            for what, array, shift, value in body:
                if isinstance(value, tuple):
                    source, by = value
                    value = self.load(self.arrays[source], self.op("add", i, const(by)))
                    value = self.op("mul", value, const(1.5))
                at = (self.op("add", i, const(shift)),)
                getattr(self, what)(self.arrays[array], at, _atom(value))

    def inner(self, body, stop: int = 0, step: int = 1) -> None:
        """A loop over all elements but the spare ones (and ``stop`` more)."""
        first, last = const(SPARE), self.op("sub", self.size, const(SPARE + stop))
        if step < 0:
            first, last = self.op("sub", last, ONE), const(SPARE - 1)
        self.pass_over(first, last, const(step), body)

    def done(self, results: str = "abc") -> Function:
        yields = tuple(self.load(self.arrays[r], const(k)) for r in results for k in (0, 3))
        arrays = tuple(self.arrays[r] for r in results)
        params = (self.x, self.y, self.n)
        return Function("f", params, Block(tuple(self.stack[0]), (*arrays, *yields)))


def _atom(value):
    return const(value) if isinstance(value, float) else value


def loops(fn: Function) -> int:
    return sum(isinstance(s, For) for s in statements(fn.body))


def unchanged(fn: Function, same: bool = False) -> Function:
    """``merged(fn)``, which gives the same bits and leaves the same in its arguments."""
    verify(fn)
    after = merged(fn)
    verify(after)
    for n in (0, 1, 2, 5):
        x = np.random.default_rng(n).normal(size=n + 2 * SPARE)
        x[n // 2] = math.nan
        y = x[::-1].copy()
        one, two = [x.copy(), y.copy(), n], [x.copy(), y.copy(), n]
        if same:
            one[1], two[1] = one[0], two[0]
        for u, v in zip((*execute(fn, one), *one), (*execute(after, two), *two), strict=True):
            np.testing.assert_array_equal(u, v)
    return after


# neighbours: what the second loop does with ``a``, which the first one writes at ``i``
SECOND: dict[str, tuple[list, bool]] = {
    "same element": ([("store", "b", 0, ("a", 0))], True),
    "element not yet written": ([("store", "b", 0, ("a", 1))], False),
    "element of the iteration before": ([("store", "b", 0, ("a", -1))], False),
    "written again": ([("store", "a", 0, ("x", 0))], True),
    "written again, earlier": ([("store", "a", -1, ("x", 0))], True),
    "written again, later": ([("store", "a", 1, ("x", 0))], False),
    "added to": ([("accumulate", "a", 0, ("x", 0))], True),
    "what the first has read": ([("store", "x", -1, 1.0), ("store", "b", 0, ("a", 0))], True),
    "what the first will read": ([("store", "x", 1, 1.0), ("store", "b", 0, ("a", 0))], False),
    "an argument that may be the same": ([("store", "y", 0, ("a", 0))], False),
    "nothing in common": ([("store", "b", 0, 2.0)], False),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
def test_two_loops_are_one_where_the_order_of_accesses_stays(name: str) -> None:
    body, fires = SECOND[name]
    case = Sequence()
    case.inner([("store", "a", 0, ("x", 0))])
    case.inner(body)
    fn = case.done()
    after = unchanged(fn)
    assert (loops(after) < loops(fn)) == fires
    unchanged(fn, same=True)  # both arguments are one array


def test_from_the_end_the_order_is_the_other_one() -> None:
    for shift, fires in ((-1, False), (0, True), (1, False)):
        case = Sequence()
        case.inner([("store", "a", 0, ("x", 0))], step=-1)
        case.inner([("store", "b", 0, ("a", shift))], step=-1)
        fn = case.done()
        assert (loops(unchanged(fn)) < loops(fn)) == fires


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_ranges_of_unknown_size_are_not_cut(stop: int) -> None:
    """``n`` may be too small for an iteration at the end to exist."""
    case = Sequence()
    case.inner([("store", "a", 0, ("x", 0))])
    case.inner([("store", "b", 0, ("a", 0))], stop=stop)
    fn = case.done()
    assert loops(unchanged(fn)) == loops(fn)


def chain(x):
    """An iteration more in every second loop; the first one is made by hand."""
    n = len(x)
    a, b = np.empty(n), np.empty(n)
    a[0] = x[0]
    for i in range(1, n):
        a[i] = x[i] * x[i - 1]
    for i in range(n):
        b[i] = a[i] * a[i] + x[i]
    total = 0.0
    for i in range(n):
        total += b[i]
    return total


def stages(x, steps):
    """An array filled three times a step."""
    n = len(x)
    y, at, k = np.zeros(n), np.empty(n), np.empty(n)
    for _ in range(steps):
        for i in range(n):
            at[i] = y[i] + 0.5 * x[i]
        k[0] = x[0]
        for i in range(1, n):
            k[i] = x[i] * at[i - 1]
        for i in range(n):
            at[i] = y[i] + 0.3 * k[i]
        for i in range(n):
            y[i] += math.sin(at[i]) * 0.1
    return y.sum()


def soft(x):
    """What is recorded is read for the last time where the adjoint is written."""
    top = x[0]
    for i in range(1, len(x)):
        if x[i] > top:
            top = x[i]
    s = 0.0
    for i in range(len(x)):
        s += math.exp(x[i] - top)
    return math.log(s) + top


def raising(x):
    """The check stands between the loops, and its message is of the first one's making."""
    a = np.empty(len(x))
    for i in range(len(x)):
        a[i] = x[i] * 2.0
    if a[0] > 10.0:
        raise ValueError("too large")
    total = 0.0
    for i in range(len(x)):
        total += a[i] * x[i]
    return total


def last(x):
    """The second loop starts from what the first one ends with."""
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    more = total
    for i in range(len(x)):
        more = more * 0.5 + x[i] * x[i]
    return more


PROGRAMS: list[tuple[Callable, tuple, int]] = [  # loops of the gradient's code at most
    (chain, (), 2),
    (stages, (3,), 8),
    (soft, (), 4),
    (raising, (), 2),
    (last, (), 2),
]


COMPILED = (stages,)


def gradient(f: Callable, args: tuple) -> Function:
    g = srcad.grad(f, backend="reference", verify=True)
    return finished(g.program(g.specs(g.bind(args, {}))))


@pytest.mark.parametrize(("f", "more", "count"), PROGRAMS, ids=lambda v: getattr(v, "__name__", ""))
def test_gradients(f: Callable, more: tuple, count: int) -> None:
    """The code has so few loops, and gives what differences of the plain function give."""
    x = np.array([0.3, -0.2, 0.7, 0.1])
    found = srcad.grad(f, backend="reference")(x, *more)
    for k in range(len(x)):
        step = np.zeros(4)
        step[k] = 1e-6
        expected = (f(x + step, *more) - f(x - step, *more)) / 2e-6
        assert abs(found[k] - expected) < 1e-7 * max(1.0, abs(expected))
    assert loops(gradient(f, (x, *more))) <= count
    one = np.array([0.4])
    alone = srcad.grad(f, backend="reference")(one, *more)
    assert np.isfinite(alone).all()
    if f in COMPILED:
        np.testing.assert_allclose(srcad.grad(f)(one, *more), alone, rtol=1e-14)
        np.testing.assert_allclose(srcad.grad(f)(x, *more), found, rtol=1e-13)


def test_what_raises_still_raises() -> None:
    with pytest.raises(ValueError, match="too large"):
        srcad.grad(raising, backend="reference")(np.array([6.0, 1.0]))


def test_a_tape_becomes_the_adjoint() -> None:
    """One array of the size of the argument, and it is not cleared."""
    fn = gradient(soft, (np.ones(3),))
    floats = [s for s in statements(fn.body) if isinstance(s, Alloc) and s.target.type == VECTOR]
    assert [(s.target.name, s.zero) for s in floats] == [("x_b", False)]


def test_an_array_filled_again_is_another_one_but_for_the_last_filling() -> None:
    case = Sequence()
    for value in ("x", "y", "x"):
        case.pass_over(ZERO, case.size, ONE, [("store", "a", 0, (value, 0))])
        case.inner([("accumulate", "b", 0, ("a", -1))])
    fn = case.done("bc")
    after = separated(fn, {"a"})
    assert after is not None
    assert sum(isinstance(s, Alloc) for s in statements(after.body)) == 5
    x = np.arange(8.0)
    for u, v in zip(execute(fn, (x, 2 * x, 2)), execute(after, (x, 2 * x, 2)), strict=True):
        np.testing.assert_array_equal(u, v)


@pytest.mark.parametrize("break_it", ["part", "read", "view"])
def test_an_array_that_is_not_filled_stays_one(break_it: str) -> None:
    case = Sequence()
    for value in ("x", "y"):
        if break_it == "part":
            case.inner([("store", "a", 0, (value, 0))])
        else:
            body = [("store", "a", 0, ("a" if break_it == "read" else value, 0))]
            case.pass_over(ZERO, case.size, ONE, body)
        case.inner([("accumulate", "b", 0, ("a", -1))])
    if break_it == "view":
        v = case.view(case.arrays["a"], "same", (), STRIDED)
        case.store(v, (ZERO,), const(1.0))
    assert separated(case.done("bc"), {"a"}) is None


def random_sequence(seed: int) -> Function:
    """Loops with shifted subscripts over arrays, arguments and views that overlap."""
    rng = random.Random(seed)
    case = Sequence()
    if rng.random() < 0.3:
        first = ("slice", const(1), None, None)
        case.arrays["v"] = case.view(case.arrays["a"], "index", (first,), VECTOR, "v")
    names = list(case.arrays)
    for _ in range(rng.randint(3, 7)):
        case.loc = Loc("f.py", 1, role=rng.choice(["primal", "adjoint"]))
        body = [
            (
                rng.choice(["store", "store", "accumulate"]),
                rng.choice(names[1:]),
                rng.choice([0, 0, 0, -1, 1]),
                rng.choice([0.0, 1.0, (rng.choice(names), rng.choice([0, 0, 0, -1, 1]))]),
            )
            for _ in range(rng.choice([1, 1, 2]))
        ]
        kind = rng.random()
        if kind < 0.3:
            plain = [(w, a, 0, (v[0], 0) if isinstance(v, tuple) else v) for w, a, _, v in body]
            if all(a != "v" for _, a, _, _ in plain) and all(
                v[0] != "v" for *_, v in plain if isinstance(v, tuple)
            ):
                case.pass_over(ZERO, case.size, ONE, plain)
        else:
            case.inner(body, stop=rng.choice([0, 0, 0, 1]), step=-1 if kind > 0.85 else 1)
        if rng.random() < 0.4:
            at = const(rng.randrange(2 * SPARE))
            what, array = rng.choice(["store", "load"]), case.arrays[rng.choice(names[:-1])]
            if what == "store":
                case.store(array, (at,), const(rng.choice([0.0, 2.0])))
            else:
                t = case.op("add", case.load(array, at), const(1.0))
                case.store(case.arrays["b"], (const(1),), t)
    return case.done(rng.choice(["abc", "bc", "b", "c"]))


def test_random_sequences() -> None:
    """No bit changes, whether the arguments are two arrays or one; many loops are merged."""
    gone = 0
    for seed in range(150):
        fn = random_sequence(seed)
        gone += loops(fn) - loops(unchanged(fn, same=seed % 3 == 0))
    assert gone > 60


@pytest.mark.parametrize("change", ["", "used twice", "primal", "not carried", "index inside"])
def test_what_is_zero_unless_a_branch_is_taken_is_added_there(change: str) -> None:
    b = Builder(Namer(), Loc("f.py", 1, role="primal" if change == "primal" else "adjoint"))
    a, x = b.var("a", VECTOR), b.var("x", VECTOR)
    rest, add, top, end = (b.var(name, F8) for name in ("rest", "add", "top", "end"))
    i = b.var("i", I8)
    with b.block() as body:
        taken = b.op("gt", b.load(x, i), const(0.5))
        b.if_(taken, Block((), (ZERO_F, top)), Block((), (top, ZERO_F)), (rest, add))
        at = b.op("i8", b.op("mul", rest, const(0.0))) if change == "index inside" else i
        b.accumulate(a, (at,), add)
        if change == "used twice":
            b.store(x, (i,), add)
    following = top if change == "not carried" else rest
    carried = (Carried(end, top, const(1.0)),)
    b.for_(i, ZERO, b.dim(x, 0), ONE, carried, Block(tuple(body), (following,)))
    fn = Function("f", (a, x), Block(tuple(b.stack[0]), (end,)))
    verify(fn)
    after = skipping(fn)
    verify(after)
    branch = next(s for s in statements(after.body) if isinstance(s, If))
    assert bool(branch.then.stmts + branch.orelse.stmts) == (change == "")
    for values in ([0.1, 0.9, 0.7], [0.1], []):
        one, two = ([np.zeros(3), np.array(values)] for _ in range(2))
        assert execute(fn, one) == execute(after, two)
        np.testing.assert_array_equal(one[0], two[0])


def test_strips_are_summed_from_where_the_program_stores_their_values() -> None:
    """No buffer where each value has an element of its own; one where elements are shared."""
    for own in (True, False):
        b = Builder(Namer(), Loc("f.py", 1))
        x, n = b.var("x", VECTOR), b.var("n", I8)
        kept = b.alloc(VECTOR, (b.op("add", n, const(1)),), hint="kept")
        s, i, out = b.var("s", F8), b.var("i", I8), b.var("out", F8)
        with b.block() as body:
            e = b.op("exp", b.load(x, i))
            b.store(kept, (b.op("add", i, ONE) if own else ZERO,), e)
            y = b.op("add", s, e)
        b.for_(i, ZERO, n, ONE, (Carried(out, s, const(0.0)),), Block(tuple(body), (y,)))
        fn = Function("f", (x, n), Block(tuple(b.stack[0]), (out, kept)))
        after = in_strips(fn, {"exp"})
        verify(after)
        assert sum(isinstance(t, Alloc) for t in statements(after.body)) == (1 if own else 2)
        for size in (0, 1, 700):
            x = np.linspace(-1.0, 1.0, 700)
            for u, v in zip(execute(fn, (x, size)), execute(after, (x, size)), strict=True):
                np.testing.assert_array_equal(u, v)


def test_programs_on_several_threads_stay_as_they_are() -> None:
    """Who shares an array with whom is known for iterations that come one after the other."""
    case = Sequence()
    case.inner([("store", "a", 0, ("x", 0))])
    case.inner([("store", "b", 0, ("a", 0))])
    fn = case.done()
    one = next(s for s in fn.body.stmts if isinstance(s, For))
    stmts = tuple(replace(s, parallel=True) if s is one else s for s in fn.body.stmts)
    fn = replace(fn, body=replace(fn.body, stmts=stmts))
    assert merged(fn) is fn
