"""lstm: next-character loss of a recurrent network with diagonal weights, and its gradient."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def sigmoid(x):
    """The logistic function."""
    return 1.0 / (1.0 + math.exp(-x))


@njit
def layer(weight, bias, hidden, cell, x):
    """One step of one layer: updates its state and, in place, the signal through the layers."""
    bits = len(x)
    for i in range(bits):
        forget = sigmoid(x[i] * weight[i] + bias[i])
        ingate = sigmoid(hidden[i] * weight[bits + i] + bias[bits + i])
        outgate = sigmoid(x[i] * weight[2 * bits + i] + bias[2 * bits + i])
        change = math.tanh(hidden[i] * weight[3 * bits + i] + bias[3 * bits + i])
        cell[i] = cell[i] * forget + ingate * change
        hidden[i] = outgate * math.tanh(cell[i])
        x[i] = hidden[i]


@njit
def loss(main, extra, start, sequence):
    """Mean negative log-likelihood of each character given those before it.

    ``main`` has two rows a layer (weights, biases), ``extra`` three (input weights, output weights,
    output biases), ``start`` two a layer (hidden state, cell), ``sequence`` one a character.
    """
    layers = len(main) // 2
    count, bits = sequence.shape
    state = start.copy()
    x = np.empty(bits)
    total = 0.0
    for t in range(count - 1):
        for i in range(bits):
            x[i] = sequence[t, i] * extra[0, i]
        for a in range(layers):
            layer(main[2 * a], main[2 * a + 1], state[2 * a], state[2 * a + 1], x)
        scale = 2.0
        for i in range(bits):
            x[i] = x[i] * extra[1, i] + extra[2, i]
            scale += math.exp(x[i])
        scale = math.log(scale)
        for i in range(bits):
            total += sequence[t + 1, i] * (x[i] - scale)
    return -total / ((count - 1) * bits)


def read(given):
    """Parameters, initial state, text."""
    names = ("main_params", "extra_params", "state", "sequence")
    return tuple(np.array(given[name], dtype=np.float64) for name in names)


def write(gradient):
    """Both gradients as one list."""
    return [entry for part in gradient for entry in part.ravel().tolist()]


FUNCTIONS = {
    "objective": Function(read, loss),
    "jacobian": Function(read, srcad.grad(loss, argnums=("main", "extra")), write),
}
EXAMPLES = (
    {
        "main_params": [[0.1] * 8, [0.2] * 8],
        "extra_params": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]],
        "state": [[0.1, 0.2], [0.3, 0.4]],
        "sequence": [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]],
    },
)
