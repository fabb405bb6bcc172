"""Document 003: subclassed models, training by hand, metrics."""
# ruff: noqa: UP008, UP031

import numpy as np

from tests.tf_documents.fixed import set_weights, uniform, without_numbers
from tests.tf_recorded.values import Close, raised


def make_model(tf):
    """The document's model class."""

    class MyModel(tf.keras.Model):
        def __init__(self, num_classes=10):
            super(MyModel, self).__init__(name="my_model")
            self.num_classes = num_classes
            self.dense_1 = tf.keras.layers.Dense(32, activation="relu")
            self.dense_2 = tf.keras.layers.Dense(num_classes)

        def call(self, inputs):
            x = self.dense_1(inputs)
            return self.dense_2(x)

    return MyModel


def make_fixed_model(tf):
    """The model with fixed weights."""
    model = make_model(tf)(num_classes=10)
    model(np.zeros((1, 32)))
    set_weights(model.trainable_variables, 10)
    return model


def _sums(variables):
    return [float(abs(v.numpy()).sum(dtype=np.float64)) for v in variables]


def square(tf):
    """The first listing: the derivative of x * x."""
    x = tf.constant(3.0)

    with tf.GradientTape() as g:
        g.watch(x)
        y = x * x
    dy_dx = g.gradient(y, x)

    print(repr(dy_dx))
    return dy_dx


def arguments(tf):
    """The arguments that the document explains."""
    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape(persistent=False, watch_accessed_variables=False) as tape:
        tape.watch(x)
        z = x * y
    return tape.gradient(z, [x, y])


def one_step(tf):
    """One step of training by hand, with random weights: what the variables are."""
    data = np.random.random((1000, 32))
    labels = np.random.random((1000, 10))
    model = make_model(tf)(num_classes=10)

    loss_object = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam()

    with tf.GradientTape() as tape:
        predictions = model(data)
        loss = loss_object(labels, predictions)

    gradients = tape.gradient(loss, model.trainable_variables)

    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    names = [v.name for v in model.trainable_variables]
    shapes = [(v.shape, v.dtype) for v in model.trainable_variables]
    return names, shapes, predictions.shape, loss.shape, [g.shape for g in gradients]


def one_step_fixed(tf):
    """The same with fixed weights and data: loss, gradients, and variables after the step."""
    data, labels = uniform(1, 1000, 32), uniform(2, 1000, 10)
    model = make_fixed_model(tf)
    loss_object = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam()
    with tf.GradientTape() as tape:
        predictions = model(data)
        loss = loss_object(labels, predictions)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, Close([gradients[1], gradients[3], _sums(gradients)]), _sums(model.variables)


def initial_weights(tf):
    """Glorot's limits for the kernels, zeros for the biases."""
    model = make_model(tf)()
    model(np.zeros((1, 32)))
    kernel, bias, kernel2, bias2 = (v.numpy() for v in model.trainable_variables)
    within = [abs(kernel).max() <= np.sqrt(6 / 64), abs(kernel2).max() <= np.sqrt(6 / 42)]
    return [bool(w) for w in within], bias, bias2, bool(abs(kernel).mean() > 0.1)


def misprint_of_tape(tf):
    """The explanation's first misprint: ``with tf.GradientTape as tape``."""

    def listing():
        with tf.GradientTape as tape:
            return tape

    def with_a_class():
        with object as tape:
            return tape

    found, python = raised(listing).error, raised(with_a_class).error
    return type(found) is type(python), str(found) == str(python)


def misprint_of_loss(tf):
    """The explanation's second misprint: a loss of the predictions alone."""
    loss_object = tf.keras.losses.CategoricalCrossentropy()
    predictions = tf.ones((2, 10)) / 10
    return raised(
        lambda: loss_object(predictions), "missing 1 required positional argument: 'y_pred'"
    )


