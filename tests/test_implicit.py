"""Implicit functions: derivatives against closed forms, differences, and unrolled iterations."""

import numpy as np
import pytest
import scipy.optimize
from numba import njit

import srcad

RNG = np.random.default_rng(2)


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference", verify=True):
        yield


def kepler(e, m, ecc):
    """Kepler's equation."""
    return e - ecc * np.sin(e) - m


@njit
def kepler_solver(e, m, ecc):
    """Newton's method, compiled."""
    for _ in range(50):
        e -= (e - ecc * np.sin(e) - m) / (1.0 - ecc * np.cos(e))
    return e


def bisection(e, m, ecc):
    """A solver in which nothing can be differentiated."""
    return scipy.optimize.brentq(lambda x: x - ecc * np.sin(x) - m, -20.0, 20.0, xtol=1e-15)


def unrolled(e, m, ecc):
    """The same iteration, differentiated step by step."""
    for _ in range(50):
        e -= (e - ecc * np.sin(e) - m) / (1.0 - ecc * np.cos(e))
    return e


@pytest.mark.parametrize("solver", [kepler_solver, bisection])
def test_a_number_to_third_order(solver):
    """Forward, reverse, and mixtures, against the unrolled iteration."""
    root = srcad.implicit_root(kepler, solver)
    at = (1.0, 0.8, 0.3)
    assert root(*at) == pytest.approx(unrolled(*at), rel=1e-13)
    want = srcad.grad(unrolled, (1, 2))(*at)
    np.testing.assert_allclose(srcad.grad(root, (1, 2))(*at), want, rtol=1e-11)
    assert srcad.grad(root, 0)(*at) == 0.0
    _, t = srcad.jvp(root, at, (7.0, 1.0, 2.0))
    assert t == pytest.approx(want[0] + 2.0 * want[1], rel=1e-11)
    if solver is bisection:  # the rule does not see which solver it was
        return
    for outer in (srcad.grad, srcad.jacfwd):
        for inner in (srcad.grad, srcad.jacfwd):
            got = outer(inner(root, 2), (1, 2))(*at)
            second = srcad.grad(srcad.jacfwd(unrolled, 2), (1, 2))(*at)
            np.testing.assert_allclose(got, second, rtol=1e-9)
    third = srcad.grad(srcad.jacfwd(srcad.grad(root, 1), 2), 1)(*at)
    want = srcad.jacfwd(srcad.jacfwd(srcad.jacfwd(unrolled, 1), 2), 1)(*at)
    assert third == pytest.approx(want, rel=1e-8)
    srcad.check_grads(lambda m, e: root(1.0, m, e) ** 2, (0.8, 0.3))


def system(x, a, b, power):
    """A nonlinear system with a unique solution."""
    y = a @ x + x**power - b
    return y


def system_solver(x, a, b, power):
    """SciPy's, without a Jacobian."""
    return scipy.optimize.root(lambda v: a @ v + v**power - b, x, tol=1e-14).x


def positive(n):
    """A positive definite matrix."""
    m = RNG.normal(size=(n, n))
    return m @ m.T + n * np.eye(n)


def test_vectors_matrices_and_integers():
    """Against differences of the solution; the power is an integer, which has no derivative."""
    root = srcad.implicit_root(system, system_solver)
    a, b = positive(3), RNG.normal(size=3)

    def f(a, b):
        return np.sum(np.sin(root(np.zeros(3), a, b, 3)))

    x = root(np.zeros(3), a, b, 3)
    np.testing.assert_allclose(system(x, a, b, 3), 0.0, atol=1e-12)
    srcad.check_grads(f, (a, b), rtol=1e-5, atol=1e-5)

    def lyapunov(x, a, q):
        return a @ x + x @ a.T + q

    def lyapunov_solver(x, a, q):
        return scipy.linalg.solve_continuous_lyapunov(a, -q)

    matrix = srcad.implicit_root(lyapunov, lyapunov_solver)
    a, q = -positive(2), positive(2)
    got = srcad.jacobian(matrix, 2)(np.zeros((2, 2)), a, q)
    h = 1e-6 * np.eye(4).reshape(4, 2, 2)
    want = [(lyapunov_solver(0, a, q + d) - lyapunov_solver(0, a, q - d)) / 2e-6 for d in h]
    np.testing.assert_allclose(got.reshape(2, 2, 4), np.moveaxis(want, 0, -1), atol=1e-8)


