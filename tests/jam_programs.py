"""Random nests of loops: some may run several outer iterations at once, some must not.

In: a seed.  Out: the source of ``f(x, z, c, n)`` (a vector, a matrix of ``n`` rows at least, two
numbers), with an outer loop over ``n`` and inner loops of any direction around recurrences, in
which now and then something stands that forbids it: a trip count or subscript that depends on the
outer counter, an array that iterations share, a sum in order, a break, a condition around a loop.

Invariant: values stay moderate (recurrences contract), subscripts stay inside.
"""

from __future__ import annotations

import linecache
import random
from typing import Any

import numpy as np

RANGES = ("m", "m - 1, -1, -1", "1, m", "0, m, 2", "m // 2", "4")
ODD_RANGES = ("i % m", "i % 2, m")  # other trips in each iteration


def source(seed: int) -> str:
    """The program of a seed."""
    return _Nest(random.Random(seed)).source()


def load(seed: int) -> Any:
    """The function of a seed, whose source can be read."""
    text, name = source(seed), f"<nest {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space: dict[str, Any] = {"np": np, "__name__": "nests"}
    exec(compile(text, name, "exec"), space)
    return space["f"]


def arguments(seed: int, n: int, m: int = 5) -> tuple[Any, ...]:
    """Arguments for any of them."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, m), rng.uniform(-1, 1, (max(n, 1), m)), 0.7, n


class _Nest:
    def __init__(self, rng: random.Random) -> None:
        self.rng, self.lines, self.depth = rng, list[str](), 1
        self.numbers: list[str] = ["c"]
        self.odd = rng.random() < 0.3  # whether something that forbids it may occur
        self.count = 0

    def put(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def source(self) -> str:
        """All of it."""
        rng = self.rng
        self.put("m = x.shape[0]")
        self.put("tot = 0.0")
        self.put("top = -1.0")
        self.put("out = np.zeros((max(n, 1), m))")
        self.put("acc = np.zeros(m)")
        shared = rng.random() < 0.2  # an array that iterations hand on
        if shared:
            self.put("work = np.zeros(m)")
        self.put("for i in range(n):")
        self.depth += 1
        self.put("t = z[i, 0] * 0.5 + c / (i + 2)")
        self.numbers.append("t")
        if not shared:
            self.put("work = np.zeros(m)" if rng.random() < 0.7 else "work = z[i] * 1.5")
        if rng.random() < 0.3:
            self.put("table = np.empty((2, m))")
            self.put("row = table[i % 2]" if self.odd else "row = table[1]")
            self.put("for j in range(m):")
            self.put("    row[j] = t * x[j]")
            self.put(
                "for value in table[1:, 0]:" if rng.random() < 0.3 else "for value in row[1:]:"
            )
            self.put("    t = t * 0.4 + value")
        if rng.random() < 0.3:
            self.put("p = 0")
            self.put("for j in range(m):")
            self.put("    work[j] = x[p]")
            self.put("    p += 1")
        for _ in range(rng.randint(1, 3)):
            self.some_statement()
            self.inner("j")
        self.put(f"tot += {self.number()} * {self.number()}")
        if rng.random() < 0.3:
            self.put("if t > top:")
            self.put("    top = t")
        self.depth -= 1
        self.put("s = tot + top")
        self.put("for i in range(out.shape[0]):")
        self.put("    for j in range(m):")
        self.put("        s += out[i, j] * (0.3 + j) + acc[j] * x[j] * 0.1")
        self.put("return s + work[0]" if shared else "return s")
        return "def f(x, z, c, n):\n" + "\n".join(self.lines) + "\n"

    def number(self) -> str:
        """An operand that is there."""
        return self.rng.choice(self.numbers[-5:])

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def inner(self, index: str) -> None:
        """An inner loop with a recurrence."""
        rng = self.rng
        a = self.fresh()
        self.put(f"{a} = {rng.choice(['0.0', '1.0', self.number()])}")
        self.numbers.append(a)
        odd = self.odd and rng.random() < 0.2
        guard = self.odd and rng.random() < 0.1
        if guard:
            self.put(f"if {self.number()} > 0.1:")
            self.depth += 1
        self.put(f"for {index} in range({rng.choice(ODD_RANGES if odd else RANGES)}):")
        self.depth += 1
        known = len(self.numbers)
        for _ in range(rng.randint(0, 3)):
            self.some_statement(index)
        if self.depth < 4 and rng.random() < 0.35:
            self.inner("k")
        self.put(f"{a} = {a} * {rng.choice(['0.5', 't * 0.6', '0.9'])} - {self.element(index)}")
        for _ in range(rng.randint(0, 2)):
            self.some_statement(index)
        if self.odd and rng.random() < 0.1:
            self.put(f"if {a} > 1.2:")
            self.put("    break")
        del self.numbers[known:]
        self.depth -= 1 + guard

    def element(self, index: str) -> str:
        """Something that depends on the position."""
        choices = [
            f"x[{index}]",
            f"z[i, {index}]",
            f"work[{index}]",
            f"x[{index}] * {self.number()}",
        ]
        choices += [f"work[1:][{index} - 1]", f"x[({index} * 3) // 4]"]
        choices += [f"z[i][{index}]", f"np.sin({self.number()})", f"0.3 * z[0, {index}]"]
        if self.odd:
            choices += [f"out[0, {index}]", f"acc[{index}] * 0.1", f"z[i // 2, {index}]"]
        return self.rng.choice(choices)

    def some_statement(self, index: str = "") -> None:
        """Any other statement."""
        rng, v = self.rng, self.number()
        j = index or "0"
        kinds = [
            f"out[i, {j}] = {v} * 0.5",
            f"out[i, {j}] += {v} * {self.element(j)}",
            f"work[{j}] = {v} * {self.element(j)}",
            f"work[{j}] += {self.element(j)}",
            "branch",
            "number",
        ]
        if self.odd:
            kinds += [f"tot += {v}", f"acc[{j}] += {v} * 0.1", f"out[max(i - 1, 0), {j}] += {v}"]
        kind = rng.choice(kinds)
        if kind == "number":
            name = self.fresh()
            self.put(f"{name} = {v} * 0.5 + {self.element(j)} * {self.number()}")
            self.numbers.append(name)
        elif kind == "branch":
            name = self.fresh()
            self.put(f"{name} = {v} * 0.25")
            self.put(f"if {v} > {self.element(j)}:")
            self.put(f"    {name} += {self.element(j)}")
            if rng.random() < 0.5:
                self.put("else:")
                self.put(f"    work[{j}] = {name} - 0.1")
            self.numbers.append(name)
        else:
            self.put(kind)
