"""Saved modules, and what training prints."""

import contextlib
import io
import tempfile

import numpy as np

from tests.tf_documents.fixed import numbers, set_weights
from tests.tf_recorded.values import raised


def _there_and_back(tf, module, **options):
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder + "/saved", **options)
        return tf.saved_model.load(folder + "/saved")


def make_line(tf):
    """A module with variables and functions."""

    class Line(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable([2.0, 3.0], name="w")
            self.b = tf.Variable(1.0, trainable=False, name="b")

        @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
        def apply(self, x):
            return tf.reduce_sum(self.w * x) + self.b

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def shift(self, by):
            self.b.assign_add(by)
            return self.b * 1.0

    return Line()


def variables(tf):
    """Values of variables are kept, changed ones too."""
    line = make_line(tf)
    line.w.assign([5.0, 7.0])
    loaded = _there_and_back(tf, line)
    return loaded.w, loaded.b, loaded.w.trainable, loaded.b.trainable


def functions(tf):
    """Functions work on the loaded variables."""
    line = make_line(tf)
    loaded = _there_and_back(tf, line)
    x = tf.constant([1.0, 10.0])
    first = loaded.apply(x)
    second = loaded.shift(tf.constant(100.0))
    loaded.w.assign([0.0, 0.0])
    return first, second, loaded.apply(x), line.b, line.w


def gradients(tf):
    """Gradients by argument and by loaded variables."""
    loaded, x = _there_and_back(tf, make_line(tf)), tf.Variable([1.0, 10.0])
    with tf.GradientTape() as t:
        y = loaded.apply(x * 1.0)
    return t.gradient(y, [x, loaded.w])


def custom_gradients(tf):
    """Custom gradients survive."""

    @tf.custom_gradient
    def triple(x):
        return x * 1.0, lambda dy: dy * 3.0

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(None)])
        def __call__(self, x):
            return triple(x) * 2.0

    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    loaded, v = _there_and_back(tf, Module(), options=options), tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t:
        y = loaded(v * 1.0)
    return y, t.gradient(y, v)


def missing_folder(tf):
    """There must be something to load."""
    return raised(lambda: tf.saved_model.load("/nowhere/at/all"), None)


def _model(tf):
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation="softmax", input_shape=(4,))])
    set_weights(model.trainable_variables, 30)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(40, 32, 4), np.arange(32) % 3


def _shown(call) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        call()
    return shown.getvalue()


def progress_of_fit(tf):
    """The progress bar names epochs, batches, loss and metrics."""
    model, x, y = _model(tf)
    text = _shown(lambda: model.fit(x, y, epochs=2, batch_size=8))
    parts = ["Epoch 1/2", "Epoch 2/2", "4/4 [", "] - ", "loss: ", "accuracy: "]
    return [part in text for part in parts]


def progress_of_evaluate(tf):
    """... of evaluation and of prediction."""
    model, x, y = _model(tf)
    text = _shown(lambda: model.evaluate(x, y, batch_size=8))
    more = _shown(lambda: model.predict(x, batch_size=8))
    return ["4/4 [" in text, "loss: " in text, "accuracy: " in text, "4/4 [" in more]


def one_line_for_each_epoch(tf):
    """``verbose=2``."""
    model, x, y = _model(tf)
    text = _shown(lambda: model.fit(x, y, epochs=2, batch_size=8, verbose=2))
    return ["Epoch 1/2" in text, "4/4 - " in text, "loss: " in text, "[" in text]


def callbacks(tf):
    """A callback is told of epochs and batches."""
    model, x, y = _model(tf)
    seen = []

    class Watcher(tf.keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((epoch, sorted(logs)))

        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    model.fit(x, y, epochs=2, batch_size=16, verbose=0, callbacks=[Watcher()])
    return seen
