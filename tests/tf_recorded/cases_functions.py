"""``tf.function``: same results, state, structure, errors."""

import numpy as np

from tests.tf_documents.fixed import numbers
from tests.tf_recorded.values import raised


def plain(tf):
    """A decorated function."""

    @tf.function
    def f(x, y=2.0):
        return x * y + 1.0

    return f(tf.constant(3.0)), f(tf.constant([1.0, 2.0]), y=5.0), f(2.0)


def with_parentheses(tf):
    """... decorated with arguments; or wrapped by a call."""

    @tf.function(autograph=True)
    def f(x):
        return tf.sin(x)

    g = tf.function(lambda x: x + 1.0)
    return f(tf.constant(1.0)), g(tf.constant(1.0))


def structures(tf):
    """Tuples, dictionaries and None come back."""

    @tf.function
    def f(x):
        return {"a": x, "b": (x + 1.0, None)}, [x * 2.0]

    return f(tf.constant(1.0))


def gradient_through(tf):
    """A tape outside."""

    @tf.function
    def f(x):
        return tf.reduce_sum(tf.exp(x) * x)

    x = tf.Variable([0.5, 1.0])
    with tf.GradientTape() as t:
        y = f(x)
    return y, t.gradient(y, x)


def gradient_inside(tf):
    """A tape inside, second order."""

    @tf.function
    def f(x):
        with tf.GradientTape() as t2:
            t2.watch(x)
            with tf.GradientTape() as t1:
                t1.watch(x)
                y = x**3
            g = t1.gradient(y, x)
        return g, t2.gradient(g, x)

    return f(tf.constant(2.0))


def second_order_through(tf):
    """Two tapes outside."""

    @tf.function
    def f(x):
        return tf.sin(x) * x

    x = tf.Variable(0.7)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = f(x)
        g = t1.gradient(y, x)
    return g, t2.gradient(g, x)


def branches(tf):
    """Python's ``if`` on tensors."""

    @tf.function
    def f(x):
        if x > 0.0:
            return x * 2.0
        elif x < -10.0:
            return x * 0.0
        else:
            return -x

    return [f(tf.constant(v)) for v in (3.0, -3.0, -30.0)]


def loops(tf):
    """``while`` on tensors."""

    @tf.function
    def f(x):
        n = tf.constant(0)
        while tf.reduce_sum(x) < 100.0:
            x = x * 2.0
            n += 1
        return x, n

    return f(tf.constant([1.0, 2.0]))


def range_loop(tf):
    """``tf.range`` with a number of turns that is a tensor."""

    @tf.function
    def f(n):
        total = tf.constant(0.0)
        for i in tf.range(n):
            if i % 2 == 0:
                total += tf.cast(i, tf.float32)
        return total

    return f(tf.constant(7)), f(tf.constant(0))


def loop_with_break(tf):
    """``break`` and ``continue``."""

    @tf.function
    def f(n):
        total = 0
        for i in tf.range(n):
            if i == 3:
                continue
            if i > 5:
                break
            total += i
        return total

    return f(tf.constant(10))


def loop_over_rows(tf):
    """A loop over a tensor's rows."""

    @tf.function
    def f(x):
        total = tf.zeros(2)
        for row in x:
            total += row * row
        return total

    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as t:
        t.watch(x)
        y = f(x)
    return y, t.gradient(y, x)


def python_loop(tf):
    """A loop over Python's own numbers."""

    @tf.function
    def f(x):
        for k in range(3):
            x = x * x + float(k)
        return x

    return f(tf.constant(1.5))


def gradient_through_loop(tf):
    """A gradient through a loop and a branch."""

    @tf.function
    def f(x):
        y = x
        for _ in tf.range(4):
            if y > 2.0:
                y = y * x
            else:
                y = y + x
        return y

    x = tf.Variable(1.5)
    with tf.GradientTape() as t:
        y = f(x)
    return y, t.gradient(y, x)


