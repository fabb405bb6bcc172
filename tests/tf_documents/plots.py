"""Document 004: what its plots do with tensors."""

from tests.tf_documents import doc004_jacobians


def curve(tf, plt):
    """A curve and its derivative, drawn from tensors; the data that was drawn."""
    x = tf.linspace(-10.0, 10.0, 200 + 1)
    delta = tf.Variable(0.0)

    with tf.GradientTape() as tape:
        y = tf.nn.sigmoid(x + delta)

    dy_dx = tape.jacobian(y, delta)

    lines = plt.plot(x.numpy(), y, label="y")
    lines += plt.plot(x.numpy(), dy_dx, label="dy/dx")
    plt.legend()
    _ = plt.xlabel("x")
    return [line.get_ydata(orig=False) for line in lines]


def _imshow_zero_center(tf, plt, image, **kwargs):
    lim = tf.reduce_max(abs(image))
    shown = plt.imshow(image, vmin=-lim, vmax=lim, cmap="seismic", **kwargs)
    plt.colorbar()
    return shown


def images(tf, plt):
    """The slice and the patches of a batch jacobian as images; their shapes and limits."""
    j, part = doc004_jacobians.full_jacobian(tf)
    picture, extent = doc004_jacobians.patches(tf)
    shown = [_imshow_zero_center(tf, plt, part)]
    _ = plt.title("A (batch, batch) slice")
    shown.append(_imshow_zero_center(tf, plt, picture, extent=extent))
    _ = plt.title("All (batch, batch) slices are diagonal")
    return [(s.get_array().shape, s.get_clim()) for s in shown], float(tf.reduce_max(abs(j)))
