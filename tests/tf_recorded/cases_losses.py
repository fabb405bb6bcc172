"""Losses and metrics."""

from tests.tf_recorded.values import raised

HOT = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
SOFT = [[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]]
LOGITS = [[0.5, 2.0, -1.0], [1.0, -0.5, 0.25]]
BITS = [[1.0, 0.0], [0.0, 1.0]]
CHANCES = [[0.9, 0.2], [0.4, 0.6]]

MAKERS = {
    "categorical": (lambda k: k.CategoricalCrossentropy(), HOT, SOFT),
    "categorical_logits": (lambda k: k.CategoricalCrossentropy(from_logits=True), HOT, LOGITS),
    "categorical_smooth": (
        lambda k: k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        HOT,
        LOGITS,
    ),
    "categorical_certain": (lambda k: k.CategoricalCrossentropy(), HOT, HOT),
    "categorical_not_normal": (
        lambda k: k.CategoricalCrossentropy(),
        HOT,
        [[1, 2, 3.0], [2, 2, 4.0]],
    ),
    "sparse": (lambda k: k.SparseCategoricalCrossentropy(), [1, 0], SOFT),
    "sparse_logits": (lambda k: k.SparseCategoricalCrossentropy(from_logits=True), [1, 0], LOGITS),
    "binary": (lambda k: k.BinaryCrossentropy(), BITS, CHANCES),
    "binary_logits": (lambda k: k.BinaryCrossentropy(from_logits=True), BITS, CHANCES),
    "binary_smooth": (lambda k: k.BinaryCrossentropy(label_smoothing=0.2), BITS, CHANCES),
    "mean_squared": (lambda k: k.MeanSquaredError(), BITS, CHANCES),
    "mean_absolute": (lambda k: k.MeanAbsoluteError(), BITS, CHANCES),
    "huber": (lambda k: k.Huber(), BITS, [[5.0, 0.2], [0.4, -2.0]]),
    "huber_delta": (lambda k: k.Huber(delta=0.3), BITS, CHANCES),
    "reduction_sum": (lambda k: k.MeanSquaredError(reduction="sum"), BITS, CHANCES),
    "reduction_none": (lambda k: k.MeanSquaredError(reduction="none"), BITS, CHANCES),
}


def _loss_and_gradient(make, labels, predictions):
    def program(tf):
        loss, x = make(tf.keras.losses), tf.constant(predictions)
        with tf.GradientTape() as t:
            t.watch(x)
            y = loss(tf.constant(labels), x)
        return y, t.gradient(y, x)

    return program


CASES = {name: _loss_and_gradient(*case) for name, case in MAKERS.items()}


def sample_weights(tf):
    """A weight for each sample."""
    loss = tf.keras.losses.MeanSquaredError()
    categorical = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    return loss(BITS, CHANCES, sample_weight=[1.0, 3.0]), categorical(HOT, LOGITS, [0.5, 0.0])


def functions(tf):
    """Losses as functions: one value for each sample."""
    k = tf.keras.losses
    return (
        k.mean_squared_error(BITS, CHANCES),
        k.categorical_crossentropy(HOT, SOFT),
        k.sparse_categorical_crossentropy([1, 0], LOGITS, from_logits=True),
        k.binary_crossentropy(BITS, CHANCES),
        tf.keras.losses.MSE(BITS, CHANCES),
    )


def of_arrays(tf):
    """NumPy labels in double precision."""
    import numpy as np

    loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    return loss(np.array(HOT), tf.constant(LOGITS)), loss(np.array(HOT), np.array(LOGITS))


def missing_prediction(tf):
    """A loss takes two arguments."""
    loss = tf.keras.losses.MeanSquaredError()
    return raised(lambda: loss([1.0]), "missing 1 required positional argument: 'y_pred'")


def categorical_accuracy(tf):
    """Updated, read, reset by either name, and called."""
    m = tf.keras.metrics.CategoricalAccuracy()
    m.update_state(HOT, SOFT)
    a = float(m.result())
    m.update_state([[1.0, 0.0, 0.0]], [[0.1, 0.8, 0.1]])
    b = m.result()
    m.reset_state()
    c = float(m.result())
    d = m(HOT, LOGITS)
    m.reset_states()
    return a, b, c, d, m.result(), m.name


def sparse_accuracy(tf):
    """Labels as numbers, in a row or a column."""
    m = tf.keras.metrics.SparseCategoricalAccuracy()
    m.update_state([1, 0], SOFT)
    m.update_state([[1], [0]], LOGITS)
    return m.result()


def binary_accuracy(tf):
    """With a threshold."""
    m, n = tf.keras.metrics.BinaryAccuracy(), tf.keras.metrics.BinaryAccuracy(threshold=0.3)
    m.update_state(BITS, CHANCES)
    n.update_state(BITS, CHANCES)
    return m.result(), n.result()


def mean(tf):
    """A mean of numbers and of arrays, weighted too."""
    m = tf.keras.metrics.Mean(name="loss")
    m.update_state([1.0, 2.0, 6.0])
    a = m.result()
    m(5.0)
    b = m.result()
    m.update_state([10.0, 20.0], sample_weight=[1.0, 0.0])
    return a, b, m.result(), m.name


def weighted_accuracy(tf):
    """Samples with weights."""
    m = tf.keras.metrics.CategoricalAccuracy()
    m.update_state(HOT, SOFT, sample_weight=[3.0, 1.0])
    return m.result()


def other_metrics(tf):
    """Errors and losses as metrics."""
    k, found = tf.keras.metrics, []
    for m, y, p in (
        (k.MeanSquaredError(), BITS, CHANCES),
        (k.MeanAbsoluteError(), BITS, CHANCES),
        (k.CategoricalCrossentropy(from_logits=True), HOT, LOGITS),
        (k.Sum(), [1.0, 2.0], None),
    ):
        m.update_state(y) if p is None else m.update_state(y, p)
        found.append(m.result())
    return found
