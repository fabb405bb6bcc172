"""Programs of tensors that run on the processor and on the device, and shall give the same.

Each is a function of ``x`` (6 x 3), ``y`` (6 x 1) and variables ``w`` (3 x 4), ``b`` (4), made anew
for each place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import srcad.tf as tf
from srcad.tape import nest


def linear_regression(x, y, w, b):
    """Gradient descent by ``assign_sub``, operation by operation."""
    v, c = tf.Variable(w[:, :1]), tf.Variable(b[0])

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ v + c - y) ** 2)
        dv, dc = tape.gradient(loss, [v, c])
        v.assign_sub(0.1 * dv)
        c.assign_sub(0.1 * dc)
        return loss, v.value(), c.value()

    return step


def perceptron(x, y, w, b):
    """Two layers, Adam, in one compiled step."""
    v = tf.Variable(tf.transpose(w))
    optimizer = tf.keras.optimizers.Adam(0.05)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            h = tf.nn.relu(x @ w + b)
            loss = tf.reduce_mean(tf.square(tf.reduce_sum(h @ v, 1, keepdims=True) - y))
        variables = [w, b, v]
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return lambda: (step(x, y), w.value(), b.value(), v.value())


def classifier(x, y, w, b):
    """Softmax cross-entropy, momentum, a schedule of the learning rate."""
    labels = tf.constant([0, 1, 3, 2, 1, 0])
    rate = tf.keras.optimizers.schedules.ExponentialDecay(0.2, 2, 0.5)
    optimizer = tf.keras.optimizers.SGD(rate, momentum=0.9)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            z = x @ w + b
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=z)
            )
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b], strict=True))
        return loss, tf.argmax(z, 1)

    return lambda: (*step(x), w.value())


def control_flow(x, y, w, b):
    """A loop, a branch and a ``while`` of a compiled function."""

    @tf.function
    def f(x):
        s = tf.zeros([3])
        for i in tf.range(4):
            s = s + tf.reduce_sum(x, 0) * tf.cast(i, tf.float32)
        n, s = tf.while_loop(
            lambda n, s: tf.reduce_max(tf.abs(s)) > 0.1,
            lambda n, s: (n + 1, 0.5 * s),
            [tf.constant(0), s],
        )
        if tf.reduce_sum(x) > 0.0:
            return n, s * 2.0
        return n, s - 1.0

    return lambda: f(x)


def second_order(x, y, w, b):
    """A tape in a tape, and a Jacobian."""

    def f():
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                s = tf.reduce_sum(tf.sin(x) * x * b[:3])
            g = inner.gradient(s, x)
            t = tf.reduce_sum(g * g)
        h = outer.gradient(t, x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            rows = tf.reduce_sum(x**2, 1)
        return h, tape.jacobian(rows, x)

    return f


def moved_elements(x, y, w, b):
    """Subscripts, joins, gathers, and their derivatives."""

    def f():
        with tf.GradientTape() as tape:
            tape.watch(x)
            parts = [x[1:, ::2], x[:, :1] * x[:, tf.newaxis, 1], tf.reverse(x, [1])[:, 1:]]
            a = tf.concat([parts[0], parts[2]], 0)
            s = tf.stack([a, tf.pad(a[:-1], [[1, 0], [0, 0]])], -1)
            t = tf.reduce_sum(s**3) + tf.reduce_sum(parts[1]) * tf.reduce_max(x)
            t += tf.reduce_sum(tf.gather(x, [0, 2, 2]) ** 2) + tf.reduce_sum(tf.sort(x, 0)[0])
            t += tf.reduce_logsumexp(x)
        return s, t, tape.gradient(t, x)

    return f


def places(x, y, w, b):
    """A variable of the processor, what a function refers to, counters, results of all kinds."""
    scale, count, mean = x * 3.0, tf.Variable(0), tf.Variable([0.0, 0.0, 0.0])

    @tf.function
    def f(x):
        count.assign_add(1)
        mean.assign_add(tf.reduce_mean(x, 0))
        w.assign(w * tf.cast(count, tf.float32))
        return x + scale, tf.transpose(x), x[1:, 0], tf.reshape(x, [-1]), x, None, mean * x

    return lambda: (f(x), count.value(), mean.value(), w.value())


PROGRAMS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        linear_regression,
        perceptron,
        classifier,
        control_flow,
        second_order,
        moved_elements,
        places,
    )
}


def run(name: str, place: str, calls: int = 2) -> list[Any]:
    """The results of some calls of a program whose tensors are made in a place."""
    rng = np.random.default_rng(4)
    with tf.device(place):
        x = tf.constant(rng.normal(size=(6, 3)).astype("f4"))
        y = tf.constant(rng.normal(size=(6, 1)).astype("f4"))
        w = tf.Variable(rng.normal(size=(3, 4)).astype("f4"))
        b = tf.Variable(rng.normal(size=4).astype("f4"))
    f = PROGRAMS[name](x, y, w, b)
    return [t for _ in range(calls) for t in nest.flatten(f())]


def differences(name: str) -> str:
    """What the device does differently."""
    calls = 1 if name in ("moved_elements", "second_order") else 2
    pairs = zip(run(name, "/GPU:0", calls), run(name, "/CPU:0", calls), strict=True)
    for k, (a, b) in enumerate(pairs):
        if a is None or b is None:
            if a is not b:
                return f"result {k} is {a}, not {b}"
        elif a.dtype != b.dtype or a.shape != b.shape:
            return f"result {k}: {a.dtype} {a.shape}, not {b.dtype} {b.shape}"
        elif not np.allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=2e-6):
            return f"result {k}: {a}, not {b}"
    return ""
