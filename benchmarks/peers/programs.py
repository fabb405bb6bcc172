"""The objectives for array-at-a-time AD tools (autograd, JAX, PyTorch, TensorFlow).

Written as such tools want them: whole arrays, no in-place writes, no loops over elements; time
loops through ``tool.loop`` and ``tool.scan``.  ``tool.xp`` has the tool's own functions under
NumPy's names.  Same arguments and results as the plain loops of ``benchmarks/objectives.py``.
"""

from __future__ import annotations

import math

import numpy as np


def log_sum_exp(tool, x, axis=None):
    """log(sum(exp(x))) along an axis, as the tool has it."""
    return tool.xp.logsumexp(x, axis)


def gmm(tool, alphas, means, log_scales, lower, points, gamma, m):
    """Log posterior of the mixture."""
    xp = tool.xp
    (n, d), k = points.shape, alphas.shape[0]
    columns, rows = np.triu_indices(d, 1)  # the strict lower triangle, column by column
    place = np.full((d, d), len(rows))
    place[rows, columns] = np.arange(len(rows))
    padded = xp.concatenate([lower, xp.constant(np.zeros((k, 1)))], 1)
    factors = xp.reshape(xp.take(padded, place.ravel(), 1), (k, d, d))
    scales = xp.exp(log_scales)
    centred = points[:, None, :] - means[None]
    white = scales * centred + xp.einsum("kij,nkj->nki", factors, centred)
    log_dets = xp.sum(log_scales, 1)
    logs = alphas + log_dets - 0.5 * xp.sum(white**2, 2)
    squares = xp.sum(scales**2) + xp.sum(lower**2)
    prior = 0.5 * gamma**2 * squares - m * xp.sum(log_dets)
    freedom = d + m + 1
    constant = freedom * d * math.log(gamma / math.sqrt(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    constant -= sum(math.lgamma(0.5 * (freedom - i)) for i in range(d))
    likelihood = xp.sum(log_sum_exp(tool, logs, 1)) - n * log_sum_exp(tool, alphas)
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + k * constant - prior


def bundle(tool, cameras, points, weights, seen, measured):
    """Half the sum of the squared residuals (rotations away from zero)."""
    xp = tool.xp
    camera = xp.take(cameras, seen[:, 0], 0)
    x = xp.take(points, seen[:, 1], 0) - camera[:, 3:6]
    r = camera[:, :3]
    angle = xp.sqrt(xp.sum(r * r, 1))[:, None]
    axis = r / angle
    a0, a1, a2 = axis[:, 0], axis[:, 1], axis[:, 2]
    x0, x1, x2 = x[:, 0], x[:, 1], x[:, 2]
    cross = xp.stack([a1 * x2 - a2 * x1, a2 * x0 - a0 * x2, a0 * x1 - a1 * x0], 1)
    along = xp.sum(axis * x, 1)[:, None]
    turned = xp.cos(angle) * x + xp.sin(angle) * cross + (1.0 - xp.cos(angle)) * along * axis
    image = turned[:, :2] / turned[:, 2:]
    radius = xp.sum(image * image, 1)[:, None]
    distortion = 1.0 + camera[:, 9:10] * radius + camera[:, 10:11] * radius**2
    pixels = camera[:, 6:7] * distortion * image + camera[:, 7:9]
    errors = weights[:, None] * (pixels - measured)
    return 0.5 * (xp.sum(errors**2) + xp.sum((1.0 - weights**2) ** 2))


def lstm(tool, main, extra, state, sequence):
    """Mean negative log-likelihood of each character's successor."""
    xp = tool.xp
    characters, bits = sequence.shape
    layers = main.shape[0] // 2
    weights = xp.reshape(main[0::2], (layers, 4, bits))
    biases = xp.reshape(main[1::2], (layers, 4, bits))
    w = [[weights[a, g] for g in range(4)] for a in range(layers)]
    b = [[biases[a, g] for g in range(4)] for a in range(layers)]
    first, slope, shift = extra[0], extra[1], extra[2]

    def step(carry, row):
        hidden, cell = carry
        x = row[0] * first
        new_hidden, new_cell = [], []
        for a in range(layers):
            forget = xp.sigmoid(x * w[a][0] + b[a][0])
            ingate = xp.sigmoid(hidden[a] * w[a][1] + b[a][1])
            outgate = xp.sigmoid(x * w[a][2] + b[a][2])
            change = xp.tanh(hidden[a] * w[a][3] + b[a][3])
            new_cell.append(cell[a] * forget + ingate * change)
            x = outgate * xp.tanh(new_cell[a])
            new_hidden.append(x)
        logits = x * slope + shift
        norm = xp.log(2.0 + xp.sum(xp.exp(logits)))
        return (tuple(new_hidden), tuple(new_cell)), xp.sum(row[1] * (logits - norm))

    hidden = tuple(state[2 * a] for a in range(layers))
    cell = tuple(state[2 * a + 1] for a in range(layers))
    rows = xp.stack([sequence[:-1], sequence[1:]], 1)
    return -tool.scan(step, (hidden, cell), rows) / ((characters - 1) * bits)


def misfit(tool, x, n):
    """A matrix of powers, computed in every call as the loops do, times the coefficients."""
    xp = tool.xp
    t = xp.constant(-1.0 + 2.0 * np.arange(n) / (n - 1))
    start = xp.constant(np.ones((n, 1)))
    factors = xp.concatenate([start, xp.broadcast_to(t[:, None], (n, x.shape[0] - 1))], 1)
    residual = xp.sign(t) - xp.matvec(xp.cumprod(factors, 1), x)
    return 0.5 * xp.sum(residual * residual)


def chain(tool, rate, steps):
    """Runge-Kutta on whole states."""
    xp = tool.xp
    h = 2.0 / steps
    one = xp.constant(np.ones(1))

    def slopes(y):
        return rate * xp.concatenate([one, y[:-1]], 0)

    def step(y):
        k1 = slopes(y)
        k2 = slopes(y + 0.5 * h * k1)
        k3 = slopes(y + 0.5 * h * k2)
        k4 = slopes(y + h * k3)
        return y + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0

    return xp.sum(tool.loop(step, xp.constant(np.zeros(rate.shape[0])), steps))


def burgers(tool, start, steps, advection, viscosity):
    """A step computes the inner points from three shifted views."""
    xp = tool.xp

    def step(u):
        left, here, right = u[:-2], u[1:-1], u[2:]
        inner = (
            here
            - advection * here * (here - left)
            + viscosity * (right - 2.0 * here + left)
        )  # fmt: skip
        return xp.concatenate([u[:1], inner, u[-1:]], 0)

    u = tool.loop(step, start, steps)
    return 0.5 * xp.sum(u * u)


def rosenbrock(tool, x):
    """Neighbours are two views."""
    return tool.xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def wave(tool, x):
    """A number."""
    return tool.xp.sin(x) * x


OBJECTIVES = {
    "gmm": gmm,
    "bundle": bundle,
    "lstm": lstm,
    "log_sum_exp": log_sum_exp,
    "misfit": misfit,
    "chain": chain,
    "reactions": chain,
    "burgers": burgers,
    "burgers_in_place": burgers,
    "rosenbrock": rosenbrock,
    "wave": wave,
}
