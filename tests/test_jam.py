"""Several iterations of an outer loop at once: where that happens, where it must not, same bits.

Programs are run by the interpreter before and after the pass, three lanes at once and whether it is
worth it or not; the estimate of what is worth it is asked by itself.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad.backends.reference import run
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Carried, Function, Op, Var
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.text import text
from srcad.ir.types import B1, F8, I8, ArrayT
from srcad.ir.verify import verify
from srcad.storage.jam import jammed
from srcad.storage.jam.worth import alone, in_vectors, waiting
from tests.jam_programs import arguments, load, source

MATRIX, VECTOR = ArrayT("f8", 2), ArrayT("f8", 1)
ROUNDING = {"rtol": 1e-11, "atol": 1e-12, "equal_nan": True}


def powers(x, n):
    """Residuals of a polynomial at ``n`` points: the power of a point is a recurrence."""
    total = 0.0
    for i in range(n):
        t = -1.0 + i * 2.0 / n
        r = 1.0 if t > 0.0 else -1.0
        power = 1.0
        for j in range(x.shape[0]):
            r -= x[j] * power
            power *= t
        total += r * r
    return 0.5 * total


def averages(z, out):
    """A running average of each column, written to a matrix."""
    for i in range(z.shape[1]):
        s = 0.0
        for j in range(z.shape[0]):
            s = 0.9 * s + 0.1 * z[j, i]
            out[j, i] = s


def of_rows(z, rate):
    """The same with rows, in which lanes are not neighbours; sums alone."""
    total = 0.0
    for i in range(z.shape[0]):
        s = 0.0
        for j in range(z.shape[1]):
            s += z[i, j]
        total += s * s * rate
    return total


def one_state(z, rate):
    """A state that iterations hand on."""
    s = 0.0
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            s = rate * s + z[i, j]
    return s


def last_row(z, rate):
    """Each iteration reads what the one before has written."""
    out = np.zeros(z.shape)
    for i in range(1, z.shape[0]):
        s = 0.0
        for j in range(z.shape[1]):
            s = rate * s + z[i, j] * out[i - 1, j]
            out[i, j] = s
    return out[-1, 0]


def triangle(z, rate):
    """Other trips in each iteration."""
    total = 0.0
    for i in range(z.shape[0]):
        s = 1.0
        for j in range(i, z.shape[1]):
            s = rate * s * z[i, j]
        total += s
    return total


def until(z, rate):
    """A loop that ends early."""
    total = 0.0
    for i in range(z.shape[0]):
        s = 1.0
        for j in range(z.shape[1]):
            s = rate * s + z[i, j]
            if s > 2.0:
                break
        total += s
    return total


def in_order(z, rate):
    """A sum of the primal within the inner loop: its order is the user's."""
    total = 0.0
    for i in range(z.shape[1]):
        s = 1.0
        for j in range(z.shape[0]):
            s = rate * s + z[j, i]
            total += s
    return total


def scratch(z, rate):
    """One array for all iterations, of which each reads what the one before has left."""
    total = 0.0
    work = np.zeros(z.shape[0])
    for i in range(z.shape[1]):
        s = 0.0
        for j in range(z.shape[0]):
            s = rate * s + z[j, i] + work[j]
            work[j] = s
        total += s
    return total


def of_chosen_rows(z, chosen):
    """A row that is looked up, used where it is looked up and later."""
    total = 0.0
    for i in range(z.shape[1]):
        row = z[chosen[i]]
        s = row[i]
        for j in range(z.shape[0]):
            s = 0.9 * s + z[j, i] * row[j]
        total += s * row[0]
    return total


def divided(z, out):
    """Something fails in the middle, and it shows in the argument which iterations have run."""
    for i in range(z.shape[1]):
        s = 0.0
        for j in range(z.shape[0]):
            s = 0.9 * s + 1.0 / z[j, i]
        out[0, i] = s


def dividing(z, rate):
    """Something fails in the middle, and nobody sees where."""
    total = 0.0
    for i in range(z.shape[1]):
        s = 0.0
        for j in range(z.shape[0]):
            s = rate * s + 1.0 / z[j, i]
        total += s
    return total


