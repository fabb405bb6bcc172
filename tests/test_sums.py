"""Sums into one element through a loop: which are made in a local, and that the bits stay."""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad.backends.reference import run as execute
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, For, Function, Load, Store, Var
from srcad.ir.types import I8, ArrayT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.sums import summed

VECTOR, MATRIX = ArrayT("f8", 1), ArrayT("f8", 2)


class Case(Builder):
    """A loop over ``x`` that adds to an element of ``a``, and does something else."""

    def __init__(self, local: bool = True) -> None:
        super().__init__(Namer())
        self.x, self.n = self.var("x", VECTOR), self.var("n", I8)
        self.params: list[Var] = [self.x, self.n]
        size = self.dim(self.x, 0)
        if local:
            self.a = self.alloc(VECTOR, (size,), hint="a")
        else:
            self.a = self.var("a", VECTOR)
            self.params.append(self.a)
        self.size = size

    def done(self) -> Function:
        fn = Function("f", tuple(self.params), Block(tuple(self.stack[0]), (self.a,)))
        verify(fn)
        return fn


def fires(fn: Function) -> bool:
    """Whether the pass changes the loop; the result is the same bits, also without trips."""
    after = summed(fn)
    verify(after)
    for x in (np.array([0.1, 0.7, -0.3, 1e16, 1.0]), np.array([0.3])):
        given = [x, min(2, len(x) - 1), *([x.copy() * 3] if len(fn.params) > 2 else [])]
        one, two = ([np.copy(v) for v in given] for _ in range(2))
        first, second = execute(fn, one), execute(after, two)
        for u, v in zip((*one, *first), (*two, *second), strict=True):
            np.testing.assert_array_equal(u, v)
    carried = [s.carried for s in statements(after.body) if isinstance(s, For)]
    return any(carried)


def loop(case: Case, element: Atom | None, also: str = "", start: Atom = ZERO) -> Function:
    """``a[element] += x[i]``, and more."""
    with case.loop(start, case.size) as i:
        t = case.load(case.x, i)
        case.accumulate(case.a, (i if element is None else element,), t)
        if also == "read after":
            case.store(case.x, (i,), case.load(case.a, i))
        elif also == "check":
            case.check(case.op("lt", t, const(1e300)), "ValueError", "large")
        elif also == "argument":
            case.store(case.x, (i,), const(1.0))
    return case.done()


def test_what_is_carried():
    """An element that the loop leaves alone otherwise, wherever it is known to exist or not."""
    case = Case()
    assert fires(loop(case, case.n))
    assert fires(loop(Case(), ZERO))
    assert not fires(loop(Case(), None))  # another element in each iteration
    assert fires(loop(Case(), ZERO, "read after", ONE))  # read from the second on


@pytest.mark.parametrize("also", ["read after", "check"])
def test_what_stays(also):
    """Elements that the loop may read (``n`` may count from the end), sums left half way."""
    case = Case()
    assert not fires(loop(case, case.n, also))


def test_arguments_that_may_be_one_array():
    """What is passed twice may be read by the loop under another name."""
    case = Case(local=False)
    assert not fires(loop(case, case.n, "argument"))


def test_no_trips_touch_nothing():
    """An element that does not exist is not loaded when nothing is added to it."""
    case = Case()
    fn = summed(loop(case, case.n))
    (found,) = execute(fn, [np.array([]), 7])
    assert found.shape == (0,)
    assert any(isinstance(s, Store) for s in statements(fn.body))


def elimination(a0):
    """The second subscript of what the innermost loop reads stays in it."""
    a = a0.copy()
    n = len(a)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return a[n - 1, n - 1]


def test_innermost_loops_add_to_no_element_that_stays():
    """The gradient keeps the adjoint of ``a[i, k]`` in a local; it is right."""
    rng = np.random.default_rng(2)
    a, t, step = rng.normal(size=(5, 5)) + 4 * np.eye(5), rng.normal(size=(5, 5)), 1e-6
    g = srcad.grad(elimination, backend="reference")
    slope = (elimination(a + step * t) - elimination(a - step * t)) / (2 * step)
    np.testing.assert_allclose(np.sum(g(a) * t), slope, rtol=1e-7)
    lines = srcad.source(g, a).splitlines()
    deepest = max(len(x) - len(x.lstrip()) for x in lines)
    inner = [x for x in lines if len(x) - len(x.lstrip()) == deepest and "+=" in x]
    assert inner and not any("np.uint64(i), np.uint64(k)] +=" in x for x in inner)


def reading(at: str, writes: str) -> tuple[Function, Function]:
    """``a[writes] = x[i] * a[at]`` in a loop of ``i``, before and after the pass."""
    case = Case()
    with case.loop(ONE, case.size) as i:
        places = {"0": ZERO, "n": case.n, "i": i, "last": case.op("sub", case.size, ONE)}
        t = case.op("mul", case.load(case.x, i), case.load(case.a, places[at]))
        case.store(case.a, (places[writes],), t)
    fn = case.done()
    after = summed(fn)
    verify(after)
    for x in (np.array([0.1, 0.7, -0.3, 2.0]), np.array([0.3])):
        one, two = execute(fn, [x, 0]), execute(after, [x, 0])
        np.testing.assert_array_equal(one[0], two[0])
    return fn, after


def inside(fn: Function) -> int:
    """Loads in the loop."""
    (s,) = (s for s in statements(fn.body) if isinstance(s, For))
    return sum(isinstance(t, Load) for t in s.body.stmts)


@pytest.mark.parametrize(
    ("at", "writes", "left"),
    [("0", "i", 1), ("last", "i", 2), ("n", "i", 2), ("i", "i", 2), ("0", "0", 2), ("0", "n", 2)],
)
def test_elements_that_no_write_meets_are_read_once(at, writes, left):
    """``a[0]`` while ``a[1:]`` is written; not ``a[n]``, which may be any, nor ``a[-1]``."""
    fn, after = reading(at, writes)
    assert inside(fn) == 2 and inside(after) == left


def test_elements_that_need_not_exist_are_read_where_there_are_trips():
    """Nothing is read of an array without elements."""
    case = Case()
    b = case.alloc(VECTOR, (case.n,), hint="b")
    with case.loop(ZERO, case.size) as i:
        case.store(case.a, (i,), case.op("mul", case.load(case.x, i), case.load(b, ZERO)))
    fn = case.done()
    after = summed(fn)
    verify(after)
    assert inside(fn) == 2 and inside(after) == 1
    execute(after, [np.array([]), 0])  # the interpreter would notice
    np.testing.assert_array_equal(execute(after, [np.ones(2), 2])[0], np.zeros(2))
