"""Derivatives that the user gives, against the derivative of the same function without a rule."""

import math

import numba
import numpy as np
import pytest

import srcad

X = np.array([0.4, 0.9, 1.3])


@pytest.fixture(autouse=True)
def interpreted():
    """Fast, and verified after every pass."""
    with srcad.using(backend="reference", verify=True):
        yield


# custom_vjp
def plain_wave(x, y):
    return math.sin(x) * y * y


@srcad.custom_vjp
def wave(x, y):
    return math.sin(x) * y * y


def wave_fwd(x, y):
    return wave(x, y), (math.cos(x), math.sin(x), y)


def wave_bwd(residuals, out_b):
    c, s, y = residuals
    return c * y * y * out_b, 2.0 * s * y * out_b


wave.defvjp(wave_fwd, wave_bwd)


@srcad.custom_vjp
def smooth(u, scales, n):
    """A structure in, a structure out, an array written inside, an int."""
    out = u.copy()
    for _ in range(n):
        out = scales["a"] * out * out
    return out, np.sum(out * scales["b"])


def plain_smooth(u, scales, n):
    out = u.copy()
    for _ in range(n):
        out = scales["a"] * out * out
    return out, np.sum(out * scales["b"])


def smooth_fwd(u, scales, n):
    path = np.zeros((n + 1, len(u)))
    path[0] = u
    for k in range(n):
        path[k + 1] = scales["a"] * path[k] * path[k]
    out = path[n].copy()
    return (out, np.sum(out * scales["b"])), (path, scales)


def smooth_bwd(residuals, out_b):
    path, scales = residuals
    a, b = scales["a"], scales["b"]
    n = len(path) - 1
    b_b = path[n] * out_b[1]
    u_b = out_b[0] + b * out_b[1]
    a_b = 0.0
    for k in range(n - 1, -1, -1):
        a_b += np.sum(u_b * path[k] * path[k])
        u_b = 2.0 * a * path[k] * u_b
    return u_b, {"a": a_b, "b": b_b}, None


smooth.defvjp(smooth_fwd, smooth_bwd)


# custom_jvp
@srcad.custom_jvp
def energy(x, k):
    return np.sum(np.exp(x * k))


def plain_energy(x, k):
    return np.sum(np.exp(x * k))


@energy.defjvp
def energy_rule(primals, tangents):
    x, k = primals
    x_t, k_t = tangents
    e = np.exp(x * k)
    return energy(x, k), np.sum(e * x_t) * k + np.sum(e * x) * k_t


@srcad.custom_jvp
def product(x, y):
    return x * y


product.defjvps(lambda x_t, out, x, y: x_t * y, lambda y_t, out, x, y: x * y_t)


# third parties
@numba.njit
def theirs(x, y):
    return x * y + x**3


def theirs_fwd(x, y):
    return x * y + x**3, (x, y)


def theirs_bwd(residuals, out_b):
    x, y = residuals
    return (y + 3 * x * x) * out_b, x * out_b


srcad.register_rule(theirs, vjp=(theirs_fwd, theirs_bwd))


def c_rule(primals, tangents):
    return primals[0], tangents[0]  # the value of a function of C is that of its rule


srcad.register_rule(math.nextafter, jvp=c_rule)


def in_a_loop(x, f, g):
    s = 1.0
    for i in range(len(x)):
        s += f(x[i], s * x[0])
        if s > 1.2:
            s = s - 0.1 * f(s, x[i])
    return s + g(x * s, x[1])


def with_rules(x):
    return in_a_loop(x, wave, energy)


def without_rules(x):
    return in_a_loop(x, plain_wave, plain_energy)


def pairs(x):
    out, total = smooth(x, {"a": x[0], "b": x * x}, 2)
    return np.sum(out * out) * total + product(x[0], x[1]) + theirs(x[1], x[2])


def plain_pairs(x):
    out, total = plain_smooth(x, {"a": x[0], "b": x * x}, 2)
    return np.sum(out * out) * total + x[0] * x[1] + theirs.py_func(x[1], x[2])


