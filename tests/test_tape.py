"""The engine of the tape: what it keeps, what it frees, and what it records.

What programs see is compared with recordings of TensorFlow in ``test_tf_conformance``; every
operation's derivatives are in ``test_tape_orders``.
"""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import srcad.tf as tf
from srcad.rules import RULES
from srcad.rules.expr import nodes
from srcad.rules.registry import generic_operands
from srcad.tape import jacobian, partials
from srcad.tape.elementwise import VOCABULARY, operation
from srcad.tape.state import STATE


def chain(x, n):
    """A chain of ``n`` operations."""
    for _ in range(n):
        x = tf.sin(x)
    return x


def test_only_what_depends_on_watched_tensors_is_recorded():
    """Constants beside the path leave no entry."""
    x, c = tf.constant(2.0), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        c * c + tf.exp(c)
        x * c
        tf.greater(x, c)
        tf.stop_gradient(x)
    assert len(tape.entries) == 1


def test_a_spent_tape_holds_nothing():
    """After the gradient the intermediate tensors are gone; a persistent tape frees on del."""
    x = tf.constant([2.0, 3.0])
    for persistent in (False, True):
        with tf.GradientTape(persistent=persistent) as tape:
            tape.watch(x)
            middle = tf.exp(x)
            seen = weakref.ref(middle)
            y = tf.reduce_sum(middle * x)
        del middle
        tape.gradient(y, x)
        assert (seen() is None) == (not persistent)
        del tape, y
        gc.collect()
        assert seen() is None


def test_a_tape_that_fails_leaves_the_stack():
    """An exception inside of the context ends the recording."""
    with pytest.raises(ZeroDivisionError), tf.GradientTape():
        raise ZeroDivisionError
    assert STATE.tapes == []


def test_threads_have_tapes_of_their_own():
    """What another thread computes is not recorded here."""
    x = tf.Variable(3.0)
    found = []
    with tf.GradientTape() as tape:
        thread = threading.Thread(target=lambda: found.append(x * x))
        thread.start()
        thread.join()
    assert tape.entries == [] and float(found[0]) == 9.0


def test_long_chains_need_no_stack():
    """Ten thousand operations, forwards and backwards."""
    x = tf.constant(0.5, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = chain(x, 10_000)
    value, slope = 0.5, 1.0
    for _ in range(10_000):
        value, slope = np.sin(value), slope * np.cos(value)
    assert float(y) == pytest.approx(value)
    assert float(tape.gradient(y, x)) == pytest.approx(slope)


def test_fourth_order():
    """Nested tapes to the fourth order: x^5 gives 120 x."""
    x = tf.constant(2.0, tf.float64)

    def derivative(order):
        if order == 0:
            return x**5
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = derivative(order - 1)
        return tape.gradient(y, x)

    assert [float(derivative(n)) for n in range(6)] == [32, 80, 160, 240, 240, 120]
    assert derivative(6) is None


def test_chunks_of_a_jacobian(monkeypatch):
    """Rows pulled back in small chunks give the same, also through a custom gradient."""

    @tf.custom_gradient
    def twice(x):
        return 2.0 * x, lambda g: g * 2.0

    x = tf.constant(np.linspace(0.1, 1, 6), tf.float64)

    def rows():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = twice(tf.sin(x)) * tf.reduce_sum(x)
        return tape.jacobian(y, x).numpy()

    whole = rows()
    monkeypatch.setattr(jacobian, "ELEMENTS", 13)
    np.testing.assert_allclose(rows(), whole, rtol=1e-15)
    v = x.numpy()
    exact = 2 * np.diag(np.cos(v)) * v.sum() + 2 * np.sin(v)[:, None]
    np.testing.assert_allclose(whole, exact, rtol=1e-14)


def test_zero_cotangents_stay_zero():
    """A guarded rule protects a zero cotangent from an infinite slope."""
    x = tf.constant([0.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sqrt(x) * [0.0, 1.0]
    assert tape.gradient(y, x).numpy().tolist() == [0.0, 0.25]


def test_second_derivatives_through_moments():
    """The variance depends on the mean: to second order as well."""
    x = tf.constant([[1.0], [2.0], [4.0]], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            variance = tf.nn.moments(x, [0])[1]
        g = inner.gradient(variance, x)
    h = outer.jacobian(g, x).numpy().reshape(3, 3)
    np.testing.assert_allclose(h, 2 / 3 * (np.eye(3) - 1 / 3), atol=1e-15)


def test_messages_are_logged(caplog):
    """Integers watched, asked about, and a persistent tape asked inside of its context."""
    x, i = tf.Variable(2.0), tf.constant(2)
    with caplog.at_level(logging.WARNING, "srcad"), tf.GradientTape(persistent=True) as tape:
        tape.watch(i)
        y = x * x
        assert tape.gradient(y, i) is None
    texts = [r.getMessage() for r in caplog.records]
    assert "watched tensor must be floating (e.g. tf.float32), got tf.int32" in texts[0]
    assert texts[1].startswith("Calling GradientTape.gradient on a persistent tape inside its")
    assert "source tensor must be floating" in texts[2]


def test_every_rule_can_be_evaluated():
    """Each primitive that a rule's body uses has an operation."""
    for name, rule in RULES.items():
        if not rule.zero:
            partials.partial_functions(name)
    used = {n.op for r in RULES.values() for e in _bodies(r) for n in nodes(e) if n.op}
    spelled = {partials.SPELLED.get(name, name) for name in used}
    assert all(callable(operation(name)) for name in spelled)


def _bodies(rule):
    from srcad.ir.types import F8
    from srcad.rules.expr import Expr

    atoms = generic_operands(rule.name)
    operands = [Expr(F8, F8, atom=a, slot=i) for i, a in enumerate(atoms)]
    if rule.uses_out:
        operands.append(Expr(F8, F8, atom=atoms[0], slot="out"))
    found = rule.body(*operands)
    parts = found if isinstance(found, tuple) else (found,)
    return [p for p in parts if isinstance(p, Expr)]


def test_numbers_as_exponents_take_short_forms():
    """``x**2`` is differentiated without a power or a logarithm."""
    x = tf.constant([-2.0, 0.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**2
    calls = []
    original = VOCABULARY["log"]
    VOCABULARY["log"] = lambda v: calls.append(v) or original(v)
    try:
        assert tape.gradient(y, x).numpy().tolist() == [-4.0, 0.0]
    finally:
        VOCABULARY["log"] = original
    assert not calls


def test_arrays_are_not_shared():
    """Neither the array given nor the array taken out is the tensor's own."""
    given = np.ones(3)
    x = tf.constant(given)
    given[0] = 5
    taken = x.numpy()
    taken[1] = 7
    assert x.numpy().tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x)[0] = 1


def test_eager_steps_start_no_compiler():
    """Importing the tape and taking a gradient compiles nothing."""
    program = (
        "import numba.core.dispatcher as d\n"
        "def refuse(*args, **kwargs): raise SystemExit('compiled')\n"
        "d.Dispatcher.compile = refuse\n"
        "import srcad.tf as tf\n"
        "x = tf.Variable(3.0)\n"
        "with tf.GradientTape() as t:\n"
        "    y = tf.exp(tf.math.lgamma(x)) + tf.math.digamma(x)\n"
        "t.gradient(y, x)\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "done\n", done.stderr
