"""Layers and models with fixed weights."""

import numpy as np

from tests.tf_documents.fixed import dense, numbers, set_weights
from tests.tf_recorded.values import Close, raised

X = numbers(1, 6, 4)
ACTIVATIONS = ["linear", "relu", "elu", "gelu", "selu", "sigmoid", "softmax", "softplus"]
ACTIVATIONS += ["softsign", "swish", "tanh", "exponential", "hard_sigmoid"]


def _activation(name):
    def program(tf):
        x = tf.constant(X)
        with tf.GradientTape() as t:
            t.watch(x)
            y = tf.keras.activations.get(name)(x)
        g = t.gradient(y, x, output_gradients=tf.constant(numbers(2, 6, 4)))
        return y, g, tf.keras.layers.Activation(name)(x)

    return program


CASES = {f"activation_{name}": _activation(name) for name in ACTIVATIONS}


def dense_layer(tf):
    """Output and gradients of a dense layer."""
    layer, x = dense(tf, 4, 3, 10, "relu"), tf.constant(X)
    with tf.GradientTape() as t:
        y = tf.reduce_sum(layer(x) ** 2)
    return layer(x), t.gradient(y, layer.trainable_variables)


def dense_builds(tf):
    """A layer makes its weights when it first sees data."""
    layer = tf.keras.layers.Dense(3, name="d")
    before = len(layer.weights), layer.built
    y = layer(tf.ones((2, 5)))
    names = [w.name for w in layer.weights]
    return before, layer.built, y.shape, names, layer.kernel.shape, layer.bias, layer.units


def dense_without_bias(tf):
    """No bias, other initial values."""
    layer = tf.keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")
    return layer(tf.constant(X)), len(layer.weights), layer.bias is None


def dense_initializers(tf):
    """Initial values by object."""
    init = tf.keras.initializers
    layer = tf.keras.layers.Dense(
        2, kernel_initializer=init.Constant(0.5), bias_initializer=init.Ones()
    )
    return layer(tf.constant(X)), layer.get_weights()


def dense_on_three_axes(tf):
    """The last axis is contracted."""
    layer = dense(tf, 4, 2, 11)
    return layer(tf.constant(numbers(3, 2, 3, 4)))


def dense_wrong_input(tf):
    """Data of another width."""
    layer = dense(tf, 4, 2, 11)
    return raised(lambda: layer(tf.ones((1, 5))), "expected axis -1")


def dense_of_integers_and_doubles(tf):
    """Doubles are taken as float32."""
    layer = dense(tf, 4, 2, 12)
    return layer(X.astype(np.float64)), layer(tf.constant(X, tf.float64)).dtype


def weights_set(tf):
    """Weights in and out as arrays."""
    layer = tf.keras.layers.Dense(2)
    layer.build((None, 4))
    layer.set_weights([numbers(1, 4, 2), np.array([1.0, 2.0], np.float32)])
    return layer.get_weights(), layer(tf.constant(X)), layer.count_params()


def frozen_layer(tf):
    """A layer that is not trainable has no trainable weights."""
    layer = dense(tf, 4, 2, 13)
    layer.trainable = False
    return len(layer.trainable_weights), len(layer.non_trainable_weights), len(layer.weights)


def flatten(tf):
    """All axes but the first."""
    layer = tf.keras.layers.Flatten()
    return layer(tf.constant(numbers(3, 2, 3, 4))).shape, layer(tf.constant(X)).shape


def dropout(tf):
    """Nothing happens outside training; in training the rest is scaled."""
    layer, x = tf.keras.layers.Dropout(0.5), tf.ones((200, 50))
    y = layer(x, training=True).numpy()
    kept = float((y > 0).mean())
    return layer(x) is not None, bool((layer(x) == 1.0).numpy().all()), y.max(), 0.45 < kept < 0.55


def _normalize(tf, training):
    layer, x = tf.keras.layers.BatchNormalization(), tf.constant(X * 3.0 + 1.0)
    layer.build(x.shape)
    set_weights(layer.trainable_variables, 20)
    with tf.GradientTape() as t:
        t.watch(x)
        y = layer(x, training=training)
        z = tf.reduce_sum(y * tf.constant(numbers(4, 6, 4)))
    gradients = t.gradient(z, [x, *layer.trainable_variables])
    return Close([y, gradients, layer.moving_mean, layer.moving_variance])


def batch_normalization_training(tf):
    """Statistics of the batch, and what is kept of them."""
    return _normalize(tf, True)


def batch_normalization_inference(tf):
    """Kept statistics."""
    return _normalize(tf, False)


