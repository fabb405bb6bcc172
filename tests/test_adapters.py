"""Adapters against the libraries themselves; torch and JAX are tested where they are installed."""

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.sparse as sp
from numba import njit

import srcad
from examples import brusselator
from srcad.adapters import scipy as adapters

RNG = np.random.default_rng(4)


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference"):
        yield


def rosenbrock(x, a):
    """The chained Rosenbrock function."""
    s = 0.0
    for i in range(len(x) - 1):
        s += a * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return s


def exact(f, x, h=1e-6):
    """Derivative by central differences."""
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


# SciPy
@pytest.mark.parametrize(
    ("method", "second"),
    [
        ("BFGS", {}),
        ("trust-ncg", {"hessp"}),
        ("trust-exact", {"hess"}),
        ("trust-constr", {"sparse"}),
    ],
)
def test_minimize(method, second):
    """Gradients, Hessians and their products lead to the minimum."""
    f = adapters.objective(rosenbrock)
    table = {"hessp": f.hessp, "hess": f.hess, "sparse": f.sparse_hess}
    given = {("hess" if k == "sparse" else k): table[k] for k in second}
    x = np.array([-1.0, 0.5, 1.5])
    found = scipy.optimize.minimize(f, x, (100.0,), method=method, jac=True, **given)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-4)
    value, gradient = f(x, 100.0)
    assert value == pytest.approx(rosenbrock(x, 100.0))
    np.testing.assert_allclose(gradient, exact(lambda v: rosenbrock(v, 100.0), x), rtol=1e-5)
    p = RNG.normal(size=3)
    np.testing.assert_allclose(f.hessp(x, p, 100.0), f.hess(x, 100.0) @ p)
    np.testing.assert_allclose(f.sparse_hess(x, 100.0) @ p, f.hess(x, 100.0) @ p)


def model(p, t, y):
    """Residuals of a decay, and of a prior for every parameter."""
    r = p[0] * np.exp(-p[1] * t) - y
    return np.append(r, 1e-3 * p)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_least_squares(kind):
    """Parameters are found again."""
    t = np.linspace(0.0, 2.0, 12)
    r = adapters.residuals(model)
    jac = r.jac if kind == "dense" else r.sparse_jac
    args = (t, 3.0 * np.exp(-0.7 * t))
    found = scipy.optimize.least_squares(r, np.ones(2), jac=jac, args=args)
    np.testing.assert_allclose(found.x, [3.0, 0.7], rtol=1e-4)
    root = scipy.optimize.root(r, np.ones(2), args, jac=r.jac, method="lm")
    np.testing.assert_allclose(root.x, found.x, rtol=1e-6)


def van_der_pol(t, y, mu):
    """A stiff oscillator, driven a little."""
    return np.array([y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0] + 0.01 * np.sin(t)])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("method", ["BDF", "Radau"])
def test_solve_ivp(method, sparse):
    """The same solution as by differences; SciPy never forms a difference quotient."""
    r = adapters.rates(van_der_pol, sparse=sparse)
    found = scipy.integrate.solve_ivp(
        r, (0.0, 2.0), [2.0, 0.0], method=method, jac=r.jac, args=(20.0,), rtol=1e-7, atol=1e-9
    )
    plain = scipy.integrate.solve_ivp(
        van_der_pol, (0.0, 2.0), [2.0, 0.0], method="LSODA", args=(20.0,), rtol=1e-9, atol=1e-11
    )
    np.testing.assert_allclose(found.y[:, -1], plain.y[:, -1], rtol=1e-4)
    y = np.array([1.2, -0.3])
    jac = r.jac(0.5, y, 20.0)
    assert sp.issparse(jac) == sparse
    want = exact(lambda v: van_der_pol(0.5, v, 20.0), y).T
    np.testing.assert_allclose(jac.toarray() if sparse else jac, want, rtol=1e-6, atol=1e-7)


@njit
def wave(x, k, phase):
    """An integrand."""
    return np.sin(k * x + phase) * np.exp(-x)


def test_low_level_callable():
    """``quad`` integrates the derivative of an integrand in C; so does ``nquad`` of a plain one."""
    slope = adapters.low_level(srcad.grad(wave, 1), 3)
    got, _ = scipy.integrate.quad(slope, 0.0, 3.0, args=(2.0, 0.3))

    def integral(k):
        return scipy.integrate.quad(wave, 0.0, 3.0, args=(k, 0.3), epsabs=1e-13)[0]

    assert got == pytest.approx((integral(2.0 + 1e-5) - integral(2.0 - 1e-5)) / 2e-5, rel=1e-7)
    plain = adapters.low_level(wave, 3)
    assert scipy.integrate.quad(plain, 0.0, 3.0, args=(2.0, 0.3))[0] == pytest.approx(integral(2.0))
    with pytest.raises(srcad.TypeMismatch, match="does not return one float"):
        adapters.low_level(lambda x, y: (x, y), 2)


