"""Custom gradients, recomputation, stopping."""

import numpy as np

from tests.tf_recorded.values import raised


def _log1pexp(tf):
    @tf.custom_gradient
    def log1pexp(x):
        e = tf.exp(x)

        def grad(upstream):
            return upstream * (1 - 1 / (1 + e))

        return tf.math.log(1 + e), grad

    return log1pexp


def stable(tf):
    """The usual example: finite where the plain derivative is not."""
    f, x = _log1pexp(tf), tf.constant(100.0)
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        y, z = f(x), tf.math.log(1 + tf.exp(x))
    return t.gradient(y, x), np.isnan(t.gradient(z, x).numpy()).item()


def without_tape(tf):
    """Without a tape only the value is computed."""
    return _log1pexp(tf)(tf.constant([0.0, 1.0]))


def upstream(tf):
    """What comes from above is passed in."""
    f, x = _log1pexp(tf), tf.Variable([0.0, 1.0])
    with tf.GradientTape() as t:
        y = tf.reduce_sum(f(x * 2.0) * [3.0, 5.0])
    return t.gradient(y, x)


def called_twice(tf):
    """Each call has its own backward function."""
    f, x = _log1pexp(tf), tf.Variable(0.5)
    with tf.GradientTape() as t:
        y = f(f(x)) + f(-x)
    return t.gradient(y, x)


def wrong_on_purpose(tf):
    """The gradient is what the function says."""

    @tf.custom_gradient
    def f(x):
        return x * 2.0, lambda dy: dy * 7.0

    x = tf.Variable(1.0)
    with tf.GradientTape() as t:
        y = f(x)
    return y, t.gradient(y, x)


def several_arguments(tf):
    """One gradient for each argument."""

    @tf.custom_gradient
    def f(x, y):
        def grad(dz):
            return dz * y * 10.0, dz * x

        return x * y, grad

    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as t:
        z = f(x, y) * 2.0
    return z, t.gradient(z, [x, y])


def several_outputs(tf):
    """One upstream value for each output."""

    @tf.custom_gradient
    def f(x):
        def grad(da, db):
            return da * 2.0 + db * 3.0

        return (x * x, x + 1.0), grad

    x = tf.Variable(4.0)
    with tf.GradientTape(persistent=True) as t:
        a, b = f(x)
        c = a * b
    return a, b, t.gradient(c, x), t.gradient(a, x), t.gradient(b, x)


def keywords(tf):
    """Keywords are passed, and have no gradient."""

    @tf.custom_gradient
    def f(x, *, power=2):
        def grad(dy):
            return dy * power * 100.0

        return x**power, grad

    x = tf.Variable(3.0)
    with tf.GradientTape() as t:
        y = f(x, power=3) + f(x)
    return y, t.gradient(y, x)


def no_gradient_for_one(tf):
    """A backward function may return None."""

    @tf.custom_gradient
    def f(x, y):
        return x * y, lambda dz: (dz, None)

    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as t:
        z = f(x, y)
    return t.gradient(z, [x, y])


def second_order(tf):
    """The backward function is differentiated by an outer tape."""
    f, x = _log1pexp(tf), tf.Variable(0.7)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = f(x)
        g = t1.gradient(y, x)
    return g, t2.gradient(g, x)


def second_order_own(tf):
    """A custom gradient inside a backward function."""

    @tf.custom_gradient
    def f(x):
        def first(dy):
            @tf.custom_gradient
            def slope(a):
                return 3.0 * a**2, lambda ddy: ddy * 50.0 * a

            return dy * slope(x)

        return x**3, first

    x = tf.Variable(2.0)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = f(x)
        g = t1.gradient(y, x)
    return g, t2.gradient(g, x)


def nested(tf):
    """One custom gradient calls another."""
    inner = _log1pexp(tf)

    @tf.custom_gradient
    def f(x):
        y = inner(x)

        def grad(dy):
            return dy * 10.0

        return y * 2.0, grad

    x = tf.Variable(0.3)
    with tf.GradientTape() as t:
        y = f(x)
    return y, t.gradient(y, x)


