"""Transforms of transforms agree with the oracle, on programs with loops and in-place writes.

Of every scalar-valued program of the zoo that loops and stores: the Hessian times a vector by
reverse over reverse, forward over reverse and reverse over forward, its product with a second
vector by forward over forward, and third directional derivatives by forward over forward over
reverse, reverse over forward over forward and (every fourth program) reverse over reverse over
reverse.  Every application is verified and poisoned on its own.  The functional interface is
asked for the same: the pullback of a gradient, the tangent of a Hessian.

Growth: every application of reverse mode multiplies the number of statements (inner blocks and
called functions included, after cleaning) by about the same factor.  Measured on 229 programs:
primal to gradient 2.2 in total (5.7 at most, a chain of matrix products with helpers of its own),
gradient to reverse over reverse 2.3 (4.2 at most, recursion, which brings a version of each callee
for every pattern of activity), and once more 2.3.  The primal to reverse over reverse is 5.0 in
total, 4.7 in the median.  Exponential growth in the nesting depth would show as a factor that
grows with the number of applications.
"""

import functools
import itertools

import numpy as np
import pytest

import srcad
from srcad.ir.nodes import Accumulate, For, Function, Store, While
from srcad.ir.walk import statements
from tests import composition, oracle
from tests.composition import Subject, also, float_leaves, joined, run
from tests.programs import BY_NAME, PROGRAMS
from tests.zoo_checks import expect, quiet, tolerance

AT_LEAST = 120  # programs that loop and write, of the zoo


def everything(fn: Function):
    """All statements of a function and of what it calls."""
    bodies = [fn.body, *(c.body for c in fn.callees.values() if c is not fn)]
    return itertools.chain.from_iterable(map(statements, bodies))


def fits(subject: Subject) -> bool:
    """Whether a program has one float result, loops, and writes into arrays."""
    found = list(everything(subject.fn))
    return (
        subject.scalar
        and any(isinstance(s, (For, While)) for s in found)
        and any(isinstance(s, (Store, Accumulate)) for s in found)
    )


@functools.cache
def subject_of(name: str) -> Subject:
    """A program as IR, made once."""
    with quiet():
        return Subject(BY_NAME[name])


def chosen() -> list[str]:
    """Names of the programs, without those at a kink: no second derivative exists there."""
    smooth = [p.name for p in PROGRAMS if "kink" not in p.tags]
    return [name for name in smooth if fits(subject_of(name))]


NAMES = chosen()
over = pytest.mark.parametrize


class Compositions:
    """Transforms of transforms of one program; each is made when asked for."""

    def __init__(self, name: str) -> None:
        self.subject = s = subject_of(name)
        self.active = s.active
        self.u, self.v, self.w = s.directions(5, 3)

    def __getattr__(self, word: str) -> Function:
        """``rfr`` is reverse over forward over reverse; ``r`` a gradient, ``f`` a tangent."""
        if set(word) - {"r", "f"}:
            raise AttributeError(word)
        inner = getattr(self, word[1:]) if len(word) > 1 else self.subject.fn
        pattern = also(self.active, inner)
        if word[0] == "f":
            made = composition.tangent(inner, pattern)
        elif "r" in word[1:]:
            made = composition.pullback(inner, pattern)
        else:
            made = composition.gradient(inner, pattern)
        setattr(self, word, made)
        return made

    def along(self, word: str, *directions) -> np.ndarray:
        """Run a composition along directions, a vector in the order of the arguments."""
        s = self.subject
        spread = [x for d in directions for x in s.spread(d)]
        found = list(run(getattr(self, word), [*s.leaves(), *spread]))
        return s.gathered(found) if "r" in word else joined(found)

    def ask(self, what, *args):
        """A question to the oracle."""
        p = self.subject.zoo
        return what(p.fn, p.args(), p.wrt, *args, kwargs=p.kwargs)


def flat(tree) -> np.ndarray:
    """A tangent or gradient as one vector."""
    return joined(list(float_leaves(tree)))


@over("name", NAMES)
def test_second_order(name):
    """Four ways to a Hessian times a vector."""
    c, tol = Compositions(name), tolerance(BY_NAME[name])
    with quiet():
        want = flat(c.ask(oracle.hvp, c.v))
        for word in ("rr", "fr", "rf"):
            expect(word, c.along(word, c.v), want, tol)
        expect("ff", c.along("ff", c.v, c.u), [flat(c.u) @ want], tol)
    check_growth(c)


def check_growth(c: Compositions) -> None:
    """Each application of reverse mode multiplies the statements by a bounded factor."""
    primal, once, twice = map(composition.size, (c.subject.fn, c.r, c.rr))
    assert once <= 6 * primal + 10
    assert twice <= 5 * once + 10


def test_growth_in_total():
    """The factor does not grow with the number of applications."""
    sizes = np.zeros(4)
    for name in NAMES[::9]:
        c = Compositions(name)
        sizes += list(map(composition.size, (c.subject.fn, c.r, c.rr, c.rrr)))
    factors = sizes[1:] / sizes[:-1]
    assert np.all(factors < 3.0), factors


@over("name", NAMES[::2])
def test_third_order(name):
    """Third directional derivatives, the last direction by reverse mode or by product."""
    c, tol = Compositions(name), tolerance(BY_NAME[name])
    words = ("ffr", "rff", "rrr") if NAMES.index(name) % 8 == 0 else ("ffr", "rff")
    with quiet():
        want = c.ask(oracle.third, c.u, c.v, c.w)
        for word in words:
            expect(word, [c.along(word, c.v, c.u) @ flat(c.w)], [want], 10 * tol)


@over("name", NAMES[1::6])
def test_pullback_of_gradient(name):
    """``vjp(grad(f))`` is a Hessian times a vector (it is symmetric)."""
    c, p = Compositions(name), BY_NAME[name]
    f = srcad.differentiable(p.fn, backend="reference", verify=True, poison=True)
    with quiet():
        _, pullback = srcad.vjp(srcad.grad(f, argnums=p.wrt), *p.args())
        found = pullback(tuple(c.v))
        want = flat(c.ask(oracle.hvp, c.v))
        expect("vjp of grad", flat([found[k] for k in p.wrt]), want, tolerance(p))


SMALL = [
    n
    for n in NAMES
    if all(
        isinstance(x, np.ndarray) and 0 < x.size <= 8
        for x in (BY_NAME[n].args()[BY_NAME[n].wrt[0]],)
    )
]


@over("name", SMALL[::5])
def test_tangent_of_hessian(name):
    """``jvp(hessian(f))`` holds the third derivatives along one direction."""
    p = BY_NAME[name]
    k = p.wrt[0]
    f = srcad.differentiable(p.fn, backend="reference")
    rng = np.random.default_rng(3)
    u, v, w = rng.standard_normal((3, *np.shape(p.args()[k])))
    tangents = tuple(u if j == k else None for j in range(len(p.args())))
    with quiet():
        _, found = srcad.jvp(srcad.hessian(f, argnums=k), p.args(), tangents)
        want = oracle.third(p.fn, p.args(), (k,), [u], [v], [w])
    got = v.ravel() @ np.reshape(found, (v.size, w.size)) @ w.ravel()
    expect("jvp of hessian", [got], [want], 10 * tolerance(p))


def test_enough_programs():
    """How many programs loop and write."""
    assert len(NAMES) >= AT_LEAST
