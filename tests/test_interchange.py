"""Loops that change places before derivatives are made: where they do, where they must not.

Programs are run by the interpreter before and after, and as plain Python: the same bits.  Random
nests are swapped wherever that is found legal, whether it is worth it or not.
"""

from __future__ import annotations

import linecache
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import srcad
from srcad import compiler
from srcad.backends.reference import run
from srcad.ir.nodes import For, Function
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.interchange import along_rows, interchanged, swapped
from srcad.storage.interchange.nests import Nests
from srcad.storage.interchange.swap import with_instead

VECTOR = np.random.default_rng(1).uniform(-1, 1, 7)
MATRIX = np.random.default_rng(2).uniform(-1, 1, (9, 8))


def powers(x, z, n):
    """Coefficients outside, points inside; loops before and after."""
    t = np.empty(n)
    power = np.ones(n)
    residual = np.zeros(n)
    for i in range(n):
        t[i] = -1.0 + 2.0 * i / 8.0
        if t[i] > 0.0:
            residual[i] = 1.0
        elif t[i] < 0.0:
            residual[i] = -1.0
    for j in range(len(x)):
        for i in range(n):
            residual[i] -= x[j] * power[i]
            power[i] *= t[i]
    total = 0.0
    for i in range(n):
        total += residual[i] * residual[i]
    return total


def paths(x, z, n):
    """Time outside, paths inside, two loops a step, a decay that is the same for all paths."""
    price, top = np.empty(n), np.zeros(n)
    for i in range(n):
        price[i] = 1.0 + x[0]
    for t in range(z.shape[0]):
        decay = 0.1 * x[1]
        for i in range(n):
            price[i] *= np.exp(decay + z[t, i])
        for i in range(n):
            if price[i] > top[i]:
                top[i] = price[i]
    total = 0.0
    for i in range(n):
        total += top[i] - price[i]
    return total


def handed_in(x, z, n):
    """States in an argument, downwards in time, which are returned there."""
    for t in range(n, 0, -1):
        for i in range(x.shape[0]):
            x[i] = np.sin(x[i]) * (1.0 + 0.1 * t)
    return x[0]


def rows(x, z, n):
    """States that are read after the loop in another order."""
    u = z[0].copy()
    for _ in range(n):
        for i in range(u.shape[0]):
            u[i] = 3.2 * u[i] * (1.0 - u[i])
    total = 0.0
    for i in range(u.shape[0]):
        total += u[i] * u[u.shape[0] - 1 - i]
    return total


def pairs(x, z, n):
    """Two numbers for each state, copied before by another nest."""
    y = z.copy()
    for _ in range(n):
        for i in range(len(y)):
            a = y[i, 0]
            b = y[i, 1]
            y[i, 0] = a + 0.1 * (b - a * b)
            y[i, 1] = b - 0.1 * x[0] * a
    total = 0.0
    for i in range(len(y)):
        total += y[i, 0] * y[i, 1]
    return total


def columns(x, z, n):
    """Sums over columns: a row at a time is better."""
    y = np.zeros(z.shape[0])
    for j in range(7):
        for i in range(z.shape[0]):
            y[i] += z[i, j] * x[j]
    total = 0.0
    for i in range(z.shape[0]):
        total += np.log(1.0 + np.exp(y[i]))
    return total


def gathered(x, z, n):
    """The same with rows from a table of positions."""
    at, y = np.arange(n) // 2, np.zeros(n)
    for j in range(7):
        for k in range(n):
            y[k] += z[at[k], j] * x[j]
    total = 0.0
    for k in range(n):
        total += y[k] * y[k]
    return total


def layer(x, z, n):
    """Something nonlinear is added up for each row."""
    y = np.zeros(z.shape[0])
    for j in range(7):
        for i in range(z.shape[0]):
            t = 0.0
            for k in range(z.shape[1]):
                t += z[i, k] * x[j]
            y[i] += x[j] * np.tanh(t)
    total = 0.0
    for i in range(z.shape[0]):
        total += y[i] * y[i]
    return total


