"""Every transform of every object: right, or refused by name.

The inner object is a function of a vector; what the outer transform gives is compared with
differences of the inner object's own values, or with a loop over samples.  Nothing may come out as
an error that is not srcad's, and nothing may come out wrong.
"""

import itertools

import numpy as np
import pytest
from numba import njit

import srcad
from srcad.api.check import vector

RNG = np.random.default_rng(8)
X, D = RNG.uniform(0.5, 1.5, 3), RNG.normal(size=3)


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference"):
        yield


def total(x):
    """A float."""
    s = 0.0
    for i in range(len(x)):
        s += np.sin(x[i]) * x[i - 1] ** 2
    return s


def many(x):
    """A vector."""
    y = np.empty(len(x))
    for i in range(len(x)):
        y[i] = np.exp(x[i]) * x[0]
    return y


@srcad.custom_vjp
def by_vjp(x):
    """A function with a rule for cotangents (which is right)."""
    return np.sum(x**3)


by_vjp.defvjp(lambda x: (np.sum(x**3), x), lambda x, out_b: (3.0 * x**2 * out_b,))


@srcad.custom_jvp
def by_jvp(x):
    """A function with a rule for tangents (which is right)."""
    return np.sum(x**3)


@by_jvp.defjvp
def by_jvp_rule(primals, tangents):
    """The chain rule."""
    (x,), (x_t,) = primals, tangents
    return by_jvp(x), np.sum(3.0 * x**2 * x_t)


ROOT = srcad.implicit_root(
    lambda z, x: z**3 + z - np.sum(x), njit(lambda z, x: _cardano(np.sum(x)))
)
POINT = srcad.fixed_point(lambda z, x: 0.3 * np.cos(z) + x)


@njit
def _cardano(s):
    z = s
    for _ in range(80):
        z -= (z**3 + z - s) / (3.0 * z * z + 1.0)
    return z


INNER = {
    "float": total,
    "vector": many,
    "differentiable": srcad.differentiable(total),
    "grad": srcad.grad(total),
    "value_and_grad": srcad.value_and_grad(total),
    "jacfwd": srcad.jacfwd(many),
    "jacrev": srcad.jacrev(many),
    "hessian": srcad.hessian(total),
    "batch": srcad.batch(lambda v: v**3 * 2.0),
    "batch of grad": srcad.batch(srcad.grad(lambda v: v**4)),
    "batch_jacobian": srcad.batch_jacobian(lambda v: np.array([v, v**2])),
    "custom_vjp": by_vjp,
    "custom_jvp": by_jvp,
    "implicit_root": lambda x: ROOT(0.5, x),
    "fixed_point": lambda x: POINT(np.zeros(3), x),
    "adjoint": srcad.adjoint(total),
    "sparse_jacobian": srcad.sparse_jacobian(many),
    "sparse_hessian": srcad.sparse_hessian(total),
}


