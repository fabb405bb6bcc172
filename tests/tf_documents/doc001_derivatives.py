"""Document 001: derivatives by differences and by tape, and gradient descent."""


def _f(x):
    return 3.0 * x**2 + 2.0 * x - 1


def _approximate_derivative(f, x, eps=1e-3):
    return (f(x + eps) - f(x - eps)) / (2.0 * eps)


def _g(x1, x2):
    return (x1 + 5) * (x2**2)


def by_differences(tf):
    """A derivative by central differences."""
    print(_approximate_derivative(_f, 1.0))


def gradient_by_differences(tf):
    """Two partial derivatives by central differences."""

    def approximate_gradient(g, x1, x2, eps=1e-3):
        dg_x1 = _approximate_derivative(lambda x: g(x, x2), x1, eps)
        dg_x2 = _approximate_derivative(lambda x: g(x1, x), x2, eps)
        return dg_x1, dg_x2

    print(approximate_gradient(_g, 2.0, 3.0))


def one_gradient(tf):
    """A gradient by tape."""
    x1 = tf.Variable(2.0)
    x2 = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = _g(x1, x2)

    dz_x1 = tape.gradient(z, x1)
    print(dz_x1)
    return dz_x1


def second_call_fails(tf):
    """A tape that is not persistent answers once."""
    x1 = tf.Variable(2.0)
    x2 = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = _g(x1, x2)

    tape.gradient(z, x1)
    try:
        tape.gradient(z, x2)
    except RuntimeError as ex:
        print(ex)


def persistent(tf):
    """A persistent tape answers more often."""
    x1 = tf.Variable(2.0)
    x2 = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        z = _g(x1, x2)

    dz_x1 = tape.gradient(z, x1)
    dz_x2 = tape.gradient(z, x2)
    print(dz_x1, dz_x2)

    del tape


def both_at_once(tf):
    """A list of sources gives a list of gradients."""
    x1 = tf.Variable(2.0)
    x2 = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = _g(x1, x2)

    dz_x1x2 = tape.gradient(z, [x1, x2])
    print(dz_x1x2)
    return dz_x1x2


def constants(tf):
    """Constants are not watched."""
    x1 = tf.constant(2.0)
    x2 = tf.constant(3.0)
    with tf.GradientTape() as tape:
        z = _g(x1, x2)

    dz_x1x2 = tape.gradient(z, [x1, x2])
    print(dz_x1x2)
    return dz_x1x2


def watched_constants(tf):
    """... unless they are asked to be."""
    x1 = tf.constant(2.0)
    x2 = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x1)
        tape.watch(x2)
        z = _g(x1, x2)

    dz_x1x2 = tape.gradient(z, [x1, x2])
    print(dz_x1x2)
    return dz_x1x2


def two_targets(tf):
    """Targets are summed."""
    x = tf.Variable(5.0)
    with tf.GradientTape() as tape:
        z1 = 3 * x
        z2 = x**2
    total = tape.gradient([z1, z2], x)
    print(repr(total))
    return total


def second_order(tf):
    """All second derivatives by two persistent tapes."""
    x1 = tf.Variable(2.0)
    x2 = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as outer_tape:
        with tf.GradientTape(persistent=True) as inner_tape:
            z = _g(x1, x2)
        inner_grads = inner_tape.gradient(z, [x1, x2])
    outer_grads = [outer_tape.gradient(inner_grad, [x1, x2]) for inner_grad in inner_grads]
    print(outer_grads)
    del inner_tape
    del outer_tape
    return outer_grads


def descent(tf):
    """Gradient descent by hand."""
    learning_rate = 0.1
    x = tf.Variable(0.0)

    for _ in range(100):
        with tf.GradientTape() as tape:
            z = _f(x)
        dz_dx = tape.gradient(z, x)
        x.assign_sub(learning_rate * dz_dx)
    print(x)


def descent_by_optimizer(tf):
    """Gradient descent by an optimizer that is given ``lr=``."""
    learning_rate = 0.1
    x = tf.Variable(0.0)

    optimizer = tf.keras.optimizers.SGD(lr=learning_rate)

    for _ in range(100):
        with tf.GradientTape() as tape:
            z = _f(x)
        dz_dx = tape.gradient(z, x)
        optimizer.apply_gradients([(dz_dx, x)])
    print(x)
