"""The fence around saved sources, and what can be saved."""

from __future__ import annotations

import json

import numpy as np
import pytest

import srcad.tf as tf
from srcad.errors import UnsupportedSyntax
from srcad.tf import saved_model
from srcad.tf.saved_source import run_source

FACTOR = 3.0


def scaled(x):
    """A function that a module uses."""
    return FACTOR * x


class Inner(tf.Module):
    """A module inside of another one."""

    def __init__(self):
        super().__init__()
        self.weights = [tf.Variable([1.0, 2.0], name="w"), tf.Variable(5.0, trainable=False)]


class Outer(tf.Module):
    """A module with all kinds of attributes."""

    def __init__(self):
        super().__init__(name="outer")
        self.inner = Inner()
        self.table = {"a": tf.constant([1.0]), "b": (1, "text", None)}
        self.shared = self.inner.weights[0]

    @tf.function
    def run(self, x):
        """Use everything."""
        return scaled(x) * self.shared * self.table["a"] + self.inner.weights[1]


def test_nested_modules(tmp_path):
    """Structures, shared variables and functions of the same file come back."""
    module = Outer()
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    x = tf.constant([1.0, 10.0])
    assert loaded.run(x).numpy().tolist() == module.run(x).numpy().tolist() == [8.0, 65.0]
    assert loaded.shared is loaded.inner.weights[0]
    assert loaded.table["b"] == (1, "text", None) and loaded.name == "outer"
    assert [v.trainable for v in loaded.inner.weights] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "from os import system",
        "f = (1).__class__",
        "f = [].__len__",
        "f = __builtins__",
        "open('x')",
        "eval('1')",
        "f = tf.missing",
        "f = tf.nn.np",
        "f = tf.nn.GENERATOR",
        "f = tf.keras.utils.python_random",
        "tf.saved_model.save(1, 'x')",
        "tf.print(1, output_stream='file://x')",
        "'{0}'.format(1)",
        "f = np.load",
        "f = np.ctypeslib",
        "f = (lambda: 0)._x",
        "def f():\n    global x",
    ],
)
def test_the_fence(text):
    """Sources that reach for more than tensors are refused."""
    with pytest.raises((UnsupportedSyntax, NameError, AttributeError)):
        run_source(text, tf)


def test_no_pickles(tmp_path):
    """An array that is a pickle is not loaded, even with right checksums."""
    tf.saved_model.save(Inner(), tmp_path)
    np.savez(tmp_path / "variables.npz", a0=np.array([print], dtype=object), a1=np.float32(1))
    entry = json.loads((tmp_path / "saved_model.json").read_text())
    entry["sha256"]["variables.npz"] = saved_model._sum((tmp_path / "variables.npz").read_bytes())
    text = json.dumps(entry).encode()
    (tmp_path / "saved_model.json").write_bytes(text)
    (tmp_path / "checksum.txt").write_text(saved_model._sum(text))
    with pytest.raises(ValueError, match="allow_pickle"):
        tf.saved_model.load(tmp_path)


def test_what_cannot_be_saved(tmp_path):
    """Foreign objects are named."""
    module = tf.Module()
    module.thing = object()
    with pytest.raises(UnsupportedSyntax, match="Module"):
        tf.saved_model.save(module, tmp_path)
    inner = Inner()
    inner.thing = object()
    with pytest.raises(UnsupportedSyntax, match="type object"):
        tf.saved_model.save(inner, tmp_path)
