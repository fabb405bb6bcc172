"""The gate before compiled code: what it lets through, what it leaves to the long way, and that it
counts references right."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import njit

import srcad
from srcad.api.ready import Entry
from srcad.backends import gate as gates
from srcad.backends.gate import GROUP, ITEM, PLACE, SINGLE, WHOLE, Into, Plan, entry_point, gate
from srcad.errors import SrcadError

SLOW = object()


def slow(*args: Any, **names: Any) -> Any:
    return SLOW


@njit
def mixed(a: float, x: np.ndarray, n: int, flag: bool) -> Any:
    if x[0, 0] < 0:
        raise ValueError("negative")
    return a + n, x.sum()


X = np.arange(6.0).reshape(2, 3)
GIVEN = (1.5, X, 3, True)


@pytest.fixture(scope="module")
def code() -> Any:
    mixed(*GIVEN)
    return entry_point(mixed, GIVEN)


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def unaligned(x: np.ndarray) -> np.ndarray:
    room = np.zeros(x.nbytes + 1, np.uint8)[1:]
    return room.view(np.float64).reshape(x.shape)


SAME = {0: (np.float64(1.5), float("nan")), 1: (X + 1,), 2: (np.int64(3), -(2**63)), 3: (False,)}
OTHER = {
    0: (1, True, "1.5", None, np.float32(1.5), np.array(1.5), 1.5j),
    1: (
        X.T,
        X[:, ::2],
        X[0],
        X[None],
        X.astype(np.float32),
        X.astype(np.int64),
        X.astype(">f8"),
        np.ma.array(X),
        read_only(X),
        unaligned(X),
        X.tolist(),
    ),
    2: (3.0, True, 2**63, -(2**63) - 1, 2**200, np.int32(3), np.uint64(3)),
    3: (1, 0.0, None),
}


def cases(table: dict[int, tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    return ((*GIVEN[:k], x, *GIVEN[k + 1 :]) for k, xs in table.items() for x in xs)


def test_arguments(code: Any) -> None:
    """Only the exact kinds pass; what does not is given on as it is."""
    f = gate(Plan(code, GIVEN), slow)
    assert f is not slow
    for args in (GIVEN, *cases(SAME)):
        np.testing.assert_equal(f(*args), mixed(*args))
    for args in (*cases(OTHER), (), GIVEN[:3], (*GIVEN, 1.0)):
        assert f(*args) is SLOW
    assert f(*GIVEN[:3], flag=True) is SLOW and f(*GIVEN, out=None) is SLOW
    nothing: dict[str, Any] = {}
    assert f(*GIVEN, **nothing) == mixed(*GIVEN)
    told: Any = gate(Plan(code, GIVEN), lambda *args, **names: (args, names))
    assert told(1, "a", out=2) == ((1, "a"), {"out": 2})


def test_values(code: Any) -> None:
    """Entries of dicts and results of functions are compared by identity."""
    value, table = object(), {"a": SLOW}
    now: list[Any] = [value]
    f = gate(Plan(code, GIVEN, ((table, "a", SLOW),), ((lambda: now[0], value),)), slow)
    assert f(*GIVEN) == mixed(*GIVEN)
    now[0] = object()
    assert f(*GIVEN) is SLOW
    now.clear()  # now the function raises
    assert f(*GIVEN) is SLOW
    now.append(value)
    assert f(*GIVEN) == mixed(*GIVEN)
    table.clear()
    assert f(*GIVEN) is SLOW


def test_shapes(code: Any) -> None:
    """Further arguments, results put together in code and by a function, exceptions."""
    first, rest = GIVEN[:2], GIVEN[2:]
    plan = Plan(code, first, extra=rest, shape=(GROUP, 2, ITEM, 1, GROUP, 1, ITEM, 0))
    assert gate(plan, slow)(*first) == (15.0, (4.5,))
    assert gate(Plan(code, first, extra=rest, shape=(GROUP, 1, WHOLE, 0)), slow)(*first) == (
        (4.5, 15.0),
    )
    f = gate(Plan(code, first, extra=rest, finish=lambda r: 1 / (r[0] - 4.5)), slow)
    assert f(2.5, X) == 1.0
    with pytest.raises(ZeroDivisionError):
        f(1.5, X)
    with pytest.raises(ValueError, match="negative"):
        f(1.5, -1 - X)


def test_singles_and_spread(code: Any) -> None:
    """Numbers of NumPy are made in code; a function makes what compiled code takes."""
    shape = (GROUP, 2, SINGLE, 0, ITEM, 0, ITEM, 1)
    value, total = gate(Plan(code, GIVEN, shape=shape), slow)(0.1, *GIVEN[1:])
    assert type(value) is np.float32 and value == np.float32(3.1) and total == 15.0
    for x in (float("nan"), float("inf"), 1e300, -0.0):
        (value, _) = gate(Plan(code, GIVEN, shape=shape), slow)(x, *GIVEN[1:])
        with np.errstate(over="ignore"):
            np.testing.assert_equal(value, np.float32(x + 3))
    plan = Plan(code, (1.5, X), spread=lambda a, x: (a + 1, x, 3, True))
    assert gate(plan, slow)(1.5, X) == (5.5, 15.0) and gate(plan, slow)(*GIVEN) is SLOW
    failing = gate(Plan(code, (1.5, X), spread=lambda a, x: 1 / (a - 1)), slow)
    with pytest.raises(ZeroDivisionError):
        failing(1.0, X)


def into(code: Any, **more: Any) -> Any:
    """A function with ``out``: the first array is it."""

    def better(error: BaseException) -> None:
        if more.get("explained"):
            raise KeyError("better")

    given = (X, 3, True)
    plan = {"shape": (GROUP, 2, GROUP, 2, ITEM, 0, ITEM, 1, PLACE, 0)}
    if "finish" in more:
        plan = {"finish": more["finish"]}
    made = Plan(
        entry_point(swapped, (3, True, X)),
        (*given[1:], given[0]),
        into=Into(1, lambda out: (out["x"],), better),
        **plan,  # type: ignore[arg-type]
    )
    return gate(made, slow)


@njit
def swapped(n: int, flag: bool, x: np.ndarray) -> Any:
    if n < 0:
        raise ValueError("negative")
    x[0, 0] = n
    return n, flag


def test_out(code: Any) -> None:
    """Arrays of the caller in tuples or structures; what is of another form is left alone."""
    x = X.copy()
    swapped(3, True, x)
    f = into(code)
    got = f(4, True, out=((None, None), x))
    assert got == ((4, True), x) if got[1] is not x else got[0] == (4, True)
    assert x[0, 0] == 4
    unlike = (x, (x,), (None, x), ([None, None], x), ((None, None), x[0]), ((None, 1), x), {"x": x})
    for out in unlike:
        assert f(5, True, out=out) is SLOW
    assert f(5, True) is SLOW and f(5, out=((None, None), x)) is SLOW
    assert f(5, True, more=1) is SLOW and f(5, True, out=((None, None), x), more=1) is SLOW
    f = into(code, finish=lambda r, out: (r, out))
    out = {"x": x}
    assert f(6, False, out=out)[1] is out and x[0, 0] == 6
    assert f(6, False, out={}) is SLOW
    with pytest.raises(ValueError, match="negative"):
        f(-1, True, out=out)
    with pytest.raises(KeyError, match="better"):
        into(code, explained=True)(-1, True, out=((None, None), x))


def raised(f: Callable[..., Any], *args: Any, **names: Any) -> None:
    try:
        f(*args, **names)
    except Exception:
        pass


def test_references(code: Any) -> None:
    """No reference is lost, and none kept, on any way."""
    x, y, value, key = X.copy(), -1 - X, object(), "a"
    first, rest = (1.5, x), GIVEN[2:]
    table, out = {key: value}, ((None, None), x)
    ways: list[Callable[[], Any]] = []
    for f in (
        gate(Plan(code, first, ((table, key, value),), ((lambda: value, value),), rest), slow),
        gate(Plan(code, first, extra=rest, shape=(GROUP, 2, ITEM, 0, GROUP, 1, ITEM, 1)), slow),
        gate(Plan(code, first, extra=rest, finish=lambda r: r), slow),
        gate(Plan(code, first, spread=lambda a, x: (1 / a, x, *rest)), slow),
        gate(Plan(code, first, extra=rest, shape=(GROUP, 2, SINGLE, 0, ITEM, 0, ITEM, 1)), slow),
    ):
        ways += [
            lambda f=f: f(1.5, x),
            lambda f=f: raised(f, 0.0, x),
            lambda f=f: f(1.5, value),
            lambda f=f: raised(f, 1.5, y),
        ]  # type: ignore[misc]
        ways += [lambda f=f: f(1.5, x, out=x), lambda f=f: f(x)]  # type: ignore[misc]
    for more in ({}, {"explained": True}, {"finish": lambda r, out: out}):
        f = into(code, **more)
        for o in (out, {"x": x}, (x, x), ((None, x), x), x, ((None, None), y[0])):
            ways += [
                lambda f=f, o=o: f(4, True, out=o),
                lambda f=f, o=o: raised(f, -1, True, out=o),
            ]  # type: ignore[misc]
    watched = (x, y, value, key, out, SLOW, table, rest, slow)

    def counts() -> list[int]:
        return [sys.getrefcount(o) for o in watched]

    for way in ways:
        way()
        before, blocks = counts(), sys.getallocatedblocks()
        for _ in range(300):
            way()
        assert counts() == before
        assert sys.getallocatedblocks() - blocks < 150


# function objects
def cubic(x: Any) -> Any:
    return x * x * x


class Pair(NamedTuple):
    a: Any
    b: Any


def opened(f: Any, *args: Any, **names: Any) -> Any:
    """The function after enough calls that a gate has been made."""
    for _ in range(3):
        f(*args, **names)
    assert f.plans
    return f


def test_objects() -> None:
    """One with gates is pickled, copied, called by njit code and collected like any other."""
    g = opened(srcad.grad(cubic), 2.0)
    for other in (pickle.loads(pickle.dumps(g)), copy.copy(g), copy.deepcopy(g)):
        assert type(other) is type(g) and other is not g and other(2.0) == 12.0

    @njit
    def inside(x: float) -> Any:
        return g(x) + 1.0

    assert inside(2.0) == 13.0 and callable(g)
    gone = weakref.ref(opened(srcad.grad(lambda x: x * 2.0), 1.0))
    gc.collect()
    assert gone() is None


def test_entry_of_a_subclass() -> None:
    """A method ``__call__`` of a subclass comes first and finds the other one."""

    class Own(Entry):
        def __call__(self, x: Any) -> Any:
            return "own", super().__call__(x)

    own = Own()
    own.enter(abs)
    assert own(-2) == ("own", 2)


def test_several_kinds() -> None:
    """Gates stand one after the other; the oldest goes."""
    f = srcad.value_and_grad(total)
    kinds = [
        np.ones(3),
        np.ones((3, 1)).T[0],
        np.ones(6)[::2],
        np.ones(3, np.float32),
        read_only(np.ones(3)),
    ]
    for _ in range(3):
        for x in kinds:
            value, gradient = f(x)
            assert value == 3.0 and gradient.tolist() == [2.0] * 3 and gradient.dtype == x.dtype
    assert 2 <= len(f.plans) <= 4


def total(x: Any) -> Any:
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


SCALE = 2.0


def scaled(x: Any) -> Any:
    return SCALE * x


def test_changes_between_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that call while a captured number changes get the derivative of before or after."""
    g = opened(srcad.grad(scaled), 1.0)
    seen: set[float] = set()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            seen.add(g(1.0))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for w in workers:
        w.start()
    for value in (3.0, 2.0, 3.0):
        monkeypatch.setattr(f"{__name__}.SCALE", value)
        for _ in range(200):
            assert g(1.0) == value
    stop.set()
    for w in workers:
        w.join()
    assert seen <= {2.0, 3.0}