def sums_of_rows(x, z, n):
    """Sums over rows, which are walked through as they are in memory."""
    y = np.zeros(z.shape[1])
    for i in range(7):
        for j in range(z.shape[1]):
            y[j] += z[i, j] * x[i]
    total = 0.0
    for j in range(z.shape[1]):
        total += y[j] * y[j]
    return total


def rows_apart(x, z, n):
    """States in columns that may be the same one."""
    y = np.ones((n, 9))
    for t in range(n):
        for i in range(n):
            y[i, 0] = 0.5 * y[i, 0] + x[i]
            y[i, -9] = 0.5 * y[i, 1] + x[t]
    return y[0, 0] + y[n - 1, 1]


def stencil(x, z, n):
    """Neighbours."""
    u = np.zeros(n + 2)
    for t in range(z.shape[0]):
        for i in range(1, n):
            u[i] = 0.5 * u[i] + z[t, i - 1] * u[i + 1]
    return u[1] + u[n - 1]


def wrapped(x, z, n):
    """A subscript that may count from the end."""
    u = np.ones(n)
    for t in range(z.shape[0]):
        for i in range(-n, n):
            u[i] = u[i] * 0.5 + z[t, 0]
    return u[0]


def triangle(x, z, n):
    """Other trips in each iteration."""
    u = np.ones(n)
    for t in range(n):
        for i in range(t, n):
            u[i] = u[i] * 0.5 + z[t, i]
    return u[0] + u[n - 1]


def in_order(x, z, n):
    """A sum over the states in each step."""
    u, total = np.ones(n), 0.0
    for t in range(z.shape[0]):
        for i in range(n):
            u[i] = u[i] * 0.5 + z[t, i]
            total += u[i]
    return total


def indexed(x, z, n):
    """Positions that come from an array."""
    u, at = np.ones(n), np.arange(n) // 2
    for t in range(z.shape[0]):
        for i in range(n):
            u[at[i]] = u[at[i]] * 0.5 + z[t, i]
    return u[0] + u[1]


def failing(x, z, n):
    """Something that may raise, and an argument that shows how far it got."""
    for t in range(1, z.shape[0]):
        for i in range(n):
            z[0, i] = z[0, i] + 1.0 / z[t, i]
    return z[0, 0]


def product(x, z, n):
    """Columns outside, the longest strides inside."""
    m = z.shape[1]
    c = np.zeros((m, m))
    for j in range(m):
        for k in range(z.shape[0]):
            for i in range(m):
                c[i, j] += z[k, i] * z[i, j] * x[k % 7]
    total = 0.0
    for i in range(m):
        for j in range(m):
            total += c[i, j] * c[i, j]
    return total


def eliminated(x, z, n):
    """Rows below the pivot, column by column, the last column first."""
    a = z[:8] + 5.0 * np.eye(8)
    for k in range(8):
        for i in range(k + 1, 8):
            a[i, k] *= 0.1 + a[k, k]
        for j in range(7, k, -1):
            for i in range(k + 1, 8):
                a[i, j] -= a[i, k] * a[k, j]
    total = 0.0
    for i in range(8):
        total += a[i, i] * a[i, i]
    return total


def filtered(x, z, n):
    """Two loops over a stencil of any size outside of those over the picture."""
    y = np.zeros((9, 8))
    for b in range(n):
        for a in range(n):
            for j in range(8 - n):
                for i in range(9 - n):
                    y[i, j] += z[i + a, j + b] * x[a] * x[b]
    return y[0, 0] + y[2, 3]


def diagonals(x, z, n):
    """Each element from the one above to the right: columns cannot go inside."""
    a = z.copy()
    for j in range(7):
        for i in range(1, 9):
            a[i, j] = 0.5 * a[i - 1, j + 1] + x[j]
    return a[8, 0]


