"""What ``fit`` and ``evaluate`` print: TensorFlow's lines, but for the times."""

from __future__ import annotations

import re

import numpy as np

import srcad.tf as tf


def printed(capsys):
    """The last state of every line, times taken out, and the first state of the first line."""
    text = re.sub(r"\d+(s|ms)\b", r"N\1", capsys.readouterr().out)
    lines = text.removesuffix("\n").split("\n")
    return [line.split("\r")[-1] for line in lines], text


def make_model():
    """A layer that starts from zeros."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_bar(capsys):
    """A bar per epoch; the metrics of validation come last."""
    model = make_model()
    x, y = np.ones((64, 2)), np.ones((64, 1))
    history = model.fit(x, y, epochs=2, batch_size=16, validation_split=0.25)
    lines, text = printed(capsys)
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2"
    assert lines[1].startswith("3/3 [==============================] - Ns Nms/step - loss: 0.8881")
    assert lines[1].endswith(" - mae: 0.9412 - val_loss: 0.6899 - val_mae: 0.8306")
    assert "\r1/3 [=========>....................] - ETA: Ns - loss: 1.0000" in text
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]


def test_one_line(capsys):
    """With ``verbose=2`` one line per epoch; with 0 nothing."""
    model = make_model()
    x, y = np.ones((64, 2)), np.ones((64, 1))
    model.fit(x, y, verbose=2)
    lines, _ = printed(capsys)
    assert len(lines) == 1
    assert re.fullmatch(r"2/2 - Ns - loss: \S+ - mae: \S+ - Nms/epoch - Nms/step", lines[0])
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    assert capsys.readouterr().out == ""


def test_evaluate_and_predict(capsys):
    """A bar each."""
    model = make_model()
    model.evaluate(np.ones((4, 2)), np.ones((4, 1)))
    model.predict(np.ones((4, 2)))
    lines, _ = printed(capsys)
    bar = "1/1 [==============================] - Ns Nms/step"
    assert lines == [f"{bar} - loss: 1.0000 - mae: 1.0000", bar]
