"""What ``tf.function`` generates: for every operation of the tape, the value and the gradient.

The generated source runs as plain Python here and is compared with eager calls; that Numba
compiles it too is shown for one function of each kind.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest

import srcad.tf as tf
from srcad.tf.programs import Program
from srcad.tf.symbolic import NotTraceable
from srcad.tf.tracing import trace
from tests.tape_cases import CASES

# operations that need values, or random numbers, while they are traced
EAGER = {"expm", "dropout"}


def value_and_gradient(case):
    """The case's value, and the gradient of its sum of squares."""

    def f(*xs):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            y = case.f(*xs)
            total = tf.reduce_sum(y * y)
        return y, tape.gradient(total, list(xs))

    return f


def operands(case, dtype):
    """Operands drawn for a case, as tensors."""
    values = case.draw(np.random.default_rng(crc32(case.name.encode())))
    return [tf.constant(np.asarray(v, dtype)) for v in values]


def compare(found, expected, tolerance):
    """Structures of tensors agree in types, shapes and values."""
    pairs = zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True)
    for f, e in pairs:
        if e is None:
            assert f is None
            continue
        assert f.dtype == e.dtype and f.shape == e.shape
        np.testing.assert_allclose(f.numpy(), e.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", list(CASES))
def test_generated_source(name):
    """As plain Python, the generated function gives what eager operations give."""
    f = value_and_gradient(CASES[name])
    xs = operands(CASES[name], np.float64)
    if name in EAGER:
        with pytest.raises(NotTraceable):
            trace(f, xs, {})
        return
    program = Program(trace(f, xs, {}), compiled=False)
    compare(program.run(xs), f(*xs), 1e-9)


def everything(x, y, k):
    """Lookups, joins, products, slices, sums: one function of each kind."""
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        c = tf.concat([tf.gather(y, k), tf.stack([x[0], y[1]])], 0)
        d = tf.einsum("ij,kj->ik", c, x)
        e = tf.pad(tf.cumsum(d, 1), [[1, 0], [0, 1]])[1:, ::2]
        loss = tf.reduce_sum(tf.nn.softmax(e) ** 2) + tf.reduce_max(c)
    return loss, tape.gradient(loss, [x, y]), tf.argmax(d, 1)


def test_compiled_by_numba():
    """The same, compiled."""
    rng = np.random.default_rng(0)
    xs = [tf.constant(rng.normal(size=(3, 4))), tf.constant(rng.normal(size=(3, 4)))]
    args = [*xs, tf.constant([2, 0, 2])]
    program = Program(trace(everything, args, {}))
    compare(program.run(args), everything(*args), 1e-9)
    with pytest.raises(IndexError):
        program.run([*xs, tf.constant([2, 0, 3])])


def test_one_pass():
    """A chain, its sum and its gradient share one loop; the seed of ones is no array."""

    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.sin(x) * x + tf.exp(-x * x))
        return y, tape.gradient(y, x)

    program = Program(trace(f, [tf.constant(np.ones(1000, np.float32))], {}), compiled=False)
    assert program.source.count("for ") == 1
    assert not program.between and not program.constants


def test_long_functions_are_refused():
    """Thousands of statements are not for Numba."""

    def f(x):
        for _ in range(1000):
            x = tf.sin(x) * x
        return x

    with pytest.raises(NotTraceable, match="statements would take minutes"):
        Program(trace(f, [tf.constant(1.0)], {}))


def test_large_arrays():
    """Results above the size from which eager operations use memory again."""
    n = 70_000
    k = np.linspace(0.0, 1.0, n)

    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.where(x > 0.5, k * x, -x) + tf.sqrt(x) * k - abs(x)
        return y, tape.gradient(y, x)

    x = tf.constant(np.random.default_rng(0).uniform(0.1, 1.0, n))
    program = Program(trace(f, [x], {}), compiled=False)
    compare(program.run([x]), f(x), 1e-12)


def test_results_are_the_callers_own():
    """A later call does not change what an earlier one gave."""
    program = Program(trace(lambda x: tf.reshape(x * 2.0, [2, 3]), [tf.zeros([6])], {}))
    first = program.run([tf.ones([6])])
    program.run([tf.zeros([6])])
    assert first.numpy().tolist() == [[2.0] * 3] * 2
