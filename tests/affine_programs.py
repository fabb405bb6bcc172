"""Random programs of loops over arrays: what the passes for loops look at, in all combinations.

In: a seed.  Out: the source of ``f(x, y, a, p, idx, n)``: neighbouring loops over one range or
almost one, nests with triangular bounds, recurrences in inner loops, time loops whose buffers
change places, subscripts ``i + 1``, ``i - j``, ``n - 1 - i``, ``2 * i``, ``(i + 1) % n`` and
``idx[i]``, views from the back, with steps and of rows, updates that a branch, ``break`` or
``continue`` skips.

Invariant: subscripts stay inside for every size, none included.  Values may grow; who runs a
program looks at that first.
"""

from __future__ import annotations

import linecache
import random
from typing import Any

import numpy as np

from tests.affine_expressions import Array, Counter, Expressions

HEAD = ("import numpy as np", "", "", "def f(x, y, a, p, idx, n):")
LAYOUTS = ("C", "reversed", "strided", "F")


def load(seed: int) -> Any:
    """The function of a seed, whose source can be read."""
    text, name = source(seed), f"<affine {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space: dict[str, Any] = {"__name__": "affine"}
    exec(compile(text, name, "exec"), space)
    return space["f"]


def source(seed: int) -> str:
    """The program of a seed."""
    return _Program(random.Random(seed)).source()


def arguments(seed: int, n: int, m: int = 4, layout: str = "C") -> tuple[Any, ...]:
    """Arguments for any of them."""
    rng = np.random.default_rng(seed)
    x, y, a = rng.uniform(-1, 1, n), rng.uniform(-1, 1, n), rng.uniform(-1, 1, (n, m))
    if layout == "reversed":
        x, y, a = x[::-1].copy()[::-1], y[::-1].copy()[::-1], a[:, ::-1].copy()[:, ::-1]
    elif layout == "strided":
        x, y, a = np.repeat(x, 2)[::2], np.repeat(y, 3)[::3], np.repeat(a, 2, 1)[:, ::2]
    elif layout == "F":
        a = np.asfortranarray(a)
    return x, y, a, 0.3 + 0.1 * (seed % 5), rng.integers(0, max(n, 1), n), n


