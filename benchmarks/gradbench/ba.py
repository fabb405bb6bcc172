"""ba: residuals of bundle adjustment, and their sparse Jacobian.

Observation i sees point ``i % m`` with camera ``i % n``; its two residuals depend on that camera's
11 parameters, the point's 3 and one weight.  With these 15 gathered into a row for each
observation, no two observations share a parameter, so one reverse sweep seeded with ones in the
first residual of every observation gives the first row of every block, and a second sweep the
second (a compressed Jacobian: Griewank and Walther 2008, chapter 8).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function

CAMERA, POINT = 11, 3
ROW = CAMERA + POINT + 1


@njit
def reprojection(own, feature, out):
    """Where a camera sees a point, less where it was seen, weighted.

    ``own``: rotation vector, centre, focal length, principal point and two radial distortions of
    the camera; the point; the weight.
    """
    x = own[11] - own[3]
    y = own[12] - own[4]
    z = own[13] - own[5]
    square = own[0] * own[0] + own[1] * own[1] + own[2] * own[2]
    if square != 0.0:
        angle = math.sqrt(square)
        cosine = math.cos(angle)
        sine = math.sin(angle)
        a = own[0] / angle
        b = own[1] / angle
        c = own[2] / angle
        along = (a * x + b * y + c * z) * (1.0 - cosine)
        turned_x = x * cosine + (b * z - c * y) * sine + a * along
        turned_y = y * cosine + (c * x - a * z) * sine + b * along
        turned_z = z * cosine + (a * y - b * x) * sine + c * along
    else:
        turned_x = x + own[1] * z - own[2] * y
        turned_y = y + own[2] * x - own[0] * z
        turned_z = z + own[0] * y - own[1] * x
    u = turned_x / turned_z
    v = turned_y / turned_z
    radius = u * u + v * v
    scale = own[6] * (1.0 + own[9] * radius + own[10] * radius * radius)
    out[0] = own[14] * (u * scale + own[7] - feature[0])
    out[1] = own[14] * (v * scale + own[8] - feature[1])


@njit
def weight_residual(w):
    """Pulls a weight to 1."""
    return 1.0 - w * w


@njit
def gather(cameras, points, weights, seen):
    """The 15 parameters of each observation."""
    own = np.empty((len(seen), ROW))
    for i in range(len(seen)):
        for j in range(CAMERA):
            own[i, j] = cameras[seen[i, 0], j]
        for j in range(POINT):
            own[i, CAMERA + j] = points[seen[i, 1], j]
        own[i, CAMERA + POINT] = weights[i]
    return own


@njit
def residuals(cameras, points, weights, seen, features):
    """Two residuals an observation, and one a weight."""
    own = gather(cameras, points, weights, seen)
    errors = np.empty((len(seen), 2))
    pulls = np.empty(len(seen))
    for i in range(len(seen)):
        reprojection(own[i], features[i], errors[i])
        pulls[i] = weight_residual(weights[i])
    return errors, pulls


@njit
def selected(own, features, which):
    """Sum of the residuals number ``which`` of all observations."""
    total = 0.0
    pair = np.empty(2)
    for i in range(len(own)):
        reprojection(own[i], features[i], pair)
        total += pair[which]
    return total


@njit
def pulled(weights):
    """Sum of the weights' residuals."""
    total = 0.0
    for i in range(len(weights)):
        total += weight_residual(weights[i])
    return total


rows_of = srcad.grad(selected)
diagonal = srcad.grad(pulled)


@njit
def assembled(first, second, pulls, seen, cameras, points):
    """The Jacobian in compressed rows: row starts, columns, values."""
    count = len(seen)
    starts = np.empty(3 * count + 1, np.int32)
    columns = np.empty(2 * ROW * count + count, np.int32)
    values = np.empty(2 * ROW * count + count)
    blocks = values[: 2 * ROW * count].reshape(count, 2, ROW)
    places = columns[: 2 * ROW * count].reshape(count, 2, ROW)
    for i in range(count):
        for j in range(ROW):
            blocks[i, 0, j] = first[i, j]
            blocks[i, 1, j] = second[i, j]
        for k in range(2):
            starts[2 * i + k] = ROW * (2 * i + k)
            for j in range(CAMERA):
                places[i, k, j] = CAMERA * seen[i, 0] + j
            for j in range(POINT):
                places[i, k, CAMERA + j] = CAMERA * cameras + POINT * seen[i, 1] + j
            places[i, k, CAMERA + POINT] = CAMERA * cameras + POINT * points + i
    for i in range(count):
        at = 2 * ROW * count + i
        starts[2 * count + i] = at
        columns[at] = CAMERA * cameras + POINT * points + i
        values[at] = pulls[i]
    starts[3 * count] = len(values)
    return starts, columns, values


def jacobian(cameras, points, weights, seen, features):
    """All residuals by all parameters, in compressed rows."""
    own = gather(cameras, points, weights, seen)
    first, second = rows_of(own, features, 0), rows_of(own, features, 1)
    return assembled(first, second, diagonal(weights), seen, len(cameras), len(points))


def read(given):
    """One camera, point, weight and measurement, repeated as often as the problem has them."""
    n, m, p = (int(given[name]) for name in "nmp")
    i = np.arange(p)
    return (
        np.tile(np.array(given["cam"], dtype=np.float64), (n, 1)),
        np.tile(np.array(given["x"], dtype=np.float64), (m, 1)),
        np.full(p, float(given["w"])),
        np.stack([i % n, i % m], axis=1),
        np.tile(np.array(given["feat"], dtype=np.float64), (p, 1)),
    )


def write_residuals(result):
    """The first of the repeated residuals, and how often they repeat."""
    errors, pulls = result
    return {
        "reproj_error": {"elements": errors[0].tolist(), "repeated": len(errors)},
        "w_err": {"element": float(pulls[0]), "repeated": len(pulls)},
    }


def write_jacobian(result):
    """The first 30 entries and the last of each part."""
    shown = (np.append(part[: 2 * ROW], part[-1]).tolist() for part in result)
    return dict(zip(("rows", "cols", "vals"), shown, strict=True))


FUNCTIONS = {
    "objective": Function(read, residuals, write_residuals),
    "jacobian": Function(read, jacobian, write_jacobian),
}
EXAMPLES = (
    {
        "n": 2,
        "m": 3,
        "p": 12,
        "cam": [0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 500.0, 1.0, 2.0, 0.01, 0.001],
        "x": [0.1, 0.2, 8.0],
        "w": 0.5,
        "feat": [1.0, 2.0],
    },
)
