"""Memory that is used again: never while somebody can still see it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import srcad.tf as tf
from srcad.tape import memory

BIG = (300, 1000)
FLOAT = np.dtype("float64")


@pytest.fixture(autouse=True)
def nothing_waits():
    """No blocks from elsewhere."""
    memory.clear()
    yield
    memory.clear()


def address(array):
    """Where the array's memory is."""
    return array.__array_interface__["data"][0]


def test_memory_comes_back():
    """The next array of the size lies where the last one was."""
    a = memory.empty(BIG, FLOAT)
    where = address(a)
    a[:] = 1.0
    del a
    assert address(memory.empty(BIG, FLOAT)) == where


@pytest.mark.parametrize(
    "view", [lambda a: a[1:, ::2], lambda a: a.T, lambda a: a.reshape(-1), memoryview]
)
def test_not_while_a_view_lives(view):
    """Views of every kind keep the memory."""
    a = memory.empty(BIG, FLOAT)
    a[:] = 1.0
    kept = view(a)
    del a
    b = memory.empty(BIG, FLOAT)
    b[:] = 2.0
    assert (np.asarray(kept) == 1.0).all()


def test_tensors_keep_what_they_show():
    """Results, what NumPy makes of them, and what a tape has recorded stay as they are."""
    x = tf.constant(np.linspace(0.0, 1.0, 300_000))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(x) * x
        shown, part = np.asarray(y), y[:10]
        z = y * y
    for _ in range(4):
        x * 3.0 + 1.0
    np.testing.assert_array_equal(shown, np.sin(x.numpy()) * x.numpy())
    np.testing.assert_array_equal(part.numpy(), shown[:10])
    exact = 2 * shown * (np.cos(x.numpy()) * x.numpy() + np.sin(x.numpy()))
    np.testing.assert_allclose(tape.gradient(z, x).numpy(), exact, rtol=1e-12)


def test_no_more_waits_than_allowed(monkeypatch):
    """Old sizes make room; what is larger than the limit goes to the system."""
    monkeypatch.setattr(memory, "KEPT", 3 * 8 * 300_000)
    arrays = [memory.empty(BIG, FLOAT) for _ in range(5)]
    arrays.clear()
    waiting = sum(size * len(blocks) for size, blocks in memory._free.items())
    assert 0 < waiting <= memory.KEPT
    del waiting
    large = memory.empty((1000, 1000), FLOAT)
    del large
    assert 8_000_000 not in memory._free


def test_threads():
    """Arrays of two threads never overlap."""
    wrong = []

    def work(number):
        for _ in range(300):
            a = memory.empty(BIG, FLOAT)
            a[::100] = number
            if not (a[::100] == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
