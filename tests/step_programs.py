"""Random programs of steps: states that are copied, overwritten in part, swapped, made anew.

    python -m tests.step_programs --count 1000 --seed 1

A program takes a vector and a number of steps.  Each step is a few statements over arrays of one
size, whose subscripts are right for any size.  ``check`` compares value and gradient with plain
Python and the oracle, after all stages of compiled code, interpreted.
"""

from __future__ import annotations

import argparse
import linecache
import random
import sys
from typing import Any

import numpy as np

import srcad
from tests import oracle
from tests.all_stages import as_compiled

NAMES = ("u", "v", "w")
SIZES = ((0, 2), (1, 3), (2, 1), (3, 2), (5, 0), (5, 3), (6, 4))  # elements, steps


class _Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.lines: list[str] = []
        self.fresh: set[str] = set()  # names that are bound in the step
        self.names: list[str] = []  # of what is read, if not all

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def source(self) -> str:
        """The text of a function ``f``."""
        r = self.r
        self.lines = ["import numpy as np", "", "", "def f(x, steps):"]
        self.line(1, "n = len(x)")
        self.line(
            1, f"u, v, w = x.copy(), {r.choice(['x * 0.5', 'np.zeros(n)', 'x.copy()'])}, x + 0.1"
        )
        self.line(1, "total = 0.0")
        depth = 1
        if r.random() < 0.15:
            self.line(1, "for k in range(2):")
            depth = 2
            if r.random() < 0.5:
                self.line(2, f"{r.choice(NAMES)} = x * (k + 1.0)")
        self.line(
            depth, r.choice(["for t in range(steps):"] * 4 + ["for t in range(steps - 1, -1, -1):"])
        )
        for _ in range(r.randint(2, 5)):
            self.statement(depth + 1)
        if r.random() < 0.3:
            self.line(
                depth + 1, r.choice(["u, v = v, u", "u, v, w = v, w, u", "w, u = u, w", "v = u"])
            )
        if r.random() < 0.1:
            self.line(depth + 1, "if total > 1.5:")
            self.line(depth + 2, "break")
        ends = r.sample(["np.sum(u * u)", "np.sum(u)", "np.sum(v * w)", "np.sum(w)", "total"], 2)
        self.line(1, f"return {' + '.join(ends)}")
        return "\n".join(self.lines) + "\n"

    def array(self) -> str:
        return self.r.choice(self.names or [*NAMES, *NAMES, *sorted(self.fresh)])

    def element(self, i: str, low: int, high: int) -> str:
        """An element near a counter that runs from ``low`` to ``n - high``."""
        near = self.r.randint(-low, high) if self.r.random() < 0.7 else 0
        at = f"{i} + {near}" if near > 0 else f"{i} - {-near}" if near else i
        return f"{self.array()}[{self.r.choice([at, at, at, f'n - 1 - {i}'])}]"

    def value(self, i: str, low: int, high: int) -> str:
        """An expression of such elements."""
        a, b, c = (self.element(i, low, high) for _ in range(3))
        return self.r.choice(
            [f"0.5 * {a}", f"{a} * {b}", f"{a} - 0.3 * {b} * {c}", f"np.sin({a}) + 0.1 * {b}", a]
        )

    def statement(self, depth: int) -> None:
        """One statement of a step, or a few that belong together."""
        r = self.r
        target, other = self.array(), self.array()
        low, high = r.choice([(0, 0), (0, 0), (1, 1), (1, 0), (0, 1), (2, 1)])
        kinds = ["copy", "loop copy", "fill", "anew", *["sweep"] * 3, "sum", *["step"] * 4]
        match r.choice(kinds):
            case "step":
                self.step(depth, r.choice(NAMES), low, high)
            case "copy":
                self.fresh.add("old")
                self.line(depth, f"old = {target}.copy()")
            case "loop copy":
                self.line(depth, "for i in range(n):")
                self.line(depth + 1, f"{target}[i] = {other}[i]")
            case "fill":
                self.line(depth, f"{target}[:] = {r.choice(['0.2', other, f'{other} * 0.5'])}")
            case "anew":
                name = r.choice(NAMES)
                self.line(
                    depth,
                    f"{name} = {r.choice(['np.zeros(n)', f'{other}.copy()', f'{other} * 0.9'])}",
                )
            case "sum":
                self.line(depth, f"total += 0.1 * np.sum({other})")
            case _:
                self.sweep(depth, target, low, high)

    def step(self, depth: int, state: str, low: int, high: int) -> None:
        """A state overwritten from a copy of it; now and then something else is in between."""
        r = self.r
        self.fresh.add("old")
        if r.random() < 0.5:
            self.line(depth, f"old = {state}.copy()")
        else:
            self.line(depth, "for i in range(n):")
            self.line(depth + 1, f"old[i] = {state}[i]")
        if r.random() < 0.2:
            self.statement(depth)
        names, self.names = self.names, [n for n in (*NAMES, "old", "old") if n != state]
        if r.random() < 0.1:
            self.names.append(state)
        self.sweep(depth, state, low, high)
        self.names = names

    def sweep(self, depth: int, target: str, low: int, high: int) -> None:
        """A loop over a range of an array."""
        r = self.r
        stop = f"n - {high}" if high else "n"
        self.line(depth, f"for i in range({low}, {stop}):" if low else f"for i in range({stop}):")
        inner = depth + 1
        if r.random() < 0.15:
            self.line(inner, f"if {self.element('i', low, high)} > 0.4:")
            inner += 1
        self.line(
            inner, f"{target}[i] {r.choice(['=', '=', '+=', '*='])} {self.value('i', low, high)}"
        )
        if r.random() < 0.2:
            self.line(inner, f"total += 0.1 * {self.element('i', low, high)}")
        if r.random() < 0.15:
            self.line(inner, f"{self.array()}[i] = {self.value('i', low, high)}")


