"""TensorFlow on the CPU: ``GradientTape`` eager, or inside ``tf.function`` with ``while_loop``."""

from __future__ import annotations

from types import SimpleNamespace

import tensorflow as tf

from benchmarks.peers.tool import Tool, python_loop, python_scan

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
FUNCTIONS = SimpleNamespace(
    exp=tf.exp,
    log=tf.math.log,
    sqrt=tf.sqrt,
    sin=tf.sin,
    cos=tf.cos,
    tanh=tf.tanh,
    sigmoid=tf.sigmoid,
    sum=lambda x, axis=None: tf.reduce_sum(x, axis),
    sign=tf.sign,
    cumprod=tf.math.cumprod,
    broadcast_to=tf.broadcast_to,
    logsumexp=lambda x, axis: tf.reduce_logsumexp(x, axis),
    stack=tf.stack,
    concatenate=tf.concat,
    reshape=tf.reshape,
    einsum=tf.einsum,
    matvec=tf.linalg.matvec,
    take=lambda x, at, axis: tf.gather(x, at, axis=axis),
    constant=lambda x: tf.constant(x, tf.float64),
)


def graph_scan(step, carry, rows):
    """A loop of the graph."""

    def body(k, total, carry):
        carry, value = step(carry, rows[k])
        return k + 1, total + value, carry

    start = (tf.constant(0), tf.constant(0.0, tf.float64), carry)
    count = rows.shape[0]
    return tf.while_loop(lambda k, *_: k < count, body, start, maximum_iterations=count)[1]


def graph_loop(step, x, count):
    """A loop of the graph without rows."""
    start = (tf.constant(0), x)
    body = lambda k, y: (k + 1, step(y))  # noqa: E731
    return tf.while_loop(lambda k, _: k < count, body, start, maximum_iterations=count)[1]


def with_tape(f, argnums):
    """A tape a call."""

    def run(*chosen):
        with tf.GradientTape() as tape:
            tape.watch(chosen)
            value = f(*chosen)
        return value, [tf.convert_to_tensor(g) for g in tape.gradient(value, chosen)]

    return run


def in_function(f, argnums):
    """The tape in a graph."""
    return tf.function(with_tape(f, argnums), autograph=False)


def tool(name: str) -> Tool:
    """TensorFlow, ``tf eager`` or ``tf.function``."""
    tensor = FUNCTIONS.constant
    if name == "tf eager":
        return Tool(name, tf.__version__, FUNCTIONS, with_tape, python_scan, python_loop, tensor)
    return Tool(name, tf.__version__, FUNCTIONS, in_function, graph_scan, graph_loop, tensor)
