"""What ``benchmarks.tape`` measures: programs for TensorFlow and for ``srcad.tf`` alike.

Each row is ``build(tf) -> call``; ``call()`` gives an array, the same for both up to rounding at
the first call.  The programs are those of the tutorials (1000 steps down a parabola, an epoch of
a small classifier, Jacobians) and two larger ones: a network of matrix products, and a chain of
elementwise operations on a million numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[], Any]


@dataclass(frozen=True)
class Row:
    """One line of the table; ``first`` rows are first calls, each in a process of its own."""

    name: str
    build: Callable[[Any], Call]
    first: bool = False


def parabola(tf):
    """The parabola's coefficients and its variable."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)
    return x, tf.constant(1.0), tf.constant(-2.0), tf.constant(1.0)


def steps(tf):
    """1000 steps of gradient descent, eagerly."""

    def call():
        x, a, b, c = parabola(tf)
        optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
        for _ in range(1000):
            with tf.GradientTape() as tape:
                y = a * tf.pow(x, 2) + b * x + c
            dy_dx = tape.gradient(y, x)
            optimizer.apply_gradients(grads_and_vars=[(dy_dx, x)])
        return x.numpy()

    return call


def tapes(tf):
    """1000 derivatives of the parabola: the steps without the optimizer."""
    x, a, b, c = parabola(tf)

    def call():
        for _ in range(1000):
            with tf.GradientTape() as tape:
                y = a * tf.pow(x, 2) + b * x + c
            dy_dx = tape.gradient(y, x)
        return dy_dx.numpy()

    return call


def steps_in_function(tf):
    """The 1000 steps in one function."""
    x, a, b, c = parabola(tf)
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)

    @tf.function
    def minimize():
        for _ in tf.range(1000):
            with tf.GradientTape() as tape:
                y = a * tf.pow(x, 2) + b * x + c
            dy_dx = tape.gradient(y, x)
            optimizer.apply_gradients(grads_and_vars=[(dy_dx, x)])
        return a * tf.pow(x, 2) + b * x + c

    def call():
        minimize()
        return x.numpy()

    return call


def dense(tf, rng, inputs, units, activation=None):
    """A layer with drawn weights."""
    layer = tf.keras.layers.Dense(units, activation=activation)
    layer(np.zeros((1, inputs), np.float32))
    scale = 1.0 / np.sqrt(inputs)
    layer.kernel.assign(rng.normal(scale=scale, size=(inputs, units)).astype(np.float32))
    return layer


def epoch(tf):
    """An epoch of the tutorial's classifier: 16 batches, metric included."""
    rng = np.random.default_rng(0)

    class MyModel(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense_1 = dense(tf, rng, 32, 32, "relu")
            self.dense_2 = dense(tf, rng, 32, 10)

        def call(self, inputs):
            return self.dense_2(self.dense_1(inputs))

    x, y = rng.random((1000, 32)), rng.random((1000, 10))
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(64)
    model, metric = MyModel(), tf.keras.metrics.CategoricalAccuracy()
    optimizer = tf.keras.optimizers.SGD(learning_rate=1e-3)
    loss_fn = tf.keras.losses.CategoricalCrossentropy(from_logits=True)

    def call():
        for x_batch, y_batch in data:
            with tf.GradientTape() as tape:
                logits = model(x_batch, training=True)
                loss = loss_fn(y_batch, logits)
            grads = tape.gradient(loss, model.trainable_weights)
            optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
            metric.update_state(y_batch, logits)
        return loss.numpy()

    return call


def scalar_jacobian(tf):
    """201 sigmoids by one number."""
    x = tf.linspace(-10.0, 10.0, 200 + 1)
    delta = tf.Variable(0.0)

    def call():
        with tf.GradientTape() as tape:
            y = tf.nn.sigmoid(x + delta)
        return tape.jacobian(y, delta).numpy()

    return call


def layer_jacobian(tf):
    """A layer's output by its kernel: (7, 10, 5, 10)."""
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(size=(7, 5)).astype(np.float32))
    layer = dense(tf, rng, 5, 10, tf.nn.relu)

    def call():
        with tf.GradientTape() as tape:
            y = layer(x)
        return tape.jacobian(y, layer.kernel).numpy()

    return call