def source(seed: int) -> str:
    """A program; names that a step binds are bound before it."""
    text = _Writer(seed).source()
    return text.replace("    total = 0.0\n", "    total = 0.0\n    old = x * 0.7\n")


def load(seed: int) -> Any:
    """The function."""
    name, text = f"<steps {seed}>", source(seed)
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    scope: dict[str, Any] = {}
    exec(compile(text, name, "exec"), scope)
    return scope["f"]


def check(seed: int) -> int:
    """How many sizes were compared; raises where something is wrong."""
    f, compared = load(seed), 0
    with (
        as_compiled(),
        srcad.using(backend="reference", vector_math=False, verify=True, cache=False),
    ):
        value, g = srcad.differentiable(f), srcad.value_and_grad(f, poison=True)
        for n, steps in SIZES:
            x = 0.4 + 0.3 * np.sin(1.0 + np.arange(float(n)))
            with np.errstate(all="ignore"):
                expected = f(x.copy(), steps)
                slope = oracle.gradient(f, (x.copy(), steps), (0,))[0]
            if not np.all(np.abs([expected, *slope]) < 1e6):
                continue
            np.testing.assert_allclose(value(x.copy(), steps), expected, rtol=1e-12, atol=1e-13)
            again, found = g(x.copy(), steps)
            np.testing.assert_allclose(again, expected, rtol=1e-12, atol=1e-13)
            scale = max(1.0, float(np.max(np.abs(slope), initial=0.0)))
            np.testing.assert_allclose(found, slope, rtol=1e-9, atol=1e-10 * scale)
            compared += 1
    return compared


def main(arguments: list[str] | None = None) -> int:
    """Check as many as are asked for; the exit status says whether all are right."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    compared = failed = 0
    for seed in range(options.seed, options.seed + options.count):
        try:
            compared += check(seed)
        except Exception as error:
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:200]}", flush=True)
    print(f"{options.count} programs, {compared} comparisons, {failed} failures")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
