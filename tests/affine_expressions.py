"""Values, elements and subscripts of ``affine_programs``: what can stand where, by the loops.

In: a source of random numbers.  Out: the text of expressions, added to by ``affine_programs``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Counter:
    """A loop counter from ``low`` to ``size - 1 - high``, above or below another one."""

    name: str
    size: str
    low: int = 0
    high: int = 0
    above: str = ""
    below: str = ""


@dataclass(frozen=True)
class Array:
    """An array and the sizes of its axes."""

    name: str
    sizes: tuple[str, ...]
    fixed: bool = False  # not to be written


class Expressions:
    """The state of a program that is being written, and the expressions that fit there."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.lines, self.depth, self.made = rng, list[str](), 1, 0
        self.arrays: list[Array] = []
        self.scalars = ["p"]
        self.counters: list[Counter] = []
        self.loops = 0  # that a break would leave
        self.wild = rng.random() < 0.5  # data-dependent subscripts, breaks and the like
        self.flat = rng.random() < 0.3  # loops like stencils: straight, without sums
        self.mine: dict[str, str] = {}  # arrays of which iterations touch elements of their own

    # text
    def put(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def fresh(self, stem: str) -> str:
        self.made += 1
        return f"{stem}{self.made}"

    def chance(self, ten: int) -> bool:
        return self.rng.randrange(10) < ten

    def target(self) -> Array | None:
        """An array that can be written here."""
        sizes = {c.size for c in self.counters}
        fitting = [v for v in self.arrays if not v.fixed and set(v.sizes) <= sizes]
        if self.mine and not (self.wild and self.chance(1)):
            fitting = [v for v in fitting if v.name in self.mine]
        return self.rng.choice(fitting) if fitting else None

    def store(self) -> None:
        """An element or a number gets another value."""
        v = self.target()
        if v is None and not self.counters:
            self.put(f"s = 0.7 * s + 0.2 * {self.value()}")
            return
        if v is None:
            name = self.fresh("r")
            self.put(f"{name} = {self.value()}")
            self.scalars.append(name)
            return
        at = self.element(v)
        form = self.rng.choice(
            ("{} = {}", "{} = {}", "{} += 0.4 * {}", "{} -= 0.3 * {}", "{0} = 0.5 * {0} + {1}")
        )
        self.put(form.format(at, self.value()))

    # values
    def value(self) -> str:
        """A number."""
        one, other = self.atom(), self.atom()
        forms = [
            "0.6 * {0} - 0.4 * {1}",
            "0.7 * {0} * {1}",
            "np.sin({0})",
            "{0} / (1.5 + {1} * {1})",
        ]
        forms += [
            "{0}",
            "0.5 * np.sqrt(1.0 + {0} * {0})",
            "max({0}, 0.5 * {1})",
            "{0} - p * {1}",
            "{0} * 0.8",
        ]
        forms += ["np.exp(-{0} * {0})", "0.5 * abs({0})", "({0} if {1} > 0.2 else 0.5 * {1})"]
        if self.flat and self.counters:
            forms = [*forms[:5], forms[7], forms[8]]
        return self.rng.choice(forms).format(one, other)

    def atom(self) -> str:
        """An element or a scalar."""
        sizes = {c.size for c in self.counters}
        fitting = [v for v in self.arrays if set(v.sizes) <= sizes]
        if fitting and self.chance(7):
            return self.element(self.rng.choice(fitting))
        if self.counters and self.chance(1):
            return f"0.1 * {self.counters[-1].name}"
        return self.rng.choice(self.scalars[-4:])

    def element(self, v: Array) -> str:
        """An element of an array."""
        own = self.mine.get(v.name) if self.mine else None
        places = [own if own and size == "n" else self.place(size) for size in v.sizes]
        if len(places) == 2 and self.chance(3):
            return f"{v.name}[{places[0]}][{places[1]}]"
        return f"{v.name}[{', '.join(places)}]"

    def place(self, size: str) -> str:
        """A subscript."""
        rng = self.rng
        fitting = [c for c in self.counters if c.size == size]
        c = fitting[-1] if self.chance(7) else rng.choice(fitting)
        if self.chance(4):
            return c.name
        forms = [f"{c.name} - {k}" for k in range(1, c.low + 1)]
        forms += [f"{c.name} + {k}" for k in range(1, c.high + 1)]
        forms += [c.name, f"{size} - 1 - {c.name}", "0", f"{size} - 1"]
        if c.below:
            forms += [f"{c.below} - {c.name}"] * 3
        if c.above:
            forms += [f"{c.name} - {c.above} - 1", f"{c.name} - {c.above}"] * 2
        if self.flat:
            forms = forms[: c.low + c.high + 1] or [c.name]
        elif self.wild:
            forms += [
                f"({c.name} + 1) % {size}",
                f"{c.name} - 1",
                f"{c.name} // 2",
                f"(2 * {c.name}) % {size}",
            ]
            forms += [f"-1 - {c.name}", f"({c.name} - 1) % {size}"]
            if size == "n":
                forms += [f"idx[{c.name}]"] * 2
        return rng.choice(forms)