def test_structures():
    """A solution that is a tuple, parameters that are a dict."""

    def residual(z, p):
        u, (v,) = z
        return u * p["a"] - v[0], (v - p["b"] * np.array([u, 1.0]),)

    def solver(z, p):
        # u a = v0 = b u + ...: made unique by the second equation
        u, (v,) = z
        for _ in range(200):
            v = p["b"] * np.array([u, 1.0])
            u = 0.5 * u + 0.5 * v[0] / p["a"]
        return u, (v,)

    root = srcad.implicit_root(residual, solver)
    p = {"a": 2.0, "b": 0.7}
    z, t = srcad.jvp(root, ((1.0, (np.ones(2),)), p), (None, {"a": 0.0, "b": 1.0}))
    assert z[0] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(t[1][0], [0.0, 1.0], atol=1e-10)
    back = srcad.vjp(root, (1.0, (np.ones(2),)), p)[1]((0.0, (np.array([0.0, 3.0]),)))
    assert back[1]["b"] == pytest.approx(3.0)


def test_fixed_points():
    """An equilibrium of a small network against its unrolled iteration; a solver of one's own."""

    def step(z, w, x):
        return np.tanh(w @ z + x)

    w, x = 0.3 * RNG.normal(size=(3, 3)), RNG.normal(size=3)
    point = srcad.fixed_point(step)

    def loss(w, x):
        return np.sum(point(np.zeros(3), w, x) ** 2)

    def plain(w, x):
        z = np.zeros(3)
        for _ in range(120):
            z = np.tanh(w @ z + x)
        return np.sum(z**2)

    got, want = (srcad.grad(f, (0, 1))(w, x) for f in (loss, plain))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(srcad.hessian(loss, 1)(w, x), srcad.hessian(plain, 1)(w, x), 1e-8)
    anderson = srcad.fixed_point(
        step, lambda z, w, x: scipy.optimize.root(lambda v: np.tanh(w @ v + x) - v, z, tol=1e-14).x
    )
    np.testing.assert_allclose(
        srcad.jacobian(anderson, 2)(np.zeros(3), w, x),
        srcad.jacobian(point, 2)(np.zeros(3), w, x),
        rtol=1e-9,
    )
    with pytest.raises(ValueError, match="do not converge"):
        srcad.fixed_point(lambda z, c: c - z, backend="cpu")(0.1, 1.0)


def ridge(w, x, y, log_penalty):
    """Squared error with a penalty."""
    r = x @ w - y
    return r @ r + np.exp(log_penalty) * (w @ w)


def test_minima():
    """Ridge regression, whose minimum is a formula: derivative of the test error in the penalty."""
    x, y = RNG.normal(size=(8, 3)), RNG.normal(size=8)

    def solver(w, x, y, log_penalty):
        return scipy.optimize.minimize(ridge, w, (x, y, log_penalty), tol=1e-14).x

    best = srcad.implicit_minimum(ridge, solver)

    def formula(x, y, log_penalty):
        return np.linalg.solve(x.T @ x + np.exp(log_penalty) * np.eye(3), x.T @ y)

    got = srcad.jacobian(best, (2, 3))(np.zeros(3), x, y, 0.3)
    want = srcad.jacobian(formula, (1, 2))(x, y, 0.3)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-8)


