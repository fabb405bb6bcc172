"""``tf.device``: names, scopes and policy; the same results on the device, which nothing leaves."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

import srcad.tf as tf
from srcad.backends import device_memory
from srcad.errors import DeviceError
from srcad.tf import device_code, devices
from tests.device_tensors import PROGRAMS, differences
from tests.test_cuda import run as subprocess

CPU, GPU = (f"/job:localhost/replica:0/task:0/device:{k}:0" for k in ("CPU", "GPU"))


@pytest.fixture
def gpu(monkeypatch):
    """A device of NumPy's arrays, whose kernels are interpreted; what has no kernel is an error."""
    monkeypatch.setattr(devices, "BACKEND", "reference")
    monkeypatch.setattr(devices.Choice, "soft", False)


@pytest.fixture
def none(monkeypatch):
    """A machine without a GPU."""

    def machine():
        raise DeviceError("there is no GPU", None, "none was found", "use another machine")

    monkeypatch.setattr(devices, "machine", machine)
    monkeypatch.setattr(devices, "_SAID", set())


# what TensorFlow 2.21 does on a machine without a GPU
SOFT = ["/GPU:0", "GPU:0", "/device:GPU:0", "gpu", "/CPU:0", "cpu", "CPU:0", "/device:CPU:0"]
SOFT += ["/cpu:0", CPU, "/CPU:1", "/TPU:0", None, "", "/gpu:0", "/device:gpu:*"]


@pytest.mark.parametrize("name", SOFT)
def test_names(none, name):
    with tf.device(name):
        assert tf.constant(1.0).device == (tf.constant(1.0) + 1).device == CPU
        assert tf.Variable(1.0).device == CPU


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("nonsense", ValueError, "Unknown attribute 'nonsense' is encountered while parsing"),
        (3, ValueError, r"Expecting a string device name. Got <class 'int'>\(3\)"),
        (lambda op: "/CPU:0", RuntimeError, "tf.device does not support functions"),
    ],
)
def test_wrong_names(name, error, text):
    with pytest.raises(error, match=text):
        tf.device(name)


def test_without_gpu(none, caplog):
    """Soft placement says once why the CPU does it; otherwise it is an error."""
    assert [d.device_type for d in tf.config.list_physical_devices()] == ["CPU"]
    assert tf.config.list_physical_devices("GPU") == []
    with caplog.at_level(logging.WARNING, "srcad"):
        for _ in range(2):
            with tf.device("/GPU:0"):
                tf.constant(1.0)
    assert [r.getMessage() for r in caplog.records] == [
        "/GPU:0: there is no GPU: none was found; the CPU does it"
    ]
    with pytest.raises(RuntimeError, match="GPU:0 unknown device") as caught:
        tf.constant(1.0).gpu()
    assert isinstance(caught.value, DeviceError) and "none was found" in str(caught.value)
    tf.config.set_soft_device_placement(False)
    try:
        with pytest.raises(tf.errors.InvalidArgumentError, match="Could not satisfy device"):
            tf.device("/GPU:0")
    finally:
        tf.config.set_soft_device_placement(True)


def test_config(gpu):
    cards = tf.config.list_physical_devices("GPU")
    assert [c.name for c in cards] == ["/physical_device:GPU:0"]
    tf.config.experimental.set_memory_growth(cards[0], True)
    tf.config.set_visible_devices(cards, "GPU")
    assert [d.name for d in tf.config.list_logical_devices()] == ["/device:CPU:0", "/device:GPU:0"]
    tf.config.set_visible_devices([], "GPU")
    try:
        assert tf.config.list_logical_devices("GPU") == []
        with pytest.raises(tf.errors.InvalidArgumentError, match="not among the visible"):
            tf.device("/GPU:0")
    finally:
        tf.config.set_visible_devices(cards, "GPU")


# scopes
def test_scopes(gpu):
    """The innermost scope decides; without one an operation runs where an operand is."""
    a = tf.constant([1.0, 2.0])
    with tf.device("/GPU:0"):
        b, v = tf.constant([3.0, 4.0]), tf.Variable([1.0, 1.0])
        assert (a * 2.0).device == tf.zeros([2]).device == tf.random.normal([2]).device == GPU
        with tf.device("/CPU:0"):
            assert tf.constant(1.0).device == (b + b).device == CPU
            v.assign_add(a)
        with tf.device(None):
            assert tf.constant(1.0).device == CPU
    assert v.device == (a + b).device == (b[0] + 1).device == a.gpu().device == GPU
    assert b.cpu().device == CPU and list(v.numpy()) == [2.0, 3.0]
    assert repr(b) == repr(b.cpu()) and f"{b[0]:.1f}" == "3.0" and bool(b[0] > 2) and len(b) == 2
    with tf.device("/GPU:0"):
        odd = tf.constant([1 + 2j]), tf.constant([1.0], tf.float16)
    assert {t.device for t in odd} == {CPU}  # kinds that the device does not hold


def test_cotangents_come_back(gpu):
    """A move is recorded, and the cotangent goes back to where its tensor is."""
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            with tf.device("/GPU:0"):
                y = v * v * v
            z = tf.reduce_sum(y.cpu())
        g = tape.gradient(z, v)
        s = tf.reduce_sum(g)
    h = outer.gradient(s, v)
    assert (y.device, z.device, g.device, h.device) == (GPU, CPU, CPU, CPU)
    assert list(g.numpy()) == [3.0, 12.0] and list(h.numpy()) == [6.0, 12.0]


