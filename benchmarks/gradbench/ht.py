"""ht: residuals of hand tracking, and their Jacobian.

A hand is a mesh skinned by a tree of bones; 26 parameters (rotation, translation, finger joints)
pose it.  A residual is a measured point less the point of the hand that it belongs to: a vertex
(the simple problem), or a point inside a triangle given by two coordinates, which are unknowns too
(the complicated problem).  Those two coordinates are each point's own, so shifting the first of all
points at once gives one compressed column of the Jacobian, and the second another: 26 + 2 tangents
in forward mode.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def multiply(a, b, out):
    """out = a b, for affine maps: 3 by 4, the last row (0, 0, 0, 1) left out."""
    for i in range(3):
        for j in range(4):
            total = 0.0
            for k in range(3):
                total += a[i, k] * b[k, j]
            out[i, j] = total
        out[i, 3] += a[i, 3]


@njit
def finger_joint(x, y, z, out):
    """Rotation about x, then y, then z."""
    cx, sx = math.cos(x), math.sin(x)
    cy, sy = math.cos(y), math.sin(y)
    cz, sz = math.cos(z), math.sin(z)
    out[0, 0] = cz * cy
    out[1, 0] = sz * cy
    out[2, 0] = -sy
    out[0, 1] = cz * sy * sx - sz * cx
    out[1, 1] = sz * sy * sx + cz * cx
    out[2, 1] = cy * sx
    out[0, 2] = cz * sy * cx + sz * sx
    out[1, 2] = sz * sy * cx - cz * sx
    out[2, 2] = cy * cx
    for i in range(3):
        out[i, 3] = 0.0


@njit
def rotation(x, y, z, out):
    """Rotation about an axis by its length."""
    angle = math.sqrt(x * x + y * y + z * z)
    if angle < 0.0001:
        for i in range(3):
            for j in range(3):
                out[i, j] = 1.0 if i == j else 0.0
        return
    a, b, c = x / angle, y / angle, z / angle
    sine, cosine = math.sin(angle), math.cos(angle)
    rest = 1.0 - cosine
    out[0, 0] = a * a * rest + cosine
    out[0, 1] = a * b * rest - c * sine
    out[0, 2] = a * c * rest + b * sine
    out[1, 0] = a * b * rest + c * sine
    out[1, 1] = b * b * rest + cosine
    out[1, 2] = b * c * rest - a * sine
    out[2, 0] = a * c * rest - b * sine
    out[2, 1] = b * c * rest + a * sine
    out[2, 2] = c * c * rest + cosine


@njit
def bone_transforms(theta, parents, relatives, inverses):
    """Where each bone takes the points of the hand at rest, one 3 by 4 map a bone."""
    bones = len(parents)
    joints = np.zeros((bones, 3))
    k = 6
    for finger in range(5):  # the joints of a finger bend; the first turns sideways as well
        for joint in range(3):
            bone = 2 + 4 * finger + joint
            joints[bone, 0] = theta[k]
            k += 1
            if joint == 0:
                joints[bone, 2] = theta[k]
                k += 1
    turn = np.empty((3, 4))
    own = np.empty((3, 4))
    absolute = np.empty((bones, 3, 4))
    transforms = np.empty((bones, 3, 4))
    for bone in range(bones):
        finger_joint(joints[bone, 0], joints[bone, 1], joints[bone, 2], turn)
        if parents[bone] < 0:
            multiply(relatives[bone], turn, absolute[bone])
        else:
            multiply(relatives[bone], turn, own)
            multiply(absolute[parents[bone]], own, absolute[bone])
        multiply(absolute[bone], inverses[bone], transforms[bone])
    return transforms


@njit
def pose(theta, parents, relatives, inverses, rest, weights, mirrored):
    """Positions of the vertices: bones weighted, then the whole hand turned and moved."""
    transforms = bone_transforms(theta, parents, relatives, inverses)
    whole = np.empty((3, 3))
    rotation(theta[0], theta[1], theta[2], whole)
    vertices = np.empty((len(rest), 3))
    skin = np.empty((3, 4))
    skinned = np.empty(3)
    for v in range(len(rest)):
        for i in range(3):
            for j in range(4):
                skin[i, j] = 0.0
        for bone in range(len(parents)):
            if weights[v, bone] != 0.0:  # few bones move a vertex
                for i in range(3):
                    for j in range(4):
                        skin[i, j] += weights[v, bone] * transforms[bone, i, j]
        for i in range(3):
            skinned[i] = 0.0
            for j in range(4):
                skinned[i] += skin[i, j] * rest[v, j]
        if mirrored:
            skinned[0] = -skinned[0]
        for i in range(3):
            vertices[v, i] = theta[3 + i]
            for j in range(3):
                vertices[v, i] += whole[i, j] * skinned[j]
    return vertices


@njit
def residuals(theta, shift, model, triangles, us, correspondences, points):
    """Measured points less those of the hand.

    Those are vertices where ``us`` is empty, otherwise points in triangles whose coordinates are
    ``us`` moved by ``shift``.
    """
    vertices = pose(theta, *model)
    errors = np.empty((len(points), 3))
    for k in range(len(points)):
        if len(us) == 0:
            for i in range(3):
                errors[k, i] = points[k, i] - vertices[correspondences[k], i]
        else:
            corners = triangles[correspondences[k]]
            u = us[k, 0] + shift[0]
            v = us[k, 1] + shift[1]
            for i in range(3):
                on_hand = u * vertices[corners[0], i] + v * vertices[corners[1], i]
                on_hand += (1.0 - u - v) * vertices[corners[2], i]
                errors[k, i] = points[k, i] - on_hand
    return errors


columns = srcad.jacfwd(residuals, argnums=("theta", "shift"))
STILL = np.zeros(2)


def objective(theta, model, triangles, us, correspondences, points):
    """The residuals."""
    return residuals(theta, STILL, model, triangles, us, correspondences, points)


def jacobian(theta, model, triangles, us, correspondences, points):
    """Residuals by the coordinates in the triangles (two columns, if there are any) and theta."""
    by_theta, by_shift = columns(theta, STILL, model, triangles, us, correspondences, points)
    by_theta = by_theta.reshape(-1, len(theta))
    if len(us) == 0:
        return by_theta
    return np.concatenate([by_shift.reshape(-1, 2), by_theta], axis=1)


def read(given):
    """Parameters, the model (see ``pose``), triangles, coordinates in them, and the data."""
    data = given["data"]
    hand = data["model"]

    def array(values, dtype=np.float64):
        return np.array(values, dtype=dtype)

    model = (
        array(hand["parents"], np.int64),
        array(hand["base_relatives"])[:, :3].copy(),
        array(hand["inverse_base_absolutes"])[:, :3].copy(),
        array(hand["base_positions"]),
        array(hand["weights"]),
        bool(hand["is_mirrored"]),
    )
    return (
        array(given["theta"]),
        model,
        array(hand["triangles"], np.int64),
        array(given["us"]).reshape(-1, 2),
        array(data["correspondences"], np.int64),
        array(data["points"]),
    )


def example(us):
    """A hand of 22 bones in a row and three vertices."""
    bones, eye = 22, np.eye(4).tolist()
    model = {
        "parents": list(range(-1, bones - 1)),
        "base_relatives": [eye] * bones,
        "inverse_base_absolutes": [eye] * bones,
        "base_positions": [[0.1, 0.2, 0.3, 1.0], [0.3, 0.1, 0.2, 1.0], [0.2, 0.3, 0.1, 1.0]],
        "weights": [[1.0 / bones] * bones] * 3,
        "triangles": [[0, 1, 2]],
        "is_mirrored": False,
    }
    data = {"model": model, "correspondences": [0, 0], "points": [[0.1, 0.2, 0.3]] * 2}
    return {"theta": [0.1] * 26, "data": data, "us": us}


FUNCTIONS = {"objective": Function(read, objective, lambda errors: errors.ravel().tolist())}
FUNCTIONS["jacobian"] = Function(read, jacobian)
EXAMPLES = (example([]), example([[0.2, 0.3], [0.4, 0.5]]))