def lower_half(x, z, n):
    """The range inside depends on the loop outside."""
    a = z.copy()
    for j in range(8):
        for i in range(j, 8):
            a[i, j] = 2.0 * a[i, j]
    return a[7, 0]


def short_rows(x, z, n):
    """Three numbers a row."""
    a = np.zeros((n, 3))
    for k in range(3):
        for i in range(n):
            a[i, k] = z[i, k] * x[k]
    return a[0, 0] if n > 0 else 0.0


ALONG = (product, eliminated, filtered)
AS_WRITTEN = (diagonals, lower_half, short_rows)
FIRE = (powers, paths, handed_in, rows, pairs, columns, gathered, layer)
STAY = (sums_of_rows, rows_apart, stencil, wrapped, triangle, in_order, indexed, failing)


def lowered(f, args, monkeypatch) -> Function:
    """The primal as it is without the pass."""
    monkeypatch.setattr(compiler, "interchanged", lambda fn: fn)
    g = srcad.differentiable(f, backend="reference", cache=False)
    fn = g.program(g.specs(g.bind(args, {}))).fn
    monkeypatch.undo()
    return fn


def outcome(fn: Any, args: tuple[Any, ...]) -> list[Any]:
    """Results, and the arguments afterwards."""
    mine = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
    with np.errstate(all="ignore"):
        got = run(fn, mine) if isinstance(fn, Function) else fn(*mine)
    return [*(got if isinstance(got, tuple) else (got,)), *mine]


def alike(one: list[Any], two: list[Any]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True))


def order(fn: Function) -> list[str]:
    """The counters of all loops, outer ones first."""
    return [s.index.name for s in statements(fn.body) if isinstance(s, For)]


@pytest.mark.parametrize("f", FIRE)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_states_become_numbers(f, n, monkeypatch):
    args = (VECTOR, MATRIX, n)
    fn = lowered(f, args, monkeypatch)
    after = swapped(fn)
    verify(after)
    assert order(after) != order(fn)
    assert alike(outcome(fn, args), outcome(after, args))
    if n:  # NumPy's pow and sin are not Numba's to the last bit, products and sums are
        np.testing.assert_allclose(outcome(after, args)[0], outcome(f, args)[0], rtol=1e-13)


@pytest.mark.parametrize("f", STAY)
def test_these_stay(f, monkeypatch):
    args = (VECTOR, MATRIX, 5)
    fn = lowered(f, args, monkeypatch)
    assert order(swapped(fn)) == order(fn)


@pytest.mark.parametrize("f", ALONG)
@pytest.mark.parametrize("n", [0, 3])
def test_rows_go_inside(f, n, monkeypatch):
    args = (VECTOR, MATRIX, n)
    fn = lowered(f, args, monkeypatch)
    after = along_rows(fn)
    verify(after)
    assert order(after) != order(fn)
    assert alike(outcome(fn, args), outcome(after, args))
    np.testing.assert_allclose(outcome(after, args)[0], outcome(f, args)[0], rtol=1e-13)


@pytest.mark.parametrize("f", AS_WRITTEN)
def test_these_keep_their_order(f, monkeypatch):
    fn = lowered(f, (VECTOR, MATRIX, 5), monkeypatch)
    assert order(along_rows(fn)) == order(fn)


def test_overlapping_arguments_stay(monkeypatch):
    """``a`` is written and may be ``b``."""

    def f(a, b):
        for _ in range(3):
            for i in range(1, a.shape[0]):
                a[i] = a[i] * 0.5 + b[i - 1]
        return a[1]

    fn = lowered(f, (VECTOR, VECTOR), monkeypatch)
    assert order(swapped(fn)) == order(fn)