def test_other_transforms():
    """Batches of equations, sparse Jacobians of their solutions, and inside other functions."""
    root = srcad.implicit_root(kepler, kepler_solver)
    m = np.linspace(0.1, 3.0, 5)
    many = srcad.batch(srcad.grad(root, 1), (None, 0, None))
    want = [srcad.grad(root, 1)(1.0, v, 0.3) for v in m]
    np.testing.assert_allclose(many(1.0, m, 0.3), want, rtol=1e-12)

    def orbit(m, ecc):
        out = np.empty(len(m))
        for i in range(len(m)):
            out[i] = np.cos(root(m[i], m[i], ecc))
        return out

    got = srcad.sparse_jacobian(orbit)(m, 0.3)
    assert got.nnz == 5
    np.testing.assert_allclose(got.toarray(), srcad.jacobian(orbit)(m, 0.3), rtol=1e-12)


def test_compiled():
    """By Numba: an njit solver called directly, one that runs in the interpreter, arrays."""
    fast = srcad.implicit_root(kepler, kepler_solver, backend="cpu")
    assert fast(1.0, 0.8, 0.3) == pytest.approx(unrolled(1.0, 0.8, 0.3), rel=1e-13)
    root = srcad.implicit_root(kepler, bisection)
    got = srcad.jvp(root, (1.0, 0.8, 0.3), (None, 1.0, 0.0), backend="cpu")
    np.testing.assert_allclose(got, srcad.jvp(root, (1.0, 0.8, 0.3), (None, 1.0, 0.0)), rtol=1e-12)

    def greedy(x, a, b, power):
        out = system_solver(x, a, b, power)
        x[:] = a[:] = b[:] = np.nan
        return np.repeat(out, 2)[::2]

    a, b, x0 = positive(3), RNG.normal(size=3), np.zeros(3)
    x = srcad.implicit_root(system, greedy, backend="cpu")(x0, a, b, 3)
    np.testing.assert_allclose(system(x, a, b, 3), 0.0, atol=1e-12)
    assert np.all(x0 == 0.0) and np.all(np.isfinite(a))


WEIGHTS = np.array([1.0, 2.0, 3.0])


def test_equations_may_capture_arrays():
    """What only the residual sees, or only the solver."""
    x, t = np.array([0.3, 0.4, 0.5]), np.array([1.0, -0.5, 0.25])
    plain = 2.0 * x * WEIGHTS.sum()
    for residual, solver in (
        (lambda z, x: z - np.sum(x * x) * np.sum(WEIGHTS), lambda z, x: np.sum(x * x) * 6.0),
        (lambda z, x: z - np.sum(x * x) * 6.0, lambda z, x: np.sum(x * x) * np.sum(WEIGHTS)),
    ):
        root = srcad.implicit_root(residual, solver)

        def found(x, root=root):
            return root(0.0, x)

        np.testing.assert_allclose(srcad.jacrev(found)(x), plain, rtol=1e-12)
        np.testing.assert_allclose(srcad.jvp(found, (x,), (t,))[1], plain @ t, rtol=1e-12)


def test_what_is_no_solution_is_refused():
    """A solver that stops early, a singular Jacobian, another shape, no function."""
    early = srcad.implicit_root(kepler, lambda e, m, ecc: e)
    assert early(1.0, 0.8, 0.3) == 1.0
    with pytest.raises(ValueError, match="no solution"):
        srcad.grad(early, 1)(1.0, 0.8, 0.3)
    nan = srcad.implicit_root(kepler, lambda e, m, ecc: np.nan)
    with pytest.raises(ValueError, match="no solution"):
        srcad.grad(nan, 1)(1.0, 0.8, 0.3)
    double = srcad.implicit_root(lambda x, a: (x - a) ** 2, lambda x, a: a)
    with pytest.raises(np.linalg.LinAlgError):
        srcad.grad(double, 1)(1.0, 2.0)
    with pytest.raises(TypeError, match="1 dimensions"):
        srcad.implicit_root(kepler, lambda e, m, ecc: np.ones(2))(1.0, 0.8, 0.3)
    with pytest.raises(srcad.TypeMismatch, match="residual is 3"):
        srcad.implicit_root(3, bisection)

    def inside(m):
        return srcad.implicit_root(kepler, bisection)(1.0, m, 0.3)

    with pytest.raises(srcad.SrcadError, match="cannot be called in a differentiated function"):
        srcad.grad(inside)(0.8)
