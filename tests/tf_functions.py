"""Functions for the tests of ``tf.function``: those that compile, and those that run eagerly.

Each ``make`` gives a function and the variables that it uses.
"""

from __future__ import annotations

import numpy as np

import srcad.tf as tf


def elementwise():
    """Broadcasting, choices, reductions."""

    def f(x, y):
        z = tf.where(x > y, tf.exp(-x * x), tf.sin(y) / (1.0 + tf.abs(x)))
        s = tf.reduce_sum(z, axis=1, keepdims=True) - tf.reduce_max(z)
        return {"z": z / s, "m": (tf.reduce_mean(z), tf.reduce_min(z, 0))}

    return f, []


def integers():
    """Whole numbers stay what they are."""

    def f(i):
        return i * 3 - 1, tf.cast(i, tf.float32) * 0.5, tf.reduce_sum(i), i > 2

    return f, []


def network():
    """A tape over matrix products and a softmax, with an optimizer."""
    rng = np.random.default_rng(0)
    w = tf.Variable(rng.normal(size=(4, 8)).astype(np.float32))
    b = tf.Variable(np.zeros(8, np.float32))
    v = tf.Variable(rng.normal(size=(8, 3)).astype(np.float32))
    optimizer = tf.keras.optimizers.Adam(0.05)

    def f(x, labels):
        with tf.GradientTape() as tape:
            h = tf.nn.relu(x @ w + b)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, h @ v))
        grads = tape.gradient(loss, [w, b, v])
        optimizer.apply_gradients(zip(grads, [w, b, v], strict=True))
        return loss

    return f, [w, b, v]


def second_order():
    """Nested tapes and a Jacobian."""

    def f(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.tanh(x) * x * x)
            g = inner.gradient(y, x)
        return y, g, outer.jacobian(g, x)

    return f, []


def loops():
    """Nested loops over ranges; the trip count is an argument; the index takes part."""
    x = tf.Variable(0.5)
    y = tf.Variable([1.0, 2.0])

    def f(n):
        for i in tf.range(n):
            for j in tf.range(2):
                x.assign_add(tf.cast(i + j, tf.float32) * 0.1)
            y.assign(y * 0.5 + x)
        return x * 2.0, y

    return f, [x, y]


def ranges():
    """A range as a value, and loops over it."""

    def f(x):
        total = tf.cast(tf.range(4), tf.float32) * x
        return total, len(tf.range(1, 9, 3)), tf.reduce_sum(tf.range(5))

    return f, []


def minimize():
    """An optimizer with momentum and a schedule, in a loop."""
    x = tf.Variable([2.0, -1.0])
    rate = 0.1
    optimizer = tf.keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)

    def f():
        for _ in tf.range(20):
            optimizer.minimize(lambda: tf.reduce_sum(x**4 + x), [x])
        return x + 0.0

    return f, [x]


def branches():
    """Decisions that depend on values, one of them under a tape; a variable on one path only."""
    v = tf.Variable(1.0)

    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            if x > 1.0:
                y = x * x
            elif x > 0.0:
                y = tf.sin(x)
            else:
                y = tf.cond(x < -1.0, lambda: -x, lambda: x * 3.0)
        if y > 1.0:
            v.assign_add(y)
        return y, tape.gradient(y, x), v + 0.0

    return f, [v]


def different_results():
    """Paths that give arrays, numbers and constants at the same place of the result."""

    def f(x):
        if tf.reduce_sum(x) > 0.0:
            return {"a": x * 2.0, "b": tf.constant(1.0), "c": tf.reduce_sum(x)}
        return {"a": x, "b": tf.reduce_max(x), "c": tf.constant(0.0)}

    return f, []


def conditions():
    """Loops of unknown length, one inside a loop over a range, with a variable."""
    v = tf.Variable(0.0)

    def f(x, n):
        y, k = tf.while_loop(
            lambda y, k: y < 100.0, lambda y, k: (y * 2.0, k + 1), [x, tf.constant(0)]
        )
        for _ in tf.range(n):
            (z,) = tf.while_loop(lambda z: z > 1.0, lambda z: (z / 3.0,), [y], maximum_iterations=3)
            v.assign_add(z)
        return y, k, v + 0.0

    return f, [v]


