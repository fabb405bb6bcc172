"""Document 004, second half: jacobians, a hessian with a Newton step, batch jacobians."""

import numpy as np

from tests.tf_documents.fixed import dense, numbers
from tests.tf_recorded.values import Close


def scalar_source(tf):
    """The jacobian of a vector by a scalar."""
    x = tf.linspace(-10.0, 10.0, 200 + 1)
    delta = tf.Variable(0.0)

    with tf.GradientTape() as tape:
        y = tf.nn.sigmoid(x + delta)

    dy_dx = tape.jacobian(y, delta)
    print(y.shape)
    print(dy_dx.shape)
    # what the plot draws
    return x.numpy(), np.asarray(y), np.asarray(dy_dx)


def tensor_source_shapes(tf):
    """The jacobian of a layer's output by its kernel: shapes."""
    x = tf.random.normal([7, 5])
    layer = tf.keras.layers.Dense(10, activation=tf.nn.relu)

    with tf.GradientTape(persistent=True) as tape:
        y = layer(x)

    print(repr(y.shape))
    print(repr(layer.kernel.shape))
    j = tape.jacobian(y, layer.kernel)
    print(repr(j.shape))
    g = tape.gradient(y, layer.kernel)
    print("g.shape:", g.shape)

    j_sum = tf.reduce_sum(j, axis=[0, 1])
    delta = tf.reduce_max(abs(g - j_sum)).numpy()
    assert delta < 1e-3
    return type(delta).__name__


def tensor_source(tf):
    """... and numbers."""
    x = tf.constant(numbers(40, 7, 5))
    layer = dense(tf, 5, 10, 41, tf.nn.relu)
    with tf.GradientTape(persistent=True) as tape:
        y = layer(x)
    j = tape.jacobian(y, layer.kernel)
    return y, j, tape.gradient(y, layer.kernel), tf.reduce_sum(j, axis=[0, 1])


def _hessian(tf):
    x = tf.constant(numbers(43, 7, 5))
    layer1 = dense(tf, 5, 8, 44, tf.nn.relu)
    layer2 = dense(tf, 8, 6, 46, tf.nn.relu)

    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            x = layer1(x)
            x = layer2(x)
            loss = tf.reduce_mean(x**2)

        g = t1.gradient(loss, layer1.kernel)

    h = t2.jacobian(g, layer1.kernel)
    return layer1, g, h


def hessian(tf):
    """The hessian of a loss by a kernel."""
    layer1, g, h = _hessian(tf)
    print(f"layer.kernel.shape: {layer1.kernel.shape}")
    print(f"h.shape: {h.shape}")
    return g, h


def hessian_matrix(tf):
    """The hessian as a matrix, which is symmetric, and the limits of its picture."""
    layer1, g, h = _hessian(tf)
    n_params = tf.reduce_prod(layer1.kernel.shape)

    g_vec = tf.reshape(g, [n_params, 1])
    h_mat = tf.reshape(h, [n_params, n_params])
    lim = tf.reduce_max(abs(h_mat))
    symmetric = tf.reduce_max(abs(h_mat - tf.transpose(h_mat))) < 1e-5
    return n_params, g_vec.shape, h_mat.shape, lim, symmetric


def newton_step(tf):
    """A step of Newton's method."""
    layer1, g, h = _hessian(tf)
    n_params = tf.reduce_prod(layer1.kernel.shape)
    g_vec = tf.reshape(g, [n_params, 1])
    h_mat = tf.reshape(h, [n_params, n_params])
    eps = 1e-3
    eye_eps = tf.eye(h_mat.shape[0]) * eps
    # X(k+1) = X(k) - (∇²f(X(k)))^-1 @ ∇f(X(k))
    # h_mat = ∇²f(X(k))
    # g_vec = ∇f(X(k))
    update = tf.linalg.solve(h_mat + eye_eps, g_vec)

    # Reshape the update and apply it to the variable.
    _ = layer1.kernel.assign_sub(tf.reshape(update, layer1.kernel.shape))
    return eye_eps, Close([update, layer1.kernel], rtol=5e-2, atol=5e-3)


def _batch(tf, persistent=True):
    x = tf.constant(numbers(50, 7, 5))
    layer1 = dense(tf, 5, 8, 51, tf.nn.elu)
    layer2 = dense(tf, 8, 6, 53, tf.nn.elu)

    with tf.GradientTape(persistent=persistent, watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = layer1(x)
        y = layer2(y)
    return x, y, tape


def full_jacobian(tf):
    """The full jacobian of a batch by a batch, and one picture of it."""
    x, y, tape = _batch(tf)
    print(repr(y.shape))
    j = tape.jacobian(y, x)
    print(repr(j.shape))
    return j, j[:, 0, :, 0]


def _patches(tf, j):
    # Reorder axes so the diagonals will each form a contiguous patch.
    j = tf.transpose(j, [1, 0, 3, 2])
    # Pad in between each patch.
    lim = tf.reduce_max(abs(j))
    j = tf.pad(j, [[0, 0], [1, 1], [0, 0], [1, 1]], constant_values=-lim)
    # Reshape to form a single image.
    s = j.shape
    j = tf.reshape(j, [s[0] * s[1], s[2] * s[3]])
    return j, [-0.5, s[2] - 0.5, s[0] - 0.5, -0.5]


def patches(tf):
    """The picture of all slices."""
    x, y, tape = _batch(tf)
    return _patches(tf, tape.jacobian(y, x))


def sums_and_diagonals(tf):
    """The batch jacobian from the full one."""
    x, y, tape = _batch(tf)
    j = tape.jacobian(y, x)
    j_sum = tf.reduce_sum(j, axis=2)
    print(j_sum.shape)
    j_select = tf.einsum("bxby->bxy", j)
    print(j_select.shape)
    return j_sum, j_select


def batch_jacobian(tf):
    """The batch jacobian itself."""
    x, y, tape = _batch(tf)
    j_sum = tf.reduce_sum(tape.jacobian(y, x), axis=2)
    jb = tape.batch_jacobian(y, x)
    print(repr(jb.shape))
    error = tf.reduce_max(abs(jb - j_sum))
    assert error < 1e-3
    return jb, bool(error.numpy() < 1e-6)


def _normalized(tf):
    x = tf.constant(numbers(60, 7, 5))
    layer1 = dense(tf, 5, 8, 61, tf.nn.elu)
    bn = tf.keras.layers.BatchNormalization()
    layer2 = dense(tf, 8, 6, 63, tf.nn.elu)

    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = layer1(x)
        y = bn(y, training=True)
        y = layer2(y)
    return x, y, tape, bn


def batch_normalization(tf):
    """A jacobian that is not diagonal in the batch, and its picture."""
    x, y, tape, bn = _normalized(tf)
    j = tape.jacobian(y, x)
    print(f"j.shape: {j.shape}")
    picture, extent = _patches(tf, j)
    return Close([y, picture, bn.moving_mean, bn.moving_variance]), extent


def batch_jacobian_of_normalized(tf):
    """Here the batch jacobian has the right shape and no clear meaning."""
    x, y, tape, _ = _normalized(tf)
    jb = tape.batch_jacobian(y, x)
    print(f"jb.shape: {jb.shape}")
    return Close(jb)
