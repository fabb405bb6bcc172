"""Random loops over elements far apart: some may run in phases, some must not.

In: a seed.  Out: the source of ``f(x, y, z, idx, out, c)`` (two vectors, a matrix of rows of three,
positions in all of them, a vector that is written to, a number), with one loop over the positions
in which numbers are read, computed with, and added somewhere.  Now and then something stands there
that forbids phases, or makes them hard: a division by zero, a branch that touches elements, an
array that is read after it was written, a recurrence, a number that decides.

Invariant: values stay moderate, subscripts stay inside.
"""

from __future__ import annotations

import linecache
import random
from typing import Any

import numpy as np

LENGTH = 5
RANGES = ("m", "m", "1, m", "m - 1, -1, -1", "0, m, 2")


def source(seed: int) -> str:
    """The program of a seed."""
    return _Loop(random.Random(seed)).source()


def load(seed: int) -> Any:
    """The function of a seed, whose source can be read."""
    text, name = source(seed), f"<loop {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space: dict[str, Any] = {"np": np, "math": __import__("math"), "__name__": "loops"}
    exec(compile(text, name, "exec"), space)
    return space["f"]


def arguments(seed: int, m: int) -> tuple[Any, ...]:
    """Arguments for any of them; a few of the numbers are zero."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-1, 1, (2, LENGTH))
    z = rng.uniform(-1, 1, (LENGTH, 3))
    if seed % 3 == 0:
        x[seed % LENGTH] = 0.0
    if seed % 7 == 0:
        y[1] = np.nan
    return x, y, z, rng.integers(-LENGTH, LENGTH, (m, 2)), np.zeros(LENGTH), 0.7


class _Loop:
    def __init__(self, rng: random.Random) -> None:
        self.rng, self.lines, self.depth = rng, list[str](), 1
        self.numbers: list[str] = ["c"]
        self.odd = rng.random() < 0.4  # whether something that forbids it may occur
        self.count = 0
        self.written = [n for n in ("out", "acc", "rows") if rng.random() < 0.6] or ["acc"]

    def put(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def source(self) -> str:
        """All of it."""
        rng = self.rng
        self.put("m = idx.shape[0]")
        self.put("acc = np.zeros(x.shape[0])")
        self.put("rows = np.zeros((x.shape[0], 3))")
        self.put("own = np.zeros(m)")
        self.put("tot = 0.0")
        self.put("state = 0.5")
        self.put(f"for k in range({rng.choice(RANGES)}):")
        self.depth = 2
        self.put("i = idx[k, 0]")
        self.put("j = idx[k, 1]")
        for _ in range(rng.randrange(3, 12)):
            self.statement()
        self.put(f"tot += {self.expression()}")
        self.depth = 1
        for q in range(LENGTH):  # no other loops
            self.put(f"tot += acc[{q}] * {1 + q}.0 + rows[{q}, 1] * 0.3 + out[{q}]")
        self.put("if m > 3:")
        self.put("    tot += own[0] * 0.1 + own[1] * 0.2 + own[2] * 0.3 + own[3] * 0.4")
        self.put("return tot + state * 0.1")
        return "def f(x, y, z, idx, out, c):\n" + "\n".join(self.lines) + "\n"

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def element(self) -> str:
        at = self.rng.choice(("i", "j", "k % 5", "i // 2"))
        if self.odd and self.rng.random() < 0.2:
            return self.rng.choice((f"acc[{at}]", "own[k]", f"out[{at}]"))
        return self.rng.choice((f"x[{at}]", f"y[{at}]", f"z[{at}, 1]", f"z[{at}, 2]", "0.1 * k"))

    def expression(self) -> str:
        rng = self.rng
        a, b = rng.choice(self.numbers), rng.choice(self.numbers)
        return rng.choice((
            f"{a} * {b}", f"{a} - {b}", f"0.5 * ({a} + {b})", f"math.sin({a})",
            f"{a} / (2.0 + {b} * {b})",
            f"math.sqrt(1.0 + {a} * {a})", f"math.exp(-{a} * {a})", f"({a} if {b} > 0.1 else {b})",
            f"{a} / {b}" if rng.random() < 0.4 else f"abs({a})", f"min({a}, {b})",
            f"math.erf({a})", f"{a} * {self.element()}",
        ))  # fmt: skip

    def statement(self) -> None:
        rng = self.rng
        kind = rng.randrange(12)
        if kind < 4:
            new = self.name()
            self.put(f"{new} = {self.element() if kind < 2 else self.expression()}")
            self.numbers.append(new)
        elif kind < 7:
            self.write()
        elif kind < 10:
            self.branch()
        elif kind == 10 and self.odd:
            self.put(f"state = 0.9 * math.tanh(state + {self.expression()})")
            if rng.random() < 0.5:
                self.numbers.append("state")
        else:
            new = self.name()
            self.put(f"{new} = {self.expression()}")
            self.numbers.append(new)

    def write(self) -> None:
        at = self.rng.choice(("i", "j", "k % 5"))
        target = {"out": f"out[{at}]", "acc": f"acc[{at}]", "rows": f"rows[{at}, {self.count % 3}]"}
        place = "own[k]" if self.rng.random() < 0.2 else target[self.rng.choice(self.written)]
        sign = self.rng.choice(("+=", "+=", "+=", "-=", "="))
        self.put(f"{place} {sign} {self.expression()}")

    def branch(self) -> None:
        rng, outer = self.rng, list(self.numbers)
        a, b = rng.choice(self.numbers), rng.choice(self.numbers)
        new = self.name()
        self.put(f"if {a} > {b}:" if rng.random() < 0.8 else f"if k > 3 and {a} > 0.0:")
        for side in range(2):
            self.depth += 1
            for _ in range(rng.randrange(3)):
                if self.depth < 4:
                    self.statement() if rng.random() < 0.4 else self.inner()
            self.put(f"{new} = {self.expression()}")
            self.depth -= 1
            self.numbers = list(outer)
            if side == 0:
                self.put("else:")
        self.numbers.append(new)

    def inner(self) -> None:
        new = self.name()
        self.put(f"{new} = {self.expression()}")
        self.numbers.append(new)
