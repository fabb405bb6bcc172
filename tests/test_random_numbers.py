"""Random numbers drawn inside: which numbers, how often, and derivatives along them.

The distributions one by one, with their derivatives, are in ``tests/test_library.py``; here are
programs that draw, the streams of both generators, and the transforms that run a function more
than once.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy.special import gammainc, gammaincinv

import srcad
from srcad.backends.reference import run
from srcad.compiler import PASSES
from srcad.frontend.core import CALLS
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Draw, Function
from srcad.ir.types import F8
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.library import LIBRARY
from srcad.transforms import cse, dead_code, hoist, simplify
from srcad.transforms.draws import draws, recorded, replayed
from tests.drawing_ir import drawing
from tests.drawing_programs import (
    PROGRAMS,
    X,
    branch,
    early,
    loop,
    overwritten,
    recursive,
    rejection,
    seeded,
    unused,
)
from tests.ir_check import check, flat
from tests.reverse_ir import random_case

REFERENCE = {"backend": "reference", "verify": True}


def differences(f, x, h=1e-5):
    """Central differences of a function of a vector."""
    columns = []
    for k in range(len(x)):
        e = np.zeros(len(x))
        e[k] = h
        columns.append((np.asarray(f(x + e)) - np.asarray(f(x - e))) / (2 * h))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("f", PROGRAMS)
def test_value_and_gradient(f):
    """The plain function's number, its derivative at that sample, its use of the generator."""
    np.random.seed(5)
    value, gradient = srcad.value_and_grad(f, **REFERENCE)(X)
    after = np.random.random()
    assert value == pytest.approx(seeded(f)(X), rel=1e-13)
    np.random.seed(5)
    f(X)
    assert after == np.random.random()
    np.testing.assert_allclose(gradient, differences(seeded(f), X), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("f", PROGRAMS)
def test_all_modes(f):
    """Every transform takes one sample, and leaves the generator as one call does."""
    np.random.seed(5)
    f(X)
    after = np.random.random()
    want = differences(seeded(f), X)
    t = np.array([0.3, -0.8, 0.5])

    def pulled(x):
        _, pullback = srcad.vjp(f, x, **REFERENCE)
        first, second = pullback(1.0)[0], pullback(1.0)[0]
        assert np.array_equal(first, second)
        return second

    def linear(x):
        _, df = srcad.linearize(f, x, **REFERENCE)
        assert df(t) == df(t)
        return np.array([df(e) for e in np.eye(3)])

    for transform in (srcad.jacfwd(f, **REFERENCE), srcad.jacrev(f, **REFERENCE), pulled, linear):
        np.random.seed(5)
        np.testing.assert_allclose(transform(X), want, rtol=1e-6, atol=1e-7)
        assert np.random.random() == after
    np.random.seed(5)
    assert srcad.jvp(f, (X,), (t,), **REFERENCE)[1] == pytest.approx(want @ t, rel=1e-6)


@pytest.mark.parametrize("f", PROGRAMS)
def test_second_order(f):
    """Hessian and Hessian times vector at one sample."""
    want = differences(seeded(srcad.grad(f, **REFERENCE)), X)
    t = np.array([0.3, -0.8, 0.5])
    np.random.seed(5)
    np.testing.assert_allclose(srcad.hessian(f, **REFERENCE)(X), want, rtol=1e-5, atol=1e-6)
    np.random.seed(5)
    got = srcad.hvp(f, (X,), (t,), **REFERENCE)[0]
    np.testing.assert_allclose(got, want @ t, rtol=1e-5, atol=1e-6)
    np.random.seed(5)
    twice = srcad.jacrev(srcad.grad(f, **REFERENCE))(X)
    np.testing.assert_allclose(twice, want, rtol=1e-5, atol=1e-6)


def everything(x, seed):
    """Every formula once, and what consumes the generator in a way of its own."""
    np.random.seed(seed)
    out = np.empty(29)
    out[0] = np.random.random()
    out[1] = np.random.normal(x, 2.0)
    out[2] = np.random.uniform(x, 3.0)
    out[3] = np.random.exponential(x)
    out[4] = np.random.laplace(x, 2.0)
    out[5] = np.random.logistic(x, 2.0)
    out[6] = np.random.gumbel(x, 2.0)
    out[7] = np.random.lognormal(x, 0.5)
    out[8] = np.random.rayleigh(x)
    out[9] = np.random.weibull(x)
    out[10] = np.random.pareto(x)
    out[11] = np.random.power(x)
    out[12] = np.random.triangular(0.1, x, 3.0)
    out[13] = np.random.standard_cauchy()
    out[14] = np.random.standard_exponential()
    out[15] = np.random.randint(3, 17)
    out[16:19] = np.random.normal(x, 1.0, 3)
    out[19:22] = np.random.standard_normal(3)
    out[22:24] = np.random.permutation(5)[:2]
    out[24] = np.random.choice(np.arange(4.0))
    out[25] = np.random.rand() + np.random.randn()
    out[26] = np.random.poisson(2.5)
    out[27] = np.random.standard_t(4.0)
    out[28] = np.random.random()
    return out


def test_stream_of_numba():
    """Compiled code draws what the plain njit function draws, to the last call."""
    compiled = srcad.differentiable(everything)
    plain = numba.njit(everything)
    for seed in (0, 1, 12345):
        np.testing.assert_allclose(compiled(0.8, seed), plain(0.8, seed), rtol=1e-13)


def test_stream_of_numpy():
    """The reference backend draws what plain Python draws."""
    got = srcad.differentiable(everything, **REFERENCE)(0.8, 3)
    np.testing.assert_allclose(got, everything(0.8, 3), rtol=1e-13)


def seeded_programs(x, seed):
    """All programs in one, to compile it once."""
    np.random.seed(seed)
    a = loop(x) + branch(x) + rejection(x) + overwritten(x)
    return a * recursive(x) + unused(x) * early(x)


def test_compiled_gradient():
    """Compiled code gives what the interpreter gives: Numba's generator follows NumPy's here."""
    want, slope = srcad.value_and_grad(seeded_programs, **REFERENCE)(X, 4)
    for backend in ("cpu", "python"):
        value, gradient = srcad.value_and_grad(seeded_programs, backend=backend)(X, 4)
        assert value == pytest.approx(want, rel=1e-12)
        np.testing.assert_allclose(gradient, slope, rtol=1e-10)


def test_seeding_from_outside():
    """A compiled function that only seeds, then one that draws: Numba's generator has one state."""
    seed = srcad.differentiable(just_seed)
    draw = srcad.value_and_grad(one_normal)
    seed(3)
    first = draw(0.5, 2.0)
    second = draw(0.5, 2.0)
    seed(3)
    assert draw(0.5, 2.0) == first != second


def just_seed(n):
    np.random.seed(n)


def one_normal(loc, scale):
    return np.random.normal(loc, scale)


def test_closed_forms():
    """``loc + scale * z`` and its relatives."""
    for f, want in [
        (np.random.normal, lambda y, a, b: (1.0, (y - a) / b)),
        (np.random.laplace, lambda y, a, b: (1.0, (y - a) / b)),
        (np.random.gumbel, lambda y, a, b: (1.0, (y - a) / b)),
        (np.random.logistic, lambda y, a, b: (1.0, (y - a) / b)),
        (np.random.uniform, lambda y, a, b: ((b - y) / (b - a), (y - a) / (b - a))),
        (np.random.lognormal, lambda y, a, b: (y, y * (np.log(y) - a) / b)),
    ]:
        value, gradient = srcad.value_and_grad(
            lambda a, b, f=f: f(a, b), argnums=(0, 1), **REFERENCE
        )(0.4, 1.3)
        np.testing.assert_allclose(gradient, want(value, 0.4, 1.3), rtol=1e-12)


def mean_square(scale, n):
    z = np.random.normal(0.5, scale, n)
    return (z * z).mean()


def test_unbiased():
    """The derivative of an expectation is the expectation of the derivative."""
    np.random.seed(2)
    gradient = srcad.grad(mean_square, **REFERENCE)(1.5, 20000)
    assert gradient == pytest.approx(3.0, rel=0.03)


def test_passes_leave_draws_alone():
    """Neither shared nor moved nor removed, nor executed for a loop of no trips."""
    b = Builder(Namer())
    x = b.var("x", F8)
    b.draw("random")
    with b.loop(const(0), const(3)):
        b.draw("random")
        b.draw("random")
    with b.loop(const(0), const(0)):
        b.draw("standard_normal")
    fn = Function("f", (x,), Block(tuple(b.stack[0]), (x,)))
    verify(fn)
    for clean in (simplify.run, cse.run, hoist.run, dead_code.run):
        fn = clean(fn)
        verify(fn)
    first, inner = fn.body.stmts
    assert isinstance(first, Draw)
    assert [s.kind for s in inner.body.stmts] == ["random", "random"]


def test_record_holds_integers():
    """An integer of 62 bits comes back from a record as it was."""
    b = Builder(Namer())
    k = b.draw("randint", const(-(1 << 61)), const(1 << 61))
    z = b.draw("random")
    fn = Function("f", (), Block(tuple(b.stack[0]), (k, z)))
    whole, again = recorded(fn), replayed(fn)
    verify(whole)
    verify(again)
    assert not draws(again) and any(isinstance(s, Draw) for s in statements(whole.body))
    *values, numbers = run(whole, ())
    assert len(numbers) == 3 and list(run(again, (numbers,))) == values


@pytest.mark.parametrize("seed", range(16))
def test_random_ir(seed):
    """Random programs, half of them with calls: all modes, the passes, recording and replaying."""
    plain, args, active = random_case(seed, calls=seed % 2 == 0)
    fn = drawing(plain, seed)
    try:
        want = run(fn, copy.deepcopy(args))
    except np.linalg.LinAlgError:
        pytest.skip("a matrix that is not positive definite")
    *results, numbers = run(recorded(fn), copy.deepcopy(args))
    again = run(replayed(fn), (*copy.deepcopy(args), numbers))
    cleaned = fn
    for clean in PASSES:
        cleaned = clean(cleaned)
        verify(cleaned)
    for got in (results, again, run(cleaned, copy.deepcopy(args))):
        np.testing.assert_allclose(flat(got), flat(want), rtol=1e-10)
    check(fn, args, active, seed, differences=False)
    check(cleaned, args, active, seed, differences=False, poison=True, lean=seed % 4 < 2)


def counted(x, n):
    return x * np.random.poisson(x) if n == 0 else counted(x, n - 1)


def by_recursion(x):
    return counted(x, 2) * x


def only_the_count(x):
    total = 0.0
    for _ in range(np.random.poisson(np.exp(x))):
        total += x
    return total


@pytest.mark.parametrize("f", [by_recursion, only_the_count])
def test_counts_refused(f):
    """Nothing that repeats a run forgets that the counts depend on what is differentiated."""
    for transform in (
        srcad.grad(f, **REFERENCE),
        srcad.jacfwd(f, **REFERENCE),
        srcad.jacrev(f, **REFERENCE),
        lambda x: srcad.jvp(f, (x,), (1.0,), **REFERENCE),
        lambda x: srcad.vjp(f, x, **REFERENCE)[1](1.0),
        lambda x: srcad.linearize(f, x, **REFERENCE)[1](1.0),
    ):
        with pytest.raises(srcad.NoDerivative, match="poisson"):
            transform(0.5)


def compound(x, rate):
    total = 0.0
    for _ in range(np.random.poisson(rate)):
        total += np.random.exponential(x)
    return total * x


def test_counts_of_constants():
    """A count whose parameter is not differentiated is fine."""
    np.random.seed(1)
    value, gradient = srcad.value_and_grad(compound, **REFERENCE)(0.7, 6.0)
    assert gradient == pytest.approx(2.0 * value / 0.7)


def test_check_grads_wants_a_seed():
    """Differences between samples are no derivative."""
    with pytest.raises(srcad.TypeMismatch, match="other random numbers"):
        srcad.check_grads(loop, (X,), **REFERENCE)


def test_debug():
    """The interpreter with debugging draws as well."""
    assert srcad.grad(everything_summed, backend="reference", debug=True)(0.8, 3) == pytest.approx(
        srcad.grad(everything_summed, **REFERENCE)(0.8, 3)
    )


def everything_summed(x, seed):
    return everything(x, seed).sum()


def one_gamma(shape):
    return np.random.standard_gamma(shape)


@pytest.mark.parametrize("shape", [0.3, 1.0, 2.5, 30.0, 1000.0])
def test_gamma_moves_with_its_quantile(shape):
    """First and second derivative in the shape, in all modes, against SciPy's quantile."""
    np.random.seed(1)
    z, slope = srcad.value_and_grad(one_gamma, **REFERENCE)(shape)
    u, h = gammainc(shape, z), 1e-3 * shape
    below, at, above = (gammaincinv(shape + k * h, u) for k in (-1, 0, 1))
    assert slope == pytest.approx((above - below) / (2 * h), rel=1e-5)
    curvature = (above - 2 * at + below) / h**2
    for transform in (srcad.hessian(one_gamma, **REFERENCE), twice_backwards):
        np.random.seed(1)
        assert transform(shape) == pytest.approx(curvature, rel=1e-4)
    np.random.seed(1)
    assert srcad.jvp(one_gamma, (shape,), (1.0,), **REFERENCE) == pytest.approx((z, slope))
    np.random.seed(1)
    assert srcad.vjp(one_gamma, shape, **REFERENCE)[1](1.0)[0] == pytest.approx(slope)


def twice_backwards(shape):
    """The second derivative, reverse over reverse."""
    return srcad.grad(srcad.grad(one_gamma, **REFERENCE))(shape)


def gammas(a, n):
    total = 0.0
    for _ in range(n):
        total += np.random.beta(a, 2.0) + np.random.chisquare(2.0 * a)
        total += np.random.dirichlet(np.array([a, 1.0]))[0]
    return total / n


def test_gammas_are_unbiased():
    """The mean of beta(a, b) is a / (a + b), as of Dirichlet; of chi-square, what it is given."""
    np.random.seed(3)
    gradient = srcad.grad(gammas, **REFERENCE)(1.5, 2000)
    assert gradient == pytest.approx(2.0 / 3.5**2 + 2.0 + 1.0 / 2.5**2, rel=0.03)


def test_documented():
    """docs/random.md lists exactly the functions that are known."""
    text = (Path(__file__).parents[1] / "docs" / "random.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    documented = set(re.findall(r"`(\w+)`", " ".join(rows)))
    known = {name for name in dir(np.random) if getattr(np.random, name) in (*LIBRARY, *CALLS)}
    assert documented == known
