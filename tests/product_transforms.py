"""Transforms of a function of a vector, each with what it should come to.

Every entry of ``OUTER`` takes an object, applies a transform to it or uses it in another construct,
and gives what came out and what is expected, from differences of the object's own values.
"""

import importlib.util
import pickle
import re
import tempfile
from pathlib import Path

import cloudpickle
import numpy as np

import srcad
from srcad.adapters import jax as for_jax
from srcad.adapters import scipy as for_scipy
from srcad.api.check import vector
from tests.product_objects import RNG, D, X, total


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
        return vector(got), np.concatenate([np.ravel(w) for w in zip(*want, strict=True)])
    return vector(got), np.ravel(want)


def by_batch_jacobian_of(f):
    got = srcad.batch_jacobian(f)(np.array([X, X + 0.1]))
    found = blocks(got[0][0] if isinstance(got, tuple) else got[0]) @ D
    return found, slope(value(f))[: np.size(found)]  # of the first result


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


# constructs around an object
def weight(y):
    """A float, of any result."""
    if isinstance(y, tuple):
        s = 0.0
        for v in y:
            s += weight(v)
        return s
    return np.sum(y * 1.5)


def last(y):
    """The last leaf of a result."""
    return last(y[-1]) if isinstance(y, tuple) else y


def start(f):
    """Zeros of the kind of the last leaf."""
    y = last(value(f)(X))
    return 0.0 if np.ndim(y) == 0 else np.zeros(np.shape(y))


def total_slope(f):
    """Of the weighted results."""
    return 1.5 * np.sum(slope(value(f)))


def by_root_of(f):
    """The root of ``z - f(x)``, in both modes."""
    root = srcad.implicit_root(lambda z, x: z - last(f(x)), lambda z, x: last(value(f)(x)))
    z = start(f)
    got = srcad.jvp(lambda x: root(z, x), (X,), (D,))[1], srcad.jacrev(lambda x: root(z, x))(X)
    want = slope(lambda x: last(value(f)(x)))
    return np.append(vector(got[0]), blocks(got[1]) @ D), np.append(want, want)


def by_fixed_point_of(f):
    point = srcad.fixed_point(lambda z, x: 0.01 * z + last(f(x)))
    z = start(f)
    return blocks(srcad.jacobian(lambda x: point(z, x))(X)) @ D, slope(
        lambda x: last(value(f)(x))
    ) / 0.99


def by_minimum_of(f):
    found = srcad.implicit_minimum(
        lambda z, x: np.sum((z - last(f(x))) ** 2), lambda z, x: last(value(f)(x))
    )
    z = start(f)
    want = slope(lambda x: last(value(f)(x)))
    return blocks(srcad.jacobian(lambda x: found(z, x))(X)) @ D, want


def by_checkpointed_of(f):
    """Called in the steps of a checkpointed loop."""

    def loop(x):
        s = 0.0
        u = x
        for _ in srcad.checkpointed(range(2), snapshots=1):
            s += weight(f(u))
            u = u * 0.9
        return s

    def plainly(x):
        return 1.5 * sum(np.sum(vector(value(f)(y))) for y in (x, 0.9 * x))

    return srcad.grad(loop)(X) @ D, slope(plainly)[0]


def by_checkpoint_of(f):
    g = srcad.checkpoint(f)
    return srcad.grad(lambda x: weight(g(x)))(X) @ D, total_slope(f)


def both_modes(g, f):
    """Of a function that is to be the same as an object."""
    forward = vector(srcad.jvp(g, (X,), (D,))[1])
    reverse = srcad.grad(lambda x: weight(g(x)))(X) @ D
    return np.append(forward, reverse), np.append(slope(value(f)), total_slope(f))


def by_custom_jvp_of(f):
    g = srcad.custom_jvp(lambda x: f(x))
    g.defjvp(lambda p, t: srcad.jvp(f, p, t))
    return both_modes(g, f)


def by_custom_vjp_of(f):
    g = srcad.custom_vjp(lambda x: f(x))
    g.defvjp(lambda x: (f(x), x), lambda x, out_b: srcad.vjp(f, x)[1](out_b))
    return both_modes(g, f)


