"""Sparse Jacobians and Hessians: patterns, colours, work, and values against independent oracles.

Patterns of small programs are written down by hand; entries are compared with the dual-number
oracle's tangents in random directions (a missing entry shows in every direction), with central
differences, and with dense matrices.  Work is counted: calls of the function and of its tangent.
"""

import numpy as np
import pytest
import scipy.sparse as sp

import srcad
from examples import brusselator
from srcad.backends import closures
from srcad.errors import NoDerivative, TypeMismatch
from tests.programs import PROGRAMS
from tests.zoo_checks import Expected, expect, quiet, tolerance, vector

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference", verify=True):
        yield


@pytest.fixture
def calls(monkeypatch):
    """Names of the functions that the interpreter calls, in order."""
    found = []
    plain = closures.StatementClosures._call

    def counting(self, s):
        step = plain(self, s)
        return lambda frame: (found.append(s.fn), step(frame))[1]

    monkeypatch.setattr(closures.StatementClosures, "_call", counting)
    return found


def tridiagonal(x):
    """A stencil with a branch that floats decide."""
    y = np.empty(len(x))
    for i in range(len(x)):
        y[i] = x[i] * x[i]
        if i > 0:
            y[i] -= np.sin(x[i - 1])
        if i + 1 < len(x):
            y[i] += x[i + 1] if x[i] > 0.0 else 2.0 * x[i + 1]
    return y


def dense(f, x, h=1e-6):
    """The Jacobian by central differences."""
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))]
    return np.array(columns).T


def test_a_stencil(calls):
    """Three colours for a tridiagonal matrix of any size: their tangents come in one run."""
    x = RNG.normal(size=30)
    jac = srcad.sparse_jacobian(tridiagonal)
    assert jac.plan(x).colours == 3
    calls.clear()
    got = jac(x)
    assert [calls.count(name) for name in sorted(set(calls))] == [1, 1]
    assert isinstance(got, sp.csr_array) and got.nnz == 3 * 30 - 2
    np.testing.assert_allclose(got.toarray(), dense(tridiagonal, x), atol=1e-8)