def state(tf):
    """Variables are read and written."""
    v = tf.Variable(1.0)

    @tf.function
    def f(x):
        v.assign_add(x)
        return v * 10.0

    first = f(tf.constant(2.0))
    v.assign(100.0)
    return first, f(tf.constant(1.0)), v


def function_in_function(tf):
    """Functions call functions."""

    @tf.function
    def inner(x):
        return x * x

    @tf.function
    def outer(x):
        return inner(x) + inner(x + 1.0)

    return outer(tf.constant(2.0))


def method(tf):
    """A decorated method keeps ``self``."""

    class Line(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(3.0)

        @tf.function
        def __call__(self, x):
            return self.w * x

        @tf.function
        def grow(self, by):
            self.w.assign_add(by)

    a, b = Line(), Line()
    a.grow(tf.constant(1.0))
    return a(tf.constant(2.0)), b(tf.constant(2.0)), a.w, b.w


def signature(tf):
    """Arguments are converted to the signature."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32)])
    def f(x, n):
        return x * tf.cast(n, tf.float32)

    return f(tf.constant([1.0, 2.0]), tf.constant(3)), f(np.ones(3, np.float32), 2)


def signature_refuses(tf):
    """... and arguments that do not fit are refused."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def f(x):
        return x

    return raised(lambda: f(tf.constant([[1.0]])), None), raised(lambda: f(tf.constant([1])), None)


def training_step(tf):
    """A tape and an optimizer inside."""
    w, opt = tf.Variable([1.0, -1.0]), tf.keras.optimizers.Adam(0.1)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as t:
            loss = tf.reduce_mean((tf.linalg.matvec(x, w) - y) ** 2)
        opt.apply_gradients([(t.gradient(loss, w), w)])
        return loss

    x, y = tf.constant(numbers(1, 5, 2)), tf.constant(numbers(2, 5))
    return [step(x, y) for _ in range(3)], w


def while_loop(tf):
    """The loop as a function."""
    i, total = tf.while_loop(
        lambda i, s: i < 5, lambda i, s: (i + 1, s + tf.cast(i, tf.float32)), [0, 1.0]
    )
    return i, total


def cond(tf):
    """The branch as a function, and several cases."""
    x = tf.constant(3.0)
    y = tf.cond(x > 2.0, lambda: x * 10.0, lambda: x)
    z = tf.case([(x < 1.0, lambda: x), (x < 4.0, lambda: -x)], default=lambda: x * 0.0)
    s = tf.switch_case(tf.constant(1), [lambda: x, lambda: x + 1.0])
    return y, z, s


def mapped(tf):
    """Functions over rows."""
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    total = tf.foldl(lambda a, r: a + r, x)
    return tf.map_fn(tf.reduce_sum, x), total, tf.vectorized_map(lambda r: r * r[0], x)


def run_eagerly(tf):
    """Functions can be told to run as they stand."""
    calls = []

    @tf.function
    def f(x):
        calls.append(1)
        return x + 1.0

    tf.config.run_functions_eagerly(True)
    try:
        found = [f(tf.constant(1.0)), f(tf.constant(2.0))]
    finally:
        tf.config.run_functions_eagerly(False)
    return found, len(calls)


def python_function(tf):
    """The function below."""

    @tf.function
    def f(x):
        """Add one."""
        return x + 1.0

    return f.python_function(1.0), f.__name__, f.__doc__


def error_inside(tf):
    """An error inside comes out."""

    @tf.function
    def f(x, y):
        return tf.matmul(x, y)

    return raised(lambda: f(tf.ones((2, 3)), tf.ones((2, 3))), None)


def devices(tf):
    """What there is to compute on."""
    cpus = tf.config.list_physical_devices("CPU")
    with tf.device("/CPU:0"):
        x = tf.constant(1.0) + 1.0
    kind = cpus[0].device_type
    return len(cpus), kind, x, tf.executing_eagerly(), tf.config.list_physical_devices("GPU")
