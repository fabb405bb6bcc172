"""Random functions: what ``tf.function`` generates gives what eager operations give.

Programs are drawn as lists of steps on tensors of several shapes, with variables that are read and
assigned, decisions on values, loops, and a gradient at the end; the generated source runs as plain
Python.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad.tf as tf
from srcad.tf.programs import PathRaises, Program
from srcad.tf.tracing import trace

SHAPES = [(3, 4), (4,), (3, 1), (), (3, 3), (4, 3)]
UNARY = [tf.sin, tf.tanh, tf.abs, tf.exp, tf.square, tf.nn.relu, tf.sigmoid, tf.negative]
BINARY = [tf.add, tf.subtract, tf.multiply, tf.maximum, lambda a, b: a / (1.0 + b * b)]


def reshaped(x, r):
    """A value of the same elements, or of some of them, in another shape."""
    kind = r.integers(7)
    if x.ndim < 2:
        return [lambda: x[..., None], lambda: tf.reshape(x, [-1])][r.integers(2)]()
    options = [
        lambda: tf.transpose(x),
        lambda: x[:, ::-1],
        lambda: x[1:] if x.shape[0] > 1 else x,
        lambda: tf.concat([x, x * 2.0], int(r.integers(2))),
        lambda: tf.gather(x, [0, x.shape[0] - 1, 0]),
        lambda: tf.reshape(x, [x.shape[1], x.shape[0]]),
        lambda: tf.pad(x, [[0, 1], [1, 0]]),
    ]
    return options[kind]()


def reduced(x, r):
    """A sum, a mean or an extremum over some axes."""
    f = [tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.reduce_logsumexp][r.integers(4)]
    axis = None if x.ndim == 0 or r.random() < 0.3 else int(r.integers(x.ndim))
    return f(x, axis, bool(r.integers(2)))


def step(values, variables, r):
    """One more value, drawn like the steps before."""
    kind, x = r.integers(9), values[r.integers(len(values))]
    y = values[r.integers(len(values))]
    if kind < 2:
        return UNARY[r.integers(len(UNARY))](x)
    if kind < 5:
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            y = tf.reduce_sum(y)
        return BINARY[r.integers(len(BINARY))](x, y)
    if kind == 5:
        return reduced(x, r)
    if kind == 6:
        return reshaped(x, r)
    if kind == 7 and x.ndim == 2:
        return tf.matmul(x, x, transpose_b=True) * 0.1
    v = variables[r.integers(len(variables))]
    v.assign(tf.tanh(v + tf.reduce_mean(x)))
    return v * 1.0


def make(seed):
    """A program: the same steps at every call."""

    def f(variables, *xs):
        r = np.random.default_rng(seed)
        with tf.GradientTape() as tape:
            tape.watch(xs)
            values = [*xs, variables[0] * 2.0]
            for _ in range(r.integers(4, 12)):
                values.append(step(values, variables, r))
            total = tf.add_n([tf.reduce_sum(tf.tanh(v)) for v in values[-3:]])
            if r.random() < 0.4:
                total = total * 2.0 if total > 0.3 else tf.sin(total)
        if r.random() < 0.4:
            local = values[-1]
            for i in tf.range(3):
                local = local * 0.5 + tf.cast(i, tf.float64)
                variables[1].assign_add(total)
            values.append(local)
        return values[-2:], total, tape.gradient(total, [*xs, variables[0]])

    return f


def variables():
    """Two variables of fixed values."""
    return [tf.Variable(np.linspace(-1.0, 1.0, 4)), tf.Variable(np.float64(0.5))]


def agree(seed):
    """Compare two calls of the program with two calls of what is generated for it."""
    f, rng = make(seed), np.random.default_rng(seed + 1)
    plain, own = variables(), variables()
    program = None
    for _ in range(2):
        xs = [tf.constant(rng.normal(size=s)) for s in SHAPES[: 2 + seed % 5]]
        program = program or Program(trace(f, [own, *xs], {}), compiled=False)
        expected = f(plain, *xs)
        try:
            found = program.run(xs)
        except PathRaises:
            pytest.fail("a path raises that does not")
        pairs = zip(
            tf.nest.flatten([found, *own]), tf.nest.flatten([expected, *plain]), strict=True
        )
        for a, b in pairs:
            assert (a is None) == (b is None)
            if b is not None:
                assert a.dtype == b.dtype and a.shape == b.shape
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", range(40))
def test_generated_source(seed):
    """Values, gradients and variables agree."""
    agree(seed)