def by_stop_gradient_of(f):
    got = srcad.grad(lambda x: weight(f(x)) * srcad.stop_gradient(weight(f(x))))(X) @ D
    return got, total_slope(f) * 1.5 * np.sum(vector(value(f)(X)))


def by_map_of(f):
    """A pullback made inside, differentiated."""
    w = weigh(value(f)(X))
    got = srcad.grad(lambda x: np.sum(srcad.vjp(f, x)[1](w)[0] * D))(X) @ D
    outer = srcad.jvp(lambda x: srcad.jvp(f, (x,), (D,))[1], (X,), (D,))[1]
    return got, vector(w) @ vector(outer)


def by_second_reverse_of(f):
    """Reverse over reverse against forward over reverse."""
    g = srcad.grad(lambda x: weight(f(x)))
    return srcad.jacrev(g)(X) @ D, slope(g)


def by_explain_of(f):
    text = str(srcad.explain(srcad.differentiable(lambda x: weight(f(x))), X))
    return float("recorded" in text), 1.0


def by_source_of(f):
    return float("def " in srcad.source(f, X)), 1.0


def exported(g, *args):
    """The function of an exported module, interpreted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.py"
        srcad.export(g, path, *args)
        text = path.read_text()
    assert "import srcad" not in text
    namespace = {"__name__": "made"}
    exec(re.sub(r"@numba\.njit.*", "", text), namespace)
    return namespace[re.findall(r"^def (\w+)", text, re.M)[-1]]


def by_export_of(f):
    g = exported(srcad.grad(lambda x: weight(f(x))), X)
    got = np.append(vector(exported(f, X)(X.copy())), g(X.copy()) @ D)
    return got, np.append(vector(value(f)(X)), total_slope(f))


def by_pickle_of(f):
    g = pickle.loads(cloudpickle.dumps(f))
    return vector(value(g)(X)), vector(value(f)(X))


def by_residuals_of(f):
    r = for_scipy.residuals(f)
    return np.append(blocks(r.jac(X)) @ D, r.sparse_jac(X) @ D), np.append(*2 * [slope(value(f))])


def by_objective_of(f):
    o = for_scipy.objective(f)
    h = o.hessp(X, D)
    got = [o(X)[1] @ D, *(o.hess(X) @ D - h), *(o.sparse_hess(X) @ D - h)]
    return got, np.append(slope(value(f)), np.zeros(6))


def by_rates_of(f):
    r = for_scipy.rates(lambda t, y: last(f(y)) * t)
    return blocks(r.jac(2.0, X)) @ D, 2.0 * slope(lambda x: last(value(f)(x)))


def by_jax_of(f):
    import jax

    jax.config.update("jax_enable_x64", True)
    w = weigh(value(f)(X))
    pullback = jax.vjp(for_jax.function(f), X)[1]
    return np.asarray(pullback(jax.tree.map(np.asarray, w))[0]) @ D, vector(w) @ slope(value(f))


def by_minuit_of(f):
    from srcad.adapters.minuit import minuit

    return minuit(f, X).grad(X) @ D, slope(value(f))[0]


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
    "implicit_root": by_root_of,
    "fixed_point": by_fixed_point_of,
    "implicit_minimum": by_minimum_of,
    "checkpointed": by_checkpointed_of,
    "checkpoint": by_checkpoint_of,
    "custom_jvp": by_custom_jvp_of,
    "custom_vjp": by_custom_vjp_of,
    "stop_gradient": by_stop_gradient_of,
    "pullback": by_map_of,
    "reverse twice": by_second_reverse_of,
    "explain": by_explain_of,
    "source": by_source_of,
    "export": by_export_of,
    "pickle": by_pickle_of,
    "scipy residuals": by_residuals_of,
    "scipy objective": by_objective_of,
    "scipy rates": by_rates_of,
    "jax": by_jax_of,
    "minuit": by_minuit_of,
}
if importlib.util.find_spec("jax") is None:
    del OUTER["jax"]
