"""Jacobians on the tape, and pictures of them.

The programs of TensorFlow's guide on advanced automatic differentiation, with ``srcad.tf`` in
TensorFlow's place, and three of its pictures:

    jacobian_curve.png           sigmoid(x) and its derivative, from the Jacobian by one number
    hessian_image.png            the Hessian of a loss by a layer's kernel
    batch_jacobian_patches.png   the Jacobian of a batch by a batch: diagonal patches

    python examples/tape_jacobians.py [--folder FOLDER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import srcad.tf as tf


def curve():
    """201 points, the sigmoid there, and its derivative."""
    x = tf.linspace(-10.0, 10.0, 200 + 1)
    delta = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        y = tf.nn.sigmoid(x + delta)
    return x, y, tape.jacobian(y, delta)


def hessian():
    """The second derivatives of a mean square by a kernel of 5 by 8, as a matrix."""
    tf.random.set_seed(1)
    x = tf.random.normal([7, 5])
    layer1 = tf.keras.layers.Dense(8, activation=tf.nn.relu)
    layer2 = tf.keras.layers.Dense(6, activation=tf.nn.relu)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            loss = tf.reduce_mean(layer2(layer1(x)) ** 2)
        g = inner.gradient(loss, layer1.kernel)
    h = outer.jacobian(g, layer1.kernel)
    n = tf.reduce_prod(layer1.kernel.shape)
    return tf.reshape(h, [n, n])


def batch_jacobians():
    """The full Jacobian of a batch by a batch (7, 6, 7, 5), and the batch Jacobian (7, 6, 5)."""
    tf.random.set_seed(2)
    x = tf.random.normal([7, 5])
    layer1 = tf.keras.layers.Dense(8, activation=tf.nn.elu)
    layer2 = tf.keras.layers.Dense(6, activation=tf.nn.elu)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = layer2(layer1(x))
    return tape.jacobian(y, x), tape.batch_jacobian(y, x)


def patches(j):
    """All (batch, batch) slices of a Jacobian side by side, a margin in between."""
    j = tf.transpose(j, [1, 0, 3, 2])
    lim = tf.reduce_max(abs(j))
    j = tf.pad(j, [[0, 0], [1, 1], [0, 0], [1, 1]], constant_values=-lim)
    s = j.shape
    return tf.reshape(j, [s[0] * s[1], s[2] * s[3]])


def draw(folder: Path) -> list[Path]:
    """Save the pictures; none without Matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    def save(name):
        path = folder / name
        plt.savefig(path, dpi=100, bbox_inches="tight")
        plt.close("all")
        return path

    def show(image, title):
        plt.figure()
        lim = tf.reduce_max(abs(image))
        plt.imshow(image, vmin=-lim, vmax=lim, cmap="seismic")
        plt.colorbar()
        plt.title(title)

    x, y, dy_dx = curve()
    plt.figure()
    plt.plot(x.numpy(), y, label="y")
    plt.plot(x.numpy(), dy_dx, label="dy/dx")
    plt.legend()
    plt.xlabel("x")
    found = [save("jacobian_curve.png")]
    show(hessian(), "Hessian of the loss by a kernel")
    found.append(save("hessian_image.png"))
    show(patches(batch_jacobians()[0]), "All (batch, batch) slices are diagonal")
    return [*found, save("batch_jacobian_patches.png")]


def main(arguments: list[str] | None = None) -> None:
    """Print what the pictures show, and save them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(), help="where the pictures go")
    folder = parser.parse_args(arguments).folder
    _, y, dy_dx = curve()
    error = float(tf.reduce_max(abs(dy_dx - y * (1.0 - y))))
    print(f"sigmoid: largest error of the derivative {error:.1e}")
    h = hessian()
    print(f"Hessian: {h.shape}, asymmetry {float(tf.reduce_max(abs(h - tf.transpose(h)))):.1e}")
    full, batch = batch_jacobians()
    diagonal = tf.einsum("bxby->bxy", full)
    error = float(tf.reduce_max(abs(diagonal - batch)))
    outside = float(tf.reduce_sum(abs(full)) - tf.reduce_sum(abs(batch)))
    print(f"Jacobian: {full.shape}; batch Jacobian: {batch.shape}, differs by {error:.1e}")
    print(f"outside of the diagonals: {np.round(outside, 6):g}")
    pictures = draw(folder)
    print("\n".join(map(str, pictures)) or "No pictures: matplotlib is not installed.")


if __name__ == "__main__":
    main()
