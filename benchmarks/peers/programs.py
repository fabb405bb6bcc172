"""The ADBench objectives for array-at-a-time AD tools (autograd, JAX).

Written as such tools want them: whole arrays, no in-place writes, no loops over elements.  ``xp``
is the tool's NumPy; ``scan(step, start, rows)`` runs ``step(carry, row) -> (carry, value)`` over
rows and adds the values up.  Same arguments and results as the loops of ``examples/adbench.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


def log_sum_exp(xp, x, axis=None):
    """log(sum(exp(x))) along an axis."""
    top = xp.max(x, axis=axis, keepdims=True)
    total = xp.sum(xp.exp(x - top), axis=axis, keepdims=True)
    return xp.squeeze(top + xp.log(total), axis=axis)


def gmm(tool, alphas, means, log_scales, lower, points, gamma, m):
    """Log posterior of the mixture."""
    xp = tool.xp
    (n, d), k = points.shape, len(alphas)
    columns, rows = np.triu_indices(d, 1)  # the strict lower triangle, column by column
    scatter = np.zeros((len(rows), d, d))
    scatter[np.arange(len(rows)), rows, columns] = 1.0
    scales = xp.exp(log_scales)
    factors = xp.einsum("kp,pij->kij", lower, scatter)
    centred = points[:, None, :] - means[None]
    white = scales * centred + xp.einsum("kij,nkj->nki", factors, centred)
    log_dets = xp.sum(log_scales, axis=1)
    logs = alphas + log_dets - 0.5 * xp.sum(white**2, axis=2)
    squares = xp.sum(scales**2) + xp.sum(lower**2)
    prior = 0.5 * gamma**2 * squares - m * xp.sum(log_dets)
    freedom = d + m + 1
    constant = freedom * d * math.log(gamma / math.sqrt(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    constant -= sum(math.lgamma(0.5 * (freedom - i)) for i in range(d))
    likelihood = xp.sum(log_sum_exp(xp, logs, axis=1)) - n * log_sum_exp(xp, alphas)
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + k * constant - prior


def bundle(tool, cameras, points, weights, seen, measured):
    """Half the sum of the squared residuals (rotations away from zero)."""
    xp = tool.xp
    camera = cameras[seen[:, 0]]
    x = points[seen[:, 1]] - camera[:, 3:6]
    r = camera[:, :3]
    angle = xp.sqrt(xp.sum(r * r, axis=1, keepdims=True))
    axis = r / angle
    a0, a1, a2 = axis[:, 0], axis[:, 1], axis[:, 2]
    x0, x1, x2 = x[:, 0], x[:, 1], x[:, 2]
    cross = xp.stack([a1 * x2 - a2 * x1, a2 * x0 - a0 * x2, a0 * x1 - a1 * x0], axis=1)
    along = xp.sum(axis * x, axis=1, keepdims=True)
    turned = xp.cos(angle) * x + xp.sin(angle) * cross + (1.0 - xp.cos(angle)) * along * axis
    image = turned[:, :2] / turned[:, 2:]
    radius = xp.sum(image * image, axis=1, keepdims=True)
    distortion = 1.0 + camera[:, 9:10] * radius + camera[:, 10:11] * radius**2
    pixels = camera[:, 6:7] * distortion * image + camera[:, 7:9]
    errors = weights[:, None] * (pixels - measured)
    return 0.5 * (xp.sum(errors**2) + xp.sum((1.0 - weights**2) ** 2))


def lstm(tool, main, extra, state, sequence):
    """Mean negative log-likelihood of each character's successor."""
    xp = tool.xp
    characters, bits = sequence.shape
    layers = len(main) // 2
    weights = xp.reshape(main[0::2], (layers, 4, bits))
    biases = xp.reshape(main[1::2], (layers, 4, bits))

    def sigmoid(x):
        return 1.0 / (1.0 + xp.exp(-x))

    def step(carry, row):
        hidden, cell = carry
        x = row[0] * extra[0]
        new_hidden, new_cell = [], []
        for a in range(layers):
            w, b = weights[a], biases[a]
            forget, outgate = sigmoid(x * w[0] + b[0]), sigmoid(x * w[2] + b[2])
            ingate = sigmoid(hidden[a] * w[1] + b[1])
            change = xp.tanh(hidden[a] * w[3] + b[3])
            new_cell.append(cell[a] * forget + ingate * change)
            x = outgate * xp.tanh(new_cell[a])
            new_hidden.append(x)
        logits = x * extra[1] + extra[2]
        norm = xp.log(2.0 + xp.sum(xp.exp(logits)))
        return (tuple(new_hidden), tuple(new_cell)), xp.sum(row[1] * (logits - norm))

    start = tuple(state[0::2]), tuple(state[1::2])
    rows = np.stack([sequence[:-1], sequence[1:]], axis=1)
    return -tool.scan(step, start, rows) / ((characters - 1) * bits)


OBJECTIVES = {"gmm": gmm, "bundle": bundle, "lstm": lstm}


@dataclass(frozen=True)
class Tool:
    """An AD tool: its NumPy, its gradient, its loop."""

    name: str
    xp: Any
    value_and_grad: Callable[..., Any]
    scan: Callable[..., Any]

    def gradient(
        self, name: str, arguments: tuple[Any, ...], argnums: tuple[int, ...]
    ) -> Callable[[], Any]:
        """A call without arguments that gives the value and the tuple of gradients."""
        objective = OBJECTIVES[name]

        def of_chosen(*chosen):
            full = list(arguments)
            for k, x in zip(argnums, chosen, strict=True):
                full[k] = x
            return objective(self, *full)

        run = self.value_and_grad(of_chosen, tuple(range(len(argnums))))
        chosen = [arguments[k] for k in argnums]
        return lambda: run(*chosen)


def autograd_tool() -> Tool:
    """HIPS autograd.

    Raises:
        ImportError: it is not installed.
    """
    import autograd
    import autograd.numpy as xp

    def scan(step, carry, rows):
        total = 0.0
        for row in rows:
            carry, value = step(carry, row)
            total = total + value
        return total

    def value_and_grad(f, argnums):
        run = autograd.value_and_grad(lambda chosen: f(*chosen))
        return lambda *chosen: run(tuple(chosen))

    return Tool("autograd", xp, value_and_grad, scan)


def jax_tool() -> Tool:
    """JAX on the CPU, compiled, in double precision.

    Raises:
        ImportError: it is not installed.
    """
    import jax
    import jax.numpy as xp

    jax.config.update("jax_enable_x64", True)

    def scan(step, carry, rows):
        return xp.sum(jax.lax.scan(step, carry, rows)[1])

    def value_and_grad(f, argnums):
        run = jax.jit(jax.value_and_grad(f, argnums=argnums))
        return lambda *chosen: jax.block_until_ready(run(*chosen))

    return Tool("jax", xp, value_and_grad, scan)


TOOLS = {"autograd": autograd_tool, "jax": jax_tool}