def hessian(tf):
    """The 40 by 40 second derivatives of a loss by a kernel."""
    rng = np.random.default_rng(2)
    x = tf.constant(rng.normal(size=(7, 5)).astype(np.float32))
    layer1, layer2 = dense(tf, rng, 5, 8, tf.nn.relu), dense(tf, rng, 8, 6, tf.nn.relu)

    def call():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                loss = tf.reduce_mean(layer2(layer1(x)) ** 2)
            g = inner.gradient(loss, layer1.kernel)
        return outer.jacobian(g, layer1.kernel).numpy()

    return call


def batch_jacobian(tf):
    """The Jacobian of each row through two layers: (7, 6, 5)."""
    rng = np.random.default_rng(3)
    x = tf.constant(rng.normal(size=(7, 5)).astype(np.float32))
    layer1, layer2 = dense(tf, rng, 5, 8, tf.nn.elu), dense(tf, rng, 8, 6, tf.nn.elu)

    def call():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            y = layer2(layer1(x))
        return tape.batch_jacobian(y, x).numpy()

    return call


def _network(tf, function):
    """A training step of a network 784-512-512-10 on 128 examples."""
    rng = np.random.default_rng(4)
    sizes = [784, 512, 512, 10]
    weights = [
        tf.Variable(rng.normal(scale=m**-0.5, size=(m, n)).astype(np.float32))
        for m, n in itertools.pairwise(sizes)
    ]
    biases = [tf.Variable(np.zeros(n, np.float32)) for n in sizes[1:]]
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
    x = tf.constant(rng.normal(size=(128, 784)).astype(np.float32))
    labels = tf.constant(rng.integers(0, 10, 128).astype(np.int32))

    def step(x, labels):
        with tf.GradientTape() as tape:
            h = x
            for w, b in zip(weights[:-1], biases[:-1], strict=True):
                h = tf.nn.relu(tf.matmul(h, w) + b)
            logits = tf.matmul(h, weights[-1]) + biases[-1]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        variables = weights + biases
        grads = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(grads, variables, strict=True))
        return loss

    run = tf.function(step) if function else step
    return lambda: run(x, labels).numpy()


def network(tf):
    """A training step, eagerly."""
    return _network(tf, False)


def network_in_function(tf):
    """A training step in a function."""
    return _network(tf, True)


def _chain(tf, function):
    """Value and gradient of a sum of elementwise operations on a million numbers."""
    x = tf.constant(np.random.default_rng(5).normal(size=1_000_000).astype(np.float32))

    def value_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.sin(x) * x + tf.exp(-x * x))
        return y, tape.gradient(y, x)

    run = tf.function(value_and_gradient) if function else value_and_gradient
    return lambda: run(x)[1].numpy()


def chain(tf):
    """Value and gradient, eagerly."""
    return _chain(tf, False)


def chain_in_function(tf):
    """Value and gradient in a function."""
    return _chain(tf, True)


ROWS = [
    Row("1000 SGD steps, eager", steps),
    Row("1000 derivatives, eager (the tape's share)", tapes),
    Row("1000 SGD steps in a function, first call", steps_in_function, first=True),
    Row("1000 SGD steps in a function, steady", steps_in_function),
    Row("an epoch of the classifier, eager", epoch),
    Row("jacobian 201 by a scalar", scalar_jacobian),
    Row("jacobian (7, 10, 5, 10)", layer_jacobian),
    Row("Hessian 40 by 40", hessian),
    Row("batch_jacobian (7, 6, 5)", batch_jacobian),
    Row("network 784-512-512-10, batch 128, eager", network),
    Row("network 784-512-512-10, batch 128, in a function", network_in_function),
    Row("elementwise chain of 1e6, eager", chain),
    Row("elementwise chain of 1e6, in a function", chain_in_function),
]