def clipped(tf):
    """An identity that clips the gradient's elements."""

    @tf.custom_gradient
    def clip(x, low, high):
        def grad(dy):
            return tf.clip_by_value(dy, low, high), None, None

        return tf.identity(x), grad

    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as t:
        y = clip(x, -4.0, 5.0) ** 2
    return t.gradient(y, x)


def rounded(tf):
    """Straight through a rounding."""

    @tf.custom_gradient
    def straight(x):
        return tf.round(x), lambda dy: dy

    x = tf.Variable([0.4, 1.6])
    with tf.GradientTape() as t:
        y = straight(x) * [2.0, 3.0]
    return y, t.gradient(y, x)


def with_variables(tf):
    """A function that reads variables gives their gradients too."""
    v = tf.Variable(3.0, name="v")

    @tf.custom_gradient
    def f(x):
        y = x * v

        def grad(dy, variables=None):
            return dy * 100.0, [dy * 1000.0 for _ in variables]

        return y, grad

    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = f(x * 1.0)
    return y, t.gradient(y, [x, v])


def with_variables_not_accepted(tf):
    """... and must accept ``variables``."""
    v = tf.Variable(3.0)

    @tf.custom_gradient
    def f(x):
        return x * v, lambda dy: dy

    x = tf.Variable(2.0)
    with tf.GradientTape():
        return raised(lambda: f(x * 1.0), "variables")


def wrong_count(tf):
    """As many gradients as arguments."""

    @tf.custom_gradient
    def f(x, y):
        return x * y, lambda dz: dz

    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as t:
        z = f(x, y)
    return raised(lambda: t.gradient(z, [x, y]), False)


def as_method(tf):
    """A method can be decorated."""

    class Scale:
        def __init__(self, k):
            self.k = k

        @tf.custom_gradient
        def _apply(self, x):
            return x * self.k, lambda dy: dy * 2.0

        def __call__(self, x):
            return tf.custom_gradient(lambda a: (a * self.k, lambda dy: dy * self.k * 2.0))(x)

    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = Scale(5.0)(x)
    return y, t.gradient(y, x)


def recompute(tf):
    """A recomputed function has the same value and gradient."""

    def f(x):
        return tf.reduce_sum(tf.sin(x) * tf.exp(x))

    x, g = tf.Variable([0.5, 1.0]), tf.recompute_grad(f)
    with tf.GradientTape(persistent=True) as t:
        y, z = f(x), g(x * 1.0)
    return y, z, t.gradient(y, x), t.gradient(z, x)


def recompute_counts(tf):
    """The function runs again for the gradient."""
    calls = []

    def f(x):
        calls.append(1)
        return x * x

    x, g = tf.constant(3.0), tf.recompute_grad(f)
    with tf.GradientTape() as t:
        t.watch(x)
        y = g(x)
    before = len(calls)
    return t.gradient(y, x), len(calls) > before


def recompute_variables(tf):
    """Variables that it reads get their gradients."""
    w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    x = tf.constant([[1.0, -1.0]])
    g = tf.recompute_grad(lambda a: tf.nn.relu(tf.matmul(a, w)) ** 2)
    with tf.GradientTape() as t:
        t.watch(x)
        y = g(-x)
    return y, t.gradient(y, [x, w])


def stopped(tf):
    """A stopped factor is a constant."""
    x = tf.Variable(3.0)
    with tf.GradientTape() as t:
        y = x * tf.stop_gradient(x)
    return y, t.gradient(y, x)


def stopped_second_order(tf):
    """... for the second derivative too."""
    x = tf.Variable(3.0)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = x**2 * tf.stop_gradient(x)
        g = t1.gradient(y, x)
    return g, t2.gradient(g, x)


def grad_pass_through(tf):
    """A function whose gradient is the identity."""
    x = tf.Variable([1.2, 2.7])
    with tf.GradientTape() as t:
        y = tf.grad_pass_through(tf.round)(x) * 3.0
    return y, t.gradient(y, x)
