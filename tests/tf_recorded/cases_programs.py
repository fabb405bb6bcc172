"""Small programs of several parts: loops, functions in functions, tapes, models."""

import numpy as np

from tests.tf_documents.fixed import numbers, set_weights
from tests.tf_recorded.values import Close, raised


def python_default(tf):
    """A Python number as an argument decides how often a loop turns."""

    @tf.function
    def f(x, n=3):
        s = tf.zeros_like(x)
        for i in range(n):
            s += x**i
        return s

    x = tf.constant([1.0, 2.0])
    return f(x), f(x, n=2), f(tf.constant([1.0, 2.0], tf.float64))


def list_in_function(tf):
    """A list collects tensors."""

    @tf.function
    def f(x):
        ys = []
        for i in range(3):
            ys.append(x * float(i))
        return tf.stack(ys)

    return f(tf.constant(2.0))


def factorial(tf):
    """A loop over an integer tensor."""

    @tf.function
    def f(n):
        r = 1
        while n > 1:
            r *= n
            n -= 1
        return r

    return f(tf.constant(5))


def collatz(tf):
    """A branch in a loop."""

    @tf.function
    def f(n):
        c = tf.constant(0)
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            c += 1
        return c

    return f(tf.constant(27))


def training_flag(tf):
    """A Python flag picks the branch."""

    @tf.function
    def f(x, training=False):
        if training:
            return x * 2
        return x

    return f(tf.constant(1.0)), f(tf.constant(1.0), training=True)


def assignments_in_loop(tf):
    """Variables change in a loop."""
    v = tf.Variable(0.0)

    @tf.function
    def f(n):
        for i in tf.range(n):
            if i % 2 == 0:
                v.assign_add(1.0)
            else:
                v.assign(v * 2.0)

    return f(tf.constant(5)), v


def newton(tf):
    """A tape in a loop."""

    @tf.function
    def f(x):
        for _ in tf.range(20):
            with tf.GradientTape() as t:
                t.watch(x)
                y = x**3 - 2.0
            g = t.gradient(y, x)
            x = x - y / g
        return x

    return f(tf.constant(1.0))


def jacobian_in_function(tf):
    """A jacobian inside."""

    @tf.function
    def f(x):
        with tf.GradientTape() as t:
            t.watch(x)
            y = tf.stack([x[0] * x[1], x[1] ** 2])
        return t.jacobian(y, x)

    return f(tf.constant([2.0, 3.0]))


def print_in_function(tf):
    """Printing happens at each call."""

    @tf.function
    def f(x):
        tf.print("value", x)
        return x

    f(tf.constant(1.5))
    return f(tf.constant(2.5))


def adam_in_function(tf):
    """``minimize`` of a function without a name."""
    opt, v = tf.keras.optimizers.Adam(0.1), tf.Variable([1.0, 2.0])

    @tf.function
    def step():
        opt.minimize(lambda: tf.reduce_sum(v**2), [v])

    for _ in range(5):
        step()
    return Close(v), opt.iterations


def arguments(tf):
    """Tuples, dictionaries, any number of arguments."""

    @tf.function
    def pair(x):
        a, b = x
        return a * b

    @tf.function
    def named(d):
        return {"s": d["a"] + d["b"], "t": (d["a"],)}

    @tf.function
    def many(*args, **kw):
        return sum(args) + kw["k"]

    x, y = tf.constant(2.0), tf.constant(3.0)
    return pair((x, y)), named({"a": x, "b": y}), many(x, y, k=y)


def closure(tf):
    """A function inside a function."""

    @tf.function
    def f(x):
        def inner(y):
            return y * x

        return inner(tf.constant(3.0)) + inner(4.0)

    return f(tf.constant(2.0))


def logic(tf):
    """``and``, ``or`` and ``not`` of tensors."""

    @tf.function
    def f(x):
        return (x and tf.constant(True)) or tf.constant(False), not x

    return f(tf.constant(True))


def hessian_vector_product(tf):
    """Two tapes in a function, with weights for the outer one."""

    @tf.function
    def hvp(x, v):
        with tf.GradientTape() as o:
            o.watch(x)
            with tf.GradientTape() as i:
                i.watch(x)
                y = tf.reduce_sum(x**3)
            g = i.gradient(y, x)
        return o.gradient(g, x, output_gradients=v)

    return hvp(tf.constant([1.0, 2.0, 3.0]), tf.constant([1.0, 0.0, 2.0]))


def list_of_targets(tf):
    """Targets from a list comprehension, one of them constant."""
    x = tf.Variable(1.0)
    with tf.GradientTape() as t:
        y = [x * i for i in range(3)]
    return t.gradient(y, x)