def short(z, rate):
    """Three components."""
    total = 0.0
    for i in range(3):
        s = 0.0
        for j in range(z.shape[0]):
            s = rate * s + z[j, i]
        total += s
    return total


def program(f, *args, gradient=False):
    """The IR of a function or of its gradient."""
    floats = tuple(k for k, a in enumerate(args) if not isinstance(a, int))
    transform = srcad.value_and_grad if gradient else srcad.differentiable
    options = {"argnums": floats} if gradient else {}
    g = transform(f, backend="reference", **options)
    return g.program(g.specs(g.bind(args, {}))).fn


def outcome(fn, args):
    """Results or exception, and the arguments afterwards."""
    mine = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
    with np.errstate(all="ignore"):
        try:
            return run(fn, mine), mine
        except (ValueError, ZeroDivisionError) as e:
            return repr(e), mine


def same(a, b):
    """Whether numbers and arrays are the same bits."""
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


def compare(fn, args, exact):
    """Run before and after; ``exact``: cotangents too."""
    after = jammed(fn, lanes=3, always=True)
    verify(after)
    (p, p_args), (q, q_args) = outcome(fn, args), outcome(after, args)
    assert all(map(same, p_args, q_args))
    if isinstance(p, str) or isinstance(q, str):
        assert p == q
        return
    assert not p or same(p[0], q[0])
    for u, v in zip(p, q, strict=True):
        assert same(u, v) if exact else np.allclose(u, v, **ROUNDING)


def fires(fn):
    """Whether the pass does something."""
    return "_lanes" in text(jammed(fn))


@pytest.mark.parametrize("block", range(4))
def test_random_nests(block):
    """Values are the same bits, cotangents the same sums; strips end anywhere."""
    changed = 0
    for seed in range(block * 8, block * 8 + 8):
        f = load(seed)
        for gradient in (False, True):
            fn = program(f, *arguments(seed, 7), gradient=gradient)
            changed += text(jammed(fn, lanes=3, always=True)) != text(fn)
            for n in (0, 1, 7):
                try:
                    compare(fn, arguments(seed, n), not gradient)
                except AssertionError as e:
                    raise AssertionError(f"{source(seed)}n = {n}, gradient = {gradient}") from e
    assert changed > 4