@pytest.mark.parametrize(
    ("ruled", "plain"), [(with_rules, without_rules), (pairs, plain_pairs)], ids=["loop", "pairs"]
)
def test_all_modes_and_orders(ruled, plain):
    """Value, reverse, forward, all four second orders, nested in a function."""
    tight = {"rtol": 1e-12, "atol": 1e-12}
    assert srcad.differentiable(ruled)(X) == pytest.approx(srcad.differentiable(plain)(X))
    assert np.allclose(srcad.grad(ruled)(X), srcad.grad(plain)(X), **tight)
    assert np.allclose(srcad.jacfwd(ruled)(X), srcad.jacfwd(plain)(X), **tight)
    expected = srcad.hessian(plain)(X)
    for outer in (srcad.jacfwd, srcad.jacrev):
        for inner in (srcad.jacfwd, srcad.jacrev):
            assert np.allclose(outer(inner(ruled))(X), expected, **tight), (outer, inner)

    def nested(x):
        return np.sum(srcad.grad(ruled)(x) * srcad.jacfwd(ruled)(x))

    g = srcad.grad(plain)(X)
    assert np.allclose(srcad.grad(nested)(X), 2 * expected @ g, rtol=1e-10)


def test_compiled():
    """The same, printed and compiled."""
    for backend in ("python", "cpu"):
        assert np.allclose(
            srcad.grad(pairs, backend=backend)(X), srcad.grad(plain_pairs)(X), rtol=1e-12
        )


def test_it_is_the_rule_that_is_used():
    """Rules that differ from the function show: none is ever passed over."""

    @srcad.custom_vjp
    def seven(x):
        return x * x

    seven.defvjp(lambda x: (x * x, None), lambda res, out_b: (7.0 * out_b,))

    @srcad.custom_jvp
    def nine(x):
        return np.floor(x)

    nine.defjvp(lambda p, t: (np.floor(p[0]), 9.0 * t[0]))
    assert srcad.grad(seven)(3.0) == 7.0
    assert srcad.jvp(seven, (3.0,), (1.0,)) == (9.0, 7.0)
    assert srcad.grad(lambda x: seven(seven(x)))(3.0) == 49.0
    assert srcad.grad(nine)(3.5) == 9.0
    assert srcad.jvp(nine, (3.5,), (1.0,)) == (3.0, 9.0)
    assert srcad.grad(lambda x: srcad.grad(lambda y: seven(y) * x)(x))(2.0) == 7.0

    def through_an_array(x):
        a = np.array([x, 2.0 * x])
        for i in range(2):
            a[i] = seven(a[i]) + nine(a[i])
        return a[0] * a[1]

    a, b = 2.5**2 + 2.0, 25.0 + 5.0  # values; slopes 16 and 32
    assert srcad.grad(through_an_array)(2.5) == pytest.approx(16 * b + 32 * a)


def test_identity_that_clips():
    """JAX's example: the value passes, the cotangent is clipped; in forward mode refused."""

    @srcad.custom_vjp
    def clip_gradient(lo, hi, x):
        return x

    clip_gradient.defvjp(
        lambda lo, hi, x: (x, (lo, hi)), lambda res, g: (None, None, np.clip(g, res[0], res[1]))
    )

    def f(x):
        return np.sum(np.sin(clip_gradient(-0.5, 0.5, x)))

    x = np.array([0.0, 1.2, 3.0])
    assert np.allclose(srcad.grad(f)(x), np.clip(np.cos(x), -0.5, 0.5))
    with pytest.raises(srcad.NoDerivative, match="not linear"):
        srcad.jvp(f, (x,), (x,))


def test_forward_runs_once():
    """Reverse mode computes residuals in the forward sweep, not again in the reverse one."""
    source = srcad.grad(wave, backend="python").source(1.0, 2.0)
    assert source.count("math.cos(") == 1


def test_nondiff_argnums():
    """Static arguments, functions among them, come first, as in JAX."""

    @srcad.custom_vjp
    def apply(f, x, n):
        return f(x) * n

    apply = srcad.custom_vjp(apply.inner, nondiff_argnums=(0, 2))

    def fwd(f, x, n):
        return f(x) * n, x

    def bwd(f, n, x, out_b):
        return (100.0 * n * x * out_b,)

    apply.defvjp(fwd, bwd)
    assert srcad.grad(lambda x: apply(lambda t: t * t, x, 3))(2.0) == 600.0

    scaled = srcad.custom_jvp(lambda n, x: x**n, nondiff_argnums=0)
    scaled.defjvp(lambda n, p, t: (p[0] ** n, 10.0 * n * t[0]))
    assert srcad.grad(scaled, argnums=1)(3, 2.0) == 30.0
    with pytest.raises(srcad.NoDerivative, match="nondiff_argnums"):
        srcad.grad(lambda x: apply(lambda t: t * t, 1.0, x))(2.0)


