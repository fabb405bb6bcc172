"""Jacobians, hessians, batch jacobians."""

from tests.tf_recorded.values import raised


def _x(tf):
    return tf.Variable([1.0, 2.0, 3.0])


def vector_by_vector(tf):
    """The plain case."""
    x = _x(tf)
    with tf.GradientTape() as t:
        y = tf.stack([x[0] * x[1], x[1] * x[2] ** 2])
    return t.jacobian(y, x)


def scalar_target(tf):
    """The jacobian of a scalar is its gradient."""
    x = _x(tf)
    with tf.GradientTape() as t:
        y = tf.reduce_sum(x**3)
    return t.jacobian(y, x)


def scalar_by_scalar(tf):
    """... of a scalar source too."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x**3
    return t.jacobian(y, x)


def matrix_by_matrix(tf):
    """Four axes."""
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.matmul(x, x)
    return t.jacobian(y, x)


def several_sources(tf):
    """A list of sources, one unconnected."""
    x, y, z = _x(tf), tf.Variable(2.0), tf.Variable(1.0)
    with tf.GradientTape() as t:
        w = x * y
    return t.jacobian(w, [x, y, z])


def dictionary_of_sources(tf):
    """The structure is kept."""
    x, y = _x(tf), tf.Variable(2.0)
    with tf.GradientTape() as t:
        w = x * y
    return t.jacobian(w, {"x": x, "rest": (y,)})


def unconnected_zero(tf):
    """Zeros where asked for."""
    x, z = _x(tf), tf.Variable([1.0, 1.0])
    with tf.GradientTape() as t:
        w = x * 2.0
    return t.jacobian(w, [x, z], unconnected_gradients="zero")


def without_vectorization(tf):
    """Row by row, on a persistent tape."""
    x = _x(tf)
    with tf.GradientTape(persistent=True) as t:
        y = tf.sin(x) * x[0]
    return t.jacobian(y, x, experimental_use_pfor=False), t.jacobian(y, x)


def without_vectorization_or_persistence(tf):
    """... else it is refused."""
    x = _x(tf)
    with tf.GradientTape() as t:
        y = tf.sin(x)
    return raised(lambda: t.jacobian(y, x, experimental_use_pfor=False))


def parallel_iterations(tf):
    """A hint that changes nothing."""
    x = _x(tf)
    with tf.GradientTape(persistent=True) as t:
        y = tf.sin(x)
    return t.jacobian(y, x, parallel_iterations=2)


def second_call(tf):
    """A jacobian uses up a tape."""
    x = _x(tf)
    with tf.GradientTape() as t:
        y = x * x
    t.jacobian(y, x)
    return [raised(lambda: t.jacobian(y, x)), raised(lambda: t.gradient(y, x))]


def batch_second_call(tf):
    """A batch jacobian refuses a used tape as well."""
    x = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as t:
        t.watch(x)
        y = x * x
    t.gradient(y, x)
    return raised(lambda: t.batch_jacobian(y, x), "non-persistent GradientTape can only be used")


def float64(tf):
    """In double precision."""
    x = tf.Variable([1.0, 2.0], dtype=tf.float64)
    with tf.GradientTape() as t:
        y = tf.exp(x) * x[0]
    return t.jacobian(y, x)


def hessian(tf):
    """The jacobian of a gradient."""
    x = _x(tf)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = x[0] ** 2 * x[1] * tf.exp(x[2])
        g = t1.gradient(y, x)
    return t2.jacobian(g, x)


def jacobian_inside(tf):
    """A jacobian that an outer tape differentiates."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = x**3
        j = t1.jacobian(y, x)
        total = tf.reduce_sum(j * j)
    return j, t2.gradient(total, x)


def jacobian_of_jacobian(tf):
    """Three axes of second derivatives."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = tf.stack([x[0] ** 2 * x[1], x[1] ** 3])
        j = t1.jacobian(y, x)
    return t2.jacobian(j, x)


def through_broadcasting(tf):
    """A row against a column."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as t:
        y = x[:, None] * x[None, :] + x
    return t.jacobian(y, x)


def empty_target(tf):
    """No rows."""
    x = _x(tf)
    with tf.GradientTape() as t:
        y = x[:0] * 2.0
    return t.jacobian(y, x).shape


def _batch(tf):
    return tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def batch(tf):
    """One jacobian for each row."""
    x = _batch(tf)
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.stack([x[:, 0] * x[:, 1], x[:, 0] ** 2, x[:, 1]], axis=1)
    return t.batch_jacobian(y, x)


def batch_of_matrices(tf):
    """More axes on either side."""
    x = tf.reshape(tf.range(12.0), (2, 3, 2))
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.transpose(x, [0, 2, 1]) ** 2
    return t.batch_jacobian(y, x)


def batch_unconnected(tf):
    """Zeros, whatever is asked for."""
    x = _batch(tf)
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.ones((3, 2)) * 2.0
    return t.batch_jacobian(y, x)


def batch_mismatch(tf):
    """First axes must be of one length."""
    x = _batch(tf)
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.transpose(x)
    return raised(lambda: t.batch_jacobian(y, x))


def batch_of_vectors(tf):
    """Both need two axes."""
    x = _x(tf)
    with tf.GradientTape() as t:
        y = x * x
    return raised(lambda: t.batch_jacobian(y, x), False)


def batch_without_vectorization(tf):
    """Column by column, on a persistent tape."""
    x = _batch(tf)
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        y = tf.sin(x) * x[:, :1]
    return t.batch_jacobian(y, x, experimental_use_pfor=False)


def batch_with_mixing(tf):
    """Rows that depend on each other: the sums over the batch."""
    x = _batch(tf)
    with tf.GradientTape() as t:
        t.watch(x)
        y = x * tf.reduce_sum(x)
    return t.batch_jacobian(y, x)