def other_tape(tf):
    """A tape does not see what another recorded."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t:
        y = tf.reduce_sum(x * x)
    with tf.GradientTape() as s:
        g = x * 2
    return t.gradient(y, x), s.gradient(g, x)


def through_numbers(tf):
    """What goes through Python's or NumPy's numbers is constant."""
    x = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as t:
        y = x.numpy() * x
        z = float(x * 3.0) * x
    return t.gradient(y, x), t.gradient(z, x)


def stopped_part(tf):
    """What was computed while stopped is constant."""
    v = tf.Variable(1.0)
    with tf.GradientTape() as t:
        with t.stop_recording():
            g = v * 2
        y = g * v
    return t.gradient(y, v)


def reset_twice(tf):
    """A reset in the middle; what came before is unconnected."""
    x = tf.constant(2.0)
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        y = x * x
        t.reset()
        t.watch(x)
        z = x * x * x
    return t.gradient(y, x), t.gradient(z, x)


def gradient_inside_then_after(tf):
    """A gradient inside uses up the tape."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x * x
        g = t.gradient(y, x)
        z = x * x * x
    return g, raised(lambda: t.gradient(z, x))


def linear_algebra(tf):
    """Jacobians through matrices."""
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape(persistent=True) as t:
        y = tf.linalg.matvec(x, [1.0, 1.0])
        z = tf.linalg.trace(x @ x)
        w = tf.linalg.inv(x)
    return t.jacobian(y, x), t.gradient(z, x), Close(t.jacobian(w, x))


def double_variable(tf):
    """A float64 variable through float32."""
    x = tf.Variable(2.0, dtype=tf.float64)
    with tf.GradientTape() as t:
        y = tf.cast(x, tf.float32) ** 2
    return t.gradient(y, x)


def regression(tf):
    """Adam on a linear model, with a metric by its short name."""
    layer = tf.keras.layers.Dense(1, input_shape=(3,), kernel_initializer="zeros")
    model = tf.keras.Sequential([layer])
    model.compile(optimizer=tf.keras.optimizers.Adam(0.1), loss="mse", metrics=["mae"])
    x = numbers(1, 40, 3)
    y = x @ np.array([[1.0], [2.0], [-1.0]], np.float32)
    history = model.fit(x, y, epochs=4, batch_size=10, shuffle=False, verbose=0)
    scores = model.evaluate(x, y, verbose=0, batch_size=7)
    return Close([history.history, model.predict(x[:3], verbose=0), scores])


def deep_model(tf):
    """Four layers, gradients by input and by weights."""
    k = tf.keras.layers
    model = tf.keras.Sequential(
        [
            k.Flatten(input_shape=(2, 2)),
            k.Dense(3, activation=tf.nn.gelu),
            k.Dropout(0.3),
            k.Dense(2),
        ]
    )
    set_weights(model.trainable_variables, 1)
    x = tf.constant(numbers(4, 5, 2, 2))
    with tf.GradientTape() as t:
        t.watch(x)
        y = model(x)
        loss = tf.keras.losses.MeanSquaredError()(tf.ones((5, 2)), y)
    return Close([y, loss, t.gradient(loss, [x, *model.trainable_variables])])


def own_train_step(tf):
    """A model with its own step of training."""

    class Model(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.d = tf.keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, x):
            return self.d(x)

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as t:
                loss = tf.reduce_mean((y - self(x, training=True)) ** 2)
            g = t.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(g, self.trainable_variables, strict=True))
            return {"loss": loss}

    model = Model()
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1))
    x, y = numbers(1, 8, 2), numbers(2, 8, 1)
    return Close(model.fit(x, y, epochs=3, verbose=0, shuffle=False, batch_size=8).history)


def own_loss(tf):
    """A loss that is a function."""

    def loss(y, p):
        return tf.reduce_mean(tf.abs(y - p), axis=-1)

    layer = tf.keras.layers.Dense(1, input_shape=(2,), kernel_initializer="ones")
    model = tf.keras.Sequential([layer])
    model.compile("sgd", loss=loss)
    x, y = numbers(1, 8, 2), numbers(2, 8, 1)
    return Close(model.fit(x, y, epochs=2, verbose=0, shuffle=False).history)


def frozen_normalization(tf):
    """A frozen normalisation uses what it has kept."""
    layer, x = tf.keras.layers.BatchNormalization(), tf.constant(numbers(1, 8, 3) * 2 + 1)
    for _ in range(3):
        layer(x, training=True)
    layer.trainable = False
    y = layer(x, training=True)
    counts = len(layer.trainable_variables), len(layer.non_trainable_variables)
    return Close([y, layer.moving_mean, layer.moving_variance]), counts


def configuration(tf):
    """What layers and optimizers say of themselves."""
    layer = tf.keras.layers.Dense(3, activation="relu", name="d")
    kept = tf.keras.optimizers.Adam(0.5, beta_1=0.8).get_config()
    return layer.get_config()["units"], layer.name, float(kept["beta_1"]), kept["name"]


def initial_values(tf):
    """Initialisers as functions: exact ones, and spreads."""
    init = tf.keras.initializers
    exact = [init.Zeros()((2,)), init.Ones()((1, 2)), init.Constant(3.0)((2,))]
    glorot = init.GlorotUniform(seed=1)((200, 100))
    spread = float(tf.math.reduce_std(init.HeNormal()((500, 100))))
    within = abs(spread - (2 / 500) ** 0.5) < 0.003
    return exact, within, bool(tf.reduce_max(glorot) <= (6 / 300) ** 0.5)