def test_colours_and_one_evaluations(calls):
    """The Brusselator: as many tangents as colours, eight a run, and the function once."""
    state = brusselator.start(5, 6)
    jac = srcad.sparse_jacobian(brusselator.reaction)
    plan = jac.plan(state, 5, 6, 0.1)
    assert plan.pattern.nnz == 60 * 6  # itself, four neighbours, the other concentration
    assert plan.colours < 20
    for _ in range(2):
        calls.clear()
        got = jac(state, 5, 6, 0.1)
        assert len(calls) == -(-plan.colours // 8) + 1
    want = dense(lambda y: brusselator.reaction.py_func(y, 5, 6, 0.1), state)
    np.testing.assert_allclose(got.toarray(), want, rtol=1e-6, atol=1e-6)


def test_rows_where_they_are_fewer(calls):
    """One dense row: by columns nothing is gained, two cotangents do it."""

    def f(x):
        y = x * x
        y[0] = np.sum(x**3)
        return y

    x = RNG.normal(size=20)
    jac = srcad.sparse_jacobian(f)
    plan = jac.plan(x)
    assert plan.by_rows and plan.colours == 2
    calls.clear()
    got = jac(x)
    assert len(calls) == 3
    np.testing.assert_allclose(got.toarray(), dense(f, x), atol=1e-7)
    assert srcad.sparse_jacobian(f, mode="fwd").plan(x).colours == 20


def test_the_pattern_is_not_probed():
    """Entries that happen to be zero are in it; entries that cannot be other than zero are not."""

    def f(x, m):
        y = np.zeros(4)
        y[0] = x[0] * x[1]
        y[1] = np.floor(x[2]) * x[0] + 0.0 * x[3]
        y[2] = np.where(x[1] > 0.0, x[2], 1.0)
        y[3] = m[0, 1] @ x if False else x[3] - x[3]
        return np.append(y, m @ x[:2])

    m = np.array([[0.0, 1.0], [1.0, 0.0]])
    plan = srcad.sparse_jacobian(f).plan(np.zeros(4), m)
    want = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    np.testing.assert_array_equal(plan.pattern.toarray(), want)


def test_another_way_another_pattern():
    """Branches, trips and positions that floats decide: the pattern follows them."""

    def f(x):
        y = np.zeros(len(x))
        for i in range(len(x)):
            k = int(np.floor(x[i]))
            if x[i] > 1.0:
                y[i] = x[k] * x[0]
            s = x[i]
            j = 0
            while s < 2.0:
                s += 1.0
                y[j] += s * x[i]
                j += 1
        return y

    jac = srcad.sparse_jacobian(f)
    seen = set()
    for seed in range(8):
        x = np.random.default_rng(seed).uniform(0.05, 3.95, 4)
        for _ in range(2):
            got = jac(x)
        np.testing.assert_allclose(got.toarray(), dense(f, x), atol=1e-7)
        seen.add(got.nnz)
    assert len(seen) > 2
    [evaluator] = jac.evaluators.values()
    assert len(evaluator.plans) == len({p.way for p in evaluator.plans})


def test_other_integers_another_pattern():
    """Index arrays, integers, and shapes are part of what a pattern belongs to."""

    def f(x, k, shift):
        y = np.empty(len(k))
        for i in range(len(k)):
            y[i] = x[k[i]] ** 2 + x[(i + shift) % len(x)]
        return y

    jac = srcad.sparse_jacobian(f)
    x = RNG.normal(size=5)
    for k, shift in [([0, 1, 2], 0), ([4, 4, 2], 0), ([4, 4, 2], 3), ([1], 3), ([0, 1, 2], 0)]:
        got = jac(x, np.array(k), shift).toarray()
        np.testing.assert_allclose(got, dense(lambda v: f(v, k, shift), x), atol=1e-8)  # noqa: B023
    table = np.array([3, 1])

    def g(x):
        return x[table] * x[0]

    jac = srcad.sparse_jacobian(g)
    assert jac(x).nnz == 4
    table[0] = 0
    np.testing.assert_allclose(jac(x).toarray(), dense(g, x), atol=1e-8)
    table = np.array([4, 3, 2])
    np.testing.assert_allclose(jac(x).toarray(), dense(g, x), atol=1e-8)


def test_decisions_of_helpers():
    """A way through a function that is called, not expanded (recursion)."""

    def pick(x, a, b):
        if b - a == 1:
            return a
        middle = (a + b) // 2
        left, right = pick(x, a, middle), pick(x, middle, b)
        return left if x[left] > x[right] else right

    def f(x):
        k = pick(x, 0, len(x))
        return x * x[k]

    jac = srcad.sparse_jacobian(f)
    for seed in range(4):
        x = np.random.default_rng(seed).normal(size=4)
        np.testing.assert_allclose(jac(x).toarray(), dense(f, x), atol=1e-8)


def test_several_arguments_and_structures():
    """Columns of all selected leaves in order; rows of all float results."""

    def f(p, n, b):
        return {"y": p["a"] * b, "n": n, "z": p["a"][0] + p["c"] ** n}

    p, b = {"a": RNG.normal(size=3), "c": 1.5}, RNG.normal(size=3).astype(np.float32)
    got = srcad.sparse_jacobian(f, ("p", "b"))(p, 2, b)
    want = np.zeros((4, 7))
    want[range(3), range(3)], want[range(3), range(4, 7)] = b, p["a"]
    want[3, 0], want[3, 3] = 1.0, 3.0
    np.testing.assert_allclose(got.toarray(), want)
    matrix = RNG.normal(size=(2, 3))
    for layout in (matrix, np.asfortranarray(matrix), np.repeat(matrix, 2, 1)[:, ::2]):
        for mode in ("fwd", "rev"):
            got = srcad.sparse_jacobian(lambda m: m.T * m.T, mode=mode)(layout)
            order = np.arange(6).reshape(2, 3).T.ravel()
            np.testing.assert_allclose(got.toarray(), np.diag(2 * matrix.ravel())[order])


def test_arguments_that_are_overwritten():
    """The arguments end as one plain call leaves them, also where the pattern is found anew."""

    def f(x):
        x[1:] *= x[:-1].copy()
        if x[0] > 0.0:
            x[0] = x[1]
        return x * x

    jac = srcad.sparse_jacobian(f)
    for sign in (1.0, -1.0):
        x = sign * np.arange(1.0, 5.0)
        want, plain = dense(lambda v: f(v.copy()), x), x.copy()
        f(plain)
        got = jac(x)
        np.testing.assert_allclose(got.toarray(), want, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(x, plain)


def test_prints_once(capsys):
    """Only the plain call prints."""

    def f(x):
        print("here")
        return x * x

    srcad.sparse_jacobian(f)(np.ones(3))
    assert capsys.readouterr().out == "here\n"


# Hessians
def chain(x):
    """Rosenbrock's function, chained: a tridiagonal Hessian."""
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def arrow(x):
    """Every variable meets the first one only."""
    return np.sum(x[1:] ** 3 * x[0]) + x[0] ** 4


@pytest.mark.parametrize(("f", "colours"), [(chain, 3), (arrow, 2)])
def test_hessians(f, colours, calls):
    """Symmetric, as many tangents of the gradient as star colours."""
    x = RNG.normal(size=12)
    hess = srcad.sparse_hessian(f)
    plan = hess.plan(x)
    calls.clear()
    got = hess(x)
    assert plan.colours == colours and len(calls) == 2
    np.testing.assert_array_equal(got.toarray(), got.toarray().T)
    np.testing.assert_allclose(got.toarray(), dense(srcad.grad(f), x), rtol=1e-6, atol=1e-5)


def test_hessian_of_several_arguments():
    """One matrix for all of them, mixed blocks included."""

    def f(x, s, w):
        return np.sum(w * np.sin(x)) * s + w[0] * x[1]

    x, w = RNG.normal(size=3), RNG.normal(size=3)
    got = srcad.sparse_hessian(f, (2, 1, 0))(x, 0.7, w).toarray()

    def flat(v):
        return np.concatenate([np.ravel(g) for g in srcad.grad(f, (2, 1, 0))(v[4:], v[3], v[:3])])

    np.testing.assert_allclose(got, dense(flat, np.concatenate([w, [0.7], x])), atol=1e-8)


# generality
@pytest.mark.parametrize("program", PROGRAMS[::12], ids=str)
def test_programs_of_the_zoo(program):
    """Times a random direction: the oracle's tangent; of one float, the Hessian as well."""
    e = Expected(program)
    direction = vector(e.tangents)
    if not vector(e.tangent[0]).size:
        with pytest.raises(srcad.TypeMismatch, match="returns no float"):
            srcad.sparse_jacobian(program.fn, program.wrt)(*program.args(), **program.kwargs)
        return
    with quiet():
        jac = srcad.sparse_jacobian(program.fn, program.wrt)
        got = jac(*program.args(), **program.kwargs) @ direction
    expect("sparse Jacobian", got, vector(e.tangent[0]), tolerance(program))
    if e.scalar:
        with quiet():
            hess = srcad.sparse_hessian(program.fn, program.wrt)
            got = hess(*program.args(), **program.kwargs) @ direction
        expect("sparse Hessian", got, vector(e.hvp), 100 * tolerance(program))


def test_compiled():
    """The same by Numba."""
    x = RNG.normal(size=9)
    got = srcad.sparse_jacobian(tridiagonal, backend="cpu")(x)
    np.testing.assert_allclose(got.toarray(), dense(tridiagonal, x), atol=1e-8)


# what is refused
def test_refused():
    """By name: randomness, further transforms, nothing to differentiate."""
    with pytest.raises(NoDerivative, match="draws random numbers"):
        srcad.sparse_jacobian(lambda x: x * np.random.normal())(np.ones(2))
    with pytest.raises(NoDerivative, match="sparse matrix"):
        srcad.jacobian(srcad.sparse_jacobian(tridiagonal))(np.ones(2))
    with pytest.raises(TypeMismatch, match="returns no float"):
        srcad.sparse_jacobian(lambda x: len(x))(np.ones(2))
    with pytest.raises(TypeMismatch, match="twice"):
        srcad.sparse_jacobian(tridiagonal, (0, "x"))(np.ones(2))
    with pytest.raises(TypeMismatch, match="mode must be"):
        srcad.sparse_jacobian(tridiagonal, mode="both")
    with pytest.raises(TypeMismatch, match="grad of tridiagonal"):
        srcad.sparse_hessian(tridiagonal)(np.ones(2))


@srcad.custom_jvp
def straight(x):
    """Rounds; its derivative is said to be that of the identity."""
    return np.round(x)


@straight.defjvp
def straight_rule(primals, tangents):
    """Straight through (Bengio et al. 2013)."""
    return np.round(primals[0]), tangents[0]


@srcad.custom_vjp
def whole(x):
    """A step function with a cotangent that the function itself does not have."""
    return np.floor(x)


whole.defvjp(lambda x: (np.floor(x), x), lambda x, out_b: (2.0 * x * out_b,))


@pytest.mark.parametrize(("f", "mode"), [(straight, "fwd"), (straight, "rev"), (whole, "rev")])
def test_rules_of_the_user_decide(f, mode):
    """What a rule says is in the pattern, although the function's own code has no derivative."""

    def one_by_one(x):
        y = np.empty(len(x))
        for i in range(len(x)):
            y[i] = f(x[i]) * x[0]
        return y

    def at_once(x):
        return f(x) * x[0]

    x = RNG.normal(size=4)
    exact = srcad.jacobian(one_by_one, mode=mode)(x)
    jac = srcad.sparse_jacobian(one_by_one, mode=mode)
    np.testing.assert_allclose(jac(x).toarray(), exact)
    assert jac(x).nnz == 7
    np.testing.assert_allclose(srcad.sparse_jacobian(at_once, mode=mode)(x).toarray(), exact)
    total = lambda x: np.sum(f(x) ** 2)  # noqa: E731
    dense_hessian = srcad.jacobian(srcad.grad(total), mode=mode)
    if mode == "fwd":
        got = srcad.sparse_hessian(total)(x).toarray()
        np.testing.assert_allclose(got, dense_hessian(x))
