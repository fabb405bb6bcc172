"""Objects of every kind as functions of a vector: what ``test_products`` transforms."""

import numpy as np
from numba import njit

import srcad

RNG = np.random.default_rng(8)
X, D = RNG.uniform(0.5, 1.5, 3), RNG.normal(size=3)


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


MINIMUM = srcad.implicit_minimum(
    lambda z, x: 0.5 * np.sum((z - np.sin(x)) ** 2) + 0.25 * np.sum(z**4),
    njit(lambda z, x: _lowest(x)),
)
ROOTS = srcad.implicit_root(lambda z, x: z**3 + z * x[0] - x, njit(lambda z, x: _roots(x)))


@njit
def _lowest(x):
    z = np.sin(x)
    for _ in range(60):
        z = z - (z - np.sin(x) + z**3) / (1.0 + 3.0 * z * z)
    return z


@njit
def _roots(x):
    z = np.zeros(3)
    for _ in range(80):
        z = z - (z**3 + z * x[0] - x) / (3.0 * z * z + x[0])
    return z


def marched(x):
    """Two checkpointed loops."""
    u = x.copy()
    s = 0.0
    for t in srcad.checkpointed(range(4), snapshots=2):
        u[t % 3] = np.sin(u[t % 3]) * u[t % 3 - 1]
        s += u[t % 3] * x[0]
    while srcad.checkpointed(s > 0.5, snapshots=1):
        s *= 0.7
    return s * np.sum(u)


def drawn(x):
    """Random numbers in a checkpointed loop."""
    np.random.seed(3)
    s = 0.0
    for t in srcad.checkpointed(range(3), snapshots=1):
        s += np.sin(x[t]) * np.random.random() * x[0]
    return s


call = srcad.checkpoint(total)


@srcad.custom_vjp
def structured(d):
    """Dicts and tuples in and out."""
    return d["a"] * d["b"], (d["a"][0],)


structured.defvjp(
    lambda d: ((d["a"] * d["b"], (d["a"][0],)), d),
    lambda d, g: (
        {"a": g[0] * d["b"] + g[1][0] * np.array([1.0, 0.0, 0.0]), "b": np.sum(g[0] * d["a"])},
    ),
)


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
    "checkpointed": marched,
    "checkpoint": lambda x: call(x) * x[0],
    "random draws": drawn,
    "implicit_minimum": lambda x: MINIMUM(np.zeros(3), x),
    "vector of roots": lambda x: ROOTS(np.zeros(3), x),
    "pullback": srcad.vjp(many, X, backend="reference")[1],
    "linearized": srcad.linearize(many, X, backend="reference")[1],
    "vjp inside": lambda x: srcad.vjp(many, x)[1](x * D)[0],
    "linearize inside": lambda x: srcad.linearize(many, x)[1](D * x),
    "jvp inside": lambda x: srcad.jvp(many, (x,), (D,))[1],
    "hvp inside": lambda x: srcad.hvp(total, (x,), (D,))[0],
    "stop_gradient": lambda x: total(x) * srcad.stop_gradient(np.sum(D)),
    "rule of structures": lambda x: structured({"a": x * x, "b": x[1]}),
    "njit": njit(total),
    "grad of checkpointed": srcad.grad(marched),
    "grad of a root": srcad.grad(lambda x: ROOT(0.5, x)),
}