@pytest.mark.parametrize("f", FIRE + ALONG)
def test_gradients_are_those_of_the_program_as_written(f, monkeypatch):
    args = (VECTOR, MATRIX, 6)

    def gradient():
        g = srcad.value_and_grad(f, argnums=(0, 1), backend="reference", cache=False)
        return g(*(a.copy() if isinstance(a, np.ndarray) else a for a in args))

    value, (dx, dz) = gradient()
    monkeypatch.setattr(compiler, "interchanged", lambda fn: fn)
    other, (ex, ez) = gradient()
    assert value == other
    np.testing.assert_allclose(dx, ex, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dz, ez, rtol=1e-12, atol=1e-14)


def test_what_is_recorded_is_one_iteration():
    g = srcad.value_and_grad(powers)
    assert srcad.explain(g, np.ones(100), np.zeros((1, 1)), 1000).tape_bytes == 800


def drawn(seed: int) -> Any:
    """A function of two loops over three arrays, with any subscripts and directions."""
    rng = random.Random(seed)
    ranges = ("0, 4", "1, 4", "3, -1, -1", "0, 5, 2", "0, n", "n, 0, -2", "n", "-2, 2", "2, 2")
    places = (
        "i",
        "i",
        "i",
        "i + 1",
        "i - 1",
        "j",
        "j + 1",
        "i + j",
        "i - j",
        "3 - i",
        "2",
        "2 * i",
    )

    def place() -> str:
        return rng.choice(places)

    def element() -> str:
        a = rng.choice("uuvw")
        if a == "w":
            return rng.choice(["m[j, i]", "m[i, j]"]) if calm else f"m[{place()}, {place()}]"
        return f"{a}[i]" if calm else f"{a}[{place()}]"

    def value() -> str:
        parts = [element(), element(), f"x[{place()}]", "0.3", "float(i + 2 * j)"]
        return f"{rng.choice(parts)} * 0.4 {rng.choice('+-')} {rng.choice(parts)}"

    calm = rng.random() < 0.5  # one subscript for the states
    within, last = rng.choice(ranges), rng.choice(["14", "", ""])
    lines = ["def f(x, m, n):", "    u, v = x.copy(), np.zeros(14)"]
    lines += [f"    for j in range({rng.choice(ranges)}):"]
    if rng.random() < 0.3:
        lines += ["        c = x[j] * 0.5"]
    lines += [f"        for i in range({within}):"]
    for _ in range(rng.randrange(1, 4)):
        target = rng.choice(["u[i]", "v[i]", element()])
        text = value()
        if rng.random() < 0.3:
            lines += [f"            if {element()} > 0.1:", f"                {target} = {text}"]
        else:
            lines += [f"            {target} {rng.choice(['=', '+=', '-='])} {text}"]
    lines += ["    s = 0.0", f"    for i in range({last or within}):", "        s += u[i] - v[i]"]
    lines += ["    return s"]
    text, name = "\n".join(lines) + "\n", f"<swap {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space: dict[str, Any] = {"np": np, "__name__": "swaps"}
    exec(compile(text, name, "exec"), space)
    return space["f"]


def test_random_nests(monkeypatch):
    rng = np.random.default_rng(0)
    legal = fired = 0
    for seed in range(SEEDS):
        args = (rng.uniform(-1, 1, 14), rng.uniform(-1, 1, (14, 14)), seed % 5)
        f = drawn(seed)
        fn = lowered(f, args, monkeypatch)
        nests = Nests(fn)
        expected = None
        for s in [t for t in statements(fn.body) if isinstance(t, For)]:
            nest = nests.of(s)
            if nest is None:
                continue
            legal += 1
            other = replace(fn, body=with_instead(fn.body, s, nest.swapped()))
            verify(other)
            expected = expected or outcome(fn, args)
            assert alike(expected, outcome(other, args)), seed
        after = interchanged(fn)
        if order(after) != order(fn):
            fired += 1
            verify(after)
            assert alike(outcome(fn, args), outcome(after, args)), seed
    assert legal > SEEDS // 12 and fired > SEEDS // 40


SEEDS = 120