def test_brusselator_with_the_adapter():
    """Rates with a time argument, wrapped around the example's; the pattern of a grid."""

    def rates(t, y, rows, cols):
        return brusselator.reaction(y, rows, cols, 0.1)

    r = adapters.rates(rates, sparse=True)
    state = brusselator.start(3, 4)
    assert r.jac(0.0, state, 3, 4).nnz == r.jac.plan(0.0, state, 3, 4).pattern.nnz == 24 * 6


# iminuit
def test_minuit():
    """Numbers and vectors; the minimum, and fewer calls than without a gradient."""
    import iminuit

    from srcad.adapters.minuit import minuit

    def bowl(x, y):
        return (x - 1.0) ** 2 + 10.0 * (y + 2.0 * x) ** 4 + y**2

    m = minuit(bowl, 0.3, 0.4)
    m.errordef = iminuit.Minuit.LEAST_SQUARES
    m.migrad()
    assert m.valid and m.parameters == ("x", "y") and m.ngrad > 0
    plain = iminuit.Minuit(bowl, 0.3, 0.4).migrad()
    np.testing.assert_allclose(list(m.values), list(plain.values), atol=2e-3)
    assert m.nfcn < plain.nfcn
    v = minuit(lambda x: rosenbrock(x, 5.0), np.array([0.2, 0.5, 0.1]), name=("a", "b", "c"))
    v.errordef = iminuit.Minuit.LEAST_SQUARES
    v.strategy = 2
    v.migrad()
    np.testing.assert_allclose(list(v.values), 1.0, atol=2e-2)


# tensors
def scaled(x, s, n):
    """Arrays, a number and an integer in; an array and a number out."""
    y = np.empty(len(x))
    for i in range(len(x)):
        y[i] = s * np.sin(x[i]) ** n
    return y, y[0] * s


def test_jax():
    """Under ``jit``, ``grad`` and ``vmap``, against the same written in JAX; both precisions."""
    jax = pytest.importorskip("jax")
    import jax.numpy as jnp

    from srcad.adapters.jax import function

    f = function(scaled)
    total = function(lambda x, s: scaled(x, s, 2)[0].sum())

    def twin(x, s):
        return (s * jnp.sin(x) ** 2).sum()

    for wide in (True, False):
        with jax.enable_x64(wide):
            x, s = jnp.array([0.3, -0.7, 1.1]), jnp.array(1.3)
            got = jax.jit(jax.value_and_grad(lambda x, s: 2.0 * total(x, s), (0, 1)))(x, s)
            want = jax.value_and_grad(lambda x, s: 2.0 * twin(x, s), (0, 1))(x, s)
            for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
                assert a.dtype == b.dtype == x.dtype
                np.testing.assert_allclose(a, b, rtol=1e-12 if wide else 1e-5)
            batch = jnp.stack([x, 2.0 * x])
            np.testing.assert_allclose(
                jax.vmap(jax.grad(total), (0, None))(batch, s),
                jax.vmap(jax.grad(twin), (0, None))(batch, s),
                rtol=1e-5,
            )
    y, z = f(x, s, 2)
    assert y.shape == (3,) and z.shape == ()
    pulled = jax.vjp(lambda x: f(x, s, 2), x)[1]((jnp.ones(3), jnp.array(1.0)))[0]
    want = srcad.vjp(scaled, np.array(x, float), 1.3, 2)[1]((np.ones(3), 1.0))[0]
    np.testing.assert_allclose(pulled, want, rtol=1e-5)


def test_torch():
    """Against the same written in torch; ``gradcheck``; what needs no gradient."""
    torch = pytest.importorskip("torch")
    from srcad.adapters.torch import function

    f = function(scaled)
    x = torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64, requires_grad=True)
    s = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    y, z = f(x, s, 2)
    (y.sum() + 3.0 * z).backward()
    again, t = x.detach().requires_grad_(), s.detach().requires_grad_()
    twin = t * torch.sin(again) ** 2
    (twin.sum() + 3.0 * twin[0] * t).backward()
    torch.testing.assert_close(x.grad, again.grad)
    torch.testing.assert_close(s.grad, t.grad)
    assert torch.autograd.gradcheck(lambda a, b: f(a, b, 2), (x, s))
    fixed = x.detach()
    assert not f(fixed, s.detach(), 2)[0].requires_grad
    single = function(lambda x: np.sum(x**3))
    small = torch.tensor([1.0, 2.0], requires_grad=True)
    single(small).backward()
    torch.testing.assert_close(small.grad, 3.0 * small.detach() ** 2)