def carried():
    """Local names that carry values through nested loops; the index takes part."""

    def f(x, n):
        s, count, last = x, 0, tf.zeros_like(x)
        for i in tf.range(n):
            old = s
            for _ in tf.range(2):
                s = s * 0.5 + last
                count += 1
            last = old + tf.cast(i, tf.float32)
        return s, count, last

    return f, []


def element_by_element():
    """A loop over elements by index."""

    def f(x):
        total = tf.constant(0.0)
        for i in tf.range(4):
            total = total * 0.5 + x[i] * x[-1]
        return total

    return f, []


X = tf.constant(np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32))
Y = tf.constant(np.random.default_rng(2).normal(size=(4,)).astype(np.float32))
LABELS = tf.constant(np.eye(3, dtype=np.float32))
COMPILING = {
    "elementwise": (elementwise, (X, Y)),
    "integers": (integers, (tf.constant([1, 2, 3]),)),
    "network": (network, (X, LABELS)),
    "second_order": (second_order, (Y,)),
    "minimize": (minimize, ()),
    "ranges": (ranges, (tf.constant(2.5),)),
    "loops": (loops, (tf.constant(3),)),
    "loops-none": (loops, (tf.constant(0),)),
    "different_results": (different_results, (tf.constant([1.0, 2.0]),)),
    "conditions": (conditions, (tf.constant(1.5), tf.constant(3))),
    "carried": (carried, (Y, tf.constant(5))),
    "carried-none": (carried, (Y, tf.constant(0))),
    "element_by_element": (element_by_element, (Y,)),
}


def carried_local():
    """A local name carries a value from trip to trip."""

    def f(x, n):
        s, p = x, tf.constant(0)
        for _ in tf.range(n):
            s = s * 2.0
            p += 1
        return s, p

    return f, []


def carried_unseen():
    """A local name that only the next trip reads."""
    x = tf.Variable(0.0)

    def f(x0, n):
        step = x0
        for _ in tf.range(n):
            x.assign_add(step)
            step = step * 2.0
        return x * 1.0

    return f, [x]


def carried_elsewhere():
    """A list carries a value from trip to trip."""
    x = tf.Variable(0.0)
    held = [None]

    def advance(v):
        held[0] = v if held[0] is None else held[0] * 2.0
        return held[0]

    def f(x0, n):
        held[0] = x0
        for _ in tf.range(n):
            x.assign_add(advance(x0))
        return x * 1.0

    return f, [x]


def counted():
    """A Python number that changes from trip to trip."""
    x = tf.Variable(0.0)
    count = [0]

    def advance():
        count[0] += 1
        return float(count[0])

    def f(x0, n):
        count[0] = 0
        for _ in tf.range(n):
            x.assign_add(advance() * x0)
        return x * 1.0

    return f, [x]


def branching():
    """A Python branch on a value."""

    def f(x, n):
        return x * 2.0 if x > 1.0 else x - 5.0

    return f, []


def leaving():
    """A loop left early."""
    x = tf.Variable(0.0)

    def f(x0, n):
        for i in tf.range(n):
            if i > 2:
                break
            x.assign_add(x0)
        return x * 1.0

    return f, [x]


def measuring():
    """The length of a range that depends on a value."""

    def f(x, n):
        return len(tf.range(n)) * x, tf.cast(tf.range(n), tf.float32) + x

    return f, []


def accumulating():
    """A metric, a check, and printing."""
    metric = tf.keras.metrics.Mean()

    def f(x, n):
        tf.debugging.assert_greater(x, 0.0)
        metric.update_state(x)
        return metric.result()

    return f, metric.variables


def whiling():
    """A loop of unknown length."""

    def f(x, n):
        return tf.while_loop(lambda y: y < 100.0, lambda y: (y * 2.0,), [x])[0]

    return f, []


EAGER = [carried_local, carried_unseen, carried_elsewhere, counted, branching, leaving, whiling]
EAGER += [measuring, accumulating]
