"""Document 004, first half: control of the tape, custom gradients, tapes in tapes."""

import tempfile

from tests.tf_documents.fixed import dense, numbers


def stop_recording(tf):
    """What happens while the recording is stopped is not seen."""
    x = tf.Variable(2.0)
    y = tf.Variable(3.0)

    with tf.GradientTape() as t:
        x_sq = x * x
        with t.stop_recording():
            y_sq = y * y
        z = x_sq + y_sq

    grad = t.gradient(z, {"x": x, "y": y})

    print("dz/dx:", grad["x"])  # 2*x => 4
    print("dz/dy:", grad["y"])
    return grad


def reset(tf):
    """A reset throws away what was recorded."""
    x = tf.Variable(2.0)
    y = tf.Variable(3.0)
    reset = True

    with tf.GradientTape() as t:
        y_sq = y * y
        if reset:
            # Throw out all the tape recorded so far.
            t.reset()
        z = x * x + y_sq

    grad = t.gradient(z, {"x": x, "y": y})

    print("dz/dx:", grad["x"])  # 2*x => 4
    print("dz/dy:", grad["y"])
    return grad


def stop_gradient(tf):
    """No gradient flows through ``stop_gradient``."""
    x = tf.Variable(2.0)
    y = tf.Variable(3.0)

    with tf.GradientTape() as t:
        y_sq = y**2
        z = x**2 + tf.stop_gradient(y_sq)

    grad = t.gradient(z, {"x": x, "y": y})

    print("dz/dx:", grad["x"])  # 2*x => 4
    print("dz/dy:", grad["y"])
    return grad


def make_clip(tf):
    """The document's identity that clips in the gradient pass."""

    @tf.custom_gradient
    def clip_gradients(y):
        def backward(dy):
            return tf.clip_by_norm(dy, 0.5)

        return y, backward

    return clip_gradients


def custom_gradient(tf):
    """A custom gradient in the middle of a program."""
    clip_gradients = make_clip(tf)
    v = tf.Variable(2.0)
    with tf.GradientTape() as t:
        output = clip_gradients(v * v)
    print(t.gradient(output, v))  # calls "backward", which clips 4 to 2


def make_module(tf):
    """The module that the document saves."""
    clip_gradients = make_clip(tf)

    class MyModule(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(None)])
        def call_custom_grad(self, x):
            return clip_gradients(x)

    return MyModule()


def module_function(tf):
    """The module's function, before saving."""
    model, v = make_module(tf), tf.Variable(2.0)
    with tf.GradientTape() as t:
        output = model.call_custom_grad(v * v)
    return output, t.gradient(output, v)


def saved_model(tf):
    """A custom gradient saved and loaded."""
    model = make_module(tf)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(
            model,
            folder + "/saved_model",
            options=tf.saved_model.SaveOptions(experimental_custom_gradients=True),
        )

        # The loaded gradients will be the same as the above example.
        v = tf.Variable(2.0)
        loaded = tf.saved_model.load(folder + "/saved_model")
        with tf.GradientTape() as t:
            output = loaded.call_custom_grad(v * v)
        print(t.gradient(output, v))


def several_tapes(tf):
    """Two tapes that watch different tensors."""
    x0 = tf.constant(0.0)
    x1 = tf.constant(0.0)

    with tf.GradientTape() as tape0, tf.GradientTape() as tape1:
        tape0.watch(x0)
        tape1.watch(x1)

        y0 = tf.math.sin(x0)
        y1 = tf.nn.sigmoid(x1)

        y = y0 + y1

        ys = tf.reduce_sum(y)

    print(tape0.gradient(ys, x0).numpy())  # cos(x) => 1.0
    print(tape1.gradient(ys, x1).numpy())  # sigmoid(x1)*(1-sigmoid(x1)) => 0.25


def higher_order(tf):
    """A second derivative."""
    x = tf.Variable(1.0)  # Create a Tensorflow variable initialized to 1.0

    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = x * x * x

        # Compute the gradient inside the outer `t2` context manager
        # which means the gradient computation is differentiable as well.
        dy_dx = t1.gradient(y, x)
    d2y_dx2 = t2.gradient(dy_dx, x)

    print("dy_dx:", dy_dx.numpy())  # 3 * x**2 => 3.0
    print("d2y_dx2:", d2y_dx2.numpy())  # 6 * x => 6.0


def _regularized(tf, x, layer):
    with tf.GradientTape() as t2:
        # The inner tape only takes the gradient with respect to the input,
        # not the variables.
        with tf.GradientTape(watch_accessed_variables=False) as t1:
            t1.watch(x)
            layer(x)
            out = tf.reduce_sum(layer(x) ** 2)
        # 1. Calculate the input gradient.
        g1 = t1.gradient(out, x)
        # 2. Calculate the magnitude of the input gradient.
        g1_mag = tf.norm(g1)

    # 3. Calculate the gradient of the magnitude with respect to the model.
    dg1_mag = t2.gradient(g1_mag, layer.trainable_variables)
    return g1, g1_mag, dg1_mag


def input_gradient(tf):
    """Regularisation of the input gradient, random data: shapes."""
    x = tf.random.normal([7, 5])

    layer = tf.keras.layers.Dense(10, activation=tf.nn.relu)
    _, _, dg1_mag = _regularized(tf, x, layer)
    print([var.shape for var in dg1_mag])


def input_gradient_fixed(tf):
    """... fixed data: numbers."""
    layer = dense(tf, 5, 10, 30, tf.nn.relu)
    return _regularized(tf, tf.constant(numbers(31, 7, 5)), layer)
