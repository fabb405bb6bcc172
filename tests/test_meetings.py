"""Do two accesses to an array meet: the analysis against running the loops."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest

import srcad
from srcad.analyses.elements import Access
from srcad.analyses.meetings import Meetings
from srcad.analyses.tree import Tree
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, For, Function, Load, Op, View
from srcad.ir.types import I8, ArrayT

SIZES = (-2, 0, 1, 2, 5)


class Drawn:
    """Loops around reads of one matrix, through views too; ``run`` gives the order of reads."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.b = Builder(Namer())
        self.n = self.b.var("n", I8)
        self.array = self.b.var("a", ArrayT("f8", 2))
        self.block([self.n], 0)
        self.fn = Function("f", (self.array, self.n), Block(tuple(self.b.stack[0])))

    def integer(self, known: list[Atom]) -> Atom:
        """A sum, a difference or a multiple of what is known, or the smaller of two."""
        a = self.rng.choice([*known, *known, const(self.rng.randrange(3))])
        for _ in range(self.rng.randrange(3)):
            other = self.rng.choice([*known, const(1), const(2)])
            op = self.rng.choice(["add", "sub", "add", "sub", "mul", "min", "max"])
            if op == "mul":
                other = const(self.rng.choice([2, -1]))
            a = self.b.op(op, a, other)
        return a

    def block(self, known: list[Atom], depth: int) -> None:
        for _ in range(self.rng.randrange(1, 3)):
            if depth < 3 and self.rng.random() < 0.65:
                start, stop = self.integer(known), self.integer(known)
                step = self.rng.choice([1, 1, 1, -1, 2, -2])
                if step < 0 and self.rng.random() < 0.7:
                    start, stop = self.b.op("sub", stop, const(1)), const(-1)
                with self.b.loop(start, stop, const(step)) as i:
                    self.block([*known, i], depth + 1)
            elif self.rng.random() < 0.3:
                spec = (("at", self.integer(known)), ("slice", self.integer(known), None, None))
                row = self.b.view(self.array, "index", spec, ArrayT("f8", 1, "A"))
                self.b.load(row, self.integer(known))
            else:
                self.b.load(self.array, self.integer(known), self.integer(known))

    def reads(self, n: int) -> list[tuple[str, dict[str, int], tuple[int, int]]]:
        """What runs, in order: the value that is read, the integers then, the element."""
        found: list[tuple[str, dict[str, int], tuple[int, int]]] = []
        self.run(self.fn.body, {"n": n, self.n.name: n}, found)
        return found

    def run(self, body: Block, env: dict[str, int], found: list[tuple[str, dict, tuple]]) -> None:
        def value(a: Atom) -> int:
            return env[a.name] if hasattr(a, "name") else int(a.value)

        rows: dict[str, tuple[int, int]] = {}
        for s in body.stmts:
            if isinstance(s, Op):
                x, y = map(value, s.args)
                env[s.target.name] = {
                    "add": x + y,
                    "sub": x - y,
                    "mul": x * y,
                    "min": min(x, y),
                    "max": max(x, y),
                }[s.op]
            elif isinstance(s, View):
                rows[s.target.name] = value(s.spec[0][1]), value(s.spec[1][1])
            elif isinstance(s, For):
                for i in range(value(s.start), value(s.stop), value(s.step)):
                    self.run(s.body, {**env, s.index.name: i}, found)
            elif isinstance(s, Load):
                at = tuple(map(value, s.index))
                if s.array.name in rows:
                    row, first = rows[s.array.name]
                    # a negative start counts from the end, here as with all subscripts
                    at = (row, at[0] + first) if first >= 0 <= at[0] else (row, None)
                found.append((s.target.name, dict(env), at))


def met(a: tuple, b: tuple) -> bool:
    """Whether two elements can be one: a subscript from the end can be any."""
    return all(
        x is None or y is None or x < 0 or y < 0 or x == y for x, y in zip(a, b, strict=True)
    )


def accesses(tree: Tree, meetings: Meetings) -> dict[str, Access]:
    found = {}
    for node, position, s in tree.walk():
        if isinstance(s, Load):
            found[s.target.name] = Access(node, position, "a", s.array, s.index)
    return found


def test_no_meeting_is_denied():
    """Whatever is said not to meet does not, in loops run for several sizes."""
    apart = denied = 0
    for seed in range(250):
        drawn = Drawn(seed)
        tree = Tree(drawn.fn)
        meetings = Meetings(tree)
        known = accesses(tree, meetings)
        runs = [drawn.reads(n) for n in SIZES]
        truly = set()
        for found in runs:
            for k, (x, _, here) in enumerate(found[:150]):
                truly |= {(x, y) for y, _, there in found[k + 1 : 150] if met(here, there)}
        for x, y in product(known, known):
            said = meetings.again(known[x], known[y], None)
            assert said or (x, y) not in truly, (seed, x, y)
            apart += (x, y) not in truly
            denied += not said
    assert denied > 0.4 * apart > 1000


def lu(a0):
    """Log-determinant: what is read of the matrix is never written again."""
    a = a0.copy()
    n = len(a)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    total = 0.0
    for i in range(n):
        total += np.log(a[i, i])
    return total


def lu_rows(a0):
    """The same by rows."""
    a = a0.copy()
    n = len(a)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            a[i, k + 1 :] -= a[i, k] * a[k, k + 1 :]
    return np.sum(np.log(np.diag(a)))


def cholesky(a):
    """Log-determinant of a positive matrix."""
    n = len(a)
    low = np.zeros((n, n))
    for j in range(n):
        for i in range(j, n):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            low[i, j] = np.sqrt(s) if i == j else s / low[j, j]
    total = 0.0
    for i in range(n):
        total += 2.0 * np.log(low[i, i])
    return total


def table(a):
    """Dynamic programming over a table."""
    n, m = a.shape
    best = np.zeros((n + 1, m + 1))
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            x, y = best[i - 1, j], best[i, j - 1]
            best[i, j] = x * y * 0.5 + a[i - 1, j - 1] * (x + np.sin(y))
    return best[n, m]


@pytest.mark.parametrize("f", [lu, lu_rows, cholesky, table])
def test_factorisations_record_nothing_of_cubic_size(f):
    """Right, by differences, and with a tape no larger than a few rows."""
    n = 6
    rng = np.random.default_rng(1)
    a = rng.normal(size=(n, n))
    a = a @ a.T + n * np.eye(n) if f is not table else a
    g = srcad.grad(f, backend="reference")
    found, step = g(a), 1e-6
    for i, j in product(range(n), range(n)):
        e = np.zeros((n, n))
        e[i, j] = step
        np.testing.assert_allclose(found[i, j], (f(a + e) - f(a - e)) / (2 * step), atol=1e-8)
    assert recorded(g, a) <= 8 * 2 * n * n


def recorded(g, *args) -> int:
    """Bytes recorded."""
    first = str(srcad.explain(g, *args)).splitlines()[0]
    return int(first.split(":")[1].split()[0].replace(",", ""))