def test_out_of_functions() -> None:
    """``out`` after the first calls: structures, and errors in the caller's terms."""
    x, out = np.array([1.0, 2.0]), np.empty(2)
    g = opened(srcad.grad(total), x, out=out)
    assert g(x, out=out) is out and out.tolist() == [2.0, 4.0]
    for wrong in (np.empty(3), x, x[:1], None, [0.0, 0.0]):
        with pytest.raises(SrcadError):
            g(x, out=wrong)
    v = opened(srcad.value_and_grad(product, (0, 1)), x, x + 1, out=(None, (out, out.copy())))
    places = (np.empty(2), np.empty(2))
    value, got = v(x, x + 1, out=(None, places))
    assert value == 8.0 and got[0] is places[0] and places[1].tolist() == x.tolist()


def product(x: Any, y: Any) -> Any:
    s = 0.0
    for i in range(len(x)):
        s += x[i] * y[i]
    return s


def test_without_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there can be no gate, calls go the long way."""
    monkeypatch.setattr(gates, "machine_code", lambda: None)
    x, out = np.array([1.0, 2.0]), np.empty(2)
    g = srcad.grad(total)
    for _ in range(4):
        assert g(x).tolist() == [2.0, 4.0] and g(x, out=out) is out


def test_description_outlives_the_module():
    """The interpreter reads it when it takes functions down, which may be after all modules."""
    made = gates.machine_code()
    if made is None:
        pytest.skip("no gates here")
    described = weakref.ref(made)
    del made
    gates.machine_code.cache_clear()
    gc.collect()
    assert described() is not None