def slope(f):
    """Directional derivative of an inner object along ``D``, by differences of its values."""

    def at(h):
        return vector(f(X + h * D))

    return (8 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3


def value(f):
    """An inner object as a function to evaluate."""
    return f if not isinstance(f, type(total)) else srcad.differentiable(f)


def blocks(x):
    """All leaves of a Jacobian, in rows."""
    if isinstance(x, (tuple, list)):
        return np.concatenate([blocks(v) for v in x])
    return np.reshape(x, (-1, 3))


def weigh(f):
    """A random cotangent of the structure of a result."""
    if isinstance(f, tuple):
        return tuple(map(weigh, f))
    return float(RNG.normal()) if np.ndim(f) == 0 else RNG.normal(size=np.shape(f))


def by_jvp_of(f):
    return vector(srcad.jvp(f, (X,), (D,))[1]), slope(value(f))


def by_vjp_of(f):
    out, pullback = srcad.vjp(f, X)
    weights = weigh(out)
    return pullback(weights)[0] @ D, vector(weights) @ slope(value(f))


def by_linearize_of(f):
    return vector(srcad.linearize(f, X)[1](D)), slope(value(f))


def by_jacobian_of(make):
    def run(f):
        return blocks(make(f)(X)) @ D, slope(value(f))

    return run


def by_gradient_of(make):
    def run(f):
        got = make(f)(X)
        return (got[1] if isinstance(got, tuple) else got) @ D, slope(value(f))[0]

    return run


def by_second_of(f):
    return srcad.hvp(f, (X,), (D,))[0], slope(srcad.grad(f))


def by_hessian_of(f):
    return srcad.hessian(f)(X) @ D, slope(srcad.grad(f))


def by_sparse_of(f):
    return srcad.sparse_jacobian(f)(X) @ D, slope(value(f))


def by_sparse_hessian_of(f):
    return srcad.sparse_hessian(f)(X) @ D, slope(srcad.grad(f))


def by_batch_of(f):
    samples = np.array([X, X + 0.1, X - 0.2])
    got = srcad.batch(f)(samples)
    want = [value(f)(s) for s in samples]
    if isinstance(got, tuple):
        return vector(got), np.concatenate([np.ravel([w[k] for w in want]) for k in range(2)])
    return vector(got), np.ravel(want)


def by_batch_jacobian_of(f):
    got = srcad.batch_jacobian(f)(np.array([X, X + 0.1]))
    return blocks(got[0][0] if isinstance(got, tuple) else got[0]) @ D, (
        slope(value(f))[:1] if isinstance(got, tuple) else slope(value(f))
    )


def by_differentiable_of(f):
    return vector(srcad.differentiable(f)(X)), vector(value(f)(X))


def by_adjoint_of(f):
    x_b, ones = np.zeros(3), np.ones(1)
    srcad.adjoint(f)(X.copy(), x_b, ones)
    return x_b @ D, slope(value(f))[0]


def by_check_of(f):
    srcad.check_grads(f, (X,), order=1)
    return 0.0, 0.0


def by_audit_of(f):
    report = srcad.audit(f, srcad.grad(f), lambda rng: rng.uniform(0.5, 1.5, 3), 2)
    return float(report.ok), 1.0


OUTER = {
    "jvp": by_jvp_of,
    "vjp": by_vjp_of,
    "linearize": by_linearize_of,
    "jacfwd": by_jacobian_of(srcad.jacfwd),
    "jacrev": by_jacobian_of(srcad.jacrev),
    "grad": by_gradient_of(srcad.grad),
    "value_and_grad": by_gradient_of(srcad.value_and_grad),
    "hvp": by_second_of,
    "hessian": by_hessian_of,
    "sparse_jacobian": by_sparse_of,
    "sparse_hessian": by_sparse_hessian_of,
    "batch": by_batch_of,
    "batch_jacobian": by_batch_jacobian_of,
    "differentiable": by_differentiable_of,
    "adjoint": by_adjoint_of,
    "check_grads": by_check_of,
    "audit": by_audit_of,
}
# what cannot be: these need one float; matrices of scipy are no values; shadows are arguments
FLOATS = (
    "float",
    "differentiable",
    "custom_vjp",
    "custom_jvp",
    "implicit_root",
    "implicit_minimum",
)
NEED_A_FLOAT = (
    *("grad", "value_and_grad", "hvp", "hessian", "sparse_hessian", "adjoint", "audit"),
)
NO_VALUES = ("sparse_jacobian", "sparse_hessian", "adjoint")


def refused(outer, inner):
    """Whether a pair has no meaning."""
    return inner in NO_VALUES or (outer in NEED_A_FLOAT and inner not in FLOATS)


@pytest.mark.parametrize("inner", list(INNER))
def test_every_transform_of(inner):
    """All outer transforms of one inner object."""
    f = INNER[inner]
    for outer, run in OUTER.items():
        if refused(outer, inner):
            # sizes are known only at run time
            with pytest.raises((srcad.SrcadError, ValueError)) as info:
                run(f)
            assert isinstance(info.value, srcad.SrcadError) or "has another shape" in str(
                info.value
            )
            assert not isinstance(info.value, srcad.InternalError), (outer, inner)
            continue
        got, want = run(f)
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6, err_msg=f"{outer} of {inner}")


def test_the_product_is_large():
    """Most pairs are computed, not refused."""
    pairs = list(itertools.product(OUTER, INNER))
    done = [p for p in pairs if not refused(*p)]
    assert len(pairs) > 300 and len(done) > 170


@njit
def inside(samples, a):
    """Batches and roots in the user's own compiled code."""
    return PER(samples).sum() + ROOT(0.5, a)


PER = srcad.batch(srcad.grad(total))


def test_inside_njit():
    """The same numbers from njit code."""
    samples = np.array([X, X + 0.1])
    want = sum(srcad.grad(total)(s).sum() for s in samples) + ROOT(0.5, X)
    assert inside(samples, X) == pytest.approx(want, rel=1e-10)