def test_decorated_inside():
    """A rule made inside the function, over what it sees: refused where it would be lost."""

    def f(x):
        @srcad.custom_jvp
        def g(y):
            return y * y

        g.defjvp(lambda p, t: (g(p[0]), 5.0 * t[0]))
        return g(x) * x

    assert srcad.grad(f)(3.0) == 5.0 * 3.0 + 9.0

    def lost(x):
        @srcad.custom_jvp
        def g(y):
            return y * x

        g.defjvp(lambda p, t: (p[0] * x, x * t[0]))
        return g(2.0 * x)

    with pytest.raises(srcad.NoDerivative, match="depends on x"):
        srcad.grad(lost)(3.0)


def test_stop_gradient():
    """Constant to derivatives of any order, in structures too; the value itself outside."""

    def f(x):
        a, b = srcad.stop_gradient((x * x, {"k": x[0]}))
        return np.sum(a * x) + b["k"] * x[0]

    expected = X * X + np.array([X[0], 0, 0])
    assert np.allclose(srcad.grad(f)(X), expected)
    assert np.allclose(srcad.jacfwd(f)(X), expected)
    assert not srcad.hessian(f)(X).any()
    assert srcad.stop_gradient((1, {"a": 2.0})) == (1, {"a": 2.0})


def test_registered_functions():
    """A function of C, and an njit function: the rule, not the source."""
    assert srcad.grad(lambda x: math.nextafter(x, 1.0) * 3.0)(2.0) == 3.0

    @numba.njit
    def square(x):
        return x * x

    srcad.register_rule(square, jvp=lambda p, t: (p[0] * p[0], 11.0 * t[0]))
    assert srcad.grad(square)(3.0) == 11.0
    assert srcad.grad(lambda x: square(x) + x)(3.0) == 12.0


def test_check_grads_finds_a_rule_that_contradicts():
    """And passes those that do not, of both kinds and to second order."""
    srcad.check_grads(wave, (0.3, 1.2), order=2)
    srcad.check_grads(energy, (X, 0.7), order=2)
    srcad.check_grads(pairs, (X,), order=2)
    wrong = srcad.custom_vjp(plain_wave)
    wrong.defvjp(wave_fwd, lambda res, out_b: (res[0] * out_b, res[1] * out_b))
    with pytest.raises(srcad.CheckFailed, match="forward mode"):
        srcad.check_grads(wrong, (0.3, 1.2))
    other_value = srcad.custom_jvp(plain_wave)
    other_value.defjvp(lambda p, t: (p[0], t[0]))
    with pytest.raises(srcad.CheckFailed):
        srcad.check_grads(other_value, (0.3, 1.2))


def bad(kind, *rules):
    """A function with a rule that cannot be."""
    f = kind(plain_wave)
    if rules:
        (f.defvjp if kind is srcad.custom_vjp else f.defjvp)(*rules)
    return f


def writes(x):
    x[0] = 0.0
    return np.sum(x)


def write_rule():
    f = srcad.custom_jvp(writes)
    f.defjvp(lambda p, t: (np.sum(p[0]), np.sum(t[0])))
    return f


REFUSED = [
    (bad(srcad.custom_vjp), (1.0, 2.0), "has no rule yet"),
    (bad(srcad.custom_vjp, lambda x, y: x, wave_bwd), (1.0, 2.0), "expected a pair"),
    (bad(srcad.custom_vjp, lambda x, y: ((x, y), x), wave_bwd), (1.0, 2.0), "as its value"),
    (bad(srcad.custom_vjp, wave_fwd, lambda r, g: (g,)), (1.0, 2.0), "expected a tuple of 2"),
    (bad(srcad.custom_jvp, lambda p, t: (p[0], t[0] * t[1])), (1.0, 2.0), "not linear"),
    (write_rule(), (X,), "writes to an argument"),
]


@pytest.mark.parametrize(("f", "args", "message"), REFUSED, ids=[m for *_, m in REFUSED])
def test_refused_by_name(f, args, message):
    """Rules that cannot be used say why."""
    with pytest.raises(srcad.SrcadError, match=message):
        srcad.grad(f)(*args)


def test_refused_registrations():
    """What srcad has a derivative of keeps it."""
    with pytest.raises(srcad.TypeMismatch, match="already"):
        srcad.register_rule(np.sin, jvp=lambda p, t: (p[0], t[0]))
    with pytest.raises(srcad.TypeMismatch, match="either"):
        srcad.register_rule(plain_wave)
