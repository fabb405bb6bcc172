"""Launches in two and three dimensions: images, fields, matrices."""

import math

import numpy as np
from numba import cuda

from tests.kernels.case import Case


def map_2d(x, out):
    i, j = cuda.grid(2)
    if i < x.shape[0] and j < x.shape[1]:
        out[i, j] = math.sin(x[i, j]) * x[i, j]


def map_3d(x, a, out):
    i, j, k = cuda.grid(3)
    n, m, p = x.shape
    if i < n and j < m and k < p:
        out[i, j, k] = x[i, j, k] ** 2 * a[k]


def heat_2d(u, new, alpha):
    i, j = cuda.grid(2)
    n, m = u.shape
    if 0 < i < n - 1 and 0 < j < m - 1:
        around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
        new[i, j] = u[i, j] + alpha * (around - 4.0 * u[i, j])
    elif i < n and j < m:
        new[i, j] = u[i, j]


def wave_3d(u, before, after, c):
    i, j, k = cuda.grid(3)
    if 0 < i < u.shape[0] - 1 and 0 < j < u.shape[1] - 1 and 0 < k < u.shape[2] - 1:
        lap = -6.0 * u[i, j, k]
        lap += u[i - 1, j, k] + u[i + 1, j, k]
        lap += u[i, j - 1, k] + u[i, j + 1, k]
        lap += u[i, j, k - 1] + u[i, j, k + 1]
        after[i, j, k] = 2.0 * u[i, j, k] - before[i, j, k] + c * c * lap


def matmul(a, b, c):
    i, j = cuda.grid(2)
    if i < c.shape[0] and j < c.shape[1]:
        total = 0.0
        for k in range(a.shape[1]):
            total += a[i, k] * b[k, j]
        c[i, j] = total


def bilinear(image, x, y, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        px = math.floor(x[i])
        py = math.floor(y[i])
        fx = x[i] - px
        fy = y[i] - py
        top = image[py, px] * (1.0 - fx) + image[py, px + 1] * fx
        low = image[py + 1, px] * (1.0 - fx) + image[py + 1, px + 1] * fx
        out[i] = top * (1.0 - fy) + low * fy


def row_softmax(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        most = x[i, 0]
        for j in range(1, x.shape[1]):
            most = max(most, x[i, j])
        total = 0.0
        for j in range(x.shape[1]):
            out[i, j] = math.exp(x[i, j] - most)
            total += out[i, j]
        for j in range(x.shape[1]):
            out[i, j] /= total


def distances(points, centres, out):
    i = cuda.grid(1)
    if i < points.shape[0]:
        row = points[i]
        best = 1e30
        for c in range(centres.shape[0]):
            d = 0.0
            for k in range(points.shape[1]):
                diff = row[k] - centres[c, k]
                d += diff * diff
            if d < best:
                best = d
        out[i] = best


def sparse_matvec(indptr, indices, data, x, y):
    i = cuda.grid(1)
    if i < y.shape[0]:
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += data[k] * x[indices[k]]
        y[i] = total


def one_axis_of_two(x, total):
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.add(total, 0, x[i] * x[i])


CASES = [
    Case(
        map_2d,
        ((2, 2), (3, 3)),
        lambda g: (g.normal(size=(5, 4)), np.zeros((5, 4))),
        plain=("x_b",),
    ),
    Case(
        map_3d,
        ((1, 2, 2), (2, 2, 2)),
        lambda g: (g.normal(size=(2, 3, 3)), g.normal(size=3), np.zeros((2, 3, 3))),
        plain=("x_b",),
        second=True,
    ),
    Case(heat_2d, ((2, 2), (3, 3)), lambda g: (g.normal(size=(5, 5)), np.zeros((5, 5)), 0.1)),
    Case(
        wave_3d,
        ((2, 2, 2), (2, 2, 2)),
        lambda g: (*(g.normal(size=(4, 4, 4)) for _ in range(2)), np.zeros((4, 4, 4)), 0.3),
    ),
    Case(
        matmul,
        ((2, 2), (2, 2)),
        lambda g: (g.normal(size=(3, 5)), g.normal(size=(5, 4)), np.zeros((3, 4))),
    ),
    Case(
        bilinear,
        (1, 8),
        lambda g: (g.normal(size=(5, 5)), *(g.uniform(0, 3.9, 6) for _ in "xy"), np.zeros(6)),
    ),
    Case(row_softmax, (2, 2), lambda g: (g.normal(size=(4, 5)), np.zeros((4, 5))), plain=("x_b",)),
    Case(
        distances,
        (1, 8),
        lambda g: (g.normal(size=(6, 3)), g.normal(size=(3, 3)), np.zeros(6)),
        plain=("points_b",),
    ),
    Case(
        sparse_matvec,
        (1, 4),
        lambda g: (
            np.array([0, 2, 3, 6]),
            np.array([0, 2, 1, 0, 1, 3]),
            *(g.normal(size=6), g.normal(size=4), np.zeros(3)),
        ),
    ),
    Case(one_axis_of_two, ((2, 1), (2, 3)), lambda g: (g.normal(size=4), np.zeros(1))),
]
