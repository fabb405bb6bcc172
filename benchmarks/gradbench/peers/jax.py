"""The evals in JAX: pure functions of arrays, ``scan`` for loops, everything under ``jit``.

Reverse mode through ``while_loop`` is not supported by JAX, so only those orders of the evals with
nested derivatives are here whose outer derivative is forward.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import expm

from benchmarks.gradbench.peers.structure import (
    joint_scatter,
    lower_scatter,
    permutations,
    wishart_constant,
)

jax.config.update("jax_enable_x64", True)
VERSION = f"JAX {jax.__version__}"


def arrays(*arguments: Any) -> tuple[Any, ...]:
    """Arrays on the device, the rest as it is."""
    return jax.tree.map(lambda x: jnp.asarray(x) if isinstance(x, np.ndarray) else x, arguments)


def ready(f: Any, **options: Any) -> Any:
    """Compiled, and waited for."""
    compiled = jax.jit(f, **options)
    return lambda *arguments: jax.block_until_ready(compiled(*arguments))


def log_sum_exp(x, axis=None):
    top = jnp.max(x, axis=axis, keepdims=True)
    total = jnp.sum(jnp.exp(x - top), axis=axis, keepdims=True)
    return jnp.squeeze(top + jnp.log(total), axis=axis)


def misfit(x, n):
    t = jnp.linspace(-1.0, 1.0, n)
    powers = jnp.cumprod(jnp.repeat(t[:, None], len(x) - 1, axis=1), axis=1)
    residual = jnp.sign(t) - x[0] - powers @ x[1:]
    return 0.5 * residual @ residual


def last(x, steps):
    def slopes(y):
        return x * jnp.concatenate([jnp.ones(1), y[:-1]])

    h = 2.0 / steps

    def step(y, _):
        k1 = slopes(y)
        k2 = slopes(y + 0.5 * h * k1)
        k3 = slopes(y + 0.5 * h * k2)
        k4 = slopes(y + h * k3)
        return y + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0, None

    return jax.lax.scan(step, jnp.zeros_like(x), None, length=steps)[0][-1]


def cost(centroids, points):
    norms = jnp.sum(points**2, axis=1)[:, None] + jnp.sum(centroids**2, axis=1)
    return jnp.sum(jnp.min(norms - 2.0 * points @ centroids.T, axis=1))


def direction(centroids, points):
    gradient = partial(jax.grad(cost), points=points)
    slope, curvature = jax.jvp(gradient, (centroids,), (jnp.ones_like(centroids),))
    return slope / curvature


def determinant(a, columns, signs):
    return jnp.sum(signs * jnp.prod(a[jnp.arange(len(a)), columns], axis=1))


def all_permutations(a):
    return arrays(a, *permutations(len(a)))


def log_posterior(alpha, mu, q, lower, x, gamma, m, scatter, constant):
    (n, d) = x.shape
    scales = jnp.exp(q)
    centred = x[:, None, :] - mu[None]
    white = scales * centred + jnp.einsum("kp,pij,nkj->nki", lower, scatter, centred)
    log_dets = jnp.sum(q, axis=1)
    logs = alpha + log_dets - 0.5 * jnp.sum(white**2, axis=2)
    squares = jnp.sum(scales**2) + jnp.sum(lower**2)
    prior = 0.5 * gamma**2 * squares - m * jnp.sum(log_dets)
    likelihood = jnp.sum(log_sum_exp(logs, axis=1)) - n * log_sum_exp(alpha)
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + constant - prior


def mixture(alpha, mu, q, lower, x, gamma, m):
    k, d = mu.shape
    return arrays(
        alpha, mu, q, lower, x, gamma, m, lower_scatter(d), wishart_constant(d, k, gamma, m)
    )


def loss(main, extra, state, sequence):
    count, bits = sequence.shape
    layers = len(main) // 2
    weights, biases = main[0::2].reshape(layers, 4, bits), main[1::2].reshape(layers, 4, bits)

    def step(carry, rows):
        hidden, cell = carry
        x = rows[0] * extra[0]
        new_hidden, new_cell = [], []
        for a in range(layers):
            signals = weights[a] * jnp.stack([x, hidden[a], x, hidden[a]]) + biases[a]
            forget, ingate, outgate = jax.nn.sigmoid(signals[:3])
            new_cell.append(cell[a] * forget + ingate * jnp.tanh(signals[3]))
            x = outgate * jnp.tanh(new_cell[a])
            new_hidden.append(x)
        logits = x * extra[1] + extra[2]
        norm = jnp.log(2.0 + jnp.sum(jnp.exp(logits)))
        return (tuple(new_hidden), tuple(new_cell)), jnp.sum(rows[1] * (logits - norm))

    start = tuple(state[0::2]), tuple(state[1::2])
    total = jnp.sum(jax.lax.scan(step, start, (sequence[:-1], sequence[1:]))[1])
    return -total / ((count - 1) * bits)


def reprojection(own, feature):
    r, x = own[:3], own[11:14] - own[3:6]
    angle = jnp.sqrt(r @ r)
    axis = r / angle
    turned = x * jnp.cos(angle) + jnp.cross(axis, x) * jnp.sin(angle)
    turned += axis * (axis @ x) * (1.0 - jnp.cos(angle))
    flat = turned[:2] / turned[2]
    radius = flat @ flat
    scale = own[6] * (1.0 + own[9] * radius + own[10] * radius**2)
    return own[14] * (flat * scale + own[7:9] - feature)


def blocks(cameras, points, weights, seen, features):
    own = jnp.concatenate([cameras[seen[:, 0]], points[seen[:, 1]], weights[:, None]], axis=1)
    rows = jax.vmap(jax.jacrev(reprojection))(own, features)
    return rows, jax.vmap(jax.grad(lambda w: 1.0 - w * w))(weights)


def joint(angles):
    (cx, cy, cz), (sx, sy, sz) = jnp.cos(angles), jnp.sin(angles)
    return jnp.array(
        [
            [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx, 0.0],
            [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx, 0.0],
            [-sy, cy * sx, cy * cx, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


def hand_errors(parameters, model, corners, us, points, scatter, parents):
    relatives, inverses, rest, weights = model
    shift, theta = parameters[:2], parameters[2:]
    turns = jax.vmap(joint)(jnp.einsum("p,pba->ba", theta[6:], scatter))
    own = jnp.einsum("bij,bjk->bik", relatives, turns)
    absolute = []
    for bone, parent in enumerate(parents):
        absolute.append(own[bone] if parent < 0 else absolute[parent] @ own[bone])
    transforms = jnp.einsum("bij,bjk->bik", jnp.stack(absolute), inverses)
    skinned = jnp.einsum("vb,bij,vj->vi", weights, transforms[:, :3], rest)
    r = theta[:3]
    cross = jnp.array([[0.0, -r[2], r[1]], [r[2], 0.0, -r[0]], [-r[1], r[0], 0.0]])
    vertices = skinned @ expm(cross).T + theta[3:6]
    u, v = us[:, 0] + shift[0], us[:, 1] + shift[1]
    shares = jnp.stack([u, v, 1.0 - u - v], axis=1)
    return points - jnp.einsum("pk,pki->pi", shares, vertices[corners])


def hand(theta, model, triangles, us, correspondences, points):
    parents, relatives, inverses, rest, weights, _ = model
    corner = np.tile([0.0, 0.0, 0.0, 1.0], (len(parents), 1, 1))
    whole = [np.concatenate([part, corner], axis=1) for part in (relatives, inverses)]
    rest_of = (*whole, rest, weights), triangles[correspondences], us, points
    parameters = np.concatenate([np.zeros(2), theta])
    fixed = arrays(*rest_of, joint_scatter(len(parents)))
    return jnp.asarray(parameters), *fixed, tuple(int(p) for p in parents)


def hand_columns(parameters, *rest):
    found = jax.jacfwd(hand_errors)(parameters, *rest)
    return found.reshape(-1, len(parameters))


def argmin(f, gradient, start):
    def going(state):
        return state[-1]

    def step(state):
        new, x, value, slope, length, taken, _ = state
        there = f(new)
        better = there < value
        slope = jax.lax.cond(better, gradient, lambda _: slope, new)
        x = jnp.where(better, new, x)
        length = jnp.where(better, length, 0.5 * length)
        taken = jnp.where(better, taken + 1, 0)
        flat = better & (jnp.linalg.norm(slope) <= 1e-5)
        length = jnp.where(taken == 10, 2.0 * length, length)
        taken = jnp.where(taken == 10, 0, taken)
        new = x - length * slope
        more = ~flat & (jnp.linalg.norm(new - x) > 1e-5)
        return new, x, jnp.where(better, there, value), slope, length, taken, more

    state = (start, start, jnp.inf, jnp.zeros_like(start), 1e-5, -1, True)
    return jax.lax.while_loop(going, step, state)[1]


GRADIENT = {"f": jax.jacfwd, "r": jax.grad}


def particle(inner):
    def landing(w):
        charges = (
            jnp.array([[10.0, 10.0], [10.0, 0.0]]) - jnp.array([[0.0, 1.0], [0.0, 0.0]]) * w[0]
        )

        def potential(x):
            return jnp.sum(1.0 / jnp.sqrt(jnp.sum((x - charges) ** 2, axis=1)))

        def step(state):
            x, v = state
            return x + 0.1 * v, v - 0.1 * GRADIENT[inner](potential)(x)

        start = jnp.array([0.0, 8.0]), jnp.array([0.75, 0.0])
        x, v = jax.lax.while_loop(lambda s: s[0][1] + 0.1 * s[1][1] > 0.0, step, start)
        return (x[0] - x[1] * v[0] / v[1]) ** 2

    return ready(lambda start: argmin(landing, jax.jacfwd(landing), start)[0])


def saddle(inner):
    def height(x, y):
        return x @ x - y @ y

    def highest(x, start):
        def depth(y):
            return -height(x, y)

        return argmin(depth, GRADIENT[inner](depth), start)

    def solve(start):
        def worst(x):
            return height(x, highest(x, start))

        x = argmin(worst, jax.jacfwd(worst), start)
        return x, highest(x, start)

    return ready(solve)


def points(start):
    """A tuple as an array."""
    return (jnp.array(start),)


EVALS = {
    "hello": {"double": (arrays, ready(jax.grad(lambda x: x * x)))},
    "lse": {"gradient": (arrays, ready(jax.grad(log_sum_exp)))},
    "llsq": {"gradient": (arrays, ready(jax.grad(misfit), static_argnums=1))},
    "ode": {"gradient": (arrays, ready(jax.grad(last), static_argnums=1))},
    "kmeans": {"dir": (arrays, ready(direction))},
    "det": {"gradient": (all_permutations, ready(jax.grad(determinant)))},
    "gmm": {"jacobian": (mixture, ready(jax.grad(log_posterior, argnums=(0, 1, 2, 3))))},
    "lstm": {"jacobian": (arrays, ready(jax.grad(loss, argnums=(0, 1))))},
    "ba": {"jacobian": (arrays, ready(blocks))},
    "ht": {"jacobian": (hand, ready(hand_columns, static_argnums=6))},
    "particle": {"f" + inner: (points, particle(inner)) for inner in "fr"},
    "saddle": {"f" + inner: (points, saddle(inner)) for inner in "fr"},
}
