"""What is cheap is computed again instead of stored: where that happens, and that bits stay."""

from __future__ import annotations

import linecache
import random

import numpy as np
import pytest

from srcad.ir.nodes import Alloc
from srcad.ir.text import text
from srcad.ir.verify import verify
from srcad.ir.walk import statements, variables
from srcad.storage.loops.remake import remade
from srcad.transforms.separate import separated
from tests.test_jam import outcome, program, same


def stages(x, steps):
    """Two stages of a step: the slopes are needed once more at its end."""
    n = x.shape[0]
    y, at, k1, k2 = np.ones(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for _ in range(steps):
        for i in range(1, n):
            k1[i] = x[i] * y[i - 1]
        for i in range(1, n):
            at[i] = y[i] + 0.1 * k1[i]
        for i in range(1, n):
            k2[i] = x[i] * at[i - 1]
        for i in range(1, n):
            y[i] = y[i] + 0.05 * x[i] * (k1[i] + k2[i])
    return y.sum()


def ends(x, steps):
    """The first elements are set by themselves."""
    n = x.shape[0]
    y, k = np.ones(n), np.zeros(n)
    total = 0.0
    for _ in range(steps):
        k[0] = x[0]
        for i in range(1, n):
            k[i] = x[i] * x[i - 1]
        total += k[0]
        for i in range(1, n):
            y[i] = y[i] + k[i] * x[i]
    return y.sum() + total


def changed(x, steps):
    """What would be read again is written in between."""
    n = x.shape[0]
    y, k = np.ones(n), np.zeros(n)
    for _ in range(steps):
        for i in range(n):
            k[i] = x[i] * y[i]
        for i in range(n):
            y[i] = 0.5 * y[i]
        for i in range(n):
            y[i] = y[i] + k[i] * x[i]
    return y.sum()


def in_the_reader(x, steps):
    """What would be read again is written by the loop that reads it."""
    n = x.shape[0]
    y, k = np.ones(n), np.zeros(n)
    for _ in range(steps):
        for i in range(1, n):
            k[i] = x[i] * y[i - 1]
        for i in range(1, n):
            y[i] = y[i] + 0.1 * k[i]
    return y.sum()


def other_range(x, steps):
    """Not all of what is read was filled by the loop."""
    n = x.shape[0]
    y, k = np.ones(n), np.zeros(n)
    for _ in range(steps):
        for i in range(1, n):
            k[i] = x[i] * 2.0
        for i in range(n):
            y[i] = y[i] + k[i]
    return y.sum()


def before(x, steps):
    """It is read before it is filled."""
    n = x.shape[0]
    y, k = np.ones(n), np.zeros(n)
    for _ in range(steps):
        for i in range(n):
            y[i] = y[i] + k[i]
        for i in range(n):
            k[i] = x[i] * 2.0
    return y.sum()


def sometimes(x, steps):
    """It is not filled in each step."""
    n = x.shape[0]
    y, k = np.ones(n), np.zeros(n)
    for s in range(steps):
        if s % 2 == 0:
            for i in range(n):
                k[i] = x[i] * 2.0
        for i in range(n):
            y[i] = y[i] + k[i]
    return y.sum()


def dear(x, steps):
    """A division is not cheap."""
    n = x.shape[0]
    y, k = np.ones(n), np.zeros(n)
    for _ in range(steps):
        for i in range(n):
            k[i] = 1.0 / (2.0 + x[i])
        for i in range(n):
            y[i] = y[i] + k[i]
    return y.sum()


def arrays(fn):
    """How many arrays are made."""
    return sum(isinstance(s, Alloc) for s in statements(fn.body))


def compare(fn, args):
    """Run before and after: the same bits."""
    fn = separated(fn, {v.name for v in variables(fn)}, looping=True) or fn
    after = remade(fn)
    verify(after)
    (p, p_args), (q, q_args) = outcome(fn, args), outcome(after, args)
    assert all(map(same, p_args, q_args))
    assert p == q if isinstance(p, str) else all(map(same, p, q))  # an exception is a text
    return arrays(fn) - arrays(after)


@pytest.mark.parametrize(("f", "fewer"), [(stages, 1), (ends, 1)])
def test_what_is_made_again(f, fewer):
    """An array less; also where it has no elements at all."""
    for n in (0, 1, 2, 5) if f is stages else (1, 2, 5):
        x = np.random.default_rng(0).normal(size=n)
        fn = program(f, x, 3)
        assert compare(fn, (x, 3)) == fewer
        compare(program(f, x, 3, gradient=True), (x, 3))


@pytest.mark.parametrize("f", [changed, in_the_reader, other_range, before, sometimes, dear])
def test_what_stays(f):
    """The elements are others by then, or it is not worth it."""
    x = np.random.default_rng(0).normal(size=5)
    assert compare(program(f, x, 3), (x, 3)) == 0
    compare(program(f, x, 3, gradient=True), (x, 3))


def test_arguments_that_may_overlap():
    """What is written to one argument may be in another one."""

    def f(x, out):
        n = x.shape[0]
        k = np.zeros(n)
        for i in range(n):
            k[i] = x[i] * 2.0
        for i in range(n):
            out[i] = k[i] + 1.0
        return out[0]

    x = np.arange(6.0)
    assert compare(program(f, x, x.copy()), (x, np.zeros(6))) == 0


def source(seed):
    """Loops over the same range or nearly, on a few arrays, in a loop over time."""
    r = random.Random(seed)
    names, unused = list("abcdef"), list("abcdef")
    first = r.randrange(2)
    lines = ["def f(x, steps):", "    n = x.shape[0]", "    total = 0.0"]
    lines += [f"    {name} = np.{r.choice(('zeros', 'ones'))}(n)" for name in names]
    lines += ["    y = np.ones(n)", "    for s in range(steps):"]
    filled = []
    for _ in range(r.randrange(3, 7)):
        start = first if r.random() < 0.9 else 1 - first
        target = unused.pop() if unused and r.random() < 0.85 else r.choice([*names, "y"])
        filled.append(target)
        shift = r.choice(("", " - 1")) if start else ""
        one, two = (r.choice([*names, "x", "x", "y"]) for _ in range(2))
        values = (f"x[i] * {one}[i{shift}]", f"{one}[i{shift}] - 0.5 * {two}[i]", "0.5 * x[i]")
        sign = r.choice(("=", "=", "=", "=", "+="))
        if start and r.random() < 0.3:
            lines.append(f"        {target}[0] = 0.1 * s")
        lines.append(f"        for i in range({start}, n{' - 1' if r.random() < 0.1 else ''}):")
        lines.append(f"            {target}[i] {sign} {r.choice(values)}")
        if r.random() < 0.3:
            lines.append(f"            {r.choice(names)}[i] = 0.3 * {target}[i]")
        if r.random() < 0.1:
            lines.append(f"        total += {r.choice(names)}[0]")
    one, two = r.choices(filled, k=2)
    lines.append(f"        for i in range({first}, n):")
    lines.append(f"            y[i] = y[i] + x[i] * ({one}[i] + 2.0 * {two}[i])")
    lines.append("    for i in range(n):")
    lines.append("        total += y[i]")
    return "\n".join([*lines, "    return total", ""])


def load(seed):
    """The function of a seed."""
    name, space = f"<passes {seed}>", {"np": np, "__name__": "passes"}
    linecache.cache[name] = (1, None, source(seed).splitlines(True), name)
    exec(compile(source(seed), name, "exec"), space)
    return space["f"]


@pytest.mark.parametrize("block", range(2))
def test_random_passes(block):
    """Values and cotangents are the same bits."""
    fewer = 0
    x = np.random.default_rng(0).uniform(-1, 1, 5)
    for seed in range(100 + block * 15, 115 + block * 15):
        for gradient in (False, True):
            fn = program(load(seed), x, 3, gradient=gradient)
            try:
                fewer += compare(fn, (x, 3))
            except AssertionError as e:
                raise AssertionError(f"{source(seed)}{text(remade(fn))}") from e
    assert fewer > 2
