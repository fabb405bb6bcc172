"""Loops that add to neighbours become gathers: which do, that it is right, which must not.

Random loops are compared before and after on small integers, whose sums are exact in any order;
gradients of stencils with forward mode, which knows nothing of this.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

import srcad
from srcad.analyses.stencils import Stencils
from srcad.backends.reference import run
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Carried, For, Function, Loc
from srcad.ir.types import F8, I8, ArrayT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.gathers import gathered
from srcad.storage.rows import matrices

VECTOR, MATRIX = ArrayT("f8", 1), ArrayT("f8", 2)
SIZE = 18


def burgers(u, steps, c, nu):
    """A copy of the state, and a step with neighbours on both sides."""
    u, old = u.copy(), np.empty_like(u)
    for _ in range(steps):
        for i in range(len(u)):
            old[i] = u[i]
        for i in range(1, len(u) - 1):
            u[i] = old[i] - c * old[i] * (old[i] - old[i - 1])
            u[i] += nu * (old[i + 1] - 2.0 * old[i] + old[i - 1])
    return np.sum(u * u)


def sliced(u, steps, c, nu):
    """The same through slices of the state."""
    u, old = u.copy(), np.empty_like(u)
    inner, left, here, right = u[1:-1], old[:-2], old[1:-1], old[2:]
    for _ in range(steps):
        old[:] = u
        for i in range(len(u) - 2):
            change = nu * (right[i] - 2.0 * here[i] + left[i])
            inner[i] = here[i] - c * here[i] * (here[i] - left[i]) + change
    return np.sum(u * u)


def lax_friedrichs(u, steps, c, nu):
    """A conservation law, on two arrays in turn."""
    u, new = u.copy(), u.copy()
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            flux = 0.5 * c * (u[i + 1] * u[i + 1] - u[i - 1] * u[i - 1])
            new[i] = 0.5 * (u[i + 1] + u[i - 1]) - nu * flux
        u, new = new, u
    return np.sum(u * u)


def leapfrog(u, steps, c, nu):
    """The wave equation: three states."""
    old, now, new = u.copy(), u.copy(), np.zeros_like(u)
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            wave = c * (now[i + 1] - 2.0 * now[i] + now[i - 1])
            new[i] = 2.0 * now[i] - old[i] + wave - nu * now[i] * now[i] * now[i]
        for i in range(len(u)):
            old[i] = now[i]
            now[i] = new[i]
    return np.sum(now * now)


def filtered(u, steps, c, nu):
    """A kernel of five weights, written out."""
    total = 0.0
    for i in range(2, len(u) - 2):
        v = c * u[i - 2] + nu * u[i - 1] + u[i] - nu * u[i + 1] + c * u[i + 2]
        total += v * v * u[i]
    return total


def residuals(u, steps, c, nu):
    """Finite differences in a cost, from the right."""
    total = 0.0
    for i in range(len(u) - 2, 0, -1):
        r = nu * (u[i + 1] - 2.0 * u[i] + u[i - 1]) + c * u[i] * (u[i + 1] - u[i - 1]) - 1.0
        total += r * r
    return total


def grid(u, steps, c, nu):
    """Five points in two dimensions."""
    n = len(u) // 3
    a, b = u[: 3 * n].copy().reshape(3, n), np.zeros((3, n))
    for _ in range(steps):
        for i in range(1, 2):
            for j in range(1, n - 1):
                around = a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1] - 4.0 * a[i, j]
                b[i, j] = a[i, j] + nu * around - c * a[i, j] * a[i, j]
        for i in range(1, 2):
            for j in range(1, n - 1):
                a[i, j] = b[i, j]
    return np.sum(a * a)


def swept(u, steps, c, nu):
    """In place: the old left neighbour is carried along."""
    u = u.copy()
    for _ in range(steps):
        left = u[0]
        for i in range(1, len(u) - 1):
            here = u[i]
            u[i] += nu * (u[i + 1] - 2.0 * here + left) - c * here * (here - left)
            left = here
    return np.sum(u * u)


def swept_down(u, steps, c, nu):
    """The same from the right."""
    u = u.copy()
    for _ in range(steps):
        right = u[len(u) - 1]
        for i in range(len(u) - 2, 0, -1):
            here = u[i]
            u[i] = here + nu * u[i - 1] - c * here * (right - u[i - 1])
            right = here
    return np.sum(u * u)


STENCILS = (burgers, sliced, lax_friedrichs, leapfrog, filtered, residuals, grid, swept)


def gradient_of(f, n):
    """The gradient of one of them and its arguments."""
    args = np.sin(np.arange(float(n))), 3, 0.3, 0.2
    return srcad.grad(f, argnums=(0, 2), backend="reference"), args


def gathers(f, n=9):
    """How many loops of a gradient are gathers."""
    g, args = gradient_of(f, n)
    program = g.program(g.specs(g.bind(args, {})))
    fn = matrices(program.fn)
    before = [s for s in statements(fn.body) if isinstance(s, For)]
    return sum(Stencils(fn).of(s) is not None for s in before)


@pytest.mark.parametrize("f", STENCILS, ids=lambda f: f.__name__)
def test_stencils_are_gathers_and_right(f):
    """For states too short for the formula, and for those that have borders only."""
    assert gathers(f) > 0
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for n in (3, 4, 5, 6, 7, 12):
        g, args = gradient_of(f, n)
        for found, expected in zip(g(*args), forward(*args), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def built(rng: random.Random) -> Function:
    """A loop of adjoint code: adds to neighbours, clears, scales and reads its own elements."""
    b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
    first, end = b.var("first", I8), b.var("end", I8)
    arrays = {v: b.var(v, MATRIX if v == "m" else VECTOR) for v in "pqwm"}
    copies = {}
    for name, a in arrays.items():  # parameters may be one and the same; these are not
        shape = tuple(b.dim(a, k) for k in range(a.type.ndim))
        copies[name] = b.alloc(a.type, shape, hint=name)
        with b.loop(const(0), shape[0]) as i:
            if name == "m":
                with b.loop(const(0), shape[1]) as j:
                    b.store(copies[name], (i, j), b.load(a, i, j))
            else:
                b.store(copies[name], (i,), b.load(a, i))
    p, q, w, m = (copies[v] for v in "pqwm")
    if rng.random() < 0.3:  # seen through slices
        p = b.view(p, "index", (("slice", const(1), None, None),), ArrayT("f8", 1), "inner")
    up, new = rng.random() < 0.4, rng.random() < 0.3
    start, stop, step = const(3) if new else first, end, const(1)
    if not up:
        start, stop, step = b.op("sub", end, const(1)), b.op("sub", start, const(1)), const(-1)
    if new:  # zeros, all of which are added to
        p = copies["p"] = b.alloc(VECTOR, (b.op("add", end, const(3)),), hint="p")
    i, total, result = b.var("i", I8), b.var("total", F8), b.var("total", F8)
    with b.block() as body:
        at = {c: b.op("add", i, const(c)) if c else i for c in range(-3, 4)}
        values = [b.load(w, at[rng.randint(-3, 3)]), b.load(q, i)]
        row = b.op("sub", const(3), const(1))
        for _ in range(rng.randint(1, 4)):
            values.append(b.op(rng.choice(["add", "sub", "mul"]), *rng.sample(values, 2)))
        if rng.random() < 0.3:
            b.store(p, (at[-3 if step.value < 0 else 3],), rng.choice(values))
        for c in [
            *(rng.randint(-3, 3) for _ in range(rng.randint(1, 4))),
            *((-3, 3) if new else ()),
        ]:
            b.accumulate(p, (at[c],), rng.choice(values))
        for _ in range(rng.randint(0, 3)):
            other = rng.choice([row, const(1)])
            b.accumulate(m, (other, at[rng.randint(-1, 1)]), rng.choice(values))
        if rng.random() < 0.6:
            b.store(q, (i,), rng.choice([const(0.0), *values]))
        if rng.random() < 0.1:
            b.accumulate(w, (at[rng.randint(-1, 1)],), values[0])  # which is read as well
        sums = rng.random() < 0.4
        more = b.op("add", total, rng.choice(values)) if sums else None
    carried = (Carried(result, total, const(0.0)),) if sums else ()
    b.for_(i, start, stop, step, carried, Block(tuple(body), (more,) if sums else ()))
    known = {"first": 3, "end": 3} if rng.random() < 0.8 else {}
    results = (*copies.values(), result if sums else const(0.0))
    whole = Block(tuple(b.stack[0]), results)
    fn = Function("f", (first, end, *arrays.values()), whole, least=known)
    verify(fn)
    return fn


def test_random_loops_give_the_same():
    """Before and after, for ranges from none at all to long ones."""
    rng, numbers, changed = random.Random(1), np.random.default_rng(1), 0
    for _ in range(100):
        fn = built(rng)
        after = gathered(fn)
        verify(after)
        changed += after.body != fn.body
        for first, end in ((5, 4), (3, 3), (5, 6), (5, 7), (4, 9), (3, 13)):
            arrays = [numbers.integers(-3, 4, (4, SIZE) if k == 3 else SIZE) for k in range(4)]
            given = [a.astype(float) for a in arrays]
            for x, y in zip(*(run(f, (first, end, *given)) for f in (fn, after)), strict=True):
                np.testing.assert_array_equal(x, y)
    assert changed > 50


def in_place(u, steps, c, nu):
    """Each element is read after its left neighbour has changed."""
    u = u.copy()
    for i in range(1, len(u)):
        u[i] = u[i] - c * u[i] * u[i - 1]
    return np.sum(u * u)


def far(u, steps, c, nu):
    """A distance that is not constant."""
    total = 0.0
    for i in range(1, len(u) - steps):
        total += (u[i + steps] - u[i - 1]) * u[i] * c
    return total


def looked_up(u, steps, c, nu):
    """Positions that come from an array."""
    at, total = np.arange(len(u)) // 2, 0.0
    for i in range(len(u)):
        total += u[at[i]] * u[at[i]] * c
    return total


def every_other(u, steps, c, nu):
    """A step of two."""
    total = 0.0
    for i in range(1, len(u) - 1, 2):
        total += (u[i + 1] - c * u[i - 1]) ** 2 * u[i]
    return total


def waves(u, steps, c, nu):
    """A sine for each pair of neighbours."""
    total = 0.0
    for i in range(len(u) - 1):
        total += np.sin(c * (u[i + 1] - u[i]) * u[i])
    return total


def scattered(u, steps, c, nu):
    """Sums of the primal, whose order is the user's; their adjoint reads neighbours only."""
    out = np.zeros(len(u))
    for i in range(1, len(u) - 1):
        out[i - 1] += c * u[i]
        out[i] -= nu * u[i]
        out[i + 1] += u[i] * u[i]
    return np.sum(out * out)