class _Program(Expressions):
    """The statements."""

    def source(self) -> str:
        """All of it."""
        self.begin()
        for _ in range(self.rng.randint(2, 4)):
            self.part()
        self.end()
        return "\n".join((*HEAD, *self.lines)) + "\n"

    def begin(self) -> None:
        """Arrays and views of them."""
        if self.chance(6):
            self.put(self.rng.choice(("n = len(x)", "n = x.shape[0]", "n = a.shape[0]")))
        self.put("m = a.shape[1]")
        self.put("s = 0.1")
        self.scalars.append("s")
        written = self.chance(4)
        self.arrays = [Array("x", ("n",), not written), Array("y", ("n",), not written)]
        self.arrays.append(Array("a", ("n", "m"), not written))
        kinds = ["np.zeros(n)", "x.copy()", "np.zeros(n)", "y * 0.5", "np.full(n, p)"]
        for _ in range(self.rng.randint(2, 3)):
            self.new(self.rng.choice(kinds), ("n",))
        if self.chance(6):
            self.new(self.rng.choice(("np.zeros((n, m))", "a.copy()", "a * p")), ("n", "m"))
        if self.chance(4):
            self.new(self.rng.choice(("np.zeros(m)", "np.ones(m)")), ("m",))
        if self.chance(3):
            self.new("np.zeros((n, n))", ("n", "n"))
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            self.view(self.rng.choice(self.arrays))

    def new(self, made: str, sizes: tuple[str, ...]) -> None:
        name = self.fresh("u")
        self.put(f"{name} = {made}")
        self.arrays.append(Array(name, sizes))

    def view(self, of: Array) -> None:
        """Another way to see an array."""
        name = self.fresh("v")
        if len(of.sizes) == 1 and of.name[0] in "v":
            return
        if len(of.sizes) == 1:
            self.put(f"{name} = {of.name}[::-1]")
            self.arrays.append(Array(name, of.sizes, of.fixed))
        else:
            self.put(f"{name} = {of.name}.T")
            self.arrays.append(Array(name, of.sizes[::-1], of.fixed))

    def end(self) -> None:
        """One number of all that was computed."""
        self.put("total = s")
        for k, v in enumerate(self.arrays):
            if len(v.sizes) == 1 and self.chance(5):
                self.put(f"for i in range({v.sizes[0]}):")
                self.put(f"    total += {v.name}[i] * (0.{k + 1} + 0.1 * i)")
            elif len(v.sizes) == 1:
                self.put(f"total += np.sum({v.name} * {v.name}) * 0.{k + 1}")
            else:
                self.put(
                    f"total += np.sum({v.name} * {v.name}.T)"
                    if v.sizes[0] == v.sizes[1]
                    else f"total += np.sum({v.name} * {v.name} + {v.name} * 0.{k + 2})"
                )
        self.put("return total")

    # statements
    def part(self) -> None:
        """One loop, neighbours, or a loop around others."""
        kind = self.rng.randrange(10)
        if kind > 7:
            self.lanes()
        elif kind < 3 or self.flat and kind < 5:
            self.neighbours()
        elif kind < 5:
            self.loop(2)
        elif kind < 7:
            self.steps()
        else:
            self.sliced()

    def neighbours(self) -> None:
        """Loops over (almost) one range, one after the other."""
        size = self.rng.choice(("n", "n", "n", "m"))
        for _ in range(self.rng.randint(2, 4)):
            self.loop(1, size)
            if self.chance(2):
                self.statement(1)

    def steps(self) -> None:
        """A time loop; buffers may change places."""
        t = self.fresh("t")
        self.put(f"for {t} in range({self.rng.choice(('3', '2', 'n // 2', 'm'))}):")
        self.depth += 1
        self.loops += 1
        scalars = len(self.scalars)
        for _ in range(self.rng.randint(1, 3)):
            self.loop(self.rng.randint(1, 2))
        own = [v.name for v in self.arrays if v.sizes == ("n",) and v.name[0] == "u"]
        if len(own) > 1 and self.chance(5):
            one, other = self.rng.sample(own, 2)
            self.put(f"{one}, {other} = {other}, {one}")
        self.turned(5)
        if self.wild and self.chance(3):
            self.put(f"if s > {self.rng.choice(('0.4', 'p', '1.0'))}:")
            self.put(f"    {self.rng.choice(('break', 'continue', 's *= 0.5'))}")
            self.statement(1)
        del self.scalars[scalars:]
        self.depth -= 1
        self.loops -= 1

    def lanes(self) -> None:
        """An outer loop whose iterations hardly notice each other, around recurrences."""
        counter, text = self.range("n")
        scalars, arrays = len(self.scalars), len(self.arrays)
        able = [v for v in self.arrays if not v.fixed and "n" in v.sizes and v.name[0] != "v"]
        self.mine = {v.name: counter.name for v in self.rng.sample(able, min(2, len(able)))}
        self.put(text)
        self.depth += 1
        self.counters.append(counter)
        i = counter.name
        if self.chance(6):
            self.new(
                self.rng.choice(("np.zeros(m)", "a[{0}] * p", "a[{0}].copy()")).format(i), ("m",)
            )
            self.mine[self.arrays[-1].name] = ""
        if self.chance(4):
            name = self.fresh("w")
            at = self.rng.choice((i, i, f"{i} // 2", "0", f"idx[{i}]", f"n - 1 - {i}"))
            self.put(f"{name} = a[{at}]")
            self.arrays.append(Array(name, ("m",), True))
        for _ in range(self.rng.randint(1, 3)):
            if self.chance(5):
                self.statement(1)
            self.loop(self.rng.randint(1, 2), "m" if self.chance(7) else "")
        if self.chance(6):
            self.put(f"s += 0.1 * {self.value()}")
        self.store()
        self.counters.pop()
        self.mine = {}
        del self.scalars[scalars:]
        del self.arrays[arrays:]
        self.depth -= 1

    def turned(self, ten: int) -> None:
        """A name is another view of the same array from now on."""
        views = [v.name for v in self.arrays if len(v.sizes) == 1 and v.name[0] == "v"]
        if views and self.chance(ten):
            name = self.rng.choice(views)
            self.put(f"{name} = {name}[::-1]")

    def sliced(self) -> None:
        """A statement on whole arrays."""
        own = [v for v in self.arrays if not v.fixed and v.sizes == ("n",)]
        one, other = self.rng.choice(own), self.rng.choice(own)
        forms = ["{0}[:] = {1} * 0.5", "{0}[1:] = {1}[:-1] * p", "{0}[::2] += {1}[::2] * 0.3"]
        forms += ["{0}[:-1] -= {1}[1:] * {1}[1:] * 0.2", "{0}[idx] = {1} * 0.9"]
        forms += ["{0} += {1}[::-1] * 0.4", "{0}[:] = np.where({1} > s, {1}, {0} * 0.5)"]
        self.put(self.rng.choice(forms).format(one.name, other.name))

    def loop(self, deep: int, size: str = "") -> None:
        """A loop over a size; with luck, others inside."""
        size = size or self.rng.choice(("n", "n", "m"))
        scalars = len(self.scalars)
        chain = self.chance(7 if self.mine else 1 if self.flat else 4)
        if chain:
            c = self.fresh("c")
            self.put(f"{c} = {self.rng.choice(('0.0', 'p', '1.0'))}")
        counter, text = self.range(size)
        self.put(text)
        self.depth += 1
        self.loops += 1
        self.counters.append(counter)
        if chain:
            self.scalars.append(c)
        for _ in range(self.rng.randint(1, 3)):
            if deep > 1 and self.chance(7):
                self.loop(deep - 1)
            else:
                self.statement(2)
        if chain:
            self.put(f"{c} = 0.6 * {c} + {self.value()}")
            if self.chance(6):
                self.store()
        self.turned(1)
        self.counters.pop()
        self.depth -= 1
        self.loops -= 1
        del self.scalars[scalars:]
        if chain and (self.mine or self.chance(5)):
            self.scalars.append(c)
        elif chain:
            self.put(f"s = 0.5 * s + 0.1 * {c}")

    def range(self, size: str) -> tuple[Counter, str]:
        """A counter and the head of its loop."""
        rng, i = self.rng, self.fresh("i")
        others = [c for c in self.counters if c.size == size]
        if others and self.chance(5):
            o = rng.choice(others)
            kind = rng.randrange(5)
            if kind == 0:
                return Counter(
                    i, size, o.low + 1, above=o.name
                ), f"for {i} in range({o.name} + 1, {size}):"
            if kind == 1:
                return Counter(i, size, 0, o.high, below=o.name), f"for {i} in range({o.name} + 1):"
            if kind == 2:
                return Counter(i, size, 0, o.high + 1, below=o.name), f"for {i} in range({o.name}):"
            if kind == 3:
                head = f"for {i} in range({o.name}, -1, -1):"
                return Counter(i, size, 0, o.high, below=o.name), head
            head = f"for {i} in range({size} - 1, {o.name}, -1):"
            return Counter(i, size, o.low + 1, above=o.name), head
        low, high = rng.choice((0, 0, 0, 1, 2)), rng.choice((0, 0, 0, 1, 2))
        end = size if not high else f"{size} - {high}"
        if self.chance(3):
            return Counter(i, size, low, high), f"for {i} in range({end} - 1, {low - 1}, -1):"
        if self.chance(1):
            return Counter(i, size, low, high), f"for {i} in range({low}, {end}, 2):"
        if not low and not high and size == "n" and self.chance(1):
            return Counter(i, size), f"for {i} in range(x.size):"
        return Counter(i, size, low, high), f"for {i} in range({f'{low}, ' if low else ''}{end}):"

    def statement(self, nesting: int) -> None:
        """Any statement but a loop."""
        rng = self.rng
        kind = rng.randrange(12)
        if kind < 5 or self.flat and self.counters:
            self.store()
        elif kind < 7:
            name = self.fresh("r")
            self.put(f"{name} = {self.value()}")
            self.scalars.append(name)
        elif kind == 7 and (self.wild or not self.counters):
            self.put(f"s = {rng.choice(('0.5', '0.9'))} * s + 0.3 * {self.value()}")
        elif kind == 8 and (self.wild or not self.counters):
            self.put(
                f"s = max(s, {self.value()})" if self.chance(5) else f"s += 0.1 * {self.value()}"
            )
        elif kind == 9 and nesting:
            self.branch(nesting)
        elif kind == 10 and self.counters:
            self.exchange()
        elif self.wild and self.loops and self.chance(4):
            self.put(f"if {self.value()} > {rng.choice(('0.6', '0.9', 's'))}:")
            self.put(f"    {rng.choice(('break', 'continue'))}")
            self.store()
        else:
            self.store()

    def branch(self, nesting: int) -> None:
        """A condition around updates."""
        scalars = len(self.scalars)
        self.put(f"if {self.value()} > {self.value()}:")
        self.depth += 1
        self.statement(nesting - 1)
        del self.scalars[scalars:]
        self.depth -= 1
        if self.chance(5):
            self.put("else:")
            self.depth += 1
            self.store()
            self.depth -= 1

    def exchange(self) -> None:
        """Two elements change places."""
        v = self.target()
        if v is None:
            self.store()
            return
        one, other = self.element(v), self.element(v)
        self.put(f"{one}, {other} = {other}, {one}")
