"""Random bodies of ``prange`` loops: threads give what one thread gives, whatever is written.

Statements are drawn from those that can be split and those that cannot, so that loops mix both;
the reference backend runs the three chunks in the wrong order.  The whole zoo is run with every
loop on threads as well.
"""

import itertools
import linecache
import random

import numba
import numpy as np
import pytest

import srcad
from srcad.storage.parallel import emit, passes
from tests.programs import PROGRAMS

FREE = (
    "out[i] = x[i] * {e}",
    "out[i] += {e}",
    "out[n + 1 - i] += {e}",
    "out[to[i]] += {e}",
    "total += {e}",
    "total -= 0.5 * {e}",
    "w[i] *= {e}",
    "grid[i, j] = {e} * grid[i, j]",
    "grid[i, j] += {e}",
    "grid[i + 1, j] += {e}",
    "grid[to[i], j] += 0.1 * {e}",
    "flat[i * m + j] = {e} + flat[i * m + j]",
    "flat[3 + i] += {e}",
    "row = grid[i]\n        row[j] += {e}",
    "part = out[1:]\n        part[i] += {e}",
    "near[i + 2] += {e}\n        near[i] += 0.3 * {e}",
    "own = np.zeros(3)\n        own[j] = {e}\n        total += own[0] * own[j]",
    "most = max(most, {e})",
    "if x[i] > 0.8:\n            out[i] += {e}",
    "for k in range(i):\n            out[k] += x[k] * {e}",
    "few[j] += {e} / w[i]",
    "counts[to[i]] += 1",
)
BOUND = (  # no two iterations may change places
    "out[i + 1] = out[i] * {e}",
    "out[to[i]] = {e}",
    "out[0] = {e}",
    "chain = 0.5 * chain + {e}",
    "near[i + 1] = near[i] + {e}",
    "flat[i + j] = {e}",
    "few[j] = few[j] * {e}",
)
VALUES = ("x[i]", "x[i] * x[i]", "np.sin(x[i] + p)", "x[i] * p", "0.5 * x[n - 1 - i]", "x[to[i]]")
HEAD = """
def f(x, w, to, p, m):
    n = len(x)
    out, near, few = np.zeros(n + 3), x.copy(), np.ones(m)
    near = np.ones(n + 3)
    flat, grid, counts = np.ones(n * m + 3), np.ones((n + 2, m)), np.zeros(n, np.int64)
    total, most, chain = 0.0, -9.0, 0.3
    for i in numba.prange({range}):
        j = i % m
"""
TAIL = """
    s = total + most + chain
    for a in out:
        s += a * a
    for a in near:
        s += 0.7 * a
    for a in few:
        s += a * a
    for a in flat:
        s += 0.1 * a * a
    for i in range(n + 2):
        for j in range(m):
            s += grid[i, j] * grid[i, j] * (i + 1)
    for i in range(n):
        s += counts[i] * w[i]
    return s
"""
NUMBERS = itertools.count()


def made(seed):
    """A function with a random loop, and its text."""
    r = random.Random(seed)
    bound = r.random() < 0.3
    lines = r.choices(FREE, k=r.randint(1, 4)) + (r.choices(BOUND, k=1) if bound else [])
    r.shuffle(lines)
    over = r.choice(["n", "1, n", "n - 1, -1, -1", "0, n, 2", "n"])
    body = "".join(f"        {line.replace('{e}', r.choice(VALUES))}\n" for line in lines)
    text = HEAD.replace("{range}", over) + body + TAIL
    name = f"<prange {next(NUMBERS)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space = {"np": np, "numba": numba, "__name__": "prange_loops"}
    exec(compile(text, name, "exec"), space)
    return space["f"], text, bound


def arguments(seed):
    """Arguments of such a function."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 11))
    return rng.uniform(0.4, 1.2, n), rng.uniform(0.4, 1.2, n), rng.integers(0, n, n), 0.7, 3


def gradient(f, args, parallel):
    """Value and gradient by the reference backend."""
    with srcad.using(backend="reference", parallel=parallel, verify=True, cache=False):
        args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
        value, found = srcad.value_and_grad(f, argnums=(0, 1, 3))(*args)
    return [value, *found, args[1]]


def test_random_loops(monkeypatch):
    """Equal results; loops that can be split are, those that cannot are not."""
    threads, split, whole = [], 0, 0
    emitted = passes._Function.emitted
    monkeypatch.setattr(
        passes._Function, "emitted", lambda self, plan: threads.append(1) or emitted(self, plan)
    )
    for seed in range(40):
        f, text, bound = made(seed)
        args = arguments(seed)
        expected = gradient(f, args, False)
        threads.clear()
        for x, y in zip(gradient(f, args, None), expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-11, err_msg=text)
        split += bool(threads) and not bound
        whole += not threads
    assert split >= 18 and whole >= 4


@pytest.mark.parametrize("part", range(4))
def test_every_loop_of_the_zoo(part, monkeypatch):
    """``parallel=True`` with loops of any size: the gradients stay what they are."""
    monkeypatch.setattr(emit, "GRAIN", 1)
    monkeypatch.setattr(passes, "GRAIN", 1)
    for p in PROGRAMS[part::60]:
        found = [outcome(p, parallel) for parallel in (False, True)]
        for x, y in zip(*found, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12, err_msg=p.name)


def outcome(p, parallel):
    """The numbers of a program's gradient, or the text of its error."""
    from tests.randprog.checking import flat

    with srcad.using(backend="reference", parallel=parallel, cache=False):
        try:
            return [flat(srcad.grad(p.fn, argnums=p.wrt)(*p.args(), **p.kwargs))]
        except Exception as error:
            return [hash(str(error)) % 1000.0]