def from_nothing(u, steps, c, nu):
    """In place: what is carried is no element at first, and is used at the end."""
    u = u.copy()
    left, total = c, 0.0
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            here = u[i]
            u[i] = here * left + nu * u[i + 1] * here
            left = here
        total += left * left
    return total


def from_new(u, steps, c, nu):
    """In place: it changes what was to be the first element before it begins."""
    u = u.copy()
    for _ in range(steps):
        left = u[0]
        u[0] = c * left
        for i in range(1, len(u)):
            here = u[i]
            u[i] = here * left - c * here * (here - left)
            left = here
    return np.sum(u * u)


def after_the_write(u, steps, c, nu):
    """In place: the element is read again when it has changed."""
    u = u.copy()
    for _ in range(steps):
        left = u[0]
        for i in range(1, len(u)):
            here = u[i]
            u[i] = here - c * here * left
            left = u[i] * u[i]
    return np.sum(u * u)


OTHERS = (in_place, far, looked_up, every_other, waves, scattered)
SWEEPS = (from_nothing, from_new, after_the_write)


@pytest.mark.parametrize("f", OTHERS, ids=lambda f: f.__name__)
def test_other_loops_stay(f):
    """And their gradients are right."""
    for n in (3, 4, 6, 12):
        g, args = gradient_of(f, n)
        forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
        for found, expected in zip(g(*args), forward(*args), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    fn = matrices(g.program(g.specs(g.bind(args, {}))).fn)
    assert gathered(fn).body == fn.body


@pytest.mark.parametrize("f", [swept_down, *SWEEPS], ids=lambda f: f.__name__)
def test_sweeps_in_place(f):
    """Those that read old values only, and those that do not."""
    g, args = gradient_of(f, 9)
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for found, expected in zip(g(*args), forward(*args), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    one_history = 3 * 9 * 8
    assert (srcad.explain(g, *args).tape_bytes <= one_history) == (f is swept_down)


def test_shadows_that_are_given_are_added_to():
    """The in-place form, where an argument and its shadow might be one array."""
    u, u_b, out, seed = np.sin(np.arange(9.0)), np.ones(9), np.zeros(9), np.ones(9)

    def step(u, out):
        for i in range(1, len(u) - 1):
            out[i] = u[i - 1] * u[i + 1] - u[i]

    back = srcad.adjoint(step, backend="reference")
    program = back.program(back.specs(back.bind((u, u_b, out, seed), {})))
    assert gathered(program.fn).body == program.fn.body  # called from where nobody looks
    assert gathered(program.fn, distinct=True).body != program.fn.body
    with pytest.raises(srcad.errors.TypeMismatch):
        back(u, u, out, seed)
    back(u, u_b, out, seed)
    expected = np.ones(9)
    expected[:-2] += u[2:]
    expected[2:] += u[:-2]
    expected[1:-1] -= 1.0
    np.testing.assert_allclose(u_b, expected, rtol=1e-14)
    np.testing.assert_array_equal(seed, [1, *[0] * 7, 1])


def test_not_a_number_stays_near():
    """What is not a number stays where it belongs; compiled, in single precision."""
    u = np.sin(np.arange(12)).astype(np.float32)
    u[3] = np.nan
    for backend in ("reference", "cpu"):
        found = srcad.grad(filtered, backend=backend)(u, 3, 0.3, 0.2)
        assert found.dtype == np.float32
        assert list(np.flatnonzero(np.isnan(found))) == list(range(8))