# results
@pytest.mark.parametrize("name", PROGRAMS)
def test_same_results(gpu, name, monkeypatch):
    if name == "moved_elements":  # sorting has no kernel
        monkeypatch.setattr(devices.Choice, "soft", True)
    assert not differences(name)


OPERATIONS = {
    "unary": lambda x: tf.tanh(x) * tf.exp(-x) + tf.math.erf(x) - tf.sqrt(x) / tf.math.log1p(x),
    "special": lambda x: tf.math.digamma(x) + tf.sigmoid(x) + tf.nn.softplus(x) + tf.math.ndtri(x),
    "binary": lambda x: tf.maximum(x, 0.5) ** x + tf.math.atan2(x, x[0]) - tf.math.floormod(x, 0.3),
    "reduced": lambda x: tf.reduce_min(x, 1) + tf.math.reduce_std(x, 1) + tf.reduce_prod(x, 1),
    "chosen": lambda x: tf.where((x > 0.5) & (x < 0.7), x, tf.clip_by_value(-x, -0.4, 0.0)),
    "stacks": lambda x: tf.matmul(tf.stack([x, x * 2]), tf.stack([x, x * 3]), transpose_b=True),
    "sums": lambda x: tf.cumsum(x, 1) + tf.math.unsorted_segment_sum(x, [0, 1, 0], 3),
    "cast": lambda x: (
        x * tf.cast(tf.cast(x * 10, tf.int32) // 3, x.dtype) * tf.cast(x > 0.5, "double")
    ),
    "image": lambda x: tf.nn.max_pool2d(
        tf.nn.conv2d(tf.reshape(x, [1, 3, 4, 1]), tf.ones([2, 2, 1, 1], x.dtype), 1, "VALID"),
        2,
        1,
        "VALID",
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(gpu, name):
    """Values and gradients, in float64; everything stays on the device."""
    f, found = OPERATIONS[name], {}
    for place in (CPU, GPU):
        with tf.device(place):
            x = tf.constant(np.random.default_rng(2).uniform(0.2, 0.8, (3, 4)))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
            s = tf.reduce_sum(y * y)
        found[place] = y, tape.gradient(s, x)
        assert {t.device for t in found[place]} == {place}
    for a, b in zip(found[CPU], found[GPU], strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-12, atol=1e-13)


def test_indices_out_of_range(gpu):
    """Nothing can raise on the device: what is not there is NaN, and nothing is added to it."""
    with tf.device("/GPU:0"):
        x, i = tf.constant([1.0, 2.0]), tf.constant([1, 5, -1])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.gather(x, i)
    np.testing.assert_array_equal(y.numpy(), [2.0, np.nan, np.nan])
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [0.0, 1.0])


# nothing leaves the device
def test_nothing_leaves(gpu, monkeypatch):
    """A compiled training step fetches nothing and computes nothing on the processor."""
    rng = np.random.default_rng(0)
    with tf.device("/GPU:0"):
        x, y = (tf.constant(rng.normal(size=s).astype("f4")) for s in ((6, 3), (6, 1)))
        w = tf.Variable(rng.normal(size=(3, 1)).astype("f4"))
        optimizer = tf.keras.optimizers.Adam(0.1)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ w - y) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        return loss

    first = step()
    assert step.compiled
    for module, name in ((devices, "download"), (devices, "upload")):
        monkeypatch.setattr(module, name, lambda *args: pytest.fail("something was copied"))
    monkeypatch.setattr(
        device_memory.Interpreted, "number", lambda *args: pytest.fail("a number was fetched")
    )
    losses = [step() for _ in range(3)]
    monkeypatch.undo()
    monkeypatch.setattr(devices, "BACKEND", "reference")
    values = [float(t) for t in (first, *losses)]
    assert values == sorted(values, reverse=True) and {t.device for t in losses} == {GPU}
    assert {v.device for v in optimizer.variables} == {GPU}


def test_texts_serve_other_sizes(gpu):
    """An operation is compiled for a pattern of sizes, not for each size."""
    device_code.code_of.cache_clear()
    device_code.CALLS.clear()
    with tf.device("/GPU:0"):
        for n in (3, 5, 7):
            x = tf.ones([n, 2])
            assert float(tf.reduce_sum(x * 2.0 + x[0])) == 6.0 * n
    assert device_code.code_of.cache_info().misses <= 6


def test_policy(gpu, caplog, monkeypatch):
    """What has no kernel raises, or with soft placement is computed by NumPy and put back."""
    with tf.device("/GPU:0"):
        a = tf.constant([[4.0, 1.0], [1.0, 3.0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="for cholesky: factorisations on"):
        tf.linalg.cholesky(a)
    monkeypatch.setattr(devices.Choice, "soft", True)
    with caplog.at_level(logging.INFO, "srcad"):
        found = tf.linalg.cholesky(a)
    assert found.device == GPU and "cholesky of tensors on the GPU is computed" in caplog.text
    np.testing.assert_allclose(found.numpy(), np.linalg.cholesky(a.numpy()), rtol=1e-6)


def test_simulator():
    """The programs in Numba's simulator, which has memory of its own; arrays of Numba's go in."""
    found = json.loads(
        subprocess("-W", "error", "-m", "tests.device_tensors_simulate", NUMBA_ENABLE_CUDASIM="1")
    )
    assert found == {"checked": 3, "wrong": {}}