def training_loop(tf):
    """The second case: three epochs, printing; the numbers depend on the random weights."""
    lines = []
    data = np.random.random((1000, 32))
    labels = np.random.random((1000, 10))
    model = make_model(tf)(num_classes=10)
    optimizer = tf.keras.optimizers.SGD(learning_rate=1e-3)
    loss_fn = tf.keras.losses.CategoricalCrossentropy()
    batch_size = 64
    train_dataset = tf.data.Dataset.from_tensor_slices((data, labels))
    train_dataset = train_dataset.shuffle(buffer_size=1024).batch(batch_size)

    epochs = 3
    for epoch in range(epochs):
        lines.append("Start of epoch %d" % (epoch,))
        for step, (x_batch_train, y_batch_train) in enumerate(train_dataset):
            with tf.GradientTape() as tape:
                logits = model(x_batch_train, training=True)
                loss_value = loss_fn(y_batch_train, logits)
            grads = tape.gradient(loss_value, model.trainable_weights)
            optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
            if step % 200 == 0:
                loss = float(loss_value)
                lines.append("Training loss (for one batch) at step %s: %s" % (step, loss))
                lines.append("Seen so far: %s samples" % ((step + 1) * 64))
    return [without_numbers(line) for line in lines], step, x_batch_train.shape


def make_step(tf, model, loss_fn, optimizer):
    """One step of training as a function."""

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss_value = loss_fn(y, logits)
        grads = tape.gradient(loss_value, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
        return loss_value

    return step


def _datasets(tf):
    train = tf.data.Dataset.from_tensor_slices((uniform(3, 1000, 32), uniform(4, 1000, 10)))
    val = tf.data.Dataset.from_tensor_slices((uniform(5, 200, 32), uniform(6, 200, 10)))
    return train.batch(64), val.batch(64)


def losses_fixed(tf):
    """Losses of one epoch with fixed weights and no shuffling, cross entropy of logits."""
    model, (train, _) = make_fixed_model(tf), _datasets(tf)
    optimizer = tf.keras.optimizers.SGD(learning_rate=1e-3)
    loss_fn = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    losses = []
    for x, y in train:
        with tf.GradientTape() as tape:
            loss_value = loss_fn(y, model(x, training=True))
        grads = tape.gradient(loss_value, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
        losses.append(float(loss_value))
    return Close(losses), Close(_sums(model.trainable_weights))


def losses_in_function(tf):
    """The same with the step as a function."""
    model, (train, _) = make_fixed_model(tf), _datasets(tf)
    optimizer = tf.keras.optimizers.SGD(learning_rate=1e-3)
    step = make_step(
        tf, model, tf.keras.losses.CategoricalCrossentropy(from_logits=True), optimizer
    )
    losses = [float(step(x, y)) for x, y in train]
    return Close(losses), Close(_sums(model.trainable_weights))


def loss_of_logits_taken_for_probabilities(tf):
    """The second case's loss of raw logits (no ``from_logits``) at fixed weights."""
    model, (train, _) = make_fixed_model(tf), _datasets(tf)
    loss_fn = tf.keras.losses.CategoricalCrossentropy()
    x, y = next(iter(train))
    return Close(loss_fn(y, model(x, training=True)), rtol=1e-3)


def training_with_metrics(tf):
    """The third case: accuracy over each epoch on training and validation data."""
    train_dataset, val_dataset = _datasets(tf)
    optimizer = tf.keras.optimizers.SGD(learning_rate=1e-3)
    loss_fn = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    train_acc_metric = tf.keras.metrics.CategoricalAccuracy()
    val_acc_metric = tf.keras.metrics.CategoricalAccuracy()

    model = make_fixed_model(tf)
    epochs = 3
    for epoch in range(epochs):
        print("Start of epoch %d" % (epoch,))
        for x_batch_train, y_batch_train in train_dataset:
            with tf.GradientTape() as tape:
                logits = model(x_batch_train)
                loss_value = loss_fn(y_batch_train, logits)
            grads = tape.gradient(loss_value, model.trainable_weights)
            optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
            train_acc_metric(y_batch_train, logits)

        train_acc = train_acc_metric.result()
        print("Training acc over epoch: %s" % (float(train_acc),))
        train_acc_metric.reset_states()

        for x_batch_val, y_batch_val in val_dataset:
            val_logits = model(x_batch_val)
            val_acc_metric(y_batch_val, val_logits)
        val_acc = val_acc_metric.result()
        print("Validation acc: %s" % (float(val_acc),))
        val_acc_metric.reset_states()
    return Close(_sums(model.trainable_weights))
