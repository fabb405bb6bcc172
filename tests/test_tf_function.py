"""``tf.function``: what compiles gives what eager calls give; what cannot compile runs eagerly.

The oracle is the undecorated Python function on variables of its own, called as often.
"""

from __future__ import annotations

import logging
import sys
import threading

import numpy as np
import pytest

import srcad.tf as tf
from srcad.tf import background
from srcad.tf.programs import Program
from srcad.tf.symbolic import NotTraceable
from tests.tf_functions import COMPILING, EAGER, branches

MODULE = sys.modules["srcad.tf.function"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Numba is called at once, and waited for."""
    monkeypatch.setattr(MODULE, "PATIENCE", 0.0)
    monkeypatch.setattr(MODULE, "BACKGROUND", False)


def numbers(structure):
    """A result as nested lists of arrays."""
    return [tf.convert_to_tensor(x).numpy() for x in tf.nest.flatten(structure) if x is not None]


def compare(make, *args, calls=3, rtol=1e-6):
    """``make`` gives a function and the variables it uses; both kinds of calls must agree."""
    plain, own = make()
    inner, variables = make()
    f = tf.function(inner)
    for _ in range(calls):
        expected, found = plain(*args), f(*args)
        pairs = zip(numbers([expected, own]), numbers([found, variables]), strict=True)
        for e, g in pairs:
            assert e.dtype == g.dtype and e.shape == g.shape
            np.testing.assert_allclose(g, e, rtol=rtol, atol=1e-7)
    return f


def ran_compiled(f):
    """Whether Numba has compiled some signature."""
    entries = f._entries.values()
    return any(e.program is not None and e.program._compiled is not None for e in entries)


@pytest.mark.parametrize("name", COMPILING)
def test_compiled(name):
    """Compiled functions give what eager ones give, variables included."""
    make, args = COMPILING[name]
    f = compare(make, *args, rtol=2e-5)
    assert f.compiled and ran_compiled(f)


@pytest.mark.parametrize("x", [2.0, 0.5, -0.5, -3.0])
def test_compiled_decisions(x):
    """Every path gives what the eager function gives."""
    f = compare(branches, tf.constant(x))
    assert f.compiled and ran_compiled(f)


def test_compiled_paths():
    """One compiled function takes all paths; the one that raises does so eagerly."""
    calls = []

    @tf.function
    def f(x):
        calls.append(0)
        tf.debugging.assert_greater(x, 0.0)
        return x * 2.0 if x > 1.0 else -x

    assert [float(f(tf.constant(x))) for x in (2.0, 0.5, 3.0)] == [4.0, -0.5, 6.0]
    assert f.compiled and ran_compiled(f)
    traced = len(calls)
    with pytest.raises(tf.errors.InvalidArgumentError):
        f(tf.constant(-1.0))
    assert len(calls) == traced + 1 and float(f(tf.constant(4.0))) == 8.0
    assert f.compiled and len(calls) == traced + 1


@pytest.mark.parametrize("make", EAGER)
@pytest.mark.parametrize("n", [0, 1, 40])
def test_what_is_not_seen_by_tracing(make, n):
    """Python state inside of loops and values in conditions: the eager result."""
    compare(make, tf.constant(1.5), tf.constant(n))
    compare(make, tf.constant(0.5), n)


def test_reason_is_logged_once(caplog):
    """A function that does not compile says why, once."""
    f = tf.function(lambda x: x * float(tf.reduce_sum(x)))
    with caplog.at_level(logging.INFO, "srcad"):
        f(tf.constant(1.0))
        f(tf.constant([1.0]))
    assert len(caplog.records) == 1 and "a value is needed" in caplog.records[0].getMessage()
    assert not f.compiled


def test_random_numbers_are_drawn_anew():
    """They are no constants of a compiled function."""
    f = tf.function(lambda: tf.random.normal([2]))
    found = {tuple(f().numpy()) for _ in range(4)}
    assert len(found) == 4 and not f.compiled


def test_outer_tapes_record_inside():
    """Under a tape a function runs eagerly and is differentiated."""
    v = tf.Variable(3.0)
    f = tf.function(lambda x: x * x * v)
    x = tf.constant(2.0)
    f(x)
    f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert [float(g) for g in tape.gradient(y, [x, v])] == [12.0, 4.0]


def test_leaked_tensors_are_refused():
    """A tensor that tracing left behind is no value."""
    left = []
    f = tf.function(lambda x: left.append(x * 2.0) or x)
    f(tf.constant(1.0))
    assert float(left[0]) == 2.0
    with pytest.raises(NotTraceable, match="outside of it"):
        left[1] + 1.0


def test_specializations():
    """Other types, shapes, Python values, and variables of other shapes are seen."""
    v = tf.Variable([1.0], shape=tf.TensorShape(None))
    f = tf.function(lambda x, k=1: x * k + tf.reduce_sum(v))
    for _ in range(3):
        assert float(f(tf.constant(2.0))) == 3.0
        assert float(f(tf.constant(2.0), 3)) == 7.0
        assert f(tf.constant([2.0, 1.0]), k=2).numpy().tolist() == [5.0, 3.0]
    v.assign([1.0, 1.0])
    assert float(f(tf.constant(2.0))) == 4.0
    assert float(f(tf.constant(2.0))) == 4.0


def test_variables_are_read_and_written_through():
    """Assignments outside are seen inside, and the other way round; values read before stay."""
    v = tf.Variable(1.0)

    @tf.function
    def f():
        before = v * 1.0
        v.assign_add(1.0)
        return before, v

    for k in range(4):
        before, after = f()
        assert (float(before), float(after), float(v)) == (k + 1.0, k + 2.0, k + 2.0)
    v.assign(10.0)
    assert [float(x) for x in f()] == [10.0, 11.0] and ran_compiled(f)


@pytest.fixture
def meanwhile(monkeypatch):
    """Numba compiles on the other thread."""
    monkeypatch.setattr(MODULE, "BACKGROUND", True)


def test_compiling_meanwhile(meanwhile):
    """Calls before, during and after give the same; variables take part."""
    v = tf.Variable(1.0)
    f = tf.function(lambda x: v.assign_add(tf.reduce_sum(x * v)))
    total = 1.0
    for k in range(8):
        total += 2.0 * total
        assert float(f(tf.constant([0.5, 1.5]))) == float(v) == total
        if k == 3:
            assert background.wait(60.0) and ran_compiled(f)


def test_calls_go_on_while_compiling(meanwhile, monkeypatch):
    """No call waits for the compiler."""
    may_go = threading.Event()
    compiling = Program.compile
    monkeypatch.setattr(Program, "compile", lambda p: may_go.wait(60.0) and compiling(p))
    v = tf.Variable(0.0)
    f = tf.function(lambda x: v.assign_add(x * 2.0))
    for _ in range(4):
        f(tf.constant(1.0))
    assert float(v) == 8.0 and f.compiled and not ran_compiled(f)
    may_go.set()
    assert background.wait(60.0) and ran_compiled(f)
    assert float(f(tf.constant(1.0))) == 10.0


def test_failed_compiling_is_told_once(meanwhile, monkeypatch, caplog):
    """What the other thread raises means eager calls, and one message."""

    def fail(program):
        raise RuntimeError("no compiler today")

    monkeypatch.setattr(Program, "compile", fail)
    f = tf.function(lambda x: x * 2.0)
    with caplog.at_level(logging.INFO, "srcad"):
        for _ in range(4):
            assert float(f(tf.constant(3.0))) == 6.0
            background.wait(60.0)
    assert len(caplog.records) == 1 and "no compiler today" in caplog.records[0].getMessage()
    assert not f.compiled


def test_threads_call_one_function(meanwhile):
    """Results are those of each call's own arguments, whatever is compiled meanwhile."""
    f = tf.function(lambda x: tf.reduce_sum(tf.exp(x) * tf.sin(x) @ tf.transpose(x), axis=0))
    xs = [tf.constant(np.full((3, 4), k, np.float32)) for k in range(4)]
    wrong = []

    def work(x):
        expected = f.python_function(x).numpy()
        for _ in range(60):
            if not np.allclose(f(x).numpy(), expected, rtol=1e-5):
                wrong.append(x)

    threads = [threading.Thread(target=work, args=(x,)) for x in xs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and background.wait(60.0)


def test_wrong_index_in_compiled_code():
    """An index that is not there is the eager operation's error, and nothing has changed."""
    v = tf.Variable(0.0)

    @tf.function
    def f(x, i):
        v.assign_add(1.0)
        return tf.gather(x, i)

    x = tf.constant([1.0, 2.0, 3.0])
    assert [float(f(x, tf.constant(i))) for i in (0, 1, 2)] == [1.0, 2.0, 3.0] and ran_compiled(f)
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not in"):
        f(x, tf.constant(3))
    assert float(v) == 4.0 and f.compiled
