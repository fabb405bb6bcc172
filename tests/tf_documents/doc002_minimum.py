"""Document 002: derivatives and the minimum of a quadratic, eagerly and in functions."""


def _coefficients(tf):
    return tf.constant(1.0), tf.constant(-2.0), tf.constant(1.0)


def devices(tf):
    """In [3]: choosing a device, where there is one."""
    gpus = tf.config.list_physical_devices("GPU")

    if gpus:
        gpu0 = gpus[0]
        tf.config.experimental.set_memory_growth(gpu0, True)
        tf.config.set_visible_devices([gpu0], "GPU")
    return isinstance(gpus, list)


def first_derivative(tf):
    """In [4]: the derivative of a*x**2 + b*x + c."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)
    a, b, c = _coefficients(tf)

    with tf.GradientTape() as tape:
        y = a * tf.pow(x, 2) + b * x + c

    dy_dx = tape.gradient(y, x)
    print(dy_dx)


def watched_constants(tf):
    """In [5]: derivatives by constants, which are watched."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)
    a, b, c = _coefficients(tf)

    with tf.GradientTape() as tape:
        tape.watch([a, b, c])
        y = a * tf.pow(x, 2) + b * x + c

    dy_dx, dy_da, dy_db, dy_dc = tape.gradient(y, [x, a, b, c])
    print(dy_da)
    print(dy_dc)
    return dy_dx, dy_db


def second_derivative(tf):
    """In [6]: two tapes."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)
    a, b, c = _coefficients(tf)

    with tf.GradientTape() as tape2:
        with tf.GradientTape() as tape1:
            y = a * tf.pow(x, 2) + b * x + c
        dy_dx = tape1.gradient(y, x)
    dy2_dx2 = tape2.gradient(dy_dx, x)

    print(dy2_dx2)


def make_derivative(tf):
    """The function of In [7], for the tests that look at it too."""

    @tf.function
    def f(x):
        a = tf.constant(1.0)
        b = tf.constant(-2.0)
        c = tf.constant(1.0)

        x = tf.cast(x, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = a * tf.pow(x, 2) + b * x + c
        dy_dx = tape.gradient(y, x)

        return (dy_dx, y)

    return f


def derivative_in_function(tf):
    """In [7]: a function that has a tape inside."""
    f = make_derivative(tf)
    tf.print(f(tf.constant(0.0)))
    tf.print(f(tf.constant(1.0)))
    return f(tf.constant(3))


def minimum_by_steps(tf):
    """In [8]: 1000 steps of apply_gradients."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)
    a, b, c = _coefficients(tf)

    optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
    for _ in range(1000):
        with tf.GradientTape() as tape:
            y = a * tf.pow(x, 2) + b * x + c
        dy_dx = tape.gradient(y, x)
        optimizer.apply_gradients(grads_and_vars=[(dy_dx, x)])

    tf.print("y =", y, "; x =", x)


def minimum_by_minimize(tf):
    """In [9]: 1000 steps of minimize."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)

    def f():
        a = tf.constant(1.0)
        b = tf.constant(-2.0)
        c = tf.constant(1.0)
        y = a * tf.pow(x, 2) + b * x + c
        return y

    optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
    for _ in range(1000):
        optimizer.minimize(f, [x])

    tf.print("y =", f(), "; x =", x)


def make_minimizef(tf):
    """The function of In [10] and its variable."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)

    @tf.function
    def minimizef():
        a = tf.constant(1.0)
        b = tf.constant(-2.0)
        c = tf.constant(1.0)

        for _ in tf.range(1000):
            with tf.GradientTape() as tape:
                y = a * tf.pow(x, 2) + b * x + c
            dy_dx = tape.gradient(y, x)
            optimizer.apply_gradients(grads_and_vars=[(dy_dx, x)])

        y = a * tf.pow(x, 2) + b * x + c
        return y

    return minimizef, x


def minimum_in_function(tf):
    """In [10]: the whole minimisation in one function."""
    minimizef, x = make_minimizef(tf)
    tf.print(minimizef())
    tf.print(x)


def make_train(tf):
    """The function of In [11] and its variable."""
    x = tf.Variable(0.0, name="x", dtype=tf.float32)
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)

    @tf.function
    def f():
        a = tf.constant(1.0)
        b = tf.constant(-2.0)
        c = tf.constant(1.0)
        y = a * tf.pow(x, 2) + b * x + c
        return y

    @tf.function
    def train(epoch):
        for _ in tf.range(epoch):
            optimizer.minimize(f, [x])
        return f()

    return train, x


def minimum_by_functions(tf):
    """In [11]: a function that minimises another."""
    train, x = make_train(tf)
    tf.print(train(1000))
    tf.print(x)
