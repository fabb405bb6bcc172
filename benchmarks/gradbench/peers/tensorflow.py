"""The evals in TensorFlow: ``GradientTape`` inside ``tf.function``, loops by AutoGraph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.gradbench.peers.structure import (
    joint_scatter,
    lower_scatter,
    permutations,
    wishart_constant,
)

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
VERSION = f"TensorFlow {tf.__version__}"


def tensor(x: Any) -> Any:
    """Arrays and numbers as tensors, in structures too."""
    if isinstance(x, tuple):
        return tuple(map(tensor, x))
    return tf.constant(x, tf.float64 if np.asarray(x).dtype.kind == "f" else None)


def tensors(*arguments: Any) -> Any:
    """All arguments as tensors."""
    return tensor(arguments)


def grad(f, count=0):
    """Gradient in the first argument, or a list of those in the first ``count``, as a graph."""

    @tf.function
    def gradient(*arguments):
        sources = list(arguments[:count]) if count else arguments[0]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            value = f(*arguments)
        return tape.gradient(value, sources)

    return gradient


def lse(x):
    top = tf.reduce_max(x)
    return tf.math.log(tf.reduce_sum(tf.exp(x - top))) + top


def misfit(x, n):
    t = tf.linspace(tf.constant(-1.0, tf.float64), 1.0, n)
    columns = tf.repeat(t[:, None], len(x), axis=1)
    residual = tf.sign(t) - tf.linalg.matvec(tf.math.cumprod(columns, axis=1, exclusive=True), x)
    return 0.5 * tf.reduce_sum(residual**2)


def last(x, steps):
    def slopes(y):
        return x * tf.concat([tf.ones(1, tf.float64), y[:-1]], axis=0)

    h = 2.0 / tf.cast(steps, tf.float64)
    y = tf.zeros_like(x)
    for _ in tf.range(steps):
        k1 = slopes(y)
        k2 = slopes(y + 0.5 * h * k1)
        k3 = slopes(y + 0.5 * h * k2)
        k4 = slopes(y + h * k3)
        y = y + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0
    return y[-1]


def cost(centroids, points):
    norms = tf.reduce_sum(points**2, axis=1)[:, None] + tf.reduce_sum(centroids**2, axis=1)
    distances = norms - 2.0 * tf.matmul(points, centroids, transpose_b=True)
    return tf.reduce_sum(tf.reduce_min(distances, axis=1))


@tf.function
def direction(centroids, points):
    with tf.GradientTape() as outer:
        outer.watch(centroids)
        with tf.GradientTape() as tape:
            tape.watch(centroids)
            value = cost(centroids, points)
        slope = tape.gradient(value, centroids)
        total = tf.reduce_sum(slope)
    return slope / outer.gradient(total, centroids)


def determinant(a, columns, signs):
    rows = tf.broadcast_to(tf.range(a.shape[0], dtype=columns.dtype), tf.shape(columns))
    picked = tf.gather_nd(a, tf.stack([rows, columns], axis=-1))
    return tf.reduce_sum(signs * tf.reduce_prod(picked, axis=1))


def all_permutations(a):
    return tensors(a, *permutations(len(a)))


def log_posterior(alpha, mu, q, lower, x, gamma, m, scatter, constant):
    n, d = x.shape
    scales = tf.exp(q)
    centred = x[:, None, :] - mu[None]
    factors = tf.einsum("kp,pij->kij", lower, scatter)
    white = scales * centred + tf.einsum("kij,nkj->nki", factors, centred)
    log_dets = tf.reduce_sum(q, axis=1)
    logs = alpha + log_dets - 0.5 * tf.reduce_sum(white**2, axis=2)
    squares = tf.reduce_sum(scales**2) + tf.reduce_sum(lower**2)
    prior = 0.5 * gamma**2 * squares - tf.cast(m, tf.float64) * tf.reduce_sum(log_dets)
    likelihood = tf.reduce_sum(tf.reduce_logsumexp(logs, axis=1)) - n * tf.reduce_logsumexp(alpha)
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + constant - prior


def mixture(alpha, mu, q, lower, x, gamma, m):
    k, d = mu.shape
    constant = wishart_constant(d, k, gamma, m)
    return tensors(alpha, mu, q, lower, x, gamma, m, lower_scatter(d), constant)


def loss(main, extra, state, sequence):
    count, bits = sequence.shape
    layers = len(main) // 2
    weights = tf.reshape(main[0::2], (layers, 4, bits))
    biases = tf.reshape(main[1::2], (layers, 4, bits))

    def step(carry, row):
        hidden, cell, _ = carry
        x = row * extra[0]
        new_hidden, new_cell = [], []
        for a in range(layers):
            signals = weights[a] * tf.stack([x, hidden[a], x, hidden[a]]) + biases[a]
            forget, ingate, outgate = tf.unstack(tf.sigmoid(signals[:3]))
            new_cell.append(cell[a] * forget + ingate * tf.tanh(signals[3]))
            x = outgate * tf.tanh(new_cell[a])
            new_hidden.append(x)
        return tf.stack(new_hidden), tf.stack(new_cell), x * extra[1] + extra[2]

    start = state[0::2], state[1::2], tf.zeros(bits, tf.float64)
    logits = tf.scan(step, sequence[:-1], start)[2]
    norms = tf.math.log(2.0 + tf.reduce_sum(tf.exp(logits), axis=1, keepdims=True))
    return -tf.reduce_sum(sequence[1:] * (logits - norms)) / ((count - 1) * bits)


@tf.function
def blocks(cameras, points, weights, seen, features):
    own = tf.concat(
        [tf.gather(cameras, seen[:, 0]), tf.gather(points, seen[:, 1]), weights[:, None]], axis=1
    )
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([own, weights])
        r, x = own[:, :3], own[:, 11:14] - own[:, 3:6]
        angle = tf.norm(r, axis=1, keepdims=True)
        axis = r / angle
        along = tf.reduce_sum(axis * x, axis=1, keepdims=True)
        turned = x * tf.cos(angle) + tf.linalg.cross(axis, x) * tf.sin(angle)
        turned += axis * along * (1.0 - tf.cos(angle))
        flat = turned[:, :2] / turned[:, 2:]
        radius = tf.reduce_sum(flat**2, axis=1, keepdims=True)
        scale = own[:, 6:7] * (1.0 + own[:, 9:10] * radius + own[:, 10:11] * radius**2)
        errors = own[:, 14:] * (flat * scale + own[:, 7:9] - features)
        pulls = 1.0 - weights**2
    return tape.batch_jacobian(errors, own), tape.gradient(pulls, weights)


def joints(angles):
    (cx, cy, cz) = tf.unstack(tf.cos(angles), axis=1)
    (sx, sy, sz) = tf.unstack(tf.sin(angles), axis=1)
    zero, one = tf.zeros_like(cx), tf.ones_like(cx)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx, zero],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx, zero],
        [-sy, cy * sx, cy * cx, zero],
        [zero, zero, zero, one],
    ]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def hand_errors(parameters, model, corners, us, points, scatter, parents):
    relatives, inverses, rest, weights = model
    shift, theta = parameters[:2], parameters[2:]
    own = relatives @ joints(tf.einsum("p,pba->ba", theta[6:], scatter))
    absolute = []
    for bone, parent in enumerate(parents):
        absolute.append(own[bone] if parent < 0 else absolute[parent] @ own[bone])
    transforms = tf.stack(absolute) @ inverses
    maps = tf.einsum("vb,bij->vij", weights, transforms[:, :3])
    skinned = tf.einsum("vij,vj->vi", maps, rest)
    r = tf.unstack(theta[:3])
    zero = tf.zeros_like(r[0])
    cross = tf.stack([zero, -r[2], r[1], r[2], zero, -r[0], -r[1], r[0], zero])
    turn = tf.linalg.expm(tf.reshape(cross, (3, 3)))
    vertices = tf.matmul(skinned, turn, transpose_b=True) + theta[3:6]
    u, v = us[:, 0] + shift[0], us[:, 1] + shift[1]
    shares = tf.stack([u, v, 1.0 - u - v], axis=1)
    return points - tf.einsum("pk,pki->pi", shares, tf.gather(vertices, corners))


def hand(theta, model, triangles, us, correspondences, points):
    parents, relatives, inverses, rest, weights, _ = model
    corner = np.tile([0.0, 0.0, 0.0, 1.0], (len(parents), 1, 1))
    whole = [np.concatenate([part, corner], axis=1) for part in (relatives, inverses)]
    fixed = (*whole, rest, weights), triangles[correspondences], us, points
    parameters = np.concatenate([np.zeros(2), theta])
    found = tensors(parameters, *fixed, joint_scatter(len(parents)))
    return *found, tuple(int(p) for p in parents)


@tf.function
def hand_columns(parameters, *rest):
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        errors = tf.reshape(hand_errors(parameters, *rest), [-1])
    return tape.jacobian(errors, parameters)


def argmin(f, gradient, start):
    x, new = start, start
    value = tf.constant(math.inf, tf.float64)
    slope = tf.zeros_like(start)
    length = tf.constant(1e-5, tf.float64)
    taken = tf.constant(-1)
    more = tf.constant(True)
    while more:
        there = f(new)
        flat = tf.constant(False)
        if there < value:
            x, value, slope, taken = new, there, gradient(new), taken + 1
            flat = tf.norm(slope) <= 1e-5
        else:
            length, taken = 0.5 * length, tf.constant(0)
        if taken == 10:
            length, taken = 2.0 * length, tf.constant(0)
        new = x - length * slope
        more = tf.logical_not(flat) and tf.norm(new - x) > 1e-5
    return x


def reverse(f):
    """A gradient in reverse mode, to be used inside a graph."""

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = f(x)
        return tape.gradient(value, x)

    return gradient


@tf.function
def particle(start):
    """Both derivatives in reverse mode."""

    def landing(w):
        shift = tf.concat([tf.zeros(1, tf.float64), w], axis=0)
        charges = tf.stack([[10.0, 10.0] - shift, tf.constant([10.0, 0.0], tf.float64)])

        def potential(x):
            return tf.reduce_sum(1.0 / tf.sqrt(tf.reduce_sum((x - charges) ** 2, axis=1)))

        x, v = tf.constant([0.0, 8.0], tf.float64), tf.constant([0.75, 0.0], tf.float64)
        while x[1] + 0.1 * v[1] > 0.0:
            force = reverse(potential)(x)
            x, v = x + 0.1 * v, v - 0.1 * force
        return (x[0] - x[1] * v[0] / v[1]) ** 2

    return argmin(landing, reverse(landing), start)[0]


@tf.function
def saddle(start):
    """Both derivatives in reverse mode."""

    def height(x, y):
        return tf.reduce_sum(x * x) - tf.reduce_sum(y * y)

    def highest(x):
        def depth(y):
            return -height(x, y)

        return argmin(depth, reverse(depth), start)

    def worst(x):
        return height(x, highest(x))

    x = argmin(worst, reverse(worst), start)
    return x, highest(x)


def point(start):
    """A tuple as a tensor."""
    return (tf.constant(start, tf.float64),)


EVALS = {
    "hello": {"double": (tensors, grad(lambda x: x * x))},
    "lse": {"gradient": (tensors, grad(lse))},
    "llsq": {"gradient": (lambda x, n: (tensor(x), n), grad(misfit))},
    "ode": {"gradient": (tensors, grad(last))},
    "kmeans": {"dir": (tensors, direction)},
    "det": {"gradient": (all_permutations, grad(determinant))},
    "gmm": {"jacobian": (mixture, grad(log_posterior, 4))},
    "lstm": {"jacobian": (tensors, grad(loss, 2))},
    "ba": {"jacobian": (tensors, blocks)},
    "ht": {"jacobian": (hand, hand_columns)},
    "particle": {"rr": (point, particle)},
    "saddle": {"rr": (point, saddle)},
}