def batch_normalization_arguments(tf):
    """Momentum and epsilon; names of the weights."""
    layer = tf.keras.layers.BatchNormalization(momentum=0.5, epsilon=0.1, name="bn")
    x = tf.constant(X)
    layer(x, training=True)
    y = layer(x)
    return (
        Close([y, layer.moving_mean]),
        [w.name for w in layer.weights],
        len(layer.trainable_weights),
    )


def layer_normalization(tf):
    """Over the last axis."""
    layer = tf.keras.layers.LayerNormalization()
    return Close(layer(tf.constant(X)))


def embedding(tf):
    """Rows by index."""
    layer = tf.keras.layers.Embedding(5, 3)
    layer.build((None,))
    set_weights(layer.trainable_variables, 21)
    with tf.GradientTape() as t:
        y = layer(tf.constant([[0, 4], [4, 1]])) * 2.0
    g = t.gradient(y, layer.trainable_variables)
    return y, tf.convert_to_tensor(g[0])


def _sequential(tf):
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(5, activation="relu", input_shape=(4,)),
            tf.keras.layers.Dense(3, activation="softmax"),
        ]
    )
    set_weights(model.trainable_variables, 30)
    return model


def sequential(tf):
    """Layers in a row."""
    model = _sequential(tf)
    y = model(tf.constant(X))
    shapes = [w.shape for w in model.trainable_weights]
    return y, shapes, len(model.layers), model.count_params()


def sequential_added(tf):
    """... added one by one, built by the first data."""
    model = tf.keras.Sequential(name="net")
    model.add(tf.keras.layers.Dense(2))
    model.add(tf.keras.layers.ReLU())
    y = model(tf.ones((3, 4)))
    return y.shape, len(model.trainable_variables), model.name


def own_layer(tf):
    """A layer of one's own."""

    class Scale(tf.keras.layers.Layer):
        def build(self, input_shape):
            self.s = self.add_weight(
                name="s", shape=(input_shape[-1],), initializer="ones", trainable=True
            )

        def call(self, inputs):
            return inputs * self.s

    layer, x = Scale(), tf.constant(X)
    with tf.GradientTape() as t:
        y = layer(x)
    return y, t.gradient(y, layer.trainable_weights), layer.weights[0].shape


def nested_models(tf):
    """A model in a model; a list of layers."""

    class Inner(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [tf.keras.layers.Dense(3), tf.keras.layers.Dense(2)]

        def call(self, x, training=False):
            for part in self.parts:
                x = part(x)
            return x if not training else x * 0.0

    class Outer(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Inner()
            self.scale = tf.Variable(2.0)

        def call(self, x, training=False):
            return self.inner(x, training=training) * self.scale

    model = Outer()
    y = model(tf.ones((2, 4)))
    zero = model(tf.ones((2, 4)), training=True)
    return y.shape, len(model.trainable_variables), zero


def _compiled(tf, optimizer):
    model = _sequential(tf)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(40, 32, 4), np.arange(32) % 3


def fit(tf):
    """Three epochs without shuffling."""
    model, x, y = _compiled(tf, tf.keras.optimizers.SGD(0.1))
    history = model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    return Close(history.history), Close(model.get_weights()[1]), sorted(history.history)


def fit_with_validation(tf):
    """Losses on other data after each epoch."""
    model, x, y = _compiled(tf, "adam")
    other = (numbers(41, 10, 4), np.arange(10) % 3)
    history = model.fit(
        x, y, epochs=2, batch_size=16, shuffle=False, verbose=0, validation_data=other
    )
    return Close(history.history)


def evaluate_and_predict(tf):
    """Evaluation in batches, predictions as an array."""
    model, x, y = _compiled(tf, "sgd")
    scores = model.evaluate(x, y, batch_size=10, verbose=0)
    shown = model.predict(x, batch_size=10, verbose=0)
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    return Close(scores), Close(shown), type(shown).__name__, Close(named)


def fit_dataset(tf):
    """A data set instead of arrays."""
    model, x, y = _compiled(tf, "sgd")
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    history = model.fit(data, epochs=2, verbose=0)
    return Close(history.history)


def train_on_batch(tf):
    """Single steps."""
    model, x, y = _compiled(tf, "sgd")
    return Close([model.train_on_batch(x, y) for _ in range(2)])


def not_compiled(tf):
    """Training needs ``compile``."""
    model = _sequential(tf)
    return raised(lambda: model.fit(X, np.zeros(6), verbose=0), "must compile")


def regularizer(tf):
    """Losses of regularisers are collected."""
    layer = tf.keras.layers.Dense(
        2, kernel_initializer="ones", kernel_regularizer=tf.keras.regularizers.L2(0.01)
    )
    layer(tf.constant(X))
    return layer.losses


def utilities(tf):
    """One-hot labels as an array."""
    return tf.keras.utils.to_categorical([0, 2, 1]), tf.keras.backend.epsilon()
