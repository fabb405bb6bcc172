"""Functions that move complex numbers about, or add them up, for ``tests/test_complex.py``."""

from __future__ import annotations

import numpy as np


def move_(z, w):
    """Functions that move data."""
    return (
        np.roll(z, 1),
        np.flip(z),
        np.rot90(z),
        np.tile(z[0], 2),
        np.repeat(z[0], 2),
        np.take(z, [0, 2]),
        np.diag(z[0]),
        np.diagonal(z),
        np.tril(z),
        np.append(z, w),
        np.moveaxis(z, 0, 1),
        np.squeeze(z[None]),
        np.broadcast_to(z[0], (2, 3)),
        np.expand_dims(z, 0),
        np.atleast_2d(z[0]),
        np.delete(z[0], 1),
        np.insert(z[0], 1, 5j),
        np.diff(z),
        np.ediff1d(z[0]),
        np.convolve(z[0], w[0]),
        np.split(z[0], 3)[1],
        np.meshgrid(z[0], w[0])[0],
        np.trapezoid(z[0]),
        np.cross(z[0], w[0]),
        np.linalg.matrix_power(z[:, :2], 3),
        np.resize(z, 4),
        np.select([z.real > 0], [z], 1j),
        np.array_split(z[0], 2)[0],
        np.dstack((z, w)),
        np.column_stack((z[0], w[0])),
        np.compress([True, False, True], z[0]),
        np.extract(z[0].real > -9, z[0]),
        np.take_along_axis(z, np.array([[0], [1]]), 1),
        np.multiply.outer(z[0], w[0]),
        np.add.reduce(z),
        np.linalg.multi_dot((z, w.T, z)),
        np.vecdot(z, w),
    )


def rest(z, w):
    """What the other programs leave out."""
    v, m = z[0].copy(), z.copy()
    np.copyto(m, w)
    np.put(m, [1], [3j])
    np.place(m, m.real > 9, [1j])
    np.putmask(v, v.real > 9, w[0])
    np.put_along_axis(m, np.array([[0], [1]]), w[:, :1], 1)
    np.fill_diagonal(m, 2j)
    v.fill(w[0, 0])
    f = np.vectorize(lambda a: a * a)
    pairs = [a * i for i, a in reversed(list(zip([1, 2], v)))]  # noqa: B905
    windows = np.lib.stride_tricks.sliding_window_view(z[0], 2)
    total = 0j
    for (i, j), a in np.ndenumerate(z):
        total += a * (i + j)
    return (
        *(
            m,
            v * z[0],
            f(z[0]),
            pairs[0],
            windows * 1j,
            total,
            dict(a=total)["a"] + pow(z[0, 0], 2),  # noqa: C408
        ),
        *(np.asarray(z)[0], np.ascontiguousarray(z.T), np.asfortranarray(z), np.copy(z), z.item(1)),
        *(np.transpose(z) * 1.0, z.transpose() * w.T, z.swapaxes(0, 1) * 1, np.fliplr(z)),
        *(np.flipud(z), np.triu(z), np.full_like(z, 2j) * z, z.astype(np.complex128), z.ravel()),
        *(
            z.diagonal() * 1,
            z.take([0, 2]),
            z.repeat(2),
            z.trace(),
            z.dot(w.T),
            z[None].squeeze(0) * 1,
        ),
        *(z.mean(), z.cumsum(), z.cumprod(), z[0].compress([True, False, True])),
        *(np.moveaxis(z, 0, 1) * 1, np.add.accumulate(z[0]), np.multiply.accumulate(z[0])),
        *(np.divide.outer(z[0], w[0]), np.add.outer(z[0], w[0]), np.subtract.outer(z[0], w[0])),
        *(np.multiply.reduce(z[0]), np.linalg.solve(z @ w.T, z[:, 0]), np.linalg.inv(z @ w.T)),
        *(
            np.linalg.outer(z[0], w[0]),
            np.broadcast_arrays(z, w[0])[1] * 1,
            z[z[0].nonzero()[0][:1]],
        ),
        *(np.array_split(z[0], 2)[0] * 1, np.block([z[0], w[0]]), np.diagflat(z[0])),
        *(np.atleast_1d(z[0, 0]), np.atleast_3d(z) * 1, np.hsplit(z, 3)[0] * 1),
        *(np.vsplit(z, 2)[0] * 1, np.rollaxis(z, 1) * 1, np.matrix_transpose(z) * 1),
        *(z[0, 0].real, np.matvec(z, w[0]), np.vecmat(z[:, 0], w)),
    )