def test_recurrences_in_lanes():
    """Where it is worth it; any number of iterations, none at all too."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=6)
    for gradient in (False, True):
        fn = program(powers, x, 7, gradient=gradient)
        assert fires(fn)
        for n in (-2, 0, 1, 2, 3, 4, 7):
            compare(fn, (x, n), not gradient)


@pytest.mark.parametrize("f", [one_state, last_row, triangle, until, in_order, scratch])
def test_iterations_that_depend_on_each_other(f):
    """Nothing is done, not even where it is said to be worth it."""
    z = np.random.default_rng(0).normal(size=(5, 7))
    fn = program(f, z, 0.3)
    assert "_lanes" not in text(jammed(fn, always=True))
    compare(fn, (z, 0.3), True)


def test_rows_that_are_looked_up():
    """A view is not made before what it is made of."""
    z = np.random.default_rng(0).normal(size=(5, 7))
    chosen = np.array([3, 0, 4, 4, 1, 2, 0])
    fn = program(of_chosen_rows, z, chosen)
    assert fires(fn)
    compare(fn, (z, chosen), True)
    found = srcad.grad(of_chosen_rows)(z, chosen)
    want = srcad.grad(of_chosen_rows, backend="reference")(z, chosen)
    np.testing.assert_allclose(found, want, **ROUNDING)


def test_what_is_worth_it():
    """Sums along rows are not: lanes would be far apart in memory.  Short loops are not."""
    z = np.ones((5, 7))
    assert not fires(program(of_rows, z, 0.3))
    assert not fires(program(of_rows, z, 0.3, gradient=True))
    assert fires(program(dividing, z, 0.3)) and not fires(program(short, z, 0.3))


def test_every_operation_can_be_weighed():
    """Those that cost most too."""
    x = Var("x", F8)
    for name, primitive in PRIMITIVES.items():
        s = Op(x, name, (x,) * primitive.arity)
        assert 0.0 < in_vectors(s, {"x"}) <= 4.0 and in_vectors(s, ()) <= alone(s) < waiting(s)


def test_overlapping_arguments():
    """What is read and written may be one array, so lanes may see each other."""
    z = np.random.default_rng(0).normal(size=(5, 7))
    fn = program(averages, z, z.copy())
    assert "_lanes" not in text(jammed(fn, always=True))


def compared_first(checked, unchecked=()):
    """``out[i] = `` the last of a recurrence over ``z[:, i]``, after arrays were compared."""
    b = Builder(Namer())
    z, w, out = (b.var(n, t) for n, t in (("z", MATRIX), ("w", VECTOR), ("out", VECTOR)))
    arrays = {"z": z, "w": w, "out": out}
    for pair in (*checked, *unchecked):
        (apart,) = b.array_op("apart", (B1,), *(arrays[n] for n in pair))
        if pair in checked:
            b.check(apart, "ValueError", "shared")
    with b.loop(const(0), b.dim(z, 1)) as i:
        j, s, last = b.var("j", I8), b.var("s", F8), b.var("last", F8)
        with b.block() as body:
            y = b.op("add", b.op("mul", s, b.load(z, j, i)), b.load(w, i))
        loop = (Carried(last, s, const(0.0)),)
        b.for_(j, const(0), b.dim(z, 0), const(1), loop, Block(tuple(body), (y,)))
        b.store(out, (i,), last)
    fn = Function("f", (z, w, out), Block(tuple(b.stack[0])))
    verify(fn)
    return fn


def test_arrays_that_were_compared():
    """An array for results that is known to overlap nothing is written by several lanes at once."""
    z, w, out = np.random.default_rng(0).normal(size=(5, 7)), np.ones(7), np.zeros(7)
    both = (("z", "out"), ("w", "out"))
    fn = compared_first(both)
    assert fires(fn)
    compare(fn, (z, w, out), True)
    assert not fires(compared_first(both[:1]))
    assert not fires(compared_first(both[:1], both[1:]))


def test_failures():
    """The exception is the same; where one sees which iterations have run, nothing is done."""
    z = np.random.default_rng(0).normal(size=(5, 7))
    fn = program(dividing, z, 0.3)
    for gap in (None, (0, 0), (4, 6), (2, 3)):
        again = z.copy()
        if gap:
            again[gap] = 0.0
        compare(fn, (again, 0.3), True)
        compare(program(dividing, z, 0.3, gradient=True), (again, 0.3), False)
    fn = program(divided, z, np.zeros((1, 7)))
    assert "_lanes" not in text(jammed(fn, always=True))


def full(z, c):
    """It ends by raising, when the array of its results is full."""
    out = np.zeros(2)
    for i in range(z.shape[1]):
        s = 0.0
        for j in range(z.shape[0]):
            s = s * c + z[j, i]
        if i >= 2:
            raise ValueError("full")
        out[i] = s
    return out[0]


def ahead(z, c):
    """The same, the last thing that an iteration does."""
    out = np.zeros(3)
    for i in range(z.shape[1]):
        s = 0.0
        for j in range(z.shape[0]):
            s = s * c + z[j, i]
        out[i] = s
        if i >= 2:
            raise ValueError("full")
    return out[0]


@pytest.mark.parametrize("f", [full, ahead])
def test_loops_that_end_by_raising(f):
    """Iterations after the exception would write beyond the end."""
    fn = program(f, np.ones((4, 9)), 0.3)
    assert "_lanes" not in text(jammed(fn, always=True))
    compare(fn, (np.ones((4, 9)), 0.3), True)


def test_not_a_number():
    """NaN and infinities go their way in their lane."""
    x = np.array([0.3, np.nan, 1.0, np.inf, -0.5])
    compare(program(powers, x, 7), (x, 7), True)
    z = np.random.default_rng(0).normal(size=(5, 7))
    z[2, 3], z[1, 5] = np.nan, -np.inf
    compare(program(dividing, z, 0.3), (z, 0.3), True)


def test_compiled():
    """The value is that of the function itself, to the last bit."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=9) * 0.1
    value, (x_b,) = srcad.value_and_grad(powers, argnums=(0,))(x, 70)
    assert value == powers(x, 70)
    np.testing.assert_allclose(x_b, srcad.grad(powers, backend="reference")(x, 70), rtol=1e-12)
