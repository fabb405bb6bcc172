"""What a tape watches, and what it is asked for."""

from tests.tf_recorded.logs import logged
from tests.tf_recorded.values import raised


def _xy(tf):
    return tf.Variable(2.0), tf.Variable(3.0)


def watch_list(tf):
    """A list of tensors is watched."""
    a, b = tf.constant(2.0), tf.constant(3.0)
    with tf.GradientTape() as t:
        t.watch([a, b])
        y = a * b
    return t.gradient(y, [a, b])


def watch_nested(tf):
    """... and a dictionary of tuples."""
    a, b, c = tf.constant(2.0), tf.constant(3.0), tf.constant(5.0)
    with tf.GradientTape() as t:
        t.watch({"p": (a, b), "q": [c]})
        y = a * b * c
    return t.gradient(y, {"p": (a, b), "q": [c]})


def watch_number(tf):
    """A Python number cannot be watched."""
    with tf.GradientTape() as t:
        return raised(lambda: t.watch(3.0))


def watch_array(tf):
    """A list of numbers neither."""
    with tf.GradientTape() as t:
        return raised(lambda: t.watch([1.0, 2.0]))


def watch_integer_warns(tf):
    """Watching integers is logged and useless."""
    i = tf.constant(2)
    with tf.GradientTape() as t:
        texts = logged(tf, lambda: t.watch(i))
        y = i * i
    return texts, t.gradient(y, i)


def watch_after_use(tf):
    """What happened before the watch is not seen."""
    x = tf.constant(3.0)
    with tf.GradientTape() as t:
        y = x * x
        t.watch(x)
        z = y * x
    return t.gradient(z, x)


def watch_outside(tf):
    """A watch before the context is an error."""
    t = tf.GradientTape()
    x = tf.constant(1.0)
    return raised(lambda: t.watch(x), None)


def watch_intermediate(tf):
    """A computed tensor can be watched and asked for."""
    x = tf.constant(3.0)
    y = x * x
    with tf.GradientTape() as t:
        t.watch(y)
        z = y * y
    return t.gradient(z, [y, x])


def gradient_of_intermediate(tf):
    """Gradients by a tensor between source and target, not watched itself."""
    x = tf.Variable(3.0)
    with tf.GradientTape() as t:
        y = x * x
        z = y * y
    return t.gradient(z, [y, x])


def structure_of_sources(tf):
    """The answer has the structure of the sources."""
    x, y = _xy(tf)
    with tf.GradientTape() as t:
        z = x * x * y
    found = t.gradient(z, {"a": [x, (y, x)], "b": y})
    return found, type(found["a"]).__name__, type(found["a"][1]).__name__


def tuple_of_sources(tf):
    """A tuple gives a tuple."""
    x, y = _xy(tf)
    with tf.GradientTape() as t:
        z = x * y
    return t.gradient(z, (x, y))


def no_sources(tf):
    """No sources, no gradients."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        z = x * x
    return t.gradient(z, [])


def same_source_twice(tf):
    """A source named twice gets the whole gradient twice."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        z = x * x
    return t.gradient(z, [x, x])


def source_is_target(tf):
    """The gradient of a thing by itself."""
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as t:
        t.watch(x)
        y = x * 2.0
    return t.gradient(y, [y, x])


def source_watched_is_target(tf):
    """The gradient of a watched tensor by itself."""
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as t:
        t.watch(x)
    return t.gradient(x, x)


def unwatched_target_is_source(tf):
    """Asked for an unwatched constant by itself."""
    x = tf.constant(1.0)
    with tf.GradientTape() as t:
        pass
    return t.gradient(x, x)


def targets_are_summed(tf):
    """Several targets, of different shapes, are summed."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t:
        y = x * x
        z = tf.reduce_sum(x) * 3.0
    return t.gradient([y, z], x)


def targets_in_dictionary(tf):
    """Targets may be a nested structure."""
    x, y = _xy(tf)
    with tf.GradientTape() as t:
        a, b = x * y, x + y
    return t.gradient({"a": a, "b": (b, a)}, [x, y])


def target_unconnected_in_list(tf):
    """A target that depends on nothing adds nothing."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        y = x * x
    return t.gradient([y, tf.constant(1.0)], x)


def target_none(tf):
    """None is no target."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        x * x
    return raised(lambda: t.gradient(None, x))


def target_vector(tf):
    """A vector target is summed over its elements."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x * tf.constant([1.0, 2.0, 3.0])
    return t.gradient(y, x)


def output_gradients(tf):
    """Weights for the elements of a target."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t:
        y = x * x
    return t.gradient(y, x, output_gradients=tf.constant([10.0, 100.0]))


def output_gradients_list(tf):
    """Weights for several targets."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t:
        y, z = x * x, x * 3.0
    return t.gradient([y, z], x, output_gradients=[tf.constant([10.0, 100.0]), tf.ones(2)])


def output_gradients_numbers(tf):
    """Weights may be plain lists, one for each target."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x * x
    return t.gradient([y], x, output_gradients=[0.5])


def unconnected_none(tf):
    """None is the default."""
    x, y = _xy(tf)
    with tf.GradientTape() as t:
        z = x * 1.0
    return t.gradient(z, [x, y])


def unconnected_zero(tf):
    """Zeros of the source's shape where asked for."""
    x, y = tf.Variable(2.0), tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as t:
        z = x * 1.0
    return t.gradient(z, [x, y], unconnected_gradients="zero")


def unconnected_enum(tf):
    """The names have constants."""
    x, y = _xy(tf)
    with tf.GradientTape() as t:
        z = x * 1.0
    return t.gradient(z, y, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def unconnected_unknown(tf):
    """Any other value is refused."""
    x, y = _xy(tf)
    with tf.GradientTape() as t:
        z = x * 1.0
    return raised(lambda: t.gradient(z, y, unconnected_gradients="nothing"), "nothing")


def output_gradient_is_broadcast(tf):
    """One number for all elements of the target."""
    x = tf.Variable([2.0, 1.0])
    with tf.GradientTape() as t:
        y = x * x
    return t.gradient(y, x, output_gradients=2.0)


def output_gradients_too_few(tf):
    """Targets without one get ones."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y, z = x * x, x**3
    return t.gradient([y, z], x, output_gradients=[tf.constant(2.0)])


def fibonacci_in_function(tf):
    """Names that change places in a loop over a range."""

    @tf.function
    def f(n):
        a, b = tf.constant(0), tf.constant(1)
        for _ in tf.range(n):
            a, b = b, a + b
        return a

    return [f(tf.constant(n)) for n in (10, 20, 0)]


def gradient_through_loop_in_function(tf):
    """A tape around a function that loops, and a function with the tape around the loop."""
    x = tf.Variable(1.25)

    @tf.function
    def power(n):
        y = x * 1.0
        for _ in tf.range(n):
            y = y * x
        return y

    @tf.function
    def derivative(n):
        with tf.GradientTape() as t:
            y = power(n)
        return t.gradient(y, x)

    found = []
    for n in (4, 4, 2):
        with tf.GradientTape() as t:
            y = power(tf.constant(n))
        found.append((t.gradient(y, x), derivative(tf.constant(n))))
    return found


def decisions_in_function(tf):
    """Python's ``if`` and ``while`` on tensors."""

    @tf.function
    def f(x):
        if x > 0.0:
            while x < 100.0:
                x = x * 3.0
            return x
        return -x

    return [f(tf.constant(x)) for x in (1.0, -2.0, 7.0, -3.0, 200.0)]
