"""Nests of loops whose order matters, or not: by hand, and random ones.

In: a seed.  Out: ``drawn``: a function of two loops over three arrays, with any subscripts and
directions.  By hand: ``FIRE`` (states that become numbers), ``STAY`` (those that must not),
``ALONG`` and ``AS_WRITTEN`` (the same for loops along memory).
"""

from __future__ import annotations

import linecache
import random
from typing import Any

import numpy as np

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
